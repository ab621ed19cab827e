"""COCO people (methods §10.5): 17 joints each, and the silhouette of everybody; crowds are not scored."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from pycocotools import mask as rle

from models.labels import COCO17, IGNORE
from training.datasets.files import (
    MAX_PIXELS,
    BrokenError,
    Pixels,
    first_existing,
    inside,
    numbers,
    read_json,
)
from training.datasets.problems import Problems
from training.datasets.samples import Person, Sample, person
from training.photos import DataError

ANNOTATIONS = re.compile(r"person_keypoints_(\w+)\.json")
PERSON = 1  # the category of people
FAR = 2.0  # a polygon may leave the picture by its own size, never more

Size = tuple[int, int]  # width, height, px


def splits(root: Path, _problems: Problems) -> tuple[str, ...]:
    """train2017, val2017, …: one for each file of annotations."""
    found = (ANNOTATIONS.fullmatch(p.name) for p in sorted((root / "annotations").glob("*.json")))
    names = tuple(m[1] for m in found if m)
    if not names:
        raise DataError(
            f"{root}: no annotations/person_keypoints_train2017.json in it."
            " Point at the folder that holds annotations/ and train2017/."
        )
    return names


def samples(root: Path, split: str, problems: Problems) -> Iterator[Sample]:
    """Every picture of the file; one without annotations shows nobody."""
    path = root / "annotations" / f"person_keypoints_{split}.json"
    held = read_json(path)
    pictures, annotations = (
        held.get(k) if isinstance(held, dict) else None for k in ("images", "annotations")
    )
    if not isinstance(pictures, list) or not isinstance(annotations, list):
        raise DataError(f"{path}: it has no lists `images` and `annotations`. It is not COCO's.")
    by_picture: dict[Any, list[dict[str, Any]]] = {}
    for i, a in enumerate(annotations):
        if not isinstance(a, dict) or not isinstance(a.get("image_id"), int):
            problems.add(f"{path.name} annotation {i}", "an object with `image_id` is expected")
        elif a.get("category_id") == PERSON:
            by_picture.setdefault(a["image_id"], []).append(a)
    for i, row in enumerate(pictures):
        image_id = row.get("id") if isinstance(row, dict) else None
        own = by_picture.pop(image_id, []) if isinstance(image_id, int) else []
        sample = problems.attempt(f"{path.name} image {i}", partial(_sample, root, split, row, own))
        if sample is not None:
            yield sample
    for image_id in sorted(by_picture):
        problems.add(f"{path.name} image_id {image_id}", "annotated, but not among the images")


def _sample(root: Path, split: str, row: object, annotations: list[dict[str, Any]]) -> Sample:
    if not isinstance(row, dict) or not isinstance(row.get("file_name"), str):
        raise BrokenError("an object with `file_name` is expected")
    name: str = row["file_name"]
    width, height = (row.get(k) for k in ("width", "height"))
    if not (isinstance(width, int) and isinstance(height, int) and 0 < width * height <= MAX_PIXELS):
        raise BrokenError(f"its size {width}x{height} is no size of a picture")
    picture = first_existing(inside(root / split, name), inside(root / "images" / split, name))
    people = tuple(_person(a) for a in annotations)
    size = (width, height)
    shapes = [_shape(a.get("segmentation"), size) for a in annotations]  # refused now, drawn when asked for
    crowds = [p.crowd for p in people]
    return Sample(
        Path(name).stem, split, picture, people,
        read_silhouette=partial(_silhouette, size, tuple(zip(shapes, crowds, strict=True))),
    )  # fmt: skip


def _person(a: dict[str, Any]) -> Person:
    crowd = bool(a.get("iscrowd"))
    rows = np.zeros((17, 3)) if crowd or "keypoints" not in a else numbers(a["keypoints"], 51).reshape(17, 3)
    x, y, w, h = numbers(a["bbox"], 4) if "bbox" in a else (np.nan,) * 4
    box = (float(x), float(y), float(x + w), float(y + h))
    known = person(COCO17, rows[:, :2], rows[:, 2])
    return replace(known, box=box if np.isfinite(box).all() else None, crowd=crowd)


Shape = list[list[float]] | list[int]  #: polygons x, y, x, y, …; or run lengths by columns


def _shape(segmentation: Any, size: Size) -> Shape:  # noqa: ANN401 - whatever the file holds
    """Polygons or run lengths, checked, so that drawing them can neither fail nor leave memory."""
    width, height = size
    if isinstance(segmentation, list):
        polygons = [numbers(p) for p in segmentation]
        limit = FAR * max(width, height)
        for p in polygons:
            if p.ndim != 1 or len(p) < 6 or len(p) % 2 or not (np.abs(p) <= limit).all():
                raise BrokenError("a polygon of its segmentation is broken")
        return [p.tolist() for p in polygons]
    if not isinstance(segmentation, dict) or segmentation.get("size") != [height, width]:
        raise BrokenError("its segmentation is neither polygons nor run lengths of the picture's size")
    counts = segmentation.get("counts")
    runs = run_lengths(counts) if isinstance(counts, str) else counts
    if (
        not isinstance(runs, list)
        or not all(isinstance(r, int) and r >= 0 for r in runs)
        or sum(runs) != width * height
    ):
        raise BrokenError("the run lengths of its segmentation do not fill the picture")
    return runs


def run_lengths(text: str) -> list[int]:
    """COCO's compressed run lengths: five bits a character, each run a difference to the one before last."""
    runs: list[int] = []
    value = shift = 0
    for character in text:
        bits = ord(character) - 48
        if not 0 <= bits < 64 or shift > 30:
            raise BrokenError("the run lengths of its segmentation are broken")
        value |= (bits & 0x1F) << shift
        shift += 5
        if not bits & 0x20:
            value -= (bits & 0x10) and (1 << shift)
            runs.append(value + (runs[-2] if len(runs) > 2 else 0))
            value = shift = 0
    if shift:
        raise BrokenError("the run lengths of its segmentation are cut short")
    return runs


def _silhouette(size: Size, shapes: tuple[tuple[Shape, bool], ...]) -> Pixels:
    """1 where anybody is; 255 in crowds, where single people are not told apart."""
    width, height = size
    out = np.zeros((height, width), dtype=np.uint8)
    for shape, crowd in sorted(shapes, key=lambda s: not s[1]):  # crowds first, people over them
        if shape:
            out[_mask(shape, size)] = IGNORE if crowd else 1
    return out


def _mask(shape: Shape, size: Size) -> np.ndarray[Any, np.dtype[np.bool_]]:
    width, height = size
    runs: Any = shape
    if isinstance(
        shape[0], list
    ):  # COCO's own rasteriser; its run lengths are read here as those of files are
        runs = run_lengths(rle.merge(rle.frPyObjects(shape, height, width))["counts"].decode())
    filled = np.repeat(np.arange(len(runs)) % 2 == 1, runs)
    return filled.reshape(width, height).T
