"""The two conventions for where the centre of an output cell lies in input pixels, each with its inverse.

Pixel centres are at integer coordinates. Mixing the two shifts every joint by half a stride.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray


class Grid(StrEnum):
    """Which convention a model uses."""

    CENTRE = "centre"  #: cell u covers pixels s·u … s·u+s−1, centre s·u + s/2 − 1/2
    CORNER = "corner"  #: cell u lies on pixel s·u; sizes are s·n+1 (PersonLab)

    def to_pixel(self, cell: ArrayLike, stride: int) -> NDArray[np.float64]:
        """Cell coordinates (any shape, may be fractional) → pixel coordinates."""
        u = np.asarray(cell, dtype=np.float64)
        return u * stride + (self._offset(stride))

    def to_cell(self, pixel: ArrayLike, stride: int) -> NDArray[np.float64]:
        """Pixel coordinates → fractional cell coordinates; the inverse of `to_pixel`."""
        x = np.asarray(pixel, dtype=np.float64)
        return (x - self._offset(stride)) / stride

    def cells(self, side: int, stride: int) -> int:
        """Cells along a side of so many pixels."""
        return (side - self.extra_px) // stride + self.extra_px

    def side(self, cells: int, stride: int) -> int:
        """Pixels that so many cells cover; the inverse of `cells`."""
        return (cells - self.extra_px) * stride + self.extra_px

    @property
    def extra_px(self) -> int:
        """Pixels of a side beyond whole strides; as many cells more than strides."""
        return 0 if self is Grid.CENTRE else 1

    def _offset(self, stride: int) -> float:
        return (stride - 1) / 2 if self is Grid.CENTRE else 0.0


@dataclass(frozen=True)
class Sides:
    """Lengths that the sides of a network's input may have, px: multiples, and one more on a corner grid."""

    multiple: int = 32
    grid: Grid = Grid.CENTRE

    def up(self, side: int) -> int:
        """The smallest one that is not below `side`."""
        extra = self.grid.extra_px
        return max(1, -(-(side - extra) // self.multiple)) * self.multiple + extra

    def __str__(self) -> str:
        return f"multiples of {self.multiple}" + (" and one more" if self.grid.extra_px else "")
