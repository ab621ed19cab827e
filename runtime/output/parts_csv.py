"""parts.csv: where each part is, how large and how sure, per frame."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Final

from models.centroids import part_centroids
from models.results import Parsing, Result
from runtime.frames import Frame
from runtime.output.coco import Origin
from runtime.output.growing_file import GrowingText

_COLUMNS: Final = "file frame pts part_id part area centroid_x centroid_y mean_probability output"


def header() -> str:
    """The first line, with its line end."""
    return _text([tuple(_COLUMNS.split())])


def rows(parsing: Parsing, origin: Origin) -> str:
    """One line per part of the model's set, the absent ones with area 0 and empty centroid and probability.

    Areas and centroids are in pixels of the displayed picture; pixel centres are at integers.
    """
    of = part_centroids(parsing)
    (width, height), (down, across) = parsing.size, parsing.labels.shape
    scale = (width / across) * (height / down)
    measured = zip(of.areas.tolist(), of.points.tolist(), of.confidences.tolist(), strict=True)
    where = origin.file_name, origin.frame, f"{origin.pts_s:.6f}"
    lines: list[tuple[object, ...]] = []
    for part, (name, (n, (x, y), p)) in enumerate(zip(parsing.part_set.class_names, measured, strict=True)):
        absent = (0, "", "", "")
        found = (round(n * scale), f"{x:.2f}", f"{y:.2f}", f"{p / 255:.4f}") if n else absent
        lines.append((*where, part, name, *found, origin.output))
    return _text(lines[1:])  # without the background


class PartsTable(GrowingText):
    """parts.csv of a clip."""

    def __init__(self, path: Path, origin: Origin) -> None:
        super().__init__(path)
        self._origin = origin
        self.put(header())

    def write(self, frame: Frame, result: Result) -> None:
        """Append the rows of a frame."""
        origin = replace(self._origin, frame=frame.index, pts_s=frame.pts_s)
        self.put(entry(result, origin, frame.size))


def entry(result: Result, origin: Origin, _size: tuple[int, int]) -> str:
    """The rows of one picture, for the table of many."""
    return rows(result.parsing, origin) if result.parsing is not None else ""


def joined(entries: Iterable[str]) -> str:
    """The text of the table of many pictures."""
    return header() + "".join(entries)


def split(text: str) -> dict[str, str]:
    """The rows of such a table by the name of their results.

    Raises:
        ValueError: when it is none.
    """
    first, *lines = text.splitlines(keepends=True) or [""]
    if first != header():
        raise ValueError("parts.csv has other columns")
    found: dict[str, str] = {}
    for line in lines:
        name = next(csv.reader(io.StringIO(line)))[-1]
        found[name] = found.get(name, "") + line
    return found


def _text(lines: Iterable[tuple[object, ...]]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(lines)
    return out.getvalue()
