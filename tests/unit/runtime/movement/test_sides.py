"""The guard of left and right, on walks that are drawn by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.labels import COCO17, PASCAL_PARTS, S31
from models.results import Parsing, PersonResult, Pose, Result
from runtime.movement.corrections import corrections_path, load_corrections, save_corrections
from runtime.movement.history import MovementTrack
from runtime.movement.sides import SideSwap, corrected, exchanged, limbs_at, limbs_of, side_swaps, toggled
from runtime.movement.sightings import Landmarks
from runtime.system.errors import Refusal

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
    return corrected(track, swaps)


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
    swaps, legs = [SideSwap(10, "legs"), SideSwap(20, "legs")], limbs_of(MARKS)["legs"]
    changed = (corrected(walk(), swaps).points != walk().points).any(axis=-1)
    assert np.flatnonzero(changed.any(axis=0)).tolist() == sorted(legs)
    assert np.flatnonzero(changed.any(axis=1)).tolist() == list(range(10, 20))
    assert [limbs_at(swaps, f) for f in (9, 10, 19, 20)] == [[], ["legs"], ["legs"], []]
    assert toggled(swaps, swaps[:1]) == (swaps[1],)
    assert toggled(swaps[1:], swaps[:1]) == tuple(swaps)
    track = walk()
    twice = with_swaps(with_swaps(track, SideSwap(10, "arms")), SideSwap(10, "arms"))
    np.testing.assert_array_equal(twice.points, track.points)
    foot = [MARKS.id("rfoot"), MARKS.id("lfoot")]
    np.testing.assert_array_equal(
        with_swaps(track, SideSwap(10, "legs")).points[10:, foot], track.points[10:, foot[::-1]]
    )


def test_labels_and_joints_of_a_result_are_exchanged() -> None:
    labels = np.arange(32, dtype=np.uint8).reshape(4, 8)
    parsing = Parsing(S31, (8, 4), labels, labels.copy(), labels.copy())
    points = np.arange(34, dtype=np.float32).reshape(17, 2)
    person = PersonResult((0, 0, 9, 9), 1.0, Pose(COCO17, points, np.linspace(0, 1, 17, dtype=np.float32)))
    found = exchanged(Result(parsing, (person,)), MARKS, ["legs"])
    expected = {S31.id(n): S31.id(m) for n, m in (("rfoot", "lfoot"), ("rhand", "rhand"), ("neck", "neck"))}
    assert {k: int(found.parsing.labels.flat[k]) for k in expected} == expected
    pose = found.people[0].pose
    assert pose.points[COCO17.id("l_knee")].tolist() == points[COCO17.id("r_knee")].tolist()
    assert pose.scores[COCO17.id("l_wrist")] == person.pose.scores[COCO17.id("l_wrist")]
    again = exchanged(found, MARKS, ["legs"])
    np.testing.assert_array_equal(again.parsing.labels, labels)
    np.testing.assert_array_equal(exchanged(Result(parsing), MARKS, []).parsing.labels, labels)


def test_corrections_are_kept_beside_the_clip_wherever_it_lies(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("XFACTOR_HOME", str(tmp_path / "home"))
    clip, swaps = tmp_path / "a.mp4", (SideSwap(3, "arms"), SideSwap(9, "legs"))
    clip.write_bytes(b"frames")
    assert load_corrections(clip) == ()
    save_corrections(clip, swaps)
    clip = clip.rename(tmp_path / "b.mp4")
    assert load_corrections(clip) == swaps
    corrections_path(clip).write_text('{"sides": [{"frame": 1, "limbs": "tail"}]}')
    assert load_corrections(clip) == ()
    save_corrections(clip, ())
    assert not corrections_path(clip).exists()
    with pytest.raises(Refusal, match="cannot be kept"):
        save_corrections(tmp_path / "gone.mp4", swaps)
