"""Backdrop: what is seen behind a person who was cut out."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import cv2
import numpy as np
from numpy.typing import NDArray

WIDTH = 640  # px; a picture behind a cut-out needs no more
CHECK = 16  # px of a transparency check


class BackdropKind(StrEnum):
    """Kind of picture behind a cut-out person."""

    CHECKS = "checks"
    COLOUR = "colour"
    BLUR = "blur"
    IMAGE = "image"


@dataclass(frozen=True, eq=False)
class Backdrop:
    """A backdrop with what it needs."""

    kind: BackdropKind = BackdropKind.COLOUR
    colour: tuple[int, int, int] = (0, 177, 64)  #: RGB; the green that other programs key out
    image: NDArray[np.uint8] | None = None  #: (h, w, 3) RGB, for IMAGE

    def picture(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """(h, w, 3) RGB behind a person in `image`, in its shape but no wider than needed."""
        scale = min(1.0, WIDTH / image.shape[1])
        width, height = max(8, round(image.shape[1] * scale)), max(8, round(image.shape[0] * scale))
        if self.kind is BackdropKind.BLUR:
            small = cv2.resize(image, (width // 4, height // 4), interpolation=cv2.INTER_AREA)
            return np.asarray(cv2.resize(cv2.GaussianBlur(small, (0, 0), 6), (width, height)), np.uint8)
        if self.kind is BackdropKind.IMAGE and self.image is not None:
            return cover(self.image, (width, height))
        return _checks(width, height)


GREEN_SCREEN = Backdrop()


def _checks(width: int, height: int) -> NDArray[np.uint8]:
    y, x = np.mgrid[:height, :width] // CHECK
    grey: NDArray[np.uint8] = np.where((x + y) % 2, 102, 153).astype(np.uint8)
    return np.repeat(grey[:, :, None], 3, axis=2)


def cover(image: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """`image` scaled to fill (width, height), its overhang cut evenly."""
    width, height = size
    scale = max(width / image.shape[1], height / image.shape[0])
    scaled = cv2.resize(
        image,
        (max(width, round(image.shape[1] * scale)), max(height, round(image.shape[0] * scale))),
        interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR,
    )
    y, x = (scaled.shape[0] - height) // 2, (scaled.shape[1] - width) // 2
    return np.asarray(scaled[y : y + height, x : x + width], np.uint8)
