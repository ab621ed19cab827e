from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.grid import Grid, Sides

strides = st.sampled_from((1, 2, 4, 8, 16, 32))
coordinates = st.floats(-1e4, 1e4)


@pytest.mark.parametrize("grid", Grid)
@given(cell=coordinates, stride=strides)
def test_to_cell_undoes_to_pixel(grid: Grid, cell: float, stride: int) -> None:
    assert grid.to_cell(grid.to_pixel(cell, stride), stride) == pytest.approx(cell, abs=1e-6)


@given(cell=st.integers(0, 500), stride=strides)
def test_a_centred_cell_is_the_mean_of_the_pixels_it_covers(cell: int, stride: int) -> None:
    covered = np.arange(cell * stride, (cell + 1) * stride)
    assert Grid.CENTRE.to_pixel(cell, stride) == covered.mean()


@given(cell=st.integers(0, 500), stride=strides)
def test_a_corner_cell_lies_on_its_pixel(cell: int, stride: int) -> None:
    assert Grid.CORNER.to_pixel(cell, stride) == cell * stride


@pytest.mark.parametrize("size", [32, 288, 512])
def test_centred_cells_lie_symmetrically_in_the_picture(size: int) -> None:
    x = Grid.CENTRE.to_pixel(np.arange(size // 8), 8)
    assert x[0] + x[-1] == size - 1


@pytest.mark.parametrize("grid", Grid)
@given(cells=st.integers(2, 500), stride=strides)
def test_a_side_of_whole_cells_holds_them_all(grid: Grid, cells: int, stride: int) -> None:
    side = grid.side(cells, stride)
    assert grid.cells(side, stride) == cells
    last = cells - 1 if grid is Grid.CORNER else cells - 0.5
    assert float(grid.to_pixel(last, stride)) == (side - 1 if grid is Grid.CORNER else side - 0.5)


def test_the_next_side_that_fits() -> None:
    assert [Sides().up(s) for s in (1, 32, 33, 801)] == [32, 32, 64, 832]
    assert [Sides(16, Grid.CORNER).up(s) for s in (1, 17, 18, 801)] == [17, 17, 33, 801]


def test_arrays_keep_their_shape() -> None:
    assert Grid.CENTRE.to_pixel(np.zeros((3, 17, 2)), 8).shape == (3, 17, 2)
