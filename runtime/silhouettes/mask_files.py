"""Mask files: one picture, or a folder with one per frame, in whichever way their values say "person"."""

from __future__ import annotations

import functools
import re
import struct
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from runtime.engine.sessions import Session
from runtime.engine.source import Request, Silhouette
from runtime.system.errors import Refusal, printable
from runtime.system.files import read_regular

MAX_PIXELS: Final = 64_000_000
MAX_BYTES: Final = 8 * MAX_PIXELS
PNG: Final = b"\x89PNG\r\n\x1a\n"
SAMPLE: Final = 32  #: files of a folder, evenly spread, that show its coding
UNKNOWN: Final = 127  #: P(person) * 255 of a pixel that a mask leaves out: just not a person
LABEL_MAP: Final = 64  #: values in between that all lie below are indices of something, not grey
_NUMBER: Final = re.compile(r"(\d+)(?!.*\d)")  # the last one: shot_2_000017.png is frame 17

Mask = NDArray[np.uint8]


class MaskCoding(StrEnum):
    """Values of a set of masks, and what they stand for."""

    ONE = "0/1"
    BYTE = "0/255"
    GREY = "grey"  #: 255 · P(person)
    IGNORE = "0/1, 255 ignored"

    @classmethod
    def of(cls, values: frozenset[int]) -> MaskCoding | None:
        """The coding of the values that occur; None where all is background, which every coding allows.

        Raises:
            ValueError: they may be part labels as well.
        """
        between = values - {0, 1, 255}
        if between:
            if max(between) < LABEL_MAP:
                raise ValueError(f"its values go to {max(between)}, as labels of parts do")
            return cls.GREY
        return {
            frozenset({1}): cls.ONE,
            frozenset({255}): cls.BYTE,
            frozenset({1, 255}): cls.IGNORE,
        }.get(values - {0})


