"""Mean-field smoothing of one frame's silhouette along the edges of its picture.

Smoothing moves edges; it adds no knowledge. Left alone, mean field becomes sure of whatever it settles on, so
no pixel may end up surer than some pixel beside it was before.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from personalize.contrast import DIRECTIONS, edge_weights, ends

Map = NDArray[np.float32]

BESIDE = np.ones((7, 7), np.uint8)
ITERATIONS = 5


def mean_field(image: NDArray[np.uint8], person: Map, gamma: float) -> Map:
    """P(person) after a few mean-field iterations on the eight-neighbour grid.

    Args:
        image: (h, w, 3) RGB.
        person: (h, w) P(person); one half stays one half unless neighbours know more.
        gamma: weight of a neighbour of the same colour, 1 to 5.
    """
    weights = edge_weights(image, gamma).astype(np.float32)
    own = np.clip(person, 1e-6, 1 - 1e-6).astype(np.float32)
    mean = 2 * own - 1
    surest = np.asarray(cv2.dilate(np.abs(mean), BESIDE), np.float32)
    own = np.log(own / (1 - own))
    for _ in range(ITERATIONS):
        field = own.copy()
        for weight, (dy, dx) in zip(weights, DIRECTIONS, strict=True):
            start, end = ends(image.shape[0], image.shape[1], dy, dx)
            field[start] += weight[start] * mean[end]
            field[end] += weight[start] * mean[start]
        mean = np.tanh(field / 2)
    return np.asarray((1 + np.clip(mean, -surest, surest)) / 2, np.float32)
