"""Propagation: exact against enumeration, and what a user would see of it."""

from __future__ import annotations

import itertools

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from personalize.correspondence import Correspondence, match_window
from personalize.propagation import PropagationConfig, mix, probability, propagate, sum_product, with_stroke


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
    found = np.concatenate([probability(b) for b in sum_product(list(odds(p)), parents, agreement)])
    assert np.abs(found - enumerated(p.ravel(), factors)).max() < 1e-9


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
    *_, last = sum_product(evidence, [np.zeros(1, np.int32)] * n, agreement)
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
    person = propagate(match_window([scene()] * 3), list(p), PropagationConfig(agreement=1 - 1e-9))
    expected = probability(odds(p.astype(np.float64)).sum(axis=0))
    for frame in person:
        np.testing.assert_allclose(frame, expected, atol=1e-5)


def test_moving_square_is_followed_from_one_seeded_frame():
    frames, masks = moving_square()
    result = propagate(match_window(frames), list(seeded(masks, [4])))
    for person, mask in zip(result, masks, strict=True):
        assert iou(person, mask) > 0.85
    assert result.dtype == np.float32


def test_a_hole_in_one_frame_is_filled_from_its_neighbours():
    frames, masks = moving_square()
    known = seeded(masks, [0, 1, 2, 3, 5, 6, 7, 8])
    person = propagate(match_window(frames), list(known))[4]
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
    # The direction in which it has to come from somewhere is wrong; the other still does not know, so that
    # the mean is never sure.
    person = propagate(match_window(frames), list(known))
    assert (np.abs(person[3:, inside] - 0.5) < 0.3).all()


def test_nothing_is_carried_across_a_change_of_shot():
    frames, masks = moving_square(8)
    frames[4:] = [255 - scene(seed=5) // 3] * 4
    links = match_window(frames)
    person = propagate(links, list(seeded(masks, [1])))
    assert links.shot_changes == [4]
    assert (person[4:] == 0.5).all()
    assert (person[3] != 0.5).any()


def test_smoothing_follows_the_picture():
    picture = np.zeros((20, 20, 3), np.uint8)
    picture[:, 10:] = 200
    known = np.where(np.arange(20) < 10, 0.3, 0.7)[None].repeat(20, 0).astype(np.float32)
    known[5, 5], known[5, 15] = 0.6, 0.4  # two pixels that disagree with their surroundings
    links = match_window([picture, picture])
    rough, smooth = (
        propagate(links, [known, known], PropagationConfig(smoothness=g), frames=[picture] * 2)
        for g in (0.0, 2.0)
    )
    assert rough[0, 5, 5] > 0.5 > rough[0, 5, 15]
    assert (smooth[0][:, :10] < 0.5).all()
    assert (smooth[0][:, 10:] > 0.5).all()
    with pytest.raises(ValueError, match="pictures"):
        propagate(links, [known, known], PropagationConfig(smoothness=1.0))


def test_a_stroke_wins_over_wrong_seeds_around_it():
    frames, masks = moving_square()
    known = seeded(masks, list(range(9)))
    wrong = np.zeros(masks.shape[1:], bool)
    wrong[2:12, 2:14] = True
    known[:, wrong] = 0.99  # the factor takes a piece of the wall for a person, in every frame
    links = match_window(frames)
    before = propagate(links, list(known))
    drawn = np.zeros_like(wrong)
    drawn[1:13, 1:15] = True
    unaries = with_stroke(links, list(known), 4, drawn, person=False)
    after = propagate(links, unaries)
    inner = np.zeros_like(wrong)
    inner[4:10, 4:12] = True
    assert (before[:, inner] > 0.9).mean() > 0.98
    assert (after[:, inner] < 0.2).mean() > 0.98
    assert (known[:, wrong] == np.float32(0.99)).all()  # the seeds given are not changed
    assert min(iou(p, m) for p, m in zip(after, masks, strict=True)) > 0.9


def test_frames_are_handed_over_as_they_are_ready():
    frames, masks = moving_square(4)
    links, known = match_window(frames), list(seeded(masks, [0]))
    seen = {}
    result = propagate(links, known, on_frame=lambda k, p: seen.setdefault(k, p.copy()))
    assert list(seen) == [3, 2, 1, 0]
    np.testing.assert_array_equal(np.array([seen[k] for k in range(4)]), result)

    def stop(k, p):
        raise InterruptedError

    with pytest.raises(InterruptedError):
        propagate(links, known, on_frame=stop)


def test_one_frame_and_bad_input():
    one = match_window([scene()])
    known = np.full((48, 64), 0.3, np.float32)
    known[0, :3] = np.nan, 0, 1
    person = propagate(one, [known])[0]
    np.testing.assert_allclose(
        odds(person[0, :4].astype(float)), odds(np.array([0.5, 1e-6, 1 - 1e-6, 0.3])), rtol=0.01
    )
    with pytest.raises(ValueError, match="expected 1 maps"):
        propagate(one, [known, known])
    assert propagate(one, [known], PropagationConfig(0.5))[0, 1, 1] == pytest.approx(0.3)
    for agreement in (0.49, 1.0):
        with pytest.raises(ValueError, match="agreement"):
            PropagationConfig(agreement)


@pytest.mark.parametrize("person", [True, False])
def test_a_stroke_fades_along_its_track_for_thirty_frames(person):
    """Three pixels that stay; the stroke is on two, of which one comes into sight five frames earlier."""
    n = 70
    links = Correspondence((1, 3), [np.arange(3)] * (n - 1), [np.arange(3) for _ in range(n - 1)])
    links.later[29][1] = -1  # from frame 29 there is no way to frame 30
    known = [np.array([[0.6, 0.4, 0.3]], np.float32)] * n
    known[40] = np.array([[0.9999, 0.0001, 0.3]], np.float32)
    found = np.array(with_stroke(links, known, 35, np.array([[True, True, False]]), person=person))[:, 0]
    away = np.abs(np.arange(n) - 35)
    sure = np.where(away == 0, 0.4999, np.where(away <= 30, 0.49 * 0.98**away, 0))[:, None] * [1, 1, 0]
    sure[:30, 1] = 0
    before = np.array(known)[:, 0]
    least = 0.5 + sure if person else 0.5 - sure
    expected = np.where(sure > 0, np.maximum(before, least) if person else np.minimum(before, least), before)
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_a_stroke_is_followed_though_links_agree_little():
    """The program's λ forgets within three links; what the user drew holds for its track all the same."""
    frames, masks = moving_square(13)
    links = match_window(frames)
    known = np.full((13, *masks.shape[1:]), 0.05, np.float32)  # the network sees nobody at all
    drawn = masks[6]
    unaries = with_stroke(links, list(known), 6, drawn, person=True)
    after = propagate(links, unaries, PropagationConfig(0.9))
    assert min(iou(p, m) for p, m in zip(after, masks, strict=True)) > 0.7
    assert (np.array(unaries)[0, masks[0]] > 0.9).mean() > 0.7
    without = propagate(links, [*known[:6], unaries[6], *known[7:]], PropagationConfig(0.9))
    assert iou(without[0], masks[0]) < 0.1
