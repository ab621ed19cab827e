"""Silhouettes from a background that stands still: a learned plate, and a model that keeps learning."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from models.resize import average, resize
from runtime.engine.sessions import Session
from runtime.engine.source import Request, Silhouette

Picture = NDArray[np.uint8]

LEARNING_FRAMES = 30  # one second of a webcam: enough to see its noise
NOISE = 6.0  # grey levels; below this a pixel's measured noise is luck
NEAR, FAR = 3.0, 6.0  # noise-scaled colour distances that are surely background and surely person
HISTORY = 500  # frames
SHADOW_WEIGHT = 0.4  # of brightness against chroma: a shadow is darker, not of another colour
GAIN = 0.7, 1.4  # a camera's exposure may wander this far


class BackgroundPlate:
    """Difference from a picture of the empty scene: P(person) rises with the colour distance to the plate.

    The first frames teach the empty scene; `relearn` starts again.

    Attributes:
        name: in the menu.
        near: distance, in units of the noise, up to which a pixel is surely background.
    """

    name = "background plate"
    sessions: tuple[Session, ...] = ()

    def __init__(self, frames: int = LEARNING_FRAMES) -> None:
        self._needed = frames
        self.near = NEAR
        self.relearn()

    def relearn(self) -> None:
        """Forget the plate; the next frames are the empty scene."""
        self._seen = 0
        self._sum: NDArray[np.float32] | None = None
        self._squares: NDArray[np.float32] | None = None
        self._mean: NDArray[np.float32] | None = None
        self._weight: NDArray[np.float32] | None = None

    @property
    def learned(self) -> bool:
        """True when the plate is complete."""
        return self._mean is not None

    def reset(self) -> None:
        """The plate stays: seeking does not move the camera. `relearn` forgets it."""

    def person(self, request: Request) -> Silhouette:
        """P(person) from each pixel's distance to the plate; none while the plate is being learned."""
        colours = _colours(request.picture)
        if self._mean is not None and self._mean.shape != colours.shape:
            self.relearn()
        if self._mean is None or self._weight is None:
            self._learn(colours)
            left = self._needed - self._seen
            return Silhouette(None, notice=f"learning the empty scene, {left} frames left: leave the picture")
        difference = colours - self._mean
        difference[..., 0] += (1 - self._gain(colours)) * colours[..., 0]
        difference *= difference
        distance = np.sqrt(cv2.blur(cv2.transform(difference * self._weight, np.ones((1, 3))), (5, 5)))
        mask = cv2.convertScaleAbs(np.clip(distance - self.near, 0, FAR - NEAR), alpha=255 / (FAR - NEAR))
        return request.answer(np.asarray(cv2.medianBlur(mask, 5), np.uint8))

    def _learn(self, colours: NDArray[np.float32]) -> None:
        if self._sum is None or self._squares is None or self._sum.shape != colours.shape:
            self._seen = 0
            self._sum, self._squares = np.zeros_like(colours), np.zeros_like(colours)
        self._sum += colours
        self._squares += colours * colours
        self._seen += 1
        if self._seen >= self._needed:
            self._mean = self._sum / np.float32(self._seen)
            variance = self._squares / np.float32(self._seen) - self._mean**2
            weight = 1 / np.maximum(variance, NOISE**2)
            weight[..., 0] *= SHADOW_WEIGHT**2
            self._weight = weight

    def _gain(self, colours: NDArray[np.float32]) -> float:
        """Brightness of the plate over the frame's: a median over coarse cells, which ignores the person."""
        assert self._mean is not None
        now, then = (average(np.ascontiguousarray(c[..., 0]), (32, 18)) for c in (colours, self._mean))
        return float(np.clip(np.median((then + 1) / (now + 1)), *GAIN))


class MovingBackground:
    """OpenCV's MOG2: what has not moved for some seconds becomes background, and shadows are no person.

    Attributes:
        threshold: squared distance from a pixel's mixture, in units of its variance, that is a person.
        history: frames that somebody must stand still to disappear.
    """

    name = "moving background (MOG2)"
    sessions: tuple[Session, ...] = ()

    def __init__(self) -> None:
        self.threshold, self.history = 16.0, float(HISTORY)
        self.reset()

    def reset(self) -> None:
        """Learn the scene anew."""
        self._model = cv2.createBackgroundSubtractorMOG2(detectShadows=True)
        self._seen = 0
        self._size = (0, 0)

    def person(self, request: Request) -> Silhouette:
        """P(person) where a pixel differs from its own mixture (MOG2); none during the first frames."""
        width, height = request.letterbox.content
        small = average(request.picture, (width // 2, height // 2))  # twice as fast, and calmer
        if self._size != (width, height):
            self.reset()
            self._size = (width, height)
        self._model.setVarThreshold(self.threshold)
        self._model.setHistory(round(self.history))
        moving = np.asarray(self._model.apply(small), np.uint8)
        self._seen += 1
        if self._seen < LEARNING_FRAMES // 2:
            return Silhouette(None, notice="learning the scene")
        # 127 marks a shadow.
        person = cv2.morphologyEx(cv2.medianBlur((moving == 255) * np.uint8(255), 5), cv2.MORPH_CLOSE, _ROUND)
        return request.answer(resize(np.asarray(person, np.uint8), (width, height)))


_ROUND = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (9, 9))


def _colours(picture: Picture) -> NDArray[np.float32]:
    """Brightness and chroma, slightly blurred against sensor noise."""
    return np.asarray(cv2.cvtColor(cv2.blur(picture, (3, 3)), cv2.COLOR_RGB2YCrCb), np.float32)
