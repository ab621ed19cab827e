"""Where every pixel was one frame before, and will be one frame later: the best patch within reach.

A patch costs the sum of squared differences of its colours. Displacements are visited by length and only a
strictly cheaper one replaces an earlier one, so flat regions do not wander. Three facts make the whole search
cheap enough to be exhaustive. The cost of a pair of patches does not depend on who looks for whom, so one
visit of a displacement serves both directions of time. With colours of about 7 bits the squares of all three
channels fit 16 bits, where the box filter is fastest. And a cost with its displacement's rank behind it fits
32 bits: the smaller of two such keys is the cheaper patch, and among equals the shorter displacement.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
Displacements = NDArray[np.int32]
Progress = Callable[[int, int], None]  #: (pairs done, pairs in all); may raise to stop the work

RANK_BITS = 10  #: displacements that one search can tell apart: 1024
_NONE = np.iinfo(np.int32).max
LEAST_SPREAD = 0.25  #: a channel counts at most this many times more than its range would let it
JUMP_WINDOW = 5  #: pairs on each side that a shot change is compared with
LEAST_JUMP = 0.02  #: of the colours' variance; below this nothing is a shot change, only noise
LEAST_VOTES = 4  #: pixels at half size that must agree before a displacement is tried at full size


@dataclass(frozen=True)
class Search:
    """How patches are looked for.

    Attributes:
        reach: the farthest displacement in x and in y, px; with `pyramid` about twice that.
        patch: side of the patch, px, odd; 7 in the paper, which makes small people too fat.
        links: candidates kept per pixel; more than one for a mixture of links.
        pyramid: look at half size first, then only for displacements found there, give or take 2 px.
        most_cost: dearer links are cut, mean squared difference in units of the colours' variance; fast
            limbs are dear too, so it is off unless asked for.
        jump: a pair whose median cost is this many times its neighbours' is a shot change; its links are cut.
    """

    reach: int = 15
    patch: int = 5
    links: int = 1
    pyramid: bool = False
    most_cost: float | None = None
    jump: float = 5.0

    def __post_init__(self) -> None:
        if not 0 <= self.reach <= 15 or self.patch % 2 == 0 or not 1 <= self.patch <= 11 or self.links < 1:
            raise ValueError(f"{self}: reach 0..15, an odd patch up to 11 and at least one link")

    @property
    def levels(self) -> int:
        """Largest colour value for which a key fits 31 bits and a pixel's squared difference 16."""
        return int(np.sqrt(min(((1 << (31 - RANK_BITS)) - 1) / self.patch**2, (1 << 16) - 1) / 3))


@dataclass(frozen=True)
class Links:
    """Links of one frame's pixels into a neighbouring frame, best first.

    Attributes:
        target: (links, height·width) int32, flat pixel of the neighbour, -1 where the link is cut.
        cost: (links, height·width) float32, mean squared difference in units of the colours' variance.
    """

    target: NDArray[np.int32]
    cost: NDArray[np.float32]

    @property
    def best(self) -> NDArray[np.int32]:
        """(height·width) flat pixel of the neighbour, -1 where the link is cut."""
        best: NDArray[np.int32] = self.target[0]
        return best


@dataclass(frozen=True)
class Mapping:
    """Links between all neighbouring frames of a window.

    Attributes:
        size: (height, width).
        earlier: item k links the pixels of frame k+1 into frame k.
        later: item k links the pixels of frame k into frame k+1.
        shot_changes: frames that begin a new shot; nothing is linked across.
    """

    size: tuple[int, int]
    earlier: list[Links] = field(default_factory=list)
    later: list[Links] = field(default_factory=list)
    shot_changes: list[int] = field(default_factory=list)

    @property
    def notices(self) -> list[str]:
        """What the user should know of the window."""
        if not self.shot_changes:
            return []
        frames = ", ".join(str(k) for k in self.shot_changes)
        return [f"The picture changes abruptly at frame {frames} of the range: nothing is carried across."]


