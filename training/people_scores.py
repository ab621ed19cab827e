"""`python -m training.people_scores MODEL --data DIR`: everybody's joints and masks in held-out scenes.

Scenes are composed of people that training never shows, cut out of photos or rendered (`--rendered`).
Average precisions are COCO's (pycocotools), of what `parse` finds; people hardly seen are ignored.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from pycocotools import mask as rle
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from models.labels import COCO17
from models.outputs import JointDisks
from models.results import PersonResult
from runtime.engine.augmentation import chosen
from runtime.engine.engine import Engine, load_engine
from runtime.engine.letterbox import NetworkSize
from runtime.frames import Frame
from runtime.output.scaling import resized
from runtime.system.errors import Refusal
from training.augment import Image
from training.batches import BACKGROUNDS
from training.crowds import Crowd, draw_crowd
from training.person_cutouts import PersonCutout, read_person_cutouts, read_rendered
from training.photos import DataError, read_backgrounds

SIDE = 512  # px of a scene
CATEGORY = {"id": 1, "name": "person", "keypoints": list(COCO17.names), "skeleton": []}
NAMES = ("AP", "AP50", "AP75")


def scenes(people: Sequence[PersonCutout], backgrounds: Sequence[Image], count: int) -> list[Crowd]:
    """The same scenes for the same people."""
    output = JointDisks(joints=COCO17.name)
    return [
        draw_crowd(np.random.default_rng((2_026, i)), people, backgrounds, output, SIDE) for i in range(count)
    ]


def truth(crowds: Sequence[Crowd]) -> COCO:
    """Scenes as a COCO data set."""
    annotations: list[dict[str, Any]] = []
    for i, crowd in enumerate(crowds):
        for number, person in enumerate(crowd.people, start=1):
            mask = crowd.owners == number
            there = person.labelled & ((person.points >= -0.5) & (person.points < SIDE - 0.5)).all(axis=1)
            table = np.column_stack((person.points, 2 * there)) * there[:, None]
            annotations.append(
                {**_region(mask), "image_id": i, "iscrowd": 0, "keypoints": table.ravel().tolist(),
                 "num_keypoints": int(there.sum())}
            )  # fmt: skip
        if crowd.unsure.any():
            nothing = {"keypoints": [0] * 51, "num_keypoints": 0}
            annotations.append({**_region(crowd.unsure), "image_id": i, "iscrowd": 1, **nothing})
    for number, annotation in enumerate(annotations, start=1):
        annotation["id"] = number
    images = [{"id": i, "width": SIDE, "height": SIDE} for i in range(len(crowds))]
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO()
        coco.dataset = {"info": {}, "images": images, "annotations": annotations, "categories": [CATEGORY]}
        coco.createIndex()
    return coco


def found(engine: Engine, crowds: Iterable[Crowd]) -> list[dict[str, Any]]:
    """Everybody that an engine finds, as COCO results."""
    return [
        {"image_id": i, "category_id": 1, "score": person.score, **_result(person)}
        for i, crowd in enumerate(crowds)
        for person in engine.parse(Frame(crowd.picture, i, 0.0, 0.0)).people
        if person.pose is not None
    ]


def average_precisions(coco: COCO, results: list[dict[str, Any]], kind: str) -> dict[str, float]:
    """`kind` keypoints or segm → AP, AP50, AP75; zeros when nobody was found."""
    field = {"keypoints": "keypoints", "segm": "segmentation"}[kind]
    kept = ("image_id", "category_id", "score", field)
    rows = [{k: r[k] for k in kept} for r in results if field in r]  # pycocotools writes into them
    if not rows:
        return dict.fromkeys(NAMES, 0.0)
    with contextlib.redirect_stdout(io.StringIO()):
        scored = COCOeval(coco, coco.loadRes(rows), kind)
        scored.evaluate()
        scored.accumulate()
        scored.summarize()
    return {name: round(float(v), 4) for name, v in zip(NAMES, scored.stats, strict=False)}


def _region(mask: np.ndarray[Any, Any]) -> dict[str, Any]:
    encoded = rle.encode(np.asfortranarray(mask.astype(np.uint8)))
    x, y, w, h = (float(v) for v in rle.toBbox(encoded))
    return {"category_id": 1, "segmentation": encoded, "area": float(rle.area(encoded)), "bbox": [x, y, w, h]}


def _result(person: PersonResult) -> dict[str, Any]:
    assert person.pose is not None
    table = np.column_stack((person.pose.points, np.full(len(person.pose.points), 2)))
    row: dict[str, Any] = {"keypoints": table.ravel().tolist()}
    if person.mask is not None:
        mask = resized(person.mask, (SIDE, SIDE), cv2.INTER_NEAREST)
        row["segmentation"] = rle.encode(np.asfortranarray(mask))
    return row


def main(argv: list[str] | None = None) -> int:
    """Score a model; 0 done, 1 stopped with a reason."""
    p = argparse.ArgumentParser(prog="python -m training.people_scores", description="People in scenes.")
    p.add_argument("model", help="name or folder of a model that finds people")
    p.add_argument("--data", type=Path, required=True, help="folder with lsp/, lspet/, ccp/, teacher/, …")
    p.add_argument(
        "--rendered", type=Path, help="scenes of synthetic people: python -m synthetic --split test"
    )
    p.add_argument("--count", type=int, default=300, help="scenes")
    p.add_argument("--size", help="of the network's input (default: the model's own)")
    p.add_argument("--views", choices=("1", "2", "6"), default="1")
    a = p.parse_args(argv)
    try:
        size = NetworkSize.parse(a.size) if a.size else None
        engine = load_engine(a.model, device="cpu", size=size).with_views(chosen(a.views, video=False))
        backgrounds = read_backgrounds([a.data / "backgrounds" / k for k in BACKGROUNDS])
        people = read_rendered(a.rendered) if a.rendered else read_person_cutouts(a.data, "test")
    except (Refusal, DataError) as e:
        sys.stderr.write(f"{e}\n")
        return 1
    crowds = scenes(people, backgrounds, a.count)
    coco, results = truth(crowds), found(engine, crowds)
    scores = {kind: average_precisions(coco, results, kind) for kind in ("keypoints", "segm")}
    sys.stdout.write(json.dumps({"scenes": a.count, "people": len(coco.anns), **scores}, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
