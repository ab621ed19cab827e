"""Left and right: a guard that marks where they change places over time, and corrections of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from runtime.movement.history import MovementTrack
from runtime.movement.measures import pairs_of
from runtime.movement.sightings import Landmarks

PATIENCE_S = 0.3  #: since a pair was seen last, after which its places say nothing
CERTAIN = 0.5  #: a swap explains the places so much better: its distances are below this share
APART = 0.05  #: of the body height: limbs closer together cannot be told apart by place
LEAST_PAIRS = 2  #: of a limb that must be seen in both frames
_ENDS: Final = {
    "arms": ("uarm", "elbow", "larm", "wrist", "hand"),
    "legs": ("uleg", "knee", "lleg", "ankle", "foot"),
}


@dataclass(frozen=True)
class SideSwap:
    """Left and right limbs changed places between the frame before and this one."""

    frame: int
    limbs: str  #: `arms` or `legs`


def limbs_of(landmarks: Landmarks) -> dict[str, list[int]]:
    """Landmarks of both sides that belong to arms and to legs."""
    return {
        limbs: [i for i, name in enumerate(landmarks.names) if _end(name) in ends]
        for limbs, ends in _ENDS.items()
    }


def _end(name: str) -> str:
    return name[len("joint_r_") :] if name.startswith("joint_") else name[1:]


def side_swaps(track: MovementTrack) -> tuple[SideSwap, ...]:
    """Frames at which the arms or the legs of a person changed places.

    The places of the limb's pairs are compared with where both were seen last, at most `PATIENCE_S` before:
    a swap is when right is where left was and left where right was, much nearer than each to itself, while
    both are well apart. Limbs that cross, and a side that takes over the other without an exchange, are none.
    """
    pairs, height = pairs_of(track.landmarks), track.body_height_px
    if len(track.frames) < 2 or not np.isfinite(height):
        return ()
    found: list[SideSwap] = []
    for limbs, members in limbs_of(track.landmarks).items():
        right, left = np.array([p for p in pairs if p[0] in members], np.intp).reshape(-1, 2).T
        swapped = _swapped(
            track.times_s, track.points[:, right], track.points[:, left], apart_px=APART * height,
            weights=np.minimum(track.visibility[:, right], track.visibility[:, left]),
        )  # fmt: skip
        found += [SideSwap(int(f), limbs) for f in track.frames[swapped]]
    return tuple(sorted(found, key=lambda s: (s.frame, s.limbs)))


def _swapped(
    times_s: NDArray[np.float64],
    right: NDArray[np.float32],
    left: NDArray[np.float32],
    *,
    apart_px: float,
    weights: NDArray[np.float32],
) -> NDArray[np.bool_]:
    """(n,) True where the pairs (n, pairs, 2) changed sides."""
    n = len(times_s)
    both = np.isfinite(right).all(axis=-1) & np.isfinite(left).all(axis=-1)
    last = np.where(both, np.arange(n)[:, None], -1)
    last = np.vstack([np.full((1, both.shape[1]), -1), np.maximum.accumulate(last, axis=0)[:-1]])
    known = both & (last >= 0) & (times_s[:, None] - times_s[last] <= PATIENCE_S)
    columns = np.arange(both.shape[1])
    right_before, left_before = right[last, columns], left[last, columns]

    def distance(a: NDArray[np.float32], b: NDArray[np.float32]) -> NDArray[np.float64]:
        return np.where(known, np.hypot(*np.moveaxis(a.astype(np.float64) - b, -1, 0)), 0.0)

    weight = np.where(known, np.minimum(weights, weights[last, columns]), 0.0)
    total = weight.sum(axis=1)
    stays = (weight * (distance(right, right_before) + distance(left, left_before))).sum(axis=1)
    swaps = (weight * (distance(right, left_before) + distance(left, right_before))).sum(axis=1)
    apart = (weight * np.minimum(distance(right, left), distance(right_before, left_before))).sum(axis=1)
    clear = (known.sum(axis=1) >= LEAST_PAIRS) & (apart >= apart_px * total) & (total > 0)
    return np.asarray(clear & (swaps < CERTAIN * stays))


def swapped_landmarks(
    landmarks: Landmarks, corrections: Sequence[SideSwap], frames: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """(n, landmarks) True where corrections exchange the sides: from each one's frame on, until the next."""
    swapped = np.zeros((len(frames), len(landmarks.names)), np.bool_)
    for limbs, members in limbs_of(landmarks).items():
        times = sum((frames >= c.frame).astype(np.int64) for c in corrections if c.limbs == limbs)
        swapped[:, members] = (np.broadcast_to(times, len(frames)) % 2 == 1)[:, None]
    return swapped
