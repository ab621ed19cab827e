"""Maps of a parsing at the size of the displayed picture."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from models.results import Parsing


def full_labels(parsing: Parsing) -> NDArray[np.uint8]:
    """Part ids (height, width) at the displayed size."""
    return _resize(parsing.labels, parsing.size, cv2.INTER_NEAREST_EXACT)


def full_person(parsing: Parsing) -> NDArray[np.uint8]:
    """round(255·P(person)) (height, width) at the displayed size."""
    return _resize(parsing.person, parsing.size, cv2.INTER_LINEAR)


def full_confidence(parsing: Parsing) -> NDArray[np.uint8]:
    """round(255·probability of the label) (height, width) at the displayed size."""
    return _resize(parsing.confidence, parsing.size, cv2.INTER_LINEAR)


def _resize(values: NDArray[np.uint8], size: tuple[int, int], how: int) -> NDArray[np.uint8]:
    if (values.shape[1], values.shape[0]) == size:
        return values
    return np.asarray(cv2.resize(values, size, interpolation=how), dtype=np.uint8)
