"""Patch correspondence: every pixel's most similar patch in the frame before and in the frame after.

A match costs the sum of squared differences of colours. Displacements are visited by length and only a
strictly cheaper one replaces an earlier one, so flat regions do not wander. Long displacements are visited
only in the box round pixels that have no cheap match close by: where nothing moves, none. Three facts make
the search cheap enough to be exhaustive there. The cost of a pair of patches is the same in either direction,
so one visit of a displacement serves both directions of time. With colours of about 7 bits the squares of all
three channels fit 16 bits, where the box filter is fastest. And a cost with its displacement's rank behind it
fits 32 bits: the smaller of two such keys is the cheaper patch, and among equals the shorter displacement.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
Displacements = NDArray[np.int32]
Keys = NDArray[np.int32]
Targets = NDArray[np.int32]  #: (height·width) flat pixel of the neighbouring frame, -1 for none
OnPair = Callable[[int, int], None]  #: (pairs done, pairs in all); may raise to stop the work

RANK_BITS = 10  #: displacements that one search can tell apart: 1024
_NONE = np.iinfo(np.int32).max
LEAST_SPREAD = 0.25  #: a channel counts at most this many times more than its range would let it
JUMP = 5.0  #: times the median cost of its neighbours, a pair's is a change of shot
JUMP_WINDOW = 5  #: pairs on each side that a shot change is compared with
LEAST_JUMP = 0.02  #: of the colours' variance; below this nothing is a shot change, only noise
NEAR = 5  #: px; displacements up to this length are visited everywhere
SETTLED = 0.05  #: of the colours' variance; a match this cheap is not looked for farther away


@dataclass(frozen=True)
class PatchSearch:
    """Settings of the search.

    Attributes:
        reach: the farthest displacement in x and in y, px.
        patch: side of the patch, px, odd; 7 in the paper, which makes small people too fat.
    """

    reach: int = 15
    patch: int = 5

    def __post_init__(self) -> None:
        if not 0 <= self.reach <= 15 or self.patch % 2 == 0 or not 1 <= self.patch <= 11:
            raise ValueError(f"{self}: reach 0..15 and an odd patch up to 11")

    @property
    def levels(self) -> int:
        """Largest colour value for which a key fits 31 bits and a pixel's squared difference 16."""
        return int(np.sqrt(min((1 << (31 - RANK_BITS)) / self.patch**2, 1 << 16) / 3))


@dataclass(frozen=True)
class PatchMatches:
    """Best matches of one frame's pixels in a neighbouring frame.

    Attributes:
        target: (height·width) int32, flat pixel of the neighbour.
        cost: (height·width) float32, mean squared difference in units of the colours' variance.
    """

    target: Targets
    cost: NDArray[np.float32]


@dataclass(frozen=True)
class Correspondence:
    """Matches between all neighbouring frames of a window.

    Attributes:
        size: (height, width).
        earlier: item k holds the targets of frame k+1's pixels in frame k.
        later: item k holds the targets of frame k's pixels in frame k+1.
        shot_changes: frames that begin a new shot; nothing is matched across.
    """

    size: tuple[int, int]
    earlier: list[Targets] = field(default_factory=list)
    later: list[Targets] = field(default_factory=list)
    shot_changes: list[int] = field(default_factory=list)


