"""Canvas: paints the newest result with its own frame; zoom, pan, split line, the part under the cursor."""

from __future__ import annotations

import time
from dataclasses import replace

from PyQt6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, QTimer, pyqtSignal
from PyQt6.QtGui import QColor, QImage, QMouseEvent, QPainter, QPaintEvent, QWheelEvent
from PyQt6.QtWidgets import QSizePolicy, QWidget

from app.ui import hud
from app.ui.brush import BrushTool
from app.ui.hud import LiveMetrics
from app.ui.layers import Layers, layers, paint
from app.ui.translation import tr
from app.ui.viewport import Viewport, fraction
from models.results import Result
from runtime.frames import FrameResult
from runtime.output.composition import VIRIDIS, shown_people
from runtime.output.instances import instances, people_at
from runtime.output.style import DisplayStyle, ViewMode
from runtime.silhouettes.grabcut import Stroke

GLIDE_MS = 25  # between two paints of a view that glides after somebody
LONGEST_GLIDE_S = 0.1  # that one paint makes up for
DRAG_PX = 6  # a press that moves less is a click
GRAB_PX = 10  # how near the split line the mouse takes it
PAINTS = (Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton)


class Canvas(QWidget):
    """The picture.

    Signals:
        pointed: words for the part under the cursor, empty outside.
        picked: (x, y) of the click that `pick` awaits, in picture pixels.
        clicked: (x, y) of any other click, in picture pixels; negative beside the picture.
        stroked: a stroke of the brush, in picture pixels of the frame on show.
        style_changed: the split line was dragged.
        painted: a new result was painted for the first time.
    """

    pointed = pyqtSignal(str)
    picked = pyqtSignal(float, float)
    clicked = pyqtSignal(float, float)
    stroked = pyqtSignal(Stroke)
    style_changed = pyqtSignal(DisplayStyle)
    painted = pyqtSignal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName(tr("Picture"))
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)  # a click gives the keys back to the player
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.stage = QColor("#0f1011")
        self.age_ms = 0.0
        self.brush = BrushTool()
        self._mask: tuple[int | None, QImage] | None = None
        self._parsed: FrameResult | None = None
        self._layers: Layers | None = None
        self._fresh = False
        self._style = DisplayStyle()
        self._metrics: LiveMetrics | None = None
        self._covered_px = 0
        self._remarks = "", ""
        self._view = Viewport()
        self._glided_s = 0.0
        self._pressed: QPointF | None = None  # of a press that may become a click
        self._drag: QPointF | None = None
        self._drags_split = False
        self._picking = False

    # -- what is shown

    @property
    def parsed(self) -> FrameResult | None:
        """The result on show."""
        return self._parsed

    @property
    def in_parts(self) -> float | None:
        """Share of the joints on show that lie in their parts; None without any."""
        return self._layers.in_parts if self._layers is not None else None

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
            if style.follow != self._style.follow:
                self._view.follow(self._person_box(style), first=True)
            self._style, self._layers = style, None
            self.update()

    def show_metrics(self, vitals: LiveMetrics | None) -> None:
        """The numbers to draw over the picture; None hides them."""
        if vitals != self._metrics:
            self._metrics = vitals
            self.update()

    def show_covered(self, height_px: int) -> None:
        """Leave this much of the upper edge to a notice."""
        self._covered_px = height_px
        self.update()

    def show_remarks(self, remarks: tuple[str, str]) -> None:
        """Say left and right of a comparison what that model cannot show."""
        if remarks != self._remarks:
            self._remarks = remarks
            self.update()

    def pick(self, *, on: bool) -> None:
        """Let the next click in the picture say where."""
        self._picking = on
        self.setCursor(Qt.CursorShape.CrossCursor if on else Qt.CursorShape.ArrowCursor)

    def show_mask(self, frame: int | None, mask: QImage | None) -> None:
        """A picture to lay over this frame alone, or over any (None); no picture takes it away."""
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
        self._view.fit()
        self.update()

    def zoom(self, steps: float, at: QPointF | None = None) -> None:
        """Zoom in (positive) or out around a point of the widget."""
        if self._parsed is not None:
            at = at or QPointF(self.width() / 2, self.height() / 2)
            self._view.zoom(steps, at, self.size(), QSize(*self._parsed.frame.size))
            self.update()

    def _person_box(self, style: DisplayStyle) -> QRectF | None:
        """The box of who is followed, as a fraction of the picture on show; None without one."""
        parsed = self._parsed
        people = parsed.result.people if parsed is not None and parsed.result is not None else ()
        box = next((i.person.box for i in instances(people) if i.number == style.person), None)
        if parsed is None or not style.follow or box is None:
            return None
        (width, height), (x, y, w, h) = parsed.frame.size, box
        left = width - x - w if style.mirror else x
        return QRectF(left / width, y / height, w / width, h / height)

    def _glide(self) -> None:
        """Move the view towards the person it follows, and paint again until it is there."""
        now_s = time.monotonic()
        elapsed_s, self._glided_s = min(LONGEST_GLIDE_S, now_s - self._glided_s), now_s
        box = self._person_box(self._style)
        if box is not None:
            self._view.follow(box, first=False)
        if self._view.glide(elapsed_s):
            QTimer.singleShot(GLIDE_MS, self.update)

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
        self._glide()
        area = self._area()
        paint(painter, area, self._layers, self._style)
        if self._mask is not None and self._mask[0] in (None, self._parsed.frame.index):
            painter.drawImage(area, self._mask[1])
        self.brush.paint(painter, area, self._parsed.frame.size)
        if self._style.split:
            self._paint_split(painter, area)
        if self._style.view is ViewMode.CONFIDENCE and not self._style.split:
            hud.confidence_scale(painter, QRectF(self.rect()), VIRIDIS)
        hud.zoom_map(painter, QRectF(self.rect()), area)
        if self._metrics is not None:
            hud.draw(painter, QRectF(self.rect()).adjusted(0, self._covered_px, 0, 0), self._metrics)
        painter.end()
        if self._fresh:
            self._fresh = False
            self.age_ms = (time.monotonic() - self._parsed.frame.captured_s) * 1e3
            self.painted.emit()

    def _paint_split(self, painter: QPainter, area: QRectF) -> None:
        x = area.left() + area.width() * self._style.split_at
        shown = area.intersected(QRectF(self.rect()))
        hud.split_line(painter, shown, x)
        if self._parsed is not None and self._parsed.beside is not None and self._layers is not None:
            before = self._layers.before.in_parts if self._layers.before is not None else None
            sides = self._parsed.beside.captions, (before, self._layers.in_parts), self._remarks
            captions = [hud.with_share(*side) for side in zip(*sides, strict=True)]
            hud.captions(painter, shown, x, (captions[0], captions[1]))

    def _area(self) -> QRectF:
        """Rectangle of the whole picture in the widget, zoom and pan included."""
        if self._parsed is None:
            return QRectF(self.rect())
        return self._view.area(self.size(), QSize(*self._parsed.frame.size))

    def _to_fraction(self, at: QPointF) -> QPointF:
        return fraction(at, self._area())

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
        """Paint, say where, take the split line, or start to pan."""
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
            at = self._point(event.position())
            if at is not None:
                self.picked.emit(*at)
            return
        self._drags_split = self._near_split(event.position())
        self._drag = self._pressed = event.position()

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
        elif not self._pressed or (event.position() - self._pressed).manhattanLength() >= DRAG_PX:
            self._pressed = None
            moved, area = event.position() - self._drag, self._area()
            self._drag = event.position()
            if self._style.follow:  # who drags wants to see something else
                self.style_changed.emit(replace(self._style, follow=False))
            self._view.pan(QPointF(moved.x() / area.width(), moved.y() / area.height()))
            self.update()

    def mouseReleaseEvent(self, event: QMouseEvent | None) -> None:
        """Let go; a press that did not move was a click."""
        if event is not None and self._pressed is not None and not self._drags_split:
            self.clicked.emit(*(self._point(event.position()) or (-1.0, -1.0)))
        stroke = self.brush.release()
        if stroke is not None:
            self.stroked.emit(stroke)
        self._drag, self._pressed, self._drags_split = None, None, False

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
        point, result = self._point(at), self._result_at(at)
        if result is None or point is None or self._parsed is None or self._style.view is ViewMode.PICTURE:
            return ""
        parsing = result.parsing
        if parsing is None or self._style.view is ViewMode.INSTANCES:
            shown = shown_people(result, self._style)
            number = next(iter(people_at(shown, *point, self._parsed.frame.size)), 0)
            return tr("person {number}").format(number=number) if number else ""
        height, width = parsing.labels.shape
        x = int(point[0]) * width // parsing.size[0]
        y = int(point[1]) * height // parsing.size[1]
        label = int(parsing.labels[y, x])
        sure = round(int(parsing.confidence[y, x]) / 2.55)
        name = parsing.part_set.label(label) if label < parsing.part_set.classes else "?"
        return f"{tr(name)} {sure} %"

    def _result_at(self, at: QPointF) -> Result | None:
        """Result that is painted at a point: of two that are compared the one of that side."""
        parsed = self._parsed
        beside = parsed.beside if parsed is not None and self._style.split else None
        if beside is not None and self._to_fraction(at).x() < self._style.split_at:
            return beside.result
        return parsed.result if parsed is not None else None

    def _point(self, at: QPointF) -> tuple[float, float] | None:
        """Place in the picture, px, under a point of the widget; None outside."""
        if self._parsed is None:
            return None
        where = self._to_fraction(at)
        across = 1 - where.x() if self._style.mirror else where.x()
        if not (0 <= across < 1 and 0 <= where.y() < 1):
            return None
        width, height = self._parsed.frame.size
        return across * width, where.y() * height
