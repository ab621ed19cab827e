"""The bundled people: rendered, with exact silhouettes. Half are replayed while learning, half judge."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

TILE: Final = 256  #: px, side of one picture on the sheets
COLUMNS: Final = 16


class PeopleError(ValueError):
    """The bundled people are not there, or not as they were."""


@dataclass(frozen=True)
class BundledPeople:
    """Pictures (n, 256, 256, 3) RGB and silhouettes (n, 256, 256) bool."""

    pictures: NDArray[np.uint8]
    silhouettes: NDArray[np.bool_]
    sha256: str

    def replayed(self) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
        """Those that are shown while learning."""
        return self._rows(0)

    def judging(self) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
        """Those that say what was forgotten; never shown while learning."""
        return self._rows(1)

    def _rows(self, odd: int) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
        """Every other row of the sheet; the last picture of each row shows nobody."""
        chosen = np.arange(len(self.pictures)) // COLUMNS % 2 == odd
        return self.pictures[chosen], self.silhouettes[chosen]


def read_regression(folder: Path) -> BundledPeople:
    """Read `people.jpg` and `silhouettes.png`.

    Raises:
        PeopleError: they are missing or damaged.
    """
    sheets, digest = [], hashlib.sha256()
    for name, how in (("people.jpg", cv2.IMREAD_COLOR), ("silhouettes.png", cv2.IMREAD_GRAYSCALE)):
        try:
            data = (folder / name).read_bytes()
        except OSError as e:
            raise PeopleError(f"{folder / name} cannot be read ({e.strerror})") from e
        digest.update(data)
        sheet = cv2.imdecode(np.frombuffer(data, np.uint8), how)
        if sheet is None or sheet.shape[0] % TILE or sheet.shape[1] % TILE:
            raise PeopleError(f"{folder / name} is damaged")
        sheets.append(np.asarray(sheet, np.uint8))
    if sheets[0].shape[:2] != sheets[1].shape:
        raise PeopleError(f"{folder}: its two sheets differ in size")
    pictures, silhouettes = _tiles(sheets[0][..., ::-1]), _tiles(sheets[1][..., None])[..., 0] > 127
    drawn = pictures.reshape(len(pictures), -1).any(axis=1)  # the last row is filled up with black
    return BundledPeople(np.ascontiguousarray(pictures[drawn]), silhouettes[drawn], digest.hexdigest())


def _tiles(sheet: NDArray[np.uint8]) -> NDArray[np.uint8]:
    rows, columns = sheet.shape[0] // TILE, sheet.shape[1] // TILE
    grid = sheet.reshape(rows, TILE, columns, TILE, sheet.shape[2]).swapaxes(1, 2)
    return grid.reshape(-1, TILE, TILE, sheet.shape[2])
