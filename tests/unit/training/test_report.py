"""The model's page: where wrong pixels come from, and that everything it shows is written."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from models.checkpoint import save_checkpoint
from models.factored import FactoredConvNet
from models.labels import S31
from training.report import ScoredPicture, main, worst

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
    labels[40:48, :32] = S31.id("ruleg")
    faults = ScoredPicture(PICTURE, truth, labels).faults()
    assert faults == {"missed": 0.25, "other side": 0.25, "other part": 0.25, "invented": 0.25}


def test_the_worst_pictures_come_first_and_empty_ones_not_at_all() -> None:
    good = ScoredPicture(PICTURE, _truth(), _truth())
    bad = ScoredPicture(PICTURE, _truth(), np.zeros_like(_truth()))
    nobody = ScoredPicture(PICTURE, np.zeros_like(_truth()), _truth())
    assert worst([good, nobody, bad]) == [bad, good]
    assert (good.iou(), bad.iou(), nobody.iou()) == (1.0, 0.0, 0.0)


def test_page_pictures_and_sheet_are_written(tmp_path: Path) -> None:
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
