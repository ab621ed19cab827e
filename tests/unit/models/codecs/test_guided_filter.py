"""The guided filter beside a fit of every window by itself, and where it is done at all."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from models.codecs.codec import PictureContext, Placement
from models.codecs.guided_filter import between, cells_around, pixels_under, refine, refine_near


def windows(plane: NDArray) -> NDArray:
    """(h, w, 49) the seven by seven values around each, mirrored at the border."""
    padded = np.pad(plane, 3, mode="reflect")
    return np.lib.stride_tricks.sliding_window_view(padded, (7, 7)).reshape(*plane.shape, 49)


def literal(coarse: NDArray, picture: NDArray) -> NDArray:
    """Every window's regression on colour, its coefficients averaged over the windows that see a pixel."""
    colours = np.stack([windows(picture[..., c] / 255.0) for c in range(3)], axis=-1)
    values, means = windows(coarse.astype(np.float64)), colours.mean(axis=2)
    away = colours - means[:, :, None]
    covariance = np.einsum("yxnc,yxnd->yxcd", away, away) / 49 + 1e-4 * np.eye(3)
    with_values = np.einsum("yxnc,yxn->yxc", away, values) / 49
    slopes = np.linalg.solve(covariance, with_values[..., None])[..., 0]
    offset = values.mean(-1) - (slopes * means).sum(-1)
    smooth = [windows(p).mean(-1) for p in (*np.moveaxis(slopes, -1, 0), offset)]
    return (np.stack(smooth[:3], -1) * picture / 255.0).sum(-1) + smooth[3]


def drawn(seed: int, cells: tuple[int, int]) -> tuple[NDArray, NDArray]:
    """A map (rows, columns) and a picture of three pixels a cell."""
    rng = np.random.default_rng(seed)
    picture = rng.random((3 * cells[0], 3 * cells[1], 3)).astype(np.float32)
    picture = (255 * cv2.GaussianBlur(picture, (0, 0), 2)).astype(np.uint8)
    return rng.uniform(0.3, 0.7, cells).astype(np.float32), picture


def test_edges_are_fitted_as_by_a_regression_of_every_window() -> None:
    coarse, picture = drawn(1, (5, 6))
    finer = between(coarse, (18, 15))
    (found,) = refine([coarse], picture, picture)
    np.testing.assert_allclose(found, literal(finer, picture).clip(0, 1), atol=2e-3)
    twice = refine([coarse, 1 - coarse], picture, picture)
    np.testing.assert_allclose(twice[0], found, atol=1e-6)
    np.testing.assert_allclose(twice[0] + twice[1], 1, atol=2e-3)


def test_between_cells_log_odds_are_interpolated_and_held() -> None:
    two = np.array([[0.2, 0.8]], np.float32)
    np.testing.assert_allclose(between(two, (2, 1)), two, atol=1e-6)
    odds = np.log(4) * np.array([-1, -0.5, 0.5, 1])
    np.testing.assert_allclose(between(two, (4, 1))[0], 1 / (1 + np.exp(-odds)), atol=1e-6)
    np.testing.assert_allclose(between(np.array([[0, 1]], np.float32), (2, 1)), [[1e-4, 1 - 1e-4]], rtol=1e-3)


def test_cells_around_what_is_marked_and_the_pixels_under_them() -> None:
    marked = np.zeros((12, 20), bool)
    assert cells_around(marked) == (slice(0, 0), slice(0, 0))
    marked[5, 7] = marked[6, 11] = True
    assert cells_around(marked) == (slice(3, 9), slice(5, 14))
    marked[0, 19] = marked[11, 0] = True
    assert cells_around(marked) == (slice(0, 12), slice(0, 20))
    assert pixels_under(slice(3, 9), 12, 96) == slice(24, 72)
    assert pixels_under(slice(0, 12), 12, 97) == slice(0, 97)


@pytest.mark.parametrize(("size", "cropped"), [((192, 96), True), ((96, 48), True), ((100, 50), False)])
def test_only_surroundings_of_somebody_are_refined(size: tuple[int, int], cropped: bool) -> None:
    """24 by 12 cells; the crop's border apart, the same as over the whole picture."""
    rng = np.random.default_rng(2)
    image = cv2.GaussianBlur(rng.integers(0, 256, (96, 192, 3), np.uint8), (0, 0), 3)
    person = np.zeros((12, 24), np.float32)
    person[5:7, 8:10], person[5, 10], person[0, 0] = 0.9, 0.021, 0.02
    guide = image if size == (192, 96) else cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    context = PictureContext(Placement((192, 96), (192, 96), 8), image, image, size)
    (found,) = refine_near((person,), context)
    (whole,) = refine((person,), image, guide)
    assert found.shape == (size[1], size[0])
    across, down = size[0] // 24, size[1] // 12
    inside = np.zeros(found.shape, bool)
    inside[3 * down : 9 * down, 6 * across : 13 * across] = True
    middle = np.s_[5 * down : 7 * down, 8 * across : 10 * across]
    np.testing.assert_allclose(found[middle], whole[middle], atol=0.02)
    if cropped:
        assert not found[~inside].any()
        seen = found[3 * down : 9 * down, 6 * across : 13 * across] > 0
        assert seen.any(axis=0).all()
        assert seen.any(axis=1).all()
    else:
        np.testing.assert_array_equal(found, whole)
    assert refine_near((np.zeros((12, 24), np.float32),) * 2, context)[1].max() <= 1e-3 * (not cropped)
    two = refine_near((np.zeros((12, 24), np.float32), person), context)
    np.testing.assert_array_equal(two[1], found)
