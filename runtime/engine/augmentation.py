"""Test-time augmentation: one picture parsed mirrored, larger and smaller, and the results averaged.

What a network sees at several sizes and from both sides it is surer of; each look costs a run. Maps come back
to the displayed picture by its cells: padding, right and below, is cut off before a map is mirrored.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.grid import Grid
from models.outputs import JointDisks, Mirror, Offsets, Output
from models.resize import Size, resize, resize_between_corners
from runtime.engine.letterbox import Letterbox
from runtime.engine.source import Silhouette

Map = NDArray[np.float32]
LEAST_WEIGHT = 1e-3  # of a view's vectors where it sees no disk


@dataclass(frozen=True)
class Views:
    """Views of a picture: scales, and whether mirrored; the results lie on the first one's grid."""

    sizes: tuple[float, ...] = (1.0,)  #: of the picture, times the network's size
    mirrored: bool = False  #: each size also as its mirror image
    regions: bool = False  #: of smoothed video, mostly only where people are (`runtime.engine.region`)

    @property
    def count(self) -> int:
        """Number of runs of the network."""
        return len(self.sizes) * len(self.sides)

    @property
    def sides(self) -> tuple[bool, ...]:
        """Mirrored or not, for each view of one size."""
        return (False, True) if self.mirrored else (False,)


ONE: Final = Views()  # live video
MIRRORED: Final = Views(mirrored=True)
#: On development photos, results on the grid of the largest look instead of size 1: boundary F of silhouettes
#: .869, not .860. Beyond 1.2 joints of small pictures are lost, and more of them without 0.8.
SIX: Final = Views((1.2, 1.0, 0.8), mirrored=True)
BY_COUNT: Final[dict[str, Views]] = {"1": ONE, "2": MIRRORED, "6": SIX, "regions": Views(regions=True)}


def chosen(looks: str, *, video: bool) -> Views:
    """Views by what a user says: auto is six for a picture, one for a frame of video; else `BY_COUNT`."""
    if looks == "auto":
        return ONE if video else SIX
    return BY_COUNT[looks]


@dataclass(frozen=True)
class View:
    """One size and side in which pictures are shown to the network."""

    letterbox: Letterbox
    mirrored: bool

    def to_displayed(self, maps: Map, cells: Size, mirror: Mirror | None = None) -> Map:
        """Maps (…, gh, gw) of this view's grid over `cells` (width, height) of the displayed picture.

        Args:
            maps: one, or one per channel.
            cells: of the grid they are brought to.
            mirror: the effect of a flip on the channels, where maps have some.
        """
        across, down = self.letterbox.cells
        maps = maps[..., :down, :across]
        if self.mirrored:
            maps = maps[..., ::-1] if mirror is None else mirror.apply(maps)
        if (across, down) == cells:
            return maps
        scaled = resize if self.letterbox.corners is Grid.CENTRE else resize_between_corners
        planes = [scaled(np.ascontiguousarray(m), cells) for m in maps.reshape(-1, down, across)]
        return np.stack(planes).reshape(*maps.shape[:-2], cells[1], cells[0])

    def to_seen(self, silhouette: Silhouette, answered: Letterbox) -> Map:
        """A source's answer for the displayed picture, on this view's grid by area; padding is background.

        Args:
            silhouette: with a grid; its finer mask is used where it has one.
            answered: what the grid belongs to.
        """
        if silhouette.fine is not None:
            cells = self.letterbox.pool(silhouette.fine)
        else:
            assert silhouette.grid is not None
            across, down = answered.cells
            cells = self.letterbox.pool(np.ascontiguousarray(silhouette.grid[:down, :across]))
        across, down = self.letterbox.cells
        if self.mirrored:
            cells[:down, :across] = cells[:down, :across][:, ::-1].copy()
        return cells


def mirrored(canvas: NDArray[np.uint8], letterbox: Letterbox) -> NDArray[np.uint8]:
    """The network's input (b, h, w, 3) with the picture mirrored where it is; the padding stays."""
    width, height = letterbox.content
    other = canvas.copy()
    other[:, :height, :width] = canvas[:, :height, :width][:, :, ::-1]
    return other


def merged(
    views: Sequence[View], maps: Sequence[Map], mirror: Mirror | None = None,
    by: Sequence[Map | None] = (),
) -> Map:  # fmt: skip
    """The average of what views say, on the first one's grid; one view's maps are returned untouched.

    Args:
        views: the first one is not mirrored.
        maps: of each view, (…, gh, gw) on its own grid.
        mirror: see `View.to_displayed`.
        by: weights of each view, of the maps' shape, above 0; left out or None, all cells count alike.
    """
    if len(views) == 1:
        return maps[0]
    across, down = cells = views[0].letterbox.cells
    total = maps[0].copy()
    here = total[..., :down, :across]
    held = [w for w in by if w is not None]
    if not held:
        for view, said in zip(views[1:], maps[1:], strict=True):
            here += view.to_displayed(said, cells, mirror)
        here /= np.float32(len(views))
        return total
    unsigned = None if mirror is None else Mirror(mirror.order)
    here[...], mass = 0, np.zeros_like(here)
    for view, said, weight in zip(views, maps, held, strict=True):
        here += view.to_displayed(said * weight, cells, mirror)
        mass += view.to_displayed(weight, cells, unsigned)
    here /= mass
    return total


def weights(output: Output, maps: Mapping[str, Map]) -> Map | None:
    """Weights of one view's maps of an output, for `merged`; None where all cells count alike.

    Vectors that start in a disk count by its probability, for outside they were never taught. Disks have one
    radius in network pixels, so that views of several sizes differ in where that is.

    Args:
        output: the description.
        maps: of all outputs by name, as the view gives them.
    """
    if not isinstance(output, Offsets) or output.name == "long" or JointDisks.type not in maps:
        return None
    bones, disks = output.joint_set.bones, maps[JointDisks.type]
    starts = [*(a for a, _ in bones), *(b for _, b in bones)]
    whose = disks if output.over == "joints" else disks[starts]
    return np.repeat(whose, 2, axis=0).clip(LEAST_WEIGHT, 1)


def moved(views: Sequence[View], own: Sequence[Map], change: Map) -> list[Map]:
    """Each view's own P(person), changed as the average of all was, which lies on the first view's grid."""
    first = views[0].letterbox
    changes = (v.to_seen(Silhouette(change), first) for v in views)
    return [np.clip(person + by, 0, 1) for person, by in zip(own, changes, strict=True)]
