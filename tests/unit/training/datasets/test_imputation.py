"""Imputed joints: a small person of a real clip gets those that the same model finds at full size."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image
from pycocotools.coco import COCO

from runtime.engine.engine import load_engine
from runtime.frames import Frame
from runtime.media.clips import Clip
from training.datasets.__main__ import main
from training.datasets.coco import samples
from training.datasets.problems import Problems

SMALL = 5  # times


@pytest.fixture(scope="module")
def frame() -> Frame:
    with Clip(Path("assets/clips/sample.mp4")) as clip:
        return next(f for f in clip.frames(0, jump=False) if f.index == 120)


def test_small_people_without_keypoints_get_joints(
    tmp_path: Path, frame: Frame, capsys: pytest.CaptureFixture[str]
) -> None:
    (person,) = load_engine("joints-s31", device="cpu").parse(frame).people
    assert person.pose is not None
    points = person.pose.points / SMALL
    (x, y), (w, h) = points.min(0), np.ptp(points, axis=0)
    size = (frame.size[0] // SMALL, frame.size[1] // SMALL)
    for folder in ("annotations", "train2017"):
        (tmp_path / folder).mkdir()
    small = cv2.resize(frame.image, size, interpolation=cv2.INTER_AREA)
    Image.fromarray(small).save(tmp_path / "train2017/1.png")
    box = [float(v) for v in (x, y, w, h)]
    outline = [[box[0], box[1], box[0] + box[2], box[1], box[0] + box[2], box[1] + box[3]]]
    plain = {"image_id": 1, "category_id": 1, "iscrowd": 0, "keypoints": [0] * 51, "num_keypoints": 0,
             "bbox": box, "segmentation": outline, "area": 900.0}  # fmt: skip
    beside = {**plain, "bbox": [0, 0, 8, 8]}  # the corner of the room
    rows = [
        plain,
        {**plain, "area": 2000.0},
        {**plain, "iscrowd": 1},
        {**plain, "bbox": [5, 5, 0, 0]},
        beside,
    ]
    held = {"images": [{"id": 1, "file_name": "1.png", "width": size[0], "height": size[1]}],
            "annotations": [{**r, "id": n} for n, r in enumerate(rows, start=1)]}  # fmt: skip
    (tmp_path / "annotations/person_keypoints_train2017.json").write_text(json.dumps(held))
    assert main(["coco", str(tmp_path), "--split", "train2017", "--impute", "joints-s31"]) == 0
    assert "joints of 1 people imputed" in capsys.readouterr().out
    written = COCO(str(tmp_path / "annotations/person_keypoints_train2017_imputed.json"))
    first, *others = written.loadAnns(written.getAnnIds())
    assert [bool(a.get("imputed")) for a in others] == [False] * 4
    joints = np.array(first["keypoints"]).reshape(17, 3)
    found = joints[:, 2] > 0
    assert first["num_keypoints"] == found.sum() >= 10
    away = np.linalg.norm(joints[:, :2] - points, axis=1)[found & (person.pose.scores > 0.5)]
    assert np.median(away) < 0.06 * h
    (sample,) = samples(tmp_path, "train2017_imputed", Problems(strict=True))
    assert [bool(p.visible.any()) for p in sample.people] == [True, False, False, False, False]


def test_other_models_and_other_data_sets_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["lsp", str(tmp_path), "--impute", "joints-s31"]) == 1
    (tmp_path / "annotations").mkdir()
    (tmp_path / "annotations/person_keypoints_val2017.json").write_text("{}")
    assert main(["coco", str(tmp_path), "--impute", "factored-s31"]) == 1
    assert "17 joints" in capsys.readouterr().err
    assert main(["coco", str(tmp_path), "--impute", "joints-s31"]) == 1
    assert "no lists" in capsys.readouterr().err
