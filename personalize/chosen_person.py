"""Chosen person: one person followed through a clip among others, and whose each pixel of its frames is.

Numbers of a tracker are believed while colours agree. Where two people cross and each then has the other's
colours, they have changed numbers; who is gone and comes back under another number is known by colours alone.
Somebody else is whoever was seen in one picture with the chosen person; other colours alone do not make one,
for a person who kneels or turns has other colours too. What is doubtful is nobody's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from runtime.tracking.similarity import Sighting, likeness

#: whose a pixel is; beside the chosen person's mask it is theirs where P(person) is sure, else nobody's
OWN, BESIDE, OTHER, NOBODY = 1, 3, 2, 0
SURE: Final = 0.8  #: P(person) that is believed beside the mask: hair and hands have more, furniture less
SAME: Final = 0.7  #: likeness in colours of one person before and after they were out of sight
DOUBT: Final = 0.1  #: beneath it the tracker's number is not believed
SWAPPED: Final = 3.0  #: times as alike, crosswise, as two people must be who have changed numbers
TWIN: Final = 0.93  #: likeness of somebody beside the chosen person whom colours cannot tell apart
WITHIN: Final = 0.5  #: share of a mask inside the chosen person's: a double rather than somebody else
GROWN: Final = 1.7  #: times its usual area, a mask holds two people
LEARNING: Final = 0.15  #: weight of a new area in the usual one
MASK_PX: Final = 1.0  #: at the working size: how far a mask may be wrong
BAND_PX: Final = 2.0  #: at the working size: this near to both, a pixel is nobody's
REACH: Final = 0.12  #: how far beyond the mask a person reaches (hair, hands), in roots of its area
LEAST_AREA: Final = 1e-3  #: of the picture, of a region that may be a person
NEAR: Final = 0.02  #: of the longer side: a click this far from somebody is meant for them
STILL: Final = 0.02  #: of its size: a smaller movement of a person is noise

Mask = NDArray[np.bool_]
Map = NDArray[np.float32]
Zones = NDArray[np.uint8]
TwoMasks = tuple[Mask, Mask]


@dataclass(frozen=True, eq=False)
class PeopleInFrame:
    """People seen in one frame, by number.

    Attributes:
        frame: counts the frames that were read from 0.
        seen: colours, joints and size of each; a negative number is of one frame alone.
        masks: (h, w) of each, at the working size.
    """

    frame: int
    seen: Mapping[int, Sighting]
    masks: Mapping[int, Mask]


@dataclass(frozen=True)
class FrameRoles:
    """Numbers of the chosen person (None: not surely seen) and of those who surely are somebody else."""

    own: int | None = None
    others: frozenset[int] = frozenset()


def follow(found: Sequence[PeopleInFrame], start: int, number: int) -> list[FrameRoles]:
    """Roles in every frame that was searched, both ways in time from the one in which somebody was chosen.

    Args:
        found: people, in the order of time.
        start: index into `found`.
        number: of the chosen person there.
    """
    roles = [FrameRoles()] * len(found)
    others: set[int] = set()
    for order in (range(start, len(found)), range(start, -1, -1)):
        walk = _Walk(number, found[start].seen[number], _area(found[start], number), others)
        for i in order:
            roles[i] = walk.role(found[i])
        others = walk.others if number not in walk.others else set()
    return roles


def twins(found: Sequence[PeopleInFrame], roles: Sequence[FrameRoles]) -> frozenset[int]:
    """Numbers of people who stand beside the chosen one in the same colours: in a mirror, or dressed alike.

    A factor learns colours and shapes. That one of two equals is background would contradict the other one.
    """
    alike: dict[int, list[float]] = {}
    for at, role in zip(found, roles, strict=True):
        if role.own is not None:
            for n in role.others:
                alike.setdefault(n, []).append(_alike(at.seen[role.own], at.seen[n]))
    return frozenset(n for n, values in alike.items() if np.median(values) >= TWIN)


@dataclass
class _Walk:
    """One way through time.

    Attributes:
        own: number that the chosen person has now.
        model: the chosen person as seen so far.
        area: usual pixels of the mask.
        others: numbers seen beside the chosen person.
        models: those people as seen so far.
    """

    own: int
    model: Sighting
    area: float
    others: set[int]
    models: dict[int, Sighting] = field(default_factory=dict)

    def role(self, at: PeopleInFrame) -> FrameRoles:
        """Roles in the next frame."""
        own = self._own(at)
        if own is not None:
            self.model = at.seen[own].after(self.model)
            apart = {n for n in at.seen if (at.masks[n] & at.masks[own]).sum() <= WITHIN * _area(at, n)}
            beside = {n for n in apart if n > 0 and n != own}
            self.others |= beside
            for n in beside:
                self.models[n] = at.seen[n].after(self.models[n]) if n in self.models else at.seen[n]
            return FrameRoles(own, frozenset(beside))
        return FrameRoles(None, frozenset(self.others & at.seen.keys()))

    def _own(self, at: PeopleInFrame) -> int | None:
        """Number of the chosen person in a frame; None where it is not sure."""
        if self.own in at.seen:
            self._exchange(at)
        if self.own not in at.seen:
            unknown = {n: _alike(self.model, s) for n, s in at.seen.items() if n not in self.others}
            best = max(unknown, key=unknown.__getitem__, default=None)
            if best is None or unknown[best] < SAME:
                return None
            self.own = best
            self.area = _area(at, best)
        area, usual = _area(at, self.own), self.area
        self.area += LEARNING * (area - usual)
        sure = area <= GROWN * usual and _alike(self.model, at.seen[self.own]) >= DOUBT
        return self.own if sure else None

    def _exchange(self, at: PeopleInFrame) -> None:
        """Exchange numbers with whoever has the chosen person's colours while that one has theirs."""
        own = at.seen[self.own]
        for n in self.models.keys() & at.seen.keys():
            model, other = self.models[n], at.seen[n]
            crosswise = _alike(self.model, other) * _alike(model, own)
            if crosswise > SWAPPED * max(_alike(self.model, own) * _alike(model, other), 1e-3):
                self.models[self.own] = self.models.pop(n)
                self.others = (self.others | {self.own}) - {n}
                self.own = n
                return


