"""The teacher's process: an interpreter with mediapipe, in an environment of its own, asked by picture."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from runtime.system.errors import Refusal, plain
from runtime.system.paths import user_teacher_dir
from runtime.system.processes import ChildProcess, ended, last_words

SCRIPT = Path(__file__).with_name("mediapipe_pose.py")
PACKAGE = "mediapipe==0.10.21"  # the last whose wheel holds the weights
NEWEST = 12  # the last Python 3 that has a wheel of it
PIP = ("-m", "pip", "install", "--quiet", "--disable-pip-version-check")
INSTALLED = "installed.txt"  # in the environment, once it is whole
CONFIDENCE = 0.2  # from which MediaPipe's detector believes in a person; the two answers are compared anyway
START_S, ANSWER_S = 120, 60
LANDMARKS = 33
INSTALL = "Let `python -m training.teach … --install` make an environment for it, or name one by --python"


class NoAnswerError(ValueError):
    """The teacher died or fell silent over a picture; says how."""


@dataclass(frozen=True)
class TeacherAnswer:
    """Answer to one picture.

    Attributes:
        landmarks: (33, 3) x, y px and visibility, in BlazePose order.
        person: (h, w) P(person).
    """

    landmarks: NDArray[np.float32]
    person: NDArray[np.float32]


def interpreter(named: Path | None, *, install: bool) -> Path:
    """The interpreter that runs the teacher: the user's, or that of an environment in the user's cache.

    Raises:
        Refusal: there is none, and none may or can be made (about 1 GB).
    """
    if named is not None:
        if shutil.which(named) is None:
            raise Refusal(str(named), "no such interpreter", INSTALL)
        return named
    folder = user_teacher_dir()
    python, mark = folder / "bin" / "python", folder / INSTALLED
    if mark.is_file():
        return python
    if not install:
        raise Refusal("the teacher", f"{PACKAGE} is not installed ({folder})", INSTALL)
    own = [sys.executable] if sys.version_info[:2] <= (3, NEWEST) else []
    base = next(filter(None, [*own, *(shutil.which(f"python3.{n}") for n in (NEWEST, 11, 10, 9))]), None)
    if base is None:
        reason = f"{PACKAGE} needs Python 3.9 to 3.{NEWEST}, and none is found"
        raise Refusal("the teacher", reason, "Install one, or name an interpreter by --python")
    folder.parent.mkdir(parents=True, exist_ok=True)
    for command in ([base, "-m", "venv", "--clear", str(folder)], [str(python), *PIP, PACKAGE]):
        if code := subprocess.run(command, check=False).returncode:
            raise Refusal(" ".join(command), f"it ended with code {code}", "See what it said above")
    mark.write_text(f"{PACKAGE}\n")
    return python


class TeacherProcess:
    """The running teacher. It is started again after it died over a picture; close it."""

    def __init__(self, python: Path) -> None:
        """Start it.

        Raises:
            Refusal: it does not start; says why.
        """
        self._python = python
        self._folder = tempfile.TemporaryDirectory(prefix="xfactor-teacher-")
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed with this object
        self._child: ChildProcess | None = None
        try:
            self.name = self._start()
        except BaseException:
            self.close()
            raise

    def _start(self) -> str:
        """The name that it gives itself."""
        command = [
            str(self._python),
            "-E",
            str(SCRIPT),
            str(CONFIDENCE),
        ]  # -E: none of our folders on its path
        try:
            self._child = ChildProcess(command, self._errors)
            return plain(str(self._reply(self._child, START_S)["teacher"]))
        except (OSError, NoAnswerError, KeyError) as e:
            reason = f"it does not run the teacher ({plain(str(e))[-300:]})"
            raise Refusal(str(self._python), reason, INSTALL) from e

    def _reply(self, child: ChildProcess, limit_s: float) -> dict[str, Any]:
        """The next line, as an object; the process is ended where there is none."""
        reason, end = f"no answer in {limit_s:g} s", time.monotonic() + limit_s
        while (left := end - time.monotonic()) > 0:
            lines = child.lines(left)
            if lines is None:
                code = child.wait(5)
                reason = "the teacher " + (ended(code) if code is not None else "closed its output")
                reason += "".join(f": {words}" for words in last_words(self._errors).splitlines()[-1:])
                break
            for line in lines:
                try:
                    held = json.loads(line)
                except ValueError:
                    held = None
                if isinstance(held, dict):
                    return held
        self._end()
        raise NoAnswerError(reason)

    def ask(self, picture: NDArray[np.uint8]) -> TeacherAnswer | None:
        """The answer for an RGB picture (h, w, 3); None where the teacher sees nobody.

        Raises:
            NoAnswerError: it died or fell silent; the next picture finds it started again.
            Refusal: it does not start again.
        """
        given, person = (Path(self._folder.name) / n for n in ("picture.png", "person.png"))
        person.unlink(missing_ok=True)
        cv2.imwrite(str(given), np.ascontiguousarray(picture[..., ::-1]), (cv2.IMWRITE_PNG_COMPRESSION, 1))
        if self._child is None:
            self._start()
        assert self._child is not None
        self._child.write(json.dumps({"picture": str(given), "person": str(person)}))
        rows = self._reply(self._child, ANSWER_S).get("landmarks")
        if rows is None:
            return None
        mask = cv2.imread(str(person), cv2.IMREAD_UNCHANGED)
        landmarks = np.asarray(rows, np.float32)
        if mask is None or mask.shape != picture.shape[:2] or landmarks.shape != (LANDMARKS, 3):
            raise NoAnswerError("its answer is not 33 landmarks and a mask of the picture's size")
        return TeacherAnswer(landmarks, np.asarray(mask, np.float32) / np.float32(255))

    def _end(self) -> None:
        if self._child is not None:
            self._child.kill()
            self._child.close()
            self._child = None

    def close(self) -> None:
        """End it and remove what was handed over."""
        self._end()
        self._errors.close()
        self._folder.cleanup()
