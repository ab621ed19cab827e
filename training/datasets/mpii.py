"""MPII Human Pose (methods §10.4) in its two shapes: the released .mat and HRNet's json, whose split is used.

Both count pixels from 1. `images/` holds the pictures; annotations lie beside it or in `annot/`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np

from training.datasets.files import (
    BrokenError,
    field_cells,
    field_number,
    field_numbers,
    field_text,
    first_existing,
    inside,
    numbers,
    read_json,
    read_mat,
    structs,
)
from training.datasets.matlab import Value
from training.datasets.problems import Problems
from training.datasets.samples import Person, Sample, person
from training.datasets.sets import MPII16
from training.photos import DataError

Record = dict[str, Value]
JOINTS = len(MPII16.names)
PERSON_HEIGHT = 200.0  # `scale` is the height of a person over this
MAT_SPLITS = ("mat-train", "mat-test")


def _json_files(root: Path) -> dict[str, Path]:
    return {p.stem: p for folder in (root, root / "annot") for p in sorted(folder.glob("*.json"))}


def _mat_file(root: Path) -> Path | None:
    return next((p for f in (root, root / "annot") for p in sorted(f.glob("mpii_human_pose*.mat"))), None)


def splits(root: Path, _problems: Problems) -> tuple[str, ...]:
    """One split for each json, and two for the .mat."""
    found = (*_json_files(root), *(MAT_SPLITS if _mat_file(root) else ()))
    if not found:
        raise DataError(
            f"{root}: no annot/train.json or mpii_human_pose_*.mat in it."
            " Point at the folder that holds images/ and the annotations."
        )
    return found


def samples(root: Path, split: str, problems: Problems) -> Iterator[Sample]:
    """Pictures with 16 joints of one or several people."""
    if split in MAT_SPLITS:
        yield from _mat_samples(root, split, problems)
        return
    path = _json_files(root)[split]
    held = read_json(path)
    if not isinstance(held, list):
        raise DataError(f"{path}: not a list of people. It is not HRNet's json of MPII.")
    yield from _hrnet_samples(root, split, path, held, problems)


def _picture(root: Path, name: str) -> Path:
    return first_existing(inside(root / "images", name), inside(root, name))


def _hrnet_samples(
    root: Path, split: str, path: Path, rows: list[Any], problems: Problems
) -> Iterator[Sample]:
    """HRNet's rows are people; they are put together by picture."""
    by_picture: dict[str, list[Person]] = {}
    for i, row in enumerate(rows):
        found = problems.attempt(f"{path.name} row {i}", partial(_hrnet_person, row))
        if found is not None:
            by_picture.setdefault(row["image"], []).append(found)
    for name, people in by_picture.items():
        picture = problems.attempt(f"{path.name}: {name}", partial(_picture, root, name))
        if picture is not None:
            yield Sample(Path(name).stem, split, picture, tuple(people))


def _hrnet_person(row: object) -> Person:
    if not isinstance(row, dict) or not isinstance(row.get("image"), str):
        raise BrokenError("an object with `image` is expected")
    if "joints" in row:
        marks = numbers(row.get("joints_vis"), JOINTS)
        found = person(MPII16, numbers(row["joints"], JOINTS, 2) - 1, np.where(marks == 1, 2, marks))
    else:
        found = _nobody()
    return replace(found, centre=_point(row.get("center")), height=_height(row.get("scale")))


def _nobody() -> Person:
    return person(MPII16, np.zeros((JOINTS, 2)), np.zeros(JOINTS))


def _point(value: Any) -> tuple[float, float] | None:  # noqa: ANN401 - whatever the file holds
    """A point counted from 1 → counted from 0; None when there is none."""
    if value is None:
        return None
    x, y = numbers(value, 2) - 1
    return (float(x), float(y)) if np.isfinite((x, y)).all() else None


def _height(scale: Any) -> float | None:  # noqa: ANN401 - whatever the file holds
    return None if scale is None else float(numbers(scale).reshape(())) * PERSON_HEIGHT


@lru_cache(maxsize=1)
def _release(path: Path) -> Record:
    """The one large struct; train and test read it once."""
    found = structs(read_mat(path, "RELEASE"))
    if len(found) != 1:
        raise DataError(f"{path}: RELEASE is not one struct. Take the released file.")
    return found[0]


def _mat_samples(root: Path, split: str, problems: Problems) -> Iterator[Sample]:
    path = _mat_file(root)
    assert path is not None  # `splits` has found it
    release = _release(path)
    pictures = structs(release.get("annolist"))
    train = field_numbers(release, "img_train").ravel()
    if len(train) != len(pictures):
        raise DataError(f"{path}: {len(pictures)} pictures, but img_train has {len(train)}. It is not whole.")
    alone = field_cells(release, "single_person")
    for i, (annotation, is_train) in enumerate(zip(pictures, train, strict=True)):
        if bool(is_train) == (split == MAT_SPLITS[0]):
            ids = alone[i] if len(alone) == len(pictures) else None
            make = partial(_mat_sample, root, split, annotation, ids)
            sample = problems.attempt(f"{path.name} annolist({i + 1})", make)
            if sample is not None:
                yield sample


def _mat_sample(root: Path, split: str, annotation: Record, alone: Value) -> Sample:
    named = structs(annotation.get("image"))
    name = field_text(named[0], "name") if named else ""
    picture = _picture(root, name)
    ids = set(alone.ravel().tolist()) if isinstance(alone, np.ndarray) else set()
    people = tuple(
        replace(_mat_person(rect), separate=i in ids)
        for i, rect in enumerate(structs(annotation.get("annorect")), start=1)
    )
    return Sample(picture.stem, split, picture, people)


def _mat_person(rect: Record) -> Person:
    xy, visible = np.zeros((JOINTS, 2)), np.zeros(JOINTS)
    for points in structs(rect.get("annopoints")):
        for point in structs(points.get("point")):
            joint, x, y = (field_number(point, k) for k in ("id", "x", "y"))
            if joint is None or x is None or y is None:
                continue
            if joint not in range(JOINTS):
                raise BrokenError(f"joint id {joint:g} is not one of 0 to {JOINTS - 1}")
            seen = field_number(point, "is_visible")  # empty or absent: visible
            xy[int(joint)], visible[int(joint)] = (x - 1, y - 1), 1 if seen == 0 else 2
    x0, y0, x1, y1 = (field_number(rect, k) for k in ("x1", "y1", "x2", "y2"))
    scale, at = field_number(rect, "scale"), structs(rect.get("objpos"))
    cx, cy = (field_number(at[0], k) for k in ("x", "y")) if at else (None, None)
    head = None if None in (x0, y0, x1, y1) else (x0 - 1, y0 - 1, x1 - 1, y1 - 1)  # type: ignore[operator]
    return replace(
        person(MPII16, xy, visible),
        head_box=head,
        centre=None if cx is None or cy is None else (cx - 1, cy - 1),
        height=None if scale is None else scale * PERSON_HEIGHT,
    )
