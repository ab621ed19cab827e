"""Region of interest: between two looks at a whole frame of a video, the network sees where people are.

Everything outside is background. The whole is looked at as well every eighth frame, after a cut, when most
of what lies outside has changed, and when people reach the region's border; so a newcomer is found within
`EVERY` frames and `LONGEST_S` seconds. Inside, the region's look counts, so labels do not change with the
kind of look; but where the two contradict each other the whole one does, and for a while there is no region.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from models.codecs.codec import FloatMap
from models.resize import average
from runtime.engine.letterbox import Letterbox

T = TypeVar("T", bound=np.generic)

EVERY = 8  # frames, the whole one included
LONGEST_S = 0.4  # and never longer, however few frames there are
GAP_S = 0.2  # people move further than the margin between two frames that far apart
NOBODY = 0.3  # P(person): cells below do not count
SOMEBODY = 0.5  # nor do those of a component that is below this everywhere
MARGIN = 0.08  # of the longer side of what people cover, around it
LEAST_MARGIN = 2  # cells
STEP_PX = 32  # a region begins and ends on multiples
COARSE_PX = 32  # and its sides are multiples of this, so that the runtime meets few shapes
LARGEST = 0.7  # of the grid; beyond it the whole frame costs hardly more
SPARE = 1.5  # times the area needed: a larger region is drawn anew
CHANGED = 30  # grey levels of a cell against the last whole look
MUCH = 0.5  # of the cells outside
AGREE = 0.85  # IoU of what both kinds of look take for people in the region; below, the whole one counts
REST = 24  # frames without a region after that


@dataclass(frozen=True)
class Rectangle:
    """Cells of the network's grid."""

    columns: slice
    rows: slice

    @property
    def area(self) -> int:
        """Cells."""
        return int((self.columns.stop - self.columns.start) * (self.rows.stop - self.rows.start))

    def contains(self, other: Rectangle) -> bool:
        """True when no cell of the other one lies outside."""
        pairs = ((self.columns, other.columns), (self.rows, other.rows))
        return all(mine.start <= its.start and its.stop <= mine.stop for mine, its in pairs)

    def crop(self, maps: NDArray[T]) -> NDArray[T]:
        """The part inside, of maps (…, rows, columns)."""
        return np.ascontiguousarray(maps[..., self.rows, self.columns])

    def pixels(self, canvas: NDArray[np.uint8], stride: int) -> NDArray[np.uint8]:
        """The part inside, of pictures (b, h, w, 3) of so many pixels a cell."""
        rows, columns = (slice(s.start * stride, s.stop * stride) for s in (self.rows, self.columns))
        return np.ascontiguousarray(canvas[:, rows, columns])

    def pasted(self, maps: FloatMap, onto: FloatMap | tuple[int, int]) -> FloatMap:
        """Maps (b, …, rows, columns) of what lies inside among others, or among background.

        Args:
            maps: of this rectangle; with several channels, the first is the background's probability.
            onto: maps of the whole grid, or its (width, height).
        """
        if isinstance(onto, tuple):
            whole = np.zeros((*maps.shape[:-2], onto[1], onto[0]), np.float32)
            if maps.ndim > 3:
                whole[:, 0] = 1
        else:
            whole = onto.copy()
        whole[..., self.rows, self.columns] = maps
        return whole


def around(person: FloatMap, margin: float = MARGIN, least: int = LEAST_MARGIN) -> Rectangle | None:
    """Cells of people and a margin of them, inside the map; None where nobody is.

    Hysteresis: cells count from `NOBODY` on where one that they touch, or that touches those, is `SOMEBODY`.

    Args:
        person: (rows, columns) P(person).
        margin: of the longer side of the people's box.
        least: cells of it at least.
    """
    _, blobs = cv2.connectedComponents(np.asarray(person >= NOBODY, np.uint8))
    there = np.isin(blobs, np.unique(blobs[person >= SOMEBODY]))
    spans = [np.flatnonzero(there.any(axis=axis)) for axis in (0, 1)]
    if not spans[0].size:
        return None
    wide = max(least, round(margin * max(int(s[-1] - s[0]) + 1 for s in spans)))
    columns, rows = (
        slice(max(0, int(s[0]) - wide), min(n, int(s[-1]) + 1 + wide))
        for s, n in zip(spans, person.shape[::-1], strict=True)
    )
    return Rectangle(columns, rows)


def allowed(needed: Rectangle, letterbox: Letterbox) -> Rectangle | None:
    """The smallest region of an allowed shape around some cells; None where it is nearly everything."""
    columns, rows = (
        _allowed(span, side, letterbox.stride)
        for span, side in zip((needed.columns, needed.rows), letterbox.grid, strict=True)
    )
    region = Rectangle(columns, rows)
    return region if region.area <= LARGEST * letterbox.grid[0] * letterbox.grid[1] else None


