"""Measures of LIP, MPII, PASCAL and PAF+FCN's report, by examples worked out by hand."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from models.labels import COCO17, LIP20, LSP14, PASCAL_PARTS, S31, JointSet
from models.results import Parsing, Pose
from tests.unit.training.datasets import made
from training.datasets.__main__ import main
from training.datasets.joint_score import add_parts, joints_of
from training.datasets.sets import PASCAL14
from training.group_scores import GroupPicture, pck_dist, pose_map
from training.metrics import Confusion
from training.pck import lip_pck, mpii_pckh
from training.photos import DataError

TWO = JointSet("two", ("l_hand", "r_hand"), ((0, 1),))
NAN = float("nan")


def figure() -> np.ndarray:
    """Sixteen joints on a line 10 px apart; neck and head are 10 px apart, which is the reference."""
    return np.stack((np.arange(16) * 10.0, np.zeros(16)), axis=1)[None]


def test_lip_counts_within_half_of_neck_to_head() -> None:
    truth = figure()
    found = truth + np.array((0.0, 4.0))  # 4 of 10 px away
    found[0, 0] += (0, 2)  # the right ankle: 6
    found[0, 13] = np.nan  # the left shoulder is missing: it counts as (1, 1)
    scores = lip_pck(truth, found)
    assert scores["Ank"] == 50
    assert scores["Sho"] == 50
    assert scores["Wri"] == scores["Head"] == scores["Knee"] == 100
    assert scores["U.Body"] == pytest.approx(100 * 7 / 8)
    assert scores["overall"] == pytest.approx(100 * 12 / 14)


def test_lip_leaves_out_who_has_no_head_and_joints_nobody_annotated() -> None:
    truth = np.concatenate((figure(), figure()))
    truth[1, 9] = np.nan
    truth[0, 5] = np.nan
    found = truth.copy()
    found[1] += 500
    scores = lip_pck(truth, np.nan_to_num(found))
    assert scores["overall"] == 100
    assert scores["Ank"] != scores["Ank"], "one of its two joints was never tried"
    far = lip_pck(figure(), figure() + 0.9)["overall"]
    assert far == 100, "cut to whole numbers"
    near = figure()
    near[0, 0] = 1, 5
    found = near.copy()
    found[0, 0] = np.nan
    assert lip_pck(near, found)["Ank"] == 100, "what is missing lies at (1, 1), 4 px away"


@pytest.mark.parametrize(
    ("truth", "found", "right"),
    [
        ((-4, 1), (NAN, NAN), True), ((6, 1), (NAN, NAN), True), ((6, 1), (-3, -3), True),
        ((-4, 1), (-3.1, -1), True), ((-5, 0), (0, 0), True), ((-5, 0), (-1, 0), False),
        ((5.9, 0), (0.99, 0), False), ((6, 0), (1.9, 0), True),
    ],
)  # fmt: skip
def test_lip_cuts_to_whole_numbers_and_takes_one_for_what_is_missing_or_negative(
    truth: tuple[float, float], found: tuple[float, float], right: bool
) -> None:
    """A right ankle that may lie 5 px away."""
    figures = figure(), figure()
    figures[0][0, 0], figures[1][0, 0] = truth, found
    assert lip_pck(*figures)["Ank"] == (100 if right else 50)


@pytest.mark.parametrize("joint", range(16))
def test_a_joint_belongs_to_a_row_of_the_table(joint: int) -> None:
    """Its row, the upper body for joints from the neck on, and all but pelvis and thorax."""
    rows = dict(zip((8, 9, 12, 13, 11, 14, 10, 15, 2, 3, 1, 4, 0, 5),
                    (r for r in ("Head", "Sho", "Elb", "Wri", "Hip", "Knee", "Ank") for _ in (0, 1)),
                    strict=True))  # fmt: skip
    found = figure()
    found[0, joint, 1] += 6
    scores = lip_pck(figure(), found)
    assert {n for n, v in scores.items() if v < 100} == {
        *({rows[joint], "overall"} if joint in rows else ()), *({"U.Body"} if joint >= 8 else ())
    }  # fmt: skip
    assert scores["overall"] == pytest.approx(100 * 13 / 14 if joint in rows else 100)
    assert scores["U.Body"] == pytest.approx(100 * 7 / 8 if joint >= 8 else 100)


def test_mpii_pools_joints_and_integrates_thresholds() -> None:
    truth = figure()
    found = truth.copy()
    boxes = np.array([[7.0, 2, 37, 42]])  # diagonal 50, reference 30
    found[0, 0, 1] = 15  # exactly half: right
    found[0, 1, 1] = 16
    found[0, 6] += 400  # the pelvis does not count
    scores = mpii_pckh(truth, found, boxes)
    assert scores["overall"] == pytest.approx(100 * 13 / 14)
    assert (scores["Ank"], scores["Knee"], scores["Hip"]) == (100, 50, 100)
    assert scores["AUC"] == pytest.approx(100 * (12 * 51 + 1) / (14 * 51))


def test_average_precision_of_two_people_and_a_false_one() -> None:
    """Joint 0: right at .9, wrong at .8, right at .7; of two there: 1·½ + ⅔·½."""
    truth = np.array([[[0.0, 0], [10, 0]], [[100, 0], [110, 0]]])
    found = np.array([[[0.0, 0], [10, 0]], [[50, 50], [60, 50]], [[100, 0], [140, 0]]])
    scores = np.array([[0.9, 0.9], [0.8, 0.8], [0.7, 0.7]])
    measures = pose_map([GroupPicture(truth, np.array([10.0, 10]), found, scores)], TWO)
    assert measures["mAP"] == pytest.approx(((0.5 + 1 / 3) + 0.5) / 2)
    assert measures["hand"] == measures["mAP"]


def test_a_person_found_twice_counts_once() -> None:
    truth = np.array([[[0.0, 0], [10, 0]]])
    found = np.array([[[0.0, 0], [90, 0]], [[1.0, 0], [11, 0]]])  # the second matches more joints
    measures = pose_map([GroupPicture(truth, np.array([10.0]), found, np.array([[0.9] * 2, [0.8] * 2]))], TWO)
    assert measures["mAP"] == pytest.approx(0.5), "the first one's joints are wrong and come first"
    nobody = GroupPicture(truth, np.array([NAN]), found, np.array([[0.9] * 2, [0.8] * 2]))
    assert np.isnan(pose_map([nobody], TWO)["mAP"])
    empty = GroupPicture(truth, np.array([10.0]), np.zeros((0, 2, 2)), np.zeros((0, 2)))
    assert pose_map([empty], TWO)["mAP"] == 0


def test_pck_dist_averages_pairs_within_five_shortest_limbs() -> None:
    truth = np.array([[[0.0, 0], [10, 0]], [[500, 0], [NAN, NAN]]])
    found = np.array([[[0.0, 30], [10, 51]], [[0, 40], [NAN, NAN]]])
    measures = pck_dist([GroupPicture(truth, np.full(2, NAN), found, np.ones((2, 2)))], TWO)
    assert measures["PCK_dist"] == 30, "51 px is more than 50, and one joint alone has no limb"
    assert measures["share"] == pytest.approx(1 / 3)
    near = np.array([[[3.0, 50], [90, 90]]])
    near[0, 0, 0] = 0
    alone = pck_dist([GroupPicture(truth[:1], np.full(1, NAN), near, np.ones((1, 2)))], TWO)
    assert (alone["PCK_dist"], alone["share"]) == (50, 0.5), "five limbs away still count"
    two = np.array([[[0.0, 9], [10, 5]], [[0, 3], [NAN, NAN]]])
    nearest = pck_dist([GroupPicture(truth[:1], np.full(1, NAN), two, np.ones((2, 2)))], TWO)
    assert (nearest["PCK_dist"], nearest["share"]) == (4, 1)
    lone = np.array([[[0.0, 0], [0, 0]], [[7, 0], [NAN, NAN]]])
    there = np.array([[[0.0, 0], [0, 3]], [[7, 1], [NAN, NAN]]])
    limbless = pck_dist([GroupPicture(lone, np.full(2, NAN), there, np.ones((2, 2)))], TWO)
    assert (limbless["PCK_dist"], limbless["share"]) == (0, 1 / 3), "without a limb nothing is near"
    nobody = pck_dist([GroupPicture(truth[:0], np.zeros(0), near, np.ones((1, 2)))], TWO)
    assert np.isnan([nobody["PCK_dist"], nobody["share"]]).all()


def test_joints_match_within_half_of_the_reference_and_the_surest_come_first() -> None:
    """Sides count together; a joint that nobody has annotated is in no mean."""
    three = JointSet("three", ("l_hand", "r_hand", "nose"), ((0, 1), (0, 2)))
    truth = np.array([[[0.0, 0], [10, 0], [NAN, NAN]]])
    for away, right in ((5.0, 1.0), (5.1, 0.0)):
        found = np.array([[[0, away], [10, 0], [3, 3]]])
        measures = pose_map([GroupPicture(truth, np.array([10.0]), found, np.ones((1, 3)))], three)
        assert np.isnan(measures["nose"])
        assert measures["hand"] == measures["mAP"] == (right + 1) / 2
    both = np.array([[[0.0, 0], [10, 0]], [[100, 0], [110, 0]]])
    mixed = np.array([[[0.0, 0], [50, 50]], [[100, 0], [110, 0]], [[60, 60], [70, 70]]])
    scores = np.array([[0.2] * 2, [0.5] * 2, [0.9] * 2])  # wrong, right, right; wrong, right, wrong
    measures = pose_map([GroupPicture(both, np.full(2, 10.0), mixed, scores)], TWO)
    assert measures["mAP"] == pytest.approx((2 / 3 + 0.5 * 0.5) / 2)
    twins = np.array([[[0.0, 0], [10, 0]], [[0, 0], [10, 0]]])
    short = np.array([[[0.0, 0], [10, 0], [20, 0]], [[0, 0], [NAN, NAN], [NAN, NAN]]])
    seen = np.array([[[0.0, 0], [10, 0], [90, 90]]])
    share = pose_map([GroupPicture(short, np.full(2, 10.0), seen, np.ones((1, 3)))], three)
    assert share["mAP"] == pytest.approx(0.5 / 3), "all joints of the second are more than two of three"
    one = pose_map([GroupPicture(twins, np.full(2, 10.0), twins[:1], np.ones((1, 2)))], TWO)
    assert one["mAP"] == 0.5, "who matches two alike is the first of them"
    jointless = np.concatenate([np.full((1, 2, 2), NAN), twins[:1]])
    beside = pose_map([GroupPicture(jointless, np.full(2, 10.0), twins[:1], np.ones((1, 2)))], TWO)
    assert beside["mAP"] == 1, "nobody matches who has no joint"


def test_segmentation_by_hand() -> None:
    """Of three classes the third is nowhere. n = [[3, 1], [2, 2]]."""
    tally = Confusion(3)
    tally.add(
        np.array([0, 0, 0, 0, 1, 1, 1, 1, 255], np.uint8), np.array([0, 0, 0, 1, 0, 0, 1, 1, 2], np.uint8)
    )
    measures = tally.summary()
    assert measures["pixel accuracy"] == pytest.approx(5 / 8)
    assert measures["mean accuracy"] == pytest.approx((3 / 4 + 2 / 4) / 2)
    assert measures["mean IoU"] == pytest.approx((3 / 6 + 2 / 5) / 2)
    assert measures["frequency-weighted IoU"] == pytest.approx((4 * 3 / 6 + 4 * 2 / 5) / 8)


def test_parts_are_merged_or_refused() -> None:
    labels = np.full((2, 2), S31.id("rhand"), np.uint8)
    parsing = Parsing(S31, (4, 4), labels, labels, labels)
    tally = Confusion(PASCAL_PARTS.classes)
    add_parts(parsing, np.full((4, 4), 4, np.uint8), PASCAL_PARTS, tally)
    assert tally.counts[4, 4] == 16, "hands are lower arms, at the size of the truth"
    with pytest.raises(DataError, match="LIP-20"):
        add_parts(parsing, np.zeros((4, 4), np.uint8), LIP20, tally)


def test_joints_are_told_by_name() -> None:
    points = np.arange(28, dtype=np.float32).reshape(14, 2)
    scores = np.ones(14, np.float32)
    scores[LSP14.id("l_knee")] = 0
    found = joints_of(Pose(LSP14, points, scores), PASCAL14)
    assert found[PASCAL14.id("head")].tolist() == points[LSP14.id("head_top")].tolist()
    assert np.isnan(found[PASCAL14.id("l_knee")]).all()
    assert np.isnan(joints_of(None, COCO17)).all()


def test_the_command_scores_a_shipped_model(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """PASCAL's layout with two pictures of noise: every measure; a model without joints is refused."""
    for i in range(2):
        made.picture(tmp_path / f"JPEGImages/{i}.jpg", seed=i)
        made.palette(tmp_path / f"pascal_person_part_gt/{i}.png", made.blank(i))
        joints = [[float(10 + k), float(5 + k), 1.0] for k in range(14)]
        place = tmp_path / f"pose_annotations/{i}.json"
        place.parent.mkdir(exist_ok=True)
        place.write_text(json.dumps({"persons": [{"joints": joints, "box": [0, 0, 30, 30]}]}))
    made.text(tmp_path / "pascal_person_part_trainval_list/val.txt", "0", "1")
    assert main(["pascal-person-part", str(tmp_path), "--joints", "people-s31", "--size", "64"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert {"split", "mAP", "PCK_dist", "mean IoU", "frequency-weighted IoU"} <= said.keys()
    assert main(["pascal-person-part", str(tmp_path), "--joints", "factored-s31"]) == 1
    assert "it gives no joints" in capsys.readouterr().err
