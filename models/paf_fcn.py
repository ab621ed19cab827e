"""PAF+FCN: body parts, and everybody's joints and limbs, on one trunk (hard parameter sharing).

Stages of heat maps and part affinity fields as Cao et al. (CVPR 2017), beside a segmentation branch as Long
et al. (CVPR 2015) without skips. From the second stage on a stage sees what the one before it found, the
parts too.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from models.blocks import Bottleneck, activation, encoder, init_weights, norm, stage128
from models.factored import FEATURES, channels_first, normalise, precision, probabilities_and_labels
from models.families import Activation, ZooRow, early_name
from models.joints import HeatmapHead, without_person
from models.labels import PART_SETS, S31, from_s31
from models.network import Network
from models.outputs import AffinityFields, Heatmaps, PartProbabilities
from models.vgg import VGG_FEATURES, vgg16_conv4

Maps = dict[str, Tensor]
WIDE = 128  # channels of the pose branches
FCN_WIDTH = 4096


class PoseStage(nn.Module):
    """Layers that both branches share, none in the paper, and the branches."""

    def __init__(self, shared: nn.Sequential, branches: Sequence[nn.Sequential]) -> None:
        super().__init__()
        self.shared = shared
        self.heatmaps, self.fields = branches

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """(b, inputs, h, w) → heat maps with the background's, and affinity fields."""
        y = self.shared(x)
        return self.heatmaps(y), self.fields(y)


class PafFcn(Network):
    """Trunk, segmentation branch, and pose stages of which each later one also sees the maps before it."""

    def __init__(self, trunk: nn.Sequential, segmentation: nn.Module, stages: Sequence[PoseStage]) -> None:
        super().__init__()
        self.trunk, self.segmentation, self.pose = trunk, segmentation, nn.Sequential(*stages)
        init_weights(self)
        for stage in stages:
            for branch in (stage.heatmaps, stage.fields):
                last = [m for m in branch.modules() if isinstance(m, nn.Conv2d)][-1]
                nn.init.normal_(last.weight, std=0.01)

    def forward(self, x: Tensor) -> Maps:
        """Normalised images (b, 3, h, w) → maps by the names of the outputs; `parts` are logits.

        Those of earlier stages have `stage1_`, … before their names. Parts are on the segmentation branch's
        own grid, all others at stride 8.
        """
        features = self.trunk(x)
        maps: Maps = {PartProbabilities.type: self.segmentation(features)}
        seen = features
        for number, stage in enumerate(self.pose, start=1):
            heatmaps, fields = stage(seen)
            for name, given in ((Heatmaps.type, heatmaps), (AffinityFields.type, fields)):
                maps[name if number == len(self.pose) else early_name(number, name)] = given
            if number < len(self.pose):
                seen = torch.cat((heatmaps, fields, features, on_grid(maps["parts"], fields)), dim=1)
        return maps

    def stages(self) -> dict[str, nn.Module]:
        """The whole network."""
        return {"network": PafFcnStage(self).train(self.training)}

    def start(self, weights: dict[str, Tensor]) -> dict[str, Tensor]:
        """This network's weights with those of a `FactoredConvNet`, or of torchvision's VGG16."""
        own = self.state_dict()
        if "features.0.weight" in weights:
            return _of_vgg16(own, weights)
        if "head.concat.0.weight" not in weights:
            return weights
        started = without_person(weights)
        for place in ("segmentation", "pose.0.shared"):  # both start as the head of parts
            started |= {
                place + k.removeprefix("head"): v for k, v in started.items() if k.startswith("head.")
            }
        classes = own["segmentation.classify.bias"].shape[0]
        table = next(from_s31(s) for s in PART_SETS.values() if s.classes == classes)
        merge = torch.eye(classes)[torch.from_numpy(table[: S31.classes].astype("int64"))].T
        merge = merge / merge.sum(1, keepdim=True)  # the mean logit of the parts that become one
        for name in ("weight", "bias"):
            given = weights[f"head.classify.{name}"]
            started[f"segmentation.classify.{name}"] = (merge @ given.reshape(len(given), -1)).view(
                classes, *given.shape[1:]
            )
        return own | {k: v for k, v in started.items() if k in own}


class PafFcnStage(nn.Module):
    """`image` → `parts`, `labels`, `heatmaps`, `affinity_fields`."""

    def __init__(self, network: PafFcn) -> None:
        super().__init__()
        self.network = network

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        """(b, h, w, 3) uint8 RGB → maps (b, channels, h/8, w/8) and labels (b, h/8, w/8) uint8."""
        return parts_and_limbs(self.network(normalise(channels_first(image, precision(self)))))


def parts_and_limbs(maps: Maps) -> tuple[Tensor, ...]:
    """The outputs in the order of their descriptions: of the last stage, heat maps held to 0..1."""
    fields = maps[AffinityFields.type]
    parts = probabilities_and_labels(on_grid(maps[PartProbabilities.type], fields))
    return (*parts, maps[Heatmaps.type].clamp(0, 1), fields)


