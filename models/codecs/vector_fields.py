"""Offset vectors read at any place and refined by the short-range ones (PersonLab §3.1.2, §3.2).

Places and vectors are complex numbers x + iy, network px: one array to gather from in place of two.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.codecs.codec import FloatMap, Placement

STEPS = 2  # of refinement, as in training
Indices = NDArray[np.intp]
Places = NDArray[np.complex64]


@dataclass(frozen=True)
class BilinearSampler:
    """Maps (n, h, w) read between their cells, clamped to the border."""

    flat: NDArray[Any]  # of maps one row and column larger, copies of the last ones
    rows: int
    columns: int

    @classmethod
    def of(cls, maps: NDArray[Any]) -> BilinearSampler:
        """Maps (n, h, w), real or complex."""
        n, rows, columns = maps.shape
        larger = np.empty((n, rows + 1, columns + 1), maps.dtype)
        larger[:, :-1, :-1] = maps
        larger[:, -1, :-1] = maps[:, -1]
        larger[:, :, -1] = larger[:, :, -2]
        return cls(larger.ravel(), rows, columns)

    def clamped(self, u: FloatMap, v: FloatMap) -> tuple[FloatMap, FloatMap]:
        """The nearest places inside, cells."""
        return np.minimum(np.maximum(u, 0), self.columns - 1), np.minimum(np.maximum(v, 0), self.rows - 1)

    def __call__(self, maps: Indices, u: FloatMap, v: FloatMap) -> NDArray[Any]:
        """Values of maps (any shape) at places inside, cells (of the same shape)."""
        i, j = u.astype(np.int32), v.astype(np.int32)
        du, dv = u - i.astype(np.float32), v - j.astype(np.float32)  # integers alone would make it double
        width = self.columns + 1
        corner = maps * ((self.rows + 1) * width) + (j * width + i)
        upper, lower = self.flat.take(corner), self.flat.take(corner + width)
        upper += (self.flat.take(corner + 1) - upper) * du
        lower += (self.flat.take(corner + (width + 1)) - lower) * du
        upper += (lower - upper) * dv
        return upper


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

    def mid_at(self, bones: Indices, at: Places) -> Places:
        """(n,) vectors along directed bones (n,) from places (n,), as the network gave them."""
        return self._vectors(self._mid, bones, at)

    def refined(self, places: Places, joints: Indices) -> Places:
        """(n,) places moved to the joints (n,) of the disks that they lie in."""
        for _ in range(self.steps):
            places = places + self._vectors(self._short, joints, places)
        return places

    def inside(self, places: Places, margin: float = 0) -> NDArray[np.bool_]:
        """True for places at most `margin` px outside the picture."""
        low, (width, height) = -0.5 - margin, self.placement.content
        across = (places.real > low) & (places.real < width + margin)
        return np.asarray(across & (places.imag > low) & (places.imag < height + margin))

    def long_at(self, at: Places, own: int | None = None) -> Places:
        """(joints, n) refined vectors from places (n,) to every joint.

        Args:
            at: places.
            own: steps of refinement by the long-range vectors themselves; where somebody else covers a
                joint they lead to that person's. `steps` when left out.
        """
        start = np.broadcast_to(at, (len(self.long) // 2, len(at)))
        joint = np.broadcast_to(np.arange(len(start))[:, None], start.shape)
        vectors = self._vectors(self._long, joint, start)
        for _ in range(self.steps if own is None else own):
            vectors += self._vectors(self._long, joint, start + vectors)
        for _ in range(self.steps):
            vectors += self._vectors(self._short, joint, start + vectors)
        return vectors

    def _vectors(self, field: BilinearSampler, index: Indices, at: Places) -> Places:
        """Towards what the nearest cell of the border points at, from places beyond it."""
        grid, stride = self.placement.grid, self.placement.stride
        first, cell = np.float32(grid.to_pixel(0, stride)), np.float32(stride)
        x, y = (at.real - first) / cell, (at.imag - first) / cell
        u, v = field.clamped(x, y)
        sampled: Places = field(index, u, v)
        sampled.real += (u - x) * cell
        sampled.imag += (v - y) * cell
        return sampled

    @cached_property
    def _short(self) -> BilinearSampler:
        return _complex(self.short)

    @cached_property
    def _mid(self) -> BilinearSampler:
        return _complex(self.mid)

    @cached_property
    def _long(self) -> BilinearSampler:
        return _complex(self.long)


def _complex(maps: FloatMap) -> BilinearSampler:
    vectors = np.empty((len(maps) // 2, *maps.shape[1:]), np.complex64)
    vectors.real, vectors.imag = maps[0::2], maps[1::2]
    return BilinearSampler.of(vectors)


def complex_places(points: NDArray[np.floating[Any]]) -> Places:
    """(..., 2) x, y → (...) complex."""
    return np.ascontiguousarray(points, np.float32).view(np.complex64)[..., 0]


def sample(maps: FloatMap, points: FloatMap, placement: Placement) -> FloatMap:
    """(n, joints) values of each joint's map (joints, h, w) at (n, joints, 2) network px."""
    sampler = BilinearSampler.of(maps)
    cells = placement.grid.to_cell(points, placement.stride).astype(np.float32)
    u, v = sampler.clamped(cells[..., 0], cells[..., 1])
    joint = np.broadcast_to(np.arange(len(maps)), u.shape)
    return np.asarray(sampler(joint, u, v), np.float32)
