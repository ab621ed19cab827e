"""A silhouette as a picture to lay over its frame: the person tinted, what is undecided in another colour."""

from __future__ import annotations

from typing import cast

import numpy as np
from numpy.typing import NDArray
from PyQt6.QtGui import QImage

PERSON = (76, 224, 179, 110)  # RGBA
UNDECIDED = (245, 165, 36, 90)
SURE = 255


def tinted(mask: NDArray[np.uint8]) -> QImage:
    """(h, w) with 0 background, 255 person and in between undecided, as an image with transparency."""
    table = np.zeros((256, 4), np.uint8)
    table[1:SURE], table[SURE] = UNDECIDED, PERSON
    rgba = np.ascontiguousarray(table[mask])
    height, width = mask.shape
    return QImage(cast("bytes", rgba.data), width, height, 4 * width, QImage.Format.Format_RGBA8888).copy()
