"""Masks from poses: a place with a body part is whose bone is nearest, where a model gives both."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from models.codecs.greedy_poses import box_sizes
from models.outputs import Heatmaps, JointOutput, Output
from models.results import Parsing, PersonResult

LONGEST = 256  # side of a mask, cells: as PersonLab's
REACH = 0.5  # from a bone to a place of its person, person sizes: √area of the box round the joints


def with_own_masks(
    outputs: Iterable[Output], parsing: Parsing | None, people: tuple[PersonResult, ...]
) -> tuple[PersonResult, ...]:
    """The people, with masks if the decoded outputs tell several apart; heat maps alone are of one."""
    several = any(isinstance(o, JointOutput) and not isinstance(o, Heatmaps) for o in outputs)
    return with_masks(parsing, people) if several and parsing is not None else people


def with_masks(parsing: Parsing, people: Sequence[PersonResult]) -> tuple[PersonResult, ...]:
    """The people, those with joints and no mask with one.

    Args:
        parsing: the body parts of everybody.
        people: of the same picture, the surest first: where bones cross, the surer one's counts.
    """
    missing = [i for i, p in enumerate(people) if p.pose is not None and p.mask is None]
    if not missing:
        return tuple(people)
    labels = parsing.labels
    finer = max(labels.shape) / LONGEST
    if finer > 1:
        size = [max(1, round(n / finer)) for n in labels.shape[::-1]]
        labels = np.asarray(cv2.resize(labels, size, interpolation=cv2.INTER_NEAREST_EXACT), np.uint8)
    bones = np.zeros(labels.shape, np.int32)  # whose, from 1
    reach = np.zeros(len(people) + 1, np.float32)
    scale = np.array(labels.shape[::-1], np.float32) / np.array(parsing.size, np.float32)
    for i in reversed(missing):
        pose = people[i].pose
        if pose is None or not (found := pose.scores > 0).any():
            continue
        points = np.asarray((pose.points + np.float32(0.5)) * scale, np.float32)
        _draw(bones, pose.joint_set.bones, points, found, i + 1)
        reach[i + 1] = REACH * scale[0] * float(box_sizes(pose.points[found][None])[0])
    out = list(people)
    whose = _nearest(bones, reach) * (labels > 0)
    for i in missing:
        out[i] = replace(people[i], mask=(whose == i + 1).astype(np.uint8))
    return tuple(out)


def _draw(
    bones: NDArray[np.int32],
    pairs: Sequence[tuple[int, int]],
    points: NDArray[np.float32],
    found: NDArray[np.bool_],
    value: int,
) -> None:
    cells = [(int(x), int(y)) for x, y in np.floor(points.clip(-1e4, 1e4)).tolist()]
    for a, b in (*pairs, *((k, k) for k in range(len(cells)))):
        if found[a] and found[b]:
            cv2.line(bones, cells[a], cells[b], value)


def _nearest(bones: NDArray[np.int32], reach: NDArray[np.float32]) -> NDArray[np.int32]:
    """Value of the nearest cell that is not 0, where it is within its reach, else 0."""
    if not bones.any():
        return bones
    away, near = cv2.distanceTransformWithLabels(
        (bones == 0).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    values = np.zeros(int(near.max()) + 1, np.int32)
    drawn = bones > 0
    values[near[drawn]] = bones[drawn]
    whose = values[near]
    return np.asarray(np.where(away <= reach[whose], whose, 0), np.int32)
