"""Joints for display: steady at rest, quick in movement, untouched where nothing is known of before."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from models.results import PersonResult, Pose, Result
from runtime.tracking.joint_filter import JointFilter
from tests.unit.runtime.tracking.scenes import frame, person, result

FPS = 30.0


def numbered(x: float, number: int | None = 1, **more: float) -> PersonResult:
    return replace(person(x, **more), track_id=number)


def joints(found: Result, which: int = 0) -> np.ndarray:
    pose = found.people[which].pose
    assert pose is not None
    return pose.points


def test_noise_of_somebody_at_rest_is_halved_and_the_place_is_right() -> None:
    smooth, shown, given = JointFilter(), [], []
    for i in range(90):
        raw = result(numbered(300, noise_px=2, seed=i))
        given.append(joints(raw))
        shown.append(joints(smooth.filter(frame(i, FPS), raw)))
    assert np.std(shown[30:], axis=0).mean() < 0.5 * np.std(given[30:], axis=0).mean()
    assert np.abs(np.mean(shown[30:], axis=0) - np.mean(given[30:], axis=0)).max() < 1


@pytest.mark.parametrize("fps", [10.0, 30.0, 60.0])
def test_somebody_who_runs_is_followed_within_a_tenth_of_a_second(fps: float) -> None:
    smooth, speed = JointFilter(), 250.0
    for i in range(int(2 * fps)):
        shown = smooth.filter(frame(i, fps), result(numbered(60 + speed * i / fps)))
    behind = joints(result(person(60 + speed * (int(2 * fps) - 1) / fps))) - joints(shown)
    assert 0 < behind[:, 0].max() < 0.1 * speed


def test_jumps_gaps_seeks_and_new_sources_begin_anew() -> None:
    smooth = JointFilter()
    for at in (frame(0), frame(1), frame(30), frame(5), frame(6, source=1)):
        shown = joints(smooth.filter(at, result(numbered(300))))
        if at.index != 1:
            assert np.array_equal(shown, joints(result(person(300))))
        smooth.filter(at, result(numbered(100)))
    smooth = JointFilter()
    smooth.filter(frame(0), result(numbered(300)))
    again = smooth.filter(frame(0), result(numbered(310)))
    assert np.array_equal(joints(again), joints(result(person(310))))


def test_people_and_joints_that_are_not_known_are_left_alone() -> None:
    smooth = JointFilter()
    for i in range(3):
        raw = result(numbered(300 + i), numbered(100 + 9 * i, None), numbered(500 + 2 * i, 7))
        found = smooth.filter(frame(i), raw)
        assert np.array_equal(joints(found, 1), joints(raw, 1))
        assert [p.track_id for p in found.people] == [1, None, 7]
        assert all(a.mask is b.mask and a.box == b.box for a, b in zip(found.people, raw.people, strict=True))
    assert not np.array_equal(joints(found, 0), joints(raw, 0))


def test_a_joint_that_comes_back_is_where_it_is() -> None:
    smooth, hidden = JointFilter(), np.full(17, 0.7, np.float32)
    hidden[9] = 0
    for i in range(4):
        whole = numbered(300 + 10 * i)
        assert whole.pose is not None
        if i == 2:
            whole = replace(whole, pose=Pose(whole.pose.joint_set, whole.pose.points, hidden))
        shown = joints(smooth.filter(frame(i), result(whole)))
    away = joints(result(whole)) - shown
    assert away[9].max() == 0
    assert away[10].max() > 0
