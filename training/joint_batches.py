"""Batches of heat maps: photos with joints, moved, mirrored, on other scenes, and scenes with nobody."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.codecs.codec import Placement
from models.codecs.heatmaps import HeatmapCodec
from models.outputs import Heatmaps
from models.results import Pose
from training.augment import Image, Ranges, affine, photometric, warp
from training.joint_photos import JointPhoto
from training.stream import BACKGROUND_RANGES, Batch, BatchShape

PHOTO_RANGES = Ranges(scale=(0.5, 1.8), angle=20, wild_angle=0.08, shift=0.15)
EMPTY = 0.08  # share of pictures with nobody
CLOSE = 0.3  # share of pictures centred on one joint
ELSEWHERE = 0.7  # share of photos smaller than the crop that lie on another scene

Points = NDArray[np.float32]
Flags = NDArray[np.bool_]
CODEC = HeatmapCodec()


@dataclass(frozen=True)
class JointSources:
    """Photos with joints of the set that `output` describes, and pictures without people."""

    output: Heatmaps
    photos: Sequence[JointPhoto]
    backgrounds: Sequence[Image]


@dataclass(frozen=True)
class _Drawn:
    """A picture of the batch: joints in crop px, which are in it, and of which that is known."""

    picture: Image
    points: Points
    there: Flags
    known: Flags


def make_joint_batch(sources: JointSources, shape: BatchShape, *, seed: int, step: int) -> Batch:
    """The batch of one step.

    Its targets are `heatmaps` (b, joints, crop/stride, crop/stride) float32 and `known` (b, joints): maps of
    joints that nobody annotated teach nothing.
    """
    joint_set, crop = sources.output.joint_set, shape.crop
    placement = Placement((crop, crop), (crop, crop), shape.stride, sources.output.grid)
    drawn = [_draw(np.random.default_rng((seed, step, i)), sources, crop) for i in range(shape.size)]
    poses = [Pose(joint_set, d.points, d.there.astype(np.float32)) for d in drawn]
    maps = [CODEC.encode(sources.output, [pose], placement) for pose in poses]
    targets = {"heatmaps": np.stack(maps), "known": np.stack([d.known for d in drawn])}
    return Batch(np.stack([d.picture for d in drawn]), targets)


def _draw(rng: np.random.Generator, sources: JointSources, crop: int) -> _Drawn:
    background = sources.backgrounds[int(rng.integers(len(sources.backgrounds)))]
    photo = sources.photos[int(rng.integers(len(sources.photos)))]
    if rng.random() < EMPTY:
        nobody = np.zeros_like(photo.known)
        return _Drawn(photometric(rng, _scene(rng, background, crop)), photo.points, nobody, ~nobody)
    h, w = photo.image.shape[:2]
    known = np.flatnonzero(photo.known)
    centre = photo.points[int(rng.choice(known))] if rng.random() < CLOSE else None
    m = affine(rng, (w, h), crop, PHOTO_RANGES, centre)
    picture = _laid(rng, photo.image, m, background, crop)
    points = (photo.points @ m[:, :2].T + m[:, 2]).astype(np.float32)
    inside = ((points >= -0.5) & (points <= crop - 0.5)).all(axis=1)
    drawn = _Drawn(photometric(rng, picture), points, photo.known & inside, photo.known)
    mirrored = m[0, 0] * m[1, 1] < m[0, 1] * m[1, 0]
    return _mirrored(drawn, sources.output) if mirrored else drawn


def _mirrored(drawn: _Drawn, output: Heatmaps) -> _Drawn:
    """Left and right joints named anew: the picture is mirrored already, and so are the points."""
    order = list(output.joint_set.mirror_ids)
    return _Drawn(drawn.picture, drawn.points[order], drawn.there[order], drawn.known[order])


def _laid(
    rng: np.random.Generator, image: Image, m: NDArray[np.float64], background: Image, crop: int
) -> Image:
    """The moved photo; round one that does not fill the crop another scene, or its own mean colour."""
    alpha = np.full(image.shape[:2], 255, np.uint8)
    rgba, _ = warp(np.dstack((image, alpha)), np.zeros_like(alpha), m, crop, crop, 0)
    picture, share = rgba[..., :3], rgba[..., 3:].astype(np.float32) / 255
    if share.min() == 1:
        return np.ascontiguousarray(picture)
    mean = image[::8, ::8].reshape(-1, 3).mean(0)
    around = _scene(rng, background, crop) if rng.random() < ELSEWHERE else mean
    return (picture + (1 - share) * around).clip(0, 255).astype(np.uint8)


def _scene(rng: np.random.Generator, background: Image, crop: int) -> Image:
    h, w = background.shape[:2]
    m = affine(rng, (w, h), crop, BACKGROUND_RANGES)
    return warp(background, np.zeros((h, w), np.uint8), m, crop, crop, 0)[0]
