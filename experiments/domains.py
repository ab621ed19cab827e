"""The domains a factor is moved to: pictures to learn on with their silhouettes, and a score."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import interpolate

from experiments.networks import Trained, budget_words, shipped, trained
from experiments.people import GRID, People, Score
from experiments.street import Street, silhouette
from models.checkpoint import CheckpointError
from models.factored import FactoredConvNet, person_probability
from training.photos import read_ccp
from training.transfer import Features, extract

Image = NDArray[np.uint8]
SEED = 4


@dataclass(frozen=True)
class Domain:
    """What experiments 4 and 5 need of a new domain.

    Attributes:
        name: for files.
        title: for headings.
        words: what is learnt on and what is scored.
        net: the network before.
        images: (h, w, 3) RGB to learn on.
        features: of these, by the trunk that is kept.
        silhouettes: true ones of these; experiment 5 does not look at them.
        score: the measures of a network on this domain's test pictures.
        shown: measures to plot.
        main: those that speak for the parts.
    """

    name: str
    title: str
    words: str
    net: FactoredConvNet
    images: Sequence[Image]
    features: Features
    silhouettes: Sequence[Image]
    score: Callable[[FactoredConvNet], dict[str, float]]
    shown: tuple[str, ...]
    main: tuple[str, ...]


def domains(a: argparse.Namespace) -> Iterator[Domain]:
    """Street photos for the small network, another camera for the shipped one (which has seen the photos)."""
    yield ccp(_with_factor(trained(a, "factored")), a)
    yield synthetic(_with_factor(shipped(a)), a)


def _with_factor(found: Trained) -> FactoredConvNet:
    if not isinstance(found.net, FactoredConvNet):
        raise CheckpointError(
            f"{found.title}: not a Factored ConvNet. Give a checkpoint trained as factored."
        )
    return found.net


def ccp(net: FactoredConvNet, a: argparse.Namespace) -> Domain:
    """Real street photos, of which factor and head, trained on synthetic people, have never seen one."""
    photos = read_ccp(a.data / "ccp", "train")[: a.limit]
    street = Street.read(net, a.data, a.size, a.limit)
    images = [p.image for p in photos]
    return Domain(
        "ccp",
        "Street photos (ccp)",
        f"Learnt on {len(photos)} photos, scored on {len(street.garments)} others, at the photos' size. Parts"
        " have no labels there: J and boundary F are those of everything that is a part, hair must be head,"
        " shoes feet or ankles, trousers legs or lower body. The network is the small Factored one:"
        f" {budget_words(a)}. So the trunk has seen these photos, factor and head have seen"
        f" synthetic people only. Input {a.size} px.",
        net,
        images,
        extract(net, images, a.size),
        [silhouette(a.data, p) for p in photos],
        street.score,
        ("factor accuracy", "parts J", "hair", "shoes", "trousers"),
        ("parts J",),
    )


def synthetic(net: FactoredConvNet, a: argparse.Namespace) -> Domain:
    """Held-out synthetic people under another camera, learnt on and scored on alike, as in the paper."""
    people = People.read(a.test, a.limit).changed(shifted, SEED)
    features = extract(net, list(people.images), a.shipped_size)
    cells = people.cells()

    @torch.no_grad()
    def score(now: FactoredConvNet) -> dict[str, float]:
        result, right = Score(), 0
        for i, truth in enumerate(cells):
            f = features.of(i)
            fb = now.factor(f)
            grid = (GRID, GRID)
            parts = interpolate(
                now.head(f, person_probability(fb)), grid, mode="bilinear", align_corners=False
            )
            person = interpolate(fb, grid, mode="bilinear", align_corners=False).argmax(1)
            result.confusion.add(truth, parts[0].argmax(0).numpy().astype(np.uint8))
            right += int((person[0].numpy() == (truth > 0)).sum())
        return {
            "factor accuracy": right / cells.size,
            "mean IoU": result.iou,
            "mean class accuracy": result.accuracy,
            "person IoU": result.person,
            "background": result.background,
            **result.by_class("accuracy"),
        }

    return Domain(
        "synthetic",
        "Synthetic people under another camera",
        f"{len(people.images)} held-out synthetic people, made dark, yellow, blurred and noisy; learnt on and"
        " scored on the same pictures, as the paper does with its test set. Accuracy by class, left and right"
        " averaged, at 64 x 64. The network is the shipped one, which has learnt from synthetic people and"
        f" photos, but never with such a camera. Input {a.shipped_size} px.",
        net,
        list(people.images),
        features,
        [(label > 0).astype(np.uint8) for label in people.labels],
        score,
        ("factor accuracy", "person IoU", "mean class accuracy", "mean IoU"),
        ("mean class accuracy", "mean IoU"),
    )


def shifted(rng: np.random.Generator, image: Image, _labels: Image) -> Image:
    """The look of a poor camera at dusk: (h, w, 3) darker, yellower, blurred, noisy."""
    dusk = 255 * (image.astype(np.float32) / 255) ** 1.6 * np.array((0.9, 0.75, 0.45), np.float32)
    noisy = cv2.GaussianBlur(dusk, (0, 0), 1.2) + rng.normal(0, 8, image.shape)
    return np.clip(noisy, 0, 255).astype(np.uint8)
