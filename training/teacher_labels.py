"""Teacher labels for photos: a soft silhouette and 33 landmarks of the one person each is of.

The teacher is MediaPipe Pose; a folder of its labels holds `landmarks.json` and `silhouettes/*.png`
(docs/training-data.md). What annotators said stays; the landmarks add joints, hands and feet that they left
out.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from models.labels import IGNORE, LSP14
from training.photos import DataError, Photo
from training.scribbles import Points, Skeleton, scribble
from training.targets import SET_CODES

log = logging.getLogger(__name__)
Mask = NDArray[np.uint8]
Landmarks = NDArray[np.float32]  # (33, 3) x, y px and visibility 0..1, in BlazePose order

SEEN, SURELY_SEEN = 0.5, 0.8  # visibility from which a landmark is believed, and from which it is drawn
PERSON, BACKGROUND = 150, 80  # of 255: from and to which a silhouette says so
#: without a silhouette a photo gives a cut-out when its codes leave at most this share open and show somebody
MOST_DOUBT, LEAST_PERSON = 0.05, 0.02
MOST_ERROR = 0.4  # mean, torso lengths: further from the annotated joints the landmarks are somebody else's
BESIDE, LEAST_BESIDE = 0.15, 0.5  # torso lengths round a silhouette, and the share of seen joints within
NEAR = 0.3  # torso lengths between a landmark and the annotated joint that it continues
#: LSP's neck and head top on the line from between the shoulders (0) to between the ears (1): medians
#: of the 799 photos of lsp that have both
NECK, HEAD_TOP = 0.46, 1.58
_SHOULDERS, _EARS = (11, 12), (7, 8)
_JOINTS = {
    f"{side}_{name}": 2 * i + k + (11 if i < 3 else 17)
    for i, name in enumerate(("shoulder", "elbow", "wrist", "hip", "knee", "ankle"))
    for k, side in enumerate("lr")
}  # LSP's names → rows of BlazePose: 11..16 and 23..28
#: ends of hands and feet: rows whose mean they are, and the joint they hang on
_TIPS = {
    f"{side}_{name}": (tuple(r + k for r in rows), f"{side}_{joint}")
    for k, side in enumerate("lr")
    for name, rows, joint in (
        ("fingers", (17, 19), "wrist"), ("heel", (29,), "ankle"), ("toes", (31,), "ankle"),
    )
}  # fmt: skip


def read_landmarks(folder: Path) -> dict[str, Landmarks]:
    """Landmarks by stem of the photo; unusable rows are named and left out.

    Raises:
        DataError: there is no `landmarks.json`, or it is not a teacher's.
    """
    file = folder / "landmarks.json"
    try:
        images = json.loads(file.read_text())["images"]
        rows = {str(stem): entry["landmarks"] for stem, entry in images.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as e:
        remedy = "Make it with python -m training.teach."
        raise DataError(f"{file}: not there or not a teacher's landmarks ({e}). {remedy}") from e
    found = {}
    for stem, row in rows.items():
        try:
            table = np.asarray(row, np.float32)
        except (TypeError, ValueError):
            table = np.zeros(0, np.float32)
        if table.shape != (33, 3) or not np.isfinite(table).all():
            log.warning("%s: %s has not 33 landmarks of x, y, visibility; left out", file, stem)
            continue
        found[stem] = table
    return found


def completed(annotated: Skeleton | None, landmarks: Landmarks) -> Skeleton:
    """Joints in the LSP-14 order, annotated ones first, with the ends of hands and feet.

    A joint that only the landmarks know counts as known, not as seen. An end that does not continue its
    joint contradicts it and is left out.
    """
    if annotated is None:
        annotated = Skeleton(np.zeros((14, 2), np.float32), np.zeros(14, np.int8))
    xy, visible = annotated.xy.copy(), annotated.visible.copy()
    for i, name in enumerate(LSP14.names):
        point = _point(landmarks, name)
        if not visible[i] and point is not None:
            xy[i], visible[i] = point, 1
    whole = Skeleton(xy, visible)
    torso = whole.torso_length()
    tips = {}
    for name, (rows, joint) in _TIPS.items():
        wrist_or_ankle = landmarks[_JOINTS[joint], :2]
        agrees = torso and whole.known(joint) and np.hypot(*(wrist_or_ankle - whole.at(joint))) < NEAR * torso
        if agrees and landmarks[list(rows), 2].min() >= SURELY_SEEN:
            tips[name] = landmarks[list(rows), :2].mean(0)
    return replace(whole, tips=tips)


def _point(landmarks: Landmarks, name: str) -> Points | None:
    """(2,) one of LSP's joints, or None where the teacher did not see it."""
    if name in _JOINTS:
        x, y, visibility = landmarks[_JOINTS[name]]
        return np.array((x, y), np.float32) if visibility >= SEEN else None
    if landmarks[[*_SHOULDERS, *_EARS], 2].min() < SEEN:
        return None
    low, high = (landmarks[list(rows), :2].mean(0) for rows in (_SHOULDERS, _EARS))
    along = NECK if name == "neck" else HEAD_TOP
    return np.asarray(low + along * (high - low), np.float32)


