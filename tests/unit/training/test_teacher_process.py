"""The teacher's process: which interpreter runs it, and what is no answer."""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from runtime.system.errors import Refusal
from runtime.system.paths import user_teacher_dir
from training import teacher_process
from training.teacher_process import PACKAGE, NoAnswerError, TeacherProcess, interpreter


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XFACTOR_HOME", str(tmp_path / "home"))
    return user_teacher_dir()


def python(path: Path, words: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{words}\n")
    path.chmod(0o755)
    return path


def test_an_interpreter_is_the_named_one_or_that_of_the_environment(home: Path, tmp_path: Path) -> None:
    own = python(tmp_path / "own", "exit 0")
    assert interpreter(own, install=True) == own
    with pytest.raises(Refusal, match="no such interpreter"):
        interpreter(tmp_path / "none", install=True)
    with pytest.raises(Refusal, match=f"{PACKAGE} is not installed"):
        interpreter(None, install=False)
    home.mkdir(parents=True)
    (home / "installed.txt").write_text("")
    assert interpreter(None, install=False) == home / "bin/python"


MAKES = """echo "$@" >> {said}
if [ "$2" = venv ]; then /bin/mkdir -p "$4/bin" && /bin/cp "$0" "$4/bin/python"; else exit {code}; fi"""


def test_an_environment_is_made_once_and_is_whole_where_all_went_well(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for code in (3, 0):
        base = python(tmp_path / "base", MAKES.format(said=tmp_path / "said", code=code))
        monkeypatch.setattr(sys, "executable", str(base))
        if code:
            with pytest.raises(Refusal, match="it ended with code 3"):
                interpreter(None, install=True)
            assert not (home / "installed.txt").exists()
    for _ in range(2):
        assert interpreter(None, install=True) == home / "bin/python"
    assert (home / "installed.txt").read_text() == f"{PACKAGE}\n"
    made, installed = (
        f"-m venv --clear {home}",
        f"-m pip install --quiet --disable-pip-version-check {PACKAGE}",
    )
    assert (tmp_path / "said").read_text().splitlines() == [made, installed] * 2


@pytest.mark.parametrize(
    ("version", "there", "found"),
    [
        ((3, 12), "9", "own"), ((3, 13), "8 9", "9"), ((3, 13), "9 10", "10"), ((3, 13), "11 10", "11"),
        ((3, 13), "11 12 13", "12"), ((3, 13), "8", None),
    ],
)  # fmt: skip
def test_a_newer_python_makes_it_by_the_newest_that_can(
    version: tuple[int, int], there: str, found: str | None, home: Path, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    said = tmp_path / "said"
    monkeypatch.setattr(sys, "version_info", (*version, 0, "final", 0))
    own = python(tmp_path / "own", f"echo own >> {said}\n{MAKES.format(said=said, code=0)}")
    monkeypatch.setattr(sys, "executable", str(own))
    for n in there.split():
        python(tmp_path / f"bin/python3.{n}", f"echo {n} >> {said}\n{MAKES.format(said=said, code=0)}")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    if found is None:
        with pytest.raises(Refusal, match=r"needs Python 3\.9 to 3\.12, and none is found"):
            interpreter(None, install=True)
    else:
        assert interpreter(None, install=True) == home / "bin/python"
        assert said.read_text().split()[0] == found


ANSWERS = """
import json, shutil, sys, time
print("chatter", flush=True)
print("[1]", flush=True)
print(json.dumps({"teacher": "the\\x1b[2J teacher"}), flush=True)
for line, kind in zip(sys.stdin, KINDS.split()):
    if kind == "silence":
        time.sleep(9)
    q = json.loads(line)
    if kind != "blind":
        shutil.copy(FOLDER + "/" + ("small.png" if kind == "small" else "mask.png"), q["person"])
    rows = [[1.5, 2, 0.25]] * (32 if kind == "few" else 33)
    print(json.dumps({"landmarks": rows}), flush=True)
"""


def started(tmp_path: Path, kinds: str) -> TeacherProcess:
    program = tmp_path / "program.py"
    program.write_text(f"KINDS, FOLDER = {kinds!r}, {str(tmp_path)!r}\n{ANSWERS}")
    mask = np.array([[0, 51, 255]], np.uint8)
    cv2.imwrite(str(tmp_path / "mask.png"), mask)
    cv2.imwrite(str(tmp_path / "small.png"), mask[:, :2])
    return TeacherProcess(python(tmp_path / "python", f"exec {sys.executable} -S {program}"))


def test_answers_are_33_landmarks_and_a_mask_of_the_pictures_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the teacher says besides is no answer, and a mask of the picture before is none of this one."""
    picture = np.zeros((1, 3, 3), np.uint8)
    process = started(tmp_path, "good blind small few silence")
    try:
        assert "\x1b" not in process.name
        found = process.ask(picture)
        assert found is not None
        assert found.person.tolist() == [[0, pytest.approx(0.2), 1]]
        assert found.landmarks.tolist() == [[1.5, 2, 0.25]] * 33
        for _ in range(3):
            with pytest.raises(
                NoAnswerError, match=r"^its answer is not 33 landmarks and a mask of the picture"
            ):
                process.ask(picture)
        monkeypatch.setattr(teacher_process, "ANSWER_S", 0.2)
        with pytest.raises(NoAnswerError, match=r"^no answer in 0\.2 s$"):
            process.ask(picture)
        monkeypatch.undo()
        assert process.ask(picture) is not None, "it is started again"
    finally:
        process.close()


@pytest.mark.parametrize("words", ["exit 7", "echo '{}'; sleep 9"])
def test_who_does_not_say_its_name_is_no_teacher(words: str, tmp_path: Path) -> None:
    with pytest.raises(Refusal, match="it does not run the teacher"):
        TeacherProcess(python(tmp_path / "python", words))
    with pytest.raises(Refusal, match="it does not run the teacher"):
        TeacherProcess(tmp_path / "none")
