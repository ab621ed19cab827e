"""The silhouette as it will be written, as a function that learns: `models.codecs.guided_filter` in torch.

Of a given picture the filter is differentiable in P(person), so a loss on the written silhouette reaches the
factor. To be right on average over each cell is not enough, for the filter spreads that over its neighbours:
cells that were fitted to the true silhouettes of a clip as such were written with J .903, through the filter
with .937 (two samples per cell, probabilities interpolated as they are).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import interpolate, pad

from models.codecs.guided_filter import EPSILON, RADIUS, SAMPLES_PER_CELL, SURE
from models.resize import average

FINE = 4  #: samples per cell at which the written silhouette is compared


@dataclass(frozen=True)
class ColourGuides:
    """Pictures that guide the edges, and their local statistics.

    Attributes:
        colours: (n, 3, 3·rows, 3·columns) RGB 0..1, from which the fit is made.
        means: of the same shape, around each sample.
        inverse: (n, 3, 3, 3·rows, 3·columns), of the colours' covariance around each sample.
        fine: (n, 3, 4·rows, 4·columns) uint8 RGB, at which the fit is evaluated.
    """

    colours: Tensor
    means: Tensor
    inverse: Tensor
    fine: Tensor

    @classmethod
    def of(cls, pictures: Iterable[NDArray[np.uint8]], cells: tuple[int, int]) -> ColourGuides:
        """Guides from pictures (h, w, 3) RGB that cover (columns, rows) of cells."""
        made = [_statistics(picture, cells) for picture in pictures]
        return cls(*(torch.cat(parts) for parts in zip(*made, strict=True)))

    def written(self, person: Tensor, which: NDArray[np.integer]) -> Tensor:
        """P(person) (b, rows, columns) of these pictures → (b, 4·rows, 4·columns), not yet held to 0..1."""
        order = torch.from_numpy(which)
        parts = self.colours, self.means, self.inverse, self.fine
        colours, means, inverse, fine = (part[order].to(person.device) for part in parts)
        held = person[:, None].logit(float(SURE))
        values = interpolate(held, size=colours.shape[2:], mode="bilinear", align_corners=False).sigmoid()
        blurred = _blur(torch.cat([values, colours * values], 1))
        mean = blurred[:, :1]
        covariance = blurred[:, 1:] - means * mean
        slopes = (inverse * covariance[:, None]).sum(2)
        offset = mean - (slopes * means).sum(1, keepdim=True)
        fit = _blur(torch.cat([slopes, offset], 1))
        fit = interpolate(fit, size=fine.shape[2:], mode="bilinear", align_corners=False)
        return (fit[:, :3] * (fine.float() / 255)).sum(1) + fit[:, 3]


def _statistics(picture: NDArray[np.uint8], cells: tuple[int, int]) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Attributes of `ColourGuides` for one picture."""

    def planes(samples: int) -> Tensor:
        small = average(picture, (cells[0] * samples, cells[1] * samples))
        return torch.from_numpy(small).permute(2, 0, 1)[None]

    colours = planes(SAMPLES_PER_CELL).float() / 255
    means = _blur(colours)
    products = (colours[:, :, None] * colours[:, None]).flatten(1, 2)
    spread = _blur(products).reshape(1, 3, *colours.shape[1:]) - means[:, :, None] * means[:, None]
    matrices = spread.permute(0, 3, 4, 1, 2) + float(EPSILON) * torch.eye(3)
    return colours, means, torch.linalg.inv(matrices).permute(0, 3, 4, 1, 2), planes(FINE)


def _blur(values: Tensor) -> Tensor:
    """Box filter of (…, rows, columns) as two products of matrices: half the time of pooling."""
    rows, columns = (_box(n).to(values) for n in values.shape[-2:])
    blurred: Tensor = rows.T @ (values @ columns)
    return blurred


@cache
def _box(count: int) -> Tensor:
    """(count, count) matrix by which a row is averaged around each sample, mirrored at its ends."""
    padded = pad(torch.eye(count)[None], (RADIUS, RADIUS), mode="reflect")
    return padded.unfold(-1, 2 * RADIUS + 1, 1).mean(-1)[0].contiguous()
