"""Networks with random weights, for their time alone; Fast-SCNN by Poudel et al. 2019, Table 1."""

from __future__ import annotations

import logging
import warnings

import torch
from torch import Tensor, nn
from torch.nn import functional

from export.parity import session
from runtime.engine.onnx import ort


def timed_session(network: nn.Module, size: tuple[int, int]) -> ort.InferenceSession:
    """The network for one RGB picture of (width, height) px on one thread of ONNX Runtime."""
    logging.getLogger("torch.onnx._internal.exporter._registration").setLevel(logging.ERROR)
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # of the exporter
        picture = torch.zeros(1, 3, size[1], size[0])
        program = torch.onnx.export(network.eval(), (picture,), dynamo=True, verbose=False)
    assert program is not None
    return session(program.model_proto.SerializeToString())


def _conv(inside: int, outside: int, kernel: int = 3, stride: int = 1, groups: int = 1) -> nn.Sequential:
    layer = nn.Conv2d(inside, outside, kernel, stride, kernel // 2, groups=groups, bias=False)
    return nn.Sequential(layer, nn.BatchNorm2d(outside), nn.ReLU())


def _separable(inside: int, outside: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(_conv(inside, inside, 3, stride, inside), _conv(inside, outside, 1))


class InvertedBottleneck(nn.Module):
    """Expansion by 6, depthwise, projection; a residual where shapes allow."""

    def __init__(self, inside: int, outside: int, stride: int) -> None:
        super().__init__()
        wide = 6 * inside
        project = nn.Conv2d(wide, outside, 1), nn.BatchNorm2d(outside)
        self.layers = nn.Sequential(_conv(inside, wide, 1), _conv(wide, wide, 3, stride, wide), *project)
        self.residual = stride == 1 and inside == outside

    def forward(self, x: Tensor) -> Tensor:
        """(b, inside, h, w) → (b, outside, h / stride, w / stride)."""
        y: Tensor = self.layers(x)
        return x + y if self.residual else y


class FastSCNN(nn.Module):
    """Logits at 1/8 of an RGB picture (b, 3, h, w)."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.down = nn.Sequential(_conv(3, 32, 3, 2), _separable(32, 48, 2), _separable(48, 64, 2))
        widths = [64, 64, 64, 64, 96, 96, 96, 128, 128, 128]
        strides = [2, 1, 1, 2, 1, 1, 1, 1, 1]
        blocks = zip(widths, widths[1:], strides, strict=False)
        self.coarse = nn.Sequential(*(InvertedBottleneck(*b) for b in blocks))
        self.pooled = nn.ModuleList(_conv(128, 32, 1) for _ in range(4))
        self.join = _conv(256, 128, 1)
        self.lift = nn.Sequential(_conv(128, 128, 3, 1, 128), nn.Conv2d(128, 128, 1))
        self.skip = nn.Conv2d(64, 128, 1)
        self.classify = nn.Sequential(*(_separable(128, 128) for _ in range(2)), nn.Conv2d(128, classes, 1))

    def forward(self, x: Tensor) -> Tensor:
        """Learning to down-sample, global features with pyramid pooling, fusion, classifier."""
        fine = self.down(x)
        y = self.coarse(fine)
        bins = zip(self.pooled, (1, 2, 3, 6), strict=True)
        pooled = [reduce(functional.adaptive_avg_pool2d(y, b)) for reduce, b in bins]
        wide = [functional.interpolate(p, y.shape[2:], mode="bilinear") for p in pooled]
        y = self.join(torch.cat((y, *wide), 1))
        y = functional.interpolate(self.lift(y), fine.shape[2:], mode="bilinear")
        logits: Tensor = self.classify(functional.relu(self.skip(fine) + y))
        return logits
