"""COCO people (methods §10.5): 17 joints each, and the silhouette of everybody; crowds are not scored."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
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
IN_NAME = re.compile(r"COCO_(\w+?)_\d+\.")  # the pictures of 2014 say which set they are of
PERSON = 1  # the category of people
CATEGORY = {"id": PERSON, "name": "person", "keypoints": list(COCO17.names), "skeleton": []}
IMPUTED = "_imputed"  # behind the name of a split whose small people have been given joints
FAR = 2.0  # a polygon may leave the picture by its own size, never more

Size = tuple[int, int]  # width, height, px
Annotation = dict[str, Any]


@dataclass(frozen=True)
class AnnotatedPicture:
    """A picture of a file of annotations, and everybody annotated in it."""

    image_id: int
    name: str
    picture: Path
    size: Size
    annotations: tuple[Annotation, ...]  #: as the file has them


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
    for record in records(root, split, problems):
        sample = problems.attempt(f"{split} image {record.name}", partial(_sample, record, split))
        if sample is not None:
            yield sample


def records(root: Path, split: str, problems: Problems) -> Iterator[AnnotatedPicture]:
    """Every picture of a file that is there, in the file's order.

    Raises:
        DataError: the file cannot be used at all.
    """
    path = annotation_file(root, split)
    held = read_json(path)
    pictures, annotations = (
        held.get(k) if isinstance(held, dict) else None for k in ("images", "annotations")
    )
    if annotations is None and path.name.startswith("image_info"):
        annotations = []
    if not isinstance(pictures, list) or not isinstance(annotations, list):
        raise DataError(f"{path}: it has no lists `images` and `annotations`. It is not COCO's.")
    by_picture = _by_picture(path.name, annotations, problems)
    listed: set[object] = set()
    for i, row in enumerate(pictures):
        record = problems.attempt(f"{path.name} image {i}", partial(_record, root, split, row, by_picture))
        if record is None:
            continue
        if listed & {record.image_id, record.name}:
            problems.add(f"{path.name} image {i}", f"{record.name} or its id is listed twice")
            continue
        listed |= {record.image_id, record.name}
        yield record
    ids = {row.get("id") for row in pictures if isinstance(row, dict) and isinstance(row.get("id"), int)}
    for image_id in sorted(by_picture.keys() - ids):
        problems.add(f"{path.name} image_id {image_id}", "annotated, but not among the images")


def _by_picture(file: str, annotations: list[Any], problems: Problems) -> dict[Any, list[Annotation]]:
    """People by `image_id`, nobody twice."""
    by_picture: dict[Any, list[Annotation]] = {}
    for i, a in enumerate(annotations):
        if not isinstance(a, dict) or not isinstance(a.get("image_id"), int):
            problems.add(f"{file} annotation {i}", "an object with `image_id` is expected")
        elif a.get("category_id") == PERSON:
            own = by_picture.setdefault(a["image_id"], [])
            if a in own:
                problems.add(f"{file} annotation {i}", "the same person is annotated twice")
            else:
                own.append(a)
    return by_picture


def annotation_file(root: Path, split: str) -> Path:
    """The file of a split; of one without annotations, that of its pictures."""
    folder = root / "annotations"
    return first_existing(folder / f"person_keypoints_{split}.json", folder / f"image_info_{split}.json")


def _record(
    root: Path, split: str, row: object, by_picture: Mapping[Any, list[Annotation]]
) -> AnnotatedPicture:
    if not isinstance(row, dict) or not isinstance(row.get("file_name"), str):
        raise BrokenError("an object with `file_name` is expected")
    name: str = row["file_name"]
    if not isinstance(row.get("id"), int):
        raise BrokenError(f"{name} has no `id`")
    width, height = (row.get(k) for k in ("width", "height"))
    if not (isinstance(width, int) and isinstance(height, int) and 0 < width * height <= MAX_PIXELS):
        raise BrokenError(f"its size {width}x{height} is no size of a picture")
    said = IN_NAME.match(name)
    folders = [split, split.replace("-dev", ""), split.partition("_")[0], *([said[1]] if said else [])]
    places = [inside(root / above / f, name) for f in folders for above in ("", "images")]
    picture = first_existing(*places)
    return AnnotatedPicture(row["id"], name, picture, (width, height), tuple(by_picture.get(row["id"], ())))


def _sample(record: AnnotatedPicture, split: str) -> Sample:
    people = tuple(annotated(a) for a in record.annotations)
    # refused now, drawn when asked for
    shapes = [outline(a.get("segmentation"), record.size) for a in record.annotations]
    crowds = [p.crowd for p in people]
    return Sample(
        Path(record.name).stem, split, record.picture, people,
        read_silhouette=partial(_silhouette, record.size, tuple(zip(shapes, crowds, strict=True))),
    )  # fmt: skip


def annotated(a: Annotation) -> Person:
    """An annotation's joints and box; a crowd, and a person without keypoints, have no joints.

    Raises:
        BrokenError: it contradicts itself, or its numbers are none.
    """
    crowd, keypoints = bool(a.get("iscrowd")), a.get("keypoints") or [0] * 51
    rows = np.zeros((17, 3)) if crowd else numbers(keypoints, 51).reshape(17, 3)
    x, y, w, h = numbers(a["bbox"], 4) if "bbox" in a else (np.nan,) * 4
    box = (float(x), float(y), float(x + w), float(y + h))
    known = person(COCO17, rows[:, :2], rows[:, 2])
    told, there = a.get("num_keypoints"), int((known.visible > 0).sum())
    if not crowd and told is not None and told != there:
        raise BrokenError(f"num_keypoints says {told}, its keypoints {there}")
    return replace(known, box=box if np.isfinite(box).all() else None, crowd=crowd)


Shape = list[list[float]] | list[int]  #: polygons x, y, x, y, …; or run lengths by columns


def outline(segmentation: Any, size: Size) -> Shape:  # noqa: ANN401 - whatever the file holds
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
        out[filled(shape, size)] = IGNORE if crowd else 1
    return out


def encoded(shape: Shape, size: Size) -> dict[str, Any]:
    """A checked outline as compressed run lengths."""
    width, height = size
    whole: Any = shape or [width * height]
    if isinstance(whole[0], list):
        found: dict[str, Any] = rle.merge(rle.frPyObjects(whole, height, width))
        return found
    return dict(rle.frPyObjects({"size": [height, width], "counts": whole}, height, width))


def filled(shape: Shape, size: Size) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """(h, w) True inside; nothing of an empty outline."""
    width, height = size
    # by COCO's own rasteriser, whose run lengths are read as those of files are
    runs = run_lengths(encoded(shape, size)["counts"].decode())
    return np.repeat(np.arange(len(runs)) % 2 == 1, runs).reshape(width, height).T
