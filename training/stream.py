"""Batches for training: a stated mixture of synthetic people and photos, the same for the same (seed, step).

All randomness is drawn from (seed, step), so a run resumed from a checkpoint sees exactly the batches it
would have seen without the stop.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from queue import Queue
from typing import Any, Literal, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from models.labels import IGNORE
from training.augment import Image, Labels, Ranges, affine, occlude, photometric, warp, warp_codes
from training.photos import Photo

SILHOUETTE_RANGES = Ranges(scale=(0.8, 2.0), angle=12, wild_angle=0.12, shift=0.22)
SPORT_RANGES = Ranges(scale=(0.85, 1.8), angle=18, wild_angle=0.2, shift=0.15)
SYNTHETIC_RANGES = Ranges(scale=(0.85, 1.35), angle=6, wild_angle=0.08, shift=0.12)
BACKGROUND_RANGES = Ranges(scale=(1.3, 2.5), angle=4, shift=0.3)
CUTOUT_RANGES = Ranges(scale=(0.25, 1.6), angle=12, wild_angle=0.15, shift=0.4)
#: of the paper at 512 px: ±80°, 0.8 to 1.2, ±200 px (methods §1.5)
PAPER_RANGES = Ranges(scale=(0.8, 1.2), angle=80, shift=200 / 512, even=True)
Augmentation = Literal["ours", "paper"]
#: shares of scenes with none, one, … six people cut out of photos
CROWDS = (0.25, 0.2, 0.18, 0.14, 0.1, 0.08, 0.05)
AGAINST_THE_LIGHT = 0.12  # of the people in scenes: dark before a background that stays bright


@dataclass(frozen=True)
class Mixture:
    """Shares of the sources in every batch; they need not sum to one."""

    synthetic: float = 0.38
    silhouettes: float = 0.20  #: photos with silhouettes and garments
    sport: float = 0.34  #: photos with joints
    composites: float = 0.08  #: cut-outs on backgrounds, and backgrounds alone
    own: float = 0.3  #: photos of one's own


@dataclass(frozen=True)
class Packed:
    """Synthetic people made ahead, usually memory-mapped.

    Attributes:
        images: (n, s, s, 3) uint8 RGB.
        labels: (n, s, s) uint8.
        keypoints: (n, 17, 3) column, row and visibility of COCO's joints, 0 where nothing is known; or None.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.uint8]
    keypoints: NDArray[np.float32] | None = None


@dataclass(frozen=True)
class Sources:
    """Everything a batch is drawn from; any of them may be empty."""

    synthetic: Sequence[Packed] = ()
    silhouettes: Sequence[Photo] = ()
    sport: Sequence[Photo] = ()
    cutouts: Sequence[Photo] = ()
    backgrounds: Sequence[Image] = ()
    own: Sequence[Photo] = ()
    published: Mapping[str, tuple[Sequence[Photo], float]] = field(default_factory=dict)  #: and their weights

    def shares(self, mixture: Mixture) -> tuple[tuple[str, ...], NDArray[np.float64]]:
        """Names and normalised shares of the sources that are there.

        Raises:
            ValueError: when nothing is there.
        """
        there = {
            "synthetic": (bool(self.synthetic), mixture.synthetic),
            "silhouettes": (bool(self.silhouettes), mixture.silhouettes),
            "sport": (bool(self.sport), mixture.sport),
            "composites": (bool(self.backgrounds), mixture.composites),
        }
        if self.own:  # where there are none, batches are the same to the bit as without this kind
            there["own"] = (True, mixture.own)
        there |= {name: (True, weight) for name, (_, weight) in self.published.items()}
        share = np.array([w if ok else 0.0 for ok, w in there.values()])
        if share.sum() <= 0:
            raise ValueError("no training data: give --data DIR, --synthetic FILE or --own DIR")
        return tuple(there), share / share.sum()


@dataclass(frozen=True)
class Batch:
    """Pictures and what they teach.

    Attributes:
        images: (b, crop, crop, 3) uint8 RGB.
        targets: arrays (b, …) by the name that a loss asks for (objectives.py); `codes`
            (b, crop/stride, crop/stride) uint8 of parts and silhouettes.
    """

    images: NDArray[np.uint8]
    targets: dict[str, NDArray[Any]]


class Batches(Protocol):
    """Makes the batch of any step, the same for the same step."""

    def __call__(self, *, step: int) -> Batch:
        """The batch of a step."""


@dataclass(frozen=True)
class BatchShape:
    """`size` pictures of side `crop` px, with a code every `stride` px.

    `augmentation`: the paper's is one affine of all pictures alike, no change of light, and 0 outside them.
    """

    size: int
    crop: int
    stride: int
    augmentation: Augmentation = "ours"
    labels: Labels = "centre"


def make_batch(sources: Sources, mixture: Mixture, shape: BatchShape, *, seed: int, step: int) -> Batch:
    """The batch of one step."""
    size = shape.size
    kinds, shares = sources.shares(mixture)
    rng = np.random.default_rng((seed, step))
    # stratified: every batch has nearly the same mixture, so batch statistics do not swing
    marks = (np.arange(size) + rng.random()) / size
    chosen = np.searchsorted(np.cumsum(shares), marks, side="right").clip(max=len(kinds) - 1)
    pairs = [
        _draw(np.random.default_rng((seed, step, i)), sources, kinds[k], shape) for i, k in enumerate(chosen)
    ]
    return Batch(np.stack([p[0] for p in pairs]), {"codes": np.stack([p[1] for p in pairs])})


