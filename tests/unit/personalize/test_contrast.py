"""Weights of edges by hand, and smoothing along them by its literal definition."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from personalize.contrast import beta, differences, edge_weights, ends
from personalize.smoothing import mean_field

GREY = np.uint8([[0, 1], [2, 4]])
PICTURE = GREY[..., None] * np.uint8([1, 2, 2])  #: squared differences are nine times those of the grey


@pytest.mark.parametrize(("dy", "dx"), [(0, 1), (1, 0), (1, 1), (1, -1), (2, -3)])
def test_an_edge_leads_from_each_pixel_to_the_one_so_far_away(dy: int, dx: int) -> None:
    place = np.stack(np.indices((3, 5)), -1)
    start, end = (place[s] for s in ends(3, 5, dy, dx))
    assert start.shape == (3 - dy, 5 - abs(dx), 2)
    np.testing.assert_array_equal(end - start, np.broadcast_to((dy, dx), start.shape))


def test_differences_and_weights_of_four_pixels_by_hand() -> None:
    assert [d.tolist() for d in differences(PICTURE)] == [[[9], [36]], [[36, 81]], [[144]], [[9]]]
    assert beta(PICTURE) == pytest.approx(6 / (2 * 315))
    far = np.sqrt(2)
    squares = np.array([[[9, 0], [36, 0]], [[36, 81], [0, 0]], [[144, 0], [0, 0]], [[0, 9], [0, 0]]])
    lengths = np.array([1, 1, far, far])[:, None, None]
    expected = np.where(squares > 0, 3 / lengths * np.exp(-squares / 105), 0)
    np.testing.assert_allclose(edge_weights(PICTURE, 3), expected)


def test_a_picture_of_one_colour_or_one_pixel_costs_the_same_everywhere() -> None:
    assert beta(PICTURE[:1]) == pytest.approx(1 / 18)
    assert beta(PICTURE[:1, :1]) == beta(np.zeros((3, 4, 3), np.uint8)) == 0
    assert edge_weights(np.zeros((1, 3, 3), np.uint8), 2.0)[0].tolist() == [[2, 2, 0]]


def literal(image: np.ndarray, person: np.ndarray, gamma: float) -> np.ndarray:
    """Five iterations over all pixels and their neighbours; none surer than what lies within 3 px was."""
    height, width = person.shape
    own = np.clip(person, 1e-6, 1 - 1e-6).astype(np.float64)
    first = mean = 2 * own - 1
    fall = beta(image)
    for _ in range(5):
        field = np.log(own / (1 - own))
        for y, x in np.ndindex(height, width):
            for v, u in np.ndindex(height, width):
                if max(abs(y - v), abs(x - u)) == 1:
                    square = ((image[y, x].astype(float) - image[v, u]) ** 2).sum()
                    field[y, x] += gamma / np.hypot(y - v, x - u) * np.exp(-fall * square) * mean[v, u]
        mean = np.tanh(field / 2)
    for y, x in np.ndindex(height, width):
        surest = np.abs(first[max(0, y - 3) : y + 4, max(0, x - 3) : x + 4]).max()
        mean[y, x] = np.clip(mean[y, x], -surest, surest)
    return (1 + mean) / 2


def test_smoothing_is_its_literal_definition() -> None:
    random = np.random.default_rng(0)
    image = cv2.GaussianBlur(random.integers(0, 255, (6, 12, 3)).astype(np.uint8), (0, 0), 1)
    person = random.uniform(0.3, 0.7, (6, 12)).astype(np.float32)
    person[2, 0], person[0, 3], person[5, 9] = 1, 0, 0.95
    found = mean_field(image, person, 1.5)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, literal(image, person, 1.5), atol=1e-4)
