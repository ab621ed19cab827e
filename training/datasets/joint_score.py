"""Joints of a model, and parts, as published sets score them (methods §7.5, §9.1, §9.2, §9.4, §9.5).

PASCAL has no head boxes: head to neck is the reference, so its mAP does not compare with MPII's. Joints that
a model does not know are missed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from models.labels import LIP20, MERGES, S31, JointSet, PartSet, from_s31
from models.results import Parsing, PersonResult, Pose, Result
from runtime.engine.engine import Engine, load_engine
from runtime.engine.letterbox import NetworkSize
from runtime.engine.sessions import NoResultError
from runtime.frames import Frame
from runtime.output.scaling import resized
from runtime.system.errors import Refusal
from training.augment import Image
from training.datasets.files import BrokenError
from training.datasets.samples import Person, Sample
from training.datasets.sets import MPII16, PASCAL14
from training.group_scores import GroupPicture, pck_dist, pose_map
from training.metrics import Confusion
from training.pck import lip_pck, mpii_pckh
from training.photos import DataError

MARGIN, SHIFT = 1.25, 0.075  # of MPII's crops: their side and their place below the centre, person heights
Scores = dict[str, float]
Points = NDArray[np.float64]


def joints_of(pose: Pose | None, joints: JointSet) -> Points:
    """(joints, 2) places of a set's joints by their names; NaN where the pose has not found them."""
    points = np.full((len(joints.names), 2), np.nan)
    for i, name in enumerate("head_top" if n == "head" else n for n in joints.names):
        if pose is not None and name in pose.joint_set.names:
            k = pose.joint_set.id(name)
            points[i] = pose.points[k] if pose.scores[k] > 0 else np.nan
    return points


def group_of(
    people: Sequence[PersonResult], truth: Points, references: Points, joints: JointSet
) -> GroupPicture:
    """Everybody annotated and found in a picture; a joint's score is its person's."""
    found = np.array([joints_of(p.pose, joints) for p in people]).reshape(-1, *truth.shape[1:])
    scores = np.array([p.score for p in people])[:, None].repeat(truth.shape[1], axis=1)
    return GroupPicture(truth, references, found, scores)


def add_parts(parsing: Parsing, truth: Image, parts: PartSet, tally: Confusion) -> None:
    """Count the parts of a picture in a set's classes.

    Raises:
        DataError: the model's parts are others, and do not merge into them.
    """
    labels = parsing.labels
    if parsing.part_set.name != parts.name:
        if parsing.part_set.name != S31.name or parts.name not in MERGES:
            raise DataError(
                f"parts of {parsing.part_set.name} are none of {parts.name}. Score another model."
            )
        labels = from_s31(parts)[labels]
    tally.add(truth, resized(labels, (truth.shape[1], truth.shape[0]), cv2.INTER_NEAREST))


def score_lip(engine: Engine, samples: Iterable[Sample]) -> Scores:
    """PCK of the person that each picture is cut to; of models with LIP's parts their accuracies and IoU."""
    rows, tally = [], Confusion(LIP20.classes) if engine.part_set == LIP20 else None
    for sample in samples:
        result = _parsed(engine, sample.image())
        rows.append((_annotated(sample.people[0]), _best(result)))
        if tally is not None and result.parsing is not None:
            add_parts(result.parsing, sample.labels(), LIP20, tally)
    return {**lip_pck(*_columns(rows)), **(tally.summary() if tally else {})}


def score_mpii(engine: Engine, samples: Iterable[Sample]) -> Scores:
    """PCKh@0.5 and its AUC of people that stand alone, cut out as Newell does."""
    rows = []
    for sample in samples:
        for person in sample.people:
            if person.separate and person.head_box and person.centre and person.height:
                cut, origin = _newell_crop(sample.image(), person.centre, person.height)
                found = _best(_parsed(engine, cut)) + origin
                rows.append((_annotated(person), found, np.array(person.head_box)))
    return mpii_pckh(*_columns(rows))


def score_pascal(engine: Engine, samples: Iterable[Sample]) -> Scores:
    """Precision (mAP) and PCK_dist of everybody, and accuracies and IoU of the parts."""
    pictures, tally = [], None
    head, neck = PASCAL14.id("head"), PASCAL14.id("neck")
    for sample in samples:
        result = _parsed(engine, sample.image())
        truth = np.array([_annotated(p) for p in sample.people]).reshape(-1, len(PASCAL14.names), 2)
        references = np.linalg.norm(truth[:, head] - truth[:, neck], axis=1)
        pictures.append(group_of(result.people, truth, references, PASCAL14))
        if result.parsing is not None and sample.label_set is not None:
            tally = tally or Confusion(sample.label_set.classes)
            add_parts(result.parsing, sample.labels(), sample.label_set, tally)
    if not pictures:
        raise DataError(NOTHING)
    return {
        **pose_map(pictures, PASCAL14),
        **pck_dist(pictures, PASCAL14),
        **(tally.summary() if tally else {}),
    }


NOTHING: Final = "nothing to score: no picture of the split can be read. Check the folder first."
SCORES: Final = {"lip": score_lip, "mpii": score_mpii, "pascal-person-part": score_pascal}


def score_joints_of(name: str, model: str, samples: Iterable[Sample], size: int | None) -> Scores:
    """Measures of a model on a data set by its name in the registry.

    Raises:
        DataError: nothing of it can be scored.
        Refusal: the model cannot be used, or gives no joints.
    """
    if name not in SCORES:
        raise DataError(f"{name}: --joints scores {', '.join(SCORES)}. Choose one of these.")
    engine = load_engine(model, device="auto", size=NetworkSize(size) if size else None)
    if engine.spec.joint_set is None:
        raise Refusal(f"model {engine.name}", "it gives no joints", "choose one that does")
    return SCORES[name](engine, samples)


def _annotated(person: Person) -> Points:
    return np.where(person.visible[:, None] > 0, person.xy, np.nan)


def _best(result: Result) -> Points:
    """The joints of the surest person."""
    best = max(result.people, key=lambda p: p.score, default=None)
    return joints_of(best.pose if best else None, MPII16)


def _columns(rows: Sequence[tuple[Points, ...]]) -> list[Points]:
    if not rows:
        raise DataError(NOTHING)
    return [np.stack(column) for column in zip(*rows, strict=True)]


def _newell_crop(image: Image, centre: tuple[float, float], height: float) -> tuple[Image, Points]:
    """The square round a person, black beyond the picture, and its upper left corner, px."""
    side = round(MARGIN * height)
    corner = np.floor(np.array((centre[0], centre[1] + SHIFT * height)) - side / 2)
    moved = np.array([[1.0, 0.0, -corner[0]], [0.0, 1.0, -corner[1]]])
    return np.asarray(cv2.warpAffine(image, moved, (side, side)), np.uint8), corner


def _parsed(engine: Engine, image: Image) -> Result:
    try:
        return engine.parse(Frame(image, 0, 0.0, 0.0))
    except NoResultError as e:
        raise BrokenError(str(e)) from e
