"""Joints from the centroids of parts, and how far they lie from the true ones (methods §1.8)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from models.centroids import part_centroids
from models.labels import COCO17, S31
from models.results import Parsing

Points = NDArray[np.float64]
Map = NDArray[np.float32]

LEAST_SEEN_PX = 4  # of its parts in the true labels; fewer, and the joint is hidden


@dataclass(frozen=True)
class Joint:
    """A joint: the centroid of `parts` stands for the mean of `keypoints`."""

    group: str
    parts: tuple[int, ...]  #: S31 ids
    keypoints: tuple[int, ...]  #: COCO joints


def _joint(group: str, parts: Sequence[str], keypoints: Sequence[str]) -> Joint:
    places = tuple(COCO17.names.index(k) for k in keypoints)
    return Joint(group, tuple(S31.id(p) for p in parts), places)


#: The paper's seven. A head's centre is the middle between its ears.
JOINTS = (
    _joint("head", ("luhead", "ruhead", "llhead", "rlhead"), ("l_ear", "r_ear")),
    *(
        _joint(f"{kind}s", (side + kind,), (f"{side}_{kind}",))
        for kind in ("wrist", "elbow", "shoulder")
        for side in ("r", "l")
    ),
)
GROUPS = ("head", "wrists", "elbows", "shoulders")


def centroids(labels: NDArray[np.uint8], size: tuple[int, int]) -> Points:
    """Mean place of each joint's parts, (7, 2) in pixels of a picture of `size`; NaN where there are none.

    Args:
        labels: (h, w) S31 ids that cover the picture exactly.
        size: (width, height) of the picture.
    """
    view = labels.view()  # a parsing takes away the right to write
    found = part_centroids(Parsing(S31, size, view, view, view))
    out = np.full((len(JOINTS), 2), np.nan)
    for i, joint in enumerate(JOINTS):
        parts = [p for p in joint.parts if found.areas[p]]
        if parts:
            out[i] = np.average(found.points[parts], axis=0, weights=found.areas[parts])
    return out


def expected(parts: Map, person: Map, size: tuple[int, int]) -> Points:
    """Probability-weighted centroids of each joint's parts within the silhouette, (7, 2).

    Stands in for a part that no cell shows. Without a silhouette the whole picture counts.

    Args:
        parts: (32, h, w) probabilities that cover the picture exactly.
        person: (h, w) P(person).
        size: (width, height) of the picture.
    """
    within = person >= 0.5
    weights = parts * (within if within.any() else np.ones_like(within))
    rows, columns = np.indices(person.shape)
    out = np.empty((len(JOINTS), 2))
    for i, joint in enumerate(JOINTS):
        weight = np.maximum(weights[list(joint.parts)].sum(0), 1e-12)
        out[i] = (weight * columns).sum() / weight.sum(), (weight * rows).sum() / weight.sum()
    return _in_picture(out, person.shape, size)


def true_joints(keypoints: Map, labels: NDArray[np.uint8]) -> Points:
    """Places of the joints that a picture shows, (7, 2); NaN for the others.

    Args:
        keypoints: (17, 3) COCO joints: column, row, and 0 where it lies outside the picture.
        labels: (h, w) true parts: a joint none of whose parts is seen is left out.
    """
    out = np.full((len(JOINTS), 2), np.nan)
    for i, joint in enumerate(JOINTS):
        mine = keypoints[list(joint.keypoints)]
        if (mine[:, 2] > 0).all() and np.isin(labels, joint.parts).sum() >= LEAST_SEEN_PX:
            out[i] = mine[:, :2].mean(0)
    return out


@dataclass
class Distances:
    """Pixel errors of a clip."""

    found: dict[str, list[float]] = field(default_factory=lambda: {g: [] for g in GROUPS})
    missed: int = 0  #: joints for which no cell showed the part

    def add(self, predicted: Points, stand_in: Points, truth: Points) -> None:
        """Count one frame; `stand_in` serves where `predicted` is NaN. All (7, 2)."""
        for joint, at, instead, there in zip(JOINTS, predicted, stand_in, truth, strict=True):
            if np.isnan(there[0]):
                continue
            self.missed += int(np.isnan(at[0]))
            place = instead if np.isnan(at[0]) else at
            self.found[joint.group].append(float(np.hypot(*(place - there))))

    @property
    def count(self) -> int:
        """Joints scored."""
        return sum(map(len, self.found.values()))

    def mean(self, group: str) -> float:
        """Mean distance of a group, px; NaN when none was seen."""
        return float(np.mean(self.found[group])) if self.found[group] else float("nan")

    @property
    def overall(self) -> float:
        """Mean of the groups: the head counts as much as both wrists."""
        return float(np.nanmean([self.mean(g) for g in GROUPS]))


def _in_picture(cells: Points, grid: tuple[int, ...], size: tuple[int, int]) -> Points:
    """Centres of cells in pixels of the picture; pixel centres lie at integers."""
    scale = np.asarray((size[0] / grid[1], size[1] / grid[0]))
    return np.asarray((cells + 0.5) * scale - 0.5, np.float64)