def _allowed(span: slice, cells: int, stride: int) -> slice:
    """A span of whole steps and an allowed length around another one, which lies in its middle if it can."""
    step, coarse = max(1, STEP_PX // stride), max(1, COARSE_PX // stride)
    latest = span.start // step * step
    length = -(-(span.stop - latest) // coarse) * coarse
    if length >= cells or cells % step:
        return slice(0, cells)
    middle = (span.start + span.stop - length) // 2 // step * step
    first = min(max(middle, -(-(span.stop - length) // step) * step, 0), latest, cells - length)
    return slice(first, first + length)


@dataclass(frozen=True)
class _Frame:
    """The last one."""

    engine_id: int
    letterbox: Letterbox
    pts_s: float
    region: Rectangle | None
    whole: bool  #: looked at as a whole


@dataclass(frozen=True)
class _Whole:
    """The last one that was looked at as a whole."""

    pts_s: float
    small: NDArray[np.uint8]  #: a pixel a cell


class RegionOfInterest:
    """The region of the next frame of a video; owned by one thread.

    Attributes:
        known: from `next` to `found`, cells of the frame before that were looked at; None for all.

    It starts anew by itself after a jump in time, another picture size or another engine.
    """

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Look at the whole of the next frame."""
        self._last: _Frame | None = None
        self._whole: _Whole | None = None
        self._frames = 0  # since it
        self._region: Rectangle | None = None  # of the next frame
        self._rest = 0  # frames to go without one
        self._reached = False  # by people, its border
        self.known: Rectangle | None = None  # of the frame before, None for all of it

    def next(
        self, engine_id: int, letterbox: Letterbox, canvas: NDArray[np.uint8], pts_s: float
    ) -> tuple[Rectangle | None, bool]:
        """The region of a frame, and whether to look at the whole as well; without a region it is True.

        Args:
            engine_id: of whoever looks.
            letterbox: place of the frame in the canvas.
            canvas: (h, w, 3) RGB, what the network would see.
            pts_s: of the frame; `found` must follow, or the next one has no region.
        """
        small = average(canvas, letterbox.grid)
        last, region, whole = self._last, self._region, self._whole
        same = last is not None and (last.engine_id, last.letterbox) == (engine_id, letterbox)
        if last is None or not same or not 0 < pts_s - last.pts_s <= GAP_S:
            region = None
        late = whole is None or self._frames + 1 >= EVERY or pts_s - whole.pts_s > LONGEST_S
        late = late or self._reached or last is None or last.region is None
        looks = region is None or whole is None or late or _changed(whole.small, small, region)
        self._frames += 1
        if looks:
            self._whole, self._frames = _Whole(pts_s, small), 0
        self.known = None if last is None or last.whole else last.region
        self._last, self._region = _Frame(engine_id, letterbox, pts_s, region, looks), None
        return region, looks

    def found(self, person: FloatMap, *, agreed: bool = True) -> None:
        """Choose the next frame's region by this one's P(person) (rows, columns) on the whole grid.

        Args:
            person: as it counts, over the padding too.
            agreed: the looks at the whole and at the region.
        """
        self._rest, self.known = self._rest - 1 if agreed else REST, None
        if self._last is None or self._rest > 0:
            return
        letterbox, before = self._last.letterbox, self._last.region
        across, down = letterbox.cells
        person = person[:down, :across]
        needed, people = around(person), around(person, 0, 0)
        self._reached = False
        if needed is None or people is None:
            return
        self._region = fits = allowed(needed, letterbox)
        if before is None:
            return
        self._reached = _reaches(people, before, letterbox.cells)
        if before.contains(needed) and (fits is None or before.area <= SPARE * fits.area):
            self._region = before


def agree(whole: FloatMap, inside: FloatMap) -> bool:
    """True when both kinds of look take nearly the same cells of a region for people."""
    one, other = whole >= 0.5, inside >= 0.5
    both, either = np.count_nonzero(one & other), np.count_nonzero(one | other)
    return bool(both >= AGREE * either)


def _changed(before: NDArray[np.uint8], now: NDArray[np.uint8], region: Rectangle) -> bool:
    """True when much outside the region differs between two pictures of a pixel a cell."""
    changed = cv2.absdiff(before, now).max(axis=2) > CHANGED
    outside = np.count_nonzero(changed) - np.count_nonzero(region.crop(changed))
    return bool(outside > MUCH * (changed.size - region.area))


def _reaches(people: Rectangle, region: Rectangle, cells: tuple[int, int]) -> bool:
    """True when somebody is at a border of the region that is none of the picture."""
    pairs = ((people.columns, region.columns, cells[0]), (people.rows, region.rows, cells[1]))
    return any(mine.start <= its.start > 0 or mine.stop >= its.stop < n for mine, its, n in pairs)
