"""The teacher's labels, from a teacher that knows drawn people by their colours."""

from __future__ import annotations

import json
import logging
import os
import shlex
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from models.labels import LSP14
from runtime.system.paths import user_teacher_dir
from training import teach
from training.joint_photos import LANDMARKS
from training.photos import DataError
from training.scribbles import Skeleton
from training.teacher_process import NoAnswerError, TeacherAnswer, TeacherProcess, interpreter

BODY = (90, 90, 90)
COLOURS = {"shoulder": (255, 0, 0), "hip": (0, 255, 0), "elbow": (0, 0, 255), "wrist": (255, 255, 0),
           "knee": (255, 0, 255), "ankle": (0, 255, 255)}  # fmt: skip
STANDING = {"shoulder": (15, 50), "hip": (10, 100), "elbow": (35, 75), "wrist": (45, 105), "knee": (12, 140),
            "ankle": (14, 180)}  # fmt: skip


def drawn(turn: float = 0.0) -> tuple[np.ndarray, np.ndarray, list[list[float]]]:
    """Photo, silhouette and joints of a person seen from in front, turned round the middle by degrees."""
    image, person = np.full((240, 200, 3), 200, np.uint8), np.zeros((240, 200), np.uint8)
    cv2.ellipse(person, (100, 110), (50, 90), 0, 0, 360, 1, -1)
    cv2.circle(person, (100, 28), 14, 1, -1)
    image[person > 0] = BODY
    joints = []
    for name in LSP14.names:
        side = -1 if name.startswith("r_") else 1
        x, y = STANDING.get(name[2:], (0, {"neck": 45, "head_top": 15}.get(name, 0)))
        joints.append([100.0 + side * x, float(y), 2])
        if name[2:] in COLOURS:
            cv2.circle(image, (100 + side * x, y), 4, COLOURS[name[2:]], -1)
    m = cv2.getRotationMatrix2D((100, 110), turn, 1)
    turned = [[*(m @ (x, y, 1)), v] for x, y, v in joints]
    image = cv2.warpAffine(image, m, (200, 240), borderValue=(200, 200, 200))
    return image, cv2.warpAffine(person, m, (200, 240), flags=cv2.INTER_NEAREST), turned


def colours(picture: np.ndarray) -> TeacherAnswer | None:
    """A teacher who finds joints by colour and believes that the left one in the picture is a right one."""
    near = np.abs(picture.astype(int) - 200).max(2) > 60
    if not near.any():
        return None
    landmarks = np.zeros((33, 3), np.float32)
    for name, colour in COLOURS.items():
        mask = (np.abs(picture.astype(int) - colour).max(2) < 60).astype(np.uint8)
        _, _, stats, centres = cv2.connectedComponentsWithStats(mask)
        if len(centres) > 2:
            two = centres[1:][np.argsort(stats[1:, cv2.CC_STAT_AREA])[-2:]]
            for side, at in zip(("r_", "l_"), sorted(two.tolist()), strict=True):
                landmarks[LANDMARKS[side + name]] = *at, 1
    return TeacherAnswer(landmarks, near.astype(np.float32))


def skeleton(joints: list[list[float]]) -> Skeleton:
    rows = np.asarray(joints, np.float32)
    return Skeleton(rows[:, :2], rows[:, 2].astype(np.int8))


@pytest.mark.parametrize("turn", [0, 60, 180])
def test_a_person_any_way_up_is_labelled_at_the_photos_size(turn: float) -> None:
    """The teacher tells sides by the picture: without turning, a person on their hands has them swapped."""
    image, person, joints = drawn(turn)
    found = teach.taught(image, skeleton(joints), colours)
    assert not isinstance(found, str), found
    mask = found[0] > 127
    assert found[0].shape == person.shape
    assert (mask & (person > 0)).sum() / (mask | (person > 0)).sum() > 0.93
    assert found[1]["joint_error"] < 0.04
    view = teach.view_of((200, 240), skeleton(joints))
    head, feet = (view.matrix @ (*joints[LSP14.id(n)][:2], 1) for n in ("head_top", "l_ankle"))
    assert head[1] < feet[1]
    assert np.linalg.det(view.matrix[:, :2]) > 0
    wrist = joints[LSP14.id("r_wrist")][:2]
    assert np.linalg.norm(np.array(found[1]["landmarks"][16][:2]) - wrist) < 3


