"""Shelf: the library of factors as its user sees it, with a face and a gain for each."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from personalize.client import job_folders
from personalize.client.verdict import gain_words
from runtime.engine.sessions import read_model
from runtime.library import generations, models
from runtime.library.models import FACTOR_SUFFIX, FactorFile
from runtime.system import paths
from runtime.system.disk import cannot_write
from runtime.system.errors import Refusal
from runtime.system.files import make_private_dir, write_atomic

FACES: Final = "faces"  # folder of thumbnails inside the library's
ANY_NAME: Final = "person"


@dataclass(frozen=True)
class Shelved:
    """A factor of the library."""

    file: FactorFile
    gain: str  #: in words, empty when the card does not say
    made: str  #: a date, empty when the card does not say
    face: Path | None  #: a small picture of the person

    @property
    def name(self) -> str:
        """As it is chosen."""
        return self.file.name


def shelved() -> list[Shelved]:
    """Every factor of the library."""
    return [describe(file) for file in models.list_factors()]


def describe(file: FactorFile) -> Shelved:
    """A factor with what its card and its thumbnail tell."""
    card, face = file.spec.card, face_of(file.name)
    gain = gain_words(card.before, card.after) if card is not None else ""
    return Shelved(file, gain, card.created if card is not None else "", face if face.is_file() else None)


def path_of(name: str) -> Path:
    """Where the file of a factor of the library lies."""
    return paths.user_factors_dir() / f"{name}{FACTOR_SUFFIX}"


def face_of(name: str) -> Path:
    """Where the thumbnail of a factor lies."""
    return paths.user_factors_dir() / FACES / f"{name}.png"


def keep_face(name: str, picture: NDArray[np.uint8]) -> None:
    """Give a factor its thumbnail, (h, w, 3) RGB.

    Raises:
        Refusal: it cannot be written.
    """
    done, data = cv2.imencode(".png", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
    path = face_of(name)
    try:
        make_private_dir(path.parent)
        if done:
            write_atomic(path, data.tobytes())
    except OSError as e:
        raise cannot_write(path, e) from e


def usable_name(text: str) -> str:
    """A name for the library made of any text."""
    cleaned = re.sub(r"[^\w .+-]", " ", text).strip(" .+-")
    return re.sub(r"\s+", " ", cleaned)[:60].strip() or ANY_NAME


def free_name(name: str) -> str:
    """`name`, or with a number when the library has one of it already."""
    taken = {f.name for f in models.list_factors()}
    name, number = usable_name(name), 2
    candidate = name
    while candidate in taken:
        candidate, number = f"{name} {number}", number + 1
    return candidate


def rename(name: str, new: str) -> FactorFile:
    """Give a factor another name.

    Raises:
        Refusal: the name is taken or unusable, or it cannot be written.
    """
    file = models.rename_factor(name, new)
    generations.rename(name, new)
    face = face_of(name)
    if face.is_file():
        try:
            face.replace(face_of(new))
        except OSError as e:
            raise cannot_write(face, e, "the factor has its new name") from e
    return file


def export(name: str, target: Path) -> Path:
    """Copy a factor out of the library.

    Raises:
        Refusal: it cannot be read or written.
    """
    if not target.name.endswith(FACTOR_SUFFIX):
        target = target.with_name(target.name.removesuffix(".onnx") + FACTOR_SUFFIX)
    data = read_model(models.find_factor(name).path)
    try:
        write_atomic(target, data)
    except OSError as e:
        raise cannot_write(target, e) from e
    return target


def forget(name: str) -> None:
    """Delete a factor and everything else that was learnt of the person: thumbnail, clips, silhouettes.

    Raises:
        Refusal: something of it could not be deleted.
    """
    job_folders.remove_of(name)
    generations.forget(name)
    try:
        face_of(name).unlink(missing_ok=True)
    except OSError as e:
        raise Refusal(
            f"thumbnail of {name}", f"it cannot be deleted ({e.strerror})", "Delete it by hand"
        ) from e
    models.remove_factor(name)
