"""Blocks in forms that run faster once exported, equal up to rounding; folding is computed in float64."""

from __future__ import annotations

from copy import deepcopy

import torch
from torch import Tensor, nn

from export.stages import ExportError
from models.blocks import Bottleneck, Initial
from models.factored import INPUT_STD
from models.parameter_adapter import BlockDiagonalDepthwise, PerSampleDepthwise

PIXEL_SCALE = 1 / (255 * INPUT_STD)  # folded into the first weights


class FastInitial(nn.Module):
    """The initial block as a sum of two 16-channel branches instead of a concatenation of 13 + 3."""

    def __init__(self, block: Initial, pixel_scale: float = PIXEL_SCALE) -> None:
        super().__init__()
        scale, shift = _affine(block.norm)
        weight, bias = weight_and_bias(block.conv)
        n = len(weight)
        wide = torch.zeros(len(scale), *weight.shape[1:], dtype=torch.float64)
        wide[:n] = weight * scale[:n, None, None, None] * pixel_scale
        wide_bias = shift.clone()
        wide_bias[:n] += bias * scale[:n]
        self.conv = conv_of(wide, wide_bias, like=block.conv)
        pooled = torch.zeros(len(scale), 3, 1, 1, dtype=torch.float64)
        pooled[torch.arange(n, len(scale)), torch.arange(3)] = scale[n:, None, None] * pixel_scale
        self.from_pool = conv_of(pooled, None)
        self.pool = block.pool
        self.act = fast_activation(block.act)

    def forward(self, x: Tensor) -> Tensor:
        """Centred pixels (b, 3, h, w), rgb − 127.5 → (b, 16, h/2, w/2)."""
        y: Tensor = self.act(self.conv(x) + self.from_pool(self.pool(x)))
        return y


class FastBottleneck(nn.Module):
    """A bottleneck with its norms folded, and the channel padding of its skip as a 1x1 convolution [I; 0]."""

    def __init__(self, block: Bottleneck) -> None:
        super().__init__()
        self.project = fast_sequence(block.project)
        self.main = fast_sequence(block.main)
        self.expand = fast_sequence(block.expand)
        self.skip: nn.Module = nn.Identity()
        if block.pool is not None:
            (channels,) = _affine(block.expand[1])[0].shape
            pad = torch.eye(channels, channels - block.padding_channels, dtype=torch.float64)
            self.skip = nn.Sequential(block.pool, conv_of(pad[:, :, None, None], None))
        self.act = fast_activation(block.act)

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


def composed(stage: nn.Module) -> nn.Module:
    """A copy of a stage with all its blocks in their fast forms, for networks that branch."""
    return _fast(deepcopy(stage))


def _fast(module: nn.Module) -> nn.Module:
    match module:
        case Initial():
            return FastInitial(module, pixel_scale=1.0)  # it is shown normalised pixels
        case Bottleneck():
            return FastBottleneck(module)
        case PerSampleDepthwise():
            return BlockDiagonalDepthwise()
        case nn.PReLU():
            return DepthwisePReLU(module)
    for name, child in list(module.named_children()):
        setattr(module, name, _fast(child))
    if not isinstance(module, nn.Sequential):
        return module
    layers: list[nn.Module] = []
    for layer in module:
        before = layers[-1] if layers else None
        if isinstance(layer, nn.BatchNorm2d) and isinstance(before, nn.Conv2d):
            layers[-1] = conv_of(*folded(before, layer), like=before)
        elif isinstance(layer, nn.BatchNorm2d):  # in the blocked layout as a convolution
            layers.append(_depthwise(*_affine(layer)))
        else:
            layers.append(layer)
    return nn.Sequential(*layers)


def fast_sequence(modules: nn.Sequential) -> nn.Sequential:
    """Each module in its fast form; a convolution followed by a norm becomes one convolution."""
    out: list[nn.Module] = []
    for m in modules:
        match m:
            case nn.BatchNorm2d():
                convolution = out.pop()
                out.append(conv_of(*folded(convolution, m), like=convolution))
            case nn.Sequential():
                out.append(fast_sequence(m))
            case Initial():
                out.append(FastInitial(m))
            case Bottleneck():
                out.append(FastBottleneck(m))
            case nn.Conv2d():
                out.append(m)
            case _:
                out.append(fast_activation(m))
    return nn.Sequential(*out)


def fast_activation(act: nn.Module) -> nn.Module:
    """An activation in its fast form.

    Raises:
        ExportError: none is known.
    """
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


def weight_and_bias(conv: nn.Conv2d) -> tuple[Tensor, Tensor]:
    """Weight and bias in float64; zeros where there is none."""
    weight = conv.weight.detach().double()
    return weight, torch.zeros(len(weight)).double() if conv.bias is None else conv.bias.detach().double()


def folded(conv: nn.Module, bn: nn.Module) -> tuple[Tensor, Tensor]:
    """Weight and bias of a convolution and the norm behind it, as one.

    Raises:
        ExportError: they are no such pair.
    """
    if not isinstance(conv, nn.Conv2d):
        raise ExportError("a batch norm stands behind no convolution: it cannot be folded")
    scale, shift = _affine(bn)
    weight, bias = weight_and_bias(conv)
    return weight * scale[:, None, None, None], bias * scale + shift


def conv_of(weight: Tensor, bias: Tensor | None, *, like: nn.Module | None = None) -> nn.Conv2d:
    """A convolution with these weights (out, in, kh, kw), its geometry taken from `like`."""
    co, ci, kh, kw = weight.shape
    geometry = {} if like is None else {k: getattr(like, k) for k in ("stride", "padding", "dilation")}
    conv = nn.Conv2d(ci, co, (kh, kw), bias=bias is not None, **geometry)
    with torch.no_grad():
        conv.weight.copy_(weight)
        if bias is not None and conv.bias is not None:
            conv.bias.copy_(bias)
    return conv


def _depthwise(scale: Tensor, shift: Tensor | None = None) -> nn.Conv2d:
    n = len(scale)
    conv = nn.Conv2d(n, n, 1, groups=n, bias=shift is not None)
    with torch.no_grad():
        conv.weight.copy_(scale[:, None, None, None])
        if conv.bias is not None and shift is not None:
            conv.bias.copy_(shift)
    return conv