def test_without_joints_both_answers_must_agree() -> None:
    image, _, _ = drawn()
    found = teach.taught(image, None, colours)
    assert not isinstance(found, str)
    assert found[1]["joint_error"] is None
    assert found[1]["agreement"] > 0.98
    cut = np.arange(200) > 100

    def half_blind(picture: np.ndarray) -> TeacherAnswer | None:
        answer = colours(picture)
        return answer and TeacherAnswer(answer.landmarks, answer.person * cut)

    assert "other silhouettes" in str(teach.taught(image, None, half_blind))


def test_a_large_photo_is_shown_smaller_and_answered_at_its_own_size() -> None:
    large = cv2.resize(drawn()[0], (2000, 2400), interpolation=cv2.INTER_NEAREST)
    found = teach.taught(large, None, lambda p: colours(p) if max(p.shape) == teach.LONGEST_PX else None)
    assert not isinstance(found, str)
    assert found[0].shape == (2400, 2000)
    assert np.allclose(found[1]["landmarks"][15][:2], (1454.5, 1054.5), atol=12)


def test_contradictions_are_said() -> None:
    image, _, joints = drawn()
    elsewhere = [[x + 60, y, v] for x, y, v in joints]
    assert "contradict the joints" in str(teach.taught(image, skeleton(elsewhere), colours))
    empty = np.full_like(image, 200)
    assert "nobody" in str(teach.taught(empty, skeleton(joints), colours))
    limbs = [[x, y, 0 if "hip" in n else v] for n, (x, y, v) in zip(LSP14.names, joints, strict=True)]
    assert "no torso" in str(teach.taught(image, skeleton(limbs), colours))


def folder(root: Path) -> Path:
    (root / "images").mkdir(parents=True)
    for stem, turn in (("a", 0.0), ("b", 90.0)):
        cv2.imwrite(str(root / f"images/{stem}.png"), drawn(turn)[0][..., ::-1])
    (root / "images/broken.jpg").write_bytes(b"no picture")
    cv2.imwrite(str(root / "images/nobody.png"), np.full((50, 50, 3), 200, np.uint8))
    joints = {"a": drawn()[2], "b": drawn(90)[2]}
    (root / "keypoints.json").write_text(json.dumps({"images": joints}))
    return root


def stand_in(path: Path, body: str) -> Path:
    """An interpreter that runs other words than the teacher's program."""
    program = path.with_suffix(".py")
    program.write_text(
        f"import json, os, sys\nsys.path[:0] = {[str(Path.cwd()), str(Path(__file__).parent)]}\n{body}"
    )
    path.write_text(f"#!/bin/sh\nexec {shlex.join([sys.executable, str(program)])}\n")
    path.chmod(0o755)
    return path


ANSWERS = """
import cv2
from test_teach import colours
print("a library's chatter")
print(json.dumps({"teacher": "colours"}), flush=True)
for line in sys.stdin:
    q = json.loads(line)
    answer = colours(cv2.imread(q["picture"])[..., ::-1])
    if answer is None:
        if FATAL:
            sys.exit("out of colours")
        print('{"landmarks": null}', flush=True)
        continue
    cv2.imwrite(q["person"], (255 * answer.person).astype("uint8"))
    print(json.dumps({"landmarks": answer.landmarks.tolist()}), flush=True)
"""


