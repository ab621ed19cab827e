"""Left and right: a guard that marks where they change places over time, and corrections of it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.results import PersonResult, Pose, Result
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


def exchanged(result: Result, landmarks: Landmarks, limbs: Collection[str]) -> Result:
    """A result with left and right exchanged in these limbs, in the labels and in everybody's joints."""
    parts, marks = landmarks.parts, limbs_of(landmarks)
    members = np.array(sorted(m for name in limbs for m in marks[name]), np.intp)
    order = np.arange(len(landmarks.names))
    order[members] = landmarks.mirror[members]
    parsing, people = result.parsing, result.people
    if parsing is not None and parsing.part_set == landmarks.part_set and len(members):
        table = np.arange(256, dtype=np.uint8)
        table[1 : parts + 1] = order[:parts] + 1
        parsing = replace(parsing, labels=table[parsing.labels])
    joints = order[parts:] - parts
    return Result(parsing, tuple(_with_joints(person, landmarks, joints) for person in people))


def _with_joints(person: PersonResult, landmarks: Landmarks, joints: NDArray[np.intp]) -> PersonResult:
    pose = person.pose
    if pose is None or pose.joint_set != landmarks.joint_set:
        return person
    return replace(person, pose=Pose(pose.joint_set, pose.points[joints], pose.scores[joints]))


def limbs_at(corrections: Sequence[SideSwap], frame: int) -> list[str]:
    """Limbs whose sides are exchanged in a frame: from a correction on, until the next one of the limb."""
    return [limbs for limbs in _ENDS if sum(c.limbs == limbs and c.frame <= frame for c in corrections) % 2]


def corrected_result(
    result: Result, frame: int, landmarks: Landmarks, corrections: Sequence[SideSwap]
) -> Result:
    """The result of a frame with its sides exchanged as corrections say."""
    limbs = limbs_at(corrections, frame)
    return exchanged(result, landmarks, limbs) if limbs else result


def corrected(track: MovementTrack, corrections: Sequence[SideSwap]) -> MovementTrack:
    """The track with its sides exchanged as corrections say."""
    swapped = np.zeros((len(track.frames), len(track.landmarks.names)), np.bool_)
    for limbs, members in limbs_of(track.landmarks).items():
        starts = np.sort([c.frame for c in corrections if c.limbs == limbs])
        swapped[:, members] = (np.searchsorted(starts, track.frames, side="right") % 2 == 1)[:, None]
    return track.swapped(swapped)


def toggled(corrections: Sequence[SideSwap], others: Sequence[SideSwap]) -> tuple[SideSwap, ...]:
    """Corrections with others added, or taken away where they are there already."""
    return tuple(sorted(set(corrections) ^ set(others), key=lambda s: (s.frame, s.limbs)))
