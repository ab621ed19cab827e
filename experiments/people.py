"""Held-out synthetic people, and how a parsing of them is scored (methods §1.8), all at 64 x 64."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from models.factored import normalise
from models.labels import MERGED16, S31
from models.network import Network
from training.batches import packed
from training.injection import parse
from training.metrics import Confusion

Image = NDArray[np.uint8]
GRID = 64
BATCH = 20


@dataclass(frozen=True)
class HeldOut:
    """Pictures (n, s, s, 3) and labels (n, s, s), uint8; s a multiple of 64."""

    images: Image
    labels: Image

    @classmethod
    def read(cls, stem: Path, limit: int | None = None) -> HeldOut:
        """A packed set, or its first `limit` pictures.

        Raises:
            DataError: there is none.
        """
        found = packed(stem)
        return cls(np.array(found.images[:limit]), np.array(found.labels[:limit]))

    def cells(self) -> Image:
        """Labels (n, 64, 64) sampled at the cells' centres."""
        step = self.labels.shape[1] // GRID
        return self.labels[:, step // 2 :: step, step // 2 :: step]

    def changed(self, change: Callable[[np.random.Generator, Image, Image], Image], seed: int) -> HeldOut:
        """The same people with every picture changed; `change` sees its labels too."""
        made = [
            change(np.random.default_rng((seed, i)), image, labels)
            for i, (image, labels) in enumerate(zip(self.images, self.labels, strict=True))
        ]
        return HeldOut(np.stack(made), self.labels)


@dataclass
class PartScore:
    """Pixels of a data set by class; left and right are averaged, as in the paper's tables."""

    confusion: Confusion = field(default_factory=lambda: Confusion(S31.classes))

    @property
    def accuracy(self) -> float:
        """Mean over the 31 parts of the share of their pixels that are right."""
        return float(np.nanmean(self.confusion.accuracy()[1:]))

    @property
    def iou(self) -> float:
        """Mean intersection over union of the 31 parts."""
        return float(np.nanmean(self.confusion.iou()[1:]))

    @property
    def background(self) -> float:
        """Share of the background's pixels that are right."""
        return float(self.confusion.accuracy()[0])

    @property
    def person(self) -> float:
        """Intersection over union of everything that is a part."""
        counts = self.confusion.counts
        return float(counts[1:, 1:].sum() / max(1, counts.sum() - counts[0, 0]))

    def by_class(self, measure: str = "iou") -> dict[str, float]:
        """`iou` or `accuracy` of the 16 classes; each the mean of its left and right."""
        values = getattr(self.confusion, measure)()[1:]
        ids = np.array(MERGED16.ids)
        both = {n: values[ids == i] for i, n in enumerate(MERGED16.names, start=1)}
        return {n: float("nan") if np.isnan(v).all() else float(np.nanmean(v)) for n, v in both.items()}


def inputs(images: Image, size: int) -> Tensor:
    """(n, s, s, 3) pictures as the network takes them, (n, 3, size, size)."""
    method = cv2.INTER_AREA if size < images.shape[1] else cv2.INTER_LINEAR
    small = np.stack([cv2.resize(image, (size, size), interpolation=method) for image in images])
    return normalise(torch.from_numpy(small).permute(0, 3, 1, 2).float())


def parsings(
    net: Network, people: HeldOut, size: int, *, given: bool = False, forced: bool = False
) -> Iterator[Image]:
    """Labels (64, 64) of each picture; `given` the true silhouettes, `forced` as a hard constraint."""
    for start in range(0, len(people.images), BATCH):
        part = slice(start, start + BATCH)
        true = torch.from_numpy(people.labels[part] > 0) if given else None
        x = inputs(people.images[part], size)
        yield from parse(net, x, (GRID, GRID), true, inject=not forced).numpy()


def score(
    net: Network, people: HeldOut, size: int, *, given: bool = False, forced: bool = False
) -> PartScore:
    """Parse all of them and compare with the true labels."""
    result = PartScore()
    for truth, labels in zip(
        people.cells(), parsings(net, people, size, given=given, forced=forced), strict=True
    ):
        result.confusion.add(truth, labels)
    return result
