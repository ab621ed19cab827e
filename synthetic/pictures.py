"""Reading pictures: RGB order, and an error in words where OpenCV gives None."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray


def read_rgba(path: Path) -> NDArray[np.uint8]:
    """A picture (H, W, 4) uint8, opaque where the file has no alpha.

    Raises:
        ValueError: when the file is no picture OpenCV can read.
    """
    stored = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if stored is None:
        raise ValueError(f"{path}: not a readable picture")
    codes = {1: cv2.COLOR_GRAY2RGBA, 3: cv2.COLOR_BGR2RGBA, 4: cv2.COLOR_BGRA2RGBA}
    channels = stored.shape[2] if stored.ndim == 3 else 1
    return np.asarray(cv2.cvtColor(stored, codes[channels]), np.uint8)


def read_rgb(path: Path) -> NDArray[np.uint8]:
    """A picture (H, W, 3) uint8.

    Raises:
        ValueError: when the file is no picture OpenCV can read.
    """
    stored = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if stored is None:
        raise ValueError(f"{path}: not a readable picture")
    return np.ascontiguousarray(stored[..., ::-1], np.uint8)
