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
from training.teacher_labels import (
    beside_person,
    completed,
    contradicts,
    cutout,
    joint_error,
    read_landmarks,
    silhouette,
    silhouettes,
    with_joints,
)

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
    assert s.xy[:12].tolist() == [
        [50, 175], [50, 140], [52, 100], [68, 100], [70, 140], [70, 175],
        [35, 98], [38, 75], [45, 50], [75, 50], [82, 75], [85, 98],
    ]  # fmt: skip
    assert {name: tuple(at) for name, at in s.tips.items()} == {
        "l_fingers": (86, 109), "l_heel": (70, 180), "l_toes": (80, 184),
        "r_fingers": (34, 109), "r_heel": (50, 180), "r_toes": (40, 184),
    }  # fmt: skip


def test_annotated_joints_stay_and_an_end_that_contradicts_them_is_left_out() -> None:
    xy, visible = np.zeros((14, 2), np.float32), np.zeros(14, np.int8)
    i = LSP14.id("r_wrist")
    xy[i], visible[i] = (100, 20), 2  # the annotator saw the right hand up
    s = completed(Skeleton(xy, visible), landmarks())
    assert s.at("r_wrist") == pytest.approx((100, 20))
    assert s.visible[i] == 2
    assert "r_fingers" not in s.tips
    assert "l_fingers" in s.tips
    for away, continues in ((14.5, True), (15, False), (15.5, False)):  # three tenths of a torso of 50 px
        xy[i] = 35 + away, 98
        assert ("r_fingers" in completed(Skeleton(xy, visible), landmarks()).tips) == continues


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
    soft[0, :4] = 150, 149, 81, 80
    cv2.imwrite(str(given / "silhouettes/a.png"), soft)
    mask = silhouette(given, photo())
    assert mask is not None
    assert mask[0, :4].tolist() == [1, IGNORE, IGNORE, 0]
    small = Photo("a.jpg", np.zeros((10, 10, 3), np.uint8), np.zeros((10, 10), np.uint8))
    with caplog.at_level(logging.WARNING):
        assert silhouette(given, small) is None
    assert "a.png" in caplog.text
    assert "left out" in caplog.text
    cv2.imwrite(str(given / "silhouettes/a.png"), np.full((h, w), 149, np.uint8))
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
    given = folder(
        tmp_path,
        b={"landmarks": [[1, 2]]},
        c={"landmarks": "x"},
        d={"landmarks": np.full((33, 3), np.nan).tolist()},
        e={"landmarks": landmarks().tolist()},
    )
    with caplog.at_level(logging.WARNING):
        assert set(read_landmarks(given)) == {"a", "e"}
    assert "b has not 33" in caplog.text
    assert "c has not 33" in caplog.text
    with pytest.raises(DataError, match=r"landmarks\.json"):
        read_landmarks(tmp_path / "nowhere")


def seen(*points: tuple[float, float]) -> Skeleton:
    """Joints that are seen, of a torso of 20 px that is only known."""
    xy, visible = np.zeros((14, 2), np.float32), np.zeros(14, np.int8)
    for name, y in (("shoulder", 30), ("hip", 50)):
        for side in "lr":
            xy[LSP14.id(f"{side}_{name}")], visible[LSP14.id(f"{side}_{name}")] = (30, y), 1
    for name, point in zip(("neck", "head_top", "l_knee", "r_knee"), points, strict=False):
        xy[LSP14.id(name)], visible[LSP14.id(name)] = point, 2
    return Skeleton(xy, visible)


def test_half_of_the_seen_joints_lie_in_the_person_or_three_px_beside() -> None:
    """A box from (0, 0) to (19, 9) in 60 by 40 px, grown by 0.15 of a torso of 20 px."""
    person = np.zeros((40, 60), bool)
    person[:10, :20] = True
    out = (50, 30)
    places = {(0, 0): True, (22, 5): True, (23, 5): False, (5, 12): True, (5, 13): False, (-1, 5): False,
              (5, -1): False, (60, 5): False, (5, 40): False}  # fmt: skip
    for point, inside in places.items():
        assert beside_person(seen(point, out), person) == inside, point
        assert not beside_person(seen(point, out, out), person)
    assert beside_person(seen(), person), "nobody saw a joint"
    for x, inside in ((20, True), (21, False)):
        alone = seen((x, 5))
        alone.visible[LSP14.id("l_hip")] = 0
        assert beside_person(alone, person) == inside, "one px where no torso is known"


