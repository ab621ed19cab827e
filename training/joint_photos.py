"""Photos of one person each with joints, from annotators (LSP) and from a teacher's landmarks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.labels import COCO17, LSP14, JointSet
from training.augment import Image
from training.photos import Photo, read_ccp, read_lsp, read_unlabelled
from training.stream import Packed
from training.teacher_labels import SEEN, Landmarks, contradicts, read_landmarks

PRECISE = 3  # lsp is drawn this often for once lspet, whose joints are noisy and poses extreme
FEWEST = 4  # a photo with fewer known joints teaches too little
#: the joints of COCO among the teacher's 33 landmarks (BlazePose order)
LANDMARKS: dict[str, int] = {
    "nose": 0, "l_eye": 2, "r_eye": 5, "l_ear": 7, "r_ear": 8, "l_shoulder": 11, "r_shoulder": 12,
    "l_elbow": 13, "r_elbow": 14, "l_wrist": 15, "r_wrist": 16, "l_hip": 23, "r_hip": 24,
    "l_knee": 25, "r_knee": 26, "l_ankle": 27, "r_ankle": 28,
}  # fmt: skip


@dataclass(frozen=True)
class JointPhoto:
    """A photo with the joints of the one person it is of.

    Attributes:
        name: the file's, for messages.
        image: (h, w, 3) RGB.
        points: (joints, 2) x, y px.
        known: (joints,) False where nobody said where the joint is; it may well be in the picture.
        codes: (h, w) what each pixel teaches of parts (targets.py); None where nothing.
    """

    name: str
    image: Image
    points: NDArray[np.float32]
    known: NDArray[np.bool_]
    codes: Image | None = None


def annotated(photo: Photo, joint_set: JointSet) -> JointPhoto:
    """The joints that LSP-14 and `joint_set` share, occluded ones too."""
    count = len(joint_set.names)
    points, known = np.zeros((count, 2), np.float32), np.zeros(count, np.bool_)
    if photo.skeleton is not None:
        for i, name in enumerate(joint_set.names):
            if name in LSP14.names and photo.skeleton.known(name):
                points[i], known[i] = photo.skeleton.at(name), True
    return JointPhoto(photo.name, photo.image, points, known)


def rendered(packed: Packed, index: int, joint_set: JointSet) -> JointPhoto:
    """A synthetic picture with its labels, and the joints that COCO-17 and `joint_set` share."""
    count = len(joint_set.names)
    points, known = np.zeros((count, 2), np.float32), np.zeros(count, np.bool_)
    if packed.keypoints is not None:
        table = np.asarray(packed.keypoints[index])
        for i, name in enumerate(joint_set.names):
            if name in COCO17.names and table[COCO17.id(name), 2] > 0:
                points[i], known[i] = table[COCO17.id(name), :2], True
    image, codes = (np.asarray(a[index]) for a in (packed.images, packed.labels))
    return JointPhoto(f"rendered {index}", image, points, known, codes)


def with_codes(
    photos: Sequence[Photo], landmarks: Mapping[str, Landmarks], joints: JointSet
) -> list[JointPhoto]:
    """Photos with their codes, and with the teacher's landmarks where those may be of the same person."""
    found = []
    for photo in photos:
        rows = landmarks.get(Path(photo.name).stem)
        rows = None if rows is None or contradicts(rows, photo.skeleton) else rows
        found.append(replace(_completed(annotated(photo, joints), rows, joints), codes=photo.codes))
    return found


def with_landmarks(
    photos: Sequence[JointPhoto], landmarks: Mapping[str, Landmarks], joint_set: JointSet
) -> list[JointPhoto]:
    """The photos with the teacher's landmarks, by stem, where no annotator gave the joint."""
    return [_completed(p, landmarks.get(Path(p.name).stem), joint_set) for p in photos]


def _completed(photo: JointPhoto, landmarks: Landmarks | None, joint_set: JointSet) -> JointPhoto:
    if landmarks is None:
        return photo
    points, known = photo.points.copy(), photo.known.copy()
    for i, name in enumerate(joint_set.names):
        if name in LANDMARKS and not known[i] and landmarks[LANDMARKS[name], 2] >= SEEN:
            points[i], known[i] = landmarks[LANDMARKS[name], :2], True
    return replace(photo, points=points, known=known)


def read_joint_photos(data: Path, joint_set: JointSet = COCO17) -> list[JointPhoto]:
    """The training photos of `data`/{lsp,lspet,ccp,ccp_unlabelled}, none of the development test sets.

    Raises:
        DataError: a folder cannot be used.
    """
    sets = {
        "lsp": read_lsp(data / "lsp", "train"),
        "lspet": read_lsp(data / "lspet", "all"),
        "ccp": read_ccp(data / "ccp", "train"),
        "ccp_unlabelled": read_unlabelled(data / "ccp_unlabelled"),
    }
    photos: list[JointPhoto] = []
    for name, found in sets.items():
        known = [annotated(p, joint_set) for p in found]
        whole = with_landmarks(known, read_landmarks(data / "teacher" / name), joint_set)
        photos += (PRECISE if name == "lsp" else 1) * [p for p in whole if p.known.sum() >= FEWEST]
    return photos
