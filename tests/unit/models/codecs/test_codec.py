"""Placement: cells of both grids to pixels of the displayed picture and back."""

from __future__ import annotations

import numpy as np
import pytest

from models.codecs.codec import Placement
from models.grid import Grid


def test_the_centre_of_the_first_cell_of_a_halved_picture() -> None:
    place = Placement((1024, 576), (512, 288), 8)
    assert place.cells == (64, 36)
    np.testing.assert_allclose(place.to_picture((0, 0)), (7.5, 7.5))  # 16 displayed pixels a cell
    assert Placement((33, 33), (33, 33), 8, Grid.CORNER).cells == (5, 5)
    np.testing.assert_allclose(Placement((33, 33), (33, 33), 8, Grid.CORNER).to_picture((2, 1)), (16, 8))


@pytest.mark.parametrize("grid", Grid)
def test_there_and_back(grid: Grid) -> None:
    place = Placement((1280, 719), (512, 288), 8, grid)
    points = np.random.default_rng(0).uniform(0, 700, (20, 2))
    np.testing.assert_allclose(place.to_picture(place.to_cells(points)), points)
