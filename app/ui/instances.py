"""Instances on the screen: box and number of each person, over tints, outlines and skeletons."""

from __future__ import annotations

from collections.abc import Sequence

from PyQt6.QtCore import QRectF, Qt
from PyQt6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPen, QTransform

from app.ui.style import DisplayStyle
from models.results import Result
from runtime.output.instances import Instance, instances

TAG_PX = (11.0, 20.0)  # height of a number's letters, least and most
TAG_OF_PICTURE = 1 / 46
INK, RIM, CHOSEN = QColor(16, 16, 16), QColor(0, 0, 0, 150), QColor(255, 255, 255)


def shown_people(result: Result, style: DisplayStyle) -> list[Instance]:
    """The people whom the style does not hide."""
    found = instances(result.people, colour_blind=style.colour_blind)
    return [i for i in found if style.shows_person(i.number)]


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
