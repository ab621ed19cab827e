"""The four noise settings of the paper, which keep the head from ignoring the factor (methods §1.6).

| setting | noise on P(person) | noise on the head's image stream | trained | losses |
|---|---|---|---|---|
| 1 | swap | no | head | parts |
| 2 | no | Gaussian | head | parts |
| 3 | no | no | everything | factor + parts |
| 4 | swap | Gaussian | head | parts |
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

SIGMA = (10.0, 120.0)  # standard deviation in 0..255 units, drawn per image
MAX_SWAP = 0.5  # above it an independent swap would just invert
RECTANGLE = (2, 24)  # side in cells


@dataclass(frozen=True)
class Setting:
    """One of the four settings: its noise and the modules it trains."""

    swap: bool
    gaussian: bool
    head_only: bool


SETTINGS: dict[int, Setting] = {
    1: Setting(swap=True, gaussian=False, head_only=True),
    2: Setting(swap=False, gaussian=True, head_only=True),
    3: Setting(swap=False, gaussian=False, head_only=False),
    4: Setting(swap=True, gaussian=True, head_only=True),
}


def gaussian_noise(rgb: Tensor, generator: torch.Generator | None = None) -> Tensor:
    """Add N(0, σ²) per pixel and channel, σ ~ U(10, 120) per image; (b, 3, h, w) in 0..255, not clipped.

    Drawn on the CPU, where the generator is, whatever the device of the pictures.
    """
    low, high = SIGMA
    sigma = low + (high - low) * torch.rand(rgb.shape[0], 1, 1, 1, generator=generator)
    return rgb + (sigma * torch.randn(rgb.shape, generator=generator)).to(rgb.device)


def swap_noise(person: Tensor, generator: torch.Generator | None = None) -> Tensor:
    """Swap foreground and background at random places of P(person) (b, 1, h, w).

    Rate ρ ~ U(0, ½) per image; half of the images with independent cells, half with rectangles.
    """
    out = person.clone()
    b, _, h, w = person.shape
    for i in range(b):
        rate = MAX_SWAP * float(torch.rand(1, generator=generator))
        if torch.rand(1, generator=generator) < 0.5:
            mask = torch.rand(h, w, generator=generator) < rate
        else:
            mask = _rectangles(h, w, rate, generator)
        out[i, 0] = torch.where(mask.to(out.device), 1 - out[i, 0], out[i, 0])
    return out


def _rectangles(h: int, w: int, rate: float, generator: torch.Generator | None) -> Tensor:
    mask = torch.zeros(h, w, dtype=torch.bool)
    low, high = RECTANGLE
    while mask.float().mean() < rate:
        rh, rw = (int(v) for v in torch.randint(low, high + 1, (2,), generator=generator))
        y = int(torch.randint(0, max(1, h - rh + 1), (1,), generator=generator))
        x = int(torch.randint(0, max(1, w - rw + 1), (1,), generator=generator))
        mask[y : y + rh, x : x + rw] = True
    return mask
