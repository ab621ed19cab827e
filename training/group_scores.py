"""Measures of the joints of several people in a picture (methods §7.5, §9.5)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.labels import JointSet

NEAR = 0.5  # of the reference
FARTHEST = 5.0  # of a pair, in shortest limbs
Points = NDArray[np.floating]


@dataclass(frozen=True)
class GroupPicture:
    """Everybody in a picture, annotated and found.

    Attributes:
        truth: (people, joints, 2) px; NaN where a joint is not annotated.
        references: (people,) px; people without one (NaN) are left out of `pose_map`.
        found: (found, joints, 2) px; NaN where a joint was not found.
        scores: (found, joints).
    """

    truth: Points
    references: Points
    found: Points
    scores: Points


def pose_map(pictures: Sequence[GroupPicture], joints: JointSet) -> dict[str, float]:
    """Mean average precision of joints as the DeeperCut toolkit has it, and of each joint, sides together.

    Each person found keeps the annotated one of whom they match the largest share of joints within half the
    reference, and each annotated one the best of those. Their joints are right where they match; joints of
    all others found are wrong.
    """
    count = len(joints.names)
    right: list[list[tuple[float, bool]]] = [[] for _ in range(count)]
    total = np.zeros(count)
    for picture in pictures:
        usable = np.isfinite(picture.references)
        truth, reference = picture.truth[usable], picture.references[usable]
        total += np.isfinite(truth).all(axis=2).sum(axis=0)
        matched = _assigned(truth, reference, picture.found)
        for k, j in np.argwhere(np.isfinite(picture.found).all(axis=2)):
            right[j].append((float(picture.scores[k, j]), bool(matched[k, j])))
    precision = list(map(_average_precision, right, total))
    by_row: dict[str, list[float]] = {}
    for name, value in zip(joints.names, precision, strict=True):
        by_row.setdefault(name.removeprefix("l_").removeprefix("r_"), []).append(value)
    rows = {name: float(np.mean(values)) for name, values in by_row.items()}
    known = [p for p in precision if np.isfinite(p)]
    return {**rows, "mAP": float(np.mean(known)) if known else float("nan")}


def _assigned(truth: Points, reference: Points, found: Points) -> NDArray[np.bool_]:
    """(found, joints) True for the matching joints of those found who are somebody annotated."""
    matches = np.zeros((len(found), len(truth), truth.shape[1]), bool)
    for k, points in enumerate(found):
        matches[k] = np.linalg.norm(truth - points, axis=2) <= NEAR * reference[:, None]  # NaN is no match
    if not len(truth) or not len(found):
        return np.zeros(found.shape[:2], bool)
    share = matches.sum(axis=2) / np.maximum(np.isfinite(truth).all(axis=2).sum(axis=1), 1)
    own = np.arange(len(truth)) == share.argmax(axis=1)[:, None]  # the first of equals
    kept = np.where(own, share, 0)
    right = np.zeros(found.shape[:2], bool)
    for person in range(len(truth)):
        best = int(kept[:, person].argmax())
        if kept[best, person] > 0:
            right[best] = matches[best, person]
    return right


def _average_precision(right: Sequence[tuple[float, bool]], total: float) -> float:
    """Area under precision, made monotonous, over recall, at all points (VOC); NaN where nothing is there."""
    if not total:
        return float("nan")
    hits = np.array([hit for _, hit in sorted(right, key=lambda r: -r[0])], float)
    recall = np.concatenate(([0.0], np.cumsum(hits) / total))
    precision = np.cumsum(hits) / np.arange(1, len(hits) + 1)
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    return float((np.diff(recall) * envelope).sum())


def pck_dist(pictures: Sequence[GroupPicture], joints: JointSet) -> dict[str, float]:
    """PCK_dist: mean distance, px, of annotated joints to the nearest found of their type; lower is better.

    Only pairs at most five of the person's shortest annotated limb apart count; `share` is how many of the
    annotated joints those are.
    """
    away: list[float] = []
    total = 0
    for picture in pictures:
        for person in picture.truth:
            there = np.isfinite(person).all(axis=1)
            limbs = [np.linalg.norm(person[a] - person[b]) for a, b in joints.bones if there[a] and there[b]]
            shortest = min(filter(None, limbs), default=0.0)
            total += int(there.sum())
            for j in np.flatnonzero(there):
                distances = np.linalg.norm(picture.found[:, j] - person[j], axis=1)
                distances = distances[np.isfinite(distances)]
                if len(distances) and distances.min() <= FARTHEST * shortest:
                    away.append(float(distances.min()))
    share = len(away) / total if total else float("nan")
    return {"PCK_dist": float(np.mean(away)) if away else float("nan"), "share": share}