@dataclass(frozen=True)
class Colours:
    """Lab colours of a window on one scale: every channel of equal variance, whole numbers from 0."""

    low: NDArray[np.float32]  #: (3,)
    gain: NDArray[np.float32]  #: (3,) levels per unit of Lab
    levels: int
    unit: float  #: levels per standard deviation

    @classmethod
    def of(cls, frames: Sequence[Picture], levels: int) -> Colours:
        """The scale for a window, from at most 16 of its frames.

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
    return _sorted(steps)


def _sorted(steps: Displacements) -> Displacements:
    order = np.lexsort((steps[:, 1], steps[:, 0], (steps.astype(np.int64) ** 2).sum(1)))
    return np.ascontiguousarray(steps[order], np.int32)


def map_window(
    frames: Sequence[Picture],
    search: Search | None = None,
    *,
    threads: int = 1,
    progress: Progress | None = None,
) -> Mapping:
    """Link all neighbouring frames of a window, in both directions of time.

    Args:
        frames: (h, w, 3) RGB uint8 at the working size, one size for all.
        search: how to look; the default is exhaustive.
        threads: pairs matched at a time; a second one gains a fifth only, as both need Python's lock often.
        progress: called from this thread after each pair.
    """
    search = search or Search()
    if not frames:
        raise ValueError("map_window: there are no frames to link")
    if len({f.shape for f in frames}) > 1:
        raise ValueError("map_window: the frames differ in size")
    height, width = frames[0].shape[:2]
    colours = Colours.of(frames, search.levels)
    levels = [colours(f) for f in frames]
    mapping = Mapping((height, width))
    medians: list[float] = []
    for done, (earlier, later) in enumerate(_in_threads(levels, search, colours.unit, threads), start=1):
        medians.append(float(np.median(earlier.cost[0])))
        mapping.earlier.append(cut_dear(earlier, search.most_cost))
        mapping.later.append(cut_dear(later, search.most_cost))
        if progress is not None:
            progress(done, len(frames) - 1)
    for k in jumps(medians, search.jump):
        mapping.shot_changes.append(k + 1)
        mapping.earlier[k].target.fill(-1)
        mapping.later[k].target.fill(-1)
    return mapping


def _in_threads(
    levels: Sequence[Picture], search: Search, unit: float, threads: int
) -> Iterator[tuple[Links, Links]]:
    """Every pair in order; never more than a few waiting, so that a stopped window stops soon."""
    pool = ThreadPoolExecutor(max_workers=max(1, threads), thread_name_prefix="matching")
    try:
        waiting: deque[Future[tuple[Links, Links]]] = deque()
        for k in range(len(levels) - 1):
            waiting.append(pool.submit(match_pair, levels[k], levels[k + 1], search, unit))
            if len(waiting) > 2 * threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def match_pair(earlier: Picture, later: Picture, search: Search, unit: float = 1.0) -> tuple[Links, Links]:
    """Links of two neighbouring frames of levels: (later's pixels into earlier, earlier's into later)."""
    cv2.setNumThreads(1)
    steps = by_length(search.reach)
    if search.pyramid:
        steps = _found_at_half_size(earlier, later, search, steps)
    backward, forward = _keys(earlier, later, steps, search)
    scale = 1.0 / (3 * search.patch**2 * unit**2)
    return _decoded(backward, steps, scale), _decoded(forward, -steps, scale)


def cut_dear(links: Links, most_cost: float | None) -> Links:
    """The same links without those to patches that look too different: occluded, or just come into sight."""
    if most_cost is not None:
        links.target[links.cost > most_cost] = -1
    return links


def jumps(medians: Sequence[float], times: float) -> list[int]:
    """Pairs whose cost stands out from those just before and just after: changes of shot."""
    found = []
    for k, cost in enumerate(medians):
        before, after = medians[max(0, k - JUMP_WINDOW) : k], medians[k + 1 : k + 1 + JUMP_WINDOW]
        usual = float(np.median([*before, *after])) if before or after else cost
        if cost > max(times * usual, LEAST_JUMP):
            found.append(k)
    return found


def _keys(
    earlier: Picture, later: Picture, steps: Displacements, search: Search
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Smallest keys, cost·1024 + rank, of every pixel: (later's, earlier's), each (links, h, w)."""
    height, width = later.shape[:2]
    rim = search.patch // 2
    rows = height + 2 * rim
    new, old = _planes(later, rim), _planes(earlier, rim)
    backward = np.full((search.links, height, width), _NONE, np.int32)
    forward = backward.copy()
    room16, room32 = np.empty(new.size, np.int16), np.empty((2, rows * new.shape[1]), np.int32)
    for rank, (dy, dx) in enumerate(steps.tolist()):
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
        _keep(backward[:, y : y + high, x : x + wide], key)
        _keep(forward[:, y + dy : y + dy + high, x + dx : x + dx + wide], key)
    return backward, forward


def _keep(best: NDArray[np.int32], key: NDArray[np.int32]) -> None:
    """Put `key` in its place among the best, smallest first; `key` itself stays as it is."""
    for place in best[:-1]:
        larger = np.maximum(place, key)
        cv2.min(place, key, dst=place)
        key = larger
    cv2.min(best[-1], key, dst=best[-1])


def _planes(levels: Picture, rim: int) -> NDArray[np.int16]:
    """The channels one below the other, edges repeated: (3·(h + 2·rim), w + 2·rim)."""
    padded = cv2.copyMakeBorder(levels, rim, rim, rim, rim, cv2.BORDER_REPLICATE)
    planes = np.moveaxis(np.asarray(padded, np.int16), 2, 0)
    return np.ascontiguousarray(planes).reshape(-1, planes.shape[2])


def _decoded(keys: NDArray[np.int32], steps: Displacements, scale: float) -> Links:
    count, height, width = keys.shape
    flat = keys.reshape(count, -1)
    moves = np.zeros(1 << RANK_BITS, np.int32)
    moves[: len(steps)] = steps[:, 0] * width + steps[:, 1]
    target = moves[flat & ((1 << RANK_BITS) - 1)] + np.arange(height * width, dtype=np.int32)
    target[flat == _NONE] = -1
    return Links(target, (flat >> RANK_BITS).astype(np.float32) * np.float32(scale))


def _found_at_half_size(
    earlier: Picture, later: Picture, search: Search, steps: Displacements
) -> Displacements:
    """Displacements worth trying: those that some pixels chose at half size, doubled, give or take 2 px."""
    half = [
        np.asarray(cv2.resize(p, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), np.uint8)
        for p in (earlier, later)
    ]
    single = Search(search.reach, search.patch, links=1)
    ranks = [k[0] & ((1 << RANK_BITS) - 1) for k in _keys(half[0], half[1], steps, single)]
    votes = sum(np.bincount(r.ravel(), minlength=len(steps)) for r in ranks)
    chosen = np.flatnonzero(np.asarray(votes) >= LEAST_VOTES)
    chosen = chosen[np.argsort(-np.asarray(votes)[chosen], kind="stable")]
    near = by_length(2)
    tried = {(0, 0): None}  # the most voted first, as long as ranks last
    for dy, dx in (2 * steps[chosen]).tolist():
        block = [(dy + ny, dx + nx) for ny, nx in near.tolist()]
        if len(tried.keys() | set(block)) > 1 << RANK_BITS:
            break
        tried.update(dict.fromkeys(block))
    return _sorted(np.array(list(tried), np.int32))
