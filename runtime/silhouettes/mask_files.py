"""Silhouettes made elsewhere: one picture, or a folder with one per frame."""

from __future__ import annotations

import re
import struct
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from runtime.engine.sessions import Session
from runtime.engine.source import Request, Silhouette
from runtime.system.errors import Refusal

MAX_PIXELS = 64_000_000
PNG = b"\x89PNG\r\n\x1a\n"
_NUMBER = re.compile(r"(\d+)(?!.*\d)")  # the last one: shot_2_000017.png is frame 17


class MaskSequence:
    """A folder of PNG masks whose file names end in the frame's index, from 0.

    A folder that begins at 1 and has no 0 is taken to count from 1, as many tools do.
    """

    sessions: tuple[Session, ...] = ()

    def __init__(self, folder: Path) -> None:
        """List the folder.

        Raises:
            Refusal: it cannot be read, or holds no numbered PNG.
        """
        self.name = f"masks in {folder.name}"
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
        self._files = {index - first: path for index, path in found.items()}
        self._unit = 0

    def person(self, request: Request) -> Silhouette:
        """The mask of this frame's index, or none."""
        path = self._files.get(request.frame.index)
        if path is None:
            return Silhouette(None, notice=f"there is no mask for frame {request.frame.index}")
        try:
            mask = read_mask(path)
        except Refusal as e:
            return Silhouette(None, notice=str(e))
        # 0/1 masks and 0..255 masks look alike in a single dark picture; the first that is not empty decides.
        self._unit = self._unit or _unit(mask)
        return request.answer(_scaled(mask, self._unit))

    def reset(self) -> None:
        """Nothing is remembered."""


class MaskPicture:
    """One mask for every frame."""

    sessions: tuple[Session, ...] = ()

    def __init__(self, path: Path) -> None:
        """Read the mask.

        Raises:
            Refusal: it is not a PNG, or too large.
        """
        self.name = f"mask {path.name}"
        mask = read_mask(path)
        self._mask = _scaled(mask, _unit(mask))

    def person(self, request: Request) -> Silhouette:
        """The mask."""
        return request.answer(self._mask)

    def reset(self) -> None:
        """Nothing is remembered."""


def read_mask(path: Path) -> NDArray[np.uint8]:
    """(h, w): alpha where a PNG has it, grey where it is grey, and what is not black in a coloured one.

    Raises:
        Refusal: unreadable, not a PNG, or too large.
    """
    what = f"mask {path.name}"
    try:
        data = path.read_bytes() if path.is_file() else b""
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
    if pixels.dtype == np.uint16:
        pixels = pixels // 256
    if pixels.ndim == 3 and pixels.shape[2] == 4:
        pixels = pixels[..., 3]
    elif pixels.ndim == 3:
        pixels = np.where(pixels.any(axis=2), np.uint8(255), np.uint8(0))
    return np.ascontiguousarray(pixels, np.uint8)


def _unit(mask: NDArray[np.uint8]) -> int:
    """What stands for a person: 1 or 255; 0 when the mask is empty and cannot tell."""
    top = int(mask.max())
    return top if top <= 1 else 255


def _scaled(mask: NDArray[np.uint8], unit: int) -> NDArray[np.uint8]:
    return np.asarray(np.minimum(mask, 1) * np.uint8(255)) if unit == 1 else mask
