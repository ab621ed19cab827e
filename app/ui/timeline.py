"""Time line and transport: where in the clip we are, the in and out handles, the buttons of a player."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from PyQt6.QtCore import QPointF, QRectF, QSize, Qt, pyqtSignal
from PyQt6.QtGui import QColor, QImage, QMouseEvent, QPainter, QPaintEvent, QPalette, QPen, QWheelEvent
from PyQt6.QtWidgets import QSizePolicy, QToolTip, QWidget

from app.ui.translation import tr

MARGIN_PX = 10  # at either end, for the knob
ZOOM = 1.25  # per step of the wheel
LEAST_FRAMES = 10  # on show, at most zoom
HANDLE_PX = 7  # half the width in which a handle is taken
TRACK_PX = 5.0
ROW_PX, STRIP_PX = 26, 34  # of the track, and of the thumbnails above it
PLACES = 24  # thumbnails
OUTSIDE = 0.72  # how much what lies outside the handles is faded
MARK = QColor("#e5484d")


@dataclass(frozen=True)
class TimelinePosition:
    """Position in a clip, its length and its in and out handles."""

    position: int = 0
    frames: int = 0
    rate: float = 25.0
    span: tuple[int, int] | None = None  #: in and out handles, both inclusive


def timecode(index: int, rate: float) -> str:
    """`1:02:03.480`, without hours when there are none."""
    millis = round(index / rate * 1000) if rate > 0 else 0
    seconds, millis = divmod(millis, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    head = f"{hours}:{minutes:02d}" if hours else f"{minutes:02d}"
    return f"{head}:{seconds:02d}.{millis:03d}"


class Timeline(QWidget):
    """The bar.

    Signals:
        sought: a frame index was chosen.
        spanned: the handles were moved to (in, out).
        ranged: the wheel chose the frames (first, last) to show.
    """

    sought = pyqtSignal(int)
    spanned = pyqtSignal(int, int)
    ranged = pyqtSignal(float, float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(tr("Time line"))
        self._place = TimelinePosition()
        self._taken = ""
        self._left = MARGIN_PX
        self._range: tuple[float, float] | None = None  # frames on show, all without
        self._marks: dict[int, str] = {}
        self._strip: Mapping[int, QImage] | None = None  # thumbnails by place
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    def show_place(self, place: TimelinePosition) -> None:
        """Show a position."""
        if place != self._place:
            if self._taken == "span" and self._place.frames == place.frames:
                place = replace(place, span=self._place.span)
            if place.frames != self._place.frames:
                self._range, self._marks = None, {}
            self._place = place
            self.update()

    def show_range(self, first: float, last: float) -> None:
        """Show these frames from end to end."""
        whole = first <= 0 and last >= self._last
        self._range = None if whole else (max(0.0, first), min(float(self._last), last))
        self.update()

    def show_marks(self, marks: dict[int, str]) -> None:
        """Mark frames, with words for the mouse."""
        if marks != self._marks:
            self._marks = marks
            self.update()

    def show_strip(self, images: Mapping[int, QImage] | None) -> None:
        """Show thumbnails by their place among all; None shows no strip."""
        self._strip = images
        self.updateGeometry()
        self.update()

    def align(self, left_px: int) -> None:
        """Let the frames begin so far from the left edge."""
        self._left = left_px
        self.update()

    def wheelEvent(self, event: QWheelEvent | None) -> None:
        """Zoom about the mouse."""
        if event is None or self._place.frames <= LEAST_FRAMES:
            return
        first, last = self._range or (0.0, float(self._last))
        wide = (last - first) * ZOOM ** (-event.angleDelta().y() / 120)
        wide = min(float(self._last), max(float(LEAST_FRAMES), wide))
        at = self._frame(event.position().x())
        first = min(max(0.0, at - wide * (at - first) / (last - first)), self._last - wide)
        self.show_range(first, first + wide)
        self.ranged.emit(first, first + wide)

    def sizeHint(self) -> QSize:
        """One row, and the strip."""
        return QSize(400, ROW_PX + (STRIP_PX if self._strip is not None else 0))

    def paintEvent(self, event: QPaintEvent | None) -> None:
        """Track, span, played part, handles, knob."""
        del event
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        palette = self.palette()
        accent = palette.color(QPalette.ColorRole.Highlight)
        middle = self.height() - ROW_PX / 2
        self._paint_strip(painter)
        self._bar(painter, 0, self._last, palette.color(QPalette.ColorRole.Mid))
        first, last = self._place.span or (0, self._last)
        if self._place.span:
            soft = QColor(accent)
            soft.setAlpha(80)
            self._bar(painter, first, last, soft)
        if self._place.position > first:
            self._bar(painter, first, self._place.position, accent)
        painter.setPen(Qt.PenStyle.NoPen)
        veil = palette.color(QPalette.ColorRole.Window)
        veil.setAlphaF(OUTSIDE)
        for left, right in ((0, self._x(first)), (self._x(last), self.width())):
            painter.fillRect(QRectF(left, 0, right - left, self.height()), veil)
        for index, toward in ((first, 1), (last, -1)):
            self._bracket(painter, self._x(index), middle, toward)
        painter.setBrush(MARK)
        for index in self._marks:
            if self._range is None or self._range[0] <= index <= self._range[1]:
                painter.drawRect(QRectF(self._x(index) - 1.5, 1, 3, self.height() - 2))
        if self._strip is not None:
            painter.fillRect(QRectF(self._x(self._place.position) - 1, 0, 2, STRIP_PX), accent)
        painter.setPen(QPen(palette.color(QPalette.ColorRole.Window), 2))
        painter.setBrush(palette.color(QPalette.ColorRole.WindowText))
        radius = 8.0 if self._taken == "knob" else 7.0
        painter.drawEllipse(QPointF(self._x(self._place.position), middle), radius, radius)

    def mousePressEvent(self, event: QMouseEvent | None) -> None:
        """Take a handle, or go where was clicked."""
        if event is None or event.button() != Qt.MouseButton.LeftButton or self._place.frames < 2:
            return
        x = event.position().x()
        near_knob = abs(x - self._x(self._place.position)) <= HANDLE_PX
        first, last = self._place.span or (0, self._last)
        if not near_knob and abs(x - self._x(first)) <= HANDLE_PX:
            self._taken = "in"
        elif not near_knob and abs(x - self._x(last)) <= HANDLE_PX:
            self._taken = "out"
        elif event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            self._taken = "span"
            index = self._index(x)
            self._place = replace(self._place, span=(index, index))
        else:
            self._taken = "knob"
        self._move(x)

    def mouseMoveEvent(self, event: QMouseEvent | None) -> None:
        """Drag, or tell the time under the cursor."""
        if event is None:
            return
        x = event.position().x()
        if self._taken:
            self._move(x)
        elif self._place.frames > 1:
            index = self._index(x)
            text = f"{timecode(index, self._place.rate)}  ·  {index}"
            near = min(self._marks, key=lambda i: abs(i - index), default=None)
            if near is not None and abs(self._x(near) - x) <= HANDLE_PX:
                text = f"{near}: {tr(self._marks[near])}"
            QToolTip.showText(event.globalPosition().toPoint(), text, self)

    def mouseReleaseEvent(self, event: QMouseEvent | None) -> None:
        """Let go."""
        del event
        self._taken = ""
        self.update()

    @property
    def _last(self) -> int:
        return max(1, self._place.frames - 1)

    def _move(self, x: float) -> None:
        index = self._index(x)
        first, last = self._place.span or (0, self._last)
        if self._taken == "knob":
            self._place = replace(self._place, position=index)
            self.sought.emit(index)
        else:
            if self._taken == "in":
                first = min(index, last)
            elif self._taken == "out":
                last = max(index, first)
            else:
                first, last = min(first, index), max(first, index)
            self._place = replace(self._place, span=(first, last))
            self.spanned.emit(first, last)
        self.update()

    def _bar(self, painter: QPainter, first: int, last: int, colour: QColor) -> None:
        left, right = self._x(first), self._x(last)
        painter.setBrush(colour)
        rect = QRectF(left, self.height() - (ROW_PX + TRACK_PX) / 2, max(1.0, right - left), TRACK_PX)
        painter.drawRoundedRect(rect, TRACK_PX / 2, TRACK_PX / 2)

    def _paint_strip(self, painter: QPainter) -> None:
        """Each thumbnail in the middle of its stretch, cut to it."""
        first, last = self._range or (0.0, float(self._last))
        for place, image in (self._strip or {}).items():
            ends = (place * self._last / PLACES, (place + 1) * self._last / PLACES)
            if ends[1] <= first or ends[0] >= last:
                continue
            wide = (self.width() - self._left - MARGIN_PX) / (last - first)
            left, right = (self._left + wide * (index - first) for index in ends)
            image_px = min(STRIP_PX * image.width() / image.height(), right - left)
            seen = QRectF((left + right - image_px) / 2, 0, image_px, STRIP_PX)
            taken = image_px * image.height() / STRIP_PX
            painter.drawImage(seen, image, QRectF((image.width() - taken) / 2, 0, taken, image.height()))

    def _bracket(self, painter: QPainter, x: float, middle: float, toward: int) -> None:
        painter.setPen(QPen(self.palette().color(QPalette.ColorRole.PlaceholderText), 2))
        top, bottom = middle - 9, middle + 9
        painter.drawLine(QPointF(x, top), QPointF(x, bottom))
        for y in (top, bottom):
            painter.drawLine(QPointF(x, y), QPointF(x + 4 * toward, y))
        painter.setPen(Qt.PenStyle.NoPen)

    def _x(self, index: int) -> float:
        first, last = self._range or (0.0, float(self._last))
        wide = self.width() - self._left - MARGIN_PX
        return self._left + wide * min(1.0, max(0.0, (index - first) / (last - first)))

    def _frame(self, x: float) -> float:
        first, last = self._range or (0.0, float(self._last))
        fraction = (x - self._left) / max(1.0, self.width() - self._left - MARGIN_PX)
        return first + min(1.0, max(0.0, fraction)) * (last - first)

    def _index(self, x: float) -> int:
        return round(self._frame(x))