def _draw(rng: np.random.Generator, s: Sources, kind: str, shape: BatchShape) -> tuple[Image, Image]:
    if kind in s.published:
        picture, target = _photo(rng, s.published[kind][0], SILHOUETTE_RANGES, shape)
    else:
        picture, target = _DRAW[kind](rng, s, shape)
    if s.backgrounds and kind != "composites" and rng.random() < 0.12:
        occlude(rng, picture, target, s.backgrounds[int(rng.integers(len(s.backgrounds)))])
    return (picture if shape.augmentation == "paper" else photometric(rng, picture)), target


def _synthetic(rng: np.random.Generator, s: Sources, shape: BatchShape) -> tuple[Image, Image]:
    ends = np.cumsum([len(p.images) for p in s.synthetic])
    i = int(rng.integers(ends[-1]))
    k = int(np.searchsorted(ends, i, side="right"))
    image, codes = (np.asarray(a[i - ends[k]]) for a in (s.synthetic[k].images, s.synthetic[k].labels))
    return _warped(rng, image, codes, SYNTHETIC_RANGES, shape)


def _warped(
    rng: np.random.Generator, image: Image, codes: Image, usual: Ranges, shape: BatchShape,
    centre: NDArray[np.float32] | None = None,
) -> tuple[Image, Image]:  # fmt: skip
    paper = shape.augmentation == "paper"
    h, w = codes.shape
    m = affine(rng, (w, h), shape.crop, PAPER_RANGES if paper else usual, centre)
    there = warp_codes(codes, m, shape.crop, shape.stride, 0 if paper else IGNORE, shape.labels)
    return warp(image, m, shape.crop), there


def _photo(
    rng: np.random.Generator, photos: Sequence[Photo], ranges: Ranges, shape: BatchShape
) -> tuple[Image, Image]:
    photo = photos[int(rng.integers(len(photos)))]
    centre = None
    # half of the time one joint is looked at closely
    if photo.skeleton is not None and shape.augmentation == "ours" and rng.random() < 0.5:
        known = np.flatnonzero(photo.skeleton.visible > 0)
        if len(known):
            centre = photo.skeleton.xy[int(rng.choice(known))]
    return _warped(rng, photo.image, photo.codes, ranges, shape, centre)


def _silhouette(rng: np.random.Generator, s: Sources, shape: BatchShape) -> tuple[Image, Image]:
    return _photo(rng, s.silhouettes, SILHOUETTE_RANGES, shape)


def _sport(rng: np.random.Generator, s: Sources, shape: BatchShape) -> tuple[Image, Image]:
    return _photo(rng, s.sport, SPORT_RANGES, shape)


def _own(rng: np.random.Generator, s: Sources, shape: BatchShape) -> tuple[Image, Image]:
    return _photo(rng, s.own, SILHOUETTE_RANGES, shape)


def _composite(rng: np.random.Generator, s: Sources, shape: BatchShape) -> tuple[Image, Image]:
    """A background with none to three people cut out of other photos."""
    crop, stride = shape.crop, shape.stride
    background = s.backgrounds[int(rng.integers(len(s.backgrounds)))]
    m = affine(rng, (background.shape[1], background.shape[0]), crop, BACKGROUND_RANGES)
    picture, target = warp(background, m, crop), np.zeros((crop // stride, crop // stride), np.uint8)
    people = int(rng.choice(len(CROWDS), p=CROWDS)) if s.cutouts else 0
    smaller = Ranges(**(asdict(CUTOUT_RANGES) | {"scale": (0.25, 1.6 / max(1.0, people / 2))}))
    for _ in range(people):
        cutout = s.cutouts[int(rng.integers(len(s.cutouts)))]
        h, w = cutout.codes.shape
        m = affine(rng, (w, h), crop, smaller)
        rgba, codes = warp(cutout.image, m, crop), warp_codes(cutout.codes, m, crop, stride, 0)
        alpha = cv2.GaussianBlur(rgba[..., 3], (0, 0), 0.7)[..., None].astype(np.float32) / 255
        light = rng.uniform(0.15, 0.6) if rng.random() < AGAINST_THE_LIGHT else rng.uniform(0.75, 1.15)
        person = np.minimum(np.float32(light) * rgba[..., :3], 255)
        picture = (alpha * person + (1 - alpha) * picture).astype(np.uint8)
        target = np.where(codes == 0, target, codes)
    return picture, target


_DRAW = {
    "synthetic": _synthetic,
    "silhouettes": _silhouette,
    "sport": _sport,
    "composites": _composite,
    "own": _own,
}


class Stream:
    """Batches of consecutive steps, made ahead by one thread (numpy and OpenCV release the GIL)."""

    def __init__(self, make: Batches, *, start: int) -> None:
        self._queue: Queue[Batch | BaseException] = Queue(maxsize=4)
        self._stop = threading.Event()
        self._make = make
        self._thread = threading.Thread(target=self._produce, args=(start,), name="batches", daemon=True)
        self._thread.start()

    def _produce(self, step: int) -> None:
        while not self._stop.is_set():
            try:
                item: Batch | BaseException = self._make(step=step)
            except BaseException as e:  # noqa: BLE001 - handed to the trainer's thread, which raises it
                item = e
            self._queue.put(item)
            if isinstance(item, BaseException):
                return
            step += 1

    def __iter__(self) -> Iterator[Batch]:
        while True:
            item = self._queue.get()
            if isinstance(item, BaseException):
                raise item
            yield item

    def close(self) -> None:
        """End the producer and wait for it: a thread inside OpenCV at interpreter exit aborts the process."""
        self._stop.set()
        while self._thread.is_alive():
            while not self._queue.empty():  # it may wait for a place
                self._queue.get_nowait()
            self._thread.join(timeout=0.05)
