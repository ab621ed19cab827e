"""The guard of left and right, on walks that are drawn by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.labels import COCO17, PASCAL_PARTS, S31
from runtime.movement.history import MovementTrack
from runtime.movement.sides import SideSwap, limbs_of, side_swaps, swapped_landmarks
from runtime.movement.sightings import Landmarks

MARKS = Landmarks(S31, COCO17)
FRAMES, HEIGHT = 60, 300.0


def walk(
    seed: int = 0, *, apart: float = 60.0, noise: float = 3.0, marks: Landmarks = MARKS
) -> MovementTrack:
    """Somebody who walks sideways, legs and arms `apart` px, shaken by the network."""
    rng, count = np.random.default_rng(seed), len(marks.names)
    times = np.arange(FRAMES) / 25
    points = rng.normal(0, noise, (FRAMES, count, 2)) + 4.0 * np.arange(FRAMES)[:, None, None] * [1, 0]
    points += rng.uniform(0, HEIGHT, count)[:, None] * [0, 1]
    side = [1 if n.startswith(("r", "joint_r")) else -1 for n in marks.names]
    points += np.array(side)[:, None] * [apart / 2, 0]
    for right, left in ((i, m) for i, m in enumerate(marks.mirror) if side[i] == 1):
        points[:, left, 1] += points[0, right, 1] - points[0, left, 1]
    return MovementTrack(
        marks, np.arange(FRAMES), times, np.ones((FRAMES, marks.parts), np.float32),
        points.astype(np.float32), np.ones((FRAMES, count), np.float32), np.full(FRAMES, HEIGHT, np.float32),
    )  # fmt: skip


def with_swaps(track: MovementTrack, *swaps: SideSwap) -> MovementTrack:
    return track.swapped(swapped_landmarks(track.landmarks, swaps, track.frames))


@given(
    st.integers(0, 99),
    st.integers(1, FRAMES - 1),
    st.integers(1, FRAMES - 1),
    st.sampled_from(["arms", "legs"]),
)
def test_every_swap_is_marked_at_its_frame_and_nothing_else(seed: int, a: int, b: int, limbs: str) -> None:
    swaps = () if a == b else tuple(SideSwap(f, limbs) for f in sorted((a, b)))
    track = walk(seed)
    assert side_swaps(track) == ()
    assert side_swaps(with_swaps(track, *swaps)) == swaps
    assert side_swaps(with_swaps(with_swaps(track, *swaps), *swaps)) == ()  # a correction undoes it


@pytest.mark.parametrize("marks", [Landmarks(S31), Landmarks(None, COCO17)])
def test_parts_alone_and_joints_alone_are_guarded(marks: Landmarks) -> None:
    swap = SideSwap(30, "legs")
    assert side_swaps(with_swaps(walk(marks=marks), swap)) == (swap,)
    assert side_swaps(walk(marks=Landmarks(PASCAL_PARTS))) == ()


def test_legs_that_cross_are_no_swap() -> None:
    """Seen from the side, the centroids pass through each other."""
    track, swing = walk(noise=2.0), np.cos(np.arange(FRAMES) / 25 * 2 * np.pi)
    side = np.where(np.arange(len(MARKS.names))[:, None] < MARKS.mirror[:, None], 1, -1)
    crossing = track.points.copy()
    crossing[..., 0] = 4.0 * np.arange(FRAMES)[:, None] + 50 * swing[:, None] * side[:, 0]
    assert side_swaps(replace(track, points=crossing)) == ()


def test_a_swap_during_a_short_gap_is_found_and_after_a_long_one_it_is_not() -> None:
    swapped = with_swaps(walk(), SideSwap(30, "legs"))
    for gone, expected in ((4, (SideSwap(30, "legs"),)), (12, ())):
        points = swapped.points.copy()
        points[30 - gone : 30, MARKS.id("ruleg")] = np.nan
        points[30 - gone : 30, limbs_of(MARKS)["legs"]] = np.nan
        assert side_swaps(replace(swapped, points=points)) == expected


def test_limbs_too_close_to_tell_or_one_pair_alone_are_not_marked() -> None:
    assert side_swaps(with_swaps(walk(apart=10, noise=0.5), SideSwap(30, "legs"))) == ()
    swapped = with_swaps(walk(), SideSwap(30, "legs"))
    points = swapped.points.copy()
    others = [i for i in limbs_of(MARKS)["legs"] if i not in {MARKS.id("rfoot"), MARKS.id("lfoot")}]
    points[:, others] = np.nan
    assert side_swaps(replace(swapped, points=points)) == ()
    assert side_swaps(replace(swapped, heights=swapped.heights * np.nan)) == ()


def test_corrections_hold_until_the_next_one_and_leave_the_rest() -> None:
    frames = np.array([0, 9, 10, 19, 20, 25])
    found = swapped_landmarks(MARKS, [SideSwap(10, "legs"), SideSwap(20, "legs")], frames)
    legs = limbs_of(MARKS)["legs"]
    assert found[:, legs].all(axis=1).tolist() == [False, False, True, True, False, False]
    assert found.sum() == 2 * len(legs) == 2 * (5 + 5 + 4)
    track = walk()
    twice = with_swaps(with_swaps(track, SideSwap(10, "arms")), SideSwap(10, "arms"))
    np.testing.assert_array_equal(twice.points, track.points)
    foot = [MARKS.id("rfoot"), MARKS.id("lfoot")]
    np.testing.assert_array_equal(
        with_swaps(track, SideSwap(10, "legs")).points[10:, foot], track.points[10:, foot[::-1]]
    )
