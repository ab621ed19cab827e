"""History of a clip's people: rows of numbers per person and frame, from which measures are made."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from runtime.movement.sightings import BodyPlaces, Landmarks

MOST_FRAMES = 18_000  #: of each person, ten minutes at 30 frames a second; then the oldest make room
MOST_PEOPLE = 12  #: then whoever was not seen for longest makes room


@dataclass(frozen=True, eq=False)
class MovementTrack:
    """One person over time, in the order of frames. Frames that were not seen have no row."""

    landmarks: Landmarks
    frames: NDArray[np.int64]  #: (n,) indices, rising
    times_s: NDArray[np.float64]  #: (n,) presentation times
    areas: NDArray[np.float32]  #: (n, parts) px
    points: NDArray[np.float32]  #: (n, landmarks, 2) px, NaN where there is none
    visibility: NDArray[np.float32]  #: (n, landmarks)
    heights: NDArray[np.float32]  #: (n,) px, NaN where there is none

    @property
    def body_height_px(self) -> float:
        """Height of the person upright: the 95th percentile of all heights; NaN without any."""
        seen = self.heights[np.isfinite(self.heights)]
        return float(np.percentile(seen, 95)) if len(seen) else float("nan")

    def swapped(self, swapped: NDArray[np.bool_]) -> MovementTrack:
        """The track with landmarks of both sides exchanged where `swapped` (n, landmarks) says so."""
        other = np.where(swapped, self.landmarks.mirror, np.arange(len(self.landmarks.mirror)))
        return replace(
            self,
            areas=np.take_along_axis(self.areas, other[:, : self.areas.shape[1]], 1),
            points=np.take_along_axis(self.points, other[..., None], 1),
            visibility=np.take_along_axis(self.visibility, other, 1),
        )


class MovementHistory:
    """Rows of the people of one clip and one model, bounded; any thread may add, any may read.

    Attributes:
        landmarks: of the model.
        version: counts changes.
    """

    def __init__(
        self, landmarks: Landmarks, most_frames: int = MOST_FRAMES, most_people: int = MOST_PEOPLE
    ) -> None:
        self.landmarks = landmarks
        self.version = 0
        self._most, self._most_people = most_frames, most_people
        self._rows: dict[
            int, dict[int, tuple[float, NDArray[np.float32]]]
        ] = {}  # whoever was seen last: last
        self._seen: dict[int, None] = {}  # indices of frames, also of those with nobody in them
        self._lock = threading.Lock()

    def add(self, frame: int, time_s: float, people: dict[int, BodyPlaces]) -> None:
        """Note everybody in a frame; a frame seen again takes its place."""
        with self._lock:
            self.version += 1
            self._seen.pop(frame, None)
            self._seen[frame] = None
            for rows in self._rows.values():
                rows.pop(frame, None)
            if len(self._seen) > self._most:
                del self._seen[next(iter(self._seen))]
            for number, of in people.items():
                if number not in self._rows and len(self._rows) >= self._most_people:
                    del self._rows[next(iter(self._rows))]
                numbers = (of.areas, of.visibility, of.points.ravel(), [of.height_px])
                rows = self._rows[number] = self._rows.pop(number, {})
                rows[frame] = time_s, np.concatenate(numbers, dtype=np.float32)
                if len(rows) > self._most:
                    del rows[next(iter(rows))]

    @property
    def frames(self) -> int:
        """Number of frames that were seen."""
        return len(self._seen)

    @property
    def people(self) -> tuple[int, ...]:
        """Numbers of the people, lowest first."""
        with self._lock:
            return tuple(sorted(n for n, rows in self._rows.items() if rows))

    def track(self, person: int) -> MovementTrack | None:
        """One person so far, copied; None when there is no such person."""
        with self._lock:
            rows = sorted(self._rows.get(person, {}).items())
        if not rows:
            return None
        parts, marks = self.landmarks.parts, len(self.landmarks.names)
        numbers = np.stack([row for _, (_, row) in rows])
        return MovementTrack(
            self.landmarks,
            np.array([frame for frame, _ in rows]),
            np.array([time_s for _, (time_s, _) in rows]),
            numbers[:, :parts],
            numbers[:, parts + marks : -1].reshape(len(rows), marks, 2),
            numbers[:, parts : parts + marks],
            numbers[:, -1],
        )