def on_grid(maps: Tensor, like: Tensor) -> Tensor:
    """Maps brought to the cells of others bilinearly."""
    if maps.shape[2:] == like.shape[2:]:
        return maps
    return interpolate(maps, size=like.shape[2:], mode="bilinear", align_corners=False)


def _branch(inputs: int, kernels: Sequence[int], wide: int, outputs: int) -> nn.Sequential:
    """Convolutions of 128 channels with these kernels, a 1x1 of `wide`, and the last one."""
    layers: list[nn.Module] = []
    for k in kernels:
        layers += nn.Conv2d(inputs, WIDE, k, padding=k // 2), nn.ReLU()
        inputs = WIDE
    return nn.Sequential(*layers, nn.Conv2d(inputs, wide, 1), nn.ReLU(), nn.Conv2d(wide, outputs, 1))


def _tower(inputs: int, stage: nn.Sequential, act: Activation) -> nn.Sequential:
    """A projection to 128 channels, and bottlenecks, by the names of a parser's head."""
    project = nn.Conv2d(inputs, FEATURES, 1, bias=False), norm(FEATURES), activation(act, FEATURES)
    return nn.Sequential(OrderedDict(project=nn.Sequential(*project), stage=stage))


def _later_stage(act: Activation) -> nn.Sequential:
    """The field of five 7x7 convolutions, 31 cells wide, with a fortieth of their 4 million weights.

    Five such convolutions for each branch of a stage have eight times the arithmetic of all the rest.
    """
    b = FEATURES
    return nn.Sequential(
        Bottleneck(b, b, "dilated", act=act, dilation=2),
        Bottleneck(b, b, "asymmetric", act=act),
        Bottleneck(b, b, "dilated", act=act, dilation=4),
        Bottleneck(b, b, "asymmetric", act=act),
        Bottleneck(b, b, "dilated", act=act, dilation=4),
        Bottleneck(b, b, "regular", act=act),
    )


def build_small(row: ZooRow) -> PafFcn:
    """The network of a row on the trunk of the Factored ConvNet; branches share all but their ends."""
    act, classes, outputs = (
        row.activation,
        row.part_set.classes,
        [o.channels for o in row.stages[0].outputs[2:]],
    )
    before = sum(outputs) + FEATURES + classes
    stages = [
        PoseStage(
            _tower(before, _later_stage(act), act) if i else _tower(FEATURES, stage128(act), act),
            [_branch(FEATURES, (), WIDE, n) for n in outputs],
        )
        for i in range(row.pose_stages)
    ]
    return PafFcn(nn.Sequential(*encoder(act), stage128(act)), HeatmapHead(classes, act), stages)


def build_vgg16(row: ZooRow) -> PafFcn:
    """The paper's network: the first ten layers of VGG16, FCN-32s, and branches of their own."""
    classes, outputs = row.part_set.classes, [o.channels for o in row.stages[0].outputs[2:]]
    before = sum(outputs) + VGG_FEATURES + classes
    stages = [PoseStage(nn.Sequential(), [_branch(VGG_FEATURES, (3, 3, 3), 512, n) for n in outputs])]
    stages += [
        PoseStage(nn.Sequential(), [_branch(before, (7,) * 5, WIDE, n) for n in outputs])
        for _ in range(row.pose_stages - 1)
    ]
    return PafFcn(vgg16_conv4(), _fcn32(classes), stages)


def _fcn32(classes: int) -> nn.Sequential:
    """VGG16 from its fourth pool on, its dense layers as convolutions: logits at stride 32."""
    deep: list[nn.Module] = [nn.MaxPool2d(2, 2)]
    for _ in range(3):
        deep += nn.Conv2d(VGG_FEATURES, VGG_FEATURES, 3, padding=1), nn.ReLU()
    dense = nn.Conv2d(VGG_FEATURES, FCN_WIDTH, 7, padding=3), nn.Conv2d(FCN_WIDTH, FCN_WIDTH, 1)
    return nn.Sequential(
        *deep, nn.MaxPool2d(2, 2), dense[0], nn.ReLU(), nn.Dropout2d(), dense[1], nn.ReLU(), nn.Dropout2d(),
        nn.Conv2d(FCN_WIDTH, classes, 1),
    )  # fmt: skip


def _of_vgg16(own: dict[str, Tensor], weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """ImageNet's layers, by torchvision's names: ten in the trunk, the others in the segmentation branch."""
    places = {f"features.{i}": f"trunk.{i}" for i in range(23)}
    places |= {
        "features.24": "segmentation.1",
        "features.26": "segmentation.3",
        "features.28": "segmentation.5",
    }
    places |= {"classifier.0": "segmentation.8", "classifier.3": "segmentation.11"}
    found = {}
    for theirs, ours in places.items():
        for kind in ("weight", "bias"):
            if f"{theirs}.{kind}" in weights:
                found[f"{ours}.{kind}"] = weights[f"{theirs}.{kind}"].reshape(own[f"{ours}.{kind}"].shape)
    return own | found
