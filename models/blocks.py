"""ENet building blocks, read off the ENet authors' layer tables (methods §1.2)."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

from models.families import Activation

Kind = Literal["regular", "dilated", "asymmetric", "down"]
BN_EPS = 1e-3
ASYMMETRIC_KERNEL = 5


def activation(kind: Activation, channels: int) -> nn.Module:
    """PReLU with one slope per channel (paper) or ReLU (half the time on a CPU)."""
    return nn.PReLU(channels, init=0.25) if kind == "prelu" else nn.ReLU()


def norm(channels: int) -> nn.BatchNorm2d:
    """Batch normalisation with ENet's epsilon."""
    return nn.BatchNorm2d(channels, eps=BN_EPS)


class Initial(nn.Module):
    """3 → 16 channels at half size: a strided convolution beside a max-pool, concatenated."""

    def __init__(self, act: Activation) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 13, 3, stride=2, padding=1)
        self.pool = nn.MaxPool2d(2, 2)
        self.norm = norm(16)
        self.act = activation(act, 16)

    def forward(self, x: Tensor) -> Tensor:
        """(b, 3, h, w) → (b, 16, h/2, w/2); h and w even."""
        y: Tensor = self.act(self.norm(torch.cat((self.conv(x), self.pool(x)), dim=1)))
        return y


class Bottleneck(nn.Module):
    """ENet bottleneck: project, convolve, expand, add to the skip branch.

    Raises:
        ValueError: for an unknown kind, or `down` absent where channels are added.
    """

    def __init__(
        self, ci: int, co: int, kind: Kind, *, act: Activation, dilation: int = 1, dropout: float = 0.1
    ) -> None:
        super().__init__()
        if ci < co and kind != "down":
            raise ValueError(f"a {kind} bottleneck keeps its channels, got {ci} → {co}")
        m = co // 4
        self.padding_channels = co - ci
        self.project = nn.Sequential(
            nn.Conv2d(ci, m, 2, stride=2, bias=False) if kind == "down" else nn.Conv2d(ci, m, 1, bias=False),
            norm(m),
            activation(act, m),
        )
        self.main = nn.Sequential(*_main_convolution(kind, m, dilation), norm(m), activation(act, m))
        self.expand = nn.Sequential(nn.Conv2d(m, co, 1, bias=False), norm(co))
        self.dropout = nn.Dropout2d(dropout)
        self.pool: nn.MaxPool2d | None = nn.MaxPool2d(2, 2) if kind == "down" else None
        self.act = activation(act, co)

    def forward(self, x: Tensor) -> Tensor:
        """(b, ci, h, w) → (b, co, h, w), at half size for `down`."""
        extension = self.dropout(self.expand(self.main(self.project(x))))
        skip = x if self.pool is None else self.pool(x)
        if self.padding_channels:  # no learned projection: missing channels are zeros, the last too many go
            skip = nn.functional.pad(skip, (0, 0, 0, 0, 0, self.padding_channels))
        y: Tensor = self.act(skip + extension)
        return y


def _main_convolution(kind: Kind, m: int, dilation: int) -> list[nn.Module]:
    if kind == "asymmetric":
        k = ASYMMETRIC_KERNEL
        return [
            nn.Conv2d(m, m, (1, k), padding=(0, k // 2), bias=False),
            nn.Conv2d(m, m, (k, 1), padding=(k // 2, 0)),
        ]
    if kind in ("regular", "dilated", "down"):
        d = dilation if kind == "dilated" else 1
        return [nn.Conv2d(m, m, 3, padding=d, dilation=d)]
    raise ValueError(f"unknown bottleneck kind {kind!r}")


def stage128(act: Activation) -> nn.Sequential:
    """S128, the eight-bottleneck stage at stride 8 from which every module is made (methods §1.3)."""
    b = 128
    return nn.Sequential(
        Bottleneck(b, b, "regular", act=act),
        Bottleneck(b, b, "dilated", act=act, dilation=2),
        Bottleneck(b, b, "asymmetric", act=act),
        Bottleneck(b, b, "dilated", act=act, dilation=4),
        Bottleneck(b, b, "regular", act=act),
        Bottleneck(b, b, "dilated", act=act, dilation=8),
        Bottleneck(b, b, "asymmetric", act=act),
        Bottleneck(b, b, "dilated", act=act, dilation=16),
    )


def encoder(act: Activation) -> list[nn.Module]:
    """Initial block to 128 channels at stride 8, before the first S128."""
    return [
        Initial(act),
        Bottleneck(16, 64, "down", act=act, dropout=0.01),
        *(Bottleneck(64, 64, "regular", act=act, dropout=0.01) for _ in range(4)),
        Bottleneck(64, 128, "down", act=act),
    ]


def init_weights(module: nn.Module) -> None:
    """Kaiming-normal convolutions, zero biases (methods §1.5)."""
    for m in module.modules():
        if isinstance(m, nn.Conv2d):
            nn.init.kaiming_normal_(m.weight, nonlinearity="relu")
            if m.bias is not None:
                nn.init.zeros_(m.bias)
