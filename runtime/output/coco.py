"""COCO annotations: one per person region, with box, score and run-length mask."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray
from pycocotools import mask as rle

from models.results import Parsing
from runtime.output.scaling import full_labels, full_person

CATEGORIES: Final = [{"id": 1, "name": "person", "supercategory": "person"}]
#: A region counts as a person from this share of the picture, and of the largest region, on: specks do not.
SMALLEST_OF_PICTURE: Final = 0.001
SMALLEST_OF_LARGEST: Final = 0.05


@dataclass(frozen=True)
class Place:
    """Where a parsing comes from."""

    file_name: str  #: the picture, or the clip
    frame: int
    pts_s: float
    output: str  #: name of the results, unique in their folder where file names are not


def image_record(image_id: int, place: Place, size: tuple[int, int]) -> dict[str, Any]:
    """The entry of `images`."""
    return {
        "id": image_id,
        "file_name": place.file_name,
        "width": size[0],
        "height": size[1],
        "frame": place.frame,
        "pts": round(place.pts_s, 6),
        "output": place.output,
    }


def annotate(parsing: Parsing, image_id: int) -> list[dict[str, Any]]:
    """One annotation without its `id` per connected region of parts, largest first.

    A model without instances does not tell people who touch from one another: they are one region.
    """
    labels = full_labels(parsing)
    count, regions, stats, _ = cv2.connectedComponentsWithStats(np.minimum(labels, 1), connectivity=8)
    if count < 2:
        return []
    person = full_person(parsing)
    areas = stats[1:, cv2.CC_STAT_AREA]
    least = max(1.0, SMALLEST_OF_PICTURE * labels.size, SMALLEST_OF_LARGEST * float(areas.max()))
    order = [int(i) + 1 for i in np.argsort(-areas, kind="stable") if areas[i] >= least]
    found = []
    for i in order:
        x, y, w, h, _area = stats[i]
        inside = np.asarray(regions[y : y + h, x : x + w] == i)
        found.append(_annotation(np.asarray(stats[i]), inside, person, image_id))
    return found


def _annotation(
    box: NDArray[np.int32], inside: NDArray[np.bool_], person: NDArray[np.uint8], image_id: int
) -> dict[str, Any]:
    """Of one region: its box and area, its pixels within the box, and P(person) of the whole picture."""
    x, y, w, h, area = (int(v) for v in box)
    mask = np.zeros(person.shape, dtype=np.uint8, order="F")
    mask[y : y + h, x : x + w] = inside
    code = rle.encode(mask)
    return {
        "image_id": image_id,
        "category_id": 1,
        "bbox": [x, y, w, h],
        "area": area,
        "iscrowd": 0,
        "score": round(float(person[y : y + h, x : x + w][inside].mean()) / 255, 4),
        "segmentation": {"size": [int(v) for v in code["size"]], "counts": code["counts"].decode("ascii")},
    }
