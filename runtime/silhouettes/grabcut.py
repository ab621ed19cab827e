"""GrabCut, and the brush: a silhouette from a few strokes."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from models.resize import average, resize
from runtime.engine.sessions import Session
from runtime.engine.source import Request, Silhouette, SilhouetteSource
from runtime.frames import Frame

LONG_SIDE = 320  # px; GrabCut takes some 60 ms there, four times that at 512
ITERATIONS = 3
MIN_PIXELS = 50  # of either side: five Gaussians cannot be fitted to fewer (methods §4.1)


@dataclass(frozen=True)
class Stroke:
    """One movement of the brush over the displayed picture."""

    points: tuple[tuple[float, float], ...]  #: x, y, px of the displayed picture
    radius: float  #: px of the displayed picture
    person: bool  #: paints the person, or the background


def cut_trimap(image: NDArray[np.uint8], trimap: NDArray[np.uint8], iterations: int) -> NDArray[np.bool_]:
    """(h, w) person by OpenCV's GrabCut, the same at every call.

    Args:
        image: (h, w, 3).
        trimap: (h, w) of GC_FGD, GC_BGD, GC_PR_FGD and GC_PR_BGD; changed in place.
        iterations: of fitting the colours and cutting.
    """
    models = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.setRNGSeed(0)  # its k-means draws from the thread's generator
    cv2.grabCut(image, trimap, None, *models, iterations, cv2.GC_INIT_WITH_MASK)  # type: ignore[call-overload]
    return np.isin(trimap, (cv2.GC_FGD, cv2.GC_PR_FGD))


class Brush:
    """Strokes on one frame, completed by GrabCut; the base source says what is probable where nobody painted.

    Attributes:
        strokes: replace the tuple to paint; never changed in place.
        painted_on: number of the source and index of the frame that they belong to.
    """

    name = "brush"

    def __init__(self, base: SilhouetteSource) -> None:
        self._base = base
        self.painted_on: tuple[int, int] | None = None
        self._made: tuple[Frame, object, Silhouette] | None = None
        self.strokes: tuple[Stroke, ...] = ()

    @property
    def sessions(self) -> tuple[Session, ...]:
        """The base's sessions."""
        return self._base.sessions

    def is_on(self, frame: Frame) -> bool:
        """True for the frame that the strokes belong to."""
        return self.painted_on == (frame.source, frame.index)

    def paint(self, stroke: Stroke, frame: Frame) -> None:
        """Add a stroke; painting on another frame starts anew."""
        if not self.is_on(frame):
            self.strokes = ()
        self.painted_on = frame.source, frame.index
        self.strokes = (*self.strokes, stroke)

    def clear(self) -> None:
        """Remove all strokes."""
        self.strokes = ()
        self.painted_on = None

    def reset(self) -> None:
        """Strokes stay with their frame."""
        self._base.reset()

    def person(self, request: Request) -> Silhouette:
        """The cut on the painted frame; the base's answer where nothing was painted; else none."""
        strokes, painted_on, frame, made = self.strokes, self.painted_on, request.frame, self._made
        if not strokes or painted_on is None:
            return self._base.person(request)
        if painted_on != (frame.source, frame.index):
            here = f"painted on frame {painted_on[1]} only"
            return Silhouette(
                None, notice=here if frame.source == painted_on[0] else "painted on another picture"
            )
        if made is None or made[0] is not frame or made[1] != (strokes, request.letterbox):
            made = self._made = frame, (strokes, request.letterbox), self._cut(request, strokes)
        return made[2]

    def _cut(self, request: Request, strokes: tuple[Stroke, ...]) -> Silhouette:
        width, height = request.letterbox.content
        scale = min(1.0, LONG_SIDE / max(width, height))
        size = max(8, round(width * scale)), max(8, round(height * scale))
        base = self._base.person(request)
        trimap = self._trimap(request, base, strokes, size)
        inside = np.isin(trimap, (cv2.GC_FGD, cv2.GC_PR_FGD))
        if min(int(inside.sum()), int((~inside).sum())) >= MIN_PIXELS:
            inside = cut_trimap(average(request.picture, size), trimap, ITERATIONS)
        return request.answer(resize(inside * np.uint8(255), (width, height)))

    @staticmethod
    def _trimap(
        request: Request, base: Silhouette, strokes: tuple[Stroke, ...], size: tuple[int, int]
    ) -> NDArray[np.uint8]:
        """GrabCut's four values (methods §4.1): the strokes are sure, the base is probable."""
        trimap = np.full((size[1], size[0]), cv2.GC_PR_BGD, np.uint8)
        if base.grid is not None:
            across, down = request.letterbox.cells
            probable = resize(np.ascontiguousarray(base.grid[:down, :across]), size)
            trimap[probable >= 0.5] = cv2.GC_PR_FGD
        scale = np.array(size) / np.array(request.letterbox.picture)
        for stroke in strokes:
            points = np.rint(np.array(stroke.points).reshape(-1, 2) * scale).astype(np.int32)
            value = cv2.GC_FGD if stroke.person else cv2.GC_BGD
            thickness = max(1, round(2 * stroke.radius * float(scale.min())))
            cv2.polylines(trimap, [points], isClosed=False, color=int(value), thickness=thickness)
        return trimap
