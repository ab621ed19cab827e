"""Links between frames: the same as the slow way, exact on known motion, none across a cut."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from personalize import correspondence
from personalize.correspondence import LabScale, PatchSearch, by_length, jumps, match_pair, match_window

LEVELS = PatchSearch().levels


def slow_costs(target, source, reach, patch):
    """Cost and squared length of the best match of every pixel, patch by patch."""
    rim = patch // 2
    pads = [
        np.pad(p.astype(np.int64), ((rim, rim), (rim, rim), (0, 0)), mode="edge") for p in (target, source)
    ]
    height, width = target.shape[:2]
    best = np.full((height, width), np.iinfo(np.int64).max)
    length = np.zeros((height, width), np.int64)
    for dy, dx in by_length(reach).tolist():
        for y in range(max(0, -dy), min(height, height - dy)):
            for x in range(max(0, -dx), min(width, width - dx)):
                one = pads[0][y : y + patch, x : x + patch]
                other = pads[1][y + dy : y + dy + patch, x + dx : x + dx + patch]
                cost = ((one - other) ** 2).sum()
                if cost < best[y, x]:
                    best[y, x], length[y, x] = cost, dy**2 + dx**2
    return best, length


def squared_length(links, width):
    place = np.arange(links.target.size)
    return (links.target // width - place // width) ** 2 + (links.target % width - place % width) ** 2


@settings(max_examples=12)
@given(st.integers(0, 2**32 - 1), st.sampled_from((1, 3, 5, 7)), st.integers(0, 3), st.integers(2, 120))
def test_same_as_the_slow_way_in_both_directions(seed, patch, reach, colours):
    random = np.random.default_rng(seed)
    earlier, later = random.integers(0, min(colours, LEVELS), (2, 7, 9, 3)).astype(np.uint8)
    found = match_pair(earlier, later, PatchSearch(reach=reach, patch=patch))
    for links, pair in zip(found, ((later, earlier), (earlier, later)), strict=True):
        cost, length = slow_costs(*pair, reach, patch)
        np.testing.assert_allclose(links.cost * 3 * patch**2, cost.ravel(), rtol=1e-5)
        np.testing.assert_array_equal(squared_length(links, 9), length.ravel())


@pytest.mark.parametrize("patch", [1, 3, 5, 7, 9, 11])
def test_the_largest_difference_does_not_overflow(patch):
    search = PatchSearch(patch=patch)
    black, white = np.zeros((12, 13, 3), np.uint8), np.full((12, 13, 3), search.levels, np.uint8)
    for links in match_pair(black, white, search):
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
    assert near < 100
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
    assert jumps([0.01] * 10 + [0.2] * 10, 5.0) in ([], [10])  # at most its first pair
    assert jumps([0.05, 0.06, 0.05, 0.9, 0.05, 0.06], 5.0) == [3]
    assert jumps([0.0, 0.0, 0.01, 0.0], 5.0) == []
    assert jumps([0.9], 5.0) == []
    assert jumps([], 5.0) == []


def test_black_and_single_frames():
    black = np.zeros((20, 30, 3), np.uint8)
    found = match_window([black, black])
    np.testing.assert_array_equal(found.earlier[0], np.arange(600))
    assert match_window([black]).earlier == []
    with pytest.raises(ValueError, match="no frames"):
        match_window([])
    with pytest.raises(ValueError, match="differ in size"):
        match_window([black, black[:10]])
    with pytest.raises(ValueError, match="reach"):
        PatchSearch(reach=16)


def test_progress_counts_pairs_and_may_stop_the_work():
    frames = list(np.random.default_rng(6).integers(0, 255, (5, 24, 24, 3)).astype(np.uint8))
    seen = []
    match_window(frames, on_pair=lambda done, total: seen.append((done, total)))
    assert seen == [(k, 4) for k in range(1, 5)]

    def stop(done, total):
        raise InterruptedError

    with pytest.raises(InterruptedError):
        match_window(frames, on_pair=stop)


def test_a_grey_clip_does_not_look_at_the_noise_of_its_colours():
    random = np.random.default_rng(7)
    grey = np.repeat(random.integers(0, 255, (60, 60, 1)), 3, axis=2)
    noisy = np.clip(grey + random.normal(0, 1, grey.shape), 0, 255).astype(np.uint8)
    colours = LabScale.of([noisy], LEVELS)
    assert colours.gain.max() / colours.gain.min() <= 4.001
    assert colours(noisy).max() <= LEVELS