def with_joints(photos: Sequence[Photo], folder: Path) -> list[Photo]:
    """The photos with joints, hands and feet of the teacher, drawn into their codes where those said nothing.

    Raises:
        DataError: `folder` holds no landmarks.
    """
    landmarks, out = read_landmarks(folder), []
    for photo in photos:
        rows = landmarks.get(Path(photo.name).stem)
        if rows is not None and contradicts(rows, photo.skeleton):
            log.warning("%s: the landmarks of %s contradict its joints; left out", folder, photo.name)
            rows = None
        out.append(photo if rows is None else _with_joints(photo, rows))
    left_out = sum(a is b for a, b in zip(photos, out, strict=True))
    log.info("%s: landmarks for %d photos, none for %d", folder, len(out) - left_out, left_out)
    return out


def _with_joints(photo: Photo, rows: Landmarks) -> Photo:
    skeleton = completed(photo.skeleton, rows)
    h, w = photo.codes.shape
    drawn = scribble(skeleton, (w, h))
    codes = np.where(photo.codes == IGNORE, drawn, photo.codes).astype(np.uint8)
    return replace(photo, codes=codes, skeleton=skeleton)


def joint_error(landmarks: Landmarks, skeleton: Skeleton) -> float:
    """Mean distance of the landmarks from the known joints, torso lengths; 0 where neither can be had."""
    torso = skeleton.torso_length()
    away = [landmarks[row, :2] - skeleton.at(n) for n, row in _JOINTS.items() if skeleton.known(n)]
    return float(np.mean(np.hypot(*np.transpose(away))) / torso) if torso else 0.0


def contradicts(landmarks: Landmarks, annotated: Skeleton | None) -> bool:
    """True when the landmarks cannot be of the person with these joints."""
    return annotated is not None and joint_error(landmarks, annotated) > MOST_ERROR


def beside_person(skeleton: Skeleton, person: NDArray[np.bool_]) -> bool:
    """True when the joints that are seen may be of the person of this mask (h, w)."""
    seen = np.round(skeleton.xy[skeleton.visible == 2]).astype(int)
    near = max(1, round(BESIDE * (skeleton.torso_length() or 0)))
    wide = cv2.dilate(person.astype(np.uint8), np.ones((2 * near + 1, 2 * near + 1), np.uint8))
    inside = ((seen >= 0) & (seen < person.shape[::-1])).all(axis=1)
    return not len(seen) or float(wide[tuple(seen[inside].T[::-1])].sum()) >= LEAST_BESIDE * len(seen)


def silhouette(folder: Path, photo: Photo) -> Mask | None:
    """(h, w) 1 the person, 0 not, 255 in doubt; None where the teacher has none that fits the photo."""
    soft = read_silhouette(folder, photo)
    if soft is None:
        return None
    return np.where(soft >= PERSON, 1, np.where(soft <= BACKGROUND, 0, IGNORE)).astype(np.uint8)


def silhouette_file(folder: Path, photo: Photo) -> Path:
    """The file of a photo's silhouette in a folder of the teacher's labels; it may be absent."""
    return folder / "silhouettes" / f"{Path(photo.name).stem}.png"


def read_silhouette(folder: Path, photo: Photo) -> Mask | None:
    """(h, w) 0..255 of a photo; None where it is missing, and with a word about it where it is of another
    size, broken, empty or elsewhere than the joints.
    """
    file = silhouette_file(folder, photo)
    if not file.is_file():
        return None
    soft = cv2.imread(str(file), cv2.IMREAD_GRAYSCALE)
    if soft is None or soft.shape != photo.codes.shape or not (soft >= PERSON).any():
        log.warning("%s: not a silhouette of the size of %s, or empty; left out", file, photo.name)
        return None
    if photo.skeleton is not None and not beside_person(photo.skeleton, soft > BACKGROUND):
        log.warning("%s: the joints of %s lie outside; left out", file, photo.name)
        return None
    return np.asarray(soft, np.uint8)


def silhouettes(photos: Sequence[Photo], folder: Path) -> Iterator[tuple[Photo, Mask]]:
    """Photos with the teacher's silhouette (h, w) 0..255; how many have none is said at the end."""
    found = 0
    for photo in photos:
        if (soft := read_silhouette(folder, photo)) is not None:
            found += 1
            yield photo, soft
    log.info("%s: silhouettes for %d photos, none for %d", folder, found, len(photos) - found)


def cutout(photo: Photo, folder: Path) -> Photo | None:
    """The person of a photo as RGBA with its codes, 0 outside and 255 at soft edges.

    Args:
        photo: the photo; where a folder has no silhouette of it, its own codes must know the whole person.
        folder: of the teacher's labels.

    Returns:
        None where nobody says which pixels are the person.
    """
    soft = read_silhouette(folder, photo)
    if soft is None:
        person = (photo.codes > 0) & (photo.codes != IGNORE)
        if (photo.codes == IGNORE).mean() > MOST_DOUBT or person.mean() < LEAST_PERSON:
            return None
        soft = (person * np.uint8(255)).astype(np.uint8)
    codes = np.where((photo.codes == 0) | (photo.codes == IGNORE), SET_CODES["person"], photo.codes)
    codes = np.where(soft >= PERSON, codes, np.where(soft <= BACKGROUND, 0, IGNORE)).astype(np.uint8)
    x, y, w, h = cv2.boundingRect((soft > BACKGROUND).astype(np.uint8))
    inside = np.s_[max(0, y - 2) : y + h + 2, max(0, x - 2) : x + w + 2]
    rgba = np.dstack((photo.image, soft))
    return Photo(photo.name, np.ascontiguousarray(rgba[inside]), np.ascontiguousarray(codes[inside]))
