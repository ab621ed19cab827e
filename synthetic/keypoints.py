"""Which joints a picture shows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.labels import COCO17, S31
from synthetic.bodies import FloatArray

_HEAD = ("luhead", "ruhead", "llhead", "rlhead")
# The parts on which a joint counts as seen ({s} is its side), and how deep it may lie under the surface, in
# metres.
_SEEN: dict[str, tuple[tuple[str, ...], float]] = {
    "nose": (_HEAD, 0.04),
    "eye": (_HEAD, 0.04),
    "ear": (_HEAD, 0.05),
    "shoulder": (("{s}shoulder", "{s}uarm", "{s}ubody"), 0.16),
    "elbow": (("{s}elbow", "{s}uarm", "{s}larm"), 0.11),
    "wrist": (("{s}wrist", "{s}larm", "{s}hand"), 0.09),
    "hip": (("{s}lbody", "{s}uleg"), 0.22),
    "knee": (("{s}knee", "{s}uleg", "{s}lleg"), 0.15),
    "ankle": (("{s}ankle", "{s}lleg", "{s}foot"), 0.13),
}


def _allowed() -> tuple[NDArray[np.bool_], FloatArray]:
    """(17, 32) whether a part may show the joint, (17,) depth in metres."""
    parts = np.zeros((len(COCO17.names), S31.classes), bool)
    depth = np.zeros(len(COCO17.names), np.float32)
    for j, name in enumerate(COCO17.names):
        side, _, kind = name.rpartition("_")
        names, depth[j] = _SEEN[kind]
        for part in names:
            parts[j, S31.id(part.format(s=side))] = True
    return parts, depth


_PARTS, _DEPTH_M = _allowed()


def visible_keypoints(
    joints: list[FloatArray], labels: NDArray[np.uint8], instances: NDArray[np.uint8], nearness: FloatArray
) -> FloatArray:
    """Joints with visibility, (people, 17, 3).

    Args:
        joints: per person (17, 3) columns, rows, depths in metres.
        labels: (H, W) part ids.
        instances: (H, W) person from 1.
        nearness: 1/depth on a grid that is a multiple of (H, W), 0 where nothing is.
    """
    height, width = labels.shape
    step = nearness.shape[0] // height
    out = np.zeros((len(joints), len(COCO17.names), 3), np.float32)
    for i, points in enumerate(joints):
        x, y = np.rint(points[:, 0]).astype(int), np.rint(points[:, 1]).astype(int)
        inside = (x >= 0) & (y >= 0) & (x < width) & (y < height) & (points[:, 2] > 0.05)
        x, y = np.clip(x, 0, width - 1), np.clip(y, 0, height - 1)
        surface = 1 / np.maximum(nearness[y * step, x * step], 1e-6)
        seen = (instances[y, x] == i + 1) & _PARTS[np.arange(len(x)), labels[y, x]]
        seen &= surface > points[:, 2] - _DEPTH_M
        out[i, :, :2] = points[:, :2] * inside[:, None]
        out[i, :, 2] = inside * (1 + seen)
    return out
