"""Links between frames: the same as the slow way, exact on known motion, none across a cut."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from personalize.correspondence import Colours, Search, by_length, jumps, map_window, match_pair

LEVELS = Search().levels


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
    place = np.arange(links.best.size)
    return (links.best // width - place // width) ** 2 + (links.best % width - place % width) ** 2


@settings(max_examples=12)
@given(st.integers(0, 2**32 - 1), st.sampled_from((1, 3, 5, 7)), st.integers(0, 4), st.integers(2, 120))
def test_same_as_the_slow_way_in_both_directions(seed, patch, reach, colours):
    random = np.random.default_rng(seed)
    earlier, later = random.integers(0, min(colours, LEVELS), (2, 7, 9, 3)).astype(np.uint8)
    found = match_pair(earlier, later, Search(reach=reach, patch=patch))
    for links, pair in zip(found, ((later, earlier), (earlier, later)), strict=True):
        cost, length = slow_costs(*pair, reach, patch)
        np.testing.assert_allclose(links.cost[0] * 3 * patch**2, cost.ravel(), rtol=1e-5)
        np.testing.assert_array_equal(squared_length(links, 9), length.ravel())


@pytest.mark.parametrize("patch", [1, 3, 5, 7, 9, 11])
def test_the_largest_difference_does_not_overflow(patch):
    search = Search(patch=patch)
    black, white = np.zeros((12, 13, 3), np.uint8), np.full((12, 13, 3), search.levels, np.uint8)
    for links in match_pair(black, white, search):
        np.testing.assert_allclose(links.cost[0], search.levels**2, rtol=1e-6)
        np.testing.assert_array_equal(links.best, np.arange(12 * 13))


def test_still_clip_is_linked_to_itself():
    frame = np.random.default_rng(0).integers(0, 255, (40, 50, 3)).astype(np.uint8)
    mapping = map_window([frame] * 4)
    for links in (*mapping.earlier, *mapping.later):
        np.testing.assert_array_equal(links.best, np.arange(40 * 50))
        assert not links.cost.any()
    assert mapping.notices == []


@settings(max_examples=10)
@given(st.integers(-9, 9), st.integers(-9, 9))
def test_moved_square_is_found_exactly(dy, dx):
    random = np.random.default_rng(1)
    scene, square = (random.integers(0, 255, (n, n, 3)).astype(np.uint8) for n in (64, 24))
    frames = []
    for y, x in ((20, 20), (20 + dy, 20 + dx)):
        frames.append(scene.copy())
        frames[-1][y : y + 24, x : x + 24] = square
    mapping = map_window(frames)
    inside = np.zeros((64, 64), bool)
    inside[22:42, 22:42] = True  # the square without the rim in which patches look over its edge
    place = np.arange(64 * 64).reshape(64, 64)
    expected = place + dy * 64 + dx
    np.testing.assert_array_equal(mapping.later[0].best.reshape(64, 64)[inside], expected[inside])
    back = mapping.earlier[0].best[expected[inside]]
    np.testing.assert_array_equal(back, place[inside])


def test_pyramid_finds_what_is_out_of_reach():
    random = np.random.default_rng(2)
    wide = cv2.GaussianBlur(random.integers(0, 255, (90, 180, 3)).astype(np.uint8), (0, 0), 2)
    frames = [np.ascontiguousarray(wide[:, x : x + 120]) for x in (0, 26)]
    near, far = (map_window(frames, Search(pyramid=p)).earlier[0] for p in (False, True))
    inside = np.zeros((90, 120), bool)
    inside[5:-5, 5:85] = True
    exact = np.arange(90 * 120) + 26
    share = [(links.best == exact)[inside.ravel()].mean() for links in (near, far)]
    assert share[0] < 0.01
    assert share[1] > 0.99


def test_several_links_are_the_best_ones_in_order():
    earlier, later = np.random.default_rng(3).integers(0, 9, (2, 12, 14, 3)).astype(np.uint8)
    single = match_pair(earlier, later, Search(reach=3))
    several = match_pair(earlier, later, Search(reach=3, links=4))
    for one, many in zip(single, several, strict=True):
        np.testing.assert_array_equal(many.best, one.best)
        assert (np.diff(many.cost, axis=0) >= 0).all()
        assert (np.diff(np.sort(many.target, axis=0), axis=0) != 0).all()  # four different places


def test_more_links_than_places_are_cut():
    frame = np.zeros((2, 2, 3), np.uint8)
    links, _ = match_pair(frame, frame, Search(reach=1, links=6))
    assert ((links.target >= 0).sum(axis=0) == 4).all()


def test_nothing_is_linked_across_a_change_of_shot():
    random = np.random.default_rng(4)
    shots = [cv2.GaussianBlur(random.integers(0, 255, (40, 60, 3)).astype(np.uint8), (0, 0), 3) for _ in "ab"]
    shots[1] = 255 - shots[1] // 2
    noise = random.normal(0, 2, (8, 40, 60, 3))
    frames = [np.clip(shots[k // 4] + noise[k], 0, 255).astype(np.uint8) for k in range(8)]
    mapping = map_window(frames)
    assert mapping.shot_changes == [4]
    assert (mapping.earlier[3].target == -1).all()
    assert (mapping.later[3].target == -1).all()
    assert all((mapping.earlier[k].target >= 0).all() for k in range(7) if k != 3)
    assert "frame 4" in mapping.notices[0]


def test_a_passage_that_moves_faster_is_no_change_of_shot():
    assert jumps([0.01] * 10 + [0.2] * 10, 5.0) in ([], [10])  # at most its first pair
    assert jumps([0.05, 0.06, 0.05, 0.9, 0.05, 0.06], 5.0) == [3]
    assert jumps([0.0, 0.0, 0.01, 0.0], 5.0) == []
    assert jumps([0.9], 5.0) == []
    assert jumps([], 5.0) == []


def test_dear_links_are_cut_only_when_asked():
    random = np.random.default_rng(5)
    frames = list(random.integers(0, 255, (2, 30, 30, 3)).astype(np.uint8))
    assert (map_window(frames).earlier[0].target >= 0).all()
    assert (map_window(frames, Search(most_cost=0.01)).earlier[0].target == -1).all()


def test_black_and_single_frames():
    black = np.zeros((20, 30, 3), np.uint8)
    mapping = map_window([black, black])
    np.testing.assert_array_equal(mapping.earlier[0].best, np.arange(600))
    assert map_window([black]).earlier == []
    with pytest.raises(ValueError, match="no frames"):
        map_window([])
    with pytest.raises(ValueError, match="differ in size"):
        map_window([black, black[:10]])
    with pytest.raises(ValueError, match="reach"):
        Search(reach=16)


def test_threads_change_nothing_and_a_stop_leaves_none_behind():
    frames = list(np.random.default_rng(6).integers(0, 255, (9, 24, 24, 3)).astype(np.uint8))
    seen = []
    one = map_window(frames, threads=1, progress=lambda done, total: seen.append((done, total)))
    three = map_window(frames, threads=3)
    assert seen == [(k, 8) for k in range(1, 9)]
    for a, b in zip(one.earlier + one.later, three.earlier + three.later, strict=True):
        np.testing.assert_array_equal(a.target, b.target)

    def stop(done, total):
        raise InterruptedError

    with pytest.raises(InterruptedError):
        map_window(frames, progress=stop)


def test_a_grey_clip_does_not_look_at_the_noise_of_its_colours():
    random = np.random.default_rng(7)
    grey = np.repeat(random.integers(0, 255, (60, 60, 1)), 3, axis=2)
    noisy = np.clip(grey + random.normal(0, 1, grey.shape), 0, 255).astype(np.uint8)
    colours = Colours.of([noisy], LEVELS)
    assert colours.gain.max() / colours.gain.min() <= 4.001
    assert colours(noisy).max() <= LEVELS
