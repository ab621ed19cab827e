"""Scenes of several people: cut-outs on person-free pictures, at any size, overlapping."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from models.codecs.personlab import AnnotatedPerson
from models.labels import IGNORE, JointSet
from models.outputs import JointDisks
from training.augment import Image, affine, mirrors, photometric, warp
from training.person_cutouts import PersonCutout
from training.stream import BACKGROUND_RANGES
from training.targets import SET_CODES, mirror_codes

PEOPLE = (0.07, 0.30, 0.24, 0.15, 0.12, 0.07, 0.05)  # shares of scenes with 0, 1, 2 … people
HEIGHTS = (0.22, 1.2)  # of the longer side of the tallest people, crops
ANGLE = 10.0  # standard deviation, degrees
WILD = 0.06  # share of people turned by any angle
CLOSE_BY = 0.5  # share of people that stand near another
LEAST_VISIBLE = 0.06  # of a person; less is neither a person nor none
GUESSED = 0.5  # hidden joints count when so much of the person is seen
BEYOND_PX = 96.0  # outside the picture a joint is no longer told

Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Crowd:
    """A scene.

    Attributes:
        picture: (side, side, 3) RGB.
        owners: (side, side) the person seen at a pixel, from 1 in the order of `people`; 0 nobody.
        people: with a joint that is labelled.
        unknown: (joints, side, side) True where a joint of this type may be that nobody told.
        unsure: (side, side) True where it is not told whether anybody is there.
        shared: (side, side) True where there are people whose joints are not told, or several; None: nowhere.
        codes: (side, side) what each pixel teaches of parts (targets.py); None: nothing.
    """

    picture: Image
    owners: Image
    people: tuple[AnnotatedPerson, ...]
    unknown: Flags
    unsure: Flags
    shared: Flags | None = None
    codes: Image | None = None

    @property
    def covered(self) -> Flags:
        """(side, side) True where anybody is."""
        return self.owners > 0 if self.shared is None else (self.owners > 0) | self.shared

    @property
    def size(self) -> tuple[int, int]:
        """(width, height), px."""
        return self.picture.shape[1], self.picture.shape[0]


@dataclass(frozen=True)
class Placed:
    """Somebody laid into a scene: joints px, which of them somebody told, and the size."""

    points: NDArray[np.float32]
    known: Flags
    area: float  # of the whole person, inside the picture or not


def draw_crowd(
    rng: np.random.Generator, people: Sequence[PersonCutout], backgrounds: Sequence[Image],
    output: JointDisks, side: int,
) -> Crowd:  # fmt: skip
    """Draw a scene of none to six people in a square picture of `side` px."""
    background = backgrounds[int(rng.integers(len(backgrounds)))]
    h, w = background.shape[:2]
    m = affine(rng, (w, h), side, BACKGROUND_RANGES)
    picture = warp(background, m, side).astype(np.float32)
    count = int(rng.choice(len(PEOPLE), p=PEOPLE))
    chosen = [people[int(rng.integers(len(people)))] for _ in range(count)]
    owners, codes = np.zeros((side, side), np.uint8), np.zeros((side, side), np.uint8)
    placed = []
    for i, (cutout, m) in enumerate(zip(chosen, places(rng, chosen, side), strict=True), start=1):
        placed.append(_paste(rng, picture, owners, cutout, m, i, output.joint_set))
        _code(codes, owners == i, cutout, m)
    crowd = annotated_scene(photometric(rng, picture.clip(0, 255).astype(np.uint8)), owners, placed, output)
    return replace(crowd, codes=codes)


def _code(codes: Image, seen: Flags, cutout: PersonCutout, m: NDArray[np.float64]) -> None:
    """Write what is known of the parts of a person who is seen there, all of them or that it is somebody."""
    if cutout.codes is None:
        codes[seen] = SET_CODES["person"]
        return
    there = warped_codes(cutout.codes, m, codes.shape[0])
    codes[seen] = np.where(there == 0, IGNORE, there)[seen]


def warped_codes(codes: Image, m: NDArray[np.float64], side: int) -> Image:
    """Codes moved into a square of `side` px, left and right of a mirrored person too; 255 outside."""
    flat = cv2.warpAffine(codes, m, (side, side), flags=cv2.INTER_NEAREST, borderValue=(IGNORE,))
    return np.asarray(mirror_codes()[flat] if mirrors(m) else flat, np.uint8)


def places(rng: np.random.Generator, chosen: Sequence[PersonCutout], side: int) -> list[NDArray[np.float64]]:
    """Maps from cut-out px to scene px, the smallest people first: they stand behind."""
    crowded = 0.88 ** (len(chosen) - 1)
    base = np.exp(rng.uniform(*np.log(HEIGHTS))) * side * crowded
    sizes = base * np.exp(rng.normal(0, 0.22, len(chosen)))
    if rng.random() < 0.7:
        sizes = np.sort(sizes)
    maps, last = [], None
    for cutout, size in zip(chosen, sizes, strict=True):
        h, w = cutout.alpha.shape
        angle = rng.uniform(-180, 180) if rng.random() < WILD else rng.normal(0, ANGLE)
        k = size / max(h, w)
        if last is not None and rng.random() < CLOSE_BY:
            centre = last + rng.normal(0, (0.35, 0.12)) * size
        else:
            centre = rng.uniform((0.0, 0.2), (1.0, 0.85)) * side
        m = np.asarray(cv2.getRotationMatrix2D(((w - 1) / 2, (h - 1) / 2), angle, k), np.float64)
        m[:, 2] += centre - ((w - 1) / 2, (h - 1) / 2)
        if rng.random() < 0.5:
            m = m @ np.array([[-1, 0, w - 1], [0, 1, 0], [0, 0, 1]])
        maps.append(m)
        last = centre
    return maps


def _paste(
    rng: np.random.Generator, picture: NDArray[np.float32], owners: Image, cutout: PersonCutout,
    m: NDArray[np.float64], number: int, joints: JointSet,
) -> Placed:  # fmt: skip
    """Lay a person over what is there; its joints in the scene."""
    laid = warp(np.dstack((cutout.image, cutout.alpha)), m, picture.shape[0])
    alpha = laid[..., 3:].astype(np.float32) / 255
    tone = rng.uniform(0.8, 1.2) * rng.uniform(0.94, 1.06, 3)
    picture *= 1 - alpha
    picture += alpha * laid[..., :3] * tone.astype(np.float32)
    owners[alpha[..., 0] >= 0.5] = number
    points = (cutout.points @ m[:, :2].T + m[:, 2]).astype(np.float32)
    known = cutout.known
    area = float((cutout.alpha >= 128).sum() * (m[0, 0] ** 2 + m[0, 1] ** 2))
    if mirrors(m):
        order = list(joints.mirror_ids)
        points, known = points[order], known[order]
    return Placed(points, known, area)


def annotated_scene(picture: Image, owners: Image, placed: Sequence[Placed], output: JointDisks) -> Crowd:
    """Joints as annotators would give them: of people of whom enough is seen."""
    side, radius_px = picture.shape[0], output.radius_px
    unknown = np.zeros((output.channels, side, side), bool)
    unsure, renumbered = np.zeros((side, side), bool), np.zeros_like(owners)
    people: list[AnnotatedPerson] = []
    for number, person in enumerate(placed, start=1):
        seen = owners == number
        share = float(seen.sum()) / max(1.0, person.area)
        near = grown(seen, radius_px)
        if share < LEAST_VISIBLE or seen.sum() < 24:
            unknown |= near
            unsure |= seen
            continue
        hidden = _hidden(person.points, owners, number)
        beyond = ((person.points < -BEYOND_PX) | (person.points > side + BEYOND_PX)).any(axis=1)
        labelled = person.known & ~beyond & (~hidden | (share >= GUESSED))
        for k in np.flatnonzero(~labelled & ~beyond):
            unknown[k] |= near if not person.known[k] else _disk(person.points[k], side, radius_px)
        if labelled.any():
            people.append(AnnotatedPerson(person.points, labelled))
            renumbered[seen] = len(people)
        else:
            unsure |= seen
    return Crowd(picture, renumbered, tuple(people), unknown, unsure)


def _hidden(points: NDArray[np.float32], owners: Image, number: int) -> Flags:
    """Joints where somebody else is seen, and not the person right beside."""
    side = owners.shape[0]
    hidden = np.zeros(len(points), bool)
    for k, (x, y) in enumerate(np.rint(points).astype(int)):
        if 0 <= x < side and 0 <= y < side:
            around = owners[max(0, y - 3) : y + 4, max(0, x - 3) : x + 4]
            hidden[k] = owners[y, x] not in {0, number} and not (around == number).any()
    return hidden


def grown(mask: Flags, radius_px: float) -> Flags:
    """A mask grown by the radius; done at a quarter of the size."""
    small = cv2.resize(mask.astype(np.uint8), None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    r = int(np.ceil(radius_px / 4))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * r + 1, 2 * r + 1))
    grown = cv2.resize(cv2.dilate(small, kernel), mask.shape[::-1], interpolation=cv2.INTER_NEAREST)
    return np.asarray(grown > 0)


def _disk(point: NDArray[np.float32], side: int, radius_px: float) -> Flags:
    ys, xs = np.ogrid[:side, :side]
    return np.asarray((xs - point[0]) ** 2 + (ys - point[1]) ** 2 <= radius_px**2)
