"""parts.csv: where each part is, how large and how sure, per frame."""

from __future__ import annotations

import csv
import io
from typing import Final

import numpy as np

from models.results import Parsing
from runtime.output.coco import Place

HEADER: Final = (
    "file",
    "frame",
    "pts",
    "part_id",
    "part",
    "area",
    "centroid_x",
    "centroid_y",
    "mean_probability",
    "output",
)


def header() -> str:
    """The first line, with its line end."""
    return _line(HEADER)


def rows(parsing: Parsing, place: Place) -> str:
    """One line per part of the model's set, the absent ones with area 0 and empty centroid and probability.

    Areas and centroids are in pixels of the displayed picture; pixel centres are at integers.
    """
    labels = parsing.labels
    (width, height), (down, across) = parsing.size, labels.shape
    scale_x, scale_y = width / across, height / down
    classes = parsing.part_set.classes
    at = np.flatnonzero(labels)  # most pixels are background
    found = labels.ravel()[at]
    ys, xs = np.divmod(at, across)
    count = np.bincount(found, minlength=classes)
    sums = [np.bincount(found, w, minlength=classes) for w in (xs, ys, parsing.confidence.ravel()[at])]
    out = io.StringIO()
    for part, name in enumerate(parsing.part_set.names, start=1):
        n = count[part]
        values: tuple[object, ...] = (0, "", "", "")
        if n:
            x, y, p = (s[part] / n for s in sums)
            x, y = (x + 0.5) * scale_x - 0.5, (y + 0.5) * scale_y - 0.5
            values = (round(n * scale_x * scale_y), f"{x:.2f}", f"{y:.2f}", f"{p / 255:.4f}")
        where = place.file_name, place.frame, f"{place.pts_s:.6f}"
        out.write(_line((*where, part, name, *values, place.output)))
    return out.getvalue()


def _line(values: tuple[object, ...]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerow(values)
    return out.getvalue()
