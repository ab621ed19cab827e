"""Parsing Induced Learner: pose features adapted by kernels that are predicted from parsing features.

Nie et al., ECCV 2018 (PIL), §3; and the ways of joining both that it is compared with, §4.2.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import torch
from torch import Tensor, nn

from models.blocks import activation, encoder, init_weights, norm, stage128
from models.factored import FEATURES, channels_first, normalise, precision, probabilities_and_labels
from models.families import Activation, Fusion, ZooRow, early_name
from models.hourglass import HOURGLASS_FEATURES, HourglassEncoder, HourglassShape
from models.joints import PRIOR_LOGIT, without_person
from models.labels import JOINT_SETS
from models.network import Network
from models.parameter_adapter import AdaptiveConvolution, ParameterAdapter, begin_as_averages
from models.vgg import VGG_FEATURES, vgg16_fcn

KERNEL = 7  #: side of the predicted kernels: of 64 cells (methods §5.2)
VGG_KERNEL = 3  #: of 32 cells
Maps = dict[str, Tensor]


class SmallEncoder(nn.Module):
    """Trunk and head of the Factored ConvNet up to its classifier, which start from its weights."""

    def __init__(self, act: Activation) -> None:
        super().__init__()
        self.trunk = nn.Sequential(*encoder(act), stage128(act))
        self.project = nn.Sequential(
            nn.Conv2d(FEATURES, FEATURES, 1, bias=False), norm(FEATURES), activation(act, FEATURES)
        )
        self.stage = stage128(act)

    def forward(self, x: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Normalised (b, 3, h, w) → features (b, 128, h/8, w/8); there are no earlier predictions."""
        return self.stage(self.project(self.trunk(x))), []


class VggEncoder(nn.Module):
    """VGG16-FCN."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = vgg16_fcn()

    def forward(self, x: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Normalised (b, 3, h, w) → features (b, 512, h/8, w/8); there are no earlier predictions."""
        return self.layers(x), []


class Alone(nn.Module):
    """The pose features as they are."""

    def forward(self, pose: Tensor, _: Tensor) -> Tensor:
        """Features of both tasks (b, c, h, w) → of the pose."""
        return pose


class SumFusion(nn.Module):
    """Variant `Add`."""

    def forward(self, pose: Tensor, parsing: Tensor) -> Tensor:
        """See `Alone`."""
        return pose + parsing


class ProductFusion(nn.Module):
    """Variant `Multi`."""

    def forward(self, pose: Tensor, parsing: Tensor) -> Tensor:
        """See `Alone`."""
        return pose * parsing


class Concatenation(nn.Module):
    """Variant `Concat`: side by side, then a 1x1 convolution."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.join = nn.Conv2d(2 * channels, channels, 1)

    def forward(self, pose: Tensor, parsing: Tensor) -> Tensor:
        """See `Alone`."""
        y: Tensor = self.join(torch.cat((pose, parsing), dim=1))
        return y


class SelfAdaptation(nn.Module):
    """Variant `Self`: the residual branch with an ordinary convolution in place of the predicted one."""

    def __init__(self, channels: int, kernel: int, *, normed: bool) -> None:
        super().__init__()
        self.branch = nn.Sequential(
            nn.Conv2d(channels, channels, 1),
            nn.Conv2d(channels, channels, kernel, padding=kernel // 2, bias=False),
            nn.Conv2d(channels, channels, 1),
            *((nn.BatchNorm2d(channels),) if normed else ()),
            nn.ReLU(),
        )

    def forward(self, pose: Tensor, _: Tensor) -> Tensor:
        """See `Alone`."""
        y: Tensor = pose + self.branch(pose)
        return y


class ParsingInduction(nn.Module):
    """PIL: the residual branch's kernels are predicted from the parsing features of the same picture."""

    def __init__(self, channels: int, kernel: int, *, normed: bool) -> None:
        super().__init__()
        self.adapter = ParameterAdapter(channels, kernel)
        self.convolution = AdaptiveConvolution(channels, norm=normed)

    def forward(self, pose: Tensor, parsing: Tensor) -> Tensor:
        """See `Alone`."""
        y: Tensor = pose + self.convolution(pose, self.adapter(parsing))
        return y


def fusion_of(kind: Fusion, channels: int, kernel: int, *, normed: bool) -> nn.Module:
    """Module from features of both tasks to the pose's; `normed` but on VGG16, as the release (§5.3)."""
    plain: dict[Fusion, Callable[[], nn.Module]] = {
        "base": Alone, "mtl": Alone, "add": SumFusion, "multi": ProductFusion,
        "concat": lambda: Concatenation(channels),
        "self": lambda: SelfAdaptation(channels, kernel, normed=normed),
        "pil": lambda: ParsingInduction(channels, kernel, normed=normed),
    }  # fmt: skip
    return plain[kind]()


