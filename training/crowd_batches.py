"""Batches of everybody's joints: scenes of several people, and photos of one person as they are.

For PersonLab, for part affinity fields with the parts of the same people, or for persons' centres.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from models.codecs.affinity_fields import AffinityFieldsCodec
from models.codecs.codec import Placement
from models.codecs.heatmaps import HeatmapCodec
from models.codecs.person_centres import PersonCentresCodec
from models.codecs.personlab import AnnotatedPerson, encode_people
from models.grid import Grid
from models.labels import IGNORE
from models.outputs import AffinityFields, CentreOffsets, Heatmaps, JointDisks
from models.results import Pose
from training.augment import Image, Ranges, affine, mirrors, photometric
from training.crowds import Crowd, draw_crowd, grown, warped_codes
from training.joint_photos import JointPhoto
from training.person_cutouts import PersonCutout
from training.stream import Batch, BatchShape

Bits = NDArray[np.bool_]
IN_PLACE = 0.25  # share of pictures that are photos as they are
PHOTO_RANGES = Ranges(scale=(0.5, 1.8), angle=15, wild_angle=0.06, shift=0.18)


@dataclass(frozen=True)
class WholePhoto:
    """A photo with its person: joints, soft silhouette and codes of parts, at the photo's size."""

    name: str
    image: Image
    alpha: Image
    points: NDArray[np.float32]
    known: NDArray[np.bool_]
    codes: Image | None = None


@dataclass(frozen=True)
class CrowdSources:
    """People to put into scenes, drawn photo or rendered, and photos as they are.

    `output` says which joints, and how far round one that nobody told nothing is known.
    """

    output: JointDisks
    people: Sequence[PersonCutout]
    rendered: Sequence[PersonCutout]
    photos: Sequence[WholePhoto]
    backgrounds: Sequence[Image]
    rendered_share: float = 0.3


def make_crowd_batch(sources: CrowdSources, shape: BatchShape, *, seed: int, step: int) -> Batch:
    """The batch of one step; targets as `personlab_loss` asks for."""
    drawn = [_draw(np.random.default_rng((seed, step, i)), sources, shape.crop) for i in range(shape.size)]
    return batch_of(drawn, sources.output, shape.stride)


def batch_of(drawn: Sequence[Crowd], output: JointDisks, stride: int) -> Batch:
    """Scenes of one size and their targets."""
    return _stacked(drawn, [crowd_targets(c, output, stride) for c in drawn])


def _stacked(drawn: Sequence[Crowd], targets: Sequence[dict[str, NDArray[Any]]]) -> Batch:
    stacked = {name: np.stack([t[name] for t in targets]) for name in targets[0]}
    return Batch(np.stack([c.picture for c in drawn]), stacked)


def make_affinity_batch(sources: CrowdSources, shape: BatchShape, *, seed: int, step: int) -> Batch:
    """The batch of one step for parts, heat maps and affinity fields; targets as their losses ask for."""
    drawn = [_draw(np.random.default_rng((seed, step, i)), sources, shape.crop) for i in range(shape.size)]
    return _stacked(drawn, [affinity_targets(c, sources.output, shape.stride) for c in drawn])


def make_centre_batch(
    sources: CrowdSources, heat: Heatmaps, centres: CentreOffsets, shape: BatchShape, *, seed: int, step: int
) -> Batch:
    """The batch of one step for heat maps and vectors to the centres; targets as `centre_loss` asks for."""
    drawn = [_draw(np.random.default_rng((seed, step, i)), sources, shape.crop) for i in range(shape.size)]
    return _stacked(drawn, [centre_targets(c, heat, centres) for c in drawn])


def centre_targets(crowd: Crowd, heat: Heatmaps, centres: CentreOffsets) -> dict[str, NDArray[Any]]:
    """Maps of a scene on the grid of `heat`, 1 where they are known, and of each joint where vectors are."""
    maps, _, placement = _joint_maps(crowd, heat)
    vectors, taught = PersonCentresCodec().encode(centres, crowd.people, placement)
    return maps | {centres.type: vectors, f"{centres.type}_known": taught}


