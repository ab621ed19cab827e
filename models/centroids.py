"""Centroids of body parts, and joints from them for models that give no joints (methods §1.8)."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from models.labels import JointSet
from models.results import Parsing, Pose

SMALLEST = 2e-4  # of the picture: fewer cells of a part are taken for noise
LEAST_PX = 2.0

#: A joint lies at the centroid of one part, or halfway between two that meet there.
_MEETING = {"shoulder": ("shoulder",), "elbow": ("elbow",), "wrist": ("wrist",), "hand": ("hand",),
            "hip": ("lbody", "uleg"), "knee": ("knee",), "ankle": ("ankle",), "foot": ("foot",)}  # fmt: skip
_JOINTS: dict[str, tuple[str, ...]] = {
    "head": ("luhead", "ruhead"),
    "neck": ("neck",),
    **{f"{s}_{joint}": tuple(s + p for p in parts) for s in "rl" for joint, parts in _MEETING.items()},
}
_NAMES = tuple(_JOINTS)
_CHAINS = (("shoulder", "elbow", "wrist", "hand"), ("hip", "knee", "ankle", "foot"), ("shoulder", "hip"))
_BONES = (
    ("head", "neck"),
    *((f"{s}_{a}", f"{s}_{b}") for s in "rl" for chain in _CHAINS for a, b in pairwise(chain)),
    *(("neck", f"{s}_shoulder") for s in "rl"),
    ("r_hip", "l_hip"),
)
S31_JOINTS = JointSet("S31-18", _NAMES, tuple((_NAMES.index(a), _NAMES.index(b)) for a, b in _BONES))


@dataclass(frozen=True, eq=False)
class PartCentroids:
    """Place and size of each part by label id; the background's are not counted."""

    points: NDArray[np.float64]  #: (classes, 2) x, y in displayed pixels, NaN where there is none of a part
    areas: NDArray[np.int64]  #: (classes,) label pixels
    confidences: NDArray[np.float64]  #: (classes,) means, 0..255, NaN where there is none of a part


def part_centroids(parsing: Parsing) -> PartCentroids:
    """Centroids of the parts of a picture; several people are not told apart."""
    labels, classes = parsing.labels, parsing.part_set.classes
    at = np.flatnonzero(labels)  # most pixels are background
    found = labels.ravel()[at]
    ys, xs = np.divmod(at, labels.shape[1])
    areas = np.bincount(found, minlength=classes)
    values = (xs, ys, parsing.confidence.ravel()[at])
    sums = np.stack([np.bincount(found, v, minlength=classes) for v in values], axis=1)
    means = np.divide(sums, areas[:, None], out=np.full(sums.shape, np.nan), where=areas[:, None] > 0)
    scale = np.array(parsing.size, np.float64) / labels.shape[::-1]
    return PartCentroids((means[:, :2] + 0.5) * scale - 0.5, areas, means[:, 2])


def pose_of_parts(parsing: Parsing) -> Pose:
    """Joints of the person a parsing shows; a joint needs all its parts, the head one."""
    of = part_centroids(parsing)
    least = max(LEAST_PX, SMALLEST * parsing.labels.size)
    points = np.zeros((len(_NAMES), 2), np.float32)
    scores = np.zeros(len(_NAMES), np.float32)
    for i, (joint, names) in enumerate(_JOINTS.items()):
        ids = [parsing.part_set.id(n) for n in names if n in parsing.part_set.names]
        seen = [part for part in ids if of.areas[part] >= least]
        if seen and (len(seen) == len(ids) or joint == "head"):
            points[i], scores[i] = of.points[seen].mean(axis=0), 1
    return Pose(S31_JOINTS, points, scores)
