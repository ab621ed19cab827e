"""Batches for PersonLab from COCO's photos of several people, taught and augmented as in the paper (§4.1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from models.codecs.personlab import AnnotatedPerson
from models.outputs import JointDisks
from training.augment import warp
from training.crowd_batches import batch_of
from training.crowds import Crowd
from training.datasets.coco import IMPUTED, AnnotatedPicture, annotated, filled, outline, records, splits
from training.datasets.files import BrokenError, picture_size, read_rgb
from training.datasets.problems import Problems
from training.person_cutouts import beside
from training.photos import DataError
from training.stream import Batch, BatchShape

SCALES = (0.5, 1.5)  # side of the crop, times the longer side of the photo
SHIFT = 0.25  # of the crop's centre, sides of the crop
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class _Scene:
    """Masks (h, w) and people of a photo."""

    owners: NDArray[np.uint8]  # the only person whose mask covers a pixel, from 1 in the order of `people`
    people: tuple[AnnotatedPerson, ...]
    covered: Flags  # somebody's mask
    unlabelled: Flags  # of people without joints, and crowds
    crowds: Flags


def read_coco(root: Path, *, strict: bool = False) -> list[AnnotatedPicture]:
    """The training photos that show people; what cannot be used is named and left out, or refused if strict.

    Raises:
        DataError: the folder is not COCO's, or has no training photos with people.
    """
    problems = Problems(strict=strict)
    there = splits(root, problems)  # one with imputed joints takes the place of the same without
    training = [s for s in there if s.startswith("train") and f"{s}{IMPUTED}" not in there]
    listed = (r for split in training for r in records(root, split, problems) if r.annotations)
    found = [r for r in listed if problems.attempt(r.name, partial(_checked, r))]
    if not found:
        raise DataError(f"{root}: no training photo with people. It needs annotations/ and train2017/.")
    return found


def _checked(photo: AnnotatedPicture) -> bool:
    """True; raises where an annotation contradicts itself or the photo, before a training has begun."""
    if (seen := picture_size(photo.picture)) != photo.size:
        raise BrokenError(f"the picture has {seen[0]}x{seen[1]} px, its annotations {photo.size}")
    for annotation in photo.annotations:
        annotated(annotation)
        outline(annotation.get("segmentation"), photo.size)
    return True


def make_coco_batch(
    photos: Sequence[AnnotatedPicture], output: JointDisks, shape: BatchShape, *, seed: int, step: int
) -> Batch:
    """The batch of one step; targets as `personlab_loss` asks for."""
    drawn = []
    for i in range(shape.size):
        rng = np.random.default_rng((seed, step, i))
        drawn.append(draw_photo(rng, photos[int(rng.integers(len(photos)))], output, shape.crop))
    return batch_of(drawn, output, shape.stride)


def draw_photo(rng: np.random.Generator, photo: AnnotatedPicture, output: JointDisks, side: int) -> Crowd:
    """A square of `side` px of a photo: scaled, moved and mirrored by chance."""
    image, scene = read_rgb(photo.picture), _scene(photo)
    h, w = scene.owners.shape
    box = max(h, w) * rng.uniform(*SCALES)
    at = np.array((w, h)) / 2 + rng.uniform(-SHIFT, SHIFT, 2) * box - box / 2
    k, mirrored = side / box, rng.random() < 0.5
    m = np.array([[k, 0, (0.5 - at[0]) * k - 0.5], [0, k, (0.5 - at[1]) * k - 0.5]])
    if mirrored:
        m[0] = -m[0, 0], 0, side - 1 - m[0, 2]

    def warped(mask: NDArray[np.generic]) -> NDArray[np.uint8]:
        flat = np.asarray(mask, np.uint8)
        return np.asarray(cv2.warpAffine(flat, m, (side, side), flags=cv2.INTER_NEAREST), np.uint8)

    order = list(output.joint_set.mirror_ids) if mirrored else slice(None)
    people = [
        AnnotatedPerson((p.points @ m[:, :2].T + m[:, 2]).astype(np.float32)[order], p.labelled[order])
        for p in scene.people
    ]
    picture = warp(image, m, side)
    owners, covered = warped(scene.owners), warped(scene.covered) > 0
    unknown = np.repeat(warped(scene.unlabelled)[None] > 0, output.channels, axis=0)
    unsure = warped(scene.crowds) > 0
    return Crowd(picture, owners, tuple(people), unknown, unsure, covered & (owners == 0))


def _scene(photo: AnnotatedPicture) -> _Scene:
    """Everybody in a photo: once, and with joints by their own masks only."""
    w, h = photo.size
    times, owners = np.zeros((h, w), np.uint8), np.zeros((h, w), np.uint8)
    unlabelled, crowds = np.zeros((h, w), bool), np.zeros((h, w), bool)
    people: list[AnnotatedPerson] = []
    for annotation in photo.annotations:
        person, mask = (
            annotated(annotation),
            filled(outline(annotation.get("segmentation"), photo.size), photo.size),
        )
        known = beside(person.xy, person.visible > 0, mask)
        if person.crowd:
            crowds |= mask
        elif not known.any():
            unlabelled |= mask
            times += mask
        elif not any((p.labelled == known).all() and np.array_equal(p.points, person.xy) for p in people):
            people.append(AnnotatedPerson(person.xy, known))
            times += mask
            owners[mask] = len(people)
    owners[(times > 1) | unlabelled] = 0
    return _Scene(owners, tuple(people), times > 0, unlabelled | crowds, crowds)