def _joint_maps(crowd: Crowd, heat: Heatmaps) -> tuple[dict[str, NDArray[Any]], Bits, Placement]:
    """Heat maps and 1 where they are known; the same of each joint alone; and their grid."""
    side, stride = crowd.picture.shape[0], heat.stride
    placement = Placement((side, side), (side, side), stride, heat.grid)
    poses = [Pose(heat.joint_set, p.points, p.labelled.astype(np.float32)) for p in crowd.people]
    known = ~crowd.unknown[:, stride // 2 :: stride, stride // 2 :: stride]
    joints = np.concatenate((known, known.all(axis=0, keepdims=True)))
    maps = HeatmapCodec().encode(heat, poses, placement)
    return {heat.type: maps, f"{heat.type}_known": joints.astype(np.float32)}, known, placement


def affinity_targets(crowd: Crowd, output: JointDisks, stride: int) -> dict[str, NDArray[Any]]:
    """Maps of a scene on the grid of `output`, 1 where they are known, and `codes` every `stride` px."""
    side = crowd.picture.shape[0]
    heat = Heatmaps(joints=output.joints, stride=output.stride, grid=output.grid, background=True)
    fields = AffinityFields(joints=output.joints)
    maps, known, placement = _joint_maps(crowd, heat)
    maps[fields.type] = AffinityFieldsCodec().encode(fields, crowd.people, placement)
    limbs = np.stack([known[a] & known[b] for a, b in output.joint_set.bones]).repeat(2, axis=0)
    maps[f"{fields.type}_known"] = (limbs | (maps[fields.type] != 0)).astype(np.float32)
    codes = np.full((side, side), IGNORE, np.uint8) if crowd.codes is None else crowd.codes
    maps["codes"] = codes[stride // 2 :: stride, stride // 2 :: stride]
    return maps


def crowd_targets(crowd: Crowd, output: JointDisks, stride: int) -> dict[str, NDArray[np.float32]]:
    """Targets of a scene on the grid; on one of corners, the picture's sides are stride·n + 1."""
    side = crowd.picture.shape[0]
    placement = Placement((side, side), (side, side), stride, output.grid)
    first = stride // 2 if output.grid is Grid.CENTRE else 0
    at = np.s_[..., first::stride, first::stride]
    maps = encode_people(output.joint_set, crowd.people, crowd.owners[at], placement, output.radius_px)
    maps["disks_known"] = (~crowd.unknown[at] | (maps["disks"] > 0)).astype(np.float32)
    covered, unsure = (m.astype(np.float32) for m in (crowd.covered, crowd.unsure))
    if output.grid is Grid.CENTRE:  # areas of cells; a corner is a pixel
        covered, unsure = (
            np.asarray(cv2.resize(m, placement.cells, interpolation=cv2.INTER_AREA), np.float32)
            for m in (covered, unsure)
        )
    else:
        covered, unsure = covered[at], unsure[at]
    maps["person"] = covered[None]
    maps["person_known"] = (unsure <= 0).astype(np.float32)[None]
    return maps


def _draw(rng: np.random.Generator, s: CrowdSources, side: int) -> Crowd:
    if s.photos and rng.random() < IN_PLACE:
        return in_place(rng, s.photos[int(rng.integers(len(s.photos)))], s.output, side)
    people = s.rendered if s.rendered and rng.random() < s.rendered_share else s.people
    return draw_crowd(rng, people, s.backgrounds, s.output, side)


def in_place(rng: np.random.Generator, photo: WholePhoto, output: JointDisks, side: int) -> Crowd:
    """A photo moved; further from its person than a disk nobody said who else is there."""
    h, w = photo.alpha.shape
    centre = photo.points[int(rng.choice(np.flatnonzero(photo.known)))] if rng.random() < 0.3 else None
    m = affine(rng, (w, h), side, PHOTO_RANGES, centre)
    rgba = np.dstack((photo.image, np.full((h, w), 255, np.uint8)))
    mean = [float(v) for v in photo.image[::8, ::8].reshape(-1, 3).mean(0)]
    laid = cv2.warpAffine(rgba, m, (side, side), flags=cv2.INTER_LINEAR, borderValue=(*mean, 0))
    alpha = cv2.warpAffine(photo.alpha, m, (side, side), flags=cv2.INTER_LINEAR, borderValue=0)
    points = (photo.points @ m[:, :2].T + m[:, 2]).astype(np.float32)
    known = photo.known
    if mirrors(m):
        order = list(output.joint_set.mirror_ids)
        points, known = points[order], known[order]
    seen = alpha >= 128
    near = grown(seen, output.radius_px / 2)
    unknown = np.repeat((~near & (laid[..., 3] > 0))[None], len(points), axis=0)
    within = grown(seen, output.radius_px)
    for k in np.flatnonzero(~known):
        unknown[k] |= within
    unsure = (~near & (laid[..., 3] > 0)) | ((alpha > 60) & (alpha < 190))
    people = (AnnotatedPerson(points, known),) if seen.any() else ()
    picture = photometric(rng, np.ascontiguousarray(laid[..., :3]))
    owners = (seen if people else np.zeros_like(seen)).astype(np.uint8)
    codes = None if photo.codes is None else warped_codes(photo.codes, m, side)
    return Crowd(picture, owners, people, unknown, unsure, codes=codes)


def whole_photos(pairs: Iterable[tuple[JointPhoto, Image]]) -> list[WholePhoto]:
    """Photos with their silhouettes, as they are."""
    return [WholePhoto(p.name, p.image, alpha, p.points, p.known, p.codes) for p, alpha in pairs]
