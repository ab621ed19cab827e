"""Heat maps: a Gaussian per joint around its place, and its place back from the peak, finer than a cell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from models.codecs.codec import FloatMap, PictureContext, Placement
from models.outputs import Heatmaps
from models.results import PersonResult, Pose, Result

FAINTEST = 0.01  #: a Gaussian ends where it is fainter
FOUND = 0.1  #: peak from which a joint counts as found
FEWEST = 3  #: found joints that make a person
LEAST = 1e-6  #: probability below which a neighbour says nothing about the place of a peak


class HeatmapCodec:
    """One person per picture: each joint is where its map is highest."""

    needs: tuple[str, ...] = ()

    def encode(self, output: Heatmaps, poses: Sequence[Pose], placement: Placement) -> FloatMap:
        """Maps (channels, rows, columns) of a perfect network: 1 where a joint is at a cell's centre.

        Joints of score 0 are left out; where Gaussians of several people meet, the higher one counts.
        """
        columns, rows = placement.cells
        maps = np.zeros((len(output.joint_set.names), rows, columns))
        for pose in poses:
            cells = placement.to_cells(pose.points)
            across = _gaussian(np.arange(columns) - cells[:, :1], output.sigma)
            down = _gaussian(np.arange(rows) - cells[:, 1:], output.sigma)
            np.maximum(maps, down[:, :, None] * across[:, None] * (pose.scores > 0)[:, None, None], out=maps)
        if output.background:
            maps[maps < FAINTEST] = 0  # as PIL's (methods §5.4)
            maps = np.concatenate((maps, 1 - maps.max(axis=0, keepdims=True)))
        return maps.astype(np.float32)

    def decode(self, output: Heatmaps, maps: Mapping[str, FloatMap], context: PictureContext) -> Result:
        """The person of a picture, or nobody; a joint's score is the height of its peak, 0 below `FOUND`."""
        joint_set = output.joint_set
        cells, heights = peaks(maps[output.name][: len(joint_set.names)], output.sigma)
        found = heights >= FOUND
        if found.sum() < FEWEST:
            return Result()
        points = context.placement.to_picture(cells).astype(np.float32)
        low, high = points[found].min(axis=0), points[found].max(axis=0)
        box = (float(low[0]), float(low[1]), float(high[0] - low[0]), float(high[1] - low[1]))
        pose = Pose(joint_set, points, np.where(found, heights, 0).astype(np.float32))
        return Result(people=(PersonResult(box, float(heights[found].mean()), pose),))


def peaks(maps: FloatMap, sigma: float = 1.0) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
    """Highest places (joints, 2) x, y in cells and their heights (joints,) of maps (joints, rows, columns).

    A parabola through the logarithms of a peak and its neighbours has its vertex at a Gaussian's centre
    (Zhang et al. 2020, DARK); beyond the border of the map the neighbour is the one a Gaussian would have.
    """
    joints, _, columns = maps.shape
    y, x = np.divmod(maps.reshape(joints, -1).argmax(axis=1), columns)
    j = np.arange(joints)
    cells = np.stack((x + vertex(maps[j, y], x, sigma), y + vertex(maps[j, :, x], y, sigma)), axis=1)
    return cells, maps[j, y, x].clip(0, 1).astype(np.float32)


def _gaussian(distance: NDArray[np.float64], sigma: float) -> NDArray[np.float64]:
    return np.exp(-(distance**2) / (2 * sigma**2))


def vertex(lines: FloatMap, at: NDArray[np.int64], sigma: float = 1.0) -> NDArray[np.float64]:
    """Offset (joints,) in −½..½ cells from the peaks at `at` of the lines (joints, n)."""
    j, last = np.arange(len(lines)), lines.shape[1] - 1
    around = np.stack((np.maximum(at - 1, 0), at, np.minimum(at + 1, last)))
    before, here, after = np.log(np.maximum(lines[j, around].astype(np.float64), LEAST))
    curvature = 1 / sigma**2
    first_cell, last_cell = at == 0, at == last
    before = np.where(first_cell, 2 * here - after - curvature, before)
    after = np.where(last_cell, 2 * here - before - curvature, after)
    bend = 2 * here - before - after
    offset = np.divide(after - before, 2 * bend, out=np.zeros_like(bend), where=bend > 0)
    return np.asarray(offset.clip(-0.5, 0.5))
