"""Counting a data set, and reading every file of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np

from training.datasets.files import BrokenError
from training.datasets.problems import Problems
from training.datasets.samples import Person, Sample


@dataclass
class Counts:
    """Counts of a split."""

    pictures: int = 0
    people: int = 0  #: with at least one joint
    parts: int = 0  #: pictures with part labels
    silhouettes: int = 0

    def add(self, sample: Sample) -> None:
        """Count one picture."""
        self.pictures += 1
        self.people += sum(bool(p.visible.any()) for p in sample.people)
        self.parts += sample.read_labels is not None
        self.silhouettes += sample.read_labels is not None or sample.read_silhouette is not None


def counted(samples: Iterable[Sample], counts: Counts) -> Iterator[Sample]:
    """The samples themselves, counted as they go by."""
    for sample in samples:
        counts.add(sample)
        yield sample


def readable(samples: Iterable[Sample], problems: Problems) -> Iterator[Sample]:
    """The samples whose every file can be read and fits; the others are named."""
    for sample in samples:
        if problems.attempt(sample.picture, partial(_read, sample)):
            yield sample


def _read(sample: Sample) -> bool:
    height, width = sample.image().shape[:2]
    if sample.read_labels is not None:
        sample.labels()
    if sample.read_silhouette is not None:
        sample.silhouette()
    for i, p in enumerate(sample.people, start=1):
        if p.visible.any() and not _touches(p, width, height):
            raise BrokenError(f"all joints of person {i} lie outside the picture of {width}x{height} pixels")
    return True


def _touches(p: Person, width: int, height: int) -> bool:
    known = p.xy[p.visible > 0]
    return bool(np.any((known >= 0).all(axis=1) & (known[:, 0] < width) & (known[:, 1] < height)))
