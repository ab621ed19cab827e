"""Measures against literal references: loops written from the definitions, and scipy's filter."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.signal import savgol_filter

from models.centroids import part_centroids
from models.labels import COCO17, PASCAL_PARTS, S31
from models.results import Parsing, PersonResult, Pose, Result
from runtime.movement.history import MovementHistory, MovementTrack
from runtime.movement.measures import (
    REACH_S,
    angle_deg,
    angles_of,
    curves,
    pairs_of,
    symmetry,
    velocities,
    with_whole_head,
)
from runtime.movement.sightings import EVERYBODY, LEAST_CELLS, BodyPlaces, Landmarks, sightings

BODY = Landmarks(S31, COCO17)


def line_slope(times: np.ndarray, values: np.ndarray, at: int) -> float:
    """The definition, with `polyfit` and loops."""
    near = [j for j in range(at - 2, at + 3) if 0 <= j < len(times)]
    near = [j for j in near if abs(times[j] - times[at]) <= REACH_S and math.isfinite(values[j])]
    sides = any(j < at for j in near) and any(j > at for j in near)
    if not (math.isfinite(values[at]) and sides):
        return math.nan
    return float(np.polyfit(times[near] - times[at], values[near], 1)[0])


tracks = st.integers(1, 14).flatmap(
    lambda n: st.tuples(
        arrays(np.float64, n, elements=st.floats(0.005, 0.4)),
        arrays(np.float64, n, elements=st.one_of(st.floats(-2000, 2000), st.just(math.nan))),
    )
)


@given(tracks)
def test_velocity_is_the_slope_of_the_line_through_the_neighbours(track: tuple) -> None:
    times, values = np.cumsum(track[0]), track[1]
    expected = [line_slope(times, values, i) for i in range(len(times))]
    np.testing.assert_allclose(velocities(times, values), expected, rtol=1e-6, atol=1e-4)


def test_with_equal_steps_it_is_the_filter_of_savitzky_and_golay() -> None:
    values = np.random.default_rng(1).normal(size=(40, 3, 2)).cumsum(axis=0) * 20
    expected = savgol_filter(values, 5, 2, deriv=1, delta=1 / 30, axis=0)
    np.testing.assert_allclose(velocities(np.arange(40) / 30, values)[2:-2], expected[2:-2])


@given(st.floats(-900, 900), st.floats(0.01, 0.1), st.lists(st.floats(0.5, 1.5), min_size=3, max_size=20))
def test_a_steady_motion_has_its_speed_at_any_frame_times(speed: float, step: float, steps: list) -> None:
    times = np.cumsum(np.array(steps) * step)
    found = velocities(times, speed * times)
    assert np.isnan(found[[0, -1]]).all()
    np.testing.assert_allclose(found[1:-1], speed, rtol=1e-6, atol=1e-6)


def test_gaps_stay_gaps() -> None:
    times = np.array([0, 0.04, 0.08, 0.12, 5.0, 5.04, 5.08])
    values = times * 10
    values[2] = np.nan
    assert np.isnan(velocities(times, values)).tolist() == [True, False, True, True, True, False, True]
    assert velocities(np.zeros(0), np.zeros((0, 3, 2))).shape == (0, 3, 2)


points = arrays(np.float64, 2, elements=st.floats(-500, 500))


@given(points, points, points, st.floats(0, 6.3), st.floats(0.5, 3))
def test_angle_is_that_of_the_law_of_cosines_and_turns_with_the_picture(a, b, c, turn, scale) -> None:
    p, q, r = (math.dist(*two) for two in ((a, b), (c, b), (a, c)))
    found = float(angle_deg(a, b, c))
    if min(p, q) < 2:
        assert math.isnan(found)
        return
    cosine = (p * p + q * q - r * r) / (2 * p * q)
    assert math.cos(math.radians(found)) == pytest.approx(cosine, abs=1e-6)
    assert 0 <= found <= 180
    rotation = scale * np.array([[math.cos(turn), -math.sin(turn)], [math.sin(turn), math.cos(turn)]])
    if min(p, q) * scale > 2:
        assert float(angle_deg(*(rotation @ x for x in (a, b, c)))) == pytest.approx(found, abs=1e-4)
    assert float(angle_deg(c, b, a)) == pytest.approx(found, abs=1e-9)


@given(arrays(np.float32, (2, 5), elements=st.floats(0, 1e5, width=32)))
def test_symmetry_is_robinsons_and_changes_its_sign_with_the_sides(areas: np.ndarray) -> None:
    found = symmetry(*areas)
    for r, l, s in zip(*areas.astype(float), found, strict=True):  # noqa: E741
        assert math.isnan(s) if r + l == 0 else s == pytest.approx((r - l) / (r + l))
    np.testing.assert_allclose(symmetry(*areas[::-1]), -found)


def test_angles_come_from_joints_where_there_are_some_and_from_parts_only_where_honest() -> None:
    names = lambda marks: {a.name for a in angles_of(marks)}  # noqa: E731
    both = {f"{s}_{j}" for s in "rl" for j in ("elbow", "knee", "shoulder", "hip")}
    assert names(BODY) == names(Landmarks(None, COCO17)) == both
    assert names(Landmarks(S31)) == {f"{s}_{j}" for s in "rl" for j in ("elbow", "knee")}
    assert names(Landmarks(PASCAL_PARTS)) == set()
    assert all(a.at >= 31 for a in angles_of(BODY))


def parsing(labels: np.ndarray, size: tuple[int, int]) -> Parsing:
    return Parsing(
        S31, size, labels, np.full(labels.shape, 255, np.uint8), np.full(labels.shape, 204, np.uint8)
    )


def test_a_frame_without_people_apart_is_everybody() -> None:
    labels = np.zeros((20, 40), np.uint8)
    labels[2:6, 3:9], labels[10:12, 0:2] = 9, 22  # 24 cells, and 4: too few for a centroid
    result = Result(parsing(labels, (80, 60)))
    seen = sightings(result, Landmarks(S31))
    assert list(seen) == [EVERYBODY]
    one = seen[EVERYBODY]
    assert (one.areas[8], one.areas[21]) == (24 * 6, 4 * 6)
    np.testing.assert_allclose(one.points[8], part_centroids(result.parsing).points[9])
    np.testing.assert_allclose(one.points[8], (11.5, 11.5))
    assert np.isnan(one.points[21]).all()
    assert LEAST_CELLS > 4
    assert one.visibility[[8, 21]].tolist() == pytest.approx([0.8, 0])
    assert one.height_px == (12 - 2) * 3


def test_each_numbered_person_has_their_own_parts_and_joints() -> None:
    labels = np.zeros((20, 40), np.uint8)
    labels[5:10, 2:10], labels[5:10, 25:30] = 9, 9
    masks = np.zeros((2, 10, 20), np.uint8)
    masks[0, :, :10], masks[1, :, 10:] = 1, 1
    joints = np.zeros((17, 2), np.float32)
    joints[3] = 7, 8
    scores = (np.arange(17) == 3).astype(np.float32) * np.float32(0.5)
    people = tuple(
        PersonResult((0, 0, 9, 9), 1.0, Pose(COCO17, joints + 10 * i, scores), mask, 4 + i)
        for i, mask in enumerate(masks)
    )
    stranger = PersonResult((0, 0, 9, 9), 0.2, Pose(COCO17, joints.copy(), scores.copy()), masks[0].copy())
    seen = sightings(Result(parsing(labels, (40, 20)), (*people, stranger)), BODY)
    assert {n: float(s.areas[8]) for n, s in seen.items()} == {4: 40, 5: 25}
    np.testing.assert_allclose(seen[5].points[8], (27, 7))
    np.testing.assert_allclose(seen[5].points[31 + 3], (17, 18))
    assert seen[5].visibility[31 + 3] == 0.5
    assert np.isnan(seen[5].points[31]).all()
    assert sightings(Result(parsing(labels, (40, 20))), BODY) == {}  # nobody, not everybody


def sighting(value: float, landmarks: Landmarks = BODY) -> BodyPlaces:
    count = len(landmarks.names)
    areas, seen = np.full(landmarks.parts, value, np.float32), np.full(count, 0.5, np.float32)
    return BodyPlaces(areas, np.full((count, 2), value, np.float32), seen, 100.0)


@given(st.lists(st.tuples(st.integers(0, 40), st.lists(st.integers(1, 3), unique=True)), max_size=60))
def test_the_history_remembers_the_newest_of_each_frame(seen: list) -> None:
    history, literal = MovementHistory(BODY), dict[int, dict[int, float]]()
    for value, (frame, people) in enumerate(seen):
        history.add(frame, frame / 25, {n: sighting(value) for n in people})
        literal[frame] = {n: float(value) for n in people}
    assert history.frames == len(literal)
    for person in history.people:
        track = history.track(person)
        expected = {f: people[person] for f, people in sorted(literal.items()) if person in people}
        assert dict(zip(track.frames.tolist(), track.areas[:, 0].tolist(), strict=True)) == expected
        assert track.frames.tolist() == sorted(expected)
        np.testing.assert_allclose(track.times_s, track.frames / 25)


def test_the_history_is_bounded() -> None:
    history = MovementHistory(BODY, most_frames=700)
    for frame in range(5000):
        history.add(frame, frame / 25, {frame // 300 + 1: sighting(frame)})
    assert (history.frames, len(history.people)) == (700, 12)
    assert max(history.people) == 17
    assert history.track(17).frames.tolist() == list(range(4800, 5000))
    long = MovementHistory(BODY, most_frames=700)
    for frame in range(3000):
        long.add(frame, frame / 25, {EVERYBODY: sighting(frame)})
    assert long.track(EVERYBODY).frames.tolist() == list(range(2300, 3000))


def walking(frames: int = 30) -> MovementTrack:
    history = MovementHistory(BODY)
    for i in range(frames):
        history.add(i, i / 30, {1: sighting(10.0 * i)})
    track = history.track(1)
    assert track is not None
    return track


def test_curves_have_the_words_of_their_landmarks() -> None:
    track = walking()
    hand, knee = BODY.id("rhand"), BODY.id("joint_l_knee")
    assert list(curves(track, "speed", [hand, knee])) == ["right hand", "left knee (joint)"]
    at, values = curves(track, "speed", [hand])["right hand"]
    assert at == hand
    np.testing.assert_allclose(values[1:-1], 300 * math.sqrt(2), rtol=1e-4)
    np.testing.assert_allclose(curves(track, "heights", [hand])["right hand"][1], values / 100)
    assert list(curves(track, "area", [hand, knee])) == ["right hand"]
    assert list(curves(track, "symmetry", [BODY.id("lhand")])) == ["hand"]
    assert list(curves(track, "angle", [knee])) == ["left knee", "left hip"]
    for measure in ("x", "y", "visibility"):
        assert len(curves(track, measure, range(48))) == 48
    assert len(pairs_of(BODY)) == 15 + 8


def test_the_whole_head_is_its_quarters_by_their_areas() -> None:
    """One frame with two of the quarters, one with none."""
    parts = len(S31.rows)
    areas, points = np.zeros((2, parts), np.float32), np.full((2, parts, 2), np.nan, np.float32)
    visibility = np.zeros((2, parts), np.float32)
    for name, area, x, sure in (("luhead", 30, 10, 0.5), ("rlhead", 90, 50, 0.9)):
        i = S31.id(name) - 1
        areas[0, i], points[0, i], visibility[0, i] = area, (x, 8), sure
    frames, heights = np.arange(2), np.ones(2, np.float32)
    track = MovementTrack(Landmarks(S31), frames, frames / 25, areas, points, visibility, heights)
    whole, at = with_whole_head(track), S31.id("luhead") - 1
    assert whole.areas[:, at].tolist() == [120, 0]
    assert whole.points[0, at].tolist() == [40, 8]
    assert whole.visibility[0, at] == pytest.approx(0.8)
    assert np.isnan(whole.points[1, at]).all()
    assert np.isnan(track.points[:, S31.id("rlhead") - 1]).tolist() == [[False] * 2, [True] * 2]
    other = MovementTrack(Landmarks(), frames, frames / 25, areas, points, visibility, heights)
    assert with_whole_head(other) is other
