"""VGG16's convolutions at stride 8: all thirteen (methods §6.5), or the first ten (methods §7.1)."""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn

VGG_FEATURES = 512
POOL = 0  #: in a list of channels: halve the size
TEN = (64, 64, POOL, 128, 128, POOL, 256, 256, 256, POOL, 512, 512, 512)
THIRTEEN = (*TEN, 512, 512, 512)


def vgg16_fcn() -> nn.Sequential:
    """conv1_1 to conv5_3 without the last two pools: (b, 3, h, w) → (b, 512, h/8, w/8)."""
    return _convolutions(THIRTEEN)


def vgg16_conv4() -> nn.Sequential:
    """conv1_1 to conv4_3: (b, 3, h, w) → (b, 512, h/8, w/8); 7 635 264 parameters."""
    return _convolutions(TEN)


def _convolutions(widths: Sequence[int]) -> nn.Sequential:
    layers: list[nn.Module] = []
    channels = 3
    for width in widths:
        if width == POOL:
            layers.append(nn.MaxPool2d(2, 2))
            continue
        layers += nn.Conv2d(channels, width, 3, padding=1), nn.ReLU()
        channels = width
    return nn.Sequential(*layers)
