"""Look into Person (methods §10.2): 20 clothing and body labels, 16 joints, one person a picture.

Its clothes do not say which of the 31 parts lie under them; its silhouettes train the factor.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np

from models.labels import LIP16, LIP20
from training.datasets.files import (
    BrokenError,
    Numbers,
    first_existing,
    inside,
    numbers,
    read_labels,
    read_lines,
)
from training.datasets.problems import Problems
from training.datasets.samples import Person, Sample, person
from training.datasets.sets import LIP_COARSE
from training.photos import DataError

IMAGES, PARSING, POSE, TESTING = (
    "TrainVal_images", "TrainVal_parsing_annotations", "TrainVal_pose_annotations", "Testing_images",
)  # fmt: skip


def _places(root: Path, *names: str) -> list[Path]:
    """Places of a file: the release unpacks with its first folder single or doubled."""
    folder, *rest = names
    return [root.joinpath(folder, *rest), root.joinpath(folder, folder, *rest)]


def _list(root: Path, split: str) -> Path | None:
    folder = TESTING if split == "test" else IMAGES
    return next((p for p in _places(root, folder, f"{split}_id.txt") if p.is_file()), None)


def splits(root: Path, _problems: Problems) -> tuple[str, ...]:
    """train, val and test, as far as their id lists are there."""
    found = tuple(s for s in ("train", "val", "test") if _list(root, s))
    if not found:
        raise DataError(f"{root}: no {IMAGES}/train_id.txt in it. Point at the folder that holds {IMAGES}.")
    return found


def samples(root: Path, split: str, problems: Problems) -> Iterator[Sample]:
    """Pictures with labels and joints; the test pictures have neither."""
    ids = _list(root, split)
    assert ids is not None  # `splits` has found it
    poses = {} if split == "test" else _poses(root, split, problems)
    seen: set[str] = set()
    for where, line in read_lines(ids):
        name = line.removesuffix(".jpg")
        if name in seen:
            problems.add(where, f"{name} is listed twice")
            continue
        seen.add(name)
        sample = problems.attempt(where, partial(_sample, root, name, split, poses))
        if sample is not None:
            yield sample
    for name in sorted(poses.keys() - seen):
        problems.add(f"lip_{split}_set.csv: {name}", f"a pose of a picture that {ids.name} does not list")


def _sample(root: Path, name: str, split: str, poses: dict[str, Numbers]) -> Sample:
    def find(*folders: str, suffix: str) -> Path:
        return first_existing(*(inside(p, name + suffix) for p in _places(root, *folders)))

    if split == "test":
        return Sample(name, split, find(TESTING, "testing_images", suffix=".jpg"))
    picture = find(IMAGES, f"{split}_images", suffix=".jpg")
    labels = find(PARSING, f"{split}_segmentations", suffix=".png")
    people = (_person(poses.get(name)),)
    return Sample(
        name, split, picture, people, label_set=LIP20, coarse=LIP_COARSE,
        read_labels=partial(read_labels, labels, LIP20.classes),
    )  # fmt: skip


def _poses(root: Path, split: str, problems: Problems) -> dict[str, Numbers]:
    """Rows by name without suffix: (16, 3) x, y, v. The file has no header."""
    path = next((p for p in _places(root, POSE, f"lip_{split}_set.csv") if p.is_file()), None)
    if path is None:
        problems.add(root / POSE / f"lip_{split}_set.csv", "missing, so no picture has joints")
        return {}
    rows: dict[str, Numbers] = {}
    for where, line in read_lines(path):
        row = problems.attempt(where, partial(_row, line))
        if row is not None and row[0] in rows:
            problems.add(where, f"{row[0]} has a second pose")
        elif row is not None:
            rows[row[0]] = row[1]
    return rows


def _row(line: str) -> tuple[str, Numbers]:
    name, *values = next(csv.reader([line]))
    if len(values) != 48:
        raise BrokenError(f"a name and 48 numbers are expected, not {len(values)}")
    triples = numbers([v.strip() for v in values]).reshape(16, 3)
    _person(triples)
    return name.strip().removesuffix(".jpg"), triples


def _person(row: Numbers | None) -> Person:
    """V is 0 for visible and 1 for occluded here, NaN where not annotated; some pictures have no row."""
    if row is None:
        return person(LIP16, np.zeros((16, 2)), np.zeros(16))
    absent = np.isnan(row).any(axis=1)
    if not np.isin(row[~absent, 2], (0, 1)).all():
        raise BrokenError("its v is neither 0, visible, nor 1, occluded, nor nan")
    return person(LIP16, row[:, :2], np.where(absent, 0, 2 - row[:, 2]))
