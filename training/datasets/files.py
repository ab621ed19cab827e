"""Reading files that somebody else made: every failure is a ValueError that names the file, in words.

Nothing here runs what a file holds: pictures by Pillow in three formats, JSON, text, numpy arrays without
objects, MATLAB's by a reader that trusts nothing. A name from a list never leaves the data set's folder.
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image

from models.labels import IGNORE
from training.datasets.matlab import MatlabError, Value, read_variable

Pixels = NDArray[np.uint8]
Numbers = NDArray[np.float64]

FORMATS = ("PNG", "JPEG", "BMP")
MAX_PIXELS = 64_000_000  # the largest picture of these sets has 20 million
MAX_TEXT_BYTES = 2 << 30  # COCO's person keypoints take a quarter of a gigabyte
MAX_SHOWN = 300  # characters of a name in a message
#: what Pillow and numpy raise on broken files besides ValueError
BROKEN = (OSError, EOFError, SyntaxError, TypeError, KeyError, IndexError, AttributeError, OverflowError)
DAMAGED = (*BROKEN, MemoryError, zlib.error, struct.error, RecursionError)


class BrokenError(ValueError):
    """A file, or a row of it, cannot be used; says which and why."""


def shown(name: object) -> str:
    """A name fit for a terminal: no control characters, not endless."""
    text = str(name)
    text = text if text.isprintable() else ascii(text)[1:-1]
    return text if len(text) <= MAX_SHOWN else text[: MAX_SHOWN - 1] + "…"


def inside(root: Path, name: str) -> Path:
    """The path below `root` that a list or an annotation names; a leading slash means `root`.

    Raises:
        ValueError: the name is empty, climbs out of the folder, or is no name of a file.
    """
    plain = name.replace("\\", "/").lstrip("/")
    parts = PurePosixPath(plain).parts
    if not parts or not name.isprintable():
        raise BrokenError(f"{shown(repr(name))} is no file name")
    if ".." in parts or PureWindowsPath(plain).drive:
        raise BrokenError(f"{shown(name)} points outside the data set's folder")
    return root.joinpath(*parts)


def existing(path: Path) -> Path:
    """The path itself when a plain file lies there; ValueError when not."""
    try:
        if path.is_file():
            return path
        there = path.exists()
    except (OSError, ValueError) as e:
        raise BrokenError(f"{shown(path)} cannot be looked up ({shown(e)})") from e
    raise BrokenError(f"{shown(path)} is {'not a plain file' if there else 'missing'}")


def first_existing(*paths: Path) -> Path:
    """The first of several places where a file may lie; ValueError names the first when none holds it."""
    for path in paths:
        with suppress(ValueError):
            return existing(path)
    return existing(paths[0])


def _few_enough(size: tuple[int, int]) -> None:
    if size[0] * size[1] > MAX_PIXELS:
        raise BrokenError(f"{size[0]}x{size[1]} pixels are too many")


@contextmanager
def _picture(path: Path) -> Iterator[Image.Image]:
    existing(path)
    try:
        with Image.open(path, formats=FORMATS) as picture:
            _few_enough(picture.size)
            yield picture
    except (*DAMAGED, ValueError, Image.DecompressionBombError, Image.DecompressionBombWarning) as e:
        raise BrokenError(f"{shown(path)} is not a usable picture ({shown(e)})") from e


def picture_size(path: Path) -> tuple[int, int]:
    """(width, height) from the header alone, px."""
    with _picture(path) as picture:
        return picture.size


def read_rgb(path: Path) -> Pixels:
    """(h, w, 3) RGB as stored: annotations count stored pixels, so a camera's rotation tag is not applied."""
    with _picture(path) as picture:
        return np.asarray(picture.convert("RGB"), dtype=np.uint8)


def read_stored(path: Path) -> Pixels:
    """(h, w) or (h, w, channels) uint8 as stored; a palette's indices, not its colours."""
    with _picture(path) as picture:
        stored = np.asarray(picture)
        if stored.dtype == np.bool_:
            stored = stored.astype(np.uint8)
        if stored.dtype != np.uint8:
            raise BrokenError(f"{stored.dtype} values where 8 bits are expected")
        return stored


