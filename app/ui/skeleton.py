"""Skeleton: the joints of a pose that were found, and their bones."""

from __future__ import annotations

from dataclasses import dataclass

from models.results import Pose


@dataclass(frozen=True)
class DrawnSkeleton:
    """Joints that were found, in displayed pixels."""

    joints: dict[str, tuple[float, float]]
    pairs: tuple[tuple[str, str], ...]  #: all bones there could be

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


def posed(pose: Pose) -> DrawnSkeleton:
    """The joints of a pose that were found."""
    names = pose.joint_set.names
    rows = zip(names, pose.points.tolist(), pose.scores.tolist(), strict=True)
    joints = {name: (x + 0.5, y + 0.5) for name, (x, y), score in rows if score > 0}  # of a pixel, its middle
    return DrawnSkeleton(joints, tuple((names[a], names[b]) for a, b in pose.joint_set.bones))
