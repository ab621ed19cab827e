"""Average precision: pycocotools' own figures, and intervals over pictures drawn anew."""

from __future__ import annotations

import contextlib
import copy
import io
import json
from typing import Any

import numpy as np
import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from models.labels import COCO17
from models.results import PersonResult, Pose
from tests import drawn_people
from training.average_precision import KINDS, Evaluation, data_set, gains, result
from training.datasets.coco import run_lengths

IMAGES = 12


def truth() -> COCO:
    """Twelve pictures of the same three people, of other sizes in each."""
    rows = []
    for i in range(IMAGES):
        for a in drawn_people.annotations():
            rows.append({**a, "id": len(rows) + 1, "image_id": i, "area": a["area"] * (i + 1) / 4})
    coco = COCO()
    images = [{"id": i, "width": drawn_people.SIDE, "height": drawn_people.SIDE} for i in range(IMAGES)]
    coco.dataset = {"info": {}, "images": images, "annotations": rows, "categories": [{"id": 1}]}
    with contextlib.redirect_stdout(io.StringIO()):
        coco.createIndex()
    return coco


def found(coco: COCO, noise_px: float, *, missed: int = 0) -> list[dict[str, Any]]:
    """Everybody but every `missed`-th, joints and masks moved."""
    rng = np.random.default_rng(0)
    rows = []
    for i, a in enumerate(coco.dataset["annotations"]):
        if missed and i % missed == 0:
            continue
        table = np.array(a["keypoints"]).reshape(17, 3)
        table[:, :2] += rng.normal(0, noise_px, (17, 2))
        rows.append({**{k: a[k] for k in ("image_id", "category_id", "segmentation")}, "score": rng.random(),
                     "keypoints": table.ravel().tolist()})  # fmt: skip
    return rows


@pytest.mark.parametrize("kind", KINDS)
def test_figures_are_those_of_pycocotools(kind: str) -> None:
    coco = truth()
    rows = found(coco, 6, missed=4)
    with contextlib.redirect_stdout(io.StringIO()):
        keys = ("image_id", "category_id", "score", "keypoints" if kind == "keypoints" else "segmentation")
        reference = COCOeval(coco, coco.loadRes(copy.deepcopy([{k: r[k] for k in keys} for r in rows])), kind)
        reference.evaluate()
        reference.accumulate()
        reference.summarize()
    names = ("AP", "AP50", "AP75", "APM", "APL", "AR", "AR50", "AR75", "ARM", "ARL")
    indices = range(10)
    if kind == "segm":
        names, indices = ("AP", "AP50", "AP75", "APM", "APL", "AR", "ARM", "ARL"), (0, 1, 2, 4, 5, 8, 10, 11)
    scores = Evaluation(coco, rows, kind, most=100 if kind == "segm" else 20).scores()  # type: ignore[arg-type]
    told = {n: float(reference.stats[i]) for n, i in zip(names, indices, strict=True)}
    assert 0 < scores["AP"] < 1
    assert {n: scores.get(n, -1) for n in names} == pytest.approx(told, abs=1e-4)


@pytest.mark.parametrize("kind", KINDS)
def test_nobody_found_is_zero_and_the_truth_itself_one(kind: str) -> None:
    coco = truth()
    assert set(Evaluation(coco, [], kind).scores().values()) == {0.0}  # type: ignore[arg-type]
    assert set(Evaluation(coco, found(coco, 0), kind).scores().values()) == {1.0}  # type: ignore[arg-type]


def test_gains_are_over_the_same_pictures() -> None:
    coco = truth()
    sure, worse = (Evaluation(coco, found(coco, px), "keypoints") for px in (2, 8))
    assert sure.resampled(np.arange(IMAGES)) == pytest.approx(sure.scores()["AP"], abs=1e-4)
    intervals = gains({"sure": sure, "again": sure, "worse": worse}, "sure")
    assert intervals["again"] == (0, 0)
    low, high = intervals["worse"]
    assert 0 < low < sure.scores()["AP"] - worse.scores()["AP"] < high
    rng = np.random.default_rng(0)
    away = [sure.resampled(o) - worse.resampled(o) for o in (rng.integers(0, 12, 12) for _ in range(200))]
    away.sort()
    # 95 % of 200 lie between the 5th and 6th and the 195th and 196th
    ends = away[4] + (away[5] - away[4]) * 0.975, away[194] + (away[195] - away[194]) * 0.025
    np.testing.assert_allclose((low, high), ends, atol=5.1e-5)
    assert (low, high) == (round(low, 4), round(high, 4)) != (round(low, 3), round(high, 3))
    assert sure.pictures == IMAGES


def test_people_and_pictures_as_rows_of_cocos() -> None:
    points = np.full((17, 2), (1.23456, 7), np.float32)
    mask = np.zeros((2, 4), np.uint8)
    mask[0, 1] = 1  # a quarter of the picture's sides
    whole = PersonResult((0, 0, 9, 9), 0.25, Pose(COCO17, points, np.ones(17, np.float32)), mask)
    row = result(whole, 7, (8, 4))
    assert (row["image_id"], row["category_id"], row["score"]) == (7, 1, 0.25)
    assert row["keypoints"] == [1.235, 7, 2] * 17
    assert row["segmentation"]["size"] == [4, 8]
    assert run_lengths(row["segmentation"]["counts"]) == [8, 2, 2, 2, 18], "two by two px, by columns"
    assert json.loads(json.dumps(row)) == row
    assert result(PersonResult((0, 0, 1, 1), 1.0), 7, (8, 4)) == {
        "image_id": 7,
        "category_id": 1,
        "score": 1.0,
    }
    made = data_set({5: (8, 4)}, [{"image_id": 5, "category_id": 1, "id": 99, "area": 3}] * 2).dataset
    assert made["images"] == [{"id": 5, "width": 8, "height": 4}]
    assert [a["id"] for a in made["annotations"]] == [1, 2]
    assert [c["id"] for c in made["categories"]] == [1]


def test_the_surest_people_of_a_picture_count_and_those_without_the_kind_do_not() -> None:
    coco = truth()
    rows = found(coco, 0)
    alone = Evaluation(
        coco, [{**r, "score": float(i % 3 == 0)} for i, r in enumerate(rows)], "keypoints", most=1
    )
    assert alone.scores()["AR50"] == pytest.approx(1 / 3, abs=0.01)
    bare = [{k: v for k, v in r.items() if k != "segmentation"} for r in rows]
    assert Evaluation(coco, bare, "segm").scores()["AP"] == 0
    assert Evaluation(coco, bare, "keypoints").scores()["AP"] == 1
