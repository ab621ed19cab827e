"""Links between frames: the same as the slow way, exact on known motion, none across a cut."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.lib.stride_tricks import sliding_window_view

from personalize import correspondence
from personalize.correspondence import LabScale, PatchSearch, by_length, jumps, match_pair, match_window

LEVELS = PatchSearch().levels


def slow_costs(target, source, reach, patch):
    """Cost and squared length of the best match of every pixel, displacement by displacement."""
    rim = patch // 2
    pads = [
        np.pad(p.astype(np.int64), ((rim, rim), (rim, rim), (0, 0)), mode="edge") for p in (target, source)
    ]
    height, width = target.shape[:2]
    best = np.full((height, width), np.iinfo(np.int64).max)
    length = np.zeros((height, width), np.int64)
    for dy, dx in by_length(reach).tolist():
        (y, high), (x, wide) = (max(0, -dy), height - abs(dy)), (max(0, -dx), width - abs(dx))
        one = pads[0][y : y + high + 2 * rim, x : x + wide + 2 * rim]
        other = pads[1][y + dy : y + dy + high + 2 * rim, x + dx : x + dx + wide + 2 * rim]
        cost = sliding_window_view(((one - other) ** 2).sum(2), (patch, patch)).sum((2, 3))
        place = np.s_[y : y + high, x : x + wide]
        cheaper = cost < best[place]
        best[place][cheaper], length[place][cheaper] = cost[cheaper], dy**2 + dx**2
    return best, length


def squared_length(links, width):
    place = np.arange(links.target.size)
    return (links.target // width - place // width) ** 2 + (links.target % width - place % width) ** 2


@settings(max_examples=12)
@given(st.integers(0, 2**32 - 1), st.sampled_from((1, 3, 5, 7)), st.integers(0, 3), st.integers(2, 120))
def test_same_as_the_slow_way_in_both_directions(seed, patch, reach, colours):
    random = np.random.default_rng(seed)
    earlier, later = random.integers(0, min(colours, LEVELS), (2, 7, 9, 3)).astype(np.uint8)
    found = match_pair(earlier, later, PatchSearch(reach=reach, patch=patch), 2.0)
    for links, pair in zip(found, ((later, earlier), (earlier, later)), strict=True):
        cost, length = slow_costs(*pair, reach, patch)
        np.testing.assert_allclose(links.cost * 3 * patch**2 * 2**2, cost.ravel(), rtol=1e-5)
        np.testing.assert_array_equal(squared_length(links, 9), length.ravel())


def test_far_away_it_is_the_same_as_the_slow_way_where_something_appears():
    """Nothing resembles what appears, so that its best match may lie anywhere within reach."""
    random = np.random.default_rng(3)
    earlier = random.integers(0, LEVELS, (50, 54, 3)).astype(np.uint8)
    later = earlier.copy()
    later[18:32, 21:33] = random.integers(0, LEVELS, (14, 12, 3))
    inside = np.zeros((50, 54), bool)
    inside[19:31, 22:32] = True
    found = match_pair(earlier, later, PatchSearch(reach=9), 30.0)
    for links, pair in zip(found, ((later, earlier), (earlier, later)), strict=True):
        cost, length = slow_costs(*pair, 9, 5)
        np.testing.assert_allclose(
            links.cost.reshape(50, 54)[inside] * 3 * 25 * 30**2, cost[inside], rtol=1e-5
        )
        np.testing.assert_array_equal(squared_length(links, 54).reshape(50, 54)[inside], length[inside])
        assert (length[inside] > 25).mean() > 0.5


@pytest.mark.parametrize(("patch", "levels"), [(1, 147), (5, 147), (7, 119), (11, 76)])
def test_as_many_levels_as_fit(patch, levels):
    assert PatchSearch(patch=patch).levels == levels


@pytest.mark.parametrize("patch", [1, 3, 5, 7, 9, 11])
def test_the_largest_difference_does_not_overflow(patch):
    search = PatchSearch(patch=patch)
    black, white = np.zeros((12, 13, 3), np.uint8), np.full((12, 13, 3), search.levels, np.uint8)
    for links in match_pair(black, white, search, 1.0):
        np.testing.assert_allclose(links.cost, search.levels**2, rtol=1e-6)
        np.testing.assert_array_equal(links.target, np.arange(12 * 13))


def test_still_clip_is_linked_to_itself():
    frame = np.random.default_rng(0).integers(0, 255, (40, 50, 3)).astype(np.uint8)
    found = match_window([frame] * 4)
    for targets in (*found.earlier, *found.later):
        np.testing.assert_array_equal(targets, np.arange(40 * 50))
    assert found.shot_changes == []


@settings(max_examples=10)
@given(st.integers(-9, 9), st.integers(-9, 9))
def test_moved_square_is_found_exactly(dy, dx):
    random = np.random.default_rng(1)
    scene, square = (random.integers(0, 255, (n, n, 3)).astype(np.uint8) for n in (64, 24))
    frames = []
    for y, x in ((20, 20), (20 + dy, 20 + dx)):
        frames.append(scene.copy())
        frames[-1][y : y + 24, x : x + 24] = square
    found = match_window(frames)
    inside = np.zeros((64, 64), bool)
    inside[22:42, 22:42] = True  # the square without the rim in which patches look over its edge
    place = np.arange(64 * 64).reshape(64, 64)
    expected = place + dy * 64 + dx
    np.testing.assert_array_equal(found.later[0].reshape(64, 64)[inside], expected[inside])
    back = found.earlier[0][expected[inside]]
    np.testing.assert_array_equal(back, place[inside])


def test_far_displacements_are_visited_only_where_something_moves(monkeypatch):
    random = np.random.default_rng(2)
    scene, square = (random.integers(0, 255, (n, n, 3)) for n in (96, 20))
    frames = []
    for y, x in ((30, 30), (41, 22)):  # 13.6 px
        moved = scene.copy()
        moved[y : y + 20, x : x + 20] = square
        frames.append(np.clip(moved + random.normal(0, 2, moved.shape), 0, 255).astype(np.uint8))
    seen = []
    visited = correspondence._visited
    monkeypatch.setattr(
        correspondence,
        "_visited",
        lambda *given: seen.append((given[0].shape[:2], len(given[4]))) or visited(*given),
    )
    found = match_window(frames)
    (whole, near), (part, far) = seen
    assert (whole, near + far) == ((96, 96), 31 * 31)
    assert near == 81  # up to 5 px
    assert np.prod(part) < 0.6 * 96 * 96
    place = np.arange(96 * 96).reshape(96, 96)
    np.testing.assert_array_equal(found.later[0].reshape(96, 96)[32:48, 32:48], place[43:59, 24:40])
    np.testing.assert_array_equal(found.later[0].reshape(96, 96)[70:], place[70:])


def test_nothing_is_linked_across_a_change_of_shot():
    random = np.random.default_rng(4)
    shots = [cv2.GaussianBlur(random.integers(0, 255, (40, 60, 3)).astype(np.uint8), (0, 0), 3) for _ in "ab"]
    shots[1] = 255 - shots[1] // 2
    noise = random.normal(0, 2, (8, 40, 60, 3))
    frames = [np.clip(shots[k // 4] + noise[k], 0, 255).astype(np.uint8) for k in range(8)]
    found = match_window(frames)
    assert found.shot_changes == [4]
    assert (found.earlier[3] == -1).all()
    assert (found.later[3] == -1).all()
    assert all((found.earlier[k] >= 0).all() for k in range(7) if k != 3)


def test_a_passage_that_moves_faster_is_no_change_of_shot():
    assert jumps([0.01] * 10 + [0.2] * 10) in ([], [10])  # at most its first pair
    assert jumps([0.0, 0.02, 0.0, 0.021, 0.0]) == [3]
    assert jumps([0.5, 2.5, 0.5, 2.6, 0.5]) == [3]
    assert jumps([0.9]) == []


@given(st.lists(st.sampled_from((0.01, 0.1, 0.3, 1.0)), max_size=16))
def test_a_jump_is_dearer_than_the_five_pairs_on_each_side(medians):
    around = [[m for j, m in enumerate(medians) if 0 < abs(j - k) <= 5] for k in range(len(medians))]
    expected = [k for k, m in enumerate(medians) if around[k] and m > max(5 * np.median(around[k]), 0.02)]
    assert jumps(medians) == expected


def test_black_and_single_frames():
    black = np.zeros((20, 30, 3), np.uint8)
    found = match_window([black, black])
    np.testing.assert_array_equal(found.earlier[0], np.arange(600))
    assert match_window([black]).earlier == []
    with pytest.raises(ValueError, match="no frames"):
        match_window([])
    with pytest.raises(ValueError, match="differ in size"):
        match_window([black, black[:10]])


@pytest.mark.parametrize("wrong", [{"reach": -1}, {"reach": 16}, {"patch": 4}, {"patch": -1}, {"patch": 13}])
def test_a_search_that_its_keys_cannot_hold_is_refused(wrong):
    with pytest.raises(ValueError, match=r"reach 0..15 and an odd patch up to 11"):
        PatchSearch(**wrong)
    assert PatchSearch(reach=0, patch=1).levels == PatchSearch(reach=15, patch=1).levels


def test_progress_counts_pairs_and_may_stop_the_work():
    frames = list(np.random.default_rng(6).integers(0, 255, (5, 24, 24, 3)).astype(np.uint8))
    seen = []
    match_window(frames, on_pair=lambda done, total: seen.append((done, total)))
    assert seen == [(k, 4) for k in range(1, 5)]

    def stop(done, total):
        raise InterruptedError

    with pytest.raises(InterruptedError):
        match_window(frames, on_pair=stop)


def test_colours_are_on_one_scale_and_those_that_hardly_vary_count_little():
    """Black and white, half and half: L is 50 ± 50, and the other two channels are only ever noise."""
    picture = np.zeros((20, 40, 3), np.uint8)
    picture[:, 20:] = 255
    scale = LabScale.of([picture], 100)
    np.testing.assert_allclose(scale.low, 0, atol=0.01)
    np.testing.assert_allclose((scale.unit, *scale.gain), (50, 1, 4, 4), rtol=1e-3)
    np.testing.assert_array_equal(scale(picture)[:, ::20], [[[0, 0, 0], [100, 0, 0]]] * 20)
    assert LabScale.of([0 * picture], 100).unit == 100
    darker = LabScale(np.float32([20, 0, 0]), np.float32([3, 1, 1]), 100, 1.0)
    np.testing.assert_array_equal(darker(picture)[:, ::20], [[[0, 0, 0], [100, 0, 0]]] * 20)


@pytest.mark.parametrize("count", [32, 47])
def test_the_scale_of_a_long_window_is_that_of_every_other_frame(count):
    levels = np.random.default_rng(0).integers(0, 255, (count, 6, 8, 3))
    frames = [np.uint8(f // 3 if k % 2 else f * k // count) for k, f in enumerate(levels)]
    found, expected = LabScale.of(frames, 100), LabScale.of(frames[::2], 100)
    np.testing.assert_array_equal(found.low, expected.low)
    np.testing.assert_array_equal(found.gain, expected.gain)
