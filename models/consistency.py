"""Consistency of joints and body parts of one picture: a joint lies in its part, or it is marked.

The parts of a joint are those of the 31 that meet there; of a coarser set, those that they are merged into.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from models.labels import S31, JointSet, PartSet, from_s31, merges_s31
from models.results import Parsing, Pose

REACH_CELLS = 3.0  # of the parsing, from a joint to its part: both are that inexact
LEAST_SCORE = 0.2  # of a joint that is judged

_HEAD = ("uhead", "lhead")
_ENDS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("nose", "eye", "ear", "head_top"), _HEAD),
    "neck": ("neck", "lhead", "ubody", "shoulder"),
    "thorax": ("neck", "ubody", "shoulder"),
    "pelvis": ("lbody", "uleg"),
    "shoulder": ("shoulder", "uarm", "ubody"),
    "elbow": ("uarm", "elbow", "larm"),
    "wrist": ("larm", "wrist", "hand"),
    "hip": ("lbody", "uleg"),
    "knee": ("uleg", "knee", "lleg"),
    "ankle": ("lleg", "ankle", "foot"),
}


@dataclass(frozen=True, eq=False)
class Consistency:
    """Joints of the people of a picture beside its parts."""

    judged: NDArray[np.bool_]  #: (people, joints) sure enough, in the picture, and of a part of the set
    outside: NDArray[np.bool_]  #: (people, joints) judged, and none of their parts is near

    @property
    def share(self) -> float | None:
        """Share of the judged joints that lie in their parts, 0..1; None where none was judged."""
        count = int(self.judged.sum())
        return 1 - int(self.outside.sum()) / count if count else None


@cache
def parts_at(joint_set: JointSet, part_set: PartSet) -> NDArray[np.bool_]:
    """(joints, 256) label ids of the parts that meet at each joint; none for a set that is no merge of S31.

    A joint of one side has parts of that side, where the set tells sides apart; the head's halves count both,
    for they meet between the eyes.
    """
    table = np.zeros((len(joint_set.names), 256), np.bool_)
    if not merges_s31(part_set):
        return table
    merged = from_s31(part_set)
    for row, name in zip(table, joint_set.names, strict=True):
        sided = name[:2] in {"r_", "l_"}
        ends = _ENDS.get(name[2:] if sided else name, ())
        sides = name[0] if sided and ends is not _HEAD else "rl"
        ids = [S31.id(n) for end in ends for n in (end, *(s + end for s in sides)) if n in S31.names]
        row[merged[ids]] = True
    table.flags.writeable = False
    return table


def consistency(parsing: Parsing, poses: Sequence[Pose], reach: float = REACH_CELLS) -> Consistency:
    """Compare joints with the parts of the same picture.

    Args:
        parsing: the body parts.
        poses: of one joint set.
        reach: cells of the parsing between a joint and the nearest of its parts, at most.
    """
    if not poses:
        return Consistency(*np.zeros((2, 0, 0), np.bool_))
    allowed = parts_at(poses[0].joint_set, parsing.part_set)
    rows, columns = parsing.labels.shape
    points = np.stack([p.points for p in poses]) + np.float32(0.5)  # a pixel's middle
    cells = np.floor(points * (np.array((columns, rows)) / parsing.size)).astype(np.intp)
    here = ((cells >= 0) & (cells < (columns, rows))).all(axis=-1)
    judged = here & (np.stack([p.scores for p in poses]) >= LEAST_SCORE) & allowed.any(axis=1)
    n, joints = np.nonzero(judged)
    near = cells[n, joints][:, None] + _disc(reach)
    seen = ((near >= 0) & (near < (columns, rows))).all(axis=-1)
    labels = parsing.labels[near[..., 1].clip(0, rows - 1), near[..., 0].clip(0, columns - 1)]
    outside = np.zeros_like(judged)
    outside[n, joints] = ~(allowed[joints[:, None], labels] & seen).any(axis=1)
    return Consistency(judged, outside)


@cache
def _disc(radius: float) -> NDArray[np.intp]:
    """(n, 2) x, y of the cells within a radius of the middle one."""
    side = np.arange(-int(radius), int(radius) + 1)
    offsets = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
    return np.asarray(offsets[(offsets**2).sum(axis=1) <= radius**2], np.intp)
