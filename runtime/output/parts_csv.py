"""parts.csv: where each part is, how large and how sure, per frame."""

from __future__ import annotations

import csv
import io
from typing import Final

import numpy as np

from models.centroids import part_centroids
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
    of = part_centroids(parsing)
    (width, height), (down, across) = parsing.size, parsing.labels.shape
    scale = (width / across) * (height / down)
    flat = parsing.labels.ravel(), parsing.confidence.ravel()
    sure = np.bincount(*flat, minlength=parsing.part_set.classes)
    out = io.StringIO()
    for part, name in enumerate(parsing.part_set.names, start=1):
        n = of.areas[part]
        values: tuple[object, ...] = (0, "", "", "")
        if n:
            x, y = of.points[part]
            values = (round(n * scale), f"{x:.2f}", f"{y:.2f}", f"{sure[part] / n / 255:.4f}")
        where = place.file_name, place.frame, f"{place.pts_s:.6f}"
        out.write(_line((*where, part, name, *values, place.output)))
    return out.getvalue()


def _line(values: tuple[object, ...]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerow(values)
    return out.getvalue()
