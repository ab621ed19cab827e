"""People found end to end: coco.json of `parse` loads in pycocotools and scores against the truth."""

from __future__ import annotations

import json
from pathlib import Path

from PIL import Image
from pycocotools.coco import COCO

from app.commands.parse import parse_all
from tests import drawn_people
from training.average_precision import KINDS, Evaluation


def test_people_become_annotations_that_pycocotools_scores(tmp_path: Path) -> None:
    model = drawn_people.bundle(tmp_path / "drawn")
    pictures = []
    for i in range(len(drawn_people.SCENES)):
        pictures.append(str(tmp_path / f"{i}.png"))
        Image.fromarray(drawn_people.picture(i)).save(pictures[-1])
    options = {"model": str(model), "device": "cpu", "save": ["coco"], "views": "1"}
    assert parse_all(pictures, tmp_path / "out", options, progress="none") == 0
    found = COCO(str(tmp_path / "out" / "coco.json"))
    (category,) = found.cats.values()
    assert len(category["keypoints"]) == 17
    assert len(category["skeleton"]) == 16
    truth = COCO()
    truth.dataset = json.loads(
        (
            drawn_people.coco_folder(tmp_path / "coco") / "annotations/person_keypoints_val2017.json"
        ).read_text()
    )
    truth.createIndex()
    numbers = {f"{i}.png": i + 1 for i in range(len(drawn_people.SCENES))}
    rows = [{**a, "image_id": numbers[found.imgs[a["image_id"]]["file_name"]]} for a in found.anns.values()]
    assert len(truth.loadRes(rows).anns) == 3
    for kind in KINDS:
        assert Evaluation(truth, rows, kind).scores()["AP50"] > 0.99
    assert Evaluation(truth, rows, "keypoints").scores()["AP"] > 0.95
