"""Teacher labels: what annotators said wins, what contradicts or does not fit is left out in words."""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from models.labels import IGNORE, LSP14, S31
from training.photos import DataError, Photo
from training.scribbles import Skeleton
from training.targets import SET_CODES
from training.teacher_labels import completed, cutout, read_landmarks, silhouette, silhouettes, with_joints

SIZE = (120, 200)  # w, h


def landmarks() -> np.ndarray[Any, np.dtype[np.float32]]:
    """A person standing upright, seen from in front: the person's right is on the picture's left."""
    at = {
        0: (60, 22), 7: (66, 24), 8: (54, 24), 11: (75, 50), 12: (45, 50), 13: (82, 75), 14: (38, 75),
        15: (85, 98), 16: (35, 98), 17: (86, 108), 18: (34, 108), 19: (86, 110), 20: (34, 110), 23: (68, 100),
        24: (52, 100), 25: (70, 140), 26: (50, 140), 27: (70, 175), 28: (50, 175), 29: (70, 180),
        30: (50, 180), 31: (80, 184), 32: (40, 184),
    }  # fmt: skip
    rows = np.zeros((33, 3), np.float32)
    for i, (x, y) in at.items():
        rows[i] = x, y, 0.95
    return rows


def photo(codes: int = IGNORE) -> Photo:
    w, h = SIZE
    return Photo("a.jpg", np.full((h, w, 3), 90, np.uint8), np.full((h, w), codes, np.uint8))


def folder(tmp_path: Path, soft: np.ndarray[Any, np.dtype[np.uint8]] | None = None, **more: object) -> Path:
    rows = {"a": {"landmarks": landmarks().tolist()}} | more
    (tmp_path / "landmarks.json").write_text(json.dumps({"images": rows}))
    (tmp_path / "silhouettes").mkdir()
    if soft is not None:
        cv2.imwrite(str(tmp_path / "silhouettes/a.png"), soft)
    return tmp_path


def test_landmarks_make_a_skeleton_with_hands_and_feet() -> None:
    s = completed(None, landmarks())
    assert (s.visible == 1).all()  # known, not seen: nothing is drawn of them
    assert s.at("r_wrist") == pytest.approx((35, 98))
    assert s.at("neck")[1] < 50 < s.at("r_hip")[1]
    assert s.at("head_top")[1] < 22
    assert set(s.tips) == {f"{side}_{end}" for side in "rl" for end in ("fingers", "heel", "toes")}
    assert s.tips["l_toes"] == pytest.approx((80, 184))


def test_annotated_joints_stay_and_an_end_that_contradicts_them_is_left_out() -> None:
    xy, visible = np.zeros((14, 2), np.float32), np.zeros(14, np.int8)
    i = LSP14.id("r_wrist")
    xy[i], visible[i] = (100, 20), 2  # the annotator saw the right hand up
    s = completed(Skeleton(xy, visible), landmarks())
    assert s.at("r_wrist") == pytest.approx((100, 20))
    assert s.visible[i] == 2
    assert "r_fingers" not in s.tips
    assert "l_fingers" in s.tips


def test_what_the_teacher_did_not_see_is_not_known() -> None:
    rows = landmarks()
    rows[15, 2] = rows[17, 2] = 0.1
    s = completed(None, rows)
    assert not s.known("l_wrist")
    assert "l_fingers" not in s.tips


def test_hands_and_feet_are_drawn_on_their_side(tmp_path: Path) -> None:
    (found,) = with_joints([photo()], folder(tmp_path))
    assert found.codes[109, 34] == S31.id("rhand")
    assert found.codes[109, 86] == S31.id("lhand")
    assert found.codes[182, 45] == S31.id("rfoot")
    assert found.codes[182, 75] == S31.id("lfoot")
    (kept,) = with_joints([photo(7)], tmp_path)
    assert (kept.codes == 7).all()


def test_a_silhouette_is_sure_doubtful_or_absent(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    w, h = SIZE
    soft = np.zeros((h, w), np.uint8)
    soft[20:180, 40:80], soft[20:180, 80:84] = 255, 120
    given = folder(tmp_path, soft)
    mask = silhouette(given, photo())
    assert mask is not None
    assert (mask[100, 60], mask[100, 82], mask[100, 100]) == (1, IGNORE, 0)
    small = Photo("a.jpg", np.zeros((10, 10, 3), np.uint8), np.zeros((10, 10), np.uint8))
    with caplog.at_level(logging.WARNING):
        assert silhouette(given, small) is None
    assert "a.png" in caplog.text
    assert "left out" in caplog.text
    cv2.imwrite(str(given / "silhouettes/a.png"), np.zeros((h, w), np.uint8))
    assert silhouette(given, photo()) is None  # empty
    (given / "silhouettes/a.png").unlink()
    assert silhouette(given, photo()) is None  # missing: no word, the teacher keeps only what is sure


def test_what_contradicts_the_joints_is_left_out_and_counted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Another person's landmarks and silhouette teach nothing, and what is left out is said and counted."""
    w, h = SIZE
    soft = np.zeros((h, w), np.uint8)
    soft[20:180, 35:90] = 255
    given = folder(tmp_path, soft)
    own = replace(photo(), skeleton=replace(completed(None, landmarks()), visible=np.full(14, 2, np.int8)))
    assert own.skeleton is not None
    away = replace(own, skeleton=replace(own.skeleton, xy=own.skeleton.xy + np.float32(60)))
    missing = replace(own, name="b.jpg")
    with caplog.at_level(logging.INFO):
        first, second = with_joints([own, away], given)
        assert [p is own for p, _ in silhouettes([own, away, missing], given)] == [True]
    assert first is not own
    assert second is away
    for said in ("landmarks of a.jpg contradict", "landmarks for 1 photos, none for 1",
                 "joints of a.jpg lie outside", "silhouettes for 1 photos, none for 2"):  # fmt: skip
        assert said in caplog.text


def test_a_cutout_is_the_person_alone(tmp_path: Path) -> None:
    w, h = SIZE
    soft = np.zeros((h, w), np.uint8)
    soft[20:180, 40:80], soft[20:180, 80:84] = 255, 120
    source = photo(0)
    source.codes[50:60, 50:60] = S31.id("neck")
    found = cutout(source, folder(tmp_path, soft))
    assert found is not None
    assert found.image.shape[2] == 4
    assert found.codes.shape == found.image.shape[:2]
    assert set(np.unique(found.codes)) == {0, S31.id("neck"), SET_CODES["person"], IGNORE}
    assert found.codes.shape[0] <= 166
    assert (found.image[..., 3] > 0).any()
    assert cutout(photo(IGNORE), tmp_path / "nowhere") is None  # nobody says which pixels are the person


def test_rows_that_are_no_landmarks_are_named(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    given = folder(tmp_path, b={"landmarks": [[1, 2]]}, c={"landmarks": "x"})
    with caplog.at_level(logging.WARNING):
        assert set(read_landmarks(given)) == {"a"}
    assert "b has not 33" in caplog.text
    assert "c has not 33" in caplog.text
    with pytest.raises(DataError, match=r"landmarks\.json"):
        read_landmarks(tmp_path / "nowhere")
