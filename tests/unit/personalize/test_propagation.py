"""Propagation: exact against enumeration, and what a user would see of it."""

from __future__ import annotations

import itertools

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from personalize.correspondence import Links, Mapping, Search, map_window
from personalize.propagation import (
    Combine,
    Tree,
    carry_exactly,
    carry_mixture,
    combined,
    labels,
    link_weights,
    mix,
    probability,
    propagate,
    with_stroke,
)


def enumerated(evidence, factors):
    """P(person) of every node by summing over all labellings; factors: (child, [(weight, parent)], λ)."""
    nodes = len(evidence)
    totals = np.zeros((nodes, 2))
    for state in itertools.product((0, 1), repeat=nodes):
        weight = np.prod([p if s else 1 - p for p, s in zip(evidence, state, strict=True)])
        for child, places, agreement in factors:
            weight *= sum(w * (agreement if state[child] == state[p] else 1 - agreement) for w, p in places)
        totals[range(nodes), state] += weight
    return totals[:, 1] / totals.sum(axis=1)


def odds(p):
    return np.log(p / (1 - p))


@given(st.data())
def test_exact_on_any_forest(data):
    frames, pixels = data.draw(st.sampled_from(((2, 4), (3, 3), (4, 2), (9, 1))))
    agreement = data.draw(st.floats(0.5, 0.9999))
    flat = st.lists(st.floats(0.001, 0.999), min_size=frames * pixels, max_size=frames * pixels)
    p = np.array(data.draw(flat)).reshape(frames, pixels)
    link = st.lists(st.integers(-1, pixels - 1), min_size=pixels, max_size=pixels)
    parents = [np.array(data.draw(link), np.int32) for _ in range(frames - 1)]
    factors = [
        ((k + 1) * pixels + i, [(1.0, k * pixels + j)], agreement)
        for k, parent in enumerate(parents)
        for i, j in enumerate(parent)
        if j >= 0
    ]
    found = np.concatenate([probability(b) for b in carry_exactly(list(odds(p)), parents, agreement)])
    assert np.abs(found - enumerated(p.ravel(), factors)).max() < 1e-9


@given(st.floats(0.5, 0.9999), st.lists(st.floats(0.01, 0.99), min_size=4, max_size=4), st.floats(0.05, 0.95))
def test_mixture_is_exact_where_no_loop_closes(agreement, p, weight):
    """Three pixels of one frame, of which the next frame's single pixel may come from two."""
    target = np.array([[0], [2]], np.int32)
    cost = np.array([[0.0], [-2 * np.log(1 / weight - 1)]]) if weight > 0.5 else np.zeros((2, 1))
    links = [Links(target, np.maximum(cost, 0).astype(np.float32) * 1e-4)]
    w = link_weights(links[0]).astype(np.float64)[:, 0]
    assert w.sum() == pytest.approx(1)
    evidence = [odds(np.array(p[:3])), odds(np.array(p[3:]))]
    found = np.concatenate(
        [probability(b) for b in carry_mixture(evidence, links, Tree(agreement=agreement))]
    )
    expected = enumerated(np.array(p), [(3, [(w[0], 0), (w[1], 2)], agreement)])
    np.testing.assert_allclose(found, expected, atol=1e-6)


@given(st.integers(0, 2**32 - 1))
def test_mixture_of_one_is_the_tree(seed):
    random = np.random.default_rng(seed)
    evidence = list(random.normal(0, 2, (5, 12)))
    parents = [random.integers(-1, 12, 12).astype(np.int32) for _ in range(4)]
    links = [Links(t[None], random.random((1, 12)).astype(np.float32)) for t in parents]
    for one, other in zip(
        carry_exactly(evidence, parents, 0.97),
        carry_mixture(evidence, links, Tree(agreement=0.97, sweeps=1)),
        strict=True,
    ):
        np.testing.assert_allclose(one, other, atol=1e-6)


@given(st.floats(-700, 700), st.floats(0.5, 0.9999))
def test_what_crosses_a_link(d, agreement):
    found = float(mix(np.array([d]), agreement)[0])
    person = probability(np.array([d]))[0]
    expected = agreement * person + (1 - agreement) * (1 - person)
    assert probability(np.array([found]))[0] == pytest.approx(expected, abs=1e-12)
    assert found == -float(mix(np.array([-d]), agreement)[0])


def test_certainty_fades_with_distance():
    n, agreement = 40, 0.99
    evidence = [np.array([500.0])] + [np.zeros(1)] * n
    *_, last = carry_exactly(evidence, [np.zeros(1, np.int32)] * n, agreement)
    assert probability(last)[0] == pytest.approx((1 + (2 * agreement - 1) ** n) / 2, abs=1e-12)


def scene(size=(48, 64), seed=0):
    return cv2.GaussianBlur(
        np.random.default_rng(seed).integers(0, 255, (*size, 3)).astype(np.uint8), (0, 0), 1
    )


