"""Scores, intervals and verdicts of the experiment on adaptation."""

from __future__ import annotations

import json
from argparse import Namespace
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments import __main__ as experiments
from experiments import frozen_transfer
from experiments.adaptation import CLAIMS, NETWORKS, _in_scenes, tried
from experiments.adaptation_scores import Scores, interval, read_scores
from experiments.setting import SETTING, TrainingSetting
from models.families import ZOO
from training.photos import DataError

PHOTOS = 40


def scores(rate: float, seed: int) -> Scores:
    """Joints found with a probability; two classes, the same share of cells right."""
    rng = np.random.default_rng(seed)
    joints = np.full((PHOTOS, 5, 2), 2)
    joints[..., 0] = rng.binomial(2, rate, (PHOTOS, 5))
    right = rng.binomial(50, rate, (PHOTOS, 2))
    confusions = np.zeros((PHOTOS, 2, 2), np.int64)
    confusions[:, [0, 1], [0, 1]], confusions[:, [0, 1], [1, 0]] = right, 50 - right
    return Scores(joints, confusions)


def test_rows_and_claims_are_of_networks_that_exist() -> None:
    assert set(NETWORKS.values()) <= set(ZOO)
    assert {name for c in CLAIMS for name in (c.better, c.worse)} <= set(NETWORKS.values())


def test_pck_is_the_mean_of_joints_not_of_all_hits() -> None:
    joints = np.zeros((2, 5, 2), np.int64)
    joints[:, :, 1] = [[2, 2, 2, 2, 0], [2, 2, 2, 2, 1]]
    joints[:, :, 0] = [[2, 0, 0, 0, 0], [2, 0, 0, 0, 1]]
    found = Scores(joints, np.zeros((1, 2, 2), np.int64))
    assert found.percent("pck") == pytest.approx(100 * (1 + 0 + 0 + 0 + 1) / 5)
    assert found.values("pck", np.array([[1, 0], [0, 1]])) == pytest.approx([1 / 5, 2 / 5])


def test_mean_iou_leaves_the_background_out() -> None:
    confusions = np.array([[[90, 10], [0, 20]], [[100, 0], [10, 0]]])
    found = Scores(np.ones((1, 5, 2), np.int64), confusions)
    assert found.values("iou", np.array([[1, 0], [2, 0]])) == pytest.approx([20 / 30] * 2)
    assert found.percent("iou") == pytest.approx(100 * 20 / 40)


@pytest.mark.parametrize("measure", ["pck", "iou"])
def test_a_large_difference_is_sure_and_none_is_not(measure: str) -> None:
    low, high = [[scores(rate, seed) for seed in range(3)] for rate in (0.4, 0.8)]
    found = interval(high, low, measure)
    assert found.low < found.mean < found.high
    assert found.verdict() == "agrees"
    assert interval(low, high, measure).verdict() == "disagrees"
    assert interval(low, [scores(0.4, s) for s in range(3, 6)], measure).verdict() == "cannot say"
    assert "one seed" in interval(high[:1], low[:1], measure).verdict()


@given(st.floats(0.1, 0.9))
def test_a_network_does_not_differ_from_itself(rate: float) -> None:
    same = [scores(rate, 1)]
    assert interval(same, same, "pck", draws=20) == (0, 0, 0, 1)


def keep(folder: Path, row: str, rate: float) -> None:
    for seed in (1, 2):
        found = scores(rate, seed)
        (folder / f"{row}-{seed}").mkdir(parents=True)
        np.savez(folder / f"{row}-{seed}" / "scores.npz", joints=found.joints, confusions=found.confusions)


def test_only_claims_that_do_not_reproduce_are_tried_in_another_setting(tmp_path: Path) -> None:
    for row, rate in (("mula-small", 0.8), ("mula-small-none", 0.4), ("mula-small-parsing-to-pose", 0.4)):
        keep(tmp_path, row, rate)
    cold = TrainingSetting(100, 128, cold=True)
    (tmp_path / SETTING).write_text(json.dumps(asdict(cold)))
    here = {
        row: [scores(0.6, s) for s in (1, 2)] for row in ("mula-small-parsing-to-pose", "mula-small-none")
    }
    here["mula-small"] = [scores(0.9, s) for s in (1, 2)]
    a = Namespace(steps=100, crop=96, cold=False, tried=[tmp_path])
    page = tried(a, here)
    assert "| parsing helps pose | PCK | encoders from random weights, pictures of 128 px | 2 |" in page
    assert "MuLA beats its encoders" not in page, "that claim agrees already"
    assert not tried(Namespace(**{**vars(a), "tried": []}), here)
    assert set(read_scores(tmp_path, NETWORKS.values())) == {
        "mula-small",
        "mula-small-none",
        "mula-small-parsing-to-pose",
    }
    with pytest.raises(DataError, match="no run of this experiment"):
        tried(Namespace(**{**vars(a), "tried": [tmp_path / "none"]}), here)


def test_scenes_of_several_people_need_a_folder_of_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert {row for row in NETWORKS.values() if _in_scenes(row)} == {"paf-fcn-small", "paf-fcn-small-1"}
    assert experiments.main(["seven", "--runs", str(tmp_path), "--out", str(tmp_path)]) == 1
    assert "Give --synthetic-folder DIR" in capsys.readouterr().err


def test_frozen_transfer_compares_only_seeds_that_are_finished(tmp_path: Path) -> None:
    a = experiments._arguments().parse_args(["seven", "--transfer", "60", "--out", str(tmp_path)])
    rates = dict(zip(frozen_transfer.VARIANTS, (0.8, 0.6, 0.4), strict=True))
    for title, rate in rates.items():
        for seed in (1, 2, 3) if rate < 0.8 else (1, 2):
            for kept in frozen_transfer.points(tmp_path, title, seed, a):
                kept.parent.mkdir(exist_ok=True)
                found = scores(rate * int(kept.stem) / 60, seed)
                np.savez(kept, joints=found.joints, confusions=found.confusions, seconds=20.0)
    frozen_transfer.write(a, tmp_path)
    page = (tmp_path / "7-frozen-transfer.md").read_text()
    assert "seeds\n1, 2)" in page
    assert "| frozen PIL beats: base, without parsing | 60 | +38.4 (+31.8 to +45.5) | agrees |" in page
    assert page.count("| 2.0 |") == 3, "20 s for 10 steps"
    assert (tmp_path / "7-frozen-transfer-pck.png").exists()
