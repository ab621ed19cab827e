"""Photos of one's own with labels of one's own, as `synth`, `parse` and `training.teach` write them.

FOLDER/images/* or FOLDER/*, with any of labels/STEM.png and labels.json, silhouettes/STEM.png, coco.json,
keypoints.json and landmarks.json, there or in further folders; or a whole folder in LIP's or COCO's layout.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from models.labels import COCO17, IGNORE, LIP16, LSP14, S31
from training.datasets import coco, lip
from training.datasets.files import BrokenError, numbers, read_json, read_labels
from training.datasets.problems import Problems
from training.datasets.samples import Sample, person
from training.joint_photos import FEWEST
from training.photos import GARMENTS, DataError, Image, Photo, read_image
from training.scribbles import Skeleton, scribble
from training.silhouettes import merged
from training.targets import SET_CODES
from training.teacher_labels import BACKGROUND, PERSON, beside_person, completed, read_landmarks

log = logging.getLogger(__name__)
Found = TypeVar("Found")

ENDINGS = (".jpg", ".jpeg", ".png", ".bmp")
LONGEST_PX = 640  # of a photo in memory; larger ones are shrunk
LEAST_AGREEMENT = 0.5  # intersection over union of labels and silhouette of one photo
NAMED = GARMENTS | {"face": "head", "glove": "hand", "left-shoe": "foot", "right-shoe": "foot"}
BY_COUNT = {len(s.names): s for s in (LSP14, LIP16, COCO17)}


def photos_in(folder: Path) -> list[Path]:
    """Photos of a folder, or of images/ in it, by name.

    Raises:
        DataError: it has none, or is no folder.
    """
    if not folder.is_dir():
        raise DataError(f"{folder}: there is no such folder. Give a folder of photos.")
    where = folder / "images" if (folder / "images").is_dir() else folder
    files = sorted(p for p in where.glob("*") if p.suffix.lower() in ENDINGS)
    if not files:
        raise DataError(f"{folder}: no photos in it. Give a folder of {', '.join(ENDINGS)} files.")
    return files


def read_own(folders: Sequence[Path], *, strict: bool = False) -> list[Photo]:
    """Photos of the first folder with the labels of all, the first that has some winning; counted in words.

    Raises:
        DataError: no photo can be used; with `strict` when any cannot.
    """
    problems, root = Problems(strict=strict), folders[0]
    layouts = ((coco, "annotations"), (lip, lip.IMAGES))
    layout = next((reader for reader, mark in layouts if (root / mark).is_dir()), None)
    if layout is None:
        made = _each(photos_in(root), [OwnLabels(f) for f in folders], problems)
    else:
        splits = [s for s in layout.splits(root, problems) if s.startswith("train")]
        samples = (s for split in splits for s in layout.samples(root, split, problems) if s.people)
        made = ((s.picture, partial(photo_of, s)) for s in samples)
    found = [shrunk(p) for what, make in made if (p := problems.attempt(what, make)) is not None]
    log.info("%s: %d photos used, %d things left out", root, len(found), problems.count)
    if not found:
        raise DataError(f"{root}: no photo with labels. See what was said above, and docs/training.md.")
    return found


def code_table(names: Iterable[str]) -> NDArray[np.uint8]:
    """Codes (256,) of label ids by their names: parts, garments that tell where they are, else a person."""
    table = np.full(256, SET_CODES["person"], np.uint8)
    for i, name in enumerate(names):
        part_set = NAMED.get(name, name if name in SET_CODES else "person")
        table[i] = S31.id(name) if name in S31.names else SET_CODES[part_set]
    table[[0, IGNORE]] = 0, IGNORE
    return table


class OwnLabels:
    """Labels that one folder has for photos, by stem."""

    def __init__(self, folder: Path) -> None:
        """Read its lists.

        Raises:
            DataError: it is not there, or one of them is not in a known layout.
        """
        if not folder.is_dir():
            raise DataError(f"{folder}: there is no such folder. Give folders that are there to --own.")
        self.folder = folder
        self._table = np.zeros(0, np.uint8)
        try:
            if (folder / "labels").is_dir():
                held = read_json(folder / "labels.json")
                wrapped = isinstance(held, dict)
                rows = held["names" if "names" in held else "labels"] if wrapped else held
                self._table = code_table([r["name"] if isinstance(r, dict) else str(r) for r in rows])
            self._joints = dict(_joints(folder))
        except (ValueError, KeyError, TypeError, AttributeError, IndexError) as e:
            remedy = "Write what docs/training.md shows, or take it away."
            raise DataError(f"{folder}: its labels.json or joints are not readable ({e!r}). {remedy}") from e
        self._landmarks = read_landmarks(folder) if (folder / "landmarks.json").is_file() else {}

    def codes(self, stem: str, shape: tuple[int, ...]) -> Image | None:
        """(h, w) codes of labels/STEM.png."""
        ids = _map(self.folder / "labels" / f"{stem}.png", shape) if len(self._table) else None
        return None if ids is None else self._table[ids]

    def silhouette(self, stem: str, shape: tuple[int, ...]) -> Image | None:
        """(h, w) 0 background, 1 person, 255 unknown of silhouettes/STEM.png, soft or with these values."""
        given = _map(self.folder / "silhouettes" / f"{stem}.png", shape)
        if given is None or {1} <= set(np.unique(given).tolist()) <= {0, 1, IGNORE}:
            return given
        return np.where(given >= PERSON, 1, np.where(given <= BACKGROUND, 0, IGNORE)).astype(np.uint8)

    def people(self, stem: str) -> list[Skeleton] | None:
        """Joints of everybody in the photo; a teacher's landmarks complete those of one person alone."""
        rows, landmarks = self._joints.get(stem), self._landmarks.get(stem)
        people = None if rows is None else [_skeleton(r) for r in rows]
        if landmarks is None or len(people or ()) > 1:
            return people
        return [completed(people[0] if people else None, landmarks)]


