"""Joints, crops, label sets and what a sample teaches."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.labels import COCO17, IGNORE, LIP16, LSP14, PASCAL_PARTS, S31
from tests.unit.training.datasets import made
from training.datasets.files import BrokenError
from training.datasets.samples import Crop, Person, Sample, box_of, person
from training.datasets.sets import (
    LIP20,
    LIP_COARSE,
    PASCAL14,
    YOUTUBE7,
)
from training.targets import SET_CODES


@pytest.mark.parametrize("joints", [COCO17, LSP14, LIP16, PASCAL14, YOUTUBE7], ids=lambda j: j.name)
def test_a_flip_keeps_right_hands_right(joints) -> None:
    n = len(joints.names)
    xy = np.stack([np.arange(n) * 2.0, np.arange(n)], axis=1)
    p = person(joints, xy, [*([2, 1] * n)[: n - 1], 0])
    flipped = p.mirrored(100)
    assert (flipped.xy[flipped.visible == 0] == 0).all()
    back = flipped.mirrored(100)
    assert (back.xy == p.xy).all()
    assert (back.visible == p.visible).all()
    left, right = joints.id("l_wrist"), joints.id("r_wrist")
    assert flipped.xy[left].tolist() == [99 - p.xy[right, 0], p.xy[right, 1]]


def test_a_flip_takes_the_boxes_and_the_centre_along() -> None:
    p = replace(
        person(COCO17, np.zeros((17, 2)), [0] * 17), box=(10.0, 5.0, 30.0, 45.0),
        head_box=(12.0, 6.0, 20.0, 15.0), centre=(19.0, 25.0),
    )  # fmt: skip
    flipped = p.mirrored(100)
    assert flipped.box == (69, 5, 89, 45)
    assert flipped.head_box == (79, 6, 87, 15)
    assert flipped.centre == (80, 25)
    bare = person(COCO17, np.zeros((17, 2)), [0] * 17).mirrored(100)
    assert (bare.box, bare.head_box, bare.centre) == (None, None, None)


@pytest.mark.parametrize("mark", [3, -1, 0.5])
def test_a_visibility_that_is_none_is_named(mark: float) -> None:
    with pytest.raises(BrokenError, match=rf"visibility {mark:g} is not 0, 1 or 2"):
        person(COCO17, np.zeros((17, 2)), [0, 1, 2, 1, mark, 7, *[0] * 11])


def test_a_person_that_contradicts_its_joints_is_refused() -> None:
    xy, visible = np.zeros((14, 2), np.float32), np.zeros(14, np.int8)
    for wrong in ((xy[:13], visible), (xy, visible[:13]), (xy[:, :1], visible)):
        with pytest.raises(BrokenError, match=r"^14 joints with x, y and visibility are expected, not \("):
            Person(LSP14, *wrong)
    for wrong in ((xy + np.inf, visible), (xy, visible + 3), (xy, visible - 1)):
        with pytest.raises(BrokenError, match=r"^joints must be finite and their visibility 0, 1 or 2$"):
            Person(LSP14, *wrong)
    assert Person(LSP14, xy, visible + 2).crowd is Person(LSP14, xy, visible + 2).separate is False


def test_a_box_is_four_finite_numbers() -> None:
    assert box_of([[1, 2], [3, 4]]) == (1, 2, 3, 4)
    for other in ([1, 2, 3], [1, 2, 3, np.nan], [1, 2, 3, np.inf], "box", [1, 2, 3, 4, 5]):
        assert box_of(other) is None  # type: ignore[arg-type]


def test_absent_joints_carry_no_coordinates() -> None:
    xy = np.full((14, 2), 5.0)
    xy[3] = np.nan
    p = person(LSP14, xy, [2] * 13 + [0])
    assert p.visible.tolist() == [2, 2, 2, 0] + [2] * 9 + [0]
    assert p.xy[3].tolist() == p.xy[13].tolist() == [0, 0]
    marked = person(LSP14, np.full((14, 2), 1e6), [1] * 13 + [np.nan])
    assert marked.visible.tolist() == [1] * 13 + [0]
    assert marked.xy.tolist() == [[1e6, 1e6]] * 13 + [[0, 0]]
    for values in (p.xy, p.visible):
        with pytest.raises(ValueError):
            values[0] = 1
    for xy, visible in (
        (np.zeros((13, 2)), [2] * 14),
        (np.zeros((14, 2)), [3] * 14),
        (np.full((14, 2), -1e6 - 1), [2] * 14),
    ):
        with pytest.raises(BrokenError):
            person(LSP14, xy, visible)


def test_joints_by_name_become_a_skeleton() -> None:
    p = person(LIP16, np.arange(32).reshape(16, 2), [2] * 16)
    s = p.skeleton()
    for name in LSP14.names:
        assert s.at(name).tolist() == p.xy[LIP16.id(name)].tolist()
    coco = person(COCO17, np.ones((17, 2)), [2] * 17).skeleton()
    assert not coco.known("neck")
    assert not coco.known("head_top")
    assert coco.seen("l_ankle", "r_wrist")


@given(st.floats(0.1, 8), st.floats(0.1, 8))
def test_the_corners_of_a_box_fall_on_the_corners_of_its_view(sx: float, sy: float) -> None:
    crop = Crop((10, 20, 110, 220), (sx, sy))
    assert np.allclose(crop.to_view((9.5, 19.5)), (-0.5, -0.5))
    assert np.allclose(crop.to_view((109.5, 219.5)), (100 * sx - 0.5, 200 * sy - 0.5))


def sample(tmp_path: Path, labels, label_set, **more) -> Sample:
    path = made.picture(tmp_path / "p.png", (labels.shape[1], labels.shape[0]))
    return Sample("p", "train", path, label_set=label_set, read_labels=lambda: labels, **more)


def test_what_a_sample_teaches(tmp_path: Path) -> None:
    labels = np.array([[0, 1, 2, IGNORE]], dtype=np.uint8)
    s31 = sample(tmp_path, labels, S31)
    assert s31.codes().tolist() == labels.tolist()
    assert s31.silhouette().tolist() == [[0, 1, 1, IGNORE]]
    pascal = sample(tmp_path, labels, PASCAL_PARTS)
    assert pascal.codes().tolist() == [[0, SET_CODES["head"], SET_CODES["person"], IGNORE]]
    lip = sample(tmp_path, labels, LIP20, coarse=LIP_COARSE)
    assert lip.codes().tolist() == [[0, SET_CODES["person"], SET_CODES["person"], IGNORE]]
    assert lip.coarse_labels().tolist() == [[0, 1, 1, IGNORE]]


def test_joints_of_one_person_teach_scribbles(tmp_path: Path) -> None:
    path = made.picture(tmp_path / "p.png", (60, 90))
    xy = [(40, 80), (40, 65), (38, 50), (22, 50), (20, 65), (20, 80), (50, 50), (50, 37), (40, 25),
          (20, 25), (10, 37), (10, 50), (30, 22), (30, 5)]  # fmt: skip
    one = Sample("p", "train", path, (person(LSP14, xy, [2] * 14),))
    assert one.codes()[80, 40] == S31.id("rankle")
    two = Sample("p", "train", path, one.people * 2)
    with pytest.raises(BrokenError, match="no labels to train on"):
        two.codes()
    nobody, other = (), (person(COCO17, np.ones((17, 2)), [2] * 17),)
    for people in (nobody, other):
        with pytest.raises(BrokenError, match=r"^p has no labels to train on$"):
            Sample("p", "train", path, people).codes()
    assert Sample("p", "train", path).scale == 1


def test_labels_of_another_size_are_refused(tmp_path: Path) -> None:
    path = made.picture(tmp_path / "p.png", (10, 8))
    s = Sample("p", "train", path, label_set=S31, read_labels=partial(np.zeros, (8, 9), np.uint8))
    with pytest.raises(BrokenError, match="9x8 pixels, its picture 10x8"):
        s.labels()
    with pytest.raises(BrokenError, match="no part labels"):
        Sample("p", "train", path).silhouette()
