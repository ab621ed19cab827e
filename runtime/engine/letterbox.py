"""From a picture of any shape to the network's input and back, exactly.

The picture keeps its aspect to within half an output cell and covers whole cells, from the upper left corner:
no cell mixes picture and padding, and cropping the padding is a slice. 1280x720 becomes 512x288, unpadded.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.codecs.codec import Placement
from models.grid import Grid, Sides
from models.outputs import Output
from models.resize import average, shrink
from models.spec import ModelSpec
from runtime.system.errors import Refusal

#: Grey: normalised it is 0, the mean of the network's input range.
PADDING = 128
MULTIPLES_OF_32 = Sides()
MAX_SIDE = 4096
#: Beyond twice its size a small picture shows no more, and its people grow larger than any seen in training.
ENLARGE = 2.0


@dataclass(frozen=True)
class NetworkSize:
    """Size of the network's input: the box that pictures are fitted into.

    Raises:
        Refusal: when a side is outside 32..4096.
    """

    width: int = 512  #: px
    height: int = 0  #: px; 0 is as high as wide
    padded: bool = False  #: the input has exactly this size, whatever the shape of the picture
    enlarge: float = math.inf  #: small pictures are not enlarged by more than this

    def __post_init__(self) -> None:
        for side in self.box:
            if not 32 <= side <= MAX_SIDE:
                raise Refusal(
                    f"network size {self}", "a side must be from 32 to 4096 pixels", "use 256, 512 or 512x288"
                )

    @property
    def box(self) -> tuple[int, int]:
        """(width, height), px."""
        return self.width, self.height or self.width

    @classmethod
    def of_model(cls, input_size: tuple[int, int]) -> NetworkSize:
        """The (height, width) box a model was tuned for, as its description gives it."""
        return cls(input_size[1], input_size[0], enlarge=ENLARGE)

    @classmethod
    def parse(cls, text: str) -> NetworkSize:
        """Read `512` (long side) or `512x288` (width x height).

        Raises:
            Refusal: when the text is neither.
        """
        match = re.fullmatch(r"\s*(\d{1,9})(?:\s*[xX×]\s*(\d{1,9}))?\s*", text)
        if match is None:
            raise Refusal(f"network size {text[:40]!r}", "it is not a number of pixels", "use 512 or 512x288")
        width, height = match.groups()
        return cls(int(width), int(height), padded=True) if height else cls(int(width))

    def __str__(self) -> str:
        return f"{self.width}x{self.height}" if self.height else str(self.width)


@dataclass(frozen=True)
class Letterbox:
    """Letterbox: scale and place of a picture of one size in the network's input, and padding around it."""

    picture: tuple[int, int]  #: (width, height) of the displayed picture, px
    content: tuple[int, int]  #: (width, height) of the picture inside the network's input, whole cells, px
    network: tuple[int, int]  #: (width, height) of the network's input, px
    stride: int  #: network pixels per output cell
    corners: Grid = Grid.CENTRE  #: where a cell's centre lies

    @classmethod
    def of_model(
        cls, picture: tuple[int, int], size: NetworkSize, spec: ModelSpec, zoom: float = 1.0
    ) -> Letterbox:
        """As `fit`, for the network of a description."""
        return cls.fit(picture, size, stride=spec.stride, sides=spec.sides, zoom=zoom)

    @classmethod
    def fit(
        cls,
        picture: tuple[int, int],
        size: NetworkSize,
        *,
        stride: int = 8,
        sides: Sides = MULTIPLES_OF_32,
        zoom: float = 1.0,
    ) -> Letterbox:
        """Place a picture of (width, height) px in a network's input.

        Args:
            picture: its size as displayed.
            size: the box it is fitted into.
            stride: network pixels per output cell.
            sides: that the network's input may have.
            zoom: shows the picture larger or smaller than the box, then padded no more than it must be.
        """
        limit = sides.up(size.box[0]), sides.up(size.box[1])
        scale = min(limit[0] / picture[0], limit[1] / picture[1], size.enlarge)
        scale = min(scale * zoom, max(scale, MAX_SIDE / max(picture)))
        across, down = (_whole_cells(side * scale, stride, sides.grid) for side in picture)
        boxed = size.padded and zoom == 1
        network = limit if boxed else (sides.up(across), sides.up(down))
        return cls(picture, (across, down), network, stride, sides.grid)

    @property
    def grid(self) -> tuple[int, int]:
        """(width, height) of the network's output, cells."""
        width, height = self.network
        return self.corners.cells(width, self.stride), self.corners.cells(height, self.stride)

    @property
    def cells(self) -> tuple[int, int]:
        """(width, height) of the part of the grid that the picture covers; the rest is padding."""
        return self.placement().cells

    def apply(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Scale and pad.

        Args:
            image: (height, width, 3) RGB of the size this letterbox was made for.

        Returns:
            (1, network height, network width, 3), the network's input.
        """
        if image.dtype != np.uint8 or image.shape != (self.picture[1], self.picture[0], 3):
            raise ValueError(f"letterbox for {self.picture}: got {image.dtype} {image.shape}")
        scaled = shrink(image, self.content)
        if self.content == self.network:
            return scaled[None]
        canvas = np.full((1, self.network[1], self.network[0], 3), PADDING, np.uint8)
        canvas[0, : self.content[1], : self.content[0]] = scaled
        return canvas

    def enlarged(self, other: Letterbox) -> tuple[float, float]:
        """Factors, across and down, by which another letterbox shows the same picture larger."""
        return other.content[0] / self.content[0], other.content[1] / self.content[1]

    def placement(self, output: Output | None = None) -> Placement:
        """Placement of the picture on the grid of an output, or on this letterbox's own."""
        if output is None:
            return Placement(self.picture, self.content, self.stride, self.corners)
        return Placement(self.picture, self.content, output.stride, output.grid)

    def pool(self, silhouette: NDArray[np.generic]) -> NDArray[np.float32]:
        """A silhouette over the whole picture → the network's grid by area averaging; padding is background.

        Args:
            silhouette: (h, w) over the displayed picture at any resolution, uint8 0..255 or float32 0..1.

        Returns:
            (grid height, grid width) P(person).
        """
        grid = np.zeros((self.grid[1], self.grid[0]), np.float32)
        grid[: self.cells[1], : self.cells[0]] = average(np.asarray(silhouette, np.float32), self.cells)
        return grid / np.float32(255) if silhouette.dtype == np.uint8 else grid


def _whole_cells(side: float, stride: int, grid: Grid) -> int:
    """The side of whole cells next to a length, px."""
    return grid.side(max(1, round((side - grid.extra_px) / stride)) + grid.extra_px, stride)