def _joints(folder: Path) -> Iterator[tuple[str, list[Any]]]:
    """Stem and joints of each person, by keypoints.json or coco.json."""
    if (folder / "keypoints.json").is_file():
        held = read_json(folder / "keypoints.json")
        for stem, rows in held.get("keypoints", held.get("images")).items():
            yield stem, [rows] if rows and not isinstance(rows[0][0], list) else rows
    elif (folder / "coco.json").is_file():
        held = read_json(folder / "coco.json")
        stems = {r["id"]: Path(r["file_name"]).stem for r in held["images"]}
        people: dict[str, list[Any]] = {}
        for a in held["annotations"]:
            if a.get("keypoints"):
                people.setdefault(stems[a["image_id"]], []).append(np.reshape(a["keypoints"], (-1, 3)))
        yield from people.items()


def _skeleton(rows: Any) -> Skeleton:  # noqa: ANN401 - JSON
    joints = BY_COUNT.get(len(rows))
    if joints is None:
        raise BrokenError(f"{len(rows)} joints of a person, not {', '.join(map(str, BY_COUNT))}")
    table = numbers(rows, len(rows), 3)
    return person(joints, table[:, :2], table[:, 2]).skeleton()


def _map(path: Path, shape: tuple[int, ...]) -> Image | None:
    if not path.is_file():
        return None
    found = read_labels(path, IGNORE)
    if found.shape != shape:
        raise BrokenError(f"{path.parent.name}/{path.name} is not of the photo's size")
    return found


def _each(
    files: Sequence[Path], labels: Sequence[OwnLabels], problems: Problems
) -> Iterator[tuple[Path, Callable[[], Photo]]]:
    """Photos to be made; a label without a photo and a second photo of one name are named."""
    stems: set[str] = set()
    for path in files:
        if path.stem in stems:
            problems.add(path, "another photo has this name")
        else:
            stems.add(path.stem)
            yield path, partial(_photo, path, labels, problems)
    for own in labels:
        for path in sorted(
            p for kind in ("labels", "silhouettes") for p in (own.folder / kind).glob("*.png")
        ):
            if path.stem not in stems:
                problems.add(path, "there is no photo of this name")


def _first(found: Iterable[Found | None]) -> Found | None:
    return next((f for f in found if f is not None), None)


