"""HUD: the numbers of the moment over the canvas; never in a snapshot or a recording."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PyQt6.QtCore import QPointF, QRectF, Qt
from PyQt6.QtGui import QColor, QFont, QFontDatabase, QFontMetricsF, QPainter, QPen

from app.ui.translation import tr

ZOOMED, MAP_PX = 1.01, 96  # from where a picture counts as zoomed; longer side of its map
MARGIN = 12  # px
SCALE_PX = 128
LEAST_CAPTION = 40.0  # px, of words beside the split line
INK, PAPER = QColor(240, 242, 244), QColor(0, 0, 0, 165)


@dataclass(frozen=True)
class LiveMetrics:
    """Numbers of the moment for the status bar and the HUD."""

    fps: float = 0.0
    rests: str = ""  #: a word for a picture that does not change: `paused`, `still picture`
    slower: str = ""  #: of two models on the same frames, the one that decides the frame rate
    infer_ms: float = 0.0
    age_ms: float = 0.0  #: of the picture on show when it was painted, from the moment it left the source
    dropped: int = 0
    provider: str = ""  #: what really runs
    model: str = ""
    factor: str = ""
    picture: tuple[int, int] = (0, 0)  #: (width, height), px
    in_parts: float | None = None  #: share of the joints on show that lie in their parts; None without any

    @property
    def pace(self) -> str:
        """Frame rate, of two models with the one that decides it."""
        if self.rests:
            return tr(self.rests)
        words = tr("{fps} fps, both; {slower} decides") if self.slower else "{fps} fps"
        return words.format(fps=f"{self.fps:.1f}", slower=self.slower)

    def rows(self) -> list[tuple[str, str]]:
        """Label and value, in order."""
        rows = [
            ("frames", self.pace),
            ("network", f"{self.infer_ms:.1f} ms"),
            *([] if self.rests else [("age", f"{self.age_ms:.0f} ms"), ("overtaken", str(self.dropped))]),
            ("runs on", self.provider or "–"),
            ("model", self.model or "–"),
            ("X factor", tr(self.factor) if self.factor else "–"),
        ]
        if self.in_parts is not None:
            rows.append(("joints", tr("{count} in parts").format(count=f"{self.in_parts:.0%}")))
        return [*rows, ("picture", f"{self.picture[0]} × {self.picture[1]}")]


def draw(painter: QPainter, area: QRectF, vitals: LiveMetrics) -> None:
    """Paint the numbers into the upper left corner of `area`."""
    font = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)
    font.setPixelSize(12)
    font.setStyleHint(QFont.StyleHint.Monospace)
    painter.setFont(font)
    metrics = QFontMetricsF(font)
    rows = [(tr(name), value) for name, value in vitals.rows()]
    line = metrics.height() + 3
    first = max(metrics.horizontalAdvance(name) for name, _ in rows) + 14
    width = first + max(metrics.horizontalAdvance(value) for _, value in rows) + 2 * MARGIN
    box = QRectF(area.left() + MARGIN, area.top() + MARGIN, width, line * len(rows) + MARGIN)
    painter.setPen(QColor(0, 0, 0, 0))
    painter.setBrush(PAPER)
    painter.drawRoundedRect(box, 6, 6)
    for row, (name, value) in enumerate(rows):
        y = box.top() + MARGIN / 2 + line * row + metrics.ascent() + 1
        painter.setPen(QColor(170, 176, 182))
        painter.drawText(QPointF(box.left() + MARGIN, y), name)
        painter.setPen(INK)
        painter.drawText(QPointF(box.left() + MARGIN + first, y), value)


def confidence_scale(painter: QPainter, area: QRectF, rgb: NDArray[np.uint8]) -> None:
    """Paint the colours of confidence from 0 to 100 % into the lower left corner of `area`."""
    left, top = area.left() + 2 * MARGIN, area.bottom() - 3 * MARGIN
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(PAPER)
    painter.drawRoundedRect(QRectF(left - MARGIN, top - 5, SCALE_PX + 2 * MARGIN, 34), 6, 6)
    for x in range(SCALE_PX):
        painter.fillRect(QRectF(left + x, top, 1, 8), QColor(*map(int, rgb[x * 255 // SCALE_PX])))
    painter.setPen(INK)
    words = QRectF(left, top + 8, SCALE_PX, 18)
    for text, side in (("unsure", Qt.AlignmentFlag.AlignLeft), ("sure", Qt.AlignmentFlag.AlignRight)):
        painter.drawText(words, side | Qt.AlignmentFlag.AlignVCenter, tr(text))


def zoom_map(painter: QPainter, area: QRectF, picture: QRectF) -> None:
    """Show in the lower right corner which part of a zoomed picture is seen; nothing where all of it is."""
    seen = picture.intersected(area)
    zoom = max(picture.width() / area.width(), picture.height() / area.height())
    if zoom < ZOOMED:
        return
    scale = MAP_PX / max(picture.width(), picture.height())
    corner = area.bottomRight() - QPointF(MARGIN + picture.width() * scale, MARGIN + picture.height() * scale)
    box = QRectF(corner, picture.size() * scale)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(PAPER)
    painter.drawRect(box)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(INK, 1.5))
    painter.drawRect(QRectF(corner + (seen.topLeft() - picture.topLeft()) * scale, seen.size() * scale))
    painter.drawText(box, Qt.AlignmentFlag.AlignCenter, f"{round(100 * zoom)} %")


def split_line(painter: QPainter, area: QRectF, x: float) -> None:
    """Draw the line between before and after, with its handle, over the seen part of the picture."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    for ink, width in ((QColor(0, 0, 0, 110), 4), (QColor(255, 255, 255), 2)):
        painter.setPen(QPen(ink, width))
        painter.drawLine(QPointF(x, area.top()), QPointF(x, area.bottom()))
    middle = QPointF(x, area.center().y())
    painter.setBrush(QColor(255, 255, 255))
    painter.setPen(QPen(QColor(0, 0, 0, 110), 1))
    painter.drawEllipse(middle, 13, 13)
    painter.setPen(QPen(QColor(40, 42, 45), 2, cap=Qt.PenCapStyle.RoundCap))
    for sign in (-1, 1):
        tip = middle + QPointF(7 * sign, 0)
        painter.drawLine(tip, middle + QPointF(3 * sign, -4))
        painter.drawLine(tip, middle + QPointF(3 * sign, 4))