def read_labels(path: Path, classes: int) -> Pixels:
    """(h, w) label ids below `classes`, or 255; three equal channels count as one."""
    stored = read_stored(path)
    if stored.ndim == 3:
        if (stored[..., :1] != stored[..., :3]).any():
            raise BrokenError(f"{shown(path)} is a colour picture where one label per pixel is expected")
        stored = stored[..., 0]
    return checked_labels(stored, classes, path)


def checked_labels(labels: Pixels, classes: int, path: Path) -> Pixels:
    """The labels themselves; ValueError names an id that the set does not have."""
    strange = np.flatnonzero(np.bincount(labels.ravel())[classes:IGNORE])
    if len(strange):
        raise BrokenError(f"{shown(path)} holds label {strange[0] + classes}; {classes - 1} is the highest")
    return labels


def read_text(path: Path) -> str:
    """UTF-8 text of a plain file."""
    existing(path)
    if path.stat().st_size > MAX_TEXT_BYTES:
        raise BrokenError(f"{shown(path)} is larger than 2 GiB")
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, ValueError) as e:
        raise BrokenError(f"{shown(path)} is not readable text ({shown(e)})") from e


def read_lines(path: Path) -> Iterator[tuple[str, str]]:
    """(where, line) of each line that is not empty; `where` names it in messages."""
    for i, line in enumerate(read_text(path).splitlines(), start=1):
        if line.strip():
            yield f"{path.name} line {i}", line.strip()


def read_json(path: Path) -> Any:  # noqa: ANN401 - whatever the file holds
    """The contents of a JSON file."""
    text = read_text(path)
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as e:
        raise BrokenError(f"{shown(path)} is not JSON ({shown(e)})") from e


def read_array(path: Path, shape: tuple[int, ...]) -> Numbers:
    """Numbers of an .npy file of exactly this shape; arrays of objects, which are pickles, are refused."""
    existing(path)
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)  # mapped: a lying header allocates nothing
    except (*DAMAGED, ValueError) as e:
        raise BrokenError(f"{shown(path)} is not a plain array of numbers ({shown(e)})") from e
    if not isinstance(array, np.ndarray) or array.shape != shape:
        raise BrokenError(f"{shown(path)} is not an array of shape {shape}")
    return numbers(array, *shape)


def numbers(value: ArrayLike | None, *shape: int) -> Numbers:
    """An array of this shape; ValueError when the value is anything else. NaN stays."""
    try:
        array = np.array(value, dtype=np.float64)
    except (TypeError, ValueError, OverflowError) as e:
        raise BrokenError(f"numbers are expected ({shown(e)})") from e
    if shape and array.shape != shape:
        raise BrokenError(f"numbers of shape {shape} are expected, not {array.shape}")
    return array


def read_mat(path: Path, variable: str) -> Value:
    """One variable of a MATLAB file."""
    existing(path)
    if path.stat().st_size > MAX_TEXT_BYTES:
        raise BrokenError(f"{shown(path)} is larger than 2 GiB")
    try:
        return read_variable(path.read_bytes(), variable)
    except (OSError, MatlabError) as e:
        raise BrokenError(f"{shown(path)} is not a usable MATLAB file ({shown(e)})") from e


def structs(value: Value | object) -> list[dict[str, Value]]:
    """The structs in a value; none when it is absent, empty or something else."""
    if not isinstance(value, np.ndarray) or value.dtype != object:
        return []
    return [e for e in value.ravel(order="F") if isinstance(e, dict)]


def field_numbers(record: dict[str, Value], name: str) -> Numbers:
    """Numbers of a field, of any shape; digits stored as characters count; empty when it is absent."""
    value = record.get(name)
    if value is None or (isinstance(value, str) and not value):
        return np.zeros(0)
    try:
        return np.array(value, dtype=np.float64)
    except (TypeError, ValueError) as e:
        raise BrokenError(f"field {name} does not hold numbers") from e


def field_number(record: dict[str, Value], name: str) -> float | None:
    """The one number of a field; None when it is absent, empty or not finite."""
    values = field_numbers(record, name).ravel()
    return float(values[0]) if len(values) and np.isfinite(values[0]) else None


def field_text(record: dict[str, Value], name: str) -> str:
    """The text of a field; empty when it is absent."""
    value = record.get(name)
    return value if isinstance(value, str) else ""


def field_cells(record: dict[str, Value], name: str) -> list[Value]:
    """The cells of a field in order; none when it is absent."""
    value = record.get(name)
    return list(value.ravel(order="F")) if isinstance(value, np.ndarray) and value.dtype == object else []
