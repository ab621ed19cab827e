"""Contrast-sensitive weights of the edges between a pixel and its eight neighbours.

An edge costs γ / distance · exp(-β |colour difference|²), colours in RGB from 0 to 255, β set so that the
picture's usual difference is neither free nor forbidding (Rother, Kolmogorov and Blake 2004).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
Weights = NDArray[np.float64]

DIRECTIONS = ((0, 1), (1, 0), (1, 1), (1, -1))  #: (dy, dx) of the half of the neighbours that is enough


def ends(height: int, width: int, dy: int, dx: int) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    """Slices of the pixels at which the edges of a direction start and end; `dy` is not negative."""
    near = slice(max(0, -dx), min(width, width - dx))
    far = slice(max(0, dx), min(width, width + dx))
    return (slice(0, height - dy), near), (slice(dy, height), far)


def differences(image: Picture) -> list[Weights]:
    """Squared colour differences along every edge, an array per direction, smaller by the edge's length."""
    colours = image.astype(np.float64)
    made = []
    for dy, dx in DIRECTIONS:
        start, end = ends(image.shape[0], image.shape[1], dy, dx)
        made.append(((colours[start] - colours[end]) ** 2).sum(axis=2))
    return made


def beta(image: Picture) -> float:
    """1 / (2 · mean squared difference over all edges), 0 for a picture of one colour."""
    squares = differences(image)
    count = sum(s.size for s in squares)
    mean = sum(float(s.sum()) for s in squares) / max(count, 1)
    return 1 / (2 * mean) if mean else 0.0


def edge_weights(image: Picture, gamma: float) -> Weights:
    """(4, h, w) weight of the edge that leaves each pixel in each direction, 0 out of the picture."""
    fall = beta(image)
    made = np.zeros((len(DIRECTIONS), *image.shape[:2]))
    for plane, (dy, dx), squares in zip(made, DIRECTIONS, differences(image), strict=True):
        start, _ = ends(image.shape[0], image.shape[1], dy, dx)
        plane[start] = gamma / np.hypot(dy, dx) * np.exp(-fall * squares)
    return made
