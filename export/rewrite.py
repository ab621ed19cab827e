"""Exact rewrites that halve the time of a graph on a CPU; the function is unchanged up to rounding.

ONNX Runtime runs convolutions in a blocked channel layout and leaves it at a Pad, at a concatenation of odd
width, at a per-channel PRelu, and at an Add of which one side is outside. Each rewrite keeps one such place
inside (performance measurements: reference/performance.md §3). Folding is computed in float64.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import torch
from torch import Tensor, nn

from export.fast_blocks import composed, conv_of, fast_activation, fast_sequence, folded, weight_and_bias
from models.factored import (
    FEATURES,
    INPUT_MEAN,
    FactorStage,
    Head,
    HeadStage,
    NetworkStage,
    TrunkStage,
    channels_first,
)
from models.gpn import CentresStage
from models.joints import HeatmapHead, HeatmapStage
from models.paf_fcn import PafFcnStage, PoseStage, parts_and_limbs
from models.personlab import PeopleStage, PersonLabNet, PersonLabStage, in_pixels, shown
from models.personlab_resnet import IMAGENET_MEAN, IMAGENET_STD, PersonLabResNet, PersonLabResNetStage
from models.pil import PartsAndJointsStage

PIXEL_CENTRE = 255 * INPUT_MEAN  # subtracted first, so that zero padding stays zero padding


def rewrite(stage: nn.Module) -> nn.Module:
    """A module equal to `stage` (in eval mode) that runs about twice as fast once exported.

    A type without a row in `REWRITES` is exported as it is.
    """
    make = REWRITES.get(type(stage))
    return stage if make is None else make(stage).eval()


class FastTrunk(nn.Module):
    """Image → features, the input scale folded into the first weights."""

    def __init__(self, stage: TrunkStage) -> None:
        super().__init__()
        self.blocks = fast_sequence(stage.trunk)

    def forward(self, image: Tensor) -> Tensor:
        """(b, h, w, 3) uint8 → (b, 128, h/8, w/8)."""
        features: Tensor = self.blocks(channels_first(image) - PIXEL_CENTRE)
        return features


class FastFactor(nn.Module):
    """Features → P(person): the softmax of two logits is the sigmoid of their difference."""

    def __init__(self, stage: FactorStage) -> None:
        super().__init__()
        factor = stage.factor
        self.enter = nn.MaxPool2d(
            1
        )  # changes nothing, but all that follow share one reordered copy of the features
        self.blocks = fast_sequence(factor.stage)
        weight, bias = weight_and_bias(factor.classify)
        self.classify = conv_of(weight[1:] - weight[:1], bias[1:] - bias[:1])

    def forward(self, features: Tensor) -> Tensor:
        """(b, 128, h, w) → (b, 1, h, w)."""
        return torch.sigmoid(self.classify(self.blocks(self.enter(features))))


class FastHead(nn.Module):
    """Features and P(person) → probabilities and labels, without the concatenation of 128 + 2 channels."""

    def __init__(self, stage: HeadStage) -> None:
        super().__init__()
        head = stage.head
        assert isinstance(head, Head)  # a plain one is exported as it is
        project, project_norm, act = head.concat
        weight, bias = folded(project, project_norm)
        foreground, background = weight[:, FEATURES : FEATURES + 1], weight[:, FEATURES + 1 :]
        # W·(F, p, 1−p) + b  =  W_F·F  +  (w_fg − w_bg)·p  +  (b + w_bg)
        self.from_features = conv_of(weight[:, :FEATURES], None)
        self.from_person = conv_of(foreground - background, bias + background.flatten())
        self.act = fast_activation(act)
        self.blocks = fast_sequence(head.stage)
        self.classify = head.classify

    def forward(self, features: Tensor, person: Tensor) -> tuple[Tensor, Tensor]:
        """(b, 128, h, w) and (b, 1, h, w) → (b, classes, h, w) and (b, h, w) uint8."""
        joined = self.act(self.from_features(features) + self.from_person(person))
        return _softmax_and_labels(self.classify(self.blocks(joined)))


class FastNetwork(nn.Module):
    """Image → probabilities and labels, for the networks without a factor."""

    def __init__(self, stage: NetworkStage) -> None:
        super().__init__()
        self.blocks = fast_sequence(stage.network.net)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """(b, h, w, 3) uint8 → (b, classes, h/8, w/8) and (b, h/8, w/8) uint8."""
        return _softmax_and_labels(self.blocks(channels_first(image) - PIXEL_CENTRE))


class FastHeatmaps(nn.Module):
    """Image → probabilities of joints."""

    def __init__(self, stage: HeatmapStage) -> None:
        super().__init__()
        head = stage.network.head
        layers = (*stage.network.trunk, *head.project, head.stage, head.classify)
        self.blocks = fast_sequence(nn.Sequential(*layers))

    def forward(self, image: Tensor) -> Tensor:
        """(b, h, w, 3) uint8 → (b, joints, h/8, w/8)."""
        return torch.sigmoid(self.blocks(channels_first(image) - PIXEL_CENTRE))


class FastPersonLab(nn.Module):
    """Image → everybody's joints and the silhouette of all."""

    def __init__(self, stage: PersonLabStage) -> None:
        super().__init__()
        network = stage.network
        assert isinstance(network, PersonLabNet)
        self.blocks = fast_sequence(nn.Sequential(*network.trunk, *network.head.project, network.head.stage))
        self.maps = network.head.maps

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        """(b, h, w, 3) uint8 → as `PersonLabStage`."""
        maps = in_pixels(self.maps, self.blocks(channels_first(image) - PIXEL_CENTRE))
        return (*shown(maps), maps["person"].sigmoid())


