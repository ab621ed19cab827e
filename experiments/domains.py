"""The domains a factor is moved to: pictures to learn on, with their silhouettes, and pictures to score."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import interpolate

from experiments.bootstrap import Values, draw_counts
from experiments.networks import factored, folder, setting, trained_factored
from experiments.pages import filled
from experiments.part_scores import confusions, measures
from experiments.people import BATCH, GRID, HeldOut
from models.factored import FactoredConvNet, person_probability
from models.labels import IGNORE
from synthetic.arrays import keep_arrays
from training.transfer import TrunkFeatures, extract

Image = NDArray[np.uint8]
Arrays = dict[str, NDArray[Any]]
SEED = 4
LEARNT = 160  # pictures at most
RENDERED = ("factor accuracy", "person IoU", "class accuracy", "mean IoU")


@dataclass(frozen=True)
class Domain:
    """A new domain of experiments 4 and 5.

    Attributes:
        name: for files.
        title: for headings.
        words: the network, what is learnt on and what is scored.
        of: the network before, by its seed.
        learnt: pictures to learn on; experiment 5 does not look at their silhouettes.
        test: pictures to score.
        size: long side of the network's input, px.
        shown: measures of the page.
    """

    name: str
    title: str
    words: str
    of: Callable[[int], FactoredConvNet]
    learnt: HeldOut
    test: HeldOut
    size: int
    shown: tuple[str, ...] = RENDERED

    def silhouettes(self) -> list[Image]:
        """True ones (h, w) of the pictures to learn on, 255 unknown."""
        return [np.where(c == IGNORE, c, c > 0).astype(np.uint8) for c in self.learnt.labels]

    def features(self, net: FactoredConvNet) -> tuple[TrunkFeatures, TrunkFeatures]:
        """Features of the pictures to learn on and to score, by the trunk that is kept."""
        learnt = extract(net, list(self.learnt.images), self.size)
        same = self.test is self.learnt
        return learnt, learnt if same else extract(net, list(self.test.images), self.size)

    def values(self, kept: Arrays, key: str) -> dict[str, Values]:
        """Measures (1 + draws,) of what `counted` gave: all pictures, then drawn ones."""
        parts, factor = (kept[f"{key} {of}"].astype(np.float32) for of in ("parts", "factor"))
        times = draw_counts(len(parts)).astype(np.float32)
        sums, silhouettes = (np.tensordot(times, c, 1).astype(np.float64) for c in (parts, factor))
        right = silhouettes[:, 0, 0] + silhouettes[:, 1, 1]
        rate = {"factor accuracy": right / silhouettes.sum((1, 2))}
        return rate | measures(sums, photos="garments" in self.shown)


@torch.no_grad()
def counted(net: FactoredConvNet, features: TrunkFeatures, cells: Image, key: str) -> Arrays:
    """Cells of every picture by true code and part, and by true and found silhouette."""
    parts, factor = [], []
    for start in range(0, len(cells), BATCH):
        f = features.maps[start : start + BATCH].float()
        fb = net.factor(f)
        logits = net.head(f, person_probability(fb)), fb
        labels, person = (
            interpolate(y, (GRID, GRID), mode="bilinear", align_corners=False).argmax(1).numpy()
            for y in logits
        )
        truth = cells[start : start + BATCH]
        parts.append(confusions(truth, labels))
        factor.append(confusions(np.where(truth == IGNORE, truth, truth > 0), person, (2, 2)))
    return {f"{key} parts": np.concatenate(parts), f"{key} factor": np.concatenate(factor)}


def each_seed(a: argparse.Namespace, name: str, make: Callable[[int], Arrays]) -> list[Arrays]:
    """The arrays of every seed in a domain of an experiment: made where they are missing, and kept.

    With --finished only those that are there.
    """
    found = []
    for seed in a.seeds:
        path = folder(a) / f"{name}-{seed}.npz"
        if not path.exists() and not a.finished:
            keep_arrays(path, make(seed))
        if path.exists():
            with np.load(path) as arrays:
                found.append(dict(arrays))
    return found


def domains(a: argparse.Namespace) -> list[Domain]:
    """Photos for the small network, a studio and a camera for the shipped one, which knows the photos.

    Raises:
        DataError: the networks there were made with other options, or pictures are missing.
    """
    setting(a).keep(folder(a), a)

    def small(seed: int) -> FactoredConvNet:
        return trained_factored(a, seed)

    def long(_seed: int) -> FactoredConvNet:
        return factored(a.shipped)

    people = HeldOut.read(a.test, min(LEARNT, a.limit or LEARNT))
    camera, studio = people.changed(shifted, SEED), people.changed(before_a_wall, SEED)
    street = HeldOut.street(a.data, min(LEARNT, a.limit or LEARNT), part="train")
    photos = HeldOut.street(a.data, a.limit)
    on = {"learnt": len(street.images), "scored": len(photos.images), "count": len(people.images)}
    measured = ("factor accuracy", "person IoU", "garments", "head", "trousers", "foot")
    return [
        Domain("ccp", "Street photos (ccp)", filled("ccp", **on, size=a.size), small, street, photos, a.size,
               measured),
        Domain("studio", "Rendered people before a wall", filled("studio", **on, size=a.shipped_size), long,
               studio, studio, a.shipped_size),
        Domain("camera", "Rendered people under another camera", filled("camera", **on, size=a.shipped_size),
               long, camera, camera, a.shipped_size),
    ]  # fmt: skip


def shifted(rng: np.random.Generator, image: Image, _labels: Image) -> Image:
    """The picture (h, w, 3) of a poor camera at dusk: darker, yellower, blurred, noisy."""
    dusk = 255 * (image.astype(np.float32) / 255) ** 1.6 * np.array((0.9, 0.75, 0.45), np.float32)
    noisy = cv2.GaussianBlur(dusk, (0, 0), 1.2) + rng.normal(0, 8, image.shape)
    return np.clip(noisy, 0, 255).astype(np.uint8)


def before_a_wall(rng: np.random.Generator, image: Image, labels: Image) -> Image:
    """The person (h, w, 3) before a painted wall, lit from one side; an edge of a pixel is mixed."""
    h, w = labels.shape
    left, right = rng.uniform(0.6, 1.2, 2)
    light = np.linspace(left, right, w)[None, :, None] * np.linspace(1.1, 0.8, h)[:, None, None]
    wall = rng.uniform(40, 200, 3) * light + rng.normal(0, 4, image.shape)
    share = cv2.GaussianBlur((labels > 0).astype(np.float32), (0, 0), 0.7)[..., None]
    return np.asarray(np.clip(share * image + (1 - share) * wall, 0, 255), np.uint8)
