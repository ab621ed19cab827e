"""Pose Partition Network: everybody's joints, and from near each joint the way to its person's centre.

Nie, Feng, Xing, Yan, ECCV 2018 (methods §6.6): stages of hourglasses with two branches each.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from torch import Tensor, nn

from models.blocks import activation, encoder, init_weights, norm, stage128
from models.factored import FEATURES, channels_first, normalise, precision
from models.families import ZooRow, early_name
from models.hourglass import HourglassShape, HourglassStage, HourglassStem, StageInput
from models.joints import without_person
from models.labels import JOINT_SETS
from models.network import Network

UNIT_PX = 128.0  # of the vectors that are regressed: half of a training picture
NAMES = ("heatmaps", "centres")
#: of the Factored ConvNet's layers in the small network
PLACES = {"trunk.": "stem.", "head.project.": "pipeline.0.encode.", "head.stage.": "pipeline.0.encode.3."}


class CentreBranches(nn.Module):
    """One stage: its encoder, a branch and a classifier for each kind of map, and the input of the next."""

    def __init__(self, encode: nn.Module, channels: int, maps: Sequence[int], *, last: bool) -> None:
        super().__init__()
        c = channels
        self.encode = encode
        self.branches = nn.ModuleList(
            nn.Sequential(nn.Conv2d(c, c, 1), nn.BatchNorm2d(c), nn.ReLU()) for _ in maps
        )
        self.classify = nn.ModuleList(nn.Conv2d(c, m, 1) for m in maps)
        self.onward = nn.ModuleList(StageInput(c, (m,)) for m in (() if last else maps))

    def forward(self, x: Tensor) -> tuple[list[Tensor], Tensor]:
        """(b, channels, h, w) → maps of each kind, and the next stage's input."""
        encoded = self.encode(x)
        features = [branch(encoded) for branch in self.branches]
        maps = [classify(f) for classify, f in zip(self.classify, features, strict=True)]
        for onward, f, m in zip(self.onward, features, maps, strict=False):
            x = onward(x, f, m)
        return maps, x


class GpnNet(Network):
    """Heat maps with one of the background, regressed, and vectors to the centres."""

    def __init__(
        self, stem: nn.Module, encoders: Sequence[Callable[[], nn.Module]], channels: int, joints: int
    ) -> None:
        super().__init__()
        self.stem = stem
        maps, count = (joints + 1, 2 * joints), len(encoders)
        self.pipeline = nn.ModuleList(
            CentreBranches(encode(), channels, maps, last=i == count) for i, encode in enumerate(encoders, 1)
        )
        init_weights(self)

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        """Normalised (b, 3, h, w) → `heatmaps` and `centres`, network px; in training of all stages."""
        x = self.stem(x)
        maps: dict[str, Tensor] = {}
        for i, stage in enumerate(self.pipeline, start=1):
            (heatmaps, vectors), x = stage(x)
            last = i == len(self.pipeline)
            if last or self.training:
                given = (heatmaps, vectors * UNIT_PX)
                maps |= {n if last else early_name(i, n): m for n, m in zip(NAMES, given, strict=True)}
        return maps

    def stages(self) -> dict[str, nn.Module]:
        """The whole network."""
        return {"network": CentresStage(self).train(self.training)}

    def start(self, weights: dict[str, Tensor]) -> dict[str, Tensor]:
        """This network's weights with what fits of a `GpnNet`, or of a `FactoredConvNet`, everybody shown."""
        given = weights
        if "head.concat.0.weight" in weights:
            parser = without_person(weights).items()
            given = {new + k.removeprefix(old): v for k, v in parser for old, new in PLACES.items()
                     if k.startswith(old)}  # fmt: skip
        return self.fitting(given)


class CentresStage(nn.Module):
    """`image` → `heatmaps`, `centres`."""

    def __init__(self, network: GpnNet) -> None:
        super().__init__()
        self.network = network

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """(b, h, w, 3) uint8 RGB → heat maps (b, joints + 1, h/s, w/s) in 0..1, and vectors, px."""
        maps = self.network(normalise(channels_first(image, precision(self))))
        return maps["heatmaps"].clamp(0, 1), maps["centres"]


def build(row: ZooRow) -> GpnNet:
    """The network of a row; its encoder is `factored` or `hg-ms-nu`."""
    (kind,), act, joints = row.encoders, row.activation, len(JOINT_SETS[row.joints].names)
    if kind != "factored":
        stacks, units = (int(n) for n in kind.removeprefix("hg-").removesuffix("u").split("s-"))
        shape = HourglassShape(units)
        stem = HourglassStem(shape.channels, shape.form)
        return GpnNet(stem, [lambda: HourglassStage(shape)] * stacks, shape.channels, joints)

    def head() -> nn.Module:
        enter = nn.Conv2d(FEATURES, FEATURES, 1, bias=False)
        return nn.Sequential(enter, norm(FEATURES), activation(act, FEATURES), stage128(act))

    small = GpnNet(nn.Sequential(*encoder(act), stage128(act)), [head], FEATURES, joints)
    for name, parameter in small.named_parameters():
        if name.startswith("pipeline.0.classify.") and name.endswith("weight"):
            nn.init.normal_(parameter, std=0.01)
    return small
