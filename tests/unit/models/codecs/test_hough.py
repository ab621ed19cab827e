"""Votes of disks by hand, and peaks among them."""

from __future__ import annotations

import numpy as np
import pytest

from models.codecs.codec import Placement
from models.codecs.hough import HoughMaps, local_maxima, margin_cells, vote
from models.grid import Grid

RADIUS = 16.0
PLACEMENT = Placement((64, 48), (64, 48), 8)  # 8 by 6 cells, 16 by 12 of Hough
WHOLE = 8**2 / (np.pi * RADIUS**2) / 4**2  # of a disk, 1/px², one cell's vote


def voted(u: int, v: int, by: tuple[float, float] = (0, 0), probability: float = 1.0) -> np.ndarray:
    """(rows, columns) votes of one cell for the second of two joints."""
    disks, short = np.zeros((2, 6, 8), np.float32), np.zeros((4, 6, 8), np.float32)
    disks[1, v, u], short[2:, v, u] = probability, by
    density = vote(disks, short, PLACEMENT, RADIUS).density
    assert density.shape == (2, 12, 16)
    assert not density[0].any()
    return np.asarray(density[1])


def test_a_vote_is_shared_by_the_four_cells_around_its_place() -> None:
    """The middle of cell 3 lies between the Hough cells 6 and 7, and 2 px further in the middle of 7."""
    expected = np.zeros((12, 16))
    expected[4:6, 6:8] = WHOLE / 4
    np.testing.assert_allclose(voted(3, 2), expected, rtol=1e-5)
    expected[:] = 0
    expected[4:6, 7] = WHOLE * 0.6 / 2
    np.testing.assert_allclose(voted(3, 2, (2, 0), 0.6), expected, rtol=1e-5, atol=1e-9)
    expected[:] = 0
    expected[3:5, 7], expected[3:5, 8] = (
        np.array([0.25, 0.75]) * WHOLE * 0.75,
        np.array([0.25, 0.75]) * WHOLE / 4,
    )
    np.testing.assert_allclose(voted(3, 2, (3, -3)), expected, rtol=1e-5, atol=1e-9)


def test_faint_cells_and_places_outside_do_not_vote() -> None:
    assert voted(3, 2, probability=0.02).any()
    assert not voted(3, 2, probability=0.0199).any()
    assert not voted(0, 0, (-9, 0)).any()
    assert not voted(0, 0, (0, -9)).any()
    assert not voted(7, 5, (7, 0)).any()
    assert not voted(7, 5, (0, 7)).any()
    for far in range(40, 400, 4):
        for x, y in ((1, 0), (-1, 0), (0, 1), (0, -1), (1, -1), (-1, 1)):
            assert not voted(3, 2, (far * x, far * y)).any(), "nor in another row, or for another joint"
    border = voted(0, 5, (-4, 0))  # half of it is inside
    assert border.sum() == pytest.approx(WHOLE / 2)
    assert np.argwhere(border).tolist() == [[10, 0], [11, 0]]


def test_density_does_not_depend_on_the_grid() -> None:
    for grid, stride, size in (
        (Grid.CENTRE, 8, (64, 48)),
        (Grid.CENTRE, 4, (64, 48)),
        (Grid.CORNER, 8, (65, 49)),
    ):
        placement = Placement(size, size, stride, grid)
        columns, rows = placement.cells
        cells = np.stack(np.meshgrid(np.arange(columns), np.arange(rows)))
        away = np.array((31.5, 23.5)).reshape(2, 1, 1) - placement.grid.to_pixel(cells, stride)
        disks = (np.hypot(*away) <= RADIUS)[None].astype(np.float32)
        maps = vote(disks, away.astype(np.float32), placement, RADIUS)
        y, x = np.argwhere(maps.density[0] > 0).mean(axis=0)
        np.testing.assert_allclose(maps.cells(np.array([[31.5, 23.5]], np.float32))[0], (x, y), atol=0.01)
        area = disks.sum() * stride**2 / (np.pi * RADIUS**2)
        assert area == pytest.approx(1, abs=0.15)
        assert maps.density.sum() * 4**2 == pytest.approx(area)