class FastPersonLabResNet(nn.Module):
    """Image → as `FastPersonLab`; the norms and the input scale folded into a copy's weights."""

    mean: Tensor

    def __init__(self, stage: PersonLabResNetStage) -> None:
        super().__init__()
        network = stage.network
        assert isinstance(network, PersonLabResNet)
        self.maps, self.backbone = network.maps, deepcopy(network.backbone)
        for module in list(self.backbone.modules()):
            for convolution in [n for n, _ in module.named_children() if n.startswith("conv")]:
                norm = convolution.replace("conv", "bn")
                pair = nn.Sequential(getattr(module, convolution), getattr(module, norm))
                setattr(module, convolution, fast_sequence(pair)[0])
                setattr(module, norm, nn.Identity())
            if isinstance(shortcut := getattr(module, "downsample", None), nn.Sequential):
                module.add_module("downsample", fast_sequence(shortcut))
        first = self.backbone.conv1
        scale = 1 / (255 * torch.tensor(IMAGENET_STD, dtype=torch.float64))
        weight, bias = weight_and_bias(first)
        self.backbone.conv1 = conv_of(weight * scale[:, None, None], bias, like=first)
        self.register_buffer("mean", 255 * torch.tensor(IMAGENET_MEAN)[:, None, None])

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        """(b, h, w, 3) uint8 → as `PersonLabStage`."""
        maps = in_pixels(self.maps, self.backbone(channels_first(image) - self.mean)[1])
        return (*shown(maps), maps["person"].sigmoid())


class FastPeople(nn.Module):
    """Features and parts → everybody's joints, without the concatenation of both."""

    def __init__(self, stage: PeopleStage) -> None:
        super().__init__()
        head = stage.head
        project, project_norm, act = head.project
        weight, bias = folded(project, project_norm)
        self.from_features = conv_of(weight[:, :FEATURES], bias)
        self.from_parts = conv_of(weight[:, FEATURES:], None)
        self.act, self.blocks = fast_activation(act), fast_sequence(head.stage)
        self.maps = head.maps

    def forward(self, features: Tensor, parts: Tensor) -> tuple[Tensor, ...]:
        """(b, 128, h, w) and (b, classes, h, w) → as `PeopleStage`."""
        joined = self.act(self.from_features(features) + self.from_parts(parts))
        return shown(in_pixels(self.maps, self.blocks(joined)))


class FastPafFcn(nn.Module):
    """Image → parts, labels, and everybody's heat maps and affinity fields, of the small network."""

    def __init__(self, stage: PafFcnStage) -> None:
        super().__init__()
        self.network = deepcopy(stage.network)
        head = self.network.segmentation
        assert isinstance(head, HeatmapHead)
        self.network.trunk = fast_sequence(self.network.trunk)
        self.network.segmentation = fast_sequence(nn.Sequential(*head.project, head.stage, head.classify))
        for pose in self.network.pose:
            assert isinstance(pose, PoseStage)
            pose.shared = fast_sequence(pose.shared)

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        """(b, h, w, 3) uint8 → maps (b, channels, h/8, w/8) and labels (b, h/8, w/8) uint8."""
        return parts_and_limbs(self.network(channels_first(image) - PIXEL_CENTRE))


def _fast_paf_fcn(stage: PafFcnStage) -> nn.Module:
    """Of VGG16 there is nothing to fold."""
    return FastPafFcn(stage) if isinstance(stage.network.segmentation, HeatmapHead) else stage


def _softmax_and_labels(logits: Tensor) -> tuple[Tensor, Tensor]:
    """Softmax over the channels in single steps: the fused operator transposes twice to do it."""
    e = torch.exp(logits - logits.amax(dim=1, keepdim=True))
    parts = e / e.sum(dim=1, keepdim=True)
    return parts, parts.argmax(dim=1).to(torch.uint8)


REWRITES: dict[type[nn.Module], Callable[[Any], nn.Module]] = {
    TrunkStage: FastTrunk,
    FactorStage: FastFactor,
    HeadStage: FastHead,
    NetworkStage: FastNetwork,
    HeatmapStage: FastHeatmaps,
    PersonLabStage: FastPersonLab,
    PersonLabResNetStage: FastPersonLabResNet,
    PeopleStage: FastPeople,
    PartsAndJointsStage: composed,
    CentresStage: composed,
    PafFcnStage: _fast_paf_fcn,
}
