"""One person among others: numbers, colours and masks are drawn, so that who is who is known exactly."""

from __future__ import annotations

import numpy as np

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
    twins,
    zones,
)
from runtime.tracking.similarity import Sighting

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


def test_a_mask_that_suddenly_holds_two_teaches_nothing():
    found = clip({1: body(20, RED)}, {1: body(20, RED, width=40)}, {1: body(22, RED)})
    assert owners(follow(found, 0, 1)) == [1, None, 1]


def test_a_double_of_the_chosen_person_is_not_somebody_else():
    found = clip(*[{1: body(20, RED), 2: body(22, RED, width=12)}] * 2, {2: body(22, RED, width=12)})
    roles = follow(found, 0, 1)
    assert all(not r.others for r in roles)
    assert roles[2].own == 2


def test_a_twin_behind_a_mirror_is_followed_by_nobody_and_named():
    found = clip(*({1: body(20 + i, RED), 2: body(100 - i, ROSE), 3: body(60, BLUE)} for i in range(6)))
    roles = follow(found, 0, 1)
    assert owners(roles) == [1] * 6
    assert twins(found, roles) == {2}


def test_a_person_cut_by_the_frame_is_followed_while_anything_is_seen():
    found = clip(*({1: body(x, RED), 2: body(80, BLUE)} for x in (10, 2, -6, -10)))
    assert owners(follow(found, 0, 1)) == [1] * 4
    cut = zones(found, follow(found, 0, 1), 13, SHAPE)[12]
    assert cut[30, 2] == OWN
    assert cut[30, 85] == OTHER


def test_the_largest_who_moves_is_neither_the_largest_nor_the_fastest():
    found = clip(*({1: body(2, BLUE, 40, 56), 2: body(50 + 3 * i, RED), 3: body(60 + 5 * i, GREEN, 3, 6)}
                   for i in range(6)))  # fmt: skip
    assert largest_moving(found)[1] == 2
    still = clip(*({1: body(2, BLUE, 40, 56), 2: body(70, RED)} for _ in range(4)))
    assert largest_moving(still)[1] == 1
    assert largest_moving(clip({}, {})) is None
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
    fast = clip({1: body(20, RED)}, {1: body(56, RED)})
    assert (zones(fast, follow(fast, 0, 1), 5, SHAPE)[2][30, [25, 65]] == BESIDE).all()


def test_where_nobody_is_seen_the_chosen_one_is_where_a_silhouette_is_sure():
    found = clip({1: body(20, RED)}, {}, {1: body(24, RED)})
    made = zones(found, follow(found, 0, 1), 9, SHAPE)[4]
    assert (made[30, 20:36] == BESIDE).all()
    assert made[30, 80] == NOBODY


def test_at_the_border_of_two_who_touch_nobody_is_sure():
    found = clip({1: body(20, RED), 2: body(36, BLUE)})
    row = zones(found, follow(found, 0, 1), 1, SHAPE)[0][30]
    assert row[25] == OWN
    assert row[45] == OTHER
    assert row[36] == NOBODY


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
    whose = np.array([[OWN, OTHER, NOBODY, NOBODY]], np.uint8)
    assert np.allclose(
        alone(np.array([[0.99, 0.99, 0.99, 0.01]], np.float32), whose, 0.01), [[0.99, 0.01, 0.5, 0.01]]
    )


def test_furniture_beside_the_mask_is_doubtful_and_hair_is_not():
    found = clip({1: body(20, RED)})
    whose = zones(found, follow(found, 0, 1), 1, SHAPE)[0]
    person = np.full(SHAPE, 0.02, np.float32)
    person[30, 20:36], person[30, 37:39], person[31, 37:39] = 0.7, 0.7, 0.95
    seeds = alone(person, whose, 0.01)
    assert np.allclose(seeds[30, [25, 37, 80]], [0.7, 0.5, 0.02])
    assert np.allclose(seeds[31, 37], 0.95)


def test_the_middle_of_somebody_bent_is_a_point_on_them():
    bent = np.zeros((10, 20), np.uint8)
    bent[:, 4], bent[0, 4:16], bent[:, 15] = 255, 255, 255
    x, y = middle_of(bent, (200, 200))
    assert bent[int(y / 20), int(x / 10)]
    assert (x, y) == (95.0, 10.0)
