"""Skeleton: the joints of a pose that were found, and their bones, as they are painted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PyQt6.QtCore import QLineF, QPointF, QRectF, Qt
from PyQt6.QtGui import QColor, QPainter, QPen, QTransform

from models.results import Pose
from runtime.output.instances import FAINT, POSSIBLE, SURE, Colour

WARM, COOL, MIDDLE = QColor(255, 170, 64), QColor(84, 176, 255), QColor(240, 240, 240)
RIM = QColor(0, 0, 0, 150)
MARK, MARK_RIM = QColor(255, 255, 255), QColor(0, 0, 0)
MARK_OF_BONE = 2.2  # half a side of the square around a joint outside its part, in widths of a bone
BONE_OF_BOX = 1 / 70  # widest bone, of the height of a person's box


@dataclass(frozen=True)
class DrawnSkeleton:
    """Joints that were found, in displayed pixels."""

    joints: dict[str, tuple[float, float]]
    pairs: tuple[tuple[str, str], ...]  #: all bones there could be
    colour: Colour | None = None  #: None: by the side of the body
    faint: frozenset[str] = frozenset()  #: joints of which the network is not sure
    outside: frozenset[str] = frozenset()  #: joints that lie outside their part
    height: float = 0.0  #: of the person, px; 0 where bones are as wide as the picture asks

    def side(self, joint: str) -> str:
        """`r`, `l`, or empty for the middle of the body."""
        return joint[0] if joint[:2] in {"r_", "l_"} else ""

    def bone_side(self, a: str, b: str) -> str:
        """The side of a bone: that of its joints; empty when it joins both sides, as the pelvis does."""
        sides = {self.side(a), self.side(b)} - {""}
        return sides.pop() if len(sides) == 1 else ""

    @property
    def bones(self) -> list[tuple[str, str]]:
        """Pairs of joints of which both were found."""
        return [(a, b) for a, b in self.pairs if a in self.joints and b in self.joints]

    def paint(self, painter: QPainter, to_area: QTransform, size: tuple[int, int]) -> None:
        """Draw by a transform from the picture, which has this size."""
        scale = to_area.m22()
        width = max(2.0, scale * size[1] / 180)
        if self.height:
            width = max(1.2, min(width, self.height * scale * BONE_OF_BOX))
        at = {name: to_area.map(QPointF(*point)) for name, point in self.joints.items()}
        lines: dict[tuple[str, bool], list[QLineF]] = {}  # one call for all of a colour: a third of the time
        for a, b in self.bones:
            ink = self.bone_side(a, b), not self.faint.isdisjoint((a, b))
            lines.setdefault(ink, []).append(QLineF(at[a], at[b]))
        for shade, pen in ((True, width * 1.9), (False, width)):  # a dark rim keeps bones visible anywhere
            for (side, faint), bones in lines.items():
                if not (shade and faint):
                    colour = RIM if shade else self._ink(side, faint=faint)
                    painter.setPen(QPen(colour, pen, cap=Qt.PenCapStyle.FlatCap))
                    painter.drawLines(*bones)
        painter.setPen(QPen(RIM, width * 0.5))
        for name, point in at.items():
            if name not in self.faint:
                painter.setBrush(self._ink(self.side(name)))
                painter.drawEllipse(point, width * 1.05, width * 1.05)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        edge = max(2.0, width)
        reach = QPointF(edge, edge) * MARK_OF_BONE
        for colour, pen in ((MARK_RIM, edge), (MARK, edge * 0.5)):  # a form, for colours are not all seen
            painter.setPen(QPen(colour, pen, join=Qt.PenJoinStyle.MiterJoin))
            for name in self.outside:
                painter.drawRect(QRectF(at[name] - reach, at[name] + reach))

    def _ink(self, side: str, *, faint: bool = False) -> QColor:
        ink = QColor(
            {"r": WARM, "l": COOL, "": MIDDLE}[side] if self.colour is None else QColor(*self.colour)
        )
        ink.setAlphaF(FAINT if faint else 1.0)
        return ink


def posed(
    pose: Pose,
    colour: Colour | None = None,
    height: float = 0.0,
    outside: NDArray[np.bool_] | None = None,
) -> DrawnSkeleton:
    """The joints of a pose that were found; in a person's colour those that are not sure are faint.

    Args:
        pose: of one person.
        colour: of the person; None: by the side of the body.
        height: of the person, px; 0 where bones are as wide as the picture asks.
        outside: (joints,) those that lie outside their part.
    """
    names = pose.joint_set.names
    least = 0.0 if colour is None else POSSIBLE
    rows = list(zip(names, pose.points.tolist(), pose.scores.tolist(), strict=True))
    joints = {name: (x + 0.5, y + 0.5) for name, (x, y), score in rows if score > least}  # a pixel's middle
    faint = frozenset(name for name, _, score in rows if score < SURE) if colour is not None else frozenset()
    pairs = tuple((names[a], names[b]) for a, b in pose.joint_set.bones)
    marked = zip(names, outside, strict=True) if outside is not None else ()
    apart = frozenset(name for name, on in marked if on and name in joints)
    return DrawnSkeleton(joints, pairs, colour, faint, apart, height)
