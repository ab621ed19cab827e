"""PASCAL-Person-Part, extended with joints (methods §10.3): 7 classes, void, 14 joints of several people."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from models.labels import PASCAL_PARTS
from training.datasets.files import (
    BrokenError,
    existing,
    inside,
    numbers,
    read_json,
    read_labels,
    read_lines,
    read_mat,
)
from training.datasets.matlab import Value
from training.datasets.problems import Problems
from training.datasets.samples import Person, Sample, box_of, person
from training.datasets.sets import PASCAL14
from training.photos import DataError

LISTS = ("pascal_person_part_trainval_list/{}.txt", "{}_id.txt", "{}.txt")
POSES = "pose_annotations"


def _list(root: Path, split: str) -> Path | None:
    return next((p for form in LISTS if (p := root / form.format(split)).is_file()), None)


def splits(root: Path, _problems: Problems) -> tuple[str, ...]:
    """Train and val, as far as their lists are there."""
    found = tuple(s for s in ("train", "val") if _list(root, s))
    if not found:
        raise DataError(
            f"{root}: no {LISTS[0].format('train')} or train_id.txt in it."
            " Point at the folder that holds JPEGImages."
        )
    return found


def samples(root: Path, split: str, problems: Problems) -> Iterator[Sample]:
    """Pictures with part labels, and with joints where the annotations of Xia et al. are there."""
    ids = _list(root, split)
    assert ids is not None  # `splits` has found it
    posed = (root / POSES).is_dir()
    if not posed:
        problems.note(root / POSES, "not there; part labels only")
    seen: set[str] = set()
    for where, line in read_lines(ids):
        if line in seen:
            problems.add(where, f"{line} is listed twice")
            continue
        seen.add(line)
        sample = problems.attempt(where, partial(_sample, root, line, split, posed=posed))
        if sample is not None:
            yield sample


def _sample(root: Path, name: str, split: str, *, posed: bool) -> Sample:
    picture = existing(inside(root / "JPEGImages", f"{name}.jpg"))
    labels = existing(inside(root / "pascal_person_part_gt", f"{name}.png"))
    people = read_people(inside(root / POSES, name)) if posed else ()
    return Sample(
        name, split, picture, people, label_set=PASCAL_PARTS,
        read_labels=partial(read_labels, labels, PASCAL_PARTS.classes),
    )  # fmt: skip


def read_people(stem: Path) -> tuple[Person, ...]:
    """Everybody in `<stem>.mat`, or in its mirror `<stem>.json` where there is no .mat."""
    mat, mirror = (stem.with_name(stem.name + suffix) for suffix in (".mat", ".json"))
    if not mat.is_file() and mirror.is_file():
        return _mirror_people(mirror)
    joints, boxes = (_cells(mat, variable) for variable in ("joints", "boxes"))
    if len(boxes) not in (0, len(joints)):
        raise BrokenError(f"{mat.name} has {len(joints)} people and {len(boxes)} boxes")
    return tuple(_person(j, boxes[i] if len(boxes) else None) for i, j in enumerate(joints))


def _cells(path: Path, variable: str) -> list[Value]:
    """One value for each person; a file without people holds an empty matrix of numbers."""
    held = read_mat(path, variable)
    if isinstance(held, np.ndarray) and (held.dtype == object or not held.size):
        return list(held.ravel(order="F"))
    raise BrokenError(f"`{variable}` in {path.name} is not a cell array")


def _mirror_people(path: Path) -> tuple[Person, ...]:
    rows = read_json(path)
    rows = rows.get("persons") if isinstance(rows, dict) else None
    if not isinstance(rows, list) or not all(isinstance(r, dict) for r in rows):
        raise BrokenError(f"{path.name} does not hold a list `persons`")
    return tuple(_person(r.get("joints"), r.get("box")) for r in rows)


def _person(joints: object, box: object) -> Person:
    """x, y and a flag near 1 for visible, near 2 for occluded, 0 or NaN for absent."""
    rows = numbers(joints, 14, 3)  # type: ignore[arg-type]
    flag = np.round(np.nan_to_num(rows[:, 2], nan=0.0, posinf=3, neginf=3))
    if not np.isin(flag, (0, 1, 2)).all():
        raise BrokenError("a joint's flag is not near 0, 1 or 2")
    visible = np.choose(flag.astype(int), (0, 2, 1))
    found = person(PASCAL14, rows[:, :2], visible)
    return replace(found, box=None if box is None else box_of(box))  # type: ignore[arg-type]