def with_share(caption: str, in_parts: float | None, remark: str = "") -> str:
    """A caption with the share of joints in their parts, where any were judged, and a remark."""
    words = tr("joints in their parts {percent} %")
    share = words.format(percent=round(in_parts * 100)) if in_parts is not None else ""
    return ", ".join(w for w in (tr(caption), share, tr(remark)) if w)


def captions(painter: QPainter, area: QRectF, line_x: float, texts: tuple[str, str]) -> None:
    """Name the two sides of a comparison, at the lower edge left and right of the split line."""
    font = QFont(painter.font())
    font.setPixelSize(13)
    painter.setFont(font)
    metrics = QFontMetricsF(font)
    for text, toward in zip(texts, (-1, 1), strict=True):
        room = (area.right() - line_x if toward > 0 else line_x - area.left()) - 4 * MARGIN
        if room < LEAST_CAPTION:
            continue
        short = metrics.elidedText(text, Qt.TextElideMode.ElideRight, room)
        width, height = metrics.horizontalAdvance(short) + 2 * MARGIN, metrics.height() + 8
        left = line_x + (MARGIN if toward > 0 else -MARGIN - width)
        box = QRectF(left, area.bottom() - height - MARGIN, width, height)
        painter.setPen(QColor(0, 0, 0, 0))
        painter.setBrush(PAPER)
        painter.drawRoundedRect(box, 6, 6)
        painter.setPen(INK)
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, short)
