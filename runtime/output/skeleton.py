"""Skeleton: the joints of a pose that were found, and their bones, as they are painted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from models.results import Pose
from runtime.output.instances import AA, FAINT, POSSIBLE, SHIFT, SURE, Colour, Picture

SIDES: dict[str, Colour] = {"r": (255, 170, 64), "l": (84, 176, 255), "": (240, 240, 240)}
BLACK, WHITE = (0, 0, 0), (255, 255, 255)
EDGE = 0.5  # px that a smooth edge of OpenCV reaches out
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

    def width(self, height: float, scale: float = 1.0) -> float:
        """The width of a bone in a picture of a height that is drawn at a scale, px."""
        wide = max(2.0, scale * height / 180)
        return max(1.2, min(wide, self.height * scale * BONE_OF_BOX)) if self.height else wide

    def ink(self, side: str) -> Colour:
        """RGB of a side of the body, or of the person."""
        return SIDES[side] if self.colour is None else self.colour


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


def draw_skeletons(out: Picture, skeletons: Sequence[DrawnSkeleton]) -> None:
    """Bones with a dark rim, and joints, drawn into a picture (h, w, 3); what is not sure is faint."""
    if not skeletons:
        return
    under = out.copy()
    for solid, picture in ((False, under), (True, out)):
        if solid:
            cv2.addWeighted(under, FAINT, out, 1 - FAINT, 0, dst=out)
        for bones in skeletons:
            _draw(picture, bones, bones.width(out.shape[0]), solid=solid)
    for bones in skeletons:
        edge = max(2.0, bones.width(out.shape[0]))
        reach = edge * MARK_OF_BONE
        for colour, pen in ((BLACK, edge), (WHITE, edge * 0.5)):  # a form, for colours are not all seen
            for x, y in (bones.joints[name] for name in bones.outside):
                low, high = (_fixed(x + by * reach, y + by * reach) for by in (-1, 1))
                cv2.rectangle(out, low, high, colour, max(1, round(pen)), cv2.LINE_8, SHIFT)


def _draw(picture: Picture, bones: DrawnSkeleton, width: float, *, solid: bool) -> None:
    """Solid bones and joints; or what shines through: rims, and bones of which the network is not sure."""
    for a, b in bones.bones:
        faint = not bones.faint.isdisjoint((a, b))
        ink, thick = bones.ink(bones.bone_side(a, b)), width
        if not solid and not faint:
            ink, thick = BLACK, width * 1.9
        if solid != faint:
            corners = _stroke(np.array([bones.joints[a], bones.joints[b]]), thick)
            cv2.fillConvexPoly(picture, corners, ink, AA, SHIFT)
    for name, (x, y) in bones.joints.items():
        if name not in bones.faint:
            ink, radius = (bones.ink(bones.side(name)), 0.8) if solid else (BLACK, 1.3)
            reach = round(max(0.0, width * radius - EDGE) * (1 << SHIFT))
            cv2.circle(picture, _fixed(x, y), reach, ink, cv2.FILLED, AA, SHIFT)


def _stroke(ends: NDArray[np.float64], width: float) -> NDArray[np.int32]:
    """Corners (4, 2) of a line of a width: a smooth line of OpenCV is a pixel too wide."""
    along = ends[1] - ends[0]
    across = np.array((-along[1], along[0])) * (max(0.1, width / 2 - EDGE) / max(1e-6, np.hypot(*along)))
    corners = [ends[0] + across, ends[1] + across, ends[1] - across, ends[0] - across]
    return np.array([_fixed(x, y) for x, y in corners], np.int32)


def _fixed(x: float, y: float) -> tuple[int, int]:
    """A point whose pixels have their middle at .5, for OpenCV, which has it at 0."""
    return round((x - 0.5) * (1 << SHIFT)), round((y - 0.5) * (1 << SHIFT))
