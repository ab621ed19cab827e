"""What the teacher is shown of a photo, and how near its two answers must be."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from models.labels import LSP14
from tests.unit.training.test_teach import drawn
from training import teach
from training.joint_photos import LANDMARKS
from training.scribbles import Skeleton
from training.teacher_process import NoAnswerError, TeacherAnswer


@pytest.mark.parametrize(
    ("size", "k", "shown"),
    [((2048, 1000), 0.5, (1024, 500)), ((4096, 1), 0.25, (1024, 1)), ((9, 1024), 1, (9, 1024))],
)
def test_a_photo_without_a_torso_is_shown_whole(
    size: tuple[int, int], k: float, shown: tuple[int, int]
) -> None:
    """Centres of pixels are whole numbers: the middle of two is (k - 1) / 2."""
    flat = Skeleton(np.zeros((14, 2), np.float32), np.full(14, 2, np.int8))
    for nobody in (None, flat):
        view = teach.view_of(size, nobody)
        assert view.size == shown
        assert view.matrix == pytest.approx(np.array([[k, 0, (k - 1) / 2], [0, k, (k - 1) / 2]]))
    answer = TeacherAnswer(np.full((33, 3), 7, np.float32), np.ones(shown[::-1], np.float32))
    back = view.back(answer, size)
    assert back.landmarks[5] == pytest.approx(((7 - (k - 1) / 2) / k, (7 - (k - 1) / 2) / k, 7))
    assert back.person.shape == size[::-1]


def torso() -> Skeleton:
    """Shoulders and hips alone, 20 px wide and 50 px long."""
    xy, visible = np.zeros((14, 2), np.float32), np.zeros(14, np.int8)
    for name, at in {
        "r_shoulder": (40, 50),
        "l_shoulder": (60, 50),
        "r_hip": (40, 100),
        "l_hip": (60, 100),
    }.items():
        xy[LSP14.id(name)], visible[LSP14.id(name)] = at, 2
    return Skeleton(xy, visible)


def test_a_person_is_shown_with_thirteen_tenths_of_a_torso_around() -> None:
    view = teach.view_of((300, 300), torso())
    k = 512 / 180
    assert view.size == (427, 512)
    assert view.matrix == pytest.approx(k * np.array([[1, 0, 25], [0, 1, 15]]), abs=1e-4)


def teacher(landmarks: np.ndarray, columns: tuple[int, int], away: float = 0) -> teach.Ask:
    """Half believes in a person in so many columns of the view and of its mirror image."""
    left = list(columns)

    def ask(picture: np.ndarray) -> TeacherAnswer:
        person, rows = np.zeros(picture.shape[:2], np.float32), landmarks.copy()
        person[:, : left.pop(0)] = 0.5
        if not left:
            person = person[:, ::-1]
            rows = rows[teach.MIRROR] + np.float32((away, 0, 0))
            rows[:, 0] = picture.shape[1] - 1 - rows[:, 0]
        return TeacherAnswer(rows, person)

    return ask


@pytest.mark.parametrize(
    ("columns", "away", "said"),
    [
        ((89, 100), 0, None), ((100, 89), 3, None),
        ((88, 100), 0, "photo and mirror image have other silhouettes (J 0.88)"),
        ((100, 100), 3.1, "photo and mirror image have other landmarks"),
    ],
)  # fmt: skip
def test_answers_without_joints_agree_by_88_hundredths_and_within_three(
    columns: tuple[int, int], away: float, said: str | None
) -> None:
    """The photo is 100 px wide; landmarks which are not seen may lie anywhere."""
    rows = np.full((33, 3), (50.04, 20, 0.5), np.float32)
    found = teach.taught(np.zeros((60, 100, 3), np.uint8), None, teacher(rows, columns, away))
    if said is not None:
        assert found == said
        return
    assert not isinstance(found, str)
    mask, row = found
    assert (row["agreement"], row["joint_error"]) == (0.89, None)
    assert row["landmarks"][3] == [50.0 if not away else 51.5, 20, 0.5]
    assert mask[5, [0, 88, 89, 99]].tolist() == [128, 128, 64, 64]


def test_a_person_without_a_landmark_that_is_surely_seen_is_left_out() -> None:
    rows = np.full((33, 3), (50, 20, 0.49), np.float32)
    found = teach.taught(np.zeros((60, 100, 3), np.uint8), None, teacher(rows, (100, 100)))
    assert found == "the teacher is sure of no landmark"


@pytest.mark.parametrize(
    ("columns", "away", "said"),
    [
        ((410, 512), 0.0, None), ((512, 410), 0.29, None),
        ((409, 512), 0.0, "photo and mirror image have other silhouettes (J 0.80)"),
        ((512, 512), 0.31, "its landmarks contradict the joints (0.31 torso lengths)"),
    ],
)  # fmt: skip
def test_answers_with_joints_agree_by_80_hundredths_and_have_those_joints(
    columns: tuple[int, int], away: float, said: str | None
) -> None:
    s, rows = torso(), np.zeros((33, 3), np.float32)
    wide = Skeleton(s.xy * (6, 1), s.visible)
    view = teach.view_of((400, 200), wide)
    assert view.size[0] == 512
    for name in ("r_shoulder", "l_shoulder", "r_hip", "l_hip"):
        rows[LANDMARKS[name]] = *(view.matrix @ (wide.at(name)[0] + away * 50, wide.at(name)[1], 1)), 1
    found = teach.taught(np.zeros((200, 400, 3), np.uint8), wide, teacher(rows, columns))
    if said is None:
        assert not isinstance(found, str)
        assert (found[1]["agreement"], found[1]["joint_error"]) == (0.801, pytest.approx(away, abs=1e-3))
    else:
        assert found == said


def test_a_second_photo_of_a_name_is_left_out_and_what_failed_is_tried_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    image = drawn()[0]
    for name in ("a.bmp", "a.png", "b.png"):
        cv2.imwrite(str(tmp_path / name), image)
    out, asked = teach.TaughtFolder(tmp_path / "out"), []

    def silent(picture: np.ndarray) -> TeacherAnswer | None:
        asked.append(picture.shape)
        raise NoAnswerError("it fell silent")

    files = sorted(tmp_path.glob("*.*"))
    assert list(teach.teach(files, {"b": [[1, 2]]}, out, silent)) == [1, 2, 3]
    assert (len(asked), out.images, out.left_out) == (1, {}, {})
    for said in (
        "a.png: another photo has this name",
        "a.bmp: it fell silent",
        "b.png: 14 joints with x, y, v",
    ):
        assert said in caplog.text
    assert list(teach.teach(files[:1], {}, out, lambda _: None)) == [1]
    assert out.left_out == {"a": "the teacher sees nobody"}
