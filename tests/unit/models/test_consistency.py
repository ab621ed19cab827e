"""Joints in their parts: the table against anatomy, the check against a loop over every cell."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.consistency import Consistency, consistency, parts_at
from models.labels import COCO17, JOINT_SETS, LIP16, LSP14, PASCAL_PARTS, S31, JointSet, PartSet
from models.results import Parsing, Pose

SIZE, SHAPE = (80, 60), (20, 30)  # px (w, h) and cells (h, w): 2.67 and 3 px a cell
seeds = st.integers(0, 2**32 - 1)


def named(joint_set: JointSet, parts: PartSet, joint: str) -> set[str]:
    ids = np.flatnonzero(parts_at(joint_set, parts)[joint_set.id(joint)])
    return {parts.names[i - 1] for i in ids}


def drawn(seed: int, people: int = 3, joint_set: JointSet = COCO17) -> tuple[Parsing, list[Pose]]:
    """Patches of parts, and joints that lie anywhere, also outside the picture."""
    rng = np.random.default_rng(seed)
    labels = np.kron(rng.integers(0, S31.classes, (5, 6)), np.ones((4, 5), int)).astype(np.uint8)
    maps = np.full(SHAPE, 200, np.uint8)
    count = len(joint_set.names)
    poses = [
        Pose(
            joint_set,
            rng.uniform((-15, -15), (95, 75), (count, 2)).astype(np.float32),
            rng.choice(np.array([0, 0.1, 0.3, 0.9], np.float32), count),
        )
        for _ in range(people)
    ]
    return Parsing(S31, SIZE, labels, maps, maps), poses


def by_loop(parsing: Parsing, poses: list[Pose], reach: float) -> tuple[np.ndarray, np.ndarray]:
    """Judged and outside, every cell of the parsing looked at for every joint."""
    judged = np.zeros((len(poses), len(poses[0].scores)), bool)
    outside = judged.copy()
    rows, columns = parsing.labels.shape
    for n, pose in enumerate(poses):
        for j, ((x, y), score) in enumerate(zip(pose.points, pose.scores, strict=True)):
            column = int(np.floor((x + 0.5) * columns / parsing.size[0]))
            row = int(np.floor((y + 0.5) * rows / parsing.size[1]))
            judged[n, j] = score >= 0.2 and 0 <= column < columns and 0 <= row < rows
            outside[n, j] = judged[n, j] and not any(
                parts_at(pose.joint_set, parsing.part_set)[j, parsing.labels[v, u]]
                and (u - column) ** 2 + (v - row) ** 2 <= reach**2
                for v in range(rows)
                for u in range(columns)
            )
    return judged, outside


def test_a_joint_belongs_to_the_parts_that_meet_there() -> None:
    assert named(COCO17, S31, "l_elbow") == {"luarm", "lelbow", "llarm"}
    assert named(LSP14, S31, "r_ankle") == {"rlleg", "rankle", "rfoot"}
    assert named(COCO17, S31, "l_eye") == {"luhead", "ruhead", "llhead", "rlhead"}
    assert named(LSP14, S31, "neck") == {
        *("neck", "rubody", "lubody", "rlhead", "llhead", "rshoulder", "lshoulder")
    }


@pytest.mark.parametrize(
    ("joint_set", "joint", "expected"),
    [
        (COCO17, "nose", "luhead ruhead llhead rlhead"), (COCO17, "r_ear", "luhead ruhead llhead rlhead"),
        (LSP14, "head_top", "luhead ruhead llhead rlhead"),
        (LIP16, "thorax", "neck rubody lubody rshoulder lshoulder"),
        (LIP16, "pelvis", "rlbody llbody ruleg luleg"), (COCO17, "r_shoulder", "rshoulder ruarm rubody"),
        (COCO17, "l_wrist", "llarm lwrist lhand"), (COCO17, "r_hip", "rlbody ruleg"),
        (LSP14, "l_knee", "luleg lknee llleg"),
    ],
)  # fmt: skip
def test_parts_of_the_other_joints(joint_set: JointSet, joint: str, expected: str) -> None:
    assert named(joint_set, S31, joint) == set(expected.split())


@pytest.mark.parametrize(("score", "away", "judged", "outside"),
                         [(0.2, 3, True, False), (0.19, 3, False, False), (0.2, 4, True, True)])  # fmt: skip
def test_a_joint_of_a_fifth_is_judged_and_three_cells_from_its_part_inside(
    score: float, away: int, judged: bool, outside: bool
) -> None:
    labels = np.zeros((10, 20), np.uint8)
    labels[4, 2] = S31.id("neck")
    points, scores = np.full((14, 2), -50, np.float32), np.ones(14, np.float32)
    neck = LSP14.id("neck")
    points[neck], scores[neck] = (8 * (2 + away) + 3.5, 8 * 4 + 3.5), score
    found = consistency(
        Parsing(S31, (160, 80), labels, labels.copy(), labels.copy()), [Pose(LSP14, points, scores)]
    )
    assert (bool(found.judged[0, neck]), bool(found.outside[0, neck])) == (judged, outside)
    assert found.judged.sum() == judged


@pytest.mark.parametrize(
    ("part", "joint"), [((0, 0), (2, 1)), ((19, 9), (17, 8)), ((0, 9), (1, 7)), ((19, 0), (18, 2))]
)
def test_parts_in_the_corners_count(part: tuple[int, int], joint: tuple[int, int]) -> None:
    labels = np.zeros((10, 20), np.uint8)
    labels[part[1], part[0]] = S31.id("neck")
    points = np.full((14, 2), -50, np.float32)
    points[LSP14.id("neck")] = 8 * joint[0] + 3.5, 8 * joint[1] + 3.5
    pose = Pose(LSP14, points, np.ones(14, np.float32))
    found = consistency(Parsing(S31, (160, 80), labels, labels.copy(), labels.copy()), [pose])
    assert (found.judged.sum(), found.outside.sum(), found.share) == (1, 0, 1)
    boxes = PartSet("boxes", ("box",), (1,), ((9, 9, 9),))
    unknown = consistency(Parsing(boxes, (160, 80), labels, labels.copy(), labels.copy()), [pose])
    assert unknown.share is None


def test_a_set_without_sides_counts_by_merge() -> None:
    pascal = PASCAL_PARTS
    assert named(COCO17, pascal, "l_wrist") == named(COCO17, pascal, "r_wrist") == {"lower arms"}
    assert named(COCO17, pascal, "l_elbow") == {"upper arms", "lower arms"}
    assert named(COCO17, pascal, "r_hip") == {"torso", "upper legs"}
    unknown = PartSet("boxes", ("box",), (1,), ((9, 9, 9),))
    assert not parts_at(COCO17, unknown).any(), "no merge of the 31 parts: nothing is judged"


@pytest.mark.parametrize("joint_set", JOINT_SETS.values(), ids=str)
def test_every_joint_has_parts_and_the_background_is_none(joint_set: JointSet) -> None:
    table = parts_at(joint_set, S31)
    assert table.any(axis=1).all()
    assert not table[:, [0, 255]].any()


@settings(max_examples=30)
@given(seed=seeds, reach=st.sampled_from([0, 1, 2.5, 3]))
def test_the_check_is_the_loop(seed: int, reach: float) -> None:
    parsing, poses = drawn(seed, people=1)
    found = consistency(parsing, poses, reach)
    judged, outside = by_loop(parsing, poses, reach)
    assert (found.judged == judged).all()
    assert (found.outside == outside).all()


@given(seed=seeds)
def test_a_longer_reach_marks_fewer_and_judges_the_same(seed: int) -> None:
    parsing, poses = drawn(seed)
    near, far = (consistency(parsing, poses, reach) for reach in (1, 4))
    assert (near.judged == far.judged).all()
    assert (far.outside <= near.outside).all()


@given(seed=seeds)
def test_a_mirror_image_is_as_consistent_joint_by_joint(seed: int) -> None:
    parsing, poses = drawn(seed)
    flipped = replace(parsing, labels=S31.mirror()[parsing.labels[:, ::-1]])
    mirror = list(COCO17.mirror_ids)
    across = [
        Pose(COCO17, np.array((SIZE[0] - 1, 0), np.float32) + p.points[mirror] * (-1, 1), p.scores[mirror])
        for p in poses
    ]
    across = [Pose(COCO17, p.points.astype(np.float32), p.scores) for p in across]
    here, there = consistency(parsing, poses), consistency(flipped, across)
    assert (here.judged == there.judged[:, mirror]).all()
    assert (here.outside == there.outside[:, mirror]).all()


def test_the_share_counts_judged_joints_alone() -> None:
    judged, outside = np.ones((2, 4), bool), np.zeros((2, 4), bool)
    outside[0, 1] = True
    assert Consistency(judged, outside).share == 7 / 8
    assert Consistency(np.zeros((2, 4), bool), np.zeros((2, 4), bool)).share is None
    assert consistency(drawn(1)[0], []).share is None
