"""PersonLab: everybody's joints and masks from one pass (Papandreou et al., ECCV 2018), on small trunks."""

from __future__ import annotations

from abc import abstractmethod

import torch
from torch import Tensor, nn
from torch.nn.functional import grid_sample

from models.blocks import activation, encoder, init_weights, norm, stage128
from models.factored import (
    FEATURES,
    FactoredConvNet,
    channels_first,
    normalise,
    person_probability,
    precision,
)
from models.families import Activation, ZooRow
from models.labels import JOINT_SETS, PART_SETS, JointSet
from models.network import Network

#: logit of a disk in a cell before anything was learned: one cell in 50
PRIOR_LOGIT = -4.0
#: network pixels per unit of the last layer: weights of the usual size then reach across a body
VECTOR_PX = 32.0
STRIDE = 8
VECTORS = ("short", "mid", "long")

Maps = dict[str, Tensor]


def map_layers(inputs: int, joints: JointSet) -> nn.ModuleDict:
    """The last layers, a 1x1 convolution of features for each map."""
    count, bones = len(joints.names), len(joints.bones)
    channels = {"disks": count, "short": 2 * count, "mid": 4 * bones, "person": 1, "long": 2 * count}
    return nn.ModuleDict({n: nn.Conv2d(inputs, c, 1) for n, c in channels.items()})


def start_maps(layers: nn.ModuleDict) -> None:
    """Begin where nobody is anywhere and every vector is zero."""
    for layer in layers.values():
        assert isinstance(layer, nn.Conv2d)
        assert layer.bias is not None
        nn.init.normal_(layer.weight, std=0.01)
        nn.init.zeros_(layer.bias)
    nn.init.constant_(layers["disks"].bias, PRIOR_LOGIT)  # type: ignore[arg-type]


class PersonLabHead(nn.Module):
    """Features → raw maps: logits of disks and person, and three kinds of vectors in network px."""

    def __init__(self, inputs: int, joints: JointSet, act: Activation) -> None:
        super().__init__()
        self.project = nn.Sequential(
            nn.Conv2d(inputs, FEATURES, 1, bias=False), norm(FEATURES), activation(act, FEATURES)
        )
        self.stage = stage128(act)
        self.maps = map_layers(FEATURES, joints)

    def forward(self, features: Tensor) -> Maps:
        """(b, inputs, h, w) → maps by name, each (b, channels, h, w)."""
        return in_pixels(self.maps, self.stage(self.project(features)))


def in_pixels(layers: nn.ModuleDict, features: Tensor) -> Maps:
    """The last layers' maps by name, vectors in network px."""
    maps: Maps = {name: layer(features) for name, layer in layers.items()}
    return {n: m * VECTOR_PX if n in VECTORS else m for n, m in maps.items()}


class Refinement(nn.Module):
    """Recurrent refinement of the mid- and long-range offsets by the short-range ones (§3.1.2, §3.2).

    For the losses, which are applied behind it; the decoder refines only the vectors that it follows.
    Vectors are displacements in pixels; a field is sampled bilinearly where the vector points to, beyond the
    border towards what its nearest cell points at.
    """

    STEPS = 2

    def __init__(self, joints: JointSet, stride: int = STRIDE) -> None:
        super().__init__()
        self.targets = [b for _, b in joints.bones] + [a for a, _ in joints.bones]
        self.stride = stride

    def forward(self, maps: Maps) -> Maps:
        """Raw maps → maps with refined `mid` and `long`."""
        short = _by_vector(maps["short"])  # (b, joints, 2, h, w)
        mid, raw = _by_vector(maps["mid"]), _by_vector(maps["long"])
        towards, long = short[:, self.targets], raw
        for _ in range(self.STEPS):
            mid = mid + self._sampled(towards, mid)
        for field in [raw] * self.STEPS + [short] * self.STEPS:
            long = long + self._sampled(field, long)
        return {**maps, "mid": mid.flatten(1, 2), "long": long.flatten(1, 2)}

    def _sampled(self, field: Tensor, at: Tensor) -> Tensor:
        """`field` at each cell displaced by `at`; both (b, n, 2, h, w), px."""
        b, n, _, h, w = at.shape
        ys, xs = torch.meshgrid(
            torch.arange(h, device=at.device), torch.arange(w, device=at.device), indexing="ij"
        )
        # centres of cells: (u + ½) / size runs from 0 to 1 over the picture, whatever the grid's offset
        x = (2 * (xs + 0.5) + 2 * at[:, :, 0] / self.stride) / w - 1
        y = (2 * (ys + 0.5) + 2 * at[:, :, 1] / self.stride) / h - 1
        grid = torch.stack((x, y), dim=-1).flatten(0, 1)
        sampled = grid_sample(
            field.flatten(0, 1), grid, mode="bilinear", padding_mode="border", align_corners=False
        )
        within = grid.clamp(
            min=grid.new_tensor((1 / w - 1, 1 / h - 1)), max=grid.new_tensor((1 - 1 / w, 1 - 1 / h))
        )
        beyond = (within - grid) * (grid.new_tensor((w, h)) * self.stride / 2)
        return (sampled + beyond.permute(0, 3, 1, 2)).view(b, n, 2, h, w)


class PersonLab(Network):
    """A network that gives PersonLab's maps of a picture."""

    @abstractmethod
    def raw(self, x: Tensor) -> Maps:
        """Normalised images (b, 3, h, w) → maps by name, before refinement."""


