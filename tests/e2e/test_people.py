"""People found end to end: coco.json of `parse` loads in pycocotools and scores against the truth."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image
from pycocotools.coco import COCO

from app.batch.clip_task import Report
from app.batch.item import loaded, work
from app.batch.options import ParseJob
from app.batch.plan import Item
from app.commands.parse import parse_all
from runtime.silhouettes import people
from tests import drawn_people
from tests.drawn_media import draw_clip
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


def test_a_number_that_nobody_has_fails_and_names_those_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(people, "NETWORK", str(drawn_people.bundle(tmp_path / "drawn")))
    Image.fromarray(drawn_people.picture(1)).save(tmp_path / "two.png")
    Image.fromarray(drawn_people.picture(2)).save(tmp_path / "nobody.png")
    still = ParseJob(
        (), tmp_path / "out", save=("labels",), factor="people:9", views="1", size="64", device="cpu"
    )
    job, engine, _ = loaded(still, 1)
    inputs = [Item(str(tmp_path / f"{n}.png"), "image", n) for n in ("two", "nobody")]
    inputs.append(Item(str(draw_clip(tmp_path / "a.mp4", 4)), "clip", "a"))
    report = Report(lambda _: None, lambda _: None, lambda: False)
    records = [work(item, job, engine, report)[0] for item in inputs]
    assert [r.status for r in records] == ["failed"] * 3
    assert records[0].reason.startswith("person 9 is in no frame; found: 1, 2. Give one")
    assert records[0].reason.endswith("--factor people:1")
    assert "person 9 is in no frame; nor is anybody" in records[1].reason == records[2].reason
    assert records[2].notices == ()
    job, engine, _ = loaded(replace(still, factor="people:2"), 1)
    assert work(inputs[0], job, engine, report)[0].status == "ok"