def test_margins_hold_a_disk_and_a_blurred_vote() -> None:
    assert [margin_cells(r, s) for r, s in ((32, 4.0), (16, 4.0), (33, 4.0), (2, 4.0), (32, 8.0))] == [
        9,
        5,
        10,
        5,
        5,
    ]
    assert margin_cells(24) == 7
    maps = HoughMaps.of(np.ones((1, 2, 3), np.float32), 4.0, 16)
    assert (maps.padded.shape, maps.padded.sum(), maps.density.shape) == ((1, 12, 13), 6, (1, 2, 3))
    assert maps.cells(np.array([[1.5, 5.5]], np.float32)).tolist() == [[0, 1]]


def peaks(density: np.ndarray, least: float, limit: int) -> list[tuple[int, float, float]]:
    maps = HoughMaps.of(density.astype(np.float32), 4.0, RADIUS)
    joints, places, heights = local_maxima(maps, least, limit)
    assert (np.diff(heights) <= 0).all()
    return [(int(j), *(round(float(c), 2) for c in p)) for j, p in zip(joints, places, strict=True)]


def test_the_highest_peaks_of_each_joint_come_first() -> None:
    density = np.zeros((2, 20, 30))
    density[0, 5, 6], density[0, 15, 6], density[0, 5, 20] = 1, 3, 2
    density[1, 0, 0], density[1, 19, 29] = 2.5, 0.5
    first = [(0, 25.5, 61.5), (1, 1.5, 1.5), (0, 81.5, 21.5), (0, 25.5, 21.5), (1, 117.5, 77.5)]
    assert peaks(density, 0.01, 9) == first
    assert peaks(density, 0.01, 1) == first[:2]
    assert peaks(density, 0.01, 2) == [*first[:3], first[4]]
    height = local_maxima(HoughMaps.of(density.astype(np.float32), 4.0, RADIUS), 0.01, 9)[2]
    assert height[0] / 3 == pytest.approx(0.249, abs=0.02), "of one cell, blurred by 0.8 of its side"
    assert peaks(density, float(height[2]), 9) == first[:2], "above the least"


@pytest.mark.parametrize("by", [(1, 1), (1, -1), (-1, 1), (-1, -1), (0, 1), (1, 0), (0, -1), (-1, 0)])
def test_a_cell_beside_a_higher_one_is_no_peak(by: tuple[int, int]) -> None:
    density = np.zeros((1, 12, 16))
    density[0, 5, 6], density[0, 5 + by[1], 6 + by[0]] = 1, 1.1
    ((_, x, y),) = peaks(density, 0.01, 9)
    assert (x > 25.5) - (x < 25.5) == by[0]
    assert (y > 21.5) - (y < 21.5) == by[1]


def test_a_peak_between_two_cells_lies_between_them() -> None:
    density = np.zeros((1, 12, 16))
    density[0, 4, 5], density[0, 4, 6], density[0, 5, 5], density[0, 5, 6] = 1, 0.5, 0.25, 0.125
    ((_, x, y),) = peaks(density, 0.01, 9)
    assert 21.5 < x < 23.5
    assert 17.5 < y < 19.5
    assert x - 21.5 > y - 17.5


def test_votes_at_the_border_have_their_peaks_inside() -> None:
    density = np.zeros((3, 12, 16))
    density[:, 0], density[:, -1], density[:, :, 0], density[:, :, -1] = 1, 1, 1, 1
    found = peaks(density, 0.001, 100)
    assert {j for j, _, _ in found} == {0, 1, 2}
    assert all(-0.5 <= x <= 63.5 and -0.5 <= y <= 47.5 for _, x, y in found)
