"""Offset vectors read at any place and refined by the short-range ones (PersonLab §3.1.2, §3.2)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.codecs.codec import FloatMap, Placement

STEPS = 2  # of refinement, as in training
Indices = NDArray[np.intp]
Places = NDArray[np.float32]


@dataclass(frozen=True)
class Fields:
    """The raw vector maps of a picture, x and y interleaved, network px.

    Attributes:
        short: (2·joints, h, w) to the joint whose disk a cell lies in.
        mid: (4·bones, h, w) from a joint's disk to the joint at the bone's other end.
        long: (2·joints, h, w) from any cell of a person to the person's joints.
        placement: of the grid.
        steps: of refinement, as in training; 0 for vectors as they are.
    """

    short: FloatMap
    mid: FloatMap
    long: FloatMap
    placement: Placement
    steps: int = STEPS

    def mid_at(self, bones: Indices, targets: Indices, at: Places) -> Places:
        """(n, 2) refined vectors along directed bones (n,) towards joints (n,), from places (n, 2)."""
        vectors = self._vectors(self.mid, bones, at)
        for _ in range(self.steps):
            vectors += self._vectors(self.short, targets, at + vectors)
        return vectors

    def long_at(self, at: Places) -> Places:
        """(n, joints, 2) refined vectors from places (n, 2) to every joint."""
        joints = len(self.long) // 2
        joint = np.tile(np.arange(joints), len(at))
        start = np.repeat(at, joints, axis=0)
        vectors = self._vectors(self.long, joint, start)
        for field in [self.long] * self.steps + [self.short] * self.steps:
            vectors += self._vectors(field, joint, start + vectors)
        return vectors.reshape(len(at), joints, 2)

    def _vectors(self, field: FloatMap, index: Indices, at: Places) -> Places:
        """Towards what the nearest cell of the border points at, from places beyond it."""
        rows, columns = field.shape[1:]
        grid, stride = self.placement.grid, self.placement.stride
        low, high = grid.to_pixel((0, 0), stride), grid.to_pixel((columns - 1, rows - 1), stride)
        inside = at.clip(low, high)
        sampled = bilinear(field.reshape(-1, 2, rows, columns), index, inside, self.placement)
        return np.asarray(sampled + (inside - at), np.float32)


def sample(maps: FloatMap, channels: Indices, at: Places, placement: Placement) -> FloatMap:
    """(n,) values of channels (n,) of maps (channels, h, w) at places (n, 2) in network px."""
    return bilinear(maps[:, None], channels, at, placement)[:, 0]


def bilinear(maps: FloatMap, index: Indices, at: Places, placement: Placement) -> FloatMap:
    """(n, c) values of maps (m, c, h, w) at places (n, 2) in network px, clamped to the border."""
    return grid_sample(maps, index, placement.grid.to_cell(at, placement.stride).astype(np.float32))


def grid_sample(maps: FloatMap, index: Indices, cells: Places) -> FloatMap:
    """As `bilinear`, at places in cells."""
    rows, columns = maps.shape[-2:]
    u, v = cells[:, 0].clip(0, columns - 1), cells[:, 1].clip(0, rows - 1)
    i, j = u.astype(np.intp), v.astype(np.intp)
    right, below = np.minimum(i + 1, columns - 1), np.minimum(j + 1, rows - 1)
    du, dv = (u - i)[:, None], (v - j)[:, None]
    upper = maps[index, :, j, i] * (1 - du) + maps[index, :, j, right] * du
    lower = maps[index, :, below, i] * (1 - du) + maps[index, :, below, right] * du
    return np.asarray(upper * (1 - dv) + lower * dv, np.float32)
