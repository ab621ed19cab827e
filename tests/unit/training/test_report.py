"""The model's page: where wrong pixels come from, and that everything it shows is written."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from models.checkpoint import save_checkpoint
from models.factored import FactoredConvNet
from models.labels import S31
from training.report import ScoredPicture, confusion, failures, main, page, sheet, worst

PICTURE = np.zeros((64, 64, 3), np.uint8)


def _truth() -> np.ndarray:
    truth = np.zeros((64, 64), np.uint8)
    truth[:32, :32] = S31.id("ruleg")
    return truth


def test_every_wrong_pixel_has_one_cause() -> None:
    truth, labels = _truth(), _truth()
    labels[:8, :32] = 0
    labels[8:16, :32] = S31.id("luleg")
    labels[16:24, :32] = S31.id("rknee")
    labels[40:48, :32] = 1
    faults = ScoredPicture(PICTURE, truth, labels).faults()
    assert faults == {"missed": 0.25, "other side": 0.25, "other part": 0.25, "invented": 0.25}


def test_the_worst_pictures_come_first_and_empty_ones_not_at_all() -> None:
    good = ScoredPicture(PICTURE, _truth(), _truth())
    bad = ScoredPicture(PICTURE, _truth(), np.zeros_like(_truth()))
    nobody = ScoredPicture(PICTURE, np.zeros_like(_truth()), _truth())
    assert worst([good, nobody, bad]) == [bad, good]
    assert (good.iou(), bad.iou(), nobody.iou()) == (1.0, 0.0, 0.0)


def grey(value: int, truth: int = 0, labels: int = 0) -> ScoredPicture:
    """Four by four px of one colour and one part."""
    picture = np.full((4, 4, 3), value, np.uint8)
    return ScoredPicture(picture, *(np.full((4, 4), v, np.uint8) for v in (truth, labels)))


def test_a_sheet_has_pictures_above_their_parsings_from_left_to_right() -> None:
    made = sheet([grey(10 * i, labels=i % 2) for i in range(1, 8)], columns=3)
    assert made.shape == (3 * 8, 3 * 4, 3)
    for i in range(9):
        tile = made[i // 3 * 8 :, i % 3 * 4 :][:8, :4]
        value = 10 * (i + 1) if i < 7 else 0
        assert (tile[:4] == value).all()
        mixed = (0.35 * value + 0.65 * S31.palette()[1]).astype(np.uint8) if i < 7 and i % 2 == 0 else value
        assert (tile[4:] == mixed).all()
    assert sheet([grey(1)] * 7).shape == (2 * 8, 6 * 4, 3)


def test_failures_are_picture_truth_and_prediction_two_in_a_row() -> None:
    made = failures([grey(20 * i, truth=3, labels=0) for i in range(1, 5)])
    assert made.shape == (2 * 4, 2 * 12, 3)
    for i in range(4):
        row = made[i // 2 * 4 :, i % 2 * 12 :][:4, :12]
        value = 20 * (i + 1)
        assert (row[:, :4] == value).all()
        assert (row[:, 8:] == value).all()
        assert (row[:, 4:8] == (0.35 * value + 0.65 * S31.palette()[3]).astype(np.uint8)).all()


def test_a_row_of_failures_has_two_and_the_last_of_an_odd_number_is_left_out() -> None:
    four = [grey(20 * i, truth=3) for i in range(1, 4)]
    assert np.array_equal(failures(four), failures(four[:2]))


def test_a_page_has_the_means_of_parts_and_the_causes_of_cases() -> None:
    """One part: half is missed, and nothing is invented."""
    truth, labels = np.zeros((4, 4), np.uint8), np.zeros((4, 4), np.uint8)
    truth[:2], labels[0] = 1, 1
    case = ScoredPicture(np.zeros((4, 4, 3), np.uint8), truth, labels)
    made = page("m", confusion([case, case]), [case], {"images": 7, "activation": "prelu"}, None)
    rows = [[c.strip() for c in line.strip("|").split("|")] for line in made.splitlines() if line[:1] == "|"]
    assert [r[1:] for r in rows if r[0] == "background"] == [["0.667", "1.000"]]
    assert [r[1:] for r in rows if r[0] == S31.names[0]] == [["0.500", "0.500"]]
    assert rows[-1] == ["1", "0.50", "50%", "0%", "0%", "0%"]
    assert confusion([case, case]).counts.sum() == 32


def test_a_picture_whose_people_fill_a_fiftieth_is_none_of_the_worst() -> None:
    few, more = np.zeros((10, 100), np.uint8), np.zeros((10, 100), np.uint8)
    few[0, :20], more[0, :21] = 1, 1
    pictures = [ScoredPicture(np.zeros((10, 100, 3), np.uint8), t, t * 0) for t in (few, more)]
    assert worst(pictures) == pictures[1:]
    assert len(worst(pictures[1:] * 20)) == 8
    nobody = ScoredPicture(PICTURE, few * 0, few * 0)
    assert nobody.iou() == 1.0
    assert nobody.faults() == {"missed": 0, "other side": 0, "other part": 0, "invented": 0}


def test_page_pictures_and_sheet_are_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    net = FactoredConvNet()
    checkpoint = tmp_path / "net.safetensors"
    save_checkpoint(checkpoint, {"ema": net.state_dict()}, {"row": "factored-s31", "images": 1})
    for stem in ("people", "drawn"):
        np.save(tmp_path / f"{stem}.images.npy", np.zeros((3, 64, 64, 3), np.uint8))
        np.save(tmp_path / f"{stem}.labels.npy", np.stack([_truth()] * 3))
    people, drawn, out = (str(tmp_path / n) for n in ("people", "drawn", "out"))
    assert main([str(checkpoint), "--people", people, "--drawn", drawn, "--out", out]) == 0
    page = (tmp_path / "out" / "factored-s31.md").read_text()
    for name in ("confusion.png", "predictions.jpg", "predictions.html", "failures.jpg"):
        assert (tmp_path / "out" / "factored-s31" / name).stat().st_size > 0
        assert f"factored-s31/{name}" in page
    assert main([str(tmp_path / "none"), "--people", people, "--drawn", drawn, "--out", out]) == 1
    assert capsys.readouterr().err.startswith(f"{tmp_path / 'none'}")
    assert "| ruleg | " in page
    assert "Speed" not in page
    held = {"machine": "M", "provider": "P", "network": "384", "ours": {"network": 12.34, "all": 5.67}}
    (tmp_path / "bench.json").write_text(json.dumps(held))
    more = ["--bench", str(tmp_path / "bench.json"), "--name", "other"]
    assert main([str(checkpoint), "--people", people, "--drawn", drawn, "--out", out, *more]) == 0
    page = (tmp_path / "out" / "other.md").read_text()
    speed = (
        "Speed (`xfactor bench --json`, M, P, input 384): network 12.3 ms, decode to paint 5.7 ms a frame."
    )
    assert speed in " ".join(page.split())
