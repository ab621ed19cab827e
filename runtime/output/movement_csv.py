"""movement.csv: a row per frame and person with everything that is measured (docs/movement.md)."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.results import Result
from runtime.frames import Frame
from runtime.movement.history import MovementHistory, MovementTrack
from runtime.movement.measures import angles, angles_of, pairs_of, speeds, symmetry
from runtime.movement.sides import SideSwap, corrected, side_swaps
from runtime.movement.sightings import BodyPlaces, Landmarks, are_merged, sightings
from runtime.output.coco import Origin
from runtime.output.growing_file import GrowingText

_UNBOUNDED: Final = 1 << 40
_MERGED: Final = 0.2  # share of the frames from which on somebody is told that they show several people
_FIRST: Final = ("frame", "pts", "person", "swapped", "height_px")  # the last one a number
_OF_LANDMARKS: Final = ("visibility", "x_px", "y_px", "px_s")


def columns(landmarks: Landmarks) -> list[str]:
    """The first line's words."""
    names = landmarks.names
    return [
        *_FIRST,
        *(f"{n}_area_px" for n in names[: landmarks.parts]),
        *(f"{n}_{what}" for what in _OF_LANDMARKS for n in names),
        *(f"{names[r][1:]}_symmetry" for r, left in pairs_of(landmarks) if left < landmarks.parts),
        *(f"{a.name}_deg" for a in angles_of(landmarks)),
    ]


def table(history: MovementHistory, corrections: Sequence[SideSwap] = ()) -> Iterator[str]:
    """Lines with their ends: the header, then by person and frame.

    Args:
        history: of a clip.
        corrections: exchanges of sides, done before anything is measured.
    """
    yield ",".join(columns(history.landmarks)) + "\n"
    for person in history.people:
        track = history.track(person)
        if track is not None:
            yield from _rows(person, corrected(track, corrections))


def _rows(person: int, track: MovementTrack) -> Iterator[str]:
    marks = track.landmarks
    pairs = [p for p in pairs_of(marks) if p[1] < marks.parts]
    every = range(len(marks.names))
    groups: list[tuple[str, NDArray[np.floating]]] = [
        ("%.1f", track.heights[:, None]),
        ("%.0f", track.areas),
        ("%.4f", track.visibility),
        ("%.2f", track.points[..., 0]),
        ("%.2f", track.points[..., 1]),
        ("%.2f", speeds(track, every)),
        ("%.4f", symmetry(*(track.areas[:, [p[side] for p in pairs]] for side in (0, 1)))),
        ("%.2f", angles(track, angles_of(marks))),
    ]
    swaps: dict[int, list[str]] = {}
    for swap in side_swaps(track):
        swaps.setdefault(swap.frame, []).append(swap.limbs)
    for i, (frame, time_s) in enumerate(zip(track.frames.tolist(), track.times_s.tolist(), strict=True)):
        cells = [str(frame), f"{time_s:.6f}", str(person), " ".join(swaps.get(frame, ()))]
        for form, values in groups:
            cells += ["" if v != v else form % v for v in values[i].tolist()]  # noqa: PLR0124 not a number
        yield ",".join(cells) + "\n"


def read(lines: Iterable[str], landmarks: Landmarks) -> dict[int, tuple[float, dict[int, BodyPlaces]]]:
    """By frame its time and everybody in it, of a table that is to be measured again.

    Raises:
        ValueError: when it is none of these landmarks.
    """
    rows = csv.reader(lines)
    if next(rows, []) != columns(landmarks):
        raise ValueError("movement.csv has other columns")
    parts, marks, first = landmarks.parts, len(landmarks.names), len(_FIRST)
    found: dict[int, tuple[float, dict[int, BodyPlaces]]] = {}
    for row in rows:
        numbers = [float(cell or "nan") for cell in row[first - 1 : first + parts + 3 * marks]]
        values = np.array(numbers, np.float32)
        visibility, x, y = values[1 + parts :].reshape(3, marks)
        places = BodyPlaces(values[1 : 1 + parts], np.stack((x, y), axis=1), visibility, numbers[0])
        found.setdefault(int(row[0]), (float(row[1]), {}))[1][int(row[2])] = places
    return found


class MovementTable(GrowingText):
    """movement.csv of a clip. A speed needs the frames after it: the lines are written at the end."""

    def __init__(self, path: Path, origin: Origin) -> None:
        super().__init__(path)
        self._joint_set = origin.joint_set
        self._history: MovementHistory | None = None
        self._frames = self._merged = 0

    def write(self, frame: Frame, result: Result) -> None:
        """Note a frame."""
        if self._history is None:
            parts = result.parsing.part_set if result.parsing is not None else None
            self._history = MovementHistory(Landmarks(parts, self._joint_set), _UNBOUNDED, _UNBOUNDED)
        self._history.add(frame.index, frame.pts_s, sightings(result, self._history.landmarks))
        self._frames += 1
        self._merged += are_merged(result, self._history.landmarks)

    def finish(self) -> str:
        """Measure, write and complete the file."""
        for line in table(self._history) if self._history is not None else ():
            self.put(line)
        super().finish()
        if self._merged < max(1, _MERGED * self._frames):
            return ""
        where = f"{self._merged} of {self._frames} frames (two or more large regions apart)"
        return f"movement.csv: figures are of everybody together in {where}; use people-s31 to measure each"