def moving_square(frames=9, step=3):
    """Pictures of a square that crosses a scene, and its masks."""
    square = scene((16, 16), seed=1) // 2 + 100
    pictures, masks = [], []
    for k in range(frames):
        picture, mask = scene(), np.zeros((48, 64), bool)
        place = (slice(16, 32), slice(5 + step * k, 21 + step * k))
        picture[place], mask[place] = square, True
        pictures.append(picture)
        masks.append(mask)
    return pictures, np.array(masks)


def seeded(masks, frames):
    known = np.full(masks.shape, 0.5, np.float32)
    known[frames] = np.where(masks[frames], 0.99, 0.01)
    return known


def iou(person, mask):
    return ((person > 0.5) & mask).sum() / ((person > 0.5) | mask).sum()


def test_still_clip_adds_up_its_seeds():
    p = np.random.default_rng(0).uniform(0.2, 0.8, (3, 48, 64)).astype(np.float32)
    person = propagate(map_window([scene()] * 3), list(p), Tree(agreement=1 - 1e-9)).person
    expected = probability(odds(p.astype(np.float64)).sum(axis=0))
    for frame in person:
        np.testing.assert_allclose(frame, expected, atol=1e-5)


def test_moving_square_is_followed_from_one_seeded_frame():
    frames, masks = moving_square()
    result = propagate(map_window(frames), list(seeded(masks, [4])))
    for person, mask in zip(result.person, masks, strict=True):
        assert iou(person, mask) > 0.85
    assert result.person.dtype == np.float32


@pytest.mark.parametrize("search", [Search(), Search(links=3), Search(pyramid=True)])
def test_a_hole_in_one_frame_is_filled_from_its_neighbours(search):
    frames, masks = moving_square()
    known = seeded(masks, [0, 1, 2, 3, 5, 6, 7, 8])
    person = propagate(map_window(frames, search), list(known)).person[4]
    assert iou(person, masks[4]) > 0.9
    inner = cv2.erode(masks[4].astype(np.uint8), np.ones((5, 5), np.uint8)).astype(bool)
    # Background that comes into sight has to come from somewhere, and may drag a pixel or two along.
    assert (person[inner] > 0.9).mean() > 0.98


def test_an_object_without_seeds_stays_undecided():
    frames, masks = moving_square()
    thing = scene((12, 12), seed=9) // 3 + 150
    inside = np.zeros(masks.shape[1:], bool)
    inside[37:45, 44:52] = True
    known = seeded(masks, list(range(9)))
    for k in range(3, 9):  # it appears in frame 3
        frames[k][35:47, 42:54] = thing
        known[k, 33:48, 40:56] = 0.5
    cut = propagate(map_window(frames, Search(most_cost=0.05, patch=3)), list(known)).person
    assert (np.abs(cut[3:, inside] - 0.5) <= 0.05).all()
    # Without the guard the direction in which it has to come from somewhere is wrong; the other still does
    # not know, so that the mean is never sure.
    person = propagate(map_window(frames), list(known)).person
    assert (np.abs(person[3:, inside] - 0.5) < 0.3).all()


