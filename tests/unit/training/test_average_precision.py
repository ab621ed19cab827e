"""Average precision: pycocotools' own figures, and intervals over pictures drawn anew."""

from __future__ import annotations

import contextlib
import copy
import io
from typing import Any

import numpy as np
import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from tests import drawn_people
from training.average_precision import KINDS, Evaluation, gains

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
    intervals = gains({"sure": sure, "again": sure, "worse": worse}, "sure", resamples=20)
    assert intervals["again"] == (0, 0)
    low, high = intervals["worse"]
    assert 0 < low < sure.scores()["AP"] - worse.scores()["AP"] < high
