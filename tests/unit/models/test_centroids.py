"""Centroids of parts in pixels of the picture, and the joints that are read off them."""

from __future__ import annotations

from zlib import crc32

import numpy as np
import pytest

from models.centroids import S31_JOINTS, part_centroids, pose_of_parts
from models.labels import PASCAL_PARTS, S31
from models.results import Parsing


def parsed(labels: np.ndarray, size: tuple[int, int] | None = None) -> Parsing:
    sure = np.arange(labels.size, dtype=np.uint8).reshape(labels.shape)
    return Parsing(S31, size or labels.shape[::-1], labels, labels.copy(), sure)


def test_joints_and_bones_of_parts() -> None:
    assert S31_JOINTS.names[:6] == ("head", "neck", "r_shoulder", "r_elbow", "r_wrist", "r_hand")
    assert (len(S31_JOINTS.names), len(S31_JOINTS.bones)) == (18, 18)
    assert f"{crc32(repr((S31_JOINTS.names, S31_JOINTS.bones)).encode()):08x}" == "4807a528"


def test_a_part_has_a_place_a_size_and_a_mean_confidence() -> None:
    """Cells of 2 by 3 px."""
    labels = np.zeros((4, 6), np.uint8)
    labels[1, 2:5], labels[3, 5] = 7, 31
    found = part_centroids(parsed(labels, (12, 12)))
    assert found.areas.tolist() == [0] * 7 + [3] + [0] * 23 + [1]
    assert found.points[[7, 31]].tolist() == [[6.5, 4], [10.5, 10]]
    assert found.confidences[[7, 31]].tolist() == [9, 23]
    nowhere = [i for i in range(32) if i not in (7, 31)]
    assert np.isnan(found.points[nowhere]).all()
    assert np.isnan(found.confidences[nowhere]).all()


@pytest.mark.parametrize(
    ("side", "cells", "there"), [(20, 1, False), (20, 2, True), (141, 3, False), (141, 4, True)]
)
def test_a_few_cells_are_noise(side: int, cells: int, there: bool) -> None:
    """Two at least, and two of ten thousand."""
    labels = np.zeros((side, side), np.uint8)
    labels[5, 5 : 5 + cells] = S31.id("lknee")
    pose = pose_of_parts(parsed(labels))
    assert np.flatnonzero(pose.scores).tolist() == ([S31_JOINTS.id("l_knee")] if there else [])
    assert pose.scores.max() == float(there)
    assert not pose.points[pose.scores == 0].any()


def test_a_hip_lies_between_its_parts_and_a_head_in_what_is_seen_of_it() -> None:
    labels = np.zeros((20, 20), np.uint8)
    labels[4:6, 4:6], labels[10:12, 8:14] = S31.id("rlbody"), S31.id("ruleg")
    labels[0:2, 0:2], labels[14:16, 2:4] = S31.id("luhead"), S31.id("luleg")
    pose = pose_of_parts(parsed(labels))
    there = {S31_JOINTS.names[i]: pose.points[i].tolist() for i in np.flatnonzero(pose.scores)}
    assert there == {"r_hip": [7.5, 7.5], "head": [0.5, 0.5]}
    coarse = Parsing(PASCAL_PARTS, (20, 20), labels // 31, labels.copy(), labels.copy())
    assert not pose_of_parts(coarse).scores.any(), "its parts have other names"
