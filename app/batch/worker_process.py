"""Process that runs `app.batch.worker`, and is watched.

Little is imported here: the first one starts before the command has loaded its own libraries.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

from runtime.system.errors import Refusal
from runtime.system.processes import ChildProcess, ended, last_words

if TYPE_CHECKING:
    from app.batch.options import ParseJob
    from app.batch.plan import Item

COMMAND: Final = (sys.executable, "-m", "app.batch.worker")
GLANCE_S: Final = 0.2  # how often silence and memory are looked at
LEAVE_S: Final = 2.0  # from closing stdin until an idle process is killed
LONGEST_ANSWER: Final = 1 << 28  # bytes: what a large picture adds to the files of many

log = logging.getLogger("xfactor.batch")
_early: list[WatchedWorker] = []


@dataclass(frozen=True)
class Bounds:
    """Time and memory that a worker may take. They tell a hang from slow work, so they are generous.

    A clip of 8192 x 8192 px with every product takes 5.4 GB, and on a very busy machine 54 s a frame.
    """

    load_s: float = 300.0  #: to load the model
    first_s: float = 300.0  #: to open an input, and again to its first frame
    frame_s: float = 300.0  #: from one frame to the next
    finish_s: float = 600.0  #: to complete the files after the last frame
    finish_frame_s: float = 0.2  #: the same, more for each frame
    resident_bytes: int = 8 << 30


class WatchedWorker(ChildProcess):
    """A worker, the input that it is at, and the time until its next answer.

    Attributes:
        item: None while it waits for one, or loads.
        ready: True once the model is loaded.
    """

    def __init__(self) -> None:
        """Start it.

        Raises:
            Refusal: no process can be started.
        """
        self.item: Item | None = None
        self.ready = False
        self._frames, self._looked_s, self._quiet_s = 0, 0.0, 0.0
        try:
            self._errors = os.fdopen(
                os.memfd_create("errors"), "w+b"
            )  # a full disk is no reason not to start
            super().__init__(COMMAND, self._errors, longest_line=LONGEST_ANSWER)
        except OSError as e:
            reason = f"no process can be started ({e.strerror or e})"
            raise Refusal("workers", reason, "Free some memory and try again") from e

    def load(self, job: ParseJob, threads: int, bounds: Bounds) -> None:
        """Let it load the model of a job."""
        self._bounds = bounds
        self.write(json.dumps({"job": job.to_json(), "threads": threads}))
        self._expect(bounds.load_s, "did not load the model")

    def give(self, item: Item) -> None:
        """Let it parse an input."""
        self.item, self._frames = item, 0
        self._errors.seek(0)  # the process has the same place in the file
        self._errors.truncate()
        self.write(json.dumps(asdict(item)))
        self._expect(self._bounds.first_s, "parsed no frame")

    def answers(self) -> list[tuple[str, Any]]:
        """Answers since the last call; `died` and the reason is the last of them."""
        lines = self.lines(0)
        if lines is None:
            return [("died", ended(self.kill()))]
        now_s = time.monotonic()
        if lines:
            self._quiet_s = 0.0
        else:  # a pause of the whole program is not its silence
            self._quiet_s += min(now_s - self._looked_s, 2 * GLANCE_S)
        self._looked_s = now_s
        answers = [answer for line in lines for answer in json.loads(line).items()]
        for name, value in answers:
            self._note(name, value)
        if why := self._excess():
            self.kill()
            answers.append(("died", why))
        return answers

    def end(self, how: str = "") -> None:
        """Give everything back; `how` it died, if it did."""
        if how:
            item = self.item.path if self.item else "loading"
            log.error("the worker at %s %s\n%s", item, how, last_words(self._errors))
        else:
            self.close_input()
            self.wait(LEAVE_S if self.ready else 0)
            self.kill()
        self.close()
        self._errors.close()

    def _expect(self, within_s: float, otherwise: str) -> None:
        self._looked_s, self._quiet_s = time.monotonic(), 0.0
        self._within_s, self._otherwise = within_s, f"{otherwise} within {within_s:.0f} s"

    def _note(self, name: str, value: Any) -> None:  # noqa: ANN401 - JSON
        match name:
            case "ready":
                self.ready = True
            case "begin":
                self._expect(self._bounds.first_s, "parsed no frame")
            case "advance":
                self._frames = value
                self._expect(self._bounds.frame_s, f"parsed no frame after number {value}")
            case "last":
                bound_s = self._bounds.finish_s + self._frames * self._bounds.finish_frame_s
                self._expect(bound_s, "did not complete the files")

    def _excess(self) -> str:
        """Why it has to be killed; empty when it may go on."""
        if (self.item or not self.ready) and self._quiet_s > self._within_s:
            return self._otherwise
        if self.resident_bytes > self._bounds.resident_bytes:
            return f"took more than {self._bounds.resident_bytes / 1e9:.2g} GB of memory"
        return ""


def next_worker() -> WatchedWorker:
    """A worker: the one started early, if nobody has it yet."""
    return _early.pop() if _early else WatchedWorker()


def start_early() -> Callable[[], None]:
    """Start a worker for whoever asks first; what is returned ends it if nobody did."""
    _early.append(WatchedWorker())
    return lambda: _early.pop().end() if _early else None
