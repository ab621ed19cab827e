"""Smoothing of one frame's silhouette along its picture: neighbours of one colour persuade each other."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from personalize.contrast import DIRECTIONS, edge_weights, ends

Map = NDArray[np.float32]


def mean_field(image: NDArray[np.uint8], person: Map, gamma: float, iterations: int = 5) -> Map:
    """P(person) after a few mean-field iterations on the eight-neighbour grid.

    Args:
        image: (h, w, 3) RGB.
        person: (h, w) P(person); one half stays one half unless neighbours know more.
        gamma: the say of a neighbour of the same colour, 1 to 5.
        iterations: rounds in which all pixels look at their neighbours.
    """
    weights = edge_weights(image, gamma).astype(np.float32)
    own = np.clip(person, 1e-6, 1 - 1e-6).astype(np.float32)
    own = np.log(own / (1 - own))
    says = np.tanh(own / 2)  # 2 P - 1
    for _ in range(iterations):
        heard = own.copy()
        for weight, (dy, dx) in zip(weights, DIRECTIONS, strict=True):
            start, end = ends(image.shape[0], image.shape[1], dy, dx)
            heard[start] += weight[start] * says[end]
            heard[end] += weight[start] * says[start]
        says = np.tanh(heard / 2)
    return np.asarray((1 + says) / 2, np.float32)