def _alike(first: Sighting, second: Sighting) -> float:
    return float(likeness([first], [second])[0, 0])


def _area(at: PeopleInFrame, number: int) -> float:
    return float(at.masks[number].sum())


def silhouette_regions(person: Mask) -> list[Mask]:
    """Connected regions of a silhouette that are large enough for a person; the others are noise."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(person.astype(np.uint8))
    least = LEAST_AREA * person.size
    return [labels == n for n in range(1, count) if stats[n, cv2.CC_STAT_AREA] >= least]


def person_at(masks: Sequence[Mask], x: float, y: float) -> int | None:
    """Index of the mask at a point or next to it, the one whose middle is nearest of several.

    Args:
        masks: (h, w) of each person.
        x: from the left, as a share of the picture's width.
        y: from above, as a share of its height.
    """
    hits = []
    for i, mask in enumerate(masks):
        v, u = np.nonzero(mask)
        away = np.hypot(u + 0.5 - x * mask.shape[1], v + 0.5 - y * mask.shape[0])
        if len(away) and away.min() <= NEAR * max(mask.shape):
            hits.append((max(float(away.min()) - 1, 0.0), float(away.mean()), i))
    return min(hits)[2] if hits else None


def middle_of(mask: NDArray[Any], size: tuple[int, int]) -> tuple[float, float]:
    """Point (x, y) of a mask nearest to its middle, px of a picture of this size; it has one."""
    (v, u), (height, width) = np.nonzero(mask), mask.shape
    at = int(np.argmin((v - v.mean()) ** 2 + (u - u.mean()) ** 2))
    return float((u[at] + 0.5) * size[0] / width), float((v[at] + 0.5) * size[1] / height)


def largest_moving(found: Sequence[PeopleInFrame]) -> tuple[int, int] | None:
    """Index and number of the person who sweeps most of the picture, where seen best; else of the largest.

    Returns:
        None where nobody is seen.
    """
    last: dict[int, Sighting] = {}
    swept: dict[int, float] = {}
    covered: dict[int, float] = {}
    best: dict[int, tuple[float, int]] = {}
    for i, at in enumerate(found):
        for n, seen in at.seen.items():
            moved = float(np.hypot(*seen.away_from(last[n]))) if n in last else 0.0
            swept[n] = swept.get(n, 0.0) + seen.size * max(0.0, moved - STILL * seen.size)
            covered[n] = covered.get(n, 0.0) + _area(at, n)
            best[n] = max(best.get(n, (0.0, i)), (seen.score * _area(at, n), i))
            last[n] = seen
    if not covered:
        return None
    number = max(covered, key=lambda n: (swept[n], covered[n]))
    return best[number][1], number


def zones(
    found: Sequence[PeopleInFrame], roles: Sequence[FrameRoles], frames: int, shape: tuple[int, int]
) -> Zones:
    """(frames, h, w) whose each pixel is; of a frame that was not searched, by those before and after it.

    Where the chosen person is not seen, somebody else near the last and next place of theirs is nobody: the
    mask may hold both. Where nobody else is known, whoever is there is the chosen one if P(person) is sure.
    """
    own = [_union(at, () if r.own is None else (r.own,), shape) for at, r in zip(found, roles, strict=True)]
    other = [_union(at, r.others, shape) for at, r in zip(found, roles, strict=True)]
    single = not any(r.others for r in roles)
    beside = [_distance(mask) <= REACH * np.sqrt(mask.sum()) for mask in own]
    for i, role in enumerate(roles):
        if role.own is None:
            expected = _expected(own, roles, i)
            other[i] &= ~expected
            beside[i] = expected & (single or not found[i].seen)
    at = [p.frame for p in found]
    made = np.zeros((frames, *shape), np.uint8)
    for k in range(frames):
        after = min(int(np.searchsorted(at, k)), len(at) - 1)
        before = after if at[after] <= k else max(after - 1, 0)
        made[k] = _zones(*((seen[before], seen[after]) for seen in (own, beside, other)))
    return made


def _union(at: PeopleInFrame, numbers: frozenset[int] | tuple[int, ...], shape: tuple[int, int]) -> Mask:
    masks = [at.masks[n] for n in numbers]
    return np.asarray(np.logical_or.reduce(masks) if masks else np.zeros(shape, bool), bool)


def _expected(own: Sequence[Mask], roles: Sequence[FrameRoles], i: int) -> Mask:
    """Box round the last and the next place of the chosen person, and a little more."""
    earlier = next((own[j] for j in reversed(range(i)) if roles[j].own is not None), None)
    later = next((own[j] for j in range(i, len(own)) if roles[j].own is not None), None)
    box = np.zeros_like(own[i])
    known = [m for m in (earlier, later) if m is not None and m.any()]
    if known:
        rows, columns = np.nonzero(np.logical_or.reduce(known))
        margin = int(REACH * np.sqrt(max(m.sum() for m in known))) + 1
        top, left = max(rows.min() - margin, 0), max(columns.min() - margin, 0)
        box[top : rows.max() + margin + 1, left : columns.max() + margin + 1] = True
    return box


def _zones(own: TwoMasks, beside: TwoMasks, other: TwoMasks) -> Zones:
    """Zones by the masks of the searched frames before and after: what moved between them is not sure."""
    made = np.full(own[0].shape, NOBODY, np.uint8)
    to_own, to_other = _distance(own[0] | own[1]), _distance(other[0] | other[1])
    to_sure = _distance(own[0] & own[1]) if (own[0] & own[1]).any() else to_own
    made[(beside[0] | beside[1]) & (to_sure + BAND_PX <= to_other)] = BESIDE
    made[(_distance(own[0] & own[1]) <= MASK_PX) & (to_sure + BAND_PX <= to_other)] = OWN
    made[(other[0] | other[1]) & (to_own >= BAND_PX)] = OTHER
    return made


def _distance(mask: Mask) -> Map:
    """Distance of each pixel from a mask, px."""
    if not mask.any():
        return np.full(mask.shape, np.inf, np.float32)
    return np.asarray(cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, 3), np.float32)


def alone(person: Map, whose: Zones, background: float) -> Map:
    """P(person) or seeds with the chosen person alone: others are background, doubt is one half."""
    doubt = (whose == NOBODY) | ((whose == BESIDE) & (person < SURE))
    made = np.where(doubt & (person > 0.5), np.float32(0.5), person)
    return np.asarray(np.where(whose == OTHER, np.float32(background), made), np.float32)
