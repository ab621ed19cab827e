"""The bundled people: a personalised factor must still find them (`training.regression` draws them)."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
Mask = NDArray[np.bool_]

SIZE = 256  #: px, of every picture on the sheets


def read_regression(folder: Path) -> list[tuple[Picture, Mask]]:
    """Every picture (256, 256, 3) RGB with its silhouette (256, 256), always in the same order.

    Raises:
        FileNotFoundError: the folder does not hold the two sheets.
        ValueError: the sheets are no pictures, or do not belong together.
    """
    people = _read(folder / "people.jpg", cv2.IMREAD_COLOR_RGB)
    silhouettes = _read(folder / "silhouettes.png", cv2.IMREAD_GRAYSCALE)
    height, width = silhouettes.shape
    if people.shape[:2] != (height, width) or height % SIZE or width % SIZE:
        raise ValueError(
            f"{folder}: people.jpg and silhouettes.png are not the same sheet of {SIZE} px pictures"
        )
    corners = [(y, x) for y in range(0, height, SIZE) for x in range(0, width, SIZE)]
    return [
        (
            np.ascontiguousarray(people[y : y + SIZE, x : x + SIZE]),
            np.asarray(silhouettes[y : y + SIZE, x : x + SIZE] > 127),
        )
        for y, x in corners
    ]


def _read(path: Path, how: int) -> Picture:
    if not path.is_file():
        raise FileNotFoundError(f"{path}: the bundled people are missing; install the program again")
    stored = cv2.imread(str(path), how)
    if stored is None:
        raise ValueError(f"{path}: not a readable picture; install the program again")
    return np.asarray(stored, np.uint8)
