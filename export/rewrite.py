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

from export.stages import ExportError
from models.blocks import Bottleneck, Initial
from models.factored import (
    FEATURES,
    INPUT_MEAN,
    INPUT_STD,
    FactorStage,
    HeadStage,
    NetworkStage,
    TrunkStage,
    channels_first,
)
from models.joints import HeatmapStage
from models.personlab import PeopleStage, PersonLabNet, PersonLabStage, in_pixels, shown
from models.personlab_resnet import IMAGENET_MEAN, IMAGENET_STD, PersonLabResNet, PersonLabResNetStage

PIXEL_CENTRE = 255 * INPUT_MEAN  # subtracted first, so that zero padding stays zero padding
PIXEL_SCALE = 1 / (255 * INPUT_STD)  # folded into the first weights


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
        self.blocks = _fast_sequence(stage.trunk)

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
        self.blocks = _fast_sequence(factor.stage)
        weight, bias = _weight_and_bias(factor.classify)
        self.classify = _conv(weight[1:] - weight[:1], bias[1:] - bias[:1])

    def forward(self, features: Tensor) -> Tensor:
        """(b, 128, h, w) → (b, 1, h, w)."""
        return torch.sigmoid(self.classify(self.blocks(self.enter(features))))


class FastHead(nn.Module):
    """Features and P(person) → probabilities and labels, without the concatenation of 128 + 2 channels."""

    def __init__(self, stage: HeadStage) -> None:
        super().__init__()
        head = stage.head
        project, project_norm, act = head.concat
        weight, bias = _folded(project, project_norm)
        foreground, background = weight[:, FEATURES : FEATURES + 1], weight[:, FEATURES + 1 :]
        # W·(F, p, 1−p) + b  =  W_F·F  +  (w_fg − w_bg)·p  +  (b + w_bg)
        self.from_features = _conv(weight[:, :FEATURES], None)
        self.from_person = _conv(foreground - background, bias + background.flatten())
        self.act = _fast_activation(act)
        self.blocks = _fast_sequence(head.stage)
        self.classify = head.classify

    def forward(self, features: Tensor, person: Tensor) -> tuple[Tensor, Tensor]:
        """(b, 128, h, w) and (b, 1, h, w) → (b, classes, h, w) and (b, h, w) uint8."""
        joined = self.act(self.from_features(features) + self.from_person(person))
        return _softmax_and_labels(self.classify(self.blocks(joined)))


class FastNetwork(nn.Module):
    """Image → probabilities and labels, for the networks without a factor."""

    def __init__(self, stage: NetworkStage) -> None:
        super().__init__()
        self.blocks = _fast_sequence(stage.network.net)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """(b, h, w, 3) uint8 → (b, classes, h/8, w/8) and (b, h/8, w/8) uint8."""
        return _softmax_and_labels(self.blocks(channels_first(image) - PIXEL_CENTRE))


class FastHeatmaps(nn.Module):
    """Image → probabilities of joints."""

    def __init__(self, stage: HeatmapStage) -> None:
        super().__init__()
        head = stage.network.head
        layers = (*stage.network.trunk, *head.project, head.stage, head.classify)
        self.blocks = _fast_sequence(nn.Sequential(*layers))

    def forward(self, image: Tensor) -> Tensor:
        """(b, h, w, 3) uint8 → (b, joints, h/8, w/8)."""
        return torch.sigmoid(self.blocks(channels_first(image) - PIXEL_CENTRE))


class FastPersonLab(nn.Module):
    """Image → everybody's joints and the silhouette of all."""

    def __init__(self, stage: PersonLabStage) -> None:
        super().__init__()
        network = stage.network
        assert isinstance(network, PersonLabNet)
        self.blocks = _fast_sequence(nn.Sequential(*network.trunk, *network.head.project, network.head.stage))
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
                setattr(module, convolution, _fast_sequence(pair)[0])
                setattr(module, norm, nn.Identity())
            if isinstance(shortcut := getattr(module, "downsample", None), nn.Sequential):
                module.add_module("downsample", _fast_sequence(shortcut))
        first = self.backbone.conv1
        scale = 1 / (255 * torch.tensor(IMAGENET_STD, dtype=torch.float64))
        weight, bias = _weight_and_bias(first)
        self.backbone.conv1 = _conv(weight * scale[:, None, None], bias, like=first)
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
        weight, bias = _folded(project, project_norm)
        self.from_features = _conv(weight[:, :FEATURES], bias)
        self.from_parts = _conv(weight[:, FEATURES:], None)
        self.act, self.blocks = _fast_activation(act), _fast_sequence(head.stage)
        self.maps = head.maps

    def forward(self, features: Tensor, parts: Tensor) -> tuple[Tensor, ...]:
        """(b, 128, h, w) and (b, classes, h, w) → as `PeopleStage`."""
        joined = self.act(self.from_features(features) + self.from_parts(parts))
        return shown(in_pixels(self.maps, self.blocks(joined)))


class FastInitial(nn.Module):
    """The initial block as a sum of two 16-channel branches instead of a concatenation of 13 + 3."""

    def __init__(self, block: Initial) -> None:
        super().__init__()
        scale, shift = _affine(block.norm)
        weight, bias = _weight_and_bias(block.conv)
        n = len(weight)
        wide = torch.zeros(len(scale), *weight.shape[1:], dtype=torch.float64)
        wide[:n] = weight * scale[:n, None, None, None] * PIXEL_SCALE
        wide_bias = shift.clone()
        wide_bias[:n] += bias * scale[:n]
        self.conv = _conv(wide, wide_bias, like=block.conv)
        pooled = torch.zeros(len(scale), 3, 1, 1, dtype=torch.float64)
        pooled[torch.arange(n, len(scale)), torch.arange(3)] = scale[n:, None, None] * PIXEL_SCALE
        self.from_pool = _conv(pooled, None)
        self.pool = block.pool
        self.act = _fast_activation(block.act)

    def forward(self, x: Tensor) -> Tensor:
        """Centred pixels (b, 3, h, w), rgb − 127.5 → (b, 16, h/2, w/2)."""
        y: Tensor = self.act(self.conv(x) + self.from_pool(self.pool(x)))
        return y


