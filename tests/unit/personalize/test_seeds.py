"""Which frames are looked at, and what is known of their pixels."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from personalize.seeds import MOST_STUDIED, NoSeedsError, between, evidence, studied, window, working_size

SIZE = (32, 24)


@given(st.integers(1, 5000), st.integers(-10, 6000), st.integers(1, 400))
def test_window_has_its_length_and_its_frame(frames, around, span):
    found = window(frames, around=around, span=span)
    assert len(found) == min(span, frames)
    assert min(max(around, 0), frames - 1) in found
    assert found.start >= 0
    assert found.stop <= frames
    if span // 2 <= around < frames - span:
        assert around - found.start == span // 2, "in the middle where there is room on both sides"


@pytest.mark.parametrize(("frames", "span"), [(0, 5), (5, 0), (-1, -1)])
def test_a_window_of_nothing_is_refused(frames, span):
    with pytest.raises(ValueError, match=f"{span} of {frames} frames"):
        window(frames, span=span)


def test_window_of_the_paper():
    assert window(1000, around=500) == range(350, 651)
    assert window(1000, around=0) == range(301)
    assert window(5) == range(5)
    assert window(1000) == window(1000, around=500)
    assert window(11, span=4) == range(3, 7)


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


@pytest.mark.parametrize(
    ("size", "worked"),
    [((1280, 720), (256, 144)), ((257, 100), (256, 100)), ((1, 999), (1, 256)), ((256, 1), (256, 1))],
)
def test_a_working_size_is_rounded_to_whole_pixels(size, worked):
    assert working_size(*size) == worked


def person_of(sure, rest=0.6, background=0.001):
    """A grid with a person of 8x8 cells, `sure` in its upper half."""
    grid = np.full((12, 16), background, np.float32)
    grid[2:10, 4:12] = rest
    grid[2:6, 4:12] = sure
    return grid


def test_every_answer_counts_by_how_sure_it_is():
    seeds = evidence([person_of(0.999)] * 3, SIZE)
    assert seeds.shape == (3, 24, 32)
    assert seeds.max() == np.float32(0.99)
    assert seeds.min() == np.float32(0.01)
    assert seeds[0, 18, 16] == pytest.approx(0.6)  # likely, and no more


def test_missing_frames_and_broken_numbers_are_undecided():
    broken = person_of(0.999)
    broken[0, 0] = np.nan
    broken[0, 15], broken[11, 0] = np.inf, -np.inf
    seeds = evidence([broken, None], SIZE)
    assert np.isfinite(seeds).all()
    assert (seeds[0, [0, 0, -1], [0, -1, 0]] == 0.5).all()
    assert (seeds[1] == 0.5).all()


def test_what_is_no_probability_counts_as_the_nearest_one():
    np.testing.assert_array_equal(
        evidence([person_of(3, background=-2)], SIZE), evidence([person_of(1, background=0)], SIZE)
    )


def test_one_pixel_in_a_thousand_that_is_sure_is_enough():
    nobody, somebody = np.full((25, 40), 0.29, np.float32), np.full((25, 40), 0.29, np.float32)
    somebody[4, 7] = 0.71
    assert evidence([somebody], (40, 25)).shape == (1, 25, 40)
    assert evidence([1 - somebody], (40, 25)).shape == (1, 25, 40)
    for maps in ([somebody, nobody], [np.where(somebody > 0.5, np.float32(0.7), somebody)]):
        with pytest.raises(NoSeedsError, match="No person is found"):
            evidence(maps, (40, 25))
        with pytest.raises(NoSeedsError, match="fills the whole picture"):
            evidence([1 - m for m in maps], (40, 25))


@pytest.mark.parametrize(("frames", "step"), [(1, 1), (100, 1), (101, 2), (200, 2), (201, 3), (301, 4)])
def test_at_most_a_hundred_frames_are_studied(frames, step):
    assert studied(frames) == range(0, frames, step)


@given(st.integers(1, 900))
def test_studied_frames_are_few_and_evenly_spaced(frames):
    chosen = studied(frames)
    assert 1 <= len(chosen) <= MOST_STUDIED
    assert chosen[-1] < frames
    assert frames - chosen[-1] <= chosen.step
    assert chosen == range(frames) or frames > MOST_STUDIED


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
        evidence(maps, SIZE)


def test_nothing_but_a_person_is_said_in_words():
    with pytest.raises(NoSeedsError, match="fills the whole picture"):
        evidence([np.full((9, 9), 0.999, np.float32)], SIZE)