def test_the_command_goes_on_where_it_was_and_says_what_it_left_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    photos, out = folder(tmp_path / "photos"), tmp_path / "out"
    python = stand_in(tmp_path / "python", ANSWERS.replace("FATAL", "False"))
    assert teach.main([str(photos), "--out", str(out), "--python", str(python)]) == 0
    held = json.loads((out / "landmarks.json").read_text())
    assert held["teacher"] == "colours"
    assert set(held["images"]) == {"a", "b"}
    assert held["left_out"] == {"nobody": "the teacher sees nobody"}
    assert "broken.jpg: not a readable picture; left out" in caplog.text
    assert "2 of 4 photos kept, 2 left out" in caplog.text
    kept = (out / "silhouettes/a.png").stat().st_mtime_ns
    (out / "silhouettes/b.png").unlink()
    assert teach.main([str(photos), "--out", str(out), "--python", str(python)]) == 0
    assert (out / "silhouettes/a.png").stat().st_mtime_ns == kept
    assert (out / "silhouettes/b.png").is_file()


def test_a_teacher_that_dies_over_a_photo_is_started_again(tmp_path: Path) -> None:
    process = TeacherProcess(stand_in(tmp_path / "python", ANSWERS.replace("FATAL", "True")))
    try:
        with pytest.raises(NoAnswerError, match=r"code 1.*out of colours"):
            process.ask(np.full((50, 50, 3), 200, np.uint8))
        answer = process.ask(drawn()[0])
        assert answer is not None
        assert answer.person.shape == (240, 200)
    finally:
        process.close()


def test_without_a_teacher_the_remedy_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XFACTOR_HOME", str(tmp_path / "home"))
    photos, out = folder(tmp_path / "photos"), str(tmp_path / "out")
    for named, reason in (
        ([], "is not installed"),
        (["--python", str(tmp_path / "none")], "no such interpreter"),
        (["--python", sys.executable], "No module named 'mediapipe'"),
    ):
        assert teach.main([str(photos), "--out", out, *named]) == 1
        said = capsys.readouterr().err
        assert reason in said
        assert "--install" in said
        assert not Path(out).exists()
    (tmp_path / "empty").mkdir()
    for name, reason in (("empty", "no photos in it"), ("absent", "there is no such folder")):
        assert teach.main([str(tmp_path / name), "--out", out]) == 1
        assert reason in capsys.readouterr().err


def test_mediapipe_itself(tmp_path: Path) -> None:
    """Runs where somebody has installed the teacher."""
    named = os.environ.get("XFACTOR_TEACHER_PYTHON")
    if named is None and not (user_teacher_dir() / "installed.txt").is_file():
        pytest.skip("the teacher is not installed (python -m training.teach … --install)")
    process = TeacherProcess(interpreter(Path(named) if named else None, install=False))
    try:
        assert process.name.startswith("MediaPipe Pose 0.10.21")
        assert process.ask(np.full((200, 200, 3), 128, np.uint8)) is None
    finally:
        process.close()


@pytest.mark.parametrize("content", ["{", "[]", "{}", '{"images": 3}', None])
def test_a_list_that_is_none_is_refused_in_words(content: str | None, tmp_path: Path) -> None:
    remedies = {
        "landmarks.json": r"not a teacher's list \(.*\)\. Move it away\.$",
        "keypoints.json": r"not joints \(.*\)\. Write \{.*\}, or move it away\.$",
    }
    for name, remedy in remedies.items():
        if content is not None:
            (tmp_path / name).write_text(content)
            with pytest.raises(DataError, match=remedy):
                teach.TaughtFolder(tmp_path) if name == "landmarks.json" else teach.joints_of(tmp_path)
    if content is None:
        (tmp_path / "landmarks.json").mkdir()
        with pytest.raises(DataError, match="not a teacher's list"):
            teach.TaughtFolder(tmp_path)
        assert teach.joints_of(tmp_path) == {}


def test_the_teachers_landmarks_of_both_sides_are_each_others_in_a_mirror() -> None:
    for name, landmark in LANDMARKS.items():
        other = {"l": "r", "r": "l"}.get(name[0], "n") + name[1:]
        assert teach.MIRROR[landmark] == LANDMARKS[other], name
    assert len({*LANDMARKS.values()}) == len(LANDMARKS) == 17
