"""The interface of a codec, and the geometry it works with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from models.grid import Grid
from models.outputs import Output
from models.results import Result

FloatMap = NDArray[np.float32]
Described_contra = TypeVar("Described_contra", bound=Output, contravariant=True)


@dataclass(frozen=True)
class Placement:
    """Map between pixels of a displayed picture and a grid of cells; both begin in the upper left corner."""

    picture: tuple[int, int]  #: (width, height) of the displayed picture, px
    content: tuple[int, int]  #: (width, height) of the picture inside the network's input, px
    stride: int  #: network pixels per cell
    grid: Grid = Grid.CENTRE

    @property
    def cells(self) -> tuple[int, int]:
        """(width, height) of the grid that the picture covers."""
        width, height = self.content
        return self.grid.cells(width, self.stride), self.grid.cells(height, self.stride)

    def to_picture(self, cells: ArrayLike) -> NDArray[np.float64]:
        """(..., 2) x, y in cells, may be fractional → pixels of the displayed picture."""
        pixels = self.grid.to_pixel(cells, self.stride)
        return (pixels + 0.5) / self._scale() - 0.5

    def to_cells(self, points: ArrayLike) -> NDArray[np.float64]:
        """(..., 2) x, y in displayed pixels → fractional cells; the inverse of `to_picture`."""
        pixels = (np.asarray(points, np.float64) + 0.5) * self._scale() - 0.5
        return self.grid.to_cell(pixels, self.stride)

    def _scale(self) -> NDArray[np.float64]:
        return np.array(self.content, np.float64) / np.array(self.picture, np.float64)


@dataclass(frozen=True)
class PictureContext:
    """The picture that maps were made of, for codecs that follow its edges."""

    placement: Placement  #: of the maps
    picture: NDArray[np.uint8]  #: (h, w, 3) RGB at the network's resolution, without padding
    image: NDArray[np.uint8]  #: (h, w, 3) RGB as displayed
    size: tuple[int, int]  #: (width, height) wanted of dense results, px
    mask: NDArray[np.uint8] | None = None  #: (h, w) 255·P(person) from outside, finer than the grid


class Codec(Protocol[Described_contra]):
    """Decodes one type of output; stateless."""

    @property
    def needs(self) -> tuple[str, ...]:
        """Names of other outputs that it reads."""
        return ()

    def decode(
        self, output: Described_contra, maps: Mapping[str, FloatMap], context: PictureContext
    ) -> Result:
        """Result of one picture, decoded from its maps.

        Args:
            output: the description of the output that this codec was chosen by.
            maps: of all outputs of the network by name, each (channels, rows, columns) over the cells of
                `context.placement`: averaged over views and time, padding cut off.
            context: the picture.

        Returns:
            The parsing, or the people, or both; the engine merges what several codecs say.
        """
