"""Batches of heat maps, and of parts beside them: people moved, mirrored, on other scenes; nobody in some."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from models.codecs.codec import Placement
from models.codecs.heatmaps import HeatmapCodec
from models.labels import IGNORE, S31, PartSet
from models.outputs import Heatmaps
from models.results import Pose
from training.augment import Image, Ranges, affine, mirrors, occlude, photometric, warp, warp_codes
from training.joint_photos import JointPhoto, rendered
from training.stream import BACKGROUND_RANGES, Batch, BatchShape, Packed

PHOTO_RANGES = Ranges(scale=(0.5, 1.8), angle=20, wild_angle=0.08, shift=0.15)
EMPTY = 0.08  # share of pictures with nobody
CLOSE = 0.3  # share of pictures centred on one joint
ELSEWHERE = 0.7  # share of photos smaller than the crop that lie on another scene
RENDERED = 0.35  # share of synthetic people, where they are given
COVERED = 0.12  # share of people partly behind something, where parts are taught

Points = NDArray[np.float32]
Flags = NDArray[np.bool_]
CODEC = HeatmapCodec()


@dataclass(frozen=True)
class JointSources:
    """Photos with joints of the set that `output` describes, and pictures without people, if there are some.

    Attributes:
        parts: the codes of the same people, which teach this set, are wanted, too.
        rendered: synthetic people.
        rendered_share: of the pictures, where there are some; 1: no photos are needed.
        published: people of published sets, with weights beside 1 of the photos'.
    """

    output: Heatmaps
    photos: Sequence[JointPhoto]
    backgrounds: Sequence[Image]
    parts: PartSet | None = None
    rendered: Sequence[Packed] = ()
    rendered_share: float = RENDERED
    published: Sequence[tuple[Sequence[JointPhoto], float]] = ()


@dataclass(frozen=True)
class _Drawn:
    """A picture of the batch: joints in crop px, those in it, and those of which that is known.

    `codes` (crop/stride, crop/stride) teach parts where they are wanted.
    """

    picture: Image
    points: Points
    there: Flags
    known: Flags
    codes: Image


def make_joint_batch(sources: JointSources, shape: BatchShape, *, seed: int, step: int) -> Batch:
    """The batch of one step.

    Its targets are `heatmaps` (b, joints, rows, columns) float32 on the network's grid and `known`
    (b, joints): maps of joints that nobody annotated teach nothing. Where parts are wanted, `codes`
    (b, crop/stride, crop/stride) are of the same pictures.
    """
    joint_set, crop = sources.output.joint_set, shape.crop
    placement = Placement((crop, crop), (crop, crop), sources.output.stride, sources.output.grid)
    drawn = [_draw(np.random.default_rng((seed, step, i)), sources, shape) for i in range(shape.size)]
    poses = [Pose(joint_set, d.points, d.there.astype(np.float32)) for d in drawn]
    maps = [CODEC.encode(sources.output, [pose], placement) for pose in poses]
    targets = {"heatmaps": np.stack(maps), "known": np.stack([d.known for d in drawn])}
    if sources.parts:
        targets["codes"] = np.stack([d.codes for d in drawn])
    return Batch(np.stack([d.picture for d in drawn]), targets)


def _draw(rng: np.random.Generator, sources: JointSources, shape: BatchShape) -> _Drawn:
    crop = shape.crop
    scenes = sources.backgrounds
    background = scenes[int(rng.integers(len(scenes)))] if len(scenes) else None
    photo = _person(rng, sources)
    if background is not None and rng.random() < EMPTY:
        nobody, cells = np.zeros_like(photo.known), crop // shape.stride
        scene = photometric(rng, _scene(rng, background, crop))
        return _Drawn(scene, photo.points, nobody, ~nobody, np.zeros((cells, cells), np.uint8))
    h, w = photo.image.shape[:2]
    known = np.flatnonzero(photo.known)
    centre = photo.points[int(rng.choice(known))] if rng.random() < CLOSE and len(known) else None
    m = affine(rng, (w, h), crop, PHOTO_RANGES, centre)
    picture, codes = _laid(rng, photo, m, background, shape, sources.parts)
    if sources.parts and background is not None and rng.random() < COVERED:
        occlude(rng, picture, codes, background)
    points = (photo.points @ m[:, :2].T + m[:, 2]).astype(np.float32)
    inside = ((points >= -0.5) & (points <= crop - 0.5)).all(axis=1)
    drawn = _Drawn(photometric(rng, picture), points, photo.known & inside, photo.known, codes)
    return _mirrored(drawn, sources.output) if mirrors(m) else drawn


def _mirrored(drawn: _Drawn, output: Heatmaps) -> _Drawn:
    """Left and right joints named anew: the picture is mirrored already, and so are points and codes."""
    order = list(output.joint_set.mirror_ids)
    return replace(drawn, points=drawn.points[order], there=drawn.there[order], known=drawn.known[order])


def _person(rng: np.random.Generator, sources: JointSources) -> JointPhoto:
    if sources.rendered and rng.random() < sources.rendered_share:
        packed = sources.rendered[int(rng.integers(len(sources.rendered)))]
        return rendered(packed, int(rng.integers(len(packed.images))), sources.output.joint_set)
    people = sources.photos
    if sources.published:
        choices = [*sources.published, *([(people, 1.0)] if len(people) else [])]
        weights = np.array([weight for _, weight in choices])
        people = choices[int(rng.choice(len(choices), p=weights / weights.sum()))][0]
    return people[int(rng.integers(len(people)))]


def _laid(
    rng: np.random.Generator,
    photo: JointPhoto,
    m: NDArray[np.float64],
    background: Image | None,
    shape: BatchShape,
    parts: PartSet | None,
) -> tuple[Image, Image]:
    """The moved photo with its codes; round a small one another scene, or its own mean colour.

    In another scene there is nobody; of the rest of a photo's own nothing is known.
    """
    image, crop, stride = photo.image, shape.crop, shape.stride
    alpha = np.full(image.shape[:2], 255, np.uint8)
    known = np.full_like(alpha, IGNORE) if photo.codes is None else photo.codes
    rgba = warp(np.dstack((image, alpha)), m, crop)
    codes = warp_codes(known, m, crop, stride, IGNORE, part_set=parts or S31)
    picture, share = rgba[..., :3], rgba[..., 3:].astype(np.float32) / 255
    if share.min() == 1:
        return np.ascontiguousarray(picture), codes
    around: Image | NDArray[np.float64] = image[::8, ::8].reshape(-1, 3).mean(0)
    if background is not None and rng.random() < ELSEWHERE:
        around = _scene(rng, background, crop)
        codes = np.where(share[stride // 2 :: stride, stride // 2 :: stride, 0] == 0, np.uint8(0), codes)
    return (picture + (1 - share) * around).clip(0, 255).astype(np.uint8), codes


def _scene(rng: np.random.Generator, background: Image, crop: int) -> Image:
    h, w = background.shape[:2]
    m = affine(rng, (w, h), crop, BACKGROUND_RANGES)
    return warp(background, m, crop)
