"""Readers of real photos with whatever labels they have, as code maps (targets.py).

Files that are missing, broken or do not match are named and left out, and counted at the end.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from models.labels import IGNORE
from training.scribbles import Skeleton, scribble
from training.targets import SET_CODES

log = logging.getLogger(__name__)
Image = NDArray[np.uint8]
DEVELOPMENT_TEST = 100  # the last files by name of `ccp` and of `lsp` are never trained on

#: garments that say where on the body they are; the remaining ones are person, part unknown
GARMENTS: dict[str, str] = {
    **dict.fromkeys(("hair", "hat", "glasses", "sunglasses"), "head"),
    **dict.fromkeys(
        ("shoes", "flats", "heels", "loafers", "pumps", "sandals", "sneakers", "wedges", "clogs"), "foot"
    ),
    **dict.fromkeys(("pants", "jeans", "leggings"), "trousers"),
    "gloves": "hand",
}


@dataclass(frozen=True)
class Photo:
    """One labelled picture.

    Attributes:
        name: where it comes from, for messages.
        image: (h, w, 3) RGB, or (h, w, 4) with alpha for a cut-out.
        codes: (h, w) what each pixel teaches.
        skeleton: joints where the set has them.
    """

    name: str
    image: Image
    codes: Image
    skeleton: Skeleton | None = None


class DataError(ValueError):
    """A data folder cannot be used at all; names the folder, the reason and the remedy."""


def read_image(path: Path, *, alpha: bool = False) -> Image:
    """(h, w, 3) RGB or (h, w, 4) RGBA; ValueError when the file is not a picture."""
    raw = cv2.imread(str(path), cv2.IMREAD_UNCHANGED if alpha else cv2.IMREAD_COLOR)
    if raw is None:
        raise ValueError("not a readable picture")
    if alpha and (raw.ndim != 3 or raw.shape[2] != 4):
        raise ValueError("no alpha channel")
    rgb = cv2.cvtColor(raw, cv2.COLOR_BGRA2RGBA if alpha else cv2.COLOR_BGR2RGB)
    return np.asarray(rgb, dtype=np.uint8)


def split(files: Sequence[Path], part: str) -> list[Path]:
    """The development split: `train` is all but the last 100 files by name, `test` is those 100."""
    ordered = sorted(files)
    return ordered[-DEVELOPMENT_TEST:] if part == "test" else ordered[:-DEVELOPMENT_TEST]


def _collect(files: Sequence[Path], read: Callable[[Path], Photo], *, strict: bool) -> list[Photo]:
    """Read every file; a bad one is named and skipped, or refused when `strict`."""
    photos: list[Photo] = []
    bad = 0
    for path in files:
        try:
            photos.append(read(path))
        except (ValueError, KeyError) as e:
            if strict:
                raise DataError(f"{path}: {e}. Repair or remove the file, or read without --strict.") from e
            bad += 1
            log.warning("%s: %s; left out", path, e)
    if bad:
        log.warning("%d of %d files left out", bad, len(files))
    return photos


def _need(folder: Path, pattern: str) -> list[Path]:
    files = sorted(folder.glob(pattern))
    if not files:
        raise DataError(f"{folder}: no {pattern} in it. Point --data at the folder that holds the data sets.")
    return files


def _description(path: Path) -> Any:  # noqa: ANN401 - JSON is of any shape; the readers check what they take of it
    try:
        return json.loads(path.read_text())
    except (OSError, json.JSONDecodeError) as e:
        remedy = "Point --data at the folder that holds the data sets (docs/datasets.md)."
        raise DataError(f"{path}: not there or not JSON ({e}). {remedy}") from e


def read_ccp(root: Path, part: str, *, strict: bool = False) -> list[Photo]:
    """Clothing Co-Parsing: silhouettes exact, garments as sets of parts where they tell."""
    names: list[str] = _description(root / "labels.json")
    table = np.full(256, SET_CODES["person"], dtype=np.uint8)
    for garment, parts in GARMENTS.items():
        table[names.index(garment)] = SET_CODES[parts]

    def read(path: Path) -> Photo:
        image = read_image(path)
        silhouette = cv2.imread(str(root / "silhouettes" / f"{path.stem}.png"), cv2.IMREAD_UNCHANGED)
        garments = cv2.imread(str(root / "labels" / f"{path.stem}.png"), cv2.IMREAD_UNCHANGED)
        if silhouette is None or garments is None:
            raise ValueError("its label or silhouette is missing or broken")
        if silhouette.shape != image.shape[:2] or garments.shape != image.shape[:2]:
            raise ValueError("picture, label and silhouette differ in size")
        codes = np.where(silhouette == 1, table[garments], silhouette).astype(np.uint8)
        return Photo(path.name, image, codes)

    return _collect(split(_need(root / "images", "*.jpg"), part), read, strict=strict)


def read_unlabelled(root: Path, *, strict: bool = False) -> list[Photo]:
    """Photos of people of whom nothing is known."""

    def read(path: Path) -> Photo:
        image = read_image(path)
        return Photo(path.name, image, np.full(image.shape[:2], IGNORE, np.uint8))

    return _collect(_need(root, "*.jpg"), read, strict=strict)


def lsp_skeleton(joints: Any) -> Skeleton:  # noqa: ANN401 - JSON
    """Rows x, y, v of 14 joints as a skeleton; ValueError when they are anything else."""
    rows = np.asarray(joints, dtype=np.float32)
    if rows.shape != (14, 3) or not np.isfinite(rows).all():
        raise ValueError(f"14 joints with x, y, v expected, got {rows.shape}")
    return Skeleton(rows[:, :2], rows[:, 2].astype(np.int8))


def read_lsp(root: Path, part: str, *, strict: bool = False) -> list[Photo]:
    """Leeds Sports Pose, or its extended set: scribbles from 14 joints. `part` all reads every file."""
    joints: dict[str, Any] = _description(root / "keypoints.json")["images"]

    def read(path: Path) -> Photo:
        image = read_image(path)
        skeleton = lsp_skeleton(joints[path.stem])
        return Photo(path.name, image, scribble(skeleton, (image.shape[1], image.shape[0])), skeleton)

    files = _need(root / "images", "*.jpg")
    return _collect(files if part == "all" else split(files, part), read, strict=strict)


def read_cutouts(root: Path, *, strict: bool = False) -> list[Photo]:
    """People cut out with alpha, to be placed on backgrounds; codes are person or background."""

    def read(path: Path) -> Photo:
        image = read_image(path, alpha=True)
        a = image[..., 3]
        codes = np.where(a >= 160, SET_CODES["person"], np.where(a <= 90, 0, IGNORE)).astype(np.uint8)
        return Photo(path.name, image, codes)

    return _collect(_need(root, "*.png"), read, strict=strict)


def read_backgrounds(folders: Sequence[Path]) -> list[Image]:
    """Pictures without people (h, w, 3); broken ones are named and left out."""
    files = [f for folder in folders for f in _need(folder, "*.*")][:10_000]
    return [p.image for p in _collect(files, _background, strict=False)]


def _background(path: Path) -> Photo:
    image = read_image(path)
    return Photo(path.name, image, np.zeros(image.shape[:2], dtype=np.uint8))


def with_maps(
    photos: Sequence[Photo], folder: Path, maker: str, combine: Callable[[Image, Image], Image]
) -> list[Photo]:
    """The photos with their codes combined with a map (h, w) of the same name in ``folder``.

    Photos without a map stay as they are; a map of another size is named and left out.

    Args:
        photos: to be completed.
        folder: of STEM.png.
        maker: the module that writes such a folder, for the message.
        combine: codes and map → codes.

    Raises:
        DataError: there is no such folder.
    """
    if not folder.is_dir():
        raise DataError(f"{folder}: no such folder. Make it with python -m {maker}.")
    out = []
    for photo in photos:
        path = folder / f"{Path(photo.name).stem}.png"
        found = cv2.imread(str(path), cv2.IMREAD_UNCHANGED) if path.exists() else None
        if path.exists() and (found is None or found.shape != photo.codes.shape):
            log.warning("%s: not a map of the size of %s; left out", path, photo.name)
            found = None
        combined = None if found is None else combine(photo.codes, np.asarray(found, np.uint8))
        out.append(photo if combined is None else replace(photo, codes=combined))
    return out
