"""Viewport: the part of the picture that fills the widget; zoom, pan, and a glide after somebody."""

from __future__ import annotations

import math

from PyQt6.QtCore import QPointF, QRectF, QSize

ZOOM_STEP = 1.25
ZOOM_MAX, FOLLOW_MAX = 16.0, 4.0  # a small person who is followed is not blown up further
FOLLOW_SHARE = 0.8  # of the picture's part on show, that a followed person fills at first
GLIDE_S = 0.4  # time constant
ARRIVED = 0.002  # of the picture, and of the zoom: too little to be seen


class Viewport:
    """Zoom and centre of the view of a picture; the centre is a fraction of it."""

    def __init__(self) -> None:
        self.fit()

    def fit(self) -> None:
        """The whole picture."""
        self._zoom, self._centre = 1.0, QPointF(0.5, 0.5)
        self._zoom_goal: float | None = None
        self._goal: QPointF | None = None

    def area(self, widget: QSize, picture: QSize) -> QRectF:
        """Rectangle of the whole picture in the widget, zoom and pan included."""
        scale = min(widget.width() / picture.width(), widget.height() / picture.height()) * self._zoom
        w, h = picture.width() * scale, picture.height() * scale
        return QRectF(
            widget.width() / 2 - self._centre.x() * w, widget.height() / 2 - self._centre.y() * h, w, h
        )

    def zoom(self, steps: float, at: QPointF, widget: QSize, picture: QSize) -> None:
        """Zoom in (positive) or out around a point of the widget."""
        before, self._zoom_goal = fraction(at, self.area(widget, picture)), None
        self._zoom = min(ZOOM_MAX, max(1.0, self._zoom * ZOOM_STEP**steps))
        self.pan(fraction(at, self.area(widget, picture)) - before)

    def pan(self, moved: QPointF) -> None:
        """Drag the picture by a fraction of it."""
        self._goal = None
        self._look_at(self._centre - moved)

    def follow(self, box: QRectF | None, *, first: bool) -> None:
        """Glide to a box, a fraction of the picture, at first also nearer; None: to the whole."""
        if first:
            share = max(box.width(), box.height(), 1e-3) if box is not None else 1.0
            self._zoom_goal = min(FOLLOW_MAX, max(1.0, FOLLOW_SHARE / share))
        self._goal = box.center() if box is not None else QPointF(0.5, 0.5)

    def glide(self, elapsed_s: float) -> bool:
        """Come nearer to where it was sent; False when it is there."""
        share, before = 1 - math.exp(-elapsed_s / GLIDE_S), self._centre
        zoomed = 0.0 if self._zoom_goal is None else self._zoom_goal - self._zoom
        self._zoom += zoomed * (share if abs(zoomed) > ARRIVED else 1.0)
        if self._goal is not None:
            self._look_at(before + (self._goal - before) * share)
        moved = (self._centre - before).manhattanLength()
        return max(abs(zoomed), moved / share if share else 1.0) > ARRIVED

    def _look_at(self, centre: QPointF) -> None:
        """Without a border inside the widget that the whole picture would not have."""
        reach = 0.5 - 0.5 / self._zoom
        x, y = (min(0.5 + reach, max(0.5 - reach, v)) for v in (centre.x(), centre.y()))
        self._centre = QPointF(x, y)


def fraction(at: QPointF, area: QRectF) -> QPointF:
    """A point of the widget as a fraction of the picture's rectangle in it."""
    return QPointF((at.x() - area.left()) / area.width(), (at.y() - area.top()) / area.height())