class PilNet(Network):
    """Encoders of pose and parsing, their fusion, and a 1x1 classifier for each task.

    Encoders give features (b, channels, h, w) and the predictions of their earlier stacks. `mtl` shares one.
    """

    def __init__(self, encoders: tuple[nn.Module, nn.Module | None], fusion: nn.Module, channels: int,
                 maps: tuple[int, int], *, linear: bool) -> None:  # fmt: skip
        super().__init__()
        self.pose_encoder, self.parsing_encoder = encoders
        self.fusion = fusion
        self.classify_joints = nn.Conv2d(channels, maps[0], 1)
        self.classify_parts = nn.Conv2d(channels, maps[1], 1)
        self.linear = linear  #: heat maps are regressed as they are, not as logits

    def forward(self, x: Tensor) -> Maps:
        """Normalised images (b, 3, h, w) → `parts` (logits), `heatmaps`, and those of earlier stacks."""
        pose, early_joints = self.pose_encoder(x)
        parsing, early_parts = (pose, []) if self.parsing_encoder is None else self.parsing_encoder(x)
        maps = {
            "parts": self.classify_parts(parsing),
            "heatmaps": self.classify_joints(self.fusion(pose, parsing)),
        }
        for name, early in (("parts", early_parts), ("heatmaps", early_joints)):
            maps |= {early_name(i, name): m for i, m in enumerate(early, start=1)}
        return maps

    def stages(self) -> dict[str, nn.Module]:
        """The whole network."""
        return {"network": PartsAndJointsStage(self, linear=self.linear).train(self.training)}

    def start(self, weights: dict[str, Tensor]) -> dict[str, Tensor]:
        """This network's weights with what fits of a `PilNet`, or of a `FactoredConvNet` in both encoders."""
        given = weights
        if "head.concat.0.weight" in weights:
            parser = {
                k.removeprefix("head."): v for k, v in without_person(weights).items() if "classify" not in k
            }
            given = {f"{e}.{k}": v for e in ("pose_encoder", "parsing_encoder") for k, v in parser.items()}
        return self.fitting(given)


class PartsAndJointsStage(nn.Module):
    """`image` → `parts`, `labels`, `heatmaps`."""

    def __init__(self, network: Network, *, linear: bool = False) -> None:
        super().__init__()
        self.network = network
        self.linear = linear

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        """(b, h, w, 3) uint8 RGB → probabilities (b, classes, ·, ·), uint8 labels, and (b, joints, ·, ·)."""
        maps = self.network(normalise(channels_first(image, precision(self))))
        heatmaps = maps["heatmaps"]
        shown = heatmaps.clamp(0, 1) if self.linear else heatmaps.sigmoid()
        return (*probabilities_and_labels(maps["parts"]), shown)


def _encoder(kind: str, predictions: int, act: Activation) -> tuple[nn.Module, int, int]:
    """An encoder by name, its channels, and the side of the kernels predicted from it."""
    if kind == "factored":
        return SmallEncoder(act), FEATURES, KERNEL
    if kind == "vgg16":
        return VggEncoder(), VGG_FEATURES, VGG_KERNEL
    found = re.fullmatch(r"hg-(\d+)s-(\d+)u", kind)
    if found is None:
        raise ValueError(f"no encoder is named {kind!r}; known are factored, vgg16 and hg-ms-nu")
    stacks, units = (int(n) for n in found.groups())
    return HourglassEncoder(stacks, predictions, HourglassShape(units)), HOURGLASS_FEATURES, KERNEL


def build(row: ZooRow) -> PilNet:
    """The network of a row."""
    linear = "factored" not in row.encoders  # the paper's maps have one of the background
    maps = len(JOINT_SETS[row.joints].names) + linear, row.part_set.classes
    pose, channels, kernel = _encoder(row.encoders[0], maps[0], row.activation)
    parsing = None if row.fusion == "mtl" else _encoder(row.encoders[1], maps[1], row.activation)[0]
    fusion = fusion_of(row.fusion, channels, kernel, normed="vgg16" not in row.encoders)
    network = PilNet((pose, parsing), fusion, channels, maps, linear=linear)
    init_weights(network)
    if linear:
        return network
    begin_as_averages(network, kernel)
    nn.init.normal_(network.classify_joints.weight, std=0.01)
    nn.init.constant_(network.classify_joints.bias, PRIOR_LOGIT)  # type: ignore[arg-type]
    return network
