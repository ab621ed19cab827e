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
from experiments.pages import filled
from experiments.people import GRID, HeldOut, PartScore
from models.checkpoint import CheckpointError
from models.factored import FactoredConvNet, person_probability
from training.evaluate import StreetPhotos
from training.prediction import NetworkInput, Prediction, decided
from training.transfer import TrunkFeatures, extract

Image = NDArray[np.uint8]
SEED = 4


@dataclass(frozen=True)
class Domain:
    """A new domain of experiments 4 and 5.

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
    features: TrunkFeatures
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
    learnt, test = (StreetPhotos.read(a.data, part, a.limit) for part in ("train", "test"))
    features = extract(net, [p.image for p in test.photos], a.size)
    requests = [NetworkInput.of(p.image, a.size).request for p in test.photos]
    images = [p.image for p in learnt.photos]
    words = {"learnt": len(images), "scored": len(test.photos), "budget": budget_words(a), "size": a.size}

    @torch.no_grad()
    def score(now: FactoredConvNet) -> dict[str, float]:
        def predict(i: int) -> Prediction:
            f = features.of(i)
            person = person_probability(now.factor(f))
            return decided(now.head(f, person), person, requests[i])

        return test.score(predict)

    return Domain(
        "ccp", "Street photos (ccp)", filled("ccp", **words), net, images, extract(net, images, a.size),
        learnt.silhouettes, score, ("factor accuracy", "parts J", "hair", "shoes", "trousers"), ("parts J",),
    )  # fmt: skip


def synthetic(net: FactoredConvNet, a: argparse.Namespace) -> Domain:
    """Held-out synthetic people under another camera, learnt on and scored on alike, as in the paper."""
    people = HeldOut.read(a.test, a.limit).changed(shifted, SEED)
    features = extract(net, list(people.images), a.shipped_size)
    cells = people.cells()
    words = filled("synthetic", count=len(people.images), size=a.shipped_size)
    silhouettes = [(label > 0).astype(np.uint8) for label in people.labels]

    @torch.no_grad()
    def score(now: FactoredConvNet) -> dict[str, float]:
        result, right = PartScore(), 0
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
        "synthetic", "Synthetic people under another camera", words, net, list(people.images), features,
        silhouettes, score, ("factor accuracy", "person IoU", "mean class accuracy", "mean IoU"),
        ("mean class accuracy", "mean IoU"),
    )  # fmt: skip


def shifted(rng: np.random.Generator, image: Image, _labels: Image) -> Image:
    """The picture (h, w, 3) of a poor camera at dusk: darker, yellower, blurred, noisy."""
    dusk = 255 * (image.astype(np.float32) / 255) ** 1.6 * np.array((0.9, 0.75, 0.45), np.float32)
    noisy = cv2.GaussianBlur(dusk, (0, 0), 1.2) + rng.normal(0, 8, image.shape)
    return np.clip(noisy, 0, 255).astype(np.uint8)
