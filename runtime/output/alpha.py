"""The cut-out, the picture with the silhouette as its transparency; and its matte, the silhouette alone."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from models.results import Parsing
from runtime.output.scaling import full_person


def cutout(image: NDArray[np.uint8], parsing: Parsing) -> NDArray[np.uint8]:
    """The picture (h, w, 3) with round(255·P(person)) as its straight alpha: (h, w, 4) RGBA."""
    return np.dstack([image, full_person(parsing)])


def matte(parsing: Parsing) -> NDArray[np.uint8]:
    """round(255·P(person)) as a grey picture (h, w, 3) RGB."""
    return np.asarray(cv2.cvtColor(full_person(parsing), cv2.COLOR_GRAY2RGB), np.uint8)