def test_landmarks_are_somebody_elses_from_two_fifths_of_a_torso_on() -> None:
    own = completed(None, landmarks())
    torso = own.torso_length()
    assert torso == pytest.approx(50)
    for share, other in ((0.39, False), (0.41, True)):
        moved = replace(own, xy=own.xy + np.array((share * 50, 0), np.float32))
        assert joint_error(landmarks(), moved) == pytest.approx(share, abs=1e-4)
        assert contradicts(landmarks(), moved) == other
    assert not contradicts(landmarks(), None)
    own.visible[LSP14.id("l_hip")] = 0
    assert joint_error(landmarks(), replace(own, xy=own.xy + 99)) == 0, "there is no torso to measure by"


@pytest.mark.parametrize(
    ("visibility", "known", "end"),
    [(0.49, False, False), (0.5, True, False), (0.79, True, False), (0.8, True, True)],
)
def test_a_landmark_is_believed_from_a_half_and_an_end_drawn_from_eight_tenths(
    visibility: float, known: bool, end: bool
) -> None:
    rows = landmarks()
    rows[[15, 17, 19, 7], 2] = visibility
    s = completed(None, rows)
    assert (s.known("l_wrist"), s.known("neck"), s.known("head_top")) == (known,) * 3
    assert ("l_fingers" in s.tips) == end
    if end:
        assert s.tips["l_fingers"] == pytest.approx((86, 109)), "between little finger and index"


def test_neck_and_head_top_lie_on_the_line_through_the_ears() -> None:
    """From (60, 50) between the shoulders to (60, 24) between the ears."""
    s = completed(None, landmarks())
    assert s.at("neck") == pytest.approx((60, 50 - 0.46 * 26))
    assert s.at("head_top") == pytest.approx((60, 50 - 1.58 * 26))


def test_a_cutout_has_two_px_around_and_codes_by_the_silhouette(tmp_path: Path) -> None:
    w, h = SIZE
    soft = np.zeros((h, w), np.uint8)
    soft[20:180, 40:80], soft[20:180, 80:84] = 150, 149
    soft[20:180, 84:90] = 80
    source = photo(0)
    source.codes[50:60] = S31.id("neck")
    found = cutout(source, folder(tmp_path, soft))
    assert found is not None
    assert found.codes.shape == (164, 48)
    columns = found.codes[35]
    assert columns.tolist() == [0] * 2 + [S31.id("neck")] * 40 + [IGNORE] * 4 + [0] * 2
    assert set(found.codes[10, 2:42]) == {SET_CODES["person"]}
    assert (found.image[..., 3] == soft[18:182, 38:86]).all()
    unknown = cutout(photo(IGNORE), tmp_path)
    assert unknown is not None
    assert set(unknown.codes[10, 2:42]) == {SET_CODES["person"]}
    corner = np.zeros((h, w), np.uint8)
    corner[:9, :9] = 255
    cv2.imwrite(str(tmp_path / "silhouettes/a.png"), corner)
    small = cutout(source, tmp_path)
    assert small is not None
    assert small.codes.shape == (11, 11)


@pytest.mark.parametrize(
    ("unknown", "person", "whole"), [(5, 2, True), (6, 2, False), (0, 1, False), (0, 2, True)]
)
def test_without_a_silhouette_codes_must_know_the_person(
    unknown: int, person: int, whole: bool, tmp_path: Path
) -> None:
    """Of a hundred columns so many are unknown, and so many somebody."""
    codes = np.zeros((100, 100), np.uint8)
    codes[:, :unknown], codes[:, 50 : 50 + person] = IGNORE, 7
    found = cutout(Photo("a.jpg", np.zeros((100, 100, 3), np.uint8), codes), tmp_path)
    assert (found is not None) == whole
    if found is not None:
        assert found.codes.shape == (100, person + 4)
        assert set(np.unique(found.image[..., 3])) == {0, 255}
