"""One person among others: numbers, colours and masks are drawn, so that who is who is known exactly."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from personalize.chosen_person import (
    BESIDE,
    NOBODY,
    OTHER,
    OWN,
    FrameRoles,
    PeopleInFrame,
    alone,
    follow,
    largest_moving,
    middle_of,
    person_at,
    silhouette_regions,
    twins,
    zones,
)
from runtime.tracking.similarity import SAME_COLOUR, Sighting

SHAPE = (72, 128)
RED, BLUE, ROSE, GREEN = (200, 30, 30), (30, 30, 200), (196, 34, 36), (30, 190, 40)


def body(x, colour, width=16, height=48, score=0.8):
    """A person standing with the left edge at x; what is beside the picture is cut off."""
    mask = np.zeros(SHAPE, bool)
    mask[12 : 12 + height, max(x, 0) : max(x + width, 0)] = True
    points = np.array([(x, 12), (x + width, 12), (x, 12 + height), (x + width, 12 + height)], np.float32)
    colours = np.tile(np.array(colour, np.float32), (3, 1))
    size = float(np.sqrt(width * height))
    return Sighting(
        points, np.ones(4, np.float32), score, size, mask, (1, 1), colours, np.ones(3, np.float32)
    )


def clip(*frames):
    """Each a dictionary of numbers and people; every fourth frame is searched."""
    return [
        PeopleInFrame(4 * i, people, {n: p.cells for n, p in people.items()})
        for i, people in enumerate(frames)
    ]


def owners(roles):
    return [r.own for r in roles]


def test_the_other_person_is_somebody_else_in_all_frames():
    found = clip(*({1: body(10 + i, RED), 2: body(80 - i, BLUE)} for i in range(5)))
    for start in (0, 2, 4):
        assert follow(found, start, 1) == [FrameRoles(1, frozenset({2}))] * 5


def test_two_who_cross_and_change_numbers_are_told_apart_by_colours():
    before = [{1: body(20, RED), 2: body(80, BLUE)}] * 3
    after = [{2: body(80, RED), 1: body(20, BLUE)}] * 3
    found = clip(*before, *after)
    assert owners(follow(found, 0, 1)) == [1, 1, 1, 2, 2, 2]
    assert owners(follow(found, 5, 2)) == [1, 1, 1, 2, 2, 2]  # and backwards
    assert [r.others for r in follow(found, 0, 1)] == [{2}] * 3 + [{1}] * 3


def test_after_numbers_were_changed_it_is_still_known_who_else_was_there():
    before = {1: body(20, RED), 2: body(60, BLUE), 3: body(100, ROSE)}
    found = clip(
        before, before, {2: body(60, RED), 1: body(20, BLUE)},
        {2: body(60, RED, width=40), 1: body(20, BLUE)}, {3: body(100, ROSE)},
    )  # fmt: skip
    roles = follow(found, 0, 1)
    assert owners(roles) == [1, 1, 2, None, None]
    assert [r.others for r in roles] == [{2, 3}, {2, 3}, {1}, {1}, {3}]


@pytest.mark.parametrize(("ratio", "number"), [(2.5, 1), (3.5, 2)])
def test_numbers_change_with_colours_three_times_as_alike_crosswise(ratio, number):
    apart, on = SAME_COLOUR, SAME_COLOUR * (1 + np.log(ratio)) / 2
    greys = (100, 100 + apart), (100 + on, 100 + apart - on)
    found = clip(*({1: body(20, (a,) * 3), 2: body(80, (b,) * 3)} for a, b in greys))
    assert owners(follow(found, 0, 1)) == [1, number]
    strange = {1: body(20, (30, 190, 90)), 2: body(80, (90, 190, 30))}  # neither was seen like this
    found = clip({1: body(20, RED), 2: body(80, BLUE)}, strange)
    assert follow(found, 0, 1)[1] == FrameRoles(None, frozenset({2}))


def test_two_dressed_alike_who_cross_keep_the_numbers_of_the_tracker():
    found = clip(*[{1: body(20, RED), 2: body(80, ROSE)}] * 3, *[{1: body(80, ROSE), 2: body(20, RED)}] * 3)
    assert owners(follow(found, 0, 1)) == [1] * 6


def test_who_leaves_and_returns_under_another_number_is_known_by_colours():
    found = clip(
        {1: body(90, RED), 2: body(30, BLUE)}, {1: body(118, RED), 2: body(30, BLUE)},
        {2: body(30, BLUE)}, {2: body(30, BLUE)},
        {2: body(30, BLUE), 5: body(118, ROSE)}, {2: body(30, BLUE), 5: body(90, ROSE)},
    )  # fmt: skip
    roles = follow(found, 0, 1)
    assert owners(roles) == [1, 1, None, None, 5, 5]
    assert [r.others for r in roles] == [{2}] * 6


def test_a_newcomer_is_nobody_until_both_are_seen():
    """Other colours may be the other side of the same person."""
    new = body(90, GREEN)
    found = clip({1: body(90, RED)}, {}, {3: new}, {3: new, 4: body(20, RED)}, {3: new})
    roles = follow(found, 0, 1)
    assert owners(roles) == [1, None, None, 4, None]
    assert [r.others for r in roles] == [frozenset()] * 3 + [{3}] * 2


def test_who_was_seen_beside_the_one_who_left_is_not_taken_for_them():
    found = clip(*[{1: body(20, RED), 2: body(80, ROSE)}] * 2, {2: body(80, ROSE)})
    assert follow(found, 0, 1)[2] == FrameRoles(None, frozenset({2}))


def test_who_is_beside_later_is_somebody_else_earlier_too():
    both = {1: body(20, RED), 2: body(80, BLUE)}
    found = clip({2: body(80, BLUE)}, {1: body(20, RED)}, both)
    assert follow(found, 1, 1) == [
        FrameRoles(None, frozenset({2})),
        FrameRoles(1),
        FrameRoles(1, frozenset({2})),
    ]


def test_whose_number_somebody_else_takes_later_is_not_somebody_else_earlier():
    both = {1: body(20, RED), 2: body(80, BLUE)}
    found = clip({1: body(20, RED, width=40)}, both, both, {2: body(80, RED), 1: body(20, BLUE)})
    roles = follow(found, 1, 1)
    assert roles == [FrameRoles(), *[FrameRoles(1, frozenset({2}))] * 2, FrameRoles(2, frozenset({1}))]


def test_a_number_is_not_believed_while_its_colours_are_somebody_elses():
    found = clip({1: body(20, RED)}, {1: body(20, BLUE)}, {1: body(20, RED)})
    assert owners(follow(found, 0, 1)) == [1, None, 1]


def test_a_mask_that_suddenly_holds_two_teaches_nothing():
    found = clip({1: body(20, RED)}, {1: body(20, RED, width=40)}, {1: body(22, RED)})
    assert owners(follow(found, 0, 1)) == [1, None, 1]


@pytest.mark.parametrize(
    ("widths", "followed"),
    [
        ((16, 27), [1, 1]),
        ((16, 28), [1, None]),
        ((16, 27, 30), [1, 1, 1]),  # 27 has made 17.65 usual
        ((16, 27, 31), [1, 1, None]),
        ((16, 0, 40, 60), [1, None, 1, 1]),  # who comes back is as large as they are
        ((16, 0, 40, 69), [1, None, 1, None]),
    ],
)
def test_a_mask_may_grow_by_seven_tenths_and_what_is_usual_follows_slowly(widths, followed):
    found = clip(*({1: body(10, RED, width)} if width else {} for width in widths))
    if 0 in widths:
        found = clip(*({1 + 4 * (i > 1): body(10, RED, w)} if w else {} for i, w in enumerate(widths)))
        followed = [n and n + 4 * (i > 1) for i, n in enumerate(followed)]
    assert owners(follow(found, 0, 1)) == followed


def test_a_double_of_the_chosen_person_is_not_somebody_else():
    found = clip(*[{1: body(20, RED), 2: body(22, RED, width=12)}] * 2, {2: body(22, RED, width=12)})
    roles = follow(found, 0, 1)
    assert all(not r.others for r in roles)
    assert roles[2].own == 2


@pytest.mark.parametrize(("x", "others"), [(28, {2}), (27, set())])
def test_a_mask_that_is_half_outside_is_somebody_else(x, others):
    found = clip({1: body(20, RED), 2: body(x, BLUE), -3: body(80, GREEN)})  # -3: of this frame alone
    assert follow(found, 0, 1) == [FrameRoles(1, frozenset(others))]


def test_a_twin_behind_a_mirror_is_followed_by_nobody_and_named():
    found = clip(*({1: body(20 + i, RED), 2: body(100 - i, ROSE), 3: body(60, BLUE)} for i in range(6)))
    roles = follow(found, 0, 1)
    assert owners(roles) == [1] * 6
    assert twins(found, roles) == {2}


def test_a_person_cut_by_the_frame_is_followed_while_anything_is_seen():
    found = clip(*({1: body(x, RED), 2: body(80, BLUE)} for x in (10, 2, -6, -10)))
    assert owners(follow(found, 0, 1)) == [1] * 4
    cut = zones(found, follow(found, 0, 1), 13, SHAPE)[12]
    np.testing.assert_array_equal(np.nonzero(cut[30] == OWN)[0], range(7))
    assert cut[30, 85] == OTHER


def test_the_largest_who_moves_is_neither_the_largest_nor_the_fastest():
    found = clip(*({1: body(2, BLUE, 40, 56), 2: body(50 + 3 * i, RED), 3: body(60 + 5 * i, GREEN, 3, 6)}
                   for i in range(6)))  # fmt: skip
    assert largest_moving(found)[1] == 2
    still = clip(*({1: body(2, BLUE, 40, 56), 2: body(70, RED)} for _ in range(4)))
    assert largest_moving(still)[1] == 1
    assert largest_moving(clip({}, {})) is None
    seen = [body(10, RED), body(10, RED, score=0.9), body(10, RED, 18, score=0.75), body(10, RED, 4)]
    assert largest_moving(clip(*({1: person} for person in seen))) == (1, 1)
    assert largest_moving(clip(*({1: person} for person in seen[::2]))) == (1, 1)
    noisy = clip(*({1: body(2 + i % 2, BLUE, 50, 58), 2: body(70 + i, GREEN, 3, 20)} for i in range(6)))
    assert largest_moving(noisy)[1] == 2


def test_zones_of_frames_between_those_that_were_searched():
    found = clip({1: body(20, RED), 2: body(80, BLUE)}, {1: body(24, RED), 2: body(84, BLUE)})
    made = zones(found, follow(found, 0, 1), 6, SHAPE)
    assert (made[2][30, 24:36] == OWN).all()
    assert (made[2][30, [18, 22, 37, 42]] == BESIDE).all()
    assert (made[2][30, 82:98] == OTHER).all()
    assert made[2][30, 60] == NOBODY
    assert (made[5] == made[4]).all()  # nothing was searched after it
    fast = clip(*({1: body(x, RED), 2: body(110, BLUE)} for x in (20, 56)))
    assert (zones(fast, follow(fast, 0, 1), 5, SHAPE)[2][30, [25, 65]] == BESIDE).all()


@pytest.mark.parametrize("own", [((20, 16), (24, 16)), ((24, 12), (20, 20)), ((20, 20), (24, 12))])
def test_between_two_places_sure_is_what_is_in_both_and_nobody_near_either(own):
    others = body(40, BLUE), body(44, BLUE)
    found = clip(*({1: body(x, RED, width), 2: other} for (x, width), other in zip(own, others, strict=True)))
    expected = np.full(128, NOBODY)
    expected[17:23], expected[23:37], expected[42:60] = BESIDE, OWN, OTHER
    np.testing.assert_array_equal(zones(found, follow(found, 0, 1), 5, SHAPE)[2][30], expected)


def test_before_the_first_and_after_the_last_searched_frame_those_two_hold():
    found = [replace(at, frame=at.frame + 2) for at in clip({1: body(20, RED)}, {1: body(70, RED)})]
    made = zones(found, follow(found, 0, 1), 9, SHAPE)
    for k in (0, 1, 2):
        assert set(np.nonzero(made[k] == OWN)[1]) == set(range(19, 37))
    for k in (6, 7, 8):
        assert set(np.nonzero(made[k] == OWN)[1]) == set(range(69, 87))
    for k in (3, 4, 5):
        assert not (made[k] == OWN).any()
        assert set(np.nonzero(made[k] == BESIDE)[1]) == {*range(17, 39), *range(67, 89)}


@pytest.mark.parametrize(("x", "columns"), [(40, slice(36, 64)), (2, slice(0, 26)), (106, slice(102, 128))])
@pytest.mark.parametrize(("up", "rows"), [(0, slice(8, 64)), (10, slice(0, 54))])
def test_who_is_not_seen_is_expected_round_the_last_and_the_next_place(x, columns, up, rows):
    """16 by 48 pixels reach 3.3 pixels further, and one for good measure."""
    found = clip({1: body(x, RED)}, {}, {1: body(x + 4, RED)})
    found = [replace(at, masks={n: np.roll(m, -up, 0) for n, m in at.masks.items()}) for at in found]
    expected = np.full(SHAPE, NOBODY)
    expected[rows, columns] = BESIDE
    np.testing.assert_array_equal(zones(found, follow(found, 0, 1), 9, SHAPE)[4], expected)


@pytest.mark.parametrize(
    ("others", "between", "zone"),
    [
        ({}, {3: body(22, GREEN)}, BESIDE),  # maybe the chosen one
        ({2: body(100, BLUE)}, {}, BESIDE),
        ({2: body(100, BLUE)}, {2: body(100, BLUE)}, NOBODY),
    ],
)
def test_a_silhouette_is_believed_unless_somebody_else_may_be_meant(others, between, zone):
    found = clip({1: body(20, RED), **others}, between, {1: body(24, RED), **others})
    made = zones(found, follow(found, 0, 1), 9, SHAPE)[4]
    assert (made[12:60, 20:40] == zone).all()


def test_where_nobody_is_seen_the_chosen_one_is_where_a_silhouette_is_sure():
    found = clip({1: body(20, RED)}, {}, {1: body(24, RED)})
    made = zones(found, follow(found, 0, 1), 9, SHAPE)[4]
    assert (made[30, 20:36] == BESIDE).all()
    assert made[30, 80] == NOBODY


def test_at_the_border_of_two_who_touch_nobody_is_sure():
    found = clip({1: body(20, RED), 2: body(36, BLUE)})
    row = zones(found, follow(found, 0, 1), 1, SHAPE)[0][30]
    expected = np.full(128, NOBODY)
    expected[17:19], expected[19:34], expected[38:52] = BESIDE, OWN, OTHER
    np.testing.assert_array_equal(row, expected)


def test_where_the_chosen_one_is_missed_nothing_wrong_is_taught():
    """The mask of the person in front may hold the one who is behind; further away it is background."""
    both = {1: body(20, RED), 2: body(30, BLUE), 3: body(100, GREEN)}
    found = clip(both, {2: body(26, BLUE), 3: body(100, GREEN)}, both)
    made = zones(found, follow(found, 0, 1), 9, SHAPE)
    assert not (made[4] == OWN).any()
    assert (made[4][:, 20:36] == NOBODY).all()
    assert (made[4][30, 102:114] == OTHER).all()
    sure = np.full(SHAPE, 0.99, np.float32)
    seeds = alone(sure, made[4], 0.01)
    assert (seeds[:, 20:36] == 0.5).all()
    assert np.isclose(seeds[30, 105], 0.01)


def test_seeds_of_background_stay_and_the_chosen_one_keeps_his():
    whose = np.array([[OWN, OTHER, NOBODY, NOBODY, BESIDE, BESIDE, BESIDE]], np.uint8)
    person = np.array([[0.99, 0.99, 0.51, 0.49, 0.8, 0.79, 0.3]], np.float32)
    seeds = [[0.99, 0.01, 0.5, 0.49, 0.8, 0.5, 0.3]]
    np.testing.assert_array_equal(alone(person, whose, 0.01), np.float32(seeds))


def test_furniture_beside_the_mask_is_doubtful_and_hair_is_not():
    found = clip({1: body(20, RED)})
    whose = zones(found, follow(found, 0, 1), 1, SHAPE)[0]
    person = np.full(SHAPE, 0.02, np.float32)
    person[30, 20:36], person[30, 37:39], person[31, 37:39] = 0.7, 0.7, 0.95
    seeds = alone(person, whose, 0.01)
    assert np.allclose(seeds[30, [25, 37, 80]], [0.7, 0.5, 0.02])
    assert np.allclose(seeds[31, 37], 0.95)


def block(top, bottom, left, right):
    mask = np.zeros((50, 100), bool)
    mask[top:bottom, left:right] = True
    return mask


@pytest.mark.parametrize(
    ("x", "y", "hit"),
    [
        (22, 22, 1),  # in both; the second one's middle is nearer
        (30.5, 24.4, 1),  # nearer to the first, but hardly beside the second
        (12, 30, 0),
        (40.9, 21, 1),  # hardly beside both
        (41.6, 21, 1),
        (42.5, 30.5, 0),  # two pixels from the middle of the nearest
        (42.6, 30.5, None),
        (70.5, 8.5, 2),
        (70.5, 48.5, None),
    ],
)
def test_a_click_on_or_beside_somebody_means_them(x, y, hit):
    masks = [block(10, 40, 10, 41), block(20, 24, 20, 41), block(10, 12, 70, 71), block(0, 0, 0, 0)]
    assert person_at(masks, x / 100, y / 50) == hit


def test_regions_of_a_silhouette_are_a_thousandth_of_the_picture():
    silhouette = block(0, 1, 0, 5) | block(10, 11, 50, 54) | block(30, 32, 7, 10) | block(32, 33, 10, 11)
    found = silhouette_regions(silhouette)
    np.testing.assert_array_equal(found, [block(0, 1, 0, 5), block(30, 32, 7, 10) | block(32, 33, 10, 11)])


def test_the_middle_of_somebody_bent_is_a_point_on_them():
    bent = np.zeros((10, 20), np.uint8)
    bent[:, 4], bent[0, 4:16], bent[:, 15] = 255, 255, 255
    assert middle_of(bent, (205, 203)) == pytest.approx((97.375, 10.15))
    assert middle_of(bent.T, (203, 205)) == pytest.approx((10.15, 97.375))