@dataclass(frozen=True)
class LabScale:
    """Lab colours of a window on one scale: every channel of equal variance, whole numbers from 0."""

    low: NDArray[np.float32]  #: (3,)
    gain: NDArray[np.float32]  #: (3,) levels per unit of Lab
    levels: int
    unit: float  #: levels per standard deviation

    @classmethod
    def of(cls, frames: Sequence[Picture], levels: int) -> LabScale:
        """The scale for a window, from 16 to 31 of its frames if it has as many.

        A channel that hardly varies is not blown up to full variance: it would be mostly noise.
        """
        step = max(1, len(frames) // 16)
        values = np.concatenate([lab(f)[::2, ::2].reshape(-1, 3) for f in frames[::step]])
        low, high = np.percentile(values, (0.1, 99.9), axis=0)
        spread = values.std(axis=0)
        spread = np.maximum(spread, max(LEAST_SPREAD * float(spread.max()), 1e-3))
        unit = levels / max(float(((high - low) / spread).max()), 1e-3)
        unit = min(unit, float(levels))
        return cls(low.astype(np.float32), (unit / spread).astype(np.float32), levels, unit)

    def __call__(self, frame: Picture) -> Picture:
        """(h, w, 3) RGB to (h, w, 3) levels."""
        scaled = np.rint((lab(frame) - self.low) * self.gain)
        return np.asarray(np.clip(scaled, 0, self.levels), np.uint8)


def lab(frame: Picture) -> NDArray[np.float32]:
    """(h, w, 3) RGB to (h, w, 3) Lab, float32."""
    scaled = np.asarray(frame, np.float32) / np.float32(255)
    return np.asarray(cv2.cvtColor(scaled, cv2.COLOR_RGB2Lab), np.float32)


def by_length(reach: int) -> Displacements:
    """All displacements (dy, dx) within a square window, (n, 2), shortest first."""
    steps = np.mgrid[-reach : reach + 1, -reach : reach + 1].reshape(2, -1).T.astype(np.int32)
    order = np.lexsort((steps[:, 1], steps[:, 0], (steps.astype(np.int64) ** 2).sum(1)))
    return np.ascontiguousarray(steps[order], np.int32)


def match_window(
    frames: Sequence[Picture], search: PatchSearch | None = None, *, on_pair: OnPair | None = None
) -> Correspondence:
    """Match all neighbouring frames of a window, in both directions of time.

    Args:
        frames: (h, w, 3) RGB uint8 at the working size, one size for all.
        search: its settings.
        on_pair: called after each pair.
    """
    search = search or PatchSearch()
    if not frames:
        raise ValueError("match_window: there are no frames")
    if len({f.shape for f in frames}) > 1:
        raise ValueError("match_window: the frames differ in size")
    scale = LabScale.of(frames, search.levels)
    levels = [scale(f) for f in frames]
    found = Correspondence((frames[0].shape[0], frames[0].shape[1]))
    medians: list[float] = []
    for k in range(len(frames) - 1):
        earlier, later = match_pair(levels[k], levels[k + 1], search, scale.unit)
        medians.append(float(np.median(earlier.cost)))
        found.earlier.append(earlier.target)
        found.later.append(later.target)
        if on_pair is not None:
            on_pair(k + 1, len(frames) - 1)
    for k in jumps(medians):
        found.shot_changes.append(k + 1)
        found.earlier[k].fill(-1)
        found.later[k].fill(-1)
    return found


def match_pair(
    earlier: Picture, later: Picture, search: PatchSearch, unit: float
) -> tuple[PatchMatches, PatchMatches]:
    """Matches of two neighbouring frames of levels: (later's pixels in earlier, earlier's in later)."""
    cv2.setNumThreads(1)
    steps = by_length(search.reach)
    backward, forward = _keys(earlier, later, steps, search, unit)
    scale = 1.0 / (3 * search.patch**2 * unit**2)
    return _decoded(backward, steps, scale), _decoded(forward, -steps, scale)


def jumps(medians: Sequence[float]) -> list[int]:
    """Pairs whose cost stands out from those just before and just after: changes of shot."""
    found = []
    for k, cost in enumerate(medians):
        before, after = medians[max(0, k - JUMP_WINDOW) : k], medians[k + 1 : k + 1 + JUMP_WINDOW]
        usual = float(np.median([*before, *after])) if before or after else cost
        if cost > max(JUMP * usual, LEAST_JUMP):
            found.append(k)
    return found


def _keys(
    earlier: Picture, later: Picture, steps: Displacements, search: PatchSearch, unit: float
) -> tuple[Keys, Keys]:
    """Smallest keys, cost·1024 + rank, of every pixel: (later's, earlier's), each (h, w)."""
    near = int(np.count_nonzero((steps.astype(np.int64) ** 2).sum(1) <= NEAR**2))
    keys = _visited(earlier, later, steps, search, range(near))
    price = int(SETTLED * 3 * search.patch**2 * unit**2)
    dear = np.asarray(np.maximum(*keys) >> RANK_BITS > price, np.uint8)
    left, top, width, height = cv2.boundingRect(cv2.erode(dear, np.ones((3, 3), np.uint8)))  # no specks
    if width:
        margin = search.reach + search.patch // 2  # what the box's patches and their matches see
        y, x = max(0, top - margin), max(0, left - margin)
        around = slice(y, top + height + margin), slice(x, left + width + margin)
        far = _visited(earlier[around], later[around], steps, search, range(near, len(steps)))
        inside = slice(top - y, top - y + height), slice(left - x, left - x + width)
        for best, other in zip(keys, far, strict=True):
            place = best[top : top + height, left : left + width]
            np.minimum(place, other[inside], out=place)
    return keys


def _visited(
    earlier: Picture, later: Picture, steps: Displacements, search: PatchSearch, ranks: range
) -> tuple[Keys, Keys]:
    """Keys of `_keys` by the displacements of these ranks alone."""
    height, width = later.shape[:2]
    rim = search.patch // 2
    rows = height + 2 * rim
    new, old = _planes(later, rim), _planes(earlier, rim)
    backward = np.full((height, width), _NONE, np.int32)
    forward = backward.copy()
    room16, room32 = np.empty(new.size, np.int16), np.empty((2, rows * new.shape[1]), np.int32)
    for rank in ranks:
        dy, dx = steps[rank].tolist()
        high, wide = height - abs(dy), width - abs(dx)
        if high <= 0 or wide <= 0:
            continue
        y, x = max(0, -dy), max(0, -dx)
        deep, across = high + 2 * rim, wide + 2 * rim
        # Three planes below one another, moved as one; the rows between them are rubbish and are not read.
        tall = 2 * rows + deep
        squares = room16[: tall * across].reshape(tall, across)
        cv2.subtract(
            new[y : y + tall, x : x + across],
            old[y + dy : y + dy + tall, x + dx : x + dx + across],
            dst=squares,
        )
        np.multiply(squares, squares, out=squares)
        total = squares.view(np.uint16)[:deep]
        np.add(total, squares.view(np.uint16)[rows : rows + deep], out=total)
        np.add(total, squares.view(np.uint16)[2 * rows : 2 * rows + deep], out=total)
        sums = room32[0, : deep * across].reshape(deep, across)
        cv2.boxFilter(total, cv2.CV_32S, (search.patch, search.patch), dst=sums, normalize=False)
        key = room32[1, : high * wide].reshape(high, wide)
        np.left_shift(sums[rim : rim + high, rim : rim + wide], RANK_BITS, out=key)
        np.bitwise_or(key, rank, out=key)
        for best, top, left in ((backward, y, x), (forward, y + dy, x + dx)):
            place = best[top : top + high, left : left + wide]
            cv2.min(place, key, dst=place)
    return backward, forward


def _planes(levels: Picture, rim: int) -> NDArray[np.int16]:
    """The channels one below the other, edges repeated: (3·(h + 2·rim), w + 2·rim)."""
    padded = cv2.copyMakeBorder(levels, rim, rim, rim, rim, cv2.BORDER_REPLICATE)
    planes = np.moveaxis(np.asarray(padded, np.int16), 2, 0)
    return np.ascontiguousarray(planes).reshape(-1, planes.shape[2])


def _decoded(keys: Keys, steps: Displacements, scale: float) -> PatchMatches:
    flat = keys.ravel()
    moves = np.zeros(1 << RANK_BITS, np.int32)
    moves[: len(steps)] = steps[:, 0] * keys.shape[1] + steps[:, 1]
    target = moves[flat & ((1 << RANK_BITS) - 1)] + np.arange(keys.size, dtype=np.int32)
    return PatchMatches(target, (flat >> RANK_BITS).astype(np.float32) * np.float32(scale))
