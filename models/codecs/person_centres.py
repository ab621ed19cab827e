"""Persons by their centres: every joint points to its person's, and joints that point to one place are one's.

Nie, Feng, Xing, Yan: Pose Partition Networks for Multi-Person Pose Estimation, ECCV 2018 (methods §6.6).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from models.codecs.affinity_fields import found_person, peaks_of_many
from models.codecs.codec import FloatMap, PictureContext, Placement
from models.codecs.personlab import AnnotatedPerson
from models.codecs.vector_fields import BilinearSampler
from models.labels import JointSet
from models.outputs import CentreOffsets, Heatmaps
from models.results import Result

RADIUS_PX = 21.24  # of the disk round a joint that points to the centre: a Gaussian of σ = 7 px down to .01
#: joints in the order in which they join a person; of the first that a cluster has, each is another person's
ORDER = ("neck", "head_top", "nose", "eye", "ear", "shoulder", "hip", "elbow", "knee", "wrist", "ankle")
FOUNDERS = ("neck", "head_top", "nose")  # nobody's ones of these are persons of their own
Places = NDArray[np.complex128]


@dataclass(frozen=True, kw_only=True)
class CentreGrouping:
    """Thresholds of the decoder; left out, the release's.

    Attributes:
        peak: height from which a maximum of a heat map is a candidate.
        cut_px: between centres of two persons, network px.
        fewest: joints of a person.
        keep: the most people of a picture.
    """

    peak: float = 0.1
    cut_px: float = 120.0
    fewest: int = 4
    keep: int = 40


@dataclass(frozen=True)
class PersonCentresCodec:
    """Everybody in a picture, the surest first."""

    grouping: CentreGrouping = CentreGrouping()

    needs: ClassVar[tuple[str, ...]] = (Heatmaps.type,)

    def encode(
        self, output: CentreOffsets, people: Sequence[AnnotatedPerson], placement: Placement
    ) -> tuple[FloatMap, FloatMap]:
        """Vectors (2·joints, rows, columns), network px, and (joints, rows, columns) 1 where they are taught.

        Near joints of two persons the later one's centre counts, as in the release.
        """
        columns, rows = placement.cells
        grid = np.arange(columns) + 1j * np.arange(rows)[:, None]
        vectors = np.zeros((len(output.joint_set.names), rows, columns), np.complex128)
        taught = np.zeros(vectors.shape, np.float32)
        for person in people:
            if not person.labelled.any():
                continue
            cells = _complex(placement.to_cells(person.points))
            centre = _complex(placement.to_cells(centre_of(output.joint_set, person)))
            for k in np.flatnonzero(person.labelled):
                near = np.abs(grid - cells[k]) * output.stride <= RADIUS_PX
                vectors[k][near] = (centre - grid[near]) * output.stride
                taught[k][near] = 1
        maps = np.stack((vectors.real, vectors.imag), axis=1).reshape(-1, rows, columns)
        return maps.astype(np.float32), taught

    def decode(self, output: CentreOffsets, maps: Mapping[str, FloatMap], context: PictureContext) -> Result:
        """The people; nobody is an empty result. Joints that were not found have score 0."""
        joint_set, grouping = output.joint_set, self.grouping
        heat = np.nan_to_num(maps[Heatmaps.type][: len(joint_set.names)]).clip(0, 1)
        found = peaks_of_many(heat, grouping.peak)
        sampler = BilinearSampler.of(np.nan_to_num(maps[output.name]).clip(-1e4, 1e4))
        at = sampler.clamped(found.places.real, found.places.imag)
        across, down = (sampler(2 * found.joints + axis, *at) for axis in (0, 1))
        cells = found.places.astype(np.complex128)
        centres = cells * output.stride + across + 1j * down
        groups = persons_of(joint_set, found.joints, centres, grouping.cut_px)
        people = []
        for group in groups:
            if len(group) < grouping.fewest:
                continue
            points = np.zeros((len(joint_set.names), 2), np.float32)
            scores = np.zeros(len(points), np.float32)
            places = np.stack((cells[group].real, cells[group].imag), axis=1)
            points[found.joints[group]] = context.placement.to_picture(places)
            scores[found.joints[group]] = found.heights[group]
            people.append(found_person(joint_set, points, scores, float(scores.mean())))
        people.sort(key=lambda p: -p.score)
        return Result(people=tuple(people[: grouping.keep]))


def centre_of(joints: JointSet, person: AnnotatedPerson) -> NDArray[np.float64]:
    """The pelvis (2,) where it is annotated, else the mean of the joints that are."""
    if "pelvis" in joints.names and person.labelled[joints.id("pelvis")]:
        return np.asarray(person.points[joints.id("pelvis")], np.float64)
    return np.asarray(person.points[person.labelled].mean(axis=0, dtype=np.float64))


def persons_of(
    joint_set: JointSet, joints: NDArray[np.intp], centres: Places, cut_px: float
) -> list[NDArray[np.intp]]:
    """Candidates of each person by their indices: at most one of each joint.

    Args:
        joint_set: the joints.
        joints: (n,) of the candidates.
        centres: (n,) that they point to, x + i·y, px.
        cut_px: clusters further apart than that are not merged.
    """
    people = []
    for cluster in clusters_of(centres, cut_px):
        if len(set(joints[cluster].tolist())) == len(cluster):
            people.append(cluster)
        else:
            people += _shared_out(joint_set, joints, centres, cluster)
    return people


def clusters_of(points: Places, cut: float) -> list[NDArray[np.intp]]:
    """Clustering with centroid linkage: the nearest two are merged until none are within `cut`."""
    if not len(points):
        return []
    members: list[list[int]] = [[i] for i in range(len(points))]
    centroids = points.astype(np.complex128)
    apart = np.abs(centroids[:, None] - centroids)
    np.fill_diagonal(apart, np.inf)
    nearest, least = apart.argmin(axis=1), apart.min(axis=1)
    while least.min() <= cut:
        a = int(least.argmin())
        b = int(nearest[a])
        members[a] += members[b]
        members[b] = []
        centroids[a] = points[members[a]].mean()
        apart[b] = apart[:, b] = np.inf
        apart[a] = apart[:, a] = np.where(np.isinf(apart[a]), np.inf, np.abs(centroids - centroids[a]))
        nearer = apart[a] < least
        nearest[nearer], least[nearer] = a, apart[a, nearer]
        stale = np.flatnonzero(np.isin(nearest, (a, b)) & ~nearer)
        stale = np.union1d(stale, (a, b))
        nearest[stale] = apart[stale].argmin(axis=1)
        least[stale] = apart[stale].min(axis=1)
    return [np.array(sorted(m), np.intp) for m in members if m]


def _shared_out(
    joint_set: JointSet, joints: NDArray[np.intp], centres: Places, cluster: NDArray[np.intp]
) -> list[NDArray[np.intp]]:
    """Persons of a cluster with several candidates of a joint, each joined by the nearest of every joint."""
    people: list[list[int]] = []
    for kind in _in_order(joint_set):
        candidates = cluster[joints[cluster] == kind]
        if not people:
            people = [[int(c)] for c in candidates]
            continue
        means = np.array([centres[p].mean() for p in people])
        apart = np.abs(centres[candidates][:, None] - means)
        free = np.ones(len(candidates), bool)
        for _ in range(min(apart.shape)):
            c, p = divmod(int(apart.argmin()), len(means))
            people[p].append(int(candidates[c]))
            apart[c], apart[:, p], free[c] = np.inf, np.inf, False
        if joint_set.names[kind] in FOUNDERS:
            people += [[int(c)] for c in candidates[free]]
    return [np.array(p, np.intp) for p in people]


def _in_order(joint_set: JointSet) -> list[int]:
    """Joints of a set by `ORDER`, right ones before left ones; those that are not in it last."""

    def rank(i: int) -> tuple[int, bool]:
        name = joint_set.names[i]
        plain = name.removeprefix("r_").removeprefix("l_")
        return ORDER.index(plain) if plain in ORDER else len(ORDER), name.startswith("l_")

    return sorted(range(len(joint_set.names)), key=rank)


def _complex(points: NDArray[np.float64]) -> Places:
    return np.asarray(points[..., 0] + 1j * points[..., 1], np.complex128)
