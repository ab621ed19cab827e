"""Unite the People: the prepared 31-part set UP-S31, and the raw UP-3D folder (methods §10.1).

The raw folder's `*_body.pkl` are Python pickles, which run code when they are opened: they are never read.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path

import numpy as np

from models.labels import LSP14, S31
from training.datasets.files import (
    BrokenError,
    existing,
    first_existing,
    inside,
    numbers,
    read_array,
    read_labels,
    read_lines,
    read_text,
)
from training.datasets.problems import Problems
from training.datasets.samples import Crop, Person, Sample, person
from training.photos import DataError

LISTS = re.compile(r"(train|val|trainval|test)_31_500_([\w.-]+)\.txt")
OFFICIAL = ("train", "val", "trainval", "test")
PAPER = {"paper-train": "up_s31_train.txt", "paper-test": "up_s31_test.txt"}
PAPER_TRAIN_SHARE = 0.8  # 6 812 of 8 515 pictures (methods §1.5)
RAW_ID = re.compile(r"/?(\d{5})_image\.png")


def _lists(root: Path) -> dict[str, Path]:
    """Split → list; with several released suffixes in one folder the split is named `train@suffix`."""
    found: dict[tuple[str, str], Path] = {}
    for folder in (root / "31" / "500", root / "31", root):
        for path in sorted(folder.glob("*_31_500_*.txt")):
            if match := LISTS.fullmatch(path.name):
                found[match[1], match[2]] = path
    if not found:
        raise DataError(
            f"{root}: no list like train_31_500_pkg_dorder.txt in it. Point at the folder that holds 31/500/."
        )
    suffixes = {suffix for _, suffix in found}
    order = sorted(found, key=lambda k: (k[1], OFFICIAL.index(k[0])))
    return {s if len(suffixes) == 1 else f"{s}@{x}": found[s, x] for s, x in order}


def prepared_splits(root: Path, _problems: Problems) -> tuple[str, ...]:
    """The released lists, and the random 80/20 split of the paper over all pictures in them."""
    lists = tuple(_lists(root))
    return lists if any("@" in s for s in lists) else (*lists, *PAPER)


def prepared(root: Path, split: str, problems: Problems) -> Iterator[Sample]:
    """UP-S31 as prepared by the authors: pictures, label pictures, and the factor each was resized by."""
    lists = _lists(root)
    if split not in PAPER:
        yield from _listed(root, lists[split], split, problems)
        return
    everything = {s.name: s for path in lists.values() for s in _listed(root, path, split, problems)}
    for name in _paper_ids(root, everything, split):
        if name in everything:
            yield everything[name]
        else:
            problems.add(f"{PAPER[split]}: {name}", "in none of the released lists")


def _listed(root: Path, path: Path, split: str, problems: Problems) -> Iterator[Sample]:
    seen: set[str] = set()
    for where, line in read_lines(path):
        sample = problems.attempt(where, partial(_prepared_sample, root, path.parent, line, split))
        if sample is not None and sample.name in seen:
            problems.add(where, f"{sample.name} is listed twice")
        elif sample is not None:
            seen.add(sample.name)
            yield sample


def _prepared_sample(root: Path, beside: Path, line: str, split: str) -> Sample:
    fields = line.split()
    if len(fields) != 3:
        raise BrokenError("a picture, a label picture and a scale are expected")
    scale = float(numbers(fields[2]))
    if not (np.isfinite(scale) and scale > 0):
        raise BrokenError(f"the scale {scale} is not a positive number")
    picture, labels = (first_existing(inside(root, f), inside(beside, f)) for f in fields[:2])
    name = picture.stem.removesuffix("_image")
    if labels.stem.removesuffix("_ann") != name:
        raise BrokenError(f"{picture.name} and {labels.name} are not of one picture")
    return Sample(
        name, split, picture, label_set=S31, scale=scale,
        read_labels=partial(read_labels, labels, S31.classes),
    )  # fmt: skip


def _paper_ids(root: Path, names: Iterable[str], split: str) -> list[str]:
    """Ids of our copy of the paper's split: the stored list, else the same choice made again anywhere."""
    stored = root / "splits" / PAPER[split]
    if stored.is_file():
        return [line for _, line in read_lines(stored)]
    ranked = sorted(names, key=lambda n: hashlib.sha256(f"up-s31 {n}".encode()).digest())
    n = round(PAPER_TRAIN_SHARE * len(ranked))
    return sorted(ranked[:n] if split == "paper-train" else ranked[n:])


def raw_splits(root: Path, _problems: Problems) -> tuple[str, ...]:
    """The lists that lie in a raw UP-3D folder."""
    found = tuple(s for s in ("train", "val", "test") if (root / f"{s}.txt").is_file())
    if not found:
        raise DataError(f"{root}: no train.txt, val.txt or test.txt in it. Point at the raw UP-3D folder.")
    return found


def raw(root: Path, split: str, problems: Problems) -> Iterator[Sample]:
    """Raw UP-3D: pictures, 14 joints, and the crop that the body was fitted on."""
    if next(root.glob("*_body.pkl"), None) is not None:
        problems.note(
            root,
            "its *_body.pkl are Python pickles, which run code when opened; they are never read."
            " Part labels come from the prepared set, up-s31.",
        )
    for where, line in read_lines(root / f"{split}.txt"):
        sample = problems.attempt(where, partial(_raw_sample, root, line, split))
        if sample is not None:
            yield sample


def _raw_sample(root: Path, line: str, split: str) -> Sample:
    match = RAW_ID.fullmatch(line)
    if match is None:
        raise BrokenError("a line like /00012_image.png is expected")
    stem = match[1]
    picture = existing(root / f"{stem}_image.png")
    people = (_raw_person(root / f"{stem}_joints.npy"),)
    crop = _fit_crop(root / f"{stem}_fit_crop_info.txt")
    return Sample(stem, split, picture, people, crop=crop)


def _raw_person(path: Path) -> Person:
    xy = read_array(path, (2, 14)).T
    present = np.isfinite(xy).all(axis=1) & (xy > 0).all(axis=1)  # 0 and less stand for absent
    return person(LSP14, xy, np.where(present, 2, 0))


def _fit_crop(path: Path) -> Crop:
    fields = numbers(read_text(path).split())
    if fields.shape != (6,) or not np.isfinite(fields).all():
        raise BrokenError(f"{path.name} does not hold height, width, y0, y1, x0, x1")
    height, width, y0, y1, x0, x1 = (float(v) for v in fields)
    if y1 <= y0 or x1 <= x0 or height <= 0 or width <= 0:
        raise BrokenError(f"{path.name} describes an empty crop")
    return Crop((x0, y0, x1, y1), (width / (x1 - x0), height / (y1 - y0)))
