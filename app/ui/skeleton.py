"""Skeleton: joints of a pose, or centroids of parts where a model gives no joints, and their bones."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from models.results import Parsing, Pose

SMALLEST = 2e-4  # of the picture: fewer cells of a part are taken for noise

# A joint lies at the centroid of one part, or halfway between two that meet there.
_JOINTS: dict[str, tuple[str, ...]] = {
    "head": ("luhead", "ruhead"),
    "neck": ("neck",),
    **{
        f"{s}{joint}": tuple(s + p for p in of)
        for s in "rl"
        for joint, of in {
            "shoulder": ("shoulder",),
            "elbow": ("elbow",),
            "wrist": ("wrist",),
            "hand": ("hand",),
            "hip": ("lbody", "uleg"),
            "knee": ("knee",),
            "ankle": ("ankle",),
            "foot": ("foot",),
        }.items()
    },
}
_CHAINS = (("shoulder", "elbow", "wrist", "hand"), ("hip", "knee", "ankle", "foot"), ("shoulder", "hip"))
BONES: tuple[tuple[str, str], ...] = (
    ("head", "neck"),
    *((f"{s}{a}", f"{s}{b}") for s in "rl" for chain in _CHAINS for a, b in pairwise(chain)),
    *(("neck", f"{s}shoulder") for s in "rl"),
    ("rhip", "lhip"),
)


@dataclass(frozen=True)
class Skeleton:
    """Joints that were found, in displayed pixels."""

    joints: dict[str, tuple[float, float]]
    pairs: tuple[tuple[str, str], ...] = BONES  #: all bones there could be

    def side(self, joint: str) -> str:
        """`r`, `l`, or empty for the middle of the body."""
        if joint[:2] in {"r_", "l_"}:
            return joint[0]
        return joint[0] if joint[:1] in "rl" and joint[1:] in {n for c in _CHAINS for n in c} else ""

    def bone_side(self, a: str, b: str) -> str:
        """The side of a bone: that of its joints; empty when it joins both sides, as the pelvis does."""
        sides = {self.side(a), self.side(b)} - {""}
        return sides.pop() if len(sides) == 1 else ""

    @property
    def bones(self) -> list[tuple[str, str]]:
        """Pairs of joints of which both were found."""
        return [(a, b) for a, b in self.pairs if a in self.joints and b in self.joints]


def posed(pose: Pose) -> Skeleton:
    """The joints of a pose that were found."""
    names = pose.joint_set.names
    rows = zip(names, pose.points.tolist(), pose.scores.tolist(), strict=True)
    joints = {name: (x, y) for name, (x, y), score in rows if score > 0}
    return Skeleton(joints, tuple((names[a], names[b]) for a, b in pose.joint_set.bones))


def skeleton(parsing: Parsing) -> Skeleton:
    """Joints of the person a parsing shows; several people are not told apart."""
    labels = parsing.labels
    height, width = labels.shape
    classes = parsing.part_set.classes
    flat = labels.ravel()
    ys, xs = np.divmod(np.arange(flat.size), width)
    area = np.bincount(flat, minlength=classes).astype(np.float64)
    x = np.bincount(flat, xs, minlength=classes) / np.maximum(area, 1)
    y = np.bincount(flat, ys, minlength=classes) / np.maximum(area, 1)
    scale: NDArray[np.float64] = np.array(parsing.size, np.float64) / (width, height)
    found: dict[str, tuple[float, float]] = {}
    for joint, names in _JOINTS.items():
        ids = [parsing.part_set.id(n) for n in names if n in parsing.part_set.names]
        seen = [i for i in ids if area[i] >= max(2.0, SMALLEST * flat.size)]
        if ids and (len(seen) == len(ids) or (seen and joint == "head")):
            at = (np.array([x[seen].mean(), y[seen].mean()]) + 0.5) * scale
            found[joint] = (float(at[0]), float(at[1]))
    return Skeleton(found)
