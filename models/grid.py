"""The two conventions for where the centre of an output cell lies in input pixels, each with its inverse.

Pixel centres are at integer coordinates. Mixing the two shifts every joint by half a stride.
"""

from __future__ import annotations

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

    def _offset(self, stride: int) -> float:
        return (stride - 1) / 2 if self is Grid.CENTRE else 0.0
