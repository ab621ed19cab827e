"""The number of a person stays: over noise, order, crossings, gaps, exits, doubles, seeks and cuts."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pytest

from models.labels import COCO17, LSP14, JointSet
from models.results import PersonResult, Pose, Result
from runtime.tracking.tracker import LOST_S, Tracker
from tests.unit.runtime.tracking.scenes import frame, number_at, person, result, shuffled


def numbers(found: Result) -> list[int | None]:
    return [p.track_id for p in found.people]


@pytest.mark.parametrize("fps", [6.0, 15.0, 60.0])
def test_numbers_stay_while_order_places_and_joints_change(fps: float) -> None:
    tracker = Tracker()
    for i in range(int(4 * fps)):
        t = i / fps
        xs = 100 + 40 * t, 300 + 20 * np.sin(3 * t), 520 - 45 * t
        people = [person(x, score=0.5 + 0.1 * n, noise_px=3, seed=9 * i + n) for n, x in enumerate(xs)]
        found = tracker.track(frame(i, fps), shuffled(people, i))
        assert [number_at(found, x, 16) for x in xs] == [3, 2, 1]  # the surest is first


@pytest.mark.parametrize(("fps", "speed"), [(12.5, 90.0), (25.0, 60.0), (25.0, 150.0), (60.0, 60.0)])
def test_two_who_cross_keep_their_numbers(fps: float, speed: float) -> None:
    """The one behind is not found while the bodies overlap."""
    tracker, switches = Tracker(), 0
    for i in range(int(480 / speed * fps)):
        t = i / fps
        a, b = 80 + speed * t, 560 - speed * t
        people = [person(a, 185, score=0.8, noise_px=2, seed=i)]
        if abs(a - b) > 26:
            people.append(person(b, 178, score=0.6, noise_px=2, seed=i + 1000))
        found = tracker.track(frame(i, fps), shuffled(people, i))
        hidden = len(people) == 1
        switches += number_at(found, a) != 1 or (not hidden and number_at(found, b) != 2)
    assert switches == 0


def test_somebody_missed_for_some_frames_has_the_old_number_and_one_gone_for_good_does_not() -> None:
    tracker, fps = Tracker(), 25.0
    missing = [*range(10, 13), *range(30, 30 + int(0.8 * LOST_S * fps))]
    for i in range(100):
        shown = [] if i in missing else [person(200 + 2 * i)]
        assert numbers(tracker.track(frame(i), result(*shown))) == [1] * len(shown)
    assert tracker.track(frame(100), result()).people == ()
    back = 101 + int(LOST_S * fps) + 5
    for i in range(101, back):
        tracker.track(frame(i), result())
    assert numbers(tracker.track(frame(back), result(person(400)))) == [2]


def test_somebody_new_where_another_left_is_another() -> None:
    """At the far side of the picture, within the time in which the first is still looked for."""
    tracker = Tracker()
    for i in range(40):
        tracker.track(frame(i), result(person(560 + 2 * i)))
    for i in range(40, 60):
        tracker.track(frame(i), result())
    assert numbers(tracker.track(frame(60), result(person(30)))) == [2]


def test_doubles_get_no_number_and_take_none() -> None:
    tracker = Tracker()
    for i in range(60):
        twice = person(200 + i, score=0.75, noise_px=2, seed=i)
        people = (person(200 + i), twice) if i % 2 else (twice,)
        found = tracker.track(frame(i), result(*people))
        assert sorted(n or 0 for n in numbers(found)) == ([0, 1] if i % 2 else [1])


def test_a_double_of_one_in_front_does_not_take_the_number_of_the_one_behind() -> None:
    tracker = Tracker()
    for i in range(20):
        tracker.track(frame(i), result(person(200 + 4 * i), person(280)))
    for i in range(20, 30):
        found = tracker.track(frame(i), result(person(280), person(281, score=0.2)))
        assert numbers(found)[1] is None
    found = tracker.track(frame(30), result(person(310), person(280, score=0.6)))
    assert sorted(n or 0 for n in numbers(found)) == [1, 2]


def test_unsure_people_get_a_number_when_they_stay_and_specks_never() -> None:
    tracker = Tracker()
    seen = [numbers(tracker.track(frame(i), result(person(200, score=0.2))))[0] for i in range(5)]
    assert seen == [None, None, 1, 1, 1]
    assert numbers(tracker.track(frame(5), result(person(200, score=0.06), person(500, score=0.06)))) == [
        1,
        None,
    ]


def test_a_paused_frame_changes_nothing_and_a_seek_brings_numbers_back() -> None:
    tracker = Tracker()
    for i in range(200):
        tracker.track(frame(i), result(*([person(150 + i), person(500 - i)] if i < 100 else [person(320)])))
    for _ in range(3):
        assert numbers(tracker.track(frame(199), result(person(320)))) == [3]
    found = tracker.track(frame(51), result(person(201), person(449)))
    assert (number_at(found, 201), number_at(found, 449)) == (1, 2)
    assert numbers(tracker.track(frame(5000), result(person(320)))) == [4]


def test_a_cut_gives_new_numbers_and_a_new_source_begins_at_one() -> None:
    tracker = Tracker()
    for i in range(5):
        tracker.track(frame(i), result(person(200)))
    assert numbers(tracker.track(frame(5, grey=200), result(person(200)))) == [2]
    assert numbers(tracker.track(frame(6, grey=200), result(person(200)))) == [2]
    assert numbers(tracker.track(frame(0, source=1), result(person(200)))) == [1]


@pytest.mark.parametrize("joints", [COCO17, LSP14])
def test_another_network_over_the_same_clip_keeps_numbers_if_its_joints_are_the_same(
    joints: JointSet,
) -> None:
    """A network may give coarser masks, or other joints; the clip, perhaps paused, stays."""
    tracker, seen, n = Tracker(), person(200), len(joints.names)
    pose, mask = seen.pose, seen.mask
    assert pose is not None
    assert mask is not None
    other = replace(seen, pose=Pose(joints, pose.points[:n], pose.scores[:n]), mask=mask[::7, ::9].copy())
    for shown in (seen, other, seen, other):
        found = numbers(tracker.track(frame(5), result(shown)))
        assert found == [1] or joints is LSP14
        assert found != [None]


def test_people_without_a_mask_have_no_number() -> None:
    whole = person(200)
    bare = PersonResult(whole.box, whole.score, whole.pose)
    assert numbers(Tracker().track(frame(0), result(bare, whole))) == [None, 1]


@pytest.mark.parametrize("count", [20, 100, 400])
def test_crowds_take_a_bounded_time(count: int) -> None:
    tracker, took = Tracker(), []
    for i in range(12):
        people = [
            person(
                20 + 6 * (n % 100) + i, 60 + 60 * (n // 25), 60, 0.3 + 0.6 * n / count, noise_px=1, seed=n + i
            )
            for n in range(count)
        ]
        given = shuffled(people, i)
        began_s = time.thread_time()
        found = tracker.track(frame(i), given)
        took.append(time.thread_time() - began_s)
        assert sum(p.track_id is not None for p in found.people) <= 100
    assert float(np.median(took)) < (0.01 if count == 20 else 0.2)