def test_nothing_is_carried_across_a_change_of_shot():
    frames, masks = moving_square(8)
    frames[4:] = [255 - scene(seed=5) // 3] * 4
    mapping = map_window(frames)
    person = propagate(mapping, list(seeded(masks, [1]))).person
    assert mapping.shot_changes == [4]
    assert (person[4:] == 0.5).all()
    assert (person[3] != 0.5).any()


def test_agreement_leaves_contradictions_undecided():
    one = np.array([[0.9, 0.9, 0.45, 0.2]], np.float32)
    other = np.array([[0.8, 0.1, 0.8, 0.3]], np.float32)
    agree = combined(one, other, Tree(combine=Combine.AGREE))
    np.testing.assert_allclose(agree, [[0.85, 0.5, 0.5, 0.25]], atol=1e-6)
    np.testing.assert_allclose(combined(one, other, Tree()), (one + other) / 2)


def test_what_is_hidden_in_one_direction_is_marked():
    """One forest says person, the other background: pixels linked to different things before and after."""
    size, nothing = (1, 2), np.zeros((1, 2), np.float32)
    to = lambda *t: Links(np.array([t], np.int32), nothing)  # noqa: E731
    mapping = Mapping(size, [to(0, 1), to(-1, -1)], [to(-1, -1), to(0, 1)])
    known = [np.array([[p, 0.5]], np.float32) for p in (0.99, 0.5, 0.01)]
    result = propagate(mapping, known)
    assert result.occluded[1].tolist() == [[True, False]]
    assert result.person[1, 0] == pytest.approx([0.5, 0.5], abs=1e-6)


def test_smoothing_follows_the_picture():
    picture = np.zeros((20, 20, 3), np.uint8)
    picture[:, 10:] = 200
    known = np.where(np.arange(20) < 10, 0.3, 0.7)[None].repeat(20, 0).astype(np.float32)
    known[5, 5], known[5, 15] = 0.6, 0.4  # two pixels that disagree with their surroundings
    mapping = map_window([picture, picture])
    rough, smooth = (
        propagate(mapping, [known, known], Tree(smoothness=g), frames=[picture] * 2).person
        for g in (0.0, 2.0)
    )
    assert rough[0, 5, 5] > 0.5 > rough[0, 5, 15]
    assert (smooth[0][:, :10] < 0.5).all()
    assert (smooth[0][:, 10:] > 0.5).all()
    with pytest.raises(ValueError, match="pictures"):
        propagate(mapping, [known, known], Tree(smoothness=1.0))


@pytest.mark.slow
def test_forest_tells_by_colour_what_no_link_reaches():
    random = np.random.default_rng(0)
    frames, known = [], []
    for k in range(4):
        picture = random.integers(0, 60, (40, 40, 3)).astype(np.uint8)
        picture[:, 10 * k : 10 * k + 10, 0] += 150
        frames.append(picture)
        known.append(np.full((40, 40), 0.5, np.float32))
    for k in (0, 1):
        known[k][:] = 0.01
        known[k][:, 10 * k : 10 * k + 10] = 0.99
    cut = Mapping((40, 40), [Links(np.full((1, 1600), -1, np.int32), np.zeros((1, 1600), np.float32))] * 3)
    cut.later.extend(cut.earlier)
    without = propagate(cut, known)
    runs = [propagate(cut, known, Tree(forest=True), frames=frames).person for _ in "ab"]
    assert (without.person[3] == 0.5).all()
    mask = np.zeros((40, 40), bool)
    mask[:, 30:] = True
    assert iou(runs[0][3], mask) > 0.8
    np.testing.assert_array_equal(runs[0], runs[1])
    np.testing.assert_allclose(runs[0][0], known[0], atol=1e-6)  # a seed is no opinion


def test_forest_with_one_label_only_says_nothing():
    frames = [scene()] * 2
    known = [np.full((48, 64), 0.99, np.float32)] * 2
    mapping = map_window(frames)
    with_forest = propagate(mapping, known, Tree(forest=True), frames=frames).person
    np.testing.assert_array_equal(with_forest, propagate(mapping, known).person)


def test_a_stroke_wins_over_wrong_seeds_around_it():
    frames, masks = moving_square()
    known = seeded(masks, list(range(9)))
    wrong = np.zeros(masks.shape[1:], bool)
    wrong[2:12, 2:14] = True
    known[:, wrong] = 0.99  # the factor takes a piece of the wall for a person, in every frame
    mapping = map_window(frames)
    before = propagate(mapping, list(known)).person
    drawn = np.zeros_like(wrong)
    drawn[1:13, 1:15] = True
    unaries = with_stroke(mapping, list(known), 4, drawn, person=False)
    after = propagate(mapping, unaries).person
    inner = np.zeros_like(wrong)
    inner[4:10, 4:12] = True
    assert (before[:, inner] > 0.9).mean() > 0.98
    assert (after[:, inner] < 0.2).mean() > 0.98
    assert (known[:, wrong] == np.float32(0.99)).all()  # the seeds given are not changed
    assert min(iou(p, m) for p, m in zip(after, masks, strict=True)) > 0.9


def test_labels_of_the_grid():
    person = np.full((3, 16, 32), 0.05, np.float32)
    person[0, :8, :8], person[0, 8:, :8] = 0.95, 0.6
    person[2] = 0.97
    made = labels(person, (4, 2))
    assert made.labels[0].tolist() == [[1, 0, 0, 0], [255, 0, 0, 0]]
    assert made.used.tolist() == [True, False, False]  # no person in the second, nothing else in the third


def test_frames_are_handed_over_as_they_are_ready():
    frames, masks = moving_square(4)
    mapping, known = map_window(frames), list(seeded(masks, [0]))
    seen = {}
    result = propagate(mapping, known, on_frame=lambda k, p: seen.setdefault(k, p.copy()))
    assert list(seen) == [3, 2, 1, 0]
    np.testing.assert_array_equal(np.array([seen[k] for k in range(4)]), result.person)

    def stop(k, p):
        raise InterruptedError

    with pytest.raises(InterruptedError):
        propagate(mapping, known, on_frame=stop)


def test_one_frame_and_bad_input():
    one = map_window([scene()])
    known = np.full((48, 64), 0.3, np.float32)
    known[0, 0] = np.nan
    person = propagate(one, [known]).person[0]
    assert person[0, 0] == 0.5
    assert person[1, 1] == pytest.approx(0.3)
    with pytest.raises(ValueError, match="expected 1 maps"):
        propagate(one, [known, known])
    with pytest.raises(ValueError, match="agreement"):
        Tree(agreement=1.0)
