"""The shipped model for joints: from a picture to keypoints in coco.json, and nobody where nobody is."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image
from pycocotools.coco import COCO

from app.commands.parse import parse_all
from models.consistency import consistency
from models.labels import COCO17
from runtime.engine.engine import load_engine
from runtime.frames import Frame
from runtime.media.clips import Clip
from runtime.output.scaling import full_labels

SAMPLE = Path("assets/clips/sample.mp4")
EMPTY, STANDING = 0, 120  # frames without anybody and with one person


@pytest.fixture(scope="module")
def frames() -> dict[int, Frame]:
    with Clip(SAMPLE) as clip:
        return {f.index: f for f in clip.frames(0, jump=False) if f.index in (EMPTY, STANDING)}


def test_joints_become_keypoints_that_lie_on_the_person(frames: dict[int, Frame], tmp_path: Path) -> None:
    for index, frame in frames.items():
        Image.fromarray(frame.image).save(tmp_path / f"{index}.png")
    options = {"model": "joints-s31", "device": "cpu"}
    pictures = [str(tmp_path / f"{i}.png") for i in frames]
    assert parse_all(pictures, tmp_path / "out", options, progress="none") == 0
    assert {p.name for p in (tmp_path / "out").iterdir()} == {"coco.json", "overlay", "manifest.json"}
    coco = COCO(str(tmp_path / "out" / "coco.json"))
    (category,) = coco.cats.values()
    assert category["keypoints"][:3] == ["nose", "left_eye", "right_eye"]
    assert len(category["keypoints"]) == 17
    (found,) = coco.loadAnns(coco.getAnnIds())
    assert coco.imgs[found["image_id"]]["file_name"] == f"{STANDING}.png", "the empty room has nobody"
    joints = np.array(found["keypoints"]).reshape(17, 3)
    assert found["num_keypoints"] >= 15
    labels = full_labels(load_engine("factored-s31", device="cpu").parsing(frames[STANDING]))
    person = cv2.dilate((labels > 0).astype(np.uint8), np.ones((25, 25), np.uint8))
    x, y = joints[joints[:, 2] > 0, :2].round().astype(int).T
    assert person[y, x].mean() >= 0.9
    height = {
        name: joints[COCO17.id(name), 1] for name in ("nose", "l_shoulder", "l_hip", "l_knee", "l_ankle")
    }
    assert list(height.values()) == sorted(height.values()), "upright, y downwards"


@pytest.mark.parametrize("name", ["pil-small", "mula-small", "paf-fcn-small"])
def test_parts_and_joints_of_one_model_agree(frames: dict[int, Frame], name: str) -> None:
    engine = load_engine(name, device="cpu")
    empty, standing = (engine.parse(frames[i]) for i in (EMPTY, STANDING))
    assert empty.parsing is not None
    assert standing.parsing is not None
    assert (empty.parsing.labels > 0).mean() < 0.01, "the empty room has nobody"
    labels = full_labels(standing.parsing) > 0
    reference = full_labels(load_engine("factored-s31", device="cpu").parsing(frames[STANDING])) > 0
    assert (labels & reference).sum() / (labels | reference).sum() > 0.8
    best = max(standing.people, key=lambda p: p.score)
    assert best.pose is not None
    judged = consistency(standing.parsing, [best.pose])
    assert judged.share is not None
    assert judged.share > 0.7, "joints lie in their parts"