class FastBottleneck(nn.Module):
    """A bottleneck with its norms folded, and the channel padding of its skip as a 1x1 convolution [I; 0]."""

    def __init__(self, block: Bottleneck) -> None:
        super().__init__()
        self.project = _fast_sequence(block.project)
        self.main = _fast_sequence(block.main)
        self.expand = _fast_sequence(block.expand)
        self.skip: nn.Module = nn.Identity()
        if block.pool is not None:
            (channels,) = _affine(block.expand[1])[0].shape
            pad = torch.eye(channels, channels - block.padding_channels, dtype=torch.float64)
            self.skip = nn.Sequential(block.pool, _conv(pad[:, :, None, None], None))
        self.act = _fast_activation(block.act)

    def forward(self, x: Tensor) -> Tensor:
        """(b, ci, h, w) → (b, co, h, w), at half size for `down`."""
        y: Tensor = self.act(self.expand(self.main(self.project(x))) + self.skip(x))
        return y


class DepthwisePReLU(nn.Module):
    """PReLU with a slope a per channel as a·x + (1 − a)·relu(x): two depthwise convolutions."""

    def __init__(self, prelu: nn.PReLU) -> None:
        super().__init__()
        slope = prelu.weight.detach().double()
        self.linear = _depthwise(slope)
        self.rectified = _depthwise(1 - slope)

    def forward(self, x: Tensor) -> Tensor:
        """Any (b, c, h, w)."""
        y: Tensor = self.linear(x) + self.rectified(torch.relu(x))
        return y


def _softmax_and_labels(logits: Tensor) -> tuple[Tensor, Tensor]:
    """Softmax over the channels in single steps: the fused operator transposes twice to do it."""
    e = torch.exp(logits - logits.amax(dim=1, keepdim=True))
    parts = e / e.sum(dim=1, keepdim=True)
    return parts, parts.argmax(dim=1).to(torch.uint8)


def _fast_sequence(modules: nn.Sequential) -> nn.Sequential:
    """Each module in its fast form; a convolution followed by a norm becomes one convolution."""
    out: list[nn.Module] = []
    for m in modules:
        match m:
            case nn.BatchNorm2d():
                convolution = out.pop()
                out.append(_conv(*_folded(convolution, m), like=convolution))
            case nn.Sequential():
                out.append(_fast_sequence(m))
            case Initial():
                out.append(FastInitial(m))
            case Bottleneck():
                out.append(FastBottleneck(m))
            case nn.Conv2d():
                out.append(m)
            case _:
                out.append(_fast_activation(m))
    return nn.Sequential(*out)


def _fast_activation(act: nn.Module) -> nn.Module:
    if isinstance(act, nn.PReLU):
        return DepthwisePReLU(act)
    if isinstance(act, nn.ReLU):
        return nn.ReLU()
    raise ExportError(f"{type(act).__name__}: no exact rewrite is known for it. Export it as it is")


def _affine(bn: nn.Module) -> tuple[Tensor, Tensor]:
    """The scale and shift (channels,) that a batch norm applies in eval mode."""
    if not isinstance(bn, nn.BatchNorm2d) or bn.running_mean is None or bn.running_var is None:
        raise ExportError("a batch norm without running statistics cannot be folded")
    scale = bn.weight.detach().double() / torch.sqrt(bn.running_var.double() + bn.eps)
    return scale, bn.bias.detach().double() - bn.running_mean.double() * scale


def _weight_and_bias(conv: nn.Conv2d) -> tuple[Tensor, Tensor]:
    weight = conv.weight.detach().double()
    return weight, torch.zeros(len(weight)).double() if conv.bias is None else conv.bias.detach().double()


def _folded(conv: nn.Module, bn: nn.Module) -> tuple[Tensor, Tensor]:
    if not isinstance(conv, nn.Conv2d):
        raise ExportError("a batch norm stands behind no convolution: it cannot be folded")
    scale, shift = _affine(bn)
    weight, bias = _weight_and_bias(conv)
    return weight * scale[:, None, None, None], bias * scale + shift


def _conv(weight: Tensor, bias: Tensor | None, *, like: nn.Module | None = None) -> nn.Conv2d:
    """A convolution with these weights (out, in, kh, kw), its geometry taken from `like`."""
    co, ci, kh, kw = weight.shape
    geometry = {} if like is None else {k: getattr(like, k) for k in ("stride", "padding", "dilation")}
    conv = nn.Conv2d(ci, co, (kh, kw), bias=bias is not None, **geometry)
    with torch.no_grad():
        conv.weight.copy_(weight)
        if bias is not None and conv.bias is not None:
            conv.bias.copy_(bias)
    return conv


def _depthwise(scale: Tensor) -> nn.Conv2d:
    n = len(scale)
    conv = nn.Conv2d(n, n, 1, groups=n, bias=False)
    with torch.no_grad():
        conv.weight.copy_(scale[:, None, None, None])
    return conv


REWRITES: dict[type[nn.Module], Callable[[Any], nn.Module]] = {
    TrunkStage: FastTrunk,
    FactorStage: FastFactor,
    HeadStage: FastHead,
    NetworkStage: FastNetwork,
    HeatmapStage: FastHeatmaps,
    PersonLabStage: FastPersonLab,
    PersonLabResNetStage: FastPersonLabResNet,
    PeopleStage: FastPeople,
}