class PersonLabNet(PersonLab):
    """A trunk of its own and the head: `personlab-small`."""

    def __init__(self, joints: JointSet, act: Activation) -> None:
        super().__init__()
        self.trunk = nn.Sequential(*encoder(act), stage128(act))
        self.head = PersonLabHead(FEATURES, joints, act)
        self.refinement = Refinement(joints)
        init_weights(self)
        start_maps(self.head.maps)

    def forward(self, x: Tensor) -> Maps:
        """Normalised images (b, 3, h, w) → refined maps by name, at stride 8."""
        maps: Maps = self.refinement(self.raw(x))
        return maps

    def raw(self, x: Tensor) -> Maps:
        """See `PersonLab.raw`."""
        maps: Maps = self.head(self.trunk(x))
        return maps

    def stages(self) -> dict[str, nn.Module]:
        """The whole network."""
        return {"network": PersonLabStage(self).train(self.training)}

    def start(self, weights: dict[str, Tensor]) -> dict[str, Tensor]:
        """This network's weights with the layers it shares with a `FactoredConvNet` or `PeopleOnParser`."""
        theirs = (k for k in weights if not k.startswith(("parser.factor", "parser.head", "head.classify")))
        renamed = {
            k.replace("parser.trunk.", "trunk.").replace("people.", "head."): weights[k] for k in theirs
        }
        if "people.project.0.weight" in weights:
            renamed["head.project.0.weight"] = weights["people.project.0.weight"][:, :FEATURES].contiguous()
        return self.fitting(renamed)


class PeopleOnParser(Network):
    """A parser that stays as it was trained, and PersonLab's head on its features and parts."""

    def __init__(self, joints: JointSet, classes: int, act: Activation) -> None:
        super().__init__()
        self.parser = FactoredConvNet(classes, act)
        self.people = PersonLabHead(FEATURES + classes, joints, act)
        self.refinement = Refinement(joints)
        init_weights(self.people)
        start_maps(self.people.maps)
        self.freeze("parser")

    def forward(self, x: Tensor) -> Maps:
        """Normalised images (b, 3, h, w) → refined maps by name, at stride 8."""
        with torch.no_grad():
            features = self.parser.trunk(x)
            parts = self.parser.head(features, person_probability(self.parser.factor(features)))
            seen = torch.cat((features, parts.softmax(dim=1).to(features.dtype)), dim=1)
        maps: Maps = self.refinement(self.people(seen))
        return maps

    def stages(self) -> dict[str, nn.Module]:
        """Trunk, factor, head and people."""
        return {**self.parser.stages(), "people": PeopleStage(self.people).train(self.training)}

    def start(self, weights: dict[str, Tensor]) -> dict[str, Tensor]:
        """This network's weights with the parser of a `FactoredConvNet`, its head's stage for people."""
        if "trunk.0.conv.weight" not in weights:
            return weights
        own = self.state_dict()
        own |= {f"parser.{k}": v for k, v in weights.items() if f"parser.{k}" in own}
        kernel, copied = weights["head.concat.0.weight"][:, :FEATURES], {}
        copied["people.project.0.weight"] = own["people.project.0.weight"] * 0.1
        copied["people.project.0.weight"][:, :FEATURES] = kernel
        for k, v in weights.items():
            name = k.replace("head.concat.1", "people.project.1").replace("head.stage", "people.stage")
            if name in own:
                copied[name] = v
        # the parser's head is shown P(person) beside the features: here it counts as 1 everywhere
        shown = weights["head.concat.0.weight"][:, FEATURES, 0, 0]
        copied["people.project.1.running_mean"] = weights["head.concat.1.running_mean"] - shown
        return {**own, **copied}


class PersonLabStage(nn.Module):
    """`image` → `disks`, `short`, `mid`, `long`, `person`."""

    def __init__(self, network: PersonLab) -> None:
        super().__init__()
        self.network = network

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        """(b, h, w, 3) uint8 RGB → maps (b, channels, h/8, w/8), probabilities and px."""
        x = normalise(channels_first(image, precision(self)))
        maps = self.network.raw(x)
        return (*shown(maps), maps["person"].sigmoid())


class PeopleStage(nn.Module):
    """`features`, `parts` → `disks`, `short`, `mid`, `long`."""

    def __init__(self, head: PersonLabHead) -> None:
        super().__init__()
        self.head = head

    def forward(self, features: Tensor, parts: Tensor) -> tuple[Tensor, ...]:
        """(b, 128, h, w) and (b, classes, h, w) → maps (b, channels, h, w), probabilities and px."""
        return shown(self.head(torch.cat((features, parts), dim=1)))


def shown(maps: Maps) -> tuple[Tensor, ...]:
    """Disk probabilities and the raw vectors, in the order of the descriptions."""
    return maps["disks"].sigmoid(), maps["short"], maps["mid"], maps["long"]


def _by_vector(maps: Tensor) -> Tensor:
    """(b, 2·n, h, w) → (b, n, 2, h, w)."""
    b, channels, h, w = maps.shape
    return maps.view(b, channels // 2, 2, h, w)


def build_personlab(row: ZooRow) -> PersonLabNet:
    """The network of a row with a trunk of its own."""
    return PersonLabNet(JOINT_SETS[row.joints], row.activation)


def build_people(row: ZooRow) -> PeopleOnParser:
    """The network of a row on a parser."""
    return PeopleOnParser(JOINT_SETS[row.joints], PART_SETS[row.parts].classes, row.activation)
