"""History of a clip's people: a ring of numbers per person, from which measures are made."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from runtime.movement.sightings import BodyPlaces, Landmarks

MOST_FRAMES = 18_000  #: ten minutes at 30 frames a second; then the oldest make room
MOST_PEOPLE = 12  #: then whoever was not seen for longest makes room
FIRST_FRAMES = 512  #: for which a person's ring has room at first


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
        parts = other[:, : self.areas.shape[1]]
        return replace(
            self,
            areas=np.take_along_axis(self.areas, parts, 1),
            points=np.take_along_axis(self.points, other[..., None], 1),
            visibility=np.take_along_axis(self.visibility, other, 1),
        )


class MovementHistory:
    """Rings of the people of one clip and one model; any thread may add, any may read.

    Attributes:
        landmarks: of the model.
        version: counts changes.
    """

    def __init__(
        self, landmarks: Landmarks, most_frames: int = MOST_FRAMES, most_people: int = MOST_PEOPLE
    ) -> None:
        self.landmarks = landmarks
        self.version = 0
        self._most, self._most_people = max(1, most_frames), most_people
        self._rings: dict[int, _Ring] = {}  # whoever was seen last comes last
        self._seen: dict[int, None] = {}  # indices of frames, also of those with nobody in them
        self._lock = threading.Lock()

    def add(self, frame: int, time_s: float, people: dict[int, BodyPlaces]) -> None:
        """Note everybody in a frame; a frame seen again takes its place."""
        with self._lock:
            self.version += 1
            self._seen.pop(frame, None)
            self._seen[frame] = None
            if len(self._seen) > self._most:
                del self._seen[next(iter(self._seen))]
            for number, ring in self._rings.items():
                if number not in people:
                    ring.forget(frame)
            for number, sighting in people.items():
                if number not in self._rings and len(self._rings) >= self._most_people:
                    del self._rings[next(iter(self._rings))]
                ring = self._rings.pop(number) if number in self._rings else _Ring(self.landmarks, self._most)
                ring.put(frame, time_s, sighting)
                self._rings[number] = ring

    @property
    def frames(self) -> int:
        """Number of frames that were seen."""
        return len(self._seen)

    @property
    def people(self) -> tuple[int, ...]:
        """Numbers of the people, lowest first."""
        with self._lock:
            return tuple(sorted(self._rings))

    def track(self, person: int) -> MovementTrack | None:
        """One person so far, copied; None when there is no such person."""
        with self._lock:
            ring = self._rings.get(person)
            return ring.track(self.landmarks) if ring is not None else None


class _Ring:
    """Rows of one person at `frame % capacity`, of a capacity that doubles up to the limit."""

    def __init__(self, landmarks: Landmarks, most: int) -> None:
        self._parts, self._marks, self._most = landmarks.parts, len(landmarks.names), most
        self._allocate(min(most, FIRST_FRAMES))

    def put(self, frame: int, time_s: float, sighting: BodyPlaces) -> None:
        """Write a row over the one of an older frame, unless there may be more room."""
        while self._frames[frame % len(self._frames)] not in {-1, frame} and len(self._frames) < self._most:
            self._grow()
        at = frame % len(self._frames)
        self._frames[at], self._times[at] = frame, time_s
        self._rows[at] = np.concatenate(
            (sighting.areas, sighting.visibility, sighting.points.ravel(), [sighting.height_px])
        )

    def forget(self, frame: int) -> None:
        """Clear the row of a frame in which the person is not seen any more."""
        at = frame % len(self._frames)
        if self._frames[at] == frame:
            self._frames[at] = -1

    def track(self, landmarks: Landmarks) -> MovementTrack:
        """The rows in order."""
        used = np.flatnonzero(self._frames >= 0)
        used = used[np.argsort(self._frames[used])]
        rows, parts, marks = self._rows[used], self._parts, self._marks
        points = rows[:, parts + marks : -1].reshape(len(rows), marks, 2)
        return MovementTrack(
            landmarks, self._frames[used], self._times[used], rows[:, :parts], points,
            rows[:, parts : parts + marks], rows[:, -1],
        )  # fmt: skip

    def _allocate(self, capacity: int) -> None:
        self._frames = np.full(capacity, -1, np.int64)
        self._times = np.zeros(capacity)
        self._rows = np.zeros((capacity, self._parts + 3 * self._marks + 1), np.float32)

    def _grow(self) -> None:
        frames, times, rows = self._frames, self._times, self._rows
        self._allocate(min(self._most, 2 * len(frames)))
        used = np.flatnonzero(frames >= 0)
        at = frames[used] % len(self._frames)
        self._frames[at], self._times[at], self._rows[at] = frames[used], times[used], rows[used]
