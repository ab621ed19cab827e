"""Average precision and recall of people in pictures as COCO has them, of joints or masks (pycocotools)."""

from __future__ import annotations

import contextlib
import copy
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, Literal

import cv2
import numpy as np
from numpy.typing import NDArray
from pycocotools import mask as rle
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from models.results import PersonResult
from runtime.output.scaling import resized
from training.datasets.coco import CATEGORY

Kind = Literal["keypoints", "segm"]
Row = dict[str, Any]

KINDS: Final[tuple[Kind, ...]] = ("keypoints", "segm")
FIELDS: Final = {"keypoints": "keypoints", "segm": "segmentation"}
SIZES: Final = {"small": "S", "medium": "M", "large": "L"}
RESAMPLES = 200
INTERVAL = (2.5, 97.5)  # percent


class Evaluation:
    """Results matched with the truth, the most certain first.

    Args:
        truth: the data set.
        results: rows of COCO's results; those without the kind's field do not count.
        kind: of similarity: of keypoints, or of masks.
        most: people of a picture, the paper's proposals.
    """

    def __init__(self, truth: COCO, results: Sequence[Row], kind: Kind, most: int = 20) -> None:
        kept = ("image_id", "category_id", "score", FIELDS[kind])
        rows = [{k: r[k] for k in kept} for r in results if FIELDS[kind] in r]  # pycocotools writes into them
        with contextlib.redirect_stdout(io.StringIO()):
            self._scored = COCOeval(
                truth, truth.loadRes(rows) if rows else _indexed({**truth.dataset, "annotations": []}), kind
            )
            self._scored.params.maxDets = [most]
            self._scored.evaluate()
        self._all = self._scored.evalImgs

    def scores(self) -> dict[str, float]:
        """AP and AR over thresholds .50 to .95, at .50 and .75, and of sizes S, M, L that the truth has."""
        held = self._accumulated(self._scored.params)
        precision, recall = held["precision"][:, :, 0, :, 0], held["recall"][:, 0, :, 0, None]
        found: dict[str, float] = {}
        for name, values in (("AP", precision), ("AR", recall.swapaxes(1, 2))):
            for size, label in enumerate(self._scored.params.areaRngLbl):
                if (values[..., size] >= 0).all():
                    found[name + SIZES.get(label, "")] = round(float(values[..., size].mean()), 4)
            if name in found:
                for suffix, threshold in (("50", 0), ("75", 5)):
                    found[name + suffix] = round(float(values[threshold, :, 0].mean()), 4)
        return dict(sorted(found.items()))

    @property
    def pictures(self) -> int:
        """Number of pictures of the truth."""
        return len(self._scored.params.imgIds)

    def resampled(self, order: NDArray[np.intp]) -> float:
        """AP of the pictures of these indices, each as often as it occurs."""
        params = copy.copy(self._scored.params)
        params.areaRng = params.areaRng[:1]
        self._scored.evalImgs = [self._all[i] for i in order]
        try:
            precision = self._accumulated(params)["precision"]
        finally:
            self._scored.evalImgs = self._all
        return float(precision.mean())

    def _accumulated(self, params: Any) -> dict[str, Any]:  # noqa: ANN401 - pycocotools has no types
        with contextlib.redirect_stdout(io.StringIO()):
            self._scored.accumulate(params)
        held: dict[str, Any] = self._scored.eval
        return held


def gains(
    evaluations: Mapping[str, Evaluation], reference: str, resamples: int = RESAMPLES
) -> dict[str, tuple[float, float]]:
    """95 % bootstrap intervals of the reference's AP less each other's, over the same pictures drawn anew."""
    rng = np.random.default_rng(0)
    count = evaluations[reference].pictures
    orders = [rng.integers(0, count, count) for _ in range(resamples)]
    best = np.array([evaluations[reference].resampled(o) for o in orders])
    found = {}
    for name, evaluation in evaluations.items():
        if name != reference:
            away = best - [evaluation.resampled(o) for o in orders]
            low, high = (round(float(v), 4) for v in np.percentile(away, INTERVAL))
            found[name] = (low, high)
    return found


def result(person: PersonResult, image_id: int, size: tuple[int, int]) -> Row:
    """A person as a row of COCO's results, for a picture of (width, height) px."""
    row: Row = {"image_id": image_id, "category_id": 1, "score": person.score}
    if person.pose is not None:
        table = np.column_stack((person.pose.points, np.full(len(person.pose.points), 2)))
        row["keypoints"] = np.round(table.astype(float), 3).ravel().tolist()
    if person.mask is not None:
        encoded = rle.encode(np.asfortranarray(resized(person.mask, size, cv2.INTER_NEAREST)))
        row["segmentation"] = {"size": encoded["size"], "counts": encoded["counts"].decode("ascii")}
    return row


def data_set(sizes: Mapping[int, tuple[int, int]], people: Iterable[Row]) -> COCO:
    """The truth: (width, height) of each picture by its id, and COCO's annotations without their own ids."""
    images = [{"id": i, "width": w, "height": h} for i, (w, h) in sizes.items()]
    rows = [{**a, "id": n} for n, a in enumerate(people, start=1)]
    return _indexed({"info": {}, "images": images, "annotations": rows, "categories": [CATEGORY]})


def _indexed(held: Row) -> COCO:
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO()
        coco.dataset = held
        coco.createIndex()
    return coco