def _usable(read: Callable[[], Found | None], path: Path, problems: Problems) -> Found | None:
    """A label of a photo; None where it has none, or one that is left out while the photo's others stay."""
    try:
        return read()
    except BrokenError as e:
        if problems.strict:
            raise
        problems.add(path, e)
        return None


def _photo(path: Path, labels: Sequence[OwnLabels], problems: Problems) -> Photo:
    image = read_image(path)
    shape, stem = image.shape[:2], path.stem
    codes = _first(_usable(partial(own.codes, stem, shape), path, problems) for own in labels)
    mask = _first(_usable(partial(own.silhouette, stem, shape), path, problems) for own in labels)
    people = _first(_usable(partial(own.people, stem), path, problems) for own in labels) or []
    if codes is None and mask is None and not people:
        raise BrokenError("it has no labels, silhouette or joints that can be used")
    if codes is None:
        codes = np.full(shape, IGNORE, np.uint8)
    elif mask is not None:
        both, either = (
            (f((codes > 0) & (codes != IGNORE), mask == 1)).sum() for f in (np.logical_and, np.logical_or)
        )
        if both < LEAST_AGREEMENT * either:
            raise BrokenError(f"its labels and its silhouette contradict each other (J {both / either:.2f})")
    if mask is not None:
        codes = np.where(mask == 1, np.where(codes == 0, IGNORE, codes), mask).astype(np.uint8)
        codes = merged(codes, mask)
    return taught_by_joints(Photo(path.name, image, codes), people)


def taught_by_joints(photo: Photo, people: Sequence[Skeleton]) -> Photo:
    """The photo with scribbles of everybody's joints where its codes leave the part open.

    Raises:
        BrokenError: nobody is in it, or joints and silhouette contradict each other.
    """
    codes, drawn = photo.codes, np.full_like(photo.codes, IGNORE)
    somebody = (codes > 0) & (codes != IGNORE)
    people = [s for s in people if (s.visible > 0).sum() >= FEWEST]
    if not people and not somebody.any():
        raise BrokenError("nobody is in its labels")
    for skeleton in people:
        if somebody.any() and not beside_person(skeleton, codes != 0):
            raise BrokenError("its joints lie outside its silhouette")
        new = scribble(skeleton, (codes.shape[1], codes.shape[0]))
        new[new == 0] = IGNORE if len(people) > 1 else 0  # far from one person another may stand
        drawn = np.where(drawn == IGNORE, new, drawn).astype(np.uint8)
    part = (codes == SET_CODES["person"]) & (drawn > 0) & (drawn != IGNORE)
    codes = np.where((codes == IGNORE) | part, drawn, codes).astype(np.uint8)
    return replace(photo, codes=codes, skeleton=people[0] if len(people) == 1 else None)


def photo_of(sample: Sample) -> Photo:
    """A picture of a published set with what all its labels teach.

    Raises:
        BrokenError: it cannot be read, teaches nothing, or its labels contradict each other.
    """
    if sample.label_set is not None:
        codes = code_table(sample.label_set.class_names)[sample.labels()]
    elif sample.read_silhouette is not None:
        codes = sample.codes()
    else:
        width, height = sample.size()
        codes = np.full((height, width), IGNORE, np.uint8)
    return taught_by_joints(Photo(sample.name, sample.image(), codes), [p.skeleton() for p in sample.people])


def shrunk(photo: Photo) -> Photo:
    """The photo at most 640 px long: training looks at crops of 256."""
    k = LONGEST_PX / max(photo.codes.shape)
    if k >= 1:
        return photo
    h, w = (max(1, round(k * side)) for side in photo.codes.shape)
    image = np.asarray(cv2.resize(photo.image, (w, h), interpolation=cv2.INTER_AREA), np.uint8)
    codes = np.asarray(cv2.resize(photo.codes, (w, h), interpolation=cv2.INTER_NEAREST_EXACT), np.uint8)
    s, f = photo.skeleton, np.float32(k)
    small = s and replace(s, xy=s.xy * f, tips={n: p * f for n, p in s.tips.items()})
    return Photo(photo.name, image, codes, small)
