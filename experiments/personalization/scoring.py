"""A clip with its truth, and the scores of an engine on it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from models.codecs.heatmaps import peaks
from models.results import Parsing
from personalize.job import PersonChoice
from runtime.engine.engine import Engine, load_engine
from runtime.engine.sessions import NoResultError
from runtime.engine.source import Request, Silhouette
from runtime.frames import Frame
from runtime.media.clips import Clip
from runtime.media.images import list_images, read_image
from runtime.output.scaling import full_person
from runtime.system import paths
from synthetic.footage.files import Footage
from synthetic.footage.takes import Take
from training.centroids import GROUPS, JOINTS, Distances, Points, centroids, expected, true_joints
from training.metrics import silhouette_iou

Bytes = NDArray[np.uint8]
Maps = NDArray[np.float32]
Score = dict[str, float]


@dataclass(frozen=True)
class ScoredClip:
    """Frames of a clip with their truth.

    Attributes:
        source: the clip, or a folder of pictures.
        silhouettes: (h, w) 0/1 per frame.
        labels: true parts per frame, empty when unknown.
        joints: (7, 2) true joints per frame, empty when unknown.
        others: people beside the one whom silhouettes, labels and joints belong to.
    """

    name: str
    source: Path
    frames: list[Frame]
    silhouettes: list[Bytes]
    labels: list[Bytes]
    joints: list[Points]
    hard: bool = False
    others: int = 0
    take: str = ""  #: digest of what it was rendered from

    @cached_property
    def heat_maps(self) -> list[Maps]:
        """The joint head's maps (17, rows, columns) of every frame, which no factor changes."""
        engine = load_engine(paths.models_dir() / "joints-s31", device="cpu", threads=1)
        return [_maps(engine, frame)["heatmaps"] for frame in self.frames]

    @property
    def clicks(self) -> list[PersonChoice]:
        """Clicks on the person among others, a user's, and what to try if nobody is found there."""
        if not self.others:
            return []
        last = len(self.frames) - 1
        return [PersonChoice(_within(self.silhouettes[i]), i) for i in (last // 2, last // 4, 3 * last // 4)]


def _within(silhouette: Bytes) -> tuple[float, float]:
    """The pixel furthest from the edge of a silhouette."""
    depth = cv2.distanceTransform(np.pad(silhouette, 1), cv2.DIST_L2, 5)[1:-1, 1:-1]
    row, column = np.unravel_index(int(depth.argmax()), depth.shape)
    return float(column), float(row)


def of_footage(take: Take, footage: Footage, count: int) -> ScoredClip:
    """The first `count` frames of a rendered take."""
    with Clip(footage.clip) as opened:
        frames = [f for f, _ in zip(opened.frames(), range(count), strict=False)]
    labels = list(footage.labels[: len(frames)])
    joints = [true_joints(k, t) for k, t in zip(footage.joints, labels, strict=False)]
    masks = [(t > 0).astype(np.uint8) for t in labels]
    others = len(take.others)
    return ScoredClip(take.name, footage.clip, frames, masks, labels, joints, take.hard, others, take.digest)


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
    """Mean silhouette J, and each group's mean distance, px: of centroids and of the joint head."""
    overlaps, distances, by_head = [], Distances(), Distances()
    for i, frame in enumerate(clip.frames):
        parsing = engine.parsing(frame)
        overlaps.append(overlap(parsing, clip.silhouettes[i]))
        if clip.joints:
            add(distances, parsing, clip.joints[i], lambda f=frame: likely(engine, f))  # type: ignore[misc]
            at = highest(clip.heat_maps[i], parsing)
            by_head.add(at, at, clip.joints[i])
    heads = {f"{k} by joint head": v for k, v in figures(by_head).items() if k != "missed"}
    return {"J": float(np.mean(overlaps)), **figures(distances), **heads}


def highest(heat: Maps, parsing: Parsing) -> Points:
    """Highest places of each joint's map times P(person), (7, 2) in pixels of the picture."""
    rows, columns = heat.shape[1:]
    person = cv2.resize(full_person(parsing), (columns, rows), interpolation=cv2.INTER_AREA) / np.float32(255)
    cells, _ = peaks(np.asarray(heat * person, np.float32))
    scale = np.asarray((parsing.size[0] / columns, parsing.size[1] / rows))
    return np.stack([((cells[list(j.keypoints)] + 0.5) * scale - 0.5).mean(0) for j in JOINTS])


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
    maps = _maps(engine, frame)
    return expected(maps["parts"], maps["person"][0], frame.size)


def _maps(engine: Engine, frame: Frame) -> Mapping[str, Maps]:
    (found,) = engine.forward.grid_maps((frame,))
    if isinstance(found, NoResultError):
        raise found
    return found.maps


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
