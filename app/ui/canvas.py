"""Canvas: paints the newest result with its own frame; zoom, pan, split line, the part under the cursor."""

from __future__ import annotations

import time
from dataclasses import replace

from PyQt6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, pyqtSignal
from PyQt6.QtGui import QColor, QImage, QMouseEvent, QPainter, QPaintEvent, QPen, QWheelEvent
from PyQt6.QtWidgets import QSizePolicy, QWidget

from app.ui import hud
from app.ui.brush import BrushTool
from app.ui.hud import LiveMetrics
from app.ui.layers import Layers, layers, paint
from app.ui.style import DisplayStyle, ViewMode
from runtime.frames import FrameResult
from runtime.silhouettes.grabcut import Stroke

ZOOM_STEP = 1.25
ZOOM_MAX = 16.0
GRAB_PX = 10  # how near the split line the mouse takes it
PAINTS = (Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton)


class Canvas(QWidget):
    """The picture.

    Signals:
        pointed: words for the part under the cursor, empty outside.
        picked: (x, y) of a click in picture pixels, while `picking`.
        stroked: a stroke of the brush, in picture pixels of the frame on show.
        style_changed: the split line was dragged.
        painted: a new result was painted for the first time.
    """

    pointed = pyqtSignal(str)
    picked = pyqtSignal(int, int)
    stroked = pyqtSignal(Stroke)
    style_changed = pyqtSignal(DisplayStyle)
    painted = pyqtSignal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMouseTracking(True)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.stage = QColor("#0f1011")
        self.age_ms = 0.0
        self.brush = BrushTool()
        self._mask: tuple[int, QImage] | None = None
        self._parsed: FrameResult | None = None
        self._layers: Layers | None = None
        self._fresh = False
        self._style = DisplayStyle()
        self._metrics: LiveMetrics | None = None
        self._zoom = 1.0
        self._centre = QPointF(0.5, 0.5)  # of the view, as a fraction of the picture
        self._drag: QPointF | None = None
        self._drags_split = False
        self._picking = False

    # -- what is shown

    @property
    def parsed(self) -> FrameResult | None:
        """The result on show."""
        return self._parsed

    def show_parsed(self, parsed: FrameResult) -> None:
        """Show a result; painted at the next turn of the event loop."""
        self._parsed, self._layers, self._fresh = parsed, None, True
        self.update()

    def clear(self) -> None:
        """Show nothing."""
        self._parsed = self._layers = None
        self.fit()

    def show_style(self, style: DisplayStyle) -> None:
        """Paint the same result another way."""
        if style != self._style:
            self._style, self._layers = style, None
            self.update()

    def show_metrics(self, vitals: LiveMetrics | None) -> None:
        """The numbers to draw over the picture; None hides them."""
        if vitals != self._metrics:
            self._metrics = vitals
            self.update()

    def pick(self, *, on: bool) -> None:
        """Let the next click choose a colour."""
        self._picking = on
        self.setCursor(Qt.CursorShape.CrossCursor if on else Qt.CursorShape.ArrowCursor)

    def show_mask(self, frame: int, mask: QImage | None) -> None:
        """A picture to lay over this frame alone; None takes it away."""
        self._mask = (frame, mask) if mask is not None else None
        self.update()

    def brush_on(self, *, on: bool) -> None:
        """Let the mouse paint."""
        self.brush.on = on
        self.setCursor(Qt.CursorShape.BlankCursor if on else Qt.CursorShape.ArrowCursor)
        self.update()

    # -- zoom

    def fit(self) -> None:
        """The whole picture."""
        self._zoom, self._centre = 1.0, QPointF(0.5, 0.5)
        self.update()

    def zoom(self, steps: float, at: QPointF | None = None) -> None:
        """Zoom in (positive) or out around a point of the widget."""
        if self._parsed is None:
            return
        at = at or QPointF(self.width() / 2, self.height() / 2)
        before = self._to_fraction(at)
        self._zoom = min(ZOOM_MAX, max(1.0, self._zoom * ZOOM_STEP**steps))
        after = self._to_fraction(at)
        self._centre += before - after
        self._keep_inside()
        self.update()

    def sizeHint(self) -> QSize:
        """Room for a 16:9 picture."""
        return QSize(960, 540)

    def minimumSizeHint(self) -> QSize:
        """Still recognisable."""
        return QSize(320, 180)

    # -- painting

    def paintEvent(self, event: QPaintEvent | None) -> None:
        """Draw the layers of the newest result."""
        del event
        painter = QPainter(self)
        painter.fillRect(self.rect(), self.stage)
        if self._parsed is None:
            return
        if self._layers is None:
            self._layers = layers(self._parsed, self._style)
        area = self._area()
        paint(painter, area, self._layers, self._style)
        if self._mask is not None and self._mask[0] == self._parsed.frame.index:
            painter.drawImage(area, self._mask[1])
        self.brush.paint(painter, area, self._parsed.frame.size)
        if self._style.split:
            self._paint_split(painter, area)
        if self._metrics is not None:
            hud.draw(painter, QRectF(self.rect()), self._metrics)
        painter.end()
        if self._fresh:
            self._fresh = False
            self.age_ms = (time.monotonic() - self._parsed.frame.captured_s) * 1e3
            self.painted.emit()

    def _paint_split(self, painter: QPainter, area: QRectF) -> None:
        x = area.left() + area.width() * self._style.split_at
        top, bottom = max(0.0, area.top()), min(float(self.height()), area.bottom())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(QColor(0, 0, 0, 110), 4))
        painter.drawLine(QPointF(x, top), QPointF(x, bottom))
        painter.setPen(QPen(QColor(255, 255, 255), 2))
        painter.drawLine(QPointF(x, top), QPointF(x, bottom))
        middle = QPointF(x, (top + bottom) / 2)
        painter.setBrush(QColor(255, 255, 255))
        painter.setPen(QPen(QColor(0, 0, 0, 110), 1))
        painter.drawEllipse(middle, 13, 13)
        painter.setPen(QPen(QColor(40, 42, 45), 2, cap=Qt.PenCapStyle.RoundCap))
        for sign in (-1, 1):
            tip = middle + QPointF(7 * sign, 0)
            painter.drawLine(tip, middle + QPointF(3 * sign, -4))
            painter.drawLine(tip, middle + QPointF(3 * sign, 4))
        if self._parsed is not None and self._parsed.before is not None:
            hud.captions(painter, area.intersected(QRectF(self.rect())), x)

    def _area(self) -> QRectF:
        """Rectangle of the whole picture in the widget, zoom and pan included."""
        if self._parsed is None:
            return QRectF(self.rect())
        width, height = self._parsed.frame.size
        scale = min(self.width() / width, self.height() / height) * self._zoom
        w, h = width * scale, height * scale
        x = (self.width() - w) / 2 - (self._centre.x() - 0.5) * w
        y = (self.height() - h) / 2 - (self._centre.y() - 0.5) * h
        return QRectF(x, y, w, h)

    def _to_fraction(self, at: QPointF) -> QPointF:
        area = self._area()
        return QPointF((at.x() - area.left()) / area.width(), (at.y() - area.top()) / area.height())

    def _keep_inside(self) -> None:
        reach = 0.5 - 0.5 / self._zoom
        self._centre = QPointF(
            min(0.5 + reach, max(0.5 - reach, self._centre.x())),
            min(0.5 + reach, max(0.5 - reach, self._centre.y())),
        )

    # -- mouse

    def wheelEvent(self, event: QWheelEvent | None) -> None:
        """Zoom around the cursor; with Ctrl a larger or smaller brush."""
        if event is None or not event.angleDelta().y():
            return
        if self.brush.on and event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.brush.resize(event.angleDelta().y() / 120)
            self.update()
        else:
            self.zoom(event.angleDelta().y() / 120, event.position())
        event.accept()

    def mousePressEvent(self, event: QMouseEvent | None) -> None:
        """Paint, pick a colour, take the split line, or start to pan."""
        if event is None or self._parsed is None:
            return
        if self.brush.on and event.button() in PAINTS:
            at = self._point(event.position())
            if at is not None:
                self.brush.press(at, self._parsed.frame.size, other=event.button() != PAINTS[0])
                self.update()
            return
        if event.button() != Qt.MouseButton.LeftButton:
            return
        if self._picking:
            pixel = self._pixel(event.position())
            if pixel is not None:
                self.pick(on=False)
                self.picked.emit(*pixel)
            return
        self._drags_split = self._near_split(event.position())
        self._drag = event.position()

    def mouseMoveEvent(self, event: QMouseEvent | None) -> None:
        """Drag what was taken; else tell what lies under the cursor."""
        if event is None or self._parsed is None:
            return
        if self.brush.on:
            self.brush.move(self._point(event.position()))
            self.update()
        elif self._drag is None:
            self._hover(event.position())
        elif self._drags_split:
            at = min(1.0, max(0.0, self._to_fraction(event.position()).x()))
            self.style_changed.emit(replace(self._style, split_at=at))
        else:
            moved = event.position() - self._drag
            area = self._area()
            self._centre -= QPointF(moved.x() / area.width(), moved.y() / area.height())
            self._keep_inside()
            self._drag = event.position()
            self.update()

    def mouseReleaseEvent(self, event: QMouseEvent | None) -> None:
        """Let go."""
        del event
        stroke = self.brush.release()
        if stroke is not None:
            self.stroked.emit(stroke)
        self._drag, self._drags_split = None, False

    def mouseDoubleClickEvent(self, event: QMouseEvent | None) -> None:
        """Back to the whole picture."""
        if event is not None and event.button() == Qt.MouseButton.LeftButton and not self._picking:
            self.fit()

    def leaveEvent(self, event: QEvent | None) -> None:
        """No brush is shown where no mouse is."""
        self.brush.move(None)
        self.update()
        super().leaveEvent(event)

    def _near_split(self, at: QPointF) -> bool:
        area = self._area()
        line = area.left() + area.width() * self._style.split_at
        return self._style.split and abs(at.x() - line) <= GRAB_PX

    def _hover(self, at: QPointF) -> None:
        if not self._picking:
            near = self._near_split(at)
            self.setCursor(Qt.CursorShape.SplitHCursor if near else Qt.CursorShape.ArrowCursor)
        self.pointed.emit(self._words_at(at))

    def _words_at(self, at: QPointF) -> str:
        parsing = self._parsed.parsing if self._parsed else None
        pixel = self._pixel(at)
        if parsing is None or pixel is None or self._style.view is ViewMode.PICTURE:
            return ""
        height, width = parsing.labels.shape
        x = pixel[0] * width // parsing.size[0]
        y = pixel[1] * height // parsing.size[1]
        label = int(parsing.labels[y, x])
        sure = round(int(parsing.confidence[y, x]) / 2.55)
        name = parsing.part_set.label(label) if label < parsing.part_set.classes else "?"
        return f"{name} {sure} %"

    def _pixel(self, at: QPointF) -> tuple[int, int] | None:
        """Picture pixel under a point of the widget, None outside."""
        point = self._point(at)
        return (int(point[0]), int(point[1])) if point is not None else None

    def _point(self, at: QPointF) -> tuple[float, float] | None:
        """The same, as exact as the mouse."""
        if self._parsed is None:
            return None
        where = self._to_fraction(at)
        across = 1 - where.x() if self._style.mirror else where.x()
        if not (0 <= across < 1 and 0 <= where.y() < 1):
            return None
        width, height = self._parsed.frame.size
        return across * width, where.y() * height
