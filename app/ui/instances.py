"""Instances on the screen: tint, outline, box, skeleton and number of each person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PyQt6.QtCore import QRectF, Qt
from PyQt6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPen, QTransform

from app.ui.skeleton import DrawnSkeleton, posed
from app.ui.style import DisplayStyle
from models.results import Result
from runtime.output.instances import Instance, instances

TAG_PX = (11.0, 20.0)  # height of a number's letters, least and most
TAG_OF_PICTURE = 1 / 46
INK, RIM, CHOSEN = QColor(16, 16, 16), QColor(0, 0, 0, 150), QColor(255, 255, 255)

Size = tuple[int, int]


@dataclass(frozen=True, eq=False)
class DrawnPerson:
    """A person, in displayed pixels."""

    number: int
    colour: QColor
    box: QRectF
    chosen: bool
    boxed: bool
    skeleton: DrawnSkeleton | None = None


def shown_people(result: Result, style: DisplayStyle) -> list[Instance]:
    """The people whom the style does not hide."""
    found = instances(result.people, colour_blind=style.colour_blind)
    return [i for i in found if style.shows_person(i.number)]


def drawn(instance: Instance, style: DisplayStyle, *, whole: bool = True) -> DrawnPerson:
    """Number and box of a person who is chosen; `whole`: in the view of instances, with the skeleton."""
    person, box = instance.person, QRectF(*instance.person.box)
    chosen = style.person == instance.number > 0
    boxed = style.boxes or (chosen and (not whole or person.mask is None))
    bones = posed(person.pose, instance.colour, box.height()) if whole and person.pose is not None else None
    return DrawnPerson(instance.number, QColor(*instance.colour), box, chosen, boxed, bones)


def paint_people(painter: QPainter, to_area: QTransform, size: Size, people: Sequence[DrawnPerson]) -> None:
    """Draw everybody by a transform from the picture, which has this size; the surest come first."""
    height = to_area.m22() * size[1]
    width = min(3.0, max(1.4, height / 400))
    for person in reversed(people):
        painter.setBrush(Qt.BrushStyle.NoBrush)
        rim = QPen(CHOSEN, width * 3) if person.chosen else QPen(RIM, width * 1.9)
        for pen in (rim, QPen(person.colour, width)) if person.boxed else ():
            painter.setPen(pen)
            painter.drawRect(to_area.mapRect(person.box))
        if person.skeleton is not None:
            person.skeleton.paint(painter, to_area, size)
    font = QFont(painter.font())
    font.setPixelSize(round(min(TAG_PX[1], max(TAG_PX[0], height * TAG_OF_PICTURE))))
    font.setBold(True)
    painter.setFont(font)
    picture = to_area.mapRect(QRectF(0, 0, *size))
    for person in (p for p in reversed(people) if p.number):
        _paint_tag(painter, picture, to_area.mapRect(person.box), person)


def _paint_tag(painter: QPainter, picture: QRectF, box: QRectF, person: DrawnPerson) -> None:
    """The number, over the head or as near as the picture allows."""
    metrics, text = QFontMetricsF(painter.font()), str(person.number)
    height = metrics.height() + 1
    width = max(height, metrics.horizontalAdvance(text) + 0.6 * height)
    left = min(max(picture.left(), box.center().x() - width / 2), picture.right() - width)
    top = min(max(picture.top(), box.top() - height - 3), picture.bottom() - height)
    place = QRectF(left, top, width, height)
    painter.setPen(QPen(CHOSEN, 2) if person.chosen else QPen(RIM, 1))
    painter.setBrush(person.colour)
    painter.drawRoundedRect(place, height / 4, height / 4)
    painter.setPen(INK)
    painter.drawText(place, Qt.AlignmentFlag.AlignCenter, text)