class MaskReader:
    """Masks of one coding, which a sample of them has shown.

    Attributes:
        coding: None until a mask shows a person.
    """

    def __init__(self, files: Sequence[Path]) -> None:
        """Look at some of the files.

        Raises:
            Refusal: their values are ambiguous.
        """
        values: frozenset[int] = frozenset()
        for path in files[:: -(-len(files) // SAMPLE) or 1]:
            try:
                values |= _values(read_mask(path))
            except Refusal:
                continue  # said when its frame comes
        self.coding = _coding(files[0].parent.name if len(files) > 1 else files[0].name, values)

    def read(self, path: Path) -> Mask:
        """(h, w) 255 · P(person); `UNKNOWN` where the mask says to ignore it.

        Raises:
            Refusal: it cannot be read, or its values are of another coding.
        """
        mask = read_mask(path)
        coding = self.coding
        if coding is not MaskCoding.GREY:
            coding = _coding(path.name, _values(mask))
            if coding is None:
                return mask
            if self.coding is None or {coding, self.coding} == {MaskCoding.ONE, MaskCoding.IGNORE}:
                self.coding = coding
            elif self.coding is MaskCoding.IGNORE and coding is MaskCoding.BYTE:
                coding = MaskCoding.IGNORE  # nobody in it, and something to ignore
            elif coding is not self.coding and coding is not MaskCoding.GREY:
                reason = f"its values are {coding}, those of the other masks {self.coding}"
                raise Refusal(f"mask {path.name}", reason, "write all masks in one way")
        if coding is MaskCoding.ONE:
            return np.asarray(mask * np.uint8(255))
        if coding is MaskCoding.IGNORE:
            return np.where(mask == 1, np.uint8(255), np.minimum(mask, UNKNOWN)).astype(np.uint8)
        return mask


@functools.lru_cache(maxsize=4)
def folder_reader(folder: Path) -> MaskReader:
    """The reader of a folder of masks of single pictures.

    Raises:
        Refusal: their values are ambiguous.
    """
    return MaskReader(sorted(p for p in folder.iterdir() if p.suffix.lower() == ".png") or [folder])


class MaskSequence:
    """A folder of PNG masks whose file names end in the frame's index, from 0.

    A folder that begins at 1 and has no 0 is taken to count from 1, as many tools do.
    """

    sessions: tuple[Session, ...] = ()

    def __init__(self, folder: Path) -> None:
        """List the folder.

        Raises:
            Refusal: it cannot be read, holds no numbered PNG, or its values are ambiguous.
        """
        try:
            numbered = ((_NUMBER.search(p.stem), p) for p in sorted(folder.iterdir()))
            found = {int(m[1]): p for m, p in numbered if m and p.suffix.lower() == ".png"}
        except OSError as e:
            raise Refusal(f"masks {folder}", f"the folder cannot be read ({e.strerror})", "check it") from e
        if not found:
            raise Refusal(
                f"masks {folder}",
                "there is no numbered PNG in it",
                "name the masks 000000.png, 000001.png, …",
            )
        first = 1 if min(found) == 1 else 0
        self.folder = folder
        self._files = {index - first: path for index, path in found.items()}
        self._reader = MaskReader(list(self._files.values()))
        self.name = _named(f"masks in {folder.name}", self._reader)

    def person(self, request: Request) -> Silhouette:
        """The mask of this frame's index, or none."""
        path = self._files.get(request.frame.index)
        if path is None:
            return Silhouette(None, notice=f"there is no mask for frame {request.frame.index}")
        try:
            return request.answer(self._reader.read(path))
        except Refusal as e:
            return Silhouette(None, notice=str(e))

    def reset(self) -> None:
        """Nothing is remembered."""


class MaskPicture:
    """One mask for every frame."""

    sessions: tuple[Session, ...] = ()

    def __init__(self, path: Path, reader: MaskReader | None = None) -> None:
        """Read the mask; `reader` knows the coding of its folder.

        Raises:
            Refusal: there is none, it is not a PNG, too large, or its values are ambiguous.
        """
        read_mask(path)
        reader = reader or MaskReader([path])
        self._mask = reader.read(path)
        self.name = _named(f"mask {path.name}", reader)

    def person(self, request: Request) -> Silhouette:
        """The mask."""
        return request.answer(self._mask)

    def reset(self) -> None:
        """Nothing is remembered."""


def read_mask(path: Path) -> Mask:
    """(h, w) values: alpha where a PNG has it, grey where it is grey, what is not black in a coloured one.

    Raises:
        Refusal: missing, unreadable, not a PNG, or too large.
    """
    what = f"mask {printable(path.name)}"
    try:
        data = read_regular(path, MAX_BYTES)
    except FileNotFoundError as e:
        raise Refusal(what, "there is no such file", f"put it into {path.parent}") from e
    except OSError as e:
        raise Refusal(what, f"it cannot be read ({e.strerror})", f"check {path}") from e
    if not data.startswith(PNG) or len(data) < 33:
        raise Refusal(what, "it is not a PNG picture", "give masks as PNG")
    width, height = struct.unpack(">II", data[16:24])
    if width * height > MAX_PIXELS:  # before decoding: a small file can claim to be enormous
        raise Refusal(what, f"{width}x{height} pixels are too many", "give masks of the video's size")
    picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if picture is None:
        raise Refusal(what, "it is damaged", "write it again")
    pixels = np.asarray(picture)
    if pixels.dtype == np.uint16 and pixels.max() > 255:
        pixels = pixels // 256
    if pixels.ndim == 3 and pixels.shape[2] == 4:
        pixels = pixels[..., 3]
    elif pixels.ndim == 3:
        pixels = np.where(pixels.any(axis=2), np.uint8(255), np.uint8(0))
    return np.ascontiguousarray(pixels, np.uint8)


def _values(mask: Mask) -> frozenset[int]:
    counts = cv2.calcHist([mask], [0], None, [256], [0, 256])
    return frozenset(int(v) for v in np.flatnonzero(counts))


def _coding(name: str, values: frozenset[int]) -> MaskCoding | None:
    try:
        return MaskCoding.of(values)
    except ValueError as e:
        remedy = "give masks of 0 and 1, 0 and 255, grey to 255, or 0 and 1 with 255 for what to ignore"
        raise Refusal(f"mask {name}", str(e), remedy) from e


def _named(name: str, reader: MaskReader) -> str:
    return f"{name} ({reader.coding})" if reader.coding is not None else name
