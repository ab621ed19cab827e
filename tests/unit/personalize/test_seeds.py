"""Which frames are looked at, and which of their pixels are taken for sure."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from personalize.seeds import NoSeedsError, between, confident, window, working_size

SIZE = (32, 24)


@given(st.integers(1, 5000), st.integers(-10, 6000), st.integers(1, 400))
def test_window_has_its_length_and_its_frame(frames, around, span):
    found = window(frames, around=around, span=span)
    assert len(found) == min(span, frames)
    assert min(max(around, 0), frames - 1) in found
    assert found.start >= 0
    assert found.stop <= frames


def test_window_of_the_paper():
    assert window(1000, around=500) == range(350, 651)
    assert window(1000, around=0) == range(301)
    assert window(5) == range(5)
    assert window(1000) == window(1000, around=500)


def test_in_and_out_points():
    assert between(100, 20, 10) == range(10, 21)
    assert between(100, -5, 400) == range(100)
    assert between(100, 300, 400) == range(99, 100)
    with pytest.raises(ValueError, match="no frames"):
        between(0, 0, 1)


@given(st.integers(1, 8000), st.integers(1, 8000))
def test_working_size_keeps_the_shape_and_never_enlarges(width, height):
    w, h = working_size(width, height)
    assert max(w, h) <= 256
    assert w <= width
    assert h <= height
    assert max(w, h) == min(256, max(width, height))


def person_of(sure, rest=0.6, background=0.001):
    """A grid with a person of 8x8 cells, `sure` in its upper half."""
    grid = np.full((12, 16), background, np.float32)
    grid[2:10, 4:12] = rest
    grid[2:6, 4:12] = sure
    return grid


def test_confident_pixels_become_seeds():
    seeds = confident([person_of(0.999)] * 3, SIZE)
    assert seeds.unaries.shape == (3, 24, 32)
    assert (seeds.person_above, seeds.notices) == (0.99, [])
    assert seeds.unaries.max() == np.float32(0.99)
    assert seeds.unaries.min() == np.float32(0.01)
    assert seeds.unaries[0, 18, 16] == 0.5  # likely, but not sure


@pytest.mark.parametrize(("sure", "expected"), [(0.985, 0.98), (0.96, 0.95), (0.85, 0.8)])
def test_threshold_is_lowered_and_said(sure, expected):
    seeds = confident([person_of(sure)], SIZE)
    assert seeds.person_above == expected
    assert str(expected) in seeds.notices[0]
    assert (seeds.unaries > expected).any()


def test_threshold_of_the_background_is_its_own():
    seeds = confident([person_of(0.999, background=0.03)], SIZE)
    assert seeds.person_above == 0.99
    assert "0.05" in seeds.notices[0]


def test_missing_frames_and_broken_numbers_are_undecided():
    broken = person_of(0.999)
    broken[0, 0] = np.nan
    broken[0, 15] = np.inf
    seeds = confident([broken, None], SIZE)
    assert np.isfinite(seeds.unaries).all()
    assert seeds.unaries[0, 0, 0] == 0.5
    assert (seeds.unaries[1] == 0.5).all()
    assert seeds.notices == ["1 frames have no silhouette; they are filled from their neighbours."]


@pytest.mark.parametrize(
    "maps",
    [
        [],
        [None, None],
        [np.full((9, 9), 0.01, np.float32)] * 2,
        [np.full((9, 9), 0.5, np.float32)],
        [np.full((9, 9), np.nan, np.float32)],
        [person_of(0.65)],
    ],
)
def test_no_person_is_said_in_words(maps):
    with pytest.raises(NoSeedsError, match="No person is found"):
        confident(maps, SIZE)


def test_nothing_but_a_person_is_said_in_words():
    with pytest.raises(NoSeedsError, match="fills the whole picture"):
        confident([np.full((9, 9), 0.999, np.float32)], SIZE)
