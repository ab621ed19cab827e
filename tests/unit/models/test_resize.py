"""Resizing against values that can be read off."""

from __future__ import annotations

import numpy as np
import pytest

from models.resize import average, resize, resize_between_corners, shrink


def test_pixels_are_areas_or_points_between_corners() -> None:
    ramp = np.array([[0, 4]], np.float32)
    assert resize(ramp, (4, 1)).tolist() == [[0, 1, 3, 4]]
    assert resize_between_corners(ramp, (5, 1)).tolist() == [[0, 1, 2, 3, 4]]
    plane = np.array([[0, 2, 4], [8, 10, 12]], np.float32)
    assert resize_between_corners(plane, (5, 3)).tolist() == [
        [0, 1, 2, 3, 4],
        [4, 5, 6, 7, 8],
        [8, 9, 10, 11, 12],
    ]
    assert resize_between_corners(plane, (1, 1)).tolist() == [[0]]
    assert resize(plane.astype(np.uint16), (3, 2)).dtype == np.uint16


def test_averages_are_exact_where_both_sides_become_shorter() -> None:
    values = np.arange(16, dtype=np.float32).reshape(4, 4)
    blocks = values.reshape(2, 2, 2, 2).mean(axis=(1, 3))
    assert average(values, (2, 2)).tolist() == blocks.tolist()
    assert average(values, (1, 4)).ravel().tolist() == values.mean(axis=1).tolist(), "one side stays"
    assert average(values, (4, 1)).ravel().tolist() == values.mean(axis=0).tolist()
    assert average(values, (4, 4)).tolist() == values.tolist()
    np.testing.assert_array_equal(average(values, (1, 8)), resize(values, (1, 8)))
    np.testing.assert_array_equal(average(values, (8, 1)), resize(values, (8, 1)))


@pytest.mark.parametrize(
    ("size", "last"), [((2, 2), 2), ((3, 3), 4), ((2, 8), 8), ((8, 2), 8), ((5, 5), 8), ((4, 2), 4)]
)
def test_a_picture_is_halved_while_both_sides_are_twice_as_long(size: tuple[int, int], last: int) -> None:
    picture = (np.random.default_rng(0).integers(0, 16, (8, 8, 3)) * 16).astype(np.uint8)
    halved, side = picture, 8
    while side > last:
        side //= 2
        halved = average(halved, (side, side))
    np.testing.assert_array_equal(shrink(picture, size), resize(halved, size))
