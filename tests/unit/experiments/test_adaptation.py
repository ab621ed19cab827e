"""Scores, intervals and verdicts of the experiment on adaptation."""

from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from unittest.mock import MagicMock

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments import __main__ as experiments
from experiments import adaptation_scores, frozen_transfer
from experiments.adaptation import CLAIMS, NETWORKS, _in_scenes, tried
from experiments.adaptation_scores import Scores, interval, read_scores
from experiments.options import parser
from experiments.setting import SETTING, TrainingSetting
from models.families import ZOO
from training.photos import DataError

PHOTOS = 40


def seeded(rate: float, seeds: Iterable[int]) -> dict[int, Scores]:
    return {seed: scores(rate, seed) for seed in seeds}


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
    low, high = (seeded(rate, range(3)) for rate in (0.4, 0.8))
    found = interval(high, low, measure)
    assert found.low < found.mean < found.high
    assert found.verdict() == "agrees"
    assert interval(low, high, measure).verdict() == "disagrees"
    others = {seed: scores(0.4, seed + 3) for seed in range(3)}
    assert interval(low, others, measure).verdict() == "cannot say"
    assert "one seed" in interval({1: high[1]}, low, measure).verdict()


def test_a_seed_is_compared_with_itself_wherever_it_stands() -> None:
    """Seed 1 of one network and seed 2 of the other are missing; 3 is left."""
    one, other = seeded(0.6, (2, 3)), seeded(0.6, (1, 3))
    assert interval(one, other, "pck", draws=20) == (0, 0, 0, 1)
    assert interval(seeded(0.6, (1,)), seeded(0.6, (2,)), "pck") is None


@given(st.floats(0.1, 0.9))
def test_a_network_does_not_differ_from_itself(rate: float) -> None:
    same = seeded(rate, (1,))
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
    here = {row: seeded(0.6, (1, 2)) for row in ("mula-small-parsing-to-pose", "mula-small-none")}
    here["mula-small"] = seeded(0.9, (1, 2))
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
    a = parser().parse_args(["seven", "--transfer", "60", "--out", str(tmp_path)])
    rates = dict(zip(frozen_transfer.VARIANTS, (0.8, 0.6, 0.4), strict=True))
    for title, rate in rates.items():
        for seed in (1, 2, 3) if rate < 0.8 else (1, 2):
            larger = frozen_transfer.at_larger(tmp_path, title, seed)
            for kept in (*frozen_transfer.points(tmp_path, title, seed, a), larger):
                kept.parent.mkdir(exist_ok=True)
                found = scores(0.25 if kept == larger else rate * int(kept.stem) / 60, seed)
                np.savez(kept, joints=found.joints, confusions=found.confusions, seconds=20.0)
    frozen_transfer.write(a, tmp_path)
    page = (tmp_path / "7-frozen-transfer.md").read_text()
    assert "seeds\n1, 2)" in page
    assert "| frozen PIL beats: base, without parsing | 60 | +38.4 (+31.8 to +45.5) | agrees |" in page
    assert page.count("| 25.6 | 2.0 |") == 3, "of 256 px; 20 s for 10 steps"
    assert (tmp_path / "7-frozen-transfer-pck.png").exists()
    assert page.splitlines()[2] == f"`python -m experiments seven --out {tmp_path} --transfer 60`"


def test_a_network_nobody_knows_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, known in (("seven", "paf-fcn-small"), ("networks", "factored-prelu")):
        words = [name, "--rows", "pil-smal", "--finished", "--runs", str(tmp_path), "--out", str(tmp_path)]
        assert experiments.main(words) == 1
        told = capsys.readouterr().err
        assert "--rows pil-smal: no such network. Choose of " in told
        assert known in told


def test_the_seconds_of_a_training_are_written_with_its_scores(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One write: a run killed at any moment leaves no scores without them."""
    a = parser().parse_args(["seven", "--transfer", "60", "--runs", str(tmp_path)])
    written: list[set[str]] = []

    def keep_arrays(path: Path, arrays: dict[str, np.ndarray]) -> None:
        written.append(set(arrays))
        np.savez(path, **arrays)

    monkeypatch.setattr(adaptation_scores, "keep_arrays", keep_arrays)
    for name in ("load_network", "describe", "export_bundle", "_loaded"):
        monkeypatch.setattr(adaptation_scores, name, MagicMock(return_value=(MagicMock(), {})))
    made = scores(0.5, 1)
    monkeypatch.setattr(adaptation_scores, "joint_counts", lambda *_: made.joints)
    monkeypatch.setattr(adaptation_scores, "part_counts", lambda *_: made.confusions)
    monkeypatch.setattr(frozen_transfer, "fit", lambda _row, out, *_: out.mkdir(exist_ok=True))
    title = next(iter(frozen_transfer.VARIANTS))
    frozen_transfer._curve(title, 1, tmp_path, tmp_path, a)
    assert written == [{"joints", "confusions", "seconds"}] * (frozen_transfer.POINTS + 1)
    found = Scores.read(frozen_transfer.points(tmp_path, title, 1, a)[0])
    assert 0 <= found.seconds < 60
    np.savez(tmp_path / "old.npz", joints=found.joints, confusions=found.confusions)
    assert np.isnan(Scores.read(tmp_path / "old.npz").seconds), "an adaptation run of an earlier version"


def test_the_run_of_an_earlier_version_needs_no_setting(tmp_path: Path) -> None:
    """As the transfer that was begun before settings were kept: only its page is made of it."""
    words = ["seven", "--steps", "300", "--transfer", "60", "--runs", str(tmp_path), "--out", str(tmp_path)]
    a = parser().parse_args(words)
    folder = tmp_path / "exp-transfer-300-128-60"
    for title in frozen_transfer.VARIANTS:
        for kept in (
            *frozen_transfer.points(folder, title, 1, a),
            frozen_transfer.at_larger(folder, title, 1),
        ):
            kept.parent.mkdir(parents=True, exist_ok=True)
            found = scores(0.5, 1)
            np.savez(kept, joints=found.joints, confusions=found.confusions, seconds=20.0)
    assert experiments.main([*words, "--finished"]) == 0
    assert "seeds\n1)" in (tmp_path / "7-frozen-transfer.md").read_text()
    assert not (folder / SETTING).exists()


def test_scores_are_kept_apart_from_those_of_other_options(tmp_path: Path) -> None:
    """A trial is not taken for the whole. An earlier version kept no options; a note stays."""
    a = parser().parse_args(["seven", "--limit", "3"])
    setting = TrainingSetting.of(a)
    (tmp_path / SETTING).write_text(json.dumps({"steps": 1250, "crop": 128, "cold": False, "note": "a note"}))
    setting.keep(tmp_path, a)
    kept = TrainingSetting.read(tmp_path)
    assert (kept.note, kept.options["limit"]) == ("a note", "3")
    for words in (["--finished"], ["--limit", "3", "--test", "others"]):
        with pytest.raises(DataError, match=r"made with --(limit 3, now it is left out|test .*others)"):
            setting.keep(tmp_path, parser().parse_args(["seven", *words]))
    scenes = parser().parse_args(["seven", "--limit", "3", "--synthetic-folder", "scenes"])
    setting.keep(tmp_path, scenes)
    setting.keep(tmp_path, a)
    assert TrainingSetting.read(tmp_path).options["synthetic_folder"] == "scenes"
