"""People cut out of photos with their joints, to be put into scenes with others."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from models.labels import COCO17, IGNORE, JointSet
from training.augment import Image
from training.joint_photos import FEWEST, JointPhoto, annotated, with_landmarks
from training.photos import DataError, read_ccp, read_lsp, read_unlabelled
from training.pseudolabels import with_labels
from training.teacher_labels import read_landmarks, silhouettes

HELD_OUT = 10  # one person in so many is never trained on, by the name of the photo
MARGIN_PX = 4  # round a person when the photo is cropped
FAR = 0.3  # of the longer side of a silhouette's box: further away is not the person's joint
LEAST_AREA = 600  # px of a silhouette that is worth a cut-out
Part = Literal["train", "test"]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class PersonCutout:
    """A person with the photo around, cropped.

    Attributes:
        name: of the photo.
        image: (h, w, 3) RGB.
        alpha: (h, w) 255 where the person surely is.
        points: (joints, 2) x, y px.
        known: (joints,) False where nobody said where the joint is.
        codes: (h, w) what each pixel teaches of parts (targets.py); None where nothing.
    """

    name: str
    image: Image
    alpha: Image
    points: NDArray[np.float32]
    known: NDArray[np.bool_]
    codes: Image | None = None


def held_out(name: str) -> bool:
    """True for people that are kept for tests."""
    return zlib.crc32(Path(name).stem.encode()) % HELD_OUT == 0


def beside(points: NDArray[np.float32], known: Flags, mask: Image | Flags) -> Flags:
    """The known joints that may be a person's of this mask (h, w): contradictions are not known.

    Joints are hidden or cut off, so they may lie outside it, but not far from its box. An empty mask says
    nothing.
    """
    x, y, w, h = cv2.boundingRect(np.asarray(mask, np.uint8))
    if not w:
        return known
    away = FAR * max(w, h)
    low, high = np.array((x, y)) - away, np.array((x + w, y + h)) + away
    return known & ((points >= low) & (points <= high)).all(axis=1)


def cut_out(photo: JointPhoto, alpha: Image) -> PersonCutout | None:
    """Crop a photo to its person; None when nearly nothing of the person is there, or of its joints."""
    if alpha.shape != photo.image.shape[:2]:
        raise ValueError(f"{photo.name}: photo and silhouette differ in size")
    mask = (alpha >= 128).astype(np.uint8)
    if int(mask.sum()) < LEAST_AREA:
        return None
    x, y, w, h = cv2.boundingRect(mask)
    left, top = max(0, x - MARGIN_PX), max(0, y - MARGIN_PX)
    inside = np.s_[top : y + h + MARGIN_PX, left : x + w + MARGIN_PX]
    known = beside(photo.points, photo.known, mask)
    if known.sum() < FEWEST:
        return None
    points = photo.points - np.array((left, top), np.float32)
    codes = None if photo.codes is None else photo.codes[inside].copy()
    return PersonCutout(photo.name, photo.image[inside].copy(), alpha[inside].copy(), points, known, codes)


def read_person_cutouts(data: Path, part: Part = "train") -> list[PersonCutout]:
    """People of `data`/{lsp,lspet,ccp,ccp_unlabelled} with silhouettes of `data`/teacher, or ccp's own.

    Raises:
        DataError: a folder cannot be used.
    """
    return [c for p, alpha in annotated_people(data, part, COCO17) if (c := cut_out(p, alpha)) is not None]


def annotated_people(
    data: Path, part: Part, joints: JointSet, pseudolabels: Path | None = None
) -> Iterator[tuple[JointPhoto, Image]]:
    """Photos with joints, each with the soft silhouette (h, w) of its person.

    Those of which `pseudolabels` has dense labels have codes.

    Raises:
        DataError: a folder cannot be used.
    """
    for name, photos in (
        ("lsp", read_lsp(data / "lsp", "train")),
        ("lspet", read_lsp(data / "lspet", "all")),
        ("ccp_unlabelled", read_unlabelled(data / "ccp_unlabelled")),
        ("ccp", read_ccp(data / "ccp", "train")),
    ):
        teacher = data / "teacher" / name
        known = read_landmarks(teacher)
        chosen = [p for p in photos if held_out(p.name) == (part == "test") and Path(p.name).stem in known]
        dense = with_labels(chosen, pseudolabels / name) if pseudolabels else chosen
        codes = {p.name: made.codes for p, made in zip(chosen, dense, strict=True) if made is not p}
        hand_made = ((p, ((p.codes > 0) & (p.codes != IGNORE)) * np.uint8(255)) for p in chosen)
        for photo, alpha in hand_made if name == "ccp" else silhouettes(chosen, teacher):
            (whole,) = with_landmarks([annotated(photo, joints)], known, joints)
            if whole.known.sum() >= FEWEST:
                yield replace(whole, codes=codes.get(photo.name)), alpha


def read_rendered(folder: Path, joints: JointSet = COCO17, part: Part = "train") -> list[PersonCutout]:
    """People of a folder that `python -m synthetic --out` wrote, those whole and alone in their picture.

    Raises:
        DataError: the folder is not one, or its bodies belong to the other part.
    """
    try:
        record = json.loads((folder / "keypoints.json").read_text())
        rows, split = record["keypoints"], record["recipe"]["split"]
    except (OSError, ValueError, KeyError, TypeError) as e:
        remedy = "Scenes need one of xfactor synth --count N --out DIR; a packed set has no silhouettes."
        raise DataError(f"{folder}: not a folder of synthetic people ({e}). {remedy}") from e
    if split != part:
        remedy = f"Make another by python -m synthetic --split {part}"
        raise DataError(f"{folder}: its people are for {split}, others are for {part}. {remedy}.")
    found = []
    for stem, people in rows.items():
        if len(people) != 1:
            continue
        image = cv2.imread(str(folder / f"images/{stem}.jpg"))
        mask, labels = (
            cv2.imread(str(folder / f"{kind}/{stem}.png"), cv2.IMREAD_UNCHANGED)
            for kind in ("instances", "labels")
        )
        if image is None or mask is None:
            continue
        table = np.asarray(people[0], np.float32)
        rgb = np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), np.uint8)
        codes = None if labels is None else np.asarray(labels, np.uint8)
        photo = JointPhoto(f"{stem}.jpg", rgb, table[:, :2], table[:, 2] > 0, codes)
        alpha = ((mask == 1) * np.uint8(255)).astype(np.uint8)
        whole = ((photo.points >= 0) & (photo.points < rgb.shape[1::-1])).all()
        if whole and photo.known.sum() >= FEWEST and (person := cut_out(photo, alpha)) is not None:
            found.append(person)
    return found
