"""A clip with its truth, and the scores of an engine on it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.results import Parsing
from runtime.engine.engine import Engine
from runtime.engine.sessions import NoResultError
from runtime.engine.source import Request, Silhouette
from runtime.frames import Frame
from runtime.media.clips import Clip
from runtime.media.images import list_images, read_image
from runtime.output.scaling import full_person
from synthetic.footage.files import Footage
from training.centroids import GROUPS, Distances, Points, centroids, expected, true_joints
from training.metrics import silhouette_iou

Bytes = NDArray[np.uint8]
Score = dict[str, float]


@dataclass(frozen=True)
class ScoredClip:
    """Frames of a clip with their truth.

    Attributes:
        source: the clip, or a folder of pictures.
        silhouettes: (h, w) 0/1 per frame.
        labels: true parts per frame, empty when unknown.
        joints: (7, 2) true joints per frame, empty when unknown.
    """

    name: str
    source: Path
    frames: list[Frame]
    silhouettes: list[Bytes]
    labels: list[Bytes]
    joints: list[Points]
    hard: bool = False


def of_footage(name: str, footage: Footage, count: int, *, hard: bool) -> ScoredClip:
    """The first `count` frames of a rendered take."""
    with Clip(footage.clip) as opened:
        frames = [f for f, _ in zip(opened.frames(), range(count), strict=False)]
    labels = list(footage.labels[: len(frames)])
    joints = [true_joints(k, t) for k, t in zip(footage.joints, labels, strict=False)]
    masks = [(t > 0).astype(np.uint8) for t in labels]
    return ScoredClip(name, footage.clip, frames, masks, labels, joints, hard)


def of_masked_clip(folder: Path) -> ScoredClip:
    """A folder of pictures beside a folder of hand-made silhouettes; only these are known."""
    paths = list_images(folder / "images")
    frames = [Frame(read_image(p), i, i / 25, 0.0) for i, p in enumerate(paths)]
    masks = [read_image(folder / "silhouettes" / f"{p.stem}.png")[..., 0] for p in paths]
    return ScoredClip(
        folder.name, folder / "images", frames, [(m > 0).astype(np.uint8) for m in masks], [], []
    )


class TrueSilhouettes:
    """True silhouettes in the factor's place: what a perfect factor would bring."""

    name = "true silhouettes"
    sessions = ()

    def __init__(self, silhouettes: list[Bytes]) -> None:
        self._masks = silhouettes

    def person(self, request: Request) -> Silhouette:
        """The frame's true silhouette."""
        return request.answer(np.asarray(self._masks[request.frame.index] * np.uint8(255)))

    def reset(self) -> None:
        """Nothing is remembered."""


def score(engine: Engine, clip: ScoredClip) -> Score:
    """Mean silhouette J, and the mean distance of each group of joints, px."""
    overlaps, distances = [], Distances()
    for i, frame in enumerate(clip.frames):
        parsing = engine.parsing(frame)
        overlaps.append(overlap(parsing, clip.silhouettes[i]))
        if clip.joints:
            add(distances, parsing, clip.joints[i], lambda f=frame: likely(engine, f))  # type: ignore[misc]
    return {"J": float(np.mean(overlaps)), **figures(distances)}


def overlap(parsing: Parsing, silhouette: Bytes) -> float:
    """J of P(person) ≥ 0.5 at the displayed size, as `xfactor parse` writes it."""
    return silhouette_iou(full_person(parsing) >= 128, silhouette)


def add(distances: Distances, parsing: Parsing, truth: Points, stand_in: Callable[[], Points]) -> None:
    """Count one frame; what stands in for missing parts is asked for only when some are missing."""
    at = centroids(parsing.labels, parsing.size)
    missing = np.isnan(at[:, 0]) & ~np.isnan(truth[:, 0])
    distances.add(at, stand_in() if missing.any() else at, truth)


def likely(engine: Engine, frame: Frame) -> Points:
    """Probability-weighted centroids of each joint's parts within the silhouette (methods §1.8)."""
    (found,) = engine.forward.grid_maps((frame,))
    if isinstance(found, NoResultError):
        raise found
    return expected(found.maps["parts"], found.maps["person"][0], frame.size)


def floor(clip: ScoredClip) -> Score:
    """Errors of the measure itself: centroids of the true parts against the true joints."""
    distances = Distances()
    for labels, truth in zip(clip.labels, clip.joints, strict=True):
        at = centroids(labels, (labels.shape[1], labels.shape[0]))
        distances.add(at, at, truth)
    return {"J": 1.0, **figures(distances)}


def figures(distances: Distances) -> Score:
    """Means by group, their mean, and how often no cell showed the part."""
    if not distances.count:
        return {}
    means = {g: distances.mean(g) for g in GROUPS}
    return {**means, "joints": distances.overall, "missed": distances.missed / distances.count}
