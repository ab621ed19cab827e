"""From the network's grid of 8-pixel cells to edges that follow the person."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from app.engine.letterbox import Letterbox
from app.engine.resampling import resize
from app.engine.silhouettes import Request

PRESENT = 1 / 32  # a part below this probability in every cell wins nowhere


@dataclass(frozen=True)
class Detail:
    """At which resolution labels are decided."""

    name: str
    longest: int  #: px, no result is larger
    of_picture: bool  #: at the displayed picture's size, else at the network's

    def size(self, letterbox: Letterbox) -> tuple[int, int]:
        """(width, height) of the result, px."""
        width, height = letterbox.picture if self.of_picture else letterbox.content
        scale = min(1.0, self.longest / max(width, height))
        return max(1, round(width * scale)), max(1, round(height * scale))


LIVE = Detail("live", 768, of_picture=False)
FULL = Detail("full", 1920, of_picture=True)


@dataclass(frozen=True)
class Decision:
    """Hard labels and soft silhouette of one picture; all (h, w) uint8."""

    labels: NDArray[np.uint8]
    person: NDArray[np.uint8]
    confidence: NDArray[np.uint8]


def decide(
    person: NDArray[np.float32],
    parts: NDArray[np.float32],
    request: Request,
    fine: NDArray[np.uint8] | None,
    detail: Detail,
) -> Decision:
    """Labels and silhouette over the displayed picture.

    Args:
        person: (gh, gw) P(person) of the cells that the picture covers.
        parts: (classes, gh, gw) probabilities.
        request: the frame, for its edges.
        fine: the source's own mask, where it has a finer one than the grid.
        detail: which resolution.
    """
    size = detail.size(request.letterbox)
    best = resize(parts[0], size)
    labels: NDArray[np.uint8] = np.zeros(best.shape, np.uint8)
    for part in np.flatnonzero(parts.reshape(len(parts), -1).max(1) > PRESENT):
        if part:
            p = resize(parts[part], size)
            wins = p > best
            labels[wins] = part
            best = np.maximum(p, best)
    return Decision(labels, to_bytes(resize(person, size)), to_bytes(best))


def to_bytes(probability: NDArray[np.float32]) -> NDArray[np.uint8]:
    """round(255·p)."""
    out: NDArray[np.uint8] = cv2.convertScaleAbs(probability, alpha=255.0)
    return out
