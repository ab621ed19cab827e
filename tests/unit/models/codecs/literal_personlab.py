"""PersonLab's decoder read literally: loops over joints, cells and people, plain floats, no shortcuts."""

from __future__ import annotations

import heapq
import math
from collections.abc import Mapping

import cv2
import numpy as np
from numpy.typing import NDArray

from models.codecs.codec import Placement
from models.codecs.decoding import Decoding
from models.codecs.personlab import directed_bones
from models.labels import COCO17

CELL_PX, BLUR, LEAST_VOTE, LEAST_DENSITY = 4.0, 0.8, 0.02, 0.001  # of Hough maps
SAME_PX, LEAST_SIZE_PX, UNSURE, NEAR = 10.0, 8.0, 0.2, 0.25
#: of COCO's evaluation
SIGMAS = (0.026, 0.025, 0.025, 0.035, 0.035, 0.079, 0.079, 0.072, 0.072, 0.062, 0.062, 0.107, 0.107, 0.087,
          0.087, 0.089, 0.089)  # fmt: skip
JOINTS = range(17)
BONES = directed_bones(COCO17)
Point = tuple[float, float]


class LiteralDecoder:
    """One picture's people."""

    def __init__(
        self, maps: Mapping[str, NDArray], placement: Placement, radius_px: float, decoding: Decoding
    ) -> None:
        self.maps, self.placement, self.radius, self.decoding = maps, placement, radius_px, decoding
        self.steps = 2 if decoding.refinement else 0
        self.columns, self.rows = placement.cells

    def read(self, name: str, channel: int, x: float, y: float) -> float:
        """Bilinear, clamped."""
        plane = self.maps[name][channel]
        u, v = (float(c) for c in self.placement.grid.to_cell((x, y), self.placement.stride))
        u, v = min(max(u, 0.0), self.columns - 1.0), min(max(v, 0.0), self.rows - 1.0)
        i, j = math.floor(u), math.floor(v)
        total = 0.0
        for di, wu in ((0, 1 - (u - i)), (1, u - i)):
            for dj, wv in ((0, 1 - (v - j)), (1, v - j)):
                if wu * wv > 0:
                    total += wu * wv * float(plane[j + dj, i + di])
        return total

    def vector(self, name: str, index: int, at: Point) -> Point:
        """From a place beyond the border: to what the border's nearest place points at."""
        grid, stride = self.placement.grid, self.placement.stride
        low, high = float(grid.to_pixel(0, stride)), grid.to_pixel((self.columns - 1, self.rows - 1), stride)
        x, y = min(max(at[0], low), float(high[0])), min(max(at[1], low), float(high[1]))
        dx, dy = self.read(name, 2 * index, x, y), self.read(name, 2 * index + 1, x, y)
        return x + dx - at[0], y + dy - at[1]

    def follow(self, at: Point, first: tuple[str, int], then: list[tuple[str, int]]) -> Point:
        """Where a vector and its refinements lead."""
        dx, dy = self.vector(*first, at)
        for name, index in then:
            ex, ey = self.vector(name, index, (at[0] + dx, at[1] + dy))
            dx, dy = dx + ex, dy + ey
        return at[0] + dx, at[1] + dy

    def hough(self) -> NDArray[np.float64]:
        """(joints, rows, columns) votes."""
        width, height = self.placement.content
        out = np.zeros((17, round(height / CELL_PX), round(width / CELL_PX)))
        s = self.placement.stride
        for k, v, u in zip(*np.nonzero(self.maps["disks"] >= LEAST_VOTE), strict=True):
            px, py = self.placement.grid.to_pixel((u, v), s)
            x = (px + self.maps["short"][2 * k, v, u] - (CELL_PX - 1) / 2) / CELL_PX
            y = (py + self.maps["short"][2 * k + 1, v, u] - (CELL_PX - 1) / 2) / CELL_PX
            weight = self.maps["disks"][k, v, u] * s**2 / (math.pi * self.radius**2) / CELL_PX**2
            for i in (math.floor(x), math.floor(x) + 1):
                for j in (math.floor(y), math.floor(y) + 1):
                    if 0 <= i < out.shape[2] and 0 <= j < out.shape[1]:
                        out[k, j, i] += weight * (1 - abs(x - i)) * (1 - abs(y - j))
        return out

    def seeds(self, votes: NDArray[np.float64]) -> list[tuple[float, int, Point]]:
        """A queue of (−density, joint, place)."""
        queue: list[tuple[float, int, Point]] = []
        for k in JOINTS:
            plane = cv2.GaussianBlur(np.pad(votes[k], 6), (0, 0), BLUR)
            for j in range(6, plane.shape[0] - 6):
                for i in range(6, plane.shape[1] - 6):
                    here = plane[j, i]
                    if here <= LEAST_DENSITY or here < plane[j - 1 : j + 2, i - 1 : i + 2].max():
                        continue
                    x = i - 6 + _vertex(plane[j, i - 1], here, plane[j, i + 1])
                    y = j - 6 + _vertex(plane[j - 1, i], here, plane[j + 1, i])
                    half = (CELL_PX - 1) / 2
                    heapq.heappush(queue, (-here, k, (x * CELL_PX + half, y * CELL_PX + half)))
        return queue

    def grown(self, root: int, place: Point) -> tuple[list[Point], set[int]]:
        """A pose from one joint, by breadth; and the joints that no place outside the picture led to."""
        points, queue, known = {root: place}, [root], {root}
        while queue:
            a = queue.pop(0)
            for e, (source, b) in enumerate(BONES):
                if source == a and b not in points:
                    points[b] = self.follow(points[a], ("mid", e), [("short", b)] * self.steps)
                    queue.append(b)
                    raw = self.follow(points[a], ("mid", e), [])
                    if a in known and self.inside(points[a], 0) and self.inside(raw, SAME_PX):
                        known.add(b)
        return [points[k] for k in JOINTS], known

    def inside(self, at: Point, margin: float) -> bool:
        ends = zip(at, self.placement.content, strict=True)
        return all(-0.5 - margin < c < n + margin for c, n in ends)

    def poses(self) -> list[tuple[float, list[float], list[Point]]]:
        """(score, joint scores, points) of everybody."""
        votes = self.hough()
        queue, people = self.seeds(votes), []
        while queue:
            _, k, place = heapq.heappop(queue)
            if all(k not in known or math.dist(p[k], place) > SAME_PX for p, known in people):
                people.append(self.grown(k, place))
        scored = [([self.joint_score(votes, p, k) for k in JOINTS], p) for p, _ in people]
        scored.sort(key=lambda s: -sum(s[0]))
        out: list[tuple[float, list[float], list[Point]]] = []
        for i, (scores, points) in enumerate(scored):
            own = [
                s for k, s in enumerate(scores)
                if all(math.dist(points[k], other[k]) > SAME_PX for _, other in scored[:i])
            ]  # fmt: skip
            out.append((sum(own) / 17, scores, points))
        out.sort(key=lambda s: -s[0])
        return [p for p in out[: self.decoding.keep] if p[0] >= self.decoding.least_score]

    def joint_score(self, votes: NDArray[np.float64], points: list[Point], k: int) -> float:
        """Expected OKS."""
        x, y = points[k]
        mass = similar = 0.0
        for j, i in zip(*np.nonzero(votes[k]), strict=True):
            square = (i * CELL_PX + 1.5 - x) ** 2 + (j * CELL_PX + 1.5 - y) ** 2
            if square <= self.radius**2:
                mass += votes[k, j, i]
                kappa = 2 * SIGMAS[k]
                similar += votes[k, j, i] * math.exp(-square / (2 * _size(points) ** 2 * kappa**2))
        return self.read("disks", k, x, y) * similar / mass if mass else 0.0

    def membership(self, points: list[Point], u: int, v: int) -> float:
        """How much a cell is of a person."""
        if self.maps["person"][0, v, u] < UNSURE:
            return 0.0
        x, y = (float(c) for c in self.placement.grid.to_pixel((u, v), self.placement.stride))
        total = near = far = 0.0
        for k in JOINTS:
            weight = self.read("disks", k, *points[k])
            short = [("short", k)] * self.steps
            ends = [self.follow((x, y), ("long", k), [("long", k)] * self.steps + short)]
            if self.decoding.masks == "votes":
                ends.append(self.follow((x, y), ("long", k), short))
            away = min(math.dist(end, points[k]) for end in ends) / _size(points)
            total, near, far = total + weight, near + weight * (away <= NEAR), far + weight * away
        if not total:
            return 0.0
        return near / total if self.decoding.masks == "votes" else max(0.0, 1 - far / total / (2 * NEAR))


def _vertex(before: float, here: float, after: float) -> float:
    bend = 2 * here - before - after
    return min(max((after - before) / (2 * bend), -0.5), 0.5) if bend > 0 else 0.0


def _size(points: list[Point]) -> float:
    xs, ys = zip(*points, strict=True)
    return max(LEAST_SIZE_PX, math.sqrt((max(xs) - min(xs)) * (max(ys) - min(ys))))
