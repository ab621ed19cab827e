"""Joints for small people of COCO without keypoints: a model of single people in each one's box (§3.3)."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.labels import COCO17
from runtime.engine.engine import Engine, load_engine
from runtime.engine.letterbox import NetworkSize
from runtime.engine.sessions import NoResultError
from runtime.frames import Frame
from runtime.system.errors import Refusal
from runtime.system.files import write_atomic
from training.datasets.coco import CATEGORY, IMPUTED, AnnotatedPicture, Annotation, annotated, records
from training.datasets.files import BrokenError, read_rgb
from training.datasets.problems import Problems

LARGEST = 32.0**2  # px²: COCO has no keypoints of people who are smaller
MARGIN = 0.2  # of the box's sides, on each side
LEAST_SCORE = 0.3  # of a joint
FEWEST = 3  # joints that make an annotation


def impute(root: Path, split: str, model: str, problems: Problems, limit: int | None = None) -> str:
    """Write annotations/person_keypoints_SPLIT_imputed.json, a split to train on; a line of what it holds.

    Raises:
        DataError: the split cannot be used.
        Refusal: the model cannot, or has other joints than COCO's.
        OSError: the file cannot be written.
    """
    engine = load_engine(model)
    if engine.spec.joint_set != COCO17.name:
        raise Refusal(f"model {engine.name}", "it does not give the 17 joints of COCO", "choose joints-s31")
    engine = engine.with_size(NetworkSize(*engine.spec.input_size[::-1]))  # small people are enlarged
    pictures = []
    for record in islice(records(root, split, problems), limit):
        people = problems.attempt(record.name, partial(_completed, engine, record))
        if people is not None:
            pictures.append(replace(record, annotations=tuple(people)))
    found = [a for p in pictures for a in p.annotations]
    held = {
        "images": [{"id": p.image_id, "file_name": p.name, "width": p.size[0], "height": p.size[1]}
                   for p in pictures],
        "annotations": found, "categories": [CATEGORY],
    }  # fmt: skip
    path = root / "annotations" / f"person_keypoints_{split}{IMPUTED}.json"
    write_atomic(path, json.dumps(held).encode(), mode=None)
    return f"{path}: joints of {sum(bool(a.get('imputed')) for a in found)} people imputed"


def _completed(engine: Engine, record: AnnotatedPicture) -> list[Annotation]:
    people, image = [], None
    for a in record.annotations:
        person = annotated(a)
        small = not person.crowd and not person.visible.any() and 0 < float(a.get("area", 0)) <= LARGEST
        if small and person.box is not None:
            image = read_rgb(record.picture) if image is None else image
            people.append({**a, **_joints(engine, image, person.box)})
        else:
            people.append(a)
    return people


def _joints(engine: Engine, image: NDArray[np.uint8], box: tuple[float, float, float, float]) -> Annotation:
    """Fields that a model adds to the annotation of a box; none where it finds hardly any joint."""
    corners = np.array(box).reshape(2, 2)
    around = MARGIN * np.ptp(corners, axis=0)
    left, top = np.maximum(corners[0] - around, 0).astype(int)
    right, bottom = np.maximum(corners[1] + around + 1, 0).astype(int)
    crop = np.ascontiguousarray(image[top:bottom, left:right])
    if min(crop.shape[:2]) < 2:
        return {}
    try:
        people = engine.parse(Frame(crop, 0, 0.0, 0.0)).people
    except NoResultError as e:
        raise BrokenError(str(e)) from e
    pose = max(people, key=lambda p: p.score).pose if people else None
    if pose is None or (pose.scores >= LEAST_SCORE).sum() < FEWEST:
        return {}
    sure = pose.scores >= LEAST_SCORE
    table = np.column_stack((pose.points + np.array((left, top)), np.full(len(sure), 2)))
    table[~sure] = 0
    return {"keypoints": table.round(2).ravel().tolist(), "num_keypoints": int(sure.sum()), "imputed": True}
