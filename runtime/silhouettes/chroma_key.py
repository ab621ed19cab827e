"""Chroma key: the person is what is not the screen's colour."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray

from runtime.engine.sessions import Session
from runtime.engine.source import Request, Silhouette
from runtime.system.errors import Refusal

GREEN = (0, 177, 64)  # RGB, the usual screen
DARKEST = 40.0  # below this brightness chroma is noise, and a shadow cannot be told from black hair
MIN_CHROMA = 0.08  # of a key colour; grey cannot be keyed


@dataclass(frozen=True)
class ChromaKey:
    """Keys one colour in the chroma plane.

    Chroma is divided by brightness, so that a shadow on the screen is still the screen; and a colour must
    lie in a cone around the key's direction, so that skin with green spill, only shifted towards it, stays.

    Raises:
        Refusal: when the key is grey.
    """

    key: tuple[int, int, int] = GREEN  #: RGB
    tolerance: float = 0.45  #: 0 keys only the very colour, 1 everything of a similar hue
    softness: float = 0.2  #: width of the soft edge, in the unit of the tolerance
    name: ClassVar[str] = "chroma key"
    sessions: ClassVar[tuple[Session, ...]] = ()

    def __post_init__(self) -> None:
        if float(np.hypot(*self._direction())) < MIN_CHROMA:
            raise Refusal(f"key colour {self.key}", "it is grey", "pick a saturated colour: the screen")

    @classmethod
    def picked(cls, image: NDArray[np.uint8], x: int, y: int) -> ChromaKey:
        """The key under a point of an (h, w, 3) RGB picture, averaged over 9 pixels each way.

        Raises:
            Refusal: when the colour there is grey.
        """
        patch = image[max(0, y - 4) : y + 5, max(0, x - 4) : x + 5].reshape(-1, 3)
        red, green, blue = (round(float(c)) for c in np.median(patch, axis=0))
        return cls((red, green, blue))

    def person(self, request: Request) -> Silhouette:
        """P(person) from each pixel's distance to the screen's colour."""
        chroma = _chroma(request.picture)
        along_r, along_b = self._direction()
        length2 = along_r**2 + along_b**2
        # In units of the key: 1 is the key itself, 0 is grey; across is how far off its hue.
        along = (chroma[0] * along_r + chroma[1] * along_b) / length2
        across = np.abs(chroma[0] * along_b - chroma[1] * along_r) / length2
        keyed = np.minimum(along, 1) - across
        certain = 1 - self.tolerance
        person = np.clip((certain - keyed) / max(self.softness, 1e-3) + 0.5, 0, 1)
        return request.answer(np.rint(person * 255).astype(np.uint8))

    def reset(self) -> None:
        """Nothing is remembered."""

    def _direction(self) -> tuple[float, float]:
        chroma = _chroma(np.array(self.key, np.uint8).reshape(1, 1, 3))
        return float(chroma[0].item()), float(chroma[1].item())


def _chroma(picture: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(h, w, 3) RGB → (2, h, w) red and blue difference per unit of brightness."""
    y, red, blue = cv2.split(np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2YCrCb), np.float32))
    scale = 1 / np.maximum(np.asarray(y, np.float32), DARKEST)
    return np.stack(((np.asarray(red) - 128) * scale, (np.asarray(blue) - 128) * scale)).astype(np.float32)
