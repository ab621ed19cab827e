"""Figures on the screen: box and number of each person, and bones, over tints and outlines."""

from __future__ import annotations

from collections.abc import Sequence

from PyQt6.QtCore import QLineF, QPointF, QRectF, Qt
from PyQt6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPen, QTransform

from runtime.output.instances import FAINT, Instance
from runtime.output.skeleton import BLACK, MARK_OF_BONE, WHITE, DrawnSkeleton
from runtime.output.style import DisplayStyle

TAG_PX = (11.0, 20.0)  # height of a number's letters, least and most
TAG_OF_PICTURE = 1 / 46
INK, RIM, CHOSEN = QColor(16, 16, 16), QColor(0, 0, 0, 150), QColor(255, 255, 255)


def paint_people(
    painter: QPainter, to_area: QTransform, picture: QRectF, people: Sequence[Instance], style: DisplayStyle
) -> None:
    """Draw numbers and boxes by a transform from the picture; the surest come first, and on top."""
    area = to_area.mapRect(picture)
    font = QFont(painter.font())
    font.setPixelSize(round(min(TAG_PX[1], max(TAG_PX[0], area.height() * TAG_OF_PICTURE))))
    font.setBold(True)
    painter.setFont(font)
    for instance in reversed(people):
        box, chosen = to_area.mapRect(QRectF(*instance.person.box)), style.person == instance.number > 0
        outlined = style.lists_people and instance.person.mask is not None
        painter.setBrush(Qt.BrushStyle.NoBrush)
        if style.boxes or (chosen and not outlined):
            for pen in (QPen(CHOSEN if chosen else RIM, 4), QPen(QColor(*instance.colour), 2)):
                painter.setPen(pen)
                painter.drawRect(box)
        if instance.number:
            _paint_tag(painter, area, box, instance, QPen(CHOSEN, 2) if chosen else QPen(RIM, 1))


def _paint_tag(painter: QPainter, picture: QRectF, box: QRectF, instance: Instance, rim: QPen) -> None:
    """The number, over the head or as near as the picture allows."""
    metrics, text = QFontMetricsF(painter.font()), str(instance.number)
    height = metrics.height() + 1
    width = max(height, metrics.horizontalAdvance(text) + 0.6 * height)
    left = min(max(picture.left(), box.center().x() - width / 2), picture.right() - width)
    top = min(max(picture.top(), box.top() - height - 3), picture.bottom() - height)
    place = QRectF(left, top, width, height)
    painter.setPen(rim)
    painter.setBrush(QColor(*instance.colour))
    painter.drawRoundedRect(place, height / 4, height / 4)
    painter.setPen(INK)
    painter.drawText(place, Qt.AlignmentFlag.AlignCenter, text)


def paint_skeleton(
    bones: DrawnSkeleton, painter: QPainter, to_area: QTransform, size: tuple[int, int]
) -> None:
    """Draw bones and joints by a transform from the picture, which has this size."""
    width = bones.width(size[1], to_area.m22())
    at = {name: to_area.map(QPointF(*point)) for name, point in bones.joints.items()}
    lines: dict[tuple[str, bool], list[QLineF]] = {}  # one call for all of a colour: a third of the time
    for a, b in bones.bones:
        ink = bones.bone_side(a, b), not bones.faint.isdisjoint((a, b))
        lines.setdefault(ink, []).append(QLineF(at[a], at[b]))
    for shade, pen in ((True, width * 1.9), (False, width)):  # a dark rim keeps bones visible anywhere
        for (side, faint), of_ink in lines.items():
            if not (shade and faint):
                colour = QColor(*bones.ink(side), round(255 * (FAINT if faint else 1)))
                painter.setPen(QPen(RIM if shade else colour, pen, cap=Qt.PenCapStyle.FlatCap))
                painter.drawLines(*of_ink)
    painter.setPen(QPen(RIM, width * 0.5))
    for name, point in at.items():
        if name not in bones.faint:
            painter.setBrush(QColor(*bones.ink(bones.side(name))))
            painter.drawEllipse(point, width * 1.05, width * 1.05)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    edge = max(2.0, width)
    reach = QPointF(edge, edge) * MARK_OF_BONE
    for rgb, pen in ((BLACK, edge), (WHITE, edge * 0.5)):  # a form, for colours are not all seen
        painter.setPen(QPen(QColor(*rgb), pen, join=Qt.PenJoinStyle.MiterJoin))
        for name in bones.outside:
            painter.drawRect(QRectF(at[name] - reach, at[name] + reach))
