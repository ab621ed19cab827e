"""Brush: strokes over the picture with the mouse, left for the person, right for the background."""

from __future__ import annotations

from PyQt6.QtCore import QPointF, QRectF, Qt
from PyQt6.QtGui import QColor, QPainter, QPen, QPolygonF

from runtime.silhouettes.grabcut import Stroke

PERSON, BACKGROUND = QColor(76, 224, 179, 150), QColor(255, 92, 92, 150)
SIZES = (0.005, 0.1)  # radius, as a share of the picture's longer side
DEFAULT = 0.02
MOST_POINTS = 4000  # of one stroke; a longer one goes on as a second


class BrushTool:
    """Stroke under the mouse, and the strokes of the frame on show.

    Attributes:
        on: whether the mouse paints.
        person: what the left button paints.
        size: radius as a share of the picture's longer side.
        strokes: shown over the picture; whoever owns them replaces the tuple.
    """

    def __init__(self) -> None:
        self.on = False
        self.person = True
        self.size = DEFAULT
        self.strokes: tuple[Stroke, ...] = ()
        self._points: list[tuple[float, float]] = []
        self._painting = True
        self._radius = 1.0
        self._hover: tuple[float, float] | None = None

    def radius(self, picture: tuple[int, int]) -> float:
        """Of the brush, px of the picture."""
        return max(1.0, self.size * max(picture))

    def press(self, at: tuple[float, float], picture: tuple[int, int], *, other: bool) -> None:
        """Begin a stroke at a point of the picture; `other` paints what the brush is not set to."""
        self._points = [at]
        self._painting = self.person != other
        self._radius = self.radius(picture)

    def move(self, at: tuple[float, float] | None) -> None:
        """The mouse went on; None: it left the picture."""
        self._hover = at
        if self._points and at is not None and at != self._points[-1] and len(self._points) < MOST_POINTS:
            self._points.append(at)

    def release(self) -> Stroke | None:
        """The stroke that is finished."""
        points, self._points = tuple(self._points), []
        return Stroke(points, self._radius, self._painting) if points else None

    def resize(self, steps: float) -> None:
        """Larger or smaller."""
        self.size = min(SIZES[1], max(SIZES[0], self.size * 1.2**steps))

    def paint(self, painter: QPainter, area: QRectF, picture: tuple[int, int]) -> None:
        """Draw strokes and cursor over the picture in `area`."""
        painter.save()
        painter.setClipRect(area)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        scale = area.width() / picture[0]
        now = (Stroke(tuple(self._points), self._radius, self._painting),) if self._points else ()
        for stroke in (*self.strokes, *now):
            _draw(painter, area, scale, stroke)
        if self._hover is not None and self.on:
            middle = _place(area, scale, self._hover)
            reach = self.radius(picture) * scale
            for ink, width in ((QColor(0, 0, 0, 140), 3), (QColor(255, 255, 255), 1.4)):
                painter.setPen(QPen(ink, width))
                painter.setBrush(Qt.BrushStyle.NoBrush)
                painter.drawEllipse(middle, reach, reach)
        painter.restore()


def _draw(painter: QPainter, area: QRectF, scale: float, stroke: Stroke) -> None:
    colour = PERSON if stroke.person else BACKGROUND
    places = [_place(area, scale, p) for p in stroke.points]
    if len(places) == 1:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour)
        painter.drawEllipse(places[0], stroke.radius * scale, stroke.radius * scale)
        return
    pen = QPen(colour, 2 * stroke.radius * scale)
    pen.setCapStyle(Qt.PenCapStyle.RoundCap)
    pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    painter.setPen(pen)
    painter.drawPolyline(QPolygonF(places))


def _place(area: QRectF, scale: float, point: tuple[float, float]) -> QPointF:
    return QPointF(area.left() + point[0] * scale, area.top() + point[1] * scale)
