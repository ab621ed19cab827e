"""The person of the sample clip: feet that stay where they stand, legs that reach them, hands that wave."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("numba", reason="needs the extra `train`")
pytest.importorskip("anny", reason="needs the extra `train`")

from synthetic.bodies import Bodies, load_bodies
from synthetic.footage.choreography import sample
from synthetic.footage.motion import RATE, SIDES, Motion
from synthetic.skeleton import transforms

SAMPLE = sample()
FRAMES = round(SAMPLE.seconds * RATE)


@pytest.fixture(scope="module")
def bodies() -> Bodies:
    return load_bodies(10)  # as many as tests/unit/synthetic/test_people.py: built once for both


@pytest.fixture(scope="module")
def motion(bodies: Bodies) -> Motion:
    sole_z = float(bodies.rest[2][np.unique(bodies.body_faces), 2].min())
    return Motion(bodies, bodies.rest_heads[2], sole_z, SAMPLE)


@pytest.fixture(scope="module")
def joints(bodies: Bodies, motion: Motion) -> dict[str, np.ndarray]:
    """Bone → (frames, 3) place of its head in the world."""
    heads = bodies.rest_heads[2]
    names = ("foot.L", "foot.R", "lowerleg01.L", "lowerleg01.R", "wrist.R", "head", "root")
    out: dict[str, list[np.ndarray]] = {n: [] for n in names}
    for frame in range(FRAMES):
        pose = motion.pose(frame)
        rotations, offsets = transforms(pose.bones, heads, bodies.parents)
        offsets = offsets + (pose.root - heads[0])
        for name in names:
            j = bodies.bone(name)
            out[name].append(rotations[j] @ heads[j] + offsets[j])
    return {n: np.asarray(v) for n, v in out.items()}


def test_legs_reach_where_the_feet_are(motion: Motion, joints: dict[str, np.ndarray]) -> None:
    for side in SIDES:
        apart = np.linalg.norm(joints[f"foot.{side}"] - motion._ankles[side], axis=1)
        assert apart.max() < 0.02
        assert np.median(apart) < 0.002


def test_a_foot_on_the_ground_does_not_slide(motion: Motion) -> None:
    for side in SIDES:
        steps = [s for s in SAMPLE.steps if s[0] == side]
        rests = [(a[2] + 0.14, b[1] - 0.18) for a, b in pairwise(steps)]
        assert rests
        for start, end in rests:
            still = (motion.times > start) & (motion.times < end)
            if still.sum() > 1:
                assert np.ptp(motion._ankles[side][still], axis=0).max() < 1e-4


def test_bodies_move_as_bodies_do(joints: dict[str, np.ndarray]) -> None:
    speed = np.linalg.norm(np.diff(joints["root"], axis=0), axis=1) * RATE
    assert speed.max() < 2.0
    jerk = np.abs(np.diff(joints["root"], n=2, axis=0)).max()
    assert jerk < 0.02, "the hips jump between two frames"
    for side in SIDES:
        assert (joints[f"foot.{side}"][:, 2] > 0.02).all()
        assert (joints[f"lowerleg01.{side}"][:, 2] > joints[f"foot.{side}"][:, 2]).all()


def test_the_right_hand_waves_above_the_shoulder(joints: dict[str, np.ndarray]) -> None:
    waving = slice(int(3.8 * RATE), int(4.9 * RATE))
    hand = joints["wrist.R"][waving]
    assert (hand[:, 2] > joints["head"][waving, 2] - 0.35).all()
    turns = np.sign(np.diff(hand[:, 0]))
    assert (np.diff(turns[turns != 0]) != 0).sum() >= 3


def test_the_person_comes_and_goes(joints: dict[str, np.ndarray]) -> None:
    assert joints["root"][0, 0] > SAMPLE.start["L"][0] - 0.1
    assert abs(joints["root"][150, 0]) < 0.6
    assert joints["root"][-1, 0] > 2.2


def test_the_clip_that_is_shipped() -> None:
    clip = Path(__file__).resolve().parents[3] / "assets" / "clips" / "sample.mp4"
    assert 200_000 < clip.stat().st_size <= 3_000_000
