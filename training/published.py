"""Published data sets as training pictures: `--data NAME=ROOT`, with the labels that each has.

Part labels, silhouettes and joints become codes as those of one's own photos do. Pictures are read when they
are drawn: a set may have a hundred thousand.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Generic, TypeVar, overload

import numpy as np

from models.labels import IGNORE, JointSet, PartSet, merges_s31
from training.datasets.coco import IMPUTED
from training.datasets.files import BrokenError
from training.datasets.problems import Problems
from training.datasets.registry import DATA_SETS
from training.datasets.samples import Sample
from training.joint_photos import JointPhoto
from training.own_photos import photo_of, shrunk
from training.photos import DataError, Photo

log = logging.getLogger(__name__)
Taught = TypeVar("Taught")
NAMES = "|".join(DATA_SETS)
BETWEEN = re.compile(rf",(?=(?:{NAMES})=)")
ITEM = re.compile(rf"({NAMES})=(.+?)(?::(\d*\.?\d+))?")
WEIGHT = 0.3  # beside the mixture's others, as one's own photos have
MOST_BROKEN = 100  # pictures one after the other, before the set is given up


@dataclass(frozen=True)
class PublishedSet:
    """A data set to train on.

    Attributes:
        name: a key of `DATA_SETS`.
        weight: of its pictures beside the mixture's other sources.
    """

    name: str
    root: Path
    weight: float = WEIGHT


def parse_data(texts: Sequence[str]) -> tuple[Path | None, list[PublishedSet]]:
    """The project's own folder, and published sets: `DIR` and `NAME=ROOT[:WEIGHT]`, with commas between.

    Raises:
        ValueError: two folders, a set twice, or a weight that is 0.
    """
    folders, sets = [], []
    for part in (p for text in texts for p in BETWEEN.split(text)):
        match = ITEM.fullmatch(part)
        if match is None:
            folders.append(Path(part))
        else:
            sets.append(PublishedSet(match[1], Path(match[2]), float(match[3] or WEIGHT)))
    if len(folders) > 1:
        known = ", ".join(DATA_SETS)
        raise ValueError(f"--data {folders[1]}: one folder only. Published sets are NAME=ROOT, of {known}.")
    names = [s.name for s in sets]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(f"--data {twice[0]}=… stands there twice. Give each published set once.")
    if any(not s.weight > 0 for s in sets):
        raise ValueError("--data NAME=ROOT:WEIGHT takes a weight above 0. Leave the set out instead.")
    return (folders[0] if folders else None), sets


def training_splits(found: Sequence[str]) -> list[str]:
    """The splits of `found` to train on: the paper's, else train; with imputed joints if any."""
    if "paper-train" in found:
        return ["paper-train"]
    named = [s for s in found if s.startswith(("train", "mat-train")) and not s.startswith("trainval")]
    return [s for s in named if f"{s}{IMPUTED}" not in found]


def labelled(sample: Sample) -> Photo:
    """A picture with what its labels teach of the 31 parts, at most 640 px long.

    Raises:
        BrokenError: it teaches nothing.
    """
    return shrunk(photo_of(sample))


def person_of(sample: Sample, joint_set: JointSet, part_set: PartSet) -> JointPhoto:
    """The one person of a picture, at most 640 px long, with the codes that teach `part_set` (targets.py).

    Raises:
        BrokenError: it teaches neither parts nor joints.
    """
    (found,) = sample.people
    points, visible = found.among(joint_set)
    if merges_s31(part_set):
        whole = photo_of(sample)
    else:
        image = sample.image()
        alike = sample.label_set == part_set
        codes = sample.labels() if alike else np.full(image.shape[:2], IGNORE, np.uint8)
        whole = Photo(sample.name, image, codes)
    if not visible.any() and (whole.codes == IGNORE).all():
        raise BrokenError("none of its parts and joints is known")
    small = shrunk(whole)
    scale = np.float32(small.codes.shape[1] / whole.codes.shape[1])
    return JointPhoto(sample.name, small.image, points * scale, visible > 0, small.codes)


class PublishedPhotos(Sequence[Taught], Generic[Taught]):
    """Pictures of the training splits of a set, read when drawn; a broken one gives way to the next."""

    def __init__(
        self,
        given: PublishedSet,
        read: Callable[[Sample], Taught],
        *,
        alone: bool = False,
        strict: bool = False,
    ) -> None:
        """List them, `alone` those of one person, and `read` the first that can be used; with `strict`, all.

        Raises:
            DataError: there is none, or with `strict` any that cannot be used.
        """
        reader, self._problems = DATA_SETS[given.name], Problems(strict=strict)
        splits = training_splits(reader.splits(given.root, self._problems))
        found = (s for split in splits for s in reader.samples(given.root, split, self._problems))
        self._samples: list[Sample] = [s for s in found if s.people or s.label_set is not None]
        self._samples = [s for s in self._samples if not alone or len(s.people) == 1]
        self._read = read
        self._where = f"{given.name} in {given.root}"
        if not self._samples:
            raise DataError(f"{self._where}: no picture to train on. See: python -m training.datasets")
        for i in range(len(self) if strict else 1):
            self[i]
        log.info("%s: %d pictures to train on, weight %g", self._where, len(self), given.weight)

    def __len__(self) -> int:
        return len(self._samples)

    @overload
    def __getitem__(self, index: int) -> Taught: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Taught]: ...
    def __getitem__(self, index: int | slice) -> Taught | Sequence[Taught]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        if not -len(self) <= index < len(self):
            raise IndexError(f"{self._where}: picture {index} of {len(self)}")
        for i in range(min(MOST_BROKEN, len(self))):
            sample = self._samples[(index + i) % len(self)]
            if (photo := self._problems.attempt(sample.picture, partial(self._read, sample))) is not None:
                return photo
        raise DataError(f"{self._where}: its pictures teach nothing. See what was said above.")


def published_people(
    sets: Sequence[PublishedSet], joint_set: JointSet, part_set: PartSet, *, strict: bool
) -> list[tuple[PublishedPhotos[JointPhoto], float]]:
    """People of sets, those that are alone in their pictures, and the weights of the sets.

    Raises:
        DataError: a set cannot be used.
    """
    read = partial(person_of, joint_set=joint_set, part_set=part_set)
    return [(PublishedPhotos(s, read, alone=True, strict=strict), s.weight) for s in sets]
