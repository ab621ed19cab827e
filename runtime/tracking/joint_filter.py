"""Joints smoothed for display: the One-Euro filter of every joint of every numbered person.

Casiez, Roussel and Vogel, "1€ Filter: A Simple Speed-based Low-pass Filter for Noisy Input in Interactive
Systems", CHI 2012. Speeds are in person sizes, so that near and far people are filtered alike.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from models.codecs.greedy_poses import box_sizes
from models.results import PersonResult, Pose, Result
from runtime.frames import Frame

LEAST_CUTOFF_HZ = 1.0  # of a joint at rest
BETA = 1.5  # Hz more for every person size per second
SPEED_CUTOFF_HZ = 1.0  # of the estimated speed
GAP_S = 0.5  # joints further apart in time have nothing to do with each other


@dataclass(frozen=True, eq=False)
class _State:
    """Filtered joints of a person."""

    at_s: float
    points: NDArray[np.float32]  #: (joints, 2) px
    velocity: NDArray[np.float32]  #: (joints, 2) px/s
    found: NDArray[np.bool_]  #: (joints,)


class JointFilter:
    """The joints of a video's people, steady where they rest and quick where they move; owned by one thread.

    People without a number are left as they are. A seek, a gap or another picture of one time begins anew.
    """

    def __init__(self) -> None:
        self._states: dict[int, _State] = {}
        self._source: tuple[int, tuple[int, int]] | None = None

    def filter(self, frame: Frame, result: Result) -> Result:
        """The result with filtered joints; boxes, masks and scores are not touched."""
        if self._source != (frame.source, frame.size):
            self._source, self._states = (frame.source, frame.size), {}
        self._states = {n: s for n, s in self._states.items() if 0 < frame.pts_s - s.at_s <= GAP_S}
        if not result.people:
            return result
        return replace(result, people=tuple(self._person(p, frame.pts_s) for p in result.people))

    def _person(self, person: PersonResult, now_s: float) -> PersonResult:
        if person.track_id is None or person.pose is None:
            return person
        pose = person.pose
        state = self._next(self._states.get(person.track_id), pose, now_s)
        self._states[person.track_id] = state
        return replace(person, pose=Pose(pose.joint_set, state.points.copy(), pose.scores.copy()))

    @staticmethod
    def _next(before: _State | None, pose: Pose, now_s: float) -> _State:
        found = pose.scores > 0
        if before is None:
            return _State(now_s, pose.points, np.zeros_like(pose.points), found)
        elapsed_s = now_s - before.at_s
        known = (found & before.found)[:, None]
        measured = (pose.points - before.points) / np.float32(elapsed_s)
        velocity = before.velocity + _weight(SPEED_CUTOFF_HZ, elapsed_s) * (measured - before.velocity)
        speed = np.hypot(*velocity.T) / box_sizes(pose.points[None])[0]
        weight = _weight(LEAST_CUTOFF_HZ + BETA * speed, elapsed_s)[:, None]
        points = np.where(known, before.points + weight * (pose.points - before.points), pose.points)
        return _State(
            now_s, points.astype(np.float32), np.where(known, velocity, 0).astype(np.float32), found
        )


def _weight(cutoff_hz: float | NDArray[np.float32], elapsed_s: float) -> NDArray[np.float32]:
    """Of the newest value in a low-pass filter of first order."""
    r = 2 * math.pi * np.asarray(cutoff_hz, np.float32) * np.float32(elapsed_s)
    return np.asarray(r / (r + 1), np.float32)
