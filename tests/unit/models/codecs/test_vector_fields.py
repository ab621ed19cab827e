"""Vector fields read between cells and beyond the border, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from models.codecs.codec import Placement
from models.codecs.vector_fields import BilinearSampler, Fields, complex_places, sample
from models.grid import Grid

PLACEMENT = Placement((32, 24), (32, 24), 8)  # 4 by 3 cells, the first in the middle of 3.5 px


def constant(vectors: list[tuple[float, float]]) -> np.ndarray:
    """(2·n, 3, 4) maps with the same vector in every cell."""
    return np.tile(np.array(vectors, np.float32).reshape(-1, 1, 1), (1, 3, 4))


def fields(steps: int = 2) -> Fields:
    """Of two joints and a bone; the second joint's vectors are the longer ones."""
    return Fields(
        constant([(1, -1), (0.5, 0.25)]),
        constant([(4, 2), (-4, -2)]),
        constant([(3, 0), (0, 3)]),
        PLACEMENT,
        steps,
    )


def test_values_between_cells_are_weighted_by_how_near_they_are() -> None:
    """The second map is bent: 10·u + v + u·v everywhere, which bilinear reading gives exactly."""
    v, u = np.mgrid[:3, :4].astype(np.float32)
    sampler = BilinearSampler.of(np.stack((np.zeros((3, 4), np.float32), 10 * u + v + u * v)))
    x, y = (a.ravel().astype(np.float32) for a in np.meshgrid(np.linspace(0, 3, 13), np.linspace(0, 2, 9)))
    np.testing.assert_allclose(sampler(np.full(len(x), 1), x, y), 10 * x + y + x * y, rtol=1e-5, atol=1e-5)
    assert not sampler(np.zeros(len(x), np.intp), x, y).any()


def test_places_outside_are_brought_to_the_border() -> None:
    sampler = BilinearSampler.of(np.zeros((1, 3, 4), np.float32))
    u, v = sampler.clamped(np.float32([-1, 0, 2.5, 3, 9]), np.float32([-5, 0, 1.5, 2, 7]))
    assert (u.tolist(), v.tolist()) == ([0, 0, 2.5, 3, 3], [0, 0, 1.5, 2, 2])


def test_a_place_moves_by_the_short_vectors_of_its_joint_twice() -> None:
    at = np.complex64([10 + 10j, 10 + 10j])
    assert Fields(*[constant([(1, 1)])] * 3, PLACEMENT).steps == 2
    assert fields().refined(at, np.array([0, 1])).tolist() == [12 + 8j, 11 + 10.5j]
    assert fields(0).refined(at, np.array([0, 1])).tolist() == at.tolist()
    assert fields().mid_at(np.array([1, 0]), at).tolist() == [-4 - 2j, 4 + 2j]


@pytest.mark.parametrize(("own", "first"), [(None, 9 + 0j), (0, 3 + 0j), (1, 6 + 0j)])
def test_long_vectors_are_followed_and_then_refined(own: int | None, first: complex) -> None:
    at = np.complex64([5 + 5j, 8 + 6j])
    found = fields().long_at(at, own)
    second = complex(first.imag, first.real)
    assert found.tolist() == [[first + 2 - 2j] * 2, [second + 1 + 0.5j] * 2]


def test_beyond_the_border_vectors_lead_to_what_the_nearest_cell_points_at() -> None:
    """From 10 px left of the first cell's middle, and 16 px below the last row's."""
    at = np.complex64([-6.5 + 11.5j, 11.5 + 35.5j])
    np.testing.assert_allclose(fields().mid_at(np.array([0, 0]), at), [14 + 2j, 4 - 14j])
    u = np.arange(4, dtype=np.float32)
    ramp = np.zeros((2, 3, 4), np.float32)
    ramp[0], ramp[1] = u, 10 * np.arange(3)[:, None]
    bent = Fields(ramp, ramp, ramp, PLACEMENT, 0)
    places = np.complex64([15.5 + 7.5j, 3.5 + 3.5j])  # cells (1.5, 0.5) and (0, 0)
    np.testing.assert_allclose(bent.mid_at(np.array([0, 0]), places), [1.5 + 5j, 0], atol=1e-5)


def test_every_joint_has_its_own_map_on_either_grid() -> None:
    maps = np.stack([np.full((4, 5), 1.0), np.tile(np.arange(5.0), (4, 1))]).astype(np.float32)
    for grid, size, middle in ((Grid.CENTRE, (40, 32), 3.5), (Grid.CORNER, (33, 25), 0)):
        placement = Placement(size, size, 8, grid)
        points = np.float32([[(0, 0), (middle + 12, 9)], [(99, 99), (middle + 100, 9)]])
        np.testing.assert_allclose(sample(maps, points, placement), [[1, 1.5], [1, 4]])
    assert complex_places(np.array([[[1.0, 2]], [[3, 4]]])).tolist() == [[1 + 2j], [3 + 4j]]
