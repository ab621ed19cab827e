"""Greedy decoding: poses grown along the tree from the strongest joints and thinned (PersonLab §3.1.4)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from models.codecs.codec import FloatMap, Placement
from models.codecs.decoding import OURS, Decoding
from models.codecs.hough import HoughMaps, Points, local_maxima
from models.codecs.vector_fields import BilinearSampler, Fields, complex_places, sample
from models.labels import JointSet

LEAST_DENSITY = (
    0.001  # of votes, for a joint to start a person; the paper: 0.01, of networks that vote closer
)
LIMIT = 40  # seeds of each joint
CANDIDATES = 4  # people scored for each that may be kept
SAME_PX = 10.0  # joints of one type that are nearer are one
LEAST_SIZE_PX = 8.0  # of a person whose joints lie on one line
#: standard deviation of annotators for each joint of COCO, relative to the person's size
SIGMAS = np.array(
    (26, 25, 25, 35, 35, 79, 79, 72, 72, 62, 62, 107, 107, 87, 87, 89, 89), np.float32
) / 1000  # fmt: skip


@dataclass(frozen=True)
class Poses:
    """People found.

    Attributes:
        points: (people, joints, 2) x, y in network px.
        scores: (people, joints) 0..1, of the joints.
        people: (people,) 0..1, of the people, highest first.
    """

    points: Points
    scores: FloatMap
    people: FloatMap

    def of(self, chosen: NDArray[np.bool_]) -> Poses:
        """Some of them."""
        return Poses(self.points[chosen], self.scores[chosen], self.people[chosen])

    @property
    def sizes(self) -> FloatMap:
        """(people,) square roots of the areas of the boxes round the joints, px."""
        return box_sizes(self.points)


def box_sizes(points: Points) -> FloatMap:
    """(people,) √area of the tight boxes round (people, joints, 2), at least `LEAST_SIZE_PX`."""
    extent = points.max(axis=1) - points.min(axis=1) if len(points) else np.zeros((0, 2), np.float32)
    return np.asarray(np.sqrt(extent.prod(axis=1)).clip(min=LEAST_SIZE_PX), np.float32)


@cache
def traversals(joints: JointSet) -> NDArray[np.intp]:
    """(joints, edges, 3): for each root the steps (from, to, directed bone) that reach every other joint.

    Directed bones are numbered as `directed_bones` of personlab.py has them.
    """
    count = len(joints.names)
    edges: dict[int, list[tuple[int, int]]] = {k: [] for k in range(count)}
    for i, (a, b) in enumerate(joints.bones):
        edges[a].append((b, i))
        edges[b].append((a, i + len(joints.bones)))
    walks = []
    for root in range(count):
        steps, reached, queue = [], {root}, [root]
        while queue:
            a = queue.pop(0)
            for b, bone in edges[a]:
                if b not in reached:
                    reached.add(b)
                    queue.append(b)
                    steps.append((a, b, bone))
        walks.append(steps)
    return np.array(walks, np.intp)


def decode_poses(
    joints: JointSet, disks: FloatMap, vectors: Fields, hough: HoughMaps, radius_px: float,
    decoding: Decoding = OURS,
) -> Poses:  # fmt: skip
    """Poses of everybody.

    Args:
        joints: the joint set; its bones form a tree, its joints are COCO's for the scores.
        disks: (joints, h, w) probabilities.
        vectors: short- and mid-range offsets.
        hough: votes.
        radius_px: of a disk.
        decoding: settings.
    """
    seeds, places, _ = local_maxima(hough, LEAST_DENSITY, LIMIT)
    grown, known = _grown(joints, seeds, places, vectors)
    points = grown[_first_of_each(seeds, places, grown, known, CANDIDATES * decoding.keep)]
    if decoding.scoring == "hough":
        scores = vote_shares(points, hough)
    else:
        scores = expected_oks(points, disks, hough, vectors.placement, radius_px)
    order = np.argsort(-scores.mean(axis=1), kind="stable") if len(points) else np.empty(0, np.intp)
    points, scores = points[order], scores[order]
    if decoding.nms == "hard":
        kept = hard_nms(points)
        points, scores = points[kept], scores[kept]
        people = scores.mean(axis=1)
    else:
        people = soft_nms(points, scores)
    order = np.argsort(-people, kind="stable")[: decoding.keep]
    return Poses(points[order], scores[order], people[order])


def _grown(
    joints: JointSet, seeds: NDArray[np.intp], places: Points, vectors: Fields
) -> tuple[Points, NDArray[np.bool_]]:
    """(n, joints, 2) poses of all seeds at once, step by step along each root's walk.

    And (n, joints) False for joints behind one outside the picture, where vectors are anybody's, and for
    those that only the refinement brought back from there.
    """
    points = np.zeros((len(seeds), len(joints.names)), np.complex64)
    known = np.ones(points.shape, bool)
    n = np.arange(len(seeds))
    points[n, seeds] = complex_places(places)
    walks = traversals(joints)[seeds]
    for step in range(walks.shape[1]):
        a, b, bone = walks[:, step].T
        start = points[n, a]
        end = start + vectors.mid_at(bone, start)
        known[n, b] = known[n, a] & vectors.inside(start) & vectors.inside(end, SAME_PX)
        points[n, b] = vectors.refined(end, b)
    return points.view(np.float32).reshape(*points.shape, 2), known


def _first_of_each(
    seeds: NDArray[np.intp], places: Points, grown: Points, known: NDArray[np.bool_], most: int
) -> NDArray[np.intp]:
    """Indices of seeds, strongest first, that no person kept before has a known joint of the same type at."""
    kept: list[int] = []
    free = np.ones(len(seeds), bool)
    for i in range(len(seeds)):
        if free[i]:
            kept.append(i)
            free &= (((grown[i, seeds] - places) ** 2).sum(axis=1) > SAME_PX**2) | ~known[i, seeds]
            if len(kept) == most:
                break
    return np.array(kept, np.intp)


def expected_oks(
    points: Points, disks: FloatMap, hough: HoughMaps, placement: Placement, radius_px: float
) -> FloatMap:
    """(people, joints) scores: disk probability times the expected similarity of the votes (§3.1.4)."""
    people, count = points.shape[:2]
    if not people:
        return np.zeros((0, count), np.float32)
    reach, step = int(np.ceil(radius_px / hough.step)), hough.step
    _, down, across = hough.padded.shape
    window = np.arange(-reach, reach + 1)
    cells = hough.cells(points)
    size = np.array((across, down)) - 2 * hough.margin
    centre = (
        np.rint(cells).clip(-1, size).astype(np.intp)
    )  # the disk of a place further out: less is in reach
    row, column = centre[..., 1] + hough.margin, centre[..., 0] + hough.margin
    corner = (np.arange(count) * down + row) * across + column
    votes = hough.padded.ravel()[corner[..., None, None] + window[:, None] * across + window]
    away = (((centre[..., None] + window) - cells[..., None]) * step) ** 2  # (people, joints, axis, window)
    x, y = away[..., 0, None, :].astype(np.float32), away[..., 1, :, None].astype(np.float32)
    votes *= x + y <= radius_px**2
    spread = (2 * (box_sizes(points)[:, None] * 2 * SIGMAS) ** 2)[..., None, None]
    similar = np.einsum("pjyx,pjyx->pj", votes, np.exp(-x / spread) * np.exp(-y / spread))
    mass = votes.sum(axis=(-1, -2))
    expected = np.divide(similar, mass, out=np.zeros_like(similar), where=mass > 0)
    return np.asarray(sample(disks, points, placement) * expected, np.float32).clip(0, 1)


def vote_shares(points: Points, hough: HoughMaps) -> FloatMap:
    """(people, joints) scores: the share of a whole disk's votes in the Hough cell of a joint (§3.1.3)."""
    sampler, cells = BilinearSampler.of(hough.density), hough.cells(points)
    u, v = sampler.clamped(cells[..., 0], cells[..., 1])
    shares = sampler(np.broadcast_to(np.arange(points.shape[1]), u.shape), u, v) * hough.step**2
    return np.asarray(shares.clip(0, 1), np.float32)


def soft_nms(points: Points, scores: FloatMap) -> FloatMap:
    """(people,) means of the scores of joints that no better person has at the same place (§3.1.4)."""
    out = np.zeros(len(points), np.float32)
    for i in range(len(points)):
        near = ((points[:i] - points[i]) ** 2).sum(axis=-1) <= SAME_PX**2
        out[i] = (scores[i] * ~near.any(axis=0)).mean()
    return out


def hard_nms(points: Points, most: float = 0.5) -> NDArray[np.intp]:
    """Indices of people, best first, whose similarity (OKS) to a better one is at most `most` (§4.4)."""
    spread = 2 * (box_sizes(points)[:, None] * 2 * SIGMAS) ** 2
    kept: list[int] = []
    for i in range(len(points)):
        square = ((points[kept] - points[i]) ** 2).sum(axis=-1)
        if not (np.exp(-square / spread[kept]).mean(axis=1) > most).any():
            kept.append(i)
    return np.array(kept, np.intp)
