"""P(person) of a frame by several views, averaged; and along the edges of its picture."""

from __future__ import annotations

from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.codecs.guided_filter import refine
from personalize.worker.context import BaseNetwork, person
from runtime.engine.augmentation import View, Views, merged, mirrored

#: silhouette J on the tennis clip: one view .855, these .888, with two smaller ones as well .889
FOUR: Final = Views((1.2, 1.0), mirrored=True)
Map = NDArray[np.float32]
Picture = NDArray[np.uint8]


class AveragedViews:
    """Average of several views of each frame of one clip, by its network."""

    def __init__(self, network: BaseNetwork, size: tuple[int, int]) -> None:
        self._network, self._size = network, size

    @cached_property
    def views(self) -> list[View]:
        """Each size upright and mirrored, the largest first."""
        boxes = [self._network.letterbox(self._size, zoom) for zoom in FOUR.sizes]
        return [View(box, flip) for box in boxes for flip in FOUR.sides]

    def person(self, canvases: tuple[Picture, Picture], upright: Map) -> Map:
        """P(person) over the cells of the largest look.

        Args:
            canvases: the network's input at each size.
            upright: P(person) (gh, gw) of the second as it is, which is known.
        """
        large, _, _, small = self.views
        (other_large,) = mirrored(canvases[0][None], large.letterbox)
        (other_small,) = mirrored(canvases[1][None], small.letterbox)
        said = [self._person(canvases[0]), self._person(other_large), upright, self._person(other_small)]
        across, down = large.letterbox.cells
        return merged(self.views, said)[:down, :across]

    def _person(self, canvas: Picture) -> Map:
        return person(self._network.factor, self._network.features(canvas))

    def along_edges(self, cells: Map, canvas: Picture, small: Picture) -> Map:
        """P(person) on cells → at the size of a small picture, as `xfactor parse` moves it to the edges."""
        width, height = self._network.letterbox(self._size).content
        (fine,) = refine([np.ascontiguousarray(cells)], canvas[:height, :width], small)
        return fine
