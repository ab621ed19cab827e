"""Maps of a parsing at the size of the displayed picture."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from models.results import Parsing


def full_labels(parsing: Parsing) -> NDArray[np.uint8]:
    """Part ids (height, width) at the displayed size."""
    return resized(parsing.labels, parsing.size, cv2.INTER_NEAREST_EXACT)


def full_person(parsing: Parsing) -> NDArray[np.uint8]:
    """round(255·P(person)) (height, width) at the displayed size."""
    return resized(parsing.person, parsing.size, cv2.INTER_LINEAR)


def resized(values: NDArray[np.uint8], size: tuple[int, int], how: int) -> NDArray[np.uint8]:
    """A map (h, w) scaled to (width, height), `how` of OpenCV's interpolations."""
    if (values.shape[1], values.shape[0]) == size:
        return values
    return np.asarray(cv2.resize(values, size, interpolation=how), dtype=np.uint8)
