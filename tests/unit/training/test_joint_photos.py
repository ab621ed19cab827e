"""Joints of photos: whose word counts, and how often a photo is learned from."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from models.labels import COCO17, LIP16, LSP14
from tests.unit.training.test_batches import data_folder
from training.joint_photos import (
    LANDMARKS,
    JointPhoto,
    annotated,
    read_joint_photos,
    rendered,
    with_codes,
    with_landmarks,
)
from training.photos import DEVELOPMENT_TEST, GARMENTS, Photo
from training.scribbles import Skeleton
from training.stream import Packed
from training.teacher_labels import read_landmarks

IMAGE = np.zeros((9, 9, 3), np.uint8)


def skeleton() -> Skeleton:
    """Joint i at (i, 2i): the first is absent, the second occluded."""
    i = np.arange(14, dtype=np.float32)
    return Skeleton(np.stack((i, 2 * i), axis=1), np.array([0, 1, *[2] * 12], np.int8))


def test_joints_that_both_sets_have_are_taken_by_name() -> None:
    codes = np.zeros((9, 9), np.uint8)
    found = annotated(Photo("a.jpg", IMAGE, codes, skeleton()), LIP16)
    shared = [n for n in LIP16.names if n in LSP14.names[1:]]
    assert [n for n, known in zip(LIP16.names, found.known, strict=True) if known] == shared
    for name in shared:
        i = LSP14.id(name)
        assert found.points[LIP16.id(name)].tolist() == [i, 2 * i]
    assert not found.points[~found.known].any()
    assert (found.name, found.codes) == ("a.jpg", None)
    assert not annotated(Photo("a.jpg", IMAGE, codes), LIP16).known.any()


def test_annotators_win_over_a_teacher_whose_joints_may_be_of_the_same_person() -> None:
    """Landmarks 99 px away contradict the joints, if there are any."""
    codes = np.full((9, 9), 3, np.uint8)
    rows = np.full((33, 3), (99, 98, 1), np.float32)
    photos = [
        Photo("a.jpg", IMAGE, codes, skeleton()),
        Photo("b.jpg", IMAGE, codes),
        Photo("c.jpg", IMAGE, codes),
    ]
    given, free, bare = with_codes(photos, {"a": rows, "b": rows}, COCO17)
    assert not given.known[COCO17.id("nose")]
    assert given.points[COCO17.id("r_knee")].tolist() == [1, 2]
    assert free.points.tolist() == [[99, 98]] * 17
    assert not bare.known.any()
    assert all((p.codes == 3).all() for p in (given, free, bare))
    own = annotated(photos[0], COCO17)
    (both,) = with_landmarks([own], {"a": rows}, COCO17)
    assert both.known.all()
    assert (both.points[own.known] == own.points[own.known]).all()
    assert both.points[COCO17.id("r_ankle")].tolist() == [99, 98]
    assert own.known.sum() == 11, "it is left as it was"


def test_photos_of_lsp_are_learned_from_thrice(tmp_path: Path) -> None:
    names = [p.name for p in read_joint_photos(data_folder(tmp_path))]
    assert names == [*["000.jpg", "001.jpg", "002.jpg"] * 3, "003.jpg"]


def test_landmarks_are_those_of_the_pose_model_by_their_order() -> None:
    """BlazePose: nose; inner, mid and outer eyes left and right; ears; mouth; then pairs, left first."""
    rows = np.array([[i, 100 + i, 1] for i in range(33)], np.float32)
    image = np.zeros((9, 9, 3), np.uint8)
    nothing = JointPhoto("a.jpg", image, np.zeros((17, 2), np.float32), np.zeros(17, np.bool_))
    (found,) = with_landmarks([nothing], {"a": rows}, COCO17)
    order = [0, 2, 5, 7, 8, 11, 12, 13, 14, 15, 16, 23, 24, 25, 26, 27, 28]
    assert found.points.tolist() == [[i, 100 + i] for i in order]
    assert found.known.all()
    rows[:, 2] = [0.5 if i % 2 else 0.49 for i in range(33)]
    (some,) = with_landmarks([nothing], {"a": rows}, COCO17)
    assert some.known.tolist() == [i % 2 == 1 for i in order]


def test_rendered_joints_are_known_where_they_are_somewhere() -> None:
    table = np.zeros((2, 17, 3), np.float32)
    table[1, 0], table[1, 3], table[1, 5] = (4, 5, 2), (6, 7, 0), (8, 9, 1)
    images, labels = np.arange(2 * 27, dtype=np.uint8).reshape(2, 3, 3, 3), np.full((2, 3, 3), 9, np.uint8)
    found = rendered(Packed(images, labels, table), 1, COCO17)
    assert np.flatnonzero(found.known).tolist() == [0, 5]
    assert found.points[[0, 3, 5]].tolist() == [[4, 5], [0, 0], [8, 9]]
    assert found.name == "rendered 1"
    assert found.codes is not None
    assert (found.codes == labels[1]).all()
    assert (found.image == images[1]).all()
    assert not rendered(Packed(images, labels), 1, COCO17).known.any()


def test_annotators_come_before_the_teacher(tmp_path: Path) -> None:
    xy = np.tile(np.arange(14, dtype=np.float32)[:, None] * 4, (1, 2))
    visible = np.full(14, 2, np.int8)
    visible[LSP14.id("l_knee")] = 0
    image = np.zeros((90, 90, 3), np.uint8)
    photo = annotated(Photo("a.jpg", image, image[..., 0], Skeleton(xy, visible)), COCO17)
    assert not photo.known[[COCO17.id("l_knee"), COCO17.id("nose")]].any()
    rows = [[7.0, 8.0, 0.9] for _ in range(33)]
    rows[2][2] = 0.1  # the left eye is hidden
    file = tmp_path / "landmarks.json"
    file.write_text(json.dumps({"images": {"a": {"landmarks": rows}}}))
    (whole,) = with_landmarks([photo], read_landmarks(tmp_path), COCO17)
    assert whole.points[COCO17.id("r_ankle")].tolist() == [0, 0]
    assert whole.points[COCO17.id("l_knee")].tolist() == whole.points[COCO17.id("nose")].tolist() == [7, 8]
    assert np.flatnonzero(~whole.known).tolist() == [COCO17.id("l_eye")]


def joint_folders(root: Path, annotated_joints: int) -> Path:
    """One picture of each source, the teacher's landmarks of all, so many joints annotated in LSP's."""
    picture = np.full((30, 40, 3), 90, np.uint8)
    rows = [[5 + k, 20, 1 if k < annotated_joints else 0] for k in range(14)]
    names = [f"{i:03d}" for i in range(DEVELOPMENT_TEST + 1)]
    for folder, stems in (("lsp/images", names), ("lspet/images", names[:1]), ("ccp/images", names),
                          ("ccp_unlabelled", names[:1])):  # fmt: skip
        (root / folder).mkdir(parents=True)
        for stem in stems:
            cv2.imwrite(str(root / folder / f"{stem}.jpg"), picture)
    for name in ("lsp", "lspet"):
        (root / name / "keypoints.json").write_text(json.dumps({"images": dict.fromkeys(names, rows)}))
    (root / "ccp" / "labels.json").write_text(json.dumps(list(GARMENTS)))
    for kind in ("silhouettes", "labels"):
        (root / "ccp" / kind).mkdir()
        cv2.imwrite(str(root / "ccp" / kind / f"{names[0]}.png"), picture[..., 0] * 0)
    return root


@pytest.mark.parametrize("annotated_joints", [0, 2, 3, 4])
def test_photos_with_enough_joints_are_read_and_precise_ones_drawn_more_often(
    annotated_joints: int, tmp_path: Path
) -> None:
    """Ankles, knees and hips of LSP are in COCO; the nose is told by a teacher who saw it."""
    root = joint_folders(tmp_path, annotated_joints)
    seen = np.zeros((33, 3))
    seen[LANDMARKS["nose"]] = 7, 8, 1
    for name, table in (("lsp", seen), ("lspet", seen * 0), ("ccp", seen * 0 + 1), ("ccp_unlabelled", seen)):
        (root / "teacher" / name).mkdir(parents=True)
        held = {"images": {"000": {"landmarks": table.tolist()}}}
        (root / "teacher" / name / "landmarks.json").write_text(json.dumps(held))
    photos = read_joint_photos(root)
    told = [int(p.known.sum()) for p in photos]
    precise = [annotated_joints + 1] * 3 if annotated_joints >= 3 else []
    assert told == [*precise, *([annotated_joints] if annotated_joints == 4 else []), len(LANDMARKS)]
    if precise:
        assert photos[0].points[COCO17.id("nose")].tolist() == [7, 8]
    assert {p.name for p in photos} == {"000.jpg"}, "the last ones by name are for testing"
