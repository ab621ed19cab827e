"""Part affinity fields: a unit vector along every limb, and the people that limbs join together.

Cao, Simon, Wei, Sheikh, "Realtime Multi-Person 2D Pose Estimation using Part Affinity Fields", CVPR 2017;
thresholds and drop rules are those of the released code.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray

from models.codecs.codec import FloatMap, PictureContext, Placement
from models.codecs.heatmaps import vertex
from models.codecs.personlab import AnnotatedPerson
from models.codecs.vector_fields import BilinearSampler, Places, complex_places
from models.labels import JointSet
from models.outputs import AffinityFields, Heatmaps
from models.results import PersonResult, Pose, Result

SMOOTHING = 0.375  # standard deviation of the blur before peaks are sought, cells: 3 px at stride 8
SAMPLES = 10  # on the segment between two joints
HALF_WIDTH = 1.0  # of a limb, and how far it reaches beyond its joints, cells
LONGEST = 0.5  # of the grid's height: longer limbs are less likely
MOST_PEAKS = 40  # of a joint; noise has hundreds
SHORTEST = 1e-3  # cells; a shorter limb has no direction


@dataclass(frozen=True, kw_only=True)
class LimbAssembly:
    """Thresholds of the decoder; left out, those of the later ports.

    Attributes:
        peak: height from which a maximum of a heat map is a joint.
        along: of the field's component along a limb, above which a sample supports it.
        support: share of the samples that must support a limb, itself not enough.
        fewest: joints of a person.
        least: of a person's summed scores of joints and limbs for each joint.
        keep: the most people of a picture.
    """

    peak: float = 0.1
    along: float = 0.05
    support: float = 0.8
    fewest: int = 3
    least: float = 0.2
    keep: int = 40


@dataclass(frozen=True)
class JointPeaks:
    """Joints of anybody: which, x and y as complex cells, and heights 0..1; sorted by joint."""

    joints: NDArray[np.intp]
    places: Places
    heights: FloatMap


@dataclass(frozen=True)
class Limbs:
    """Bones between two peaks, by their indices, and scores."""

    bones: NDArray[np.intp]
    starts: NDArray[np.intp]
    ends: NDArray[np.intp]
    scores: FloatMap

    def of(self, chosen: NDArray[np.intp] | NDArray[np.bool_]) -> Limbs:
        """Some of them."""
        return Limbs(self.bones[chosen], self.starts[chosen], self.ends[chosen], self.scores[chosen])


@dataclass(frozen=True)
class AffinityFieldsCodec:
    """Everybody in a picture, joints connected by limbs, the surest first."""

    assembly: LimbAssembly = LimbAssembly()

    needs: ClassVar[tuple[str, ...]] = (Heatmaps.type,)

    def encode(
        self, output: AffinityFields, people: Sequence[AnnotatedPerson], placement: Placement
    ) -> FloatMap:
        """Maps (channels, rows, columns) of a perfect network: the mean of the people whose limb is there."""
        columns, rows = placement.cells
        grid = np.arange(columns) + 1j * np.arange(rows)[:, None]
        bones = output.joint_set.bones
        fields = np.zeros((len(bones), rows, columns), np.complex128)
        counts = np.zeros(fields.shape)
        for person in people:
            cells = complex_places(placement.to_cells(person.points))
            for i, (a, b) in enumerate(bones):
                length = abs(cells[b] - cells[a])
                if person.labelled[a] and person.labelled[b] and length > SHORTEST:
                    direction = (cells[b] - cells[a]) / length
                    from_start = (grid - cells[a]) * direction.conjugate()  # along the limb, and beside it
                    along, beside = from_start.real, np.abs(from_start.imag)
                    there = (along >= -HALF_WIDTH) & (along <= length + HALF_WIDTH) & (beside <= HALF_WIDTH)
                    fields[i] += direction * there
                    counts[i] += there
        fields /= np.maximum(counts, 1)
        return np.stack((fields.real, fields.imag), axis=1).reshape(-1, rows, columns).astype(np.float32)

    def decode(self, output: AffinityFields, maps: Mapping[str, FloatMap], context: PictureContext) -> Result:
        """The people; nobody is an empty result. Joints that were not found have score 0."""
        joints = output.joint_set
        heat = np.nan_to_num(maps[Heatmaps.type][: len(joints.names)]).clip(0, 1)
        found = peaks_of_many(heat, self.assembly.peak)
        limbs = joined(possible_limbs(joints, found, _bounded(maps[output.name]), self.assembly))
        points, scores, totals = assembled(joints, found, limbs)
        parts = (scores > 0).sum(axis=1)
        kept = (parts >= self.assembly.fewest) & (totals >= self.assembly.least * parts)
        order = np.flatnonzero(kept)[np.argsort(-totals[kept], kind="stable")][: self.assembly.keep]
        places = context.placement.to_picture(points[order]).astype(np.float32)
        most = len(joints.names) + len(joints.bones)
        people = [
            found_person(joints, xy, s, float(min(1, t / most)))
            for xy, s, t in zip(places, scores[order], totals[order], strict=True)
        ]
        return Result(people=tuple(people))


def peaks_of_many(heat: FloatMap, least: float) -> JointPeaks:
    """Maxima above `least` among four neighbours of smoothed maps (joints, rows, columns), finer than a cell.

    Of a plateau the first cell counts. A joint keeps its `MOST_PEAKS` highest.
    """
    stacked = cv2.GaussianBlur(
        np.ascontiguousarray(heat.transpose(1, 2, 0)), (3, 3), SMOOTHING, borderType=cv2.BORDER_REPLICATE
    )
    smooth = np.asarray(stacked, np.float32).reshape(*heat.shape[1:], len(heat)).transpose(2, 0, 1)
    around = np.pad(smooth, ((0, 0), (1, 1), (1, 1)), constant_values=-1)
    left, right = around[:, 1:-1, :-2], around[:, 1:-1, 2:]
    above, below = around[:, :-2, 1:-1], around[:, 2:, 1:-1]
    highest = (smooth > left) & (smooth >= right) & (smooth > above) & (smooth >= below) & (smooth > least)
    j, y, x = np.nonzero(highest)
    heights = smooth[j, y, x]
    order = np.lexsort((-heights, j))
    rank = np.arange(len(j)) - np.searchsorted(j, j)  # of a peak among those of its joint
    order = order[rank < MOST_PEAKS]
    j, y, x = j[order], y[order], x[order]
    across, down = vertex(smooth[j, y], x), vertex(smooth[j, :, x], y)
    return JointPeaks(j, complex_places(np.stack((x + across, y + down), axis=1)), heights[order].clip(0, 1))


def possible_limbs(
    joints: JointSet, found: JointPeaks, fields: NDArray[np.complex64], assembly: LimbAssembly
) -> Limbs:
    """Pairs of peaks that the field (bones, rows, columns), x + i·y, supports, by its line integral."""
    first = np.searchsorted(found.joints, np.arange(len(joints.names) + 1))
    pairs = []
    for i, (a, b) in enumerate(joints.bones):
        starts, ends = np.arange(first[a], first[a + 1]), np.arange(first[b], first[b + 1])
        pairs.append(
            (np.full(len(starts) * len(ends), i), np.repeat(starts, len(ends)), np.tile(ends, len(starts)))
        )
    bones, starts, ends = (np.concatenate(column) for column in zip(*pairs, strict=True))
    sampler = BilinearSampler.of(fields)
    allowed = SAMPLES - 1 - int(assembly.support * SAMPLES)  # samples that need not support a limb
    probes = np.arange(1, allowed + 2) * SAMPLES // (allowed + 2)  # one more: most pairs have none of them
    near = (_along(sampler, found, (bones, starts, ends), probes) > assembly.along).any(axis=1)
    bones, starts, ends = bones[near], starts[near], ends[near]
    along = _along(sampler, found, (bones, starts, ends), np.arange(SAMPLES))
    length = np.abs(found.places[ends] - found.places[starts]).clip(min=SHORTEST)
    scores = along.mean(axis=1) + np.minimum(0, LONGEST * fields.shape[1] / length - 1)
    supported = (along > assembly.along).sum(axis=1) > assembly.support * SAMPLES
    return Limbs(bones, starts, ends, scores).of(supported & (scores > 0) & (length > SHORTEST))


def _along(
    sampler: BilinearSampler, found: JointPeaks, pairs: tuple[NDArray[np.intp], ...], chosen: NDArray[np.intp]
) -> FloatMap:
    """(n, chosen) components of the fields along the segments of pairs, at some of the samples on them."""
    bones, starts, ends = pairs
    span = found.places[ends] - found.places[starts]
    unit = span / np.abs(span).clip(min=SHORTEST)
    at = found.places[starts, None] + span[:, None] * (chosen / (SAMPLES - 1)).astype(np.float32)
    vectors = sampler(np.broadcast_to(bones[:, None], at.shape), *sampler.clamped(at.real, at.imag))
    return np.asarray(vectors.real * unit.real[:, None] + vectors.imag * unit.imag[:, None])


def joined(limbs: Limbs) -> Limbs:
    """The best limbs, greedily, so that a joint is in one limb of each bone at most."""
    order = np.argsort(-limbs.scores, kind="stable")
    taken: set[tuple[int, int]] = set()
    kept = []
    rows = zip(*(v[order].tolist() for v in (limbs.bones, limbs.starts, limbs.ends)), strict=True)
    for limb, (bone, start, end) in zip(order.tolist(), rows, strict=True):
        if (bone, start) not in taken and (bone, end) not in taken:
            taken |= {(bone, start), (bone, end)}
            kept.append(limb)
    return limbs.of(np.array(kept, np.intp))


def assembled(
    joints: JointSet, found: JointPeaks, limbs: Limbs
) -> tuple[FloatMap, FloatMap, NDArray[np.float64]]:
    """People: points (n, joints, 2) in cells, scores (n, joints), and (n,) sums over joints and limbs.

    A person is what limbs join, the first limb first. One that would give a person two peaks of a joint is
    left out, which only bones with a loop (LSP's torso) can do; of a tree Cao's rows, filled and merged, are
    the same.
    """
    group = list(range(len(found.joints)))
    held = [{j} for j in found.joints.tolist()]  # joints of the person whose root a peak is
    kept = np.ones(len(limbs.starts), np.bool_)

    def root(i: int) -> int:
        while group[i] != i:
            group[i] = group[group[i]]
            i = group[i]
        return i

    for i, ends in enumerate(zip(limbs.starts.tolist(), limbs.ends.tolist(), strict=True)):
        a, b = map(root, ends)
        kept[i] = a == b or held[a].isdisjoint(held[b])
        if kept[i]:
            group[b] = a
            held[a] |= held[b]
    limbs = limbs.of(kept)
    roots = np.array([root(i) for i in range(len(group))], np.intp)
    used = np.unique(np.concatenate((limbs.starts, limbs.ends)))
    whose, person = np.unique(roots[used], return_inverse=True)
    count = len(joints.names)
    points, scores = np.zeros((len(whose), count), np.complex64), np.zeros((len(whose), count), np.float32)
    points[person, found.joints[used]] = found.places[used]
    scores[person, found.joints[used]] = found.heights[used]
    totals = np.bincount(person, found.heights[used], len(whose)).astype(np.float64)
    totals += np.bincount(np.searchsorted(whose, roots[limbs.starts]), limbs.scores, len(whose))
    return points.view(np.float32).reshape(*points.shape, 2), scores, totals


def _bounded(fields: FloatMap) -> NDArray[np.complex64]:
    """Vectors x + i·y (bones, rows, columns), each component in −1..1 and 0 where it is not a number."""
    finite = np.nan_to_num(fields).clip(-1, 1)
    vectors = np.empty((len(fields) // 2, *fields.shape[1:]), np.complex64)
    vectors.real, vectors.imag = finite[0::2], finite[1::2]
    return vectors


def found_person(
    joints: JointSet, points: NDArray[np.float32], scores: NDArray[np.float32], score: float
) -> PersonResult:
    """A person of joints (joints, 2), displayed px, boxed by those with a score."""
    low, high = points[scores > 0].min(axis=0), points[scores > 0].max(axis=0)
    box = (float(low[0]), float(low[1]), float(high[0] - low[0]), float(high[1] - low[1]))
    return PersonResult(box, score, Pose(joints, points, scores))
