"""The cut-out: the picture with the silhouette as its transparency."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.results import Parsing
from runtime.output.scaling import full_person


def cutout(image: NDArray[np.uint8], parsing: Parsing) -> NDArray[np.uint8]:
    """The picture (h, w, 3) with round(255·P(person)) as its straight alpha: (h, w, 4) RGBA."""
    return np.dstack([image, full_person(parsing)])
