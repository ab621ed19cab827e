"""Supervisor: one personalisation in a process of its own, from its start to exactly one outcome.

The process may crash, hang or be killed. It is started again on the same folder, where it goes on at the
first unfinished phase, and given up after the third time. Nothing that it does reaches the factor in use.
"""

from __future__ import annotations

import logging
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from personalize.client.job_folders import claimed
from personalize.messages import (
    CANCELLED,
    DONE,
    FAILED,
    Cancelled,
    Failure,
    Finished,
    Message,
    PhaseProgress,
    decode,
)
from runtime.system.errors import Refusal
from runtime.system.processes import ChildProcess, ended, last_words

COMMAND: Final = (sys.executable, "-m", "personalize.worker")
ERRORS: Final = "stderr.txt"  # what the interpreter said last, beside the worker's own log
GLANCE_S: Final = 0.2  # how often deadlines are looked at while the worker is silent
KEPT: Final = 2000  # events that nobody fetched

log = logging.getLogger("xfactor.personalising")


class Ending(StrEnum):
    """Kind of end of a run."""

    DONE = "done"  #: there is a factor, accepted or not
    FAILED = "failed"  #: the worker says why there is none
    CANCELLED = "cancelled"  #: somebody asked for it
    PAUSED = "paused"  #: it broke down time and again; the folder can be taken up later


@dataclass(frozen=True)
class Outcome:
    """The one end of a run."""

    how: Ending
    words: str = ""  #: for the user
    details: str = ""
    done: Finished | None = None


@dataclass(frozen=True)
class Timeouts:
    """Deadlines of the worker's process, in seconds."""

    attempts: int = 3
    back_off_s: float = 1.0  #: before the second attempt; twice that before the third
    leave_s: float = 3.0  #: from closing stdin until the process is killed
    exit_s: float = 60.0  #: from its last word until it is gone; torch leaves slowly on a busy machine
    silence_s: float = 240.0  #: without a line the worker counts as hung
    limit_s: float = 1500.0  #: for one process; above the limit that the worker keeps itself


TIMEOUTS: Final = Timeouts()


class Supervisor(threading.Thread):
    """Supervises the worker of one job folder. Start it once; `drain` its events when the bell rings.

    Attributes:
        folder: of the job.
        outcome: None until the end; set once, before the last bell.
        progress: the newest; the window looks at it as often as it likes.
        attempts: processes started so far.
        pid: of the worker's process while there is one.
    """

    def __init__(
        self,
        folder: Path,
        on_news: Callable[[], None],
        *,
        command: Sequence[str] = COMMAND,
        patience: Timeouts = TIMEOUTS,
    ) -> None:
        super().__init__(name="personalising", daemon=True)
        self.folder = folder
        self.outcome: Outcome | None = None
        self.progress: PhaseProgress | None = None
        self.attempts = 0
        self.pid: int | None = None
        self._command = (*command, str(folder))
        self._on_news = on_news
        self._patience = patience
        self._leave_s = patience.leave_s
        self._events: deque[Message] = deque(maxlen=KEPT)
        self._cancel = threading.Event()
        self._stop_early = threading.Event()

    # -- asked by the window; none of these waits

    def stop_early(self) -> None:
        """Finish with the best so far."""
        self._stop_early.set()

    def cancel(self, leave_s: float | None = None) -> None:
        """End without a factor; the folder stays. The process is killed when it has not gone in `leave_s`."""
        if leave_s is not None:
            self._leave_s = leave_s
        self._cancel.set()

    @property
    def stopping_early(self) -> bool:
        """True after `stop_early`."""
        return self._stop_early.is_set()

    @property
    def cancelled(self) -> bool:
        """True after `cancel`."""
        return self._cancel.is_set()

    def drain(self) -> list[Message]:
        """Silhouettes and notices that came since the last call."""
        taken = []
        while self._events:
            taken.append(self._events.popleft())
        return taken

    # -- the thread

    def run(self) -> None:
        """Start the worker until it ends by itself, is cancelled, or has broken down too often."""
        try:
            with claimed(self.folder):
                outcome = self._supervise()
        except Refusal as e:
            outcome = Outcome(Ending.PAUSED, str(e))
        except OSError as e:  # no process can be started, or the folder is gone
            words = f"Personalising could not start: {e.strerror or e}. Free some memory and try again."
            outcome = Outcome(Ending.PAUSED, words)
        except Exception as e:  # the boundary: a run ends, whatever happens
            log.exception("supervising %s failed", self.folder.name)
            words = f"Personalising broke down: {e}. The factor in use is unchanged; the log has the details."
            outcome = Outcome(Ending.PAUSED, words)
        self.pid = None
        self.outcome = outcome  # after the claim was given back: who sees it may delete the folder
        self._on_news()

    def _supervise(self) -> Outcome:
        crash = Outcome(Ending.PAUSED)
        while self.attempts < self._patience.attempts:
            if self.attempts and self._cancel.wait(self._patience.back_off_s * 2 ** (self.attempts - 1)):
                break
            self.attempts += 1
            crash = self._once()
            if crash.how is not Ending.PAUSED:
                return crash
            log.warning("worker of %s, attempt %d: %s", self.folder.name, self.attempts, crash.words)
        if self._cancel.is_set():
            return Outcome(Ending.CANCELLED)
        words = (
            f"Personalising stopped after {self.attempts} attempts: {crash.words}. The factor in use is "
            "unchanged. Resume tries again where it stopped."
        )
        return Outcome(Ending.PAUSED, words, crash.details)

    def _once(self) -> Outcome:
        """One process, from start to exit."""
        with (self.folder / ERRORS).open("w+b") as errors:
            process = ChildProcess(self._command, errors)
            self.pid = process.pid
            last: Message | None = None
            killed = ""
            try:
                last, killed = self._listen(process)
            finally:
                code = self._end(process, at_once=bool(killed))
                process.close()
            return self._judge(code, last, killed, last_words(errors))

    def _listen(self, process: ChildProcess) -> tuple[Message | None, str]:
        """Pass events on until the pipe ends; the last event, and why the process was killed if it was."""
        last: Message | None = None
        started_s = heard_s = time.monotonic()
        leaving_s: float | None = None
        told_to_stop = False
        while True:
            lines = process.lines(GLANCE_S)
            if lines is None:
                return last, ""
            now_s = time.monotonic()
            if lines:
                heard_s = now_s
            for message in (m for line in lines if (m := decode(line)) is not None):
                last = message
                self._pass_on(message)
            if self._stop_early.is_set() and not told_to_stop:
                told_to_stop = True
                process.write("stop")
            if self._cancel.is_set() and leaving_s is None:
                leaving_s = now_s
                process.close_input()
            reason = self._overdue(now_s - started_s, now_s - heard_s, leaving_s and now_s - leaving_s)
            if reason:
                return last, reason

    def _end(self, process: ChildProcess, *, at_once: bool) -> int:
        """Exit code of a process that has said its last word; it is killed when it does not leave."""
        now_s = time.monotonic()
        until_s = now_s if at_once else now_s + self._patience.exit_s
        while time.monotonic() < until_s:
            if (code := process.wait(GLANCE_S)) is not None:
                return code
            if self._cancel.is_set():
                until_s = min(until_s, now_s + self._leave_s)
        return process.kill()

    def _overdue(self, running_s: float, silent_s: float, leaving_s: float | None) -> str:
        """Why the process has to be killed; empty when it may go on."""
        if leaving_s is not None and leaving_s > self._leave_s:
            return "it did not leave when it was asked to"
        if running_s > self._patience.limit_s:
            return f"it did not finish in {self._patience.limit_s / 60:.0f} minutes"
        if silent_s > self._patience.silence_s:
            return f"it said nothing for {self._patience.silence_s:.0f} s"
        return ""

    def _pass_on(self, event: Message) -> None:
        if isinstance(event, PhaseProgress):
            self.progress = event
        elif not isinstance(event, (Finished, Failure, Cancelled)):  # those count with the exit code only
            self._events.append(event)
            self._on_news()

    def _judge(self, code: int, last: Message | None, killed: str, details: str) -> Outcome:
        """Outcome of an exit code and the last message; one without the other is a breakdown."""
        if self._cancel.is_set():
            return Outcome(Ending.CANCELLED)
        if not killed and code == DONE and isinstance(last, Finished):
            return Outcome(Ending.DONE, done=last)
        if not killed and code == FAILED and isinstance(last, Failure):
            return Outcome(Ending.FAILED, f"{last.what}: {last.reason}. {last.remedy}")
        if not killed and code == CANCELLED and isinstance(last, Cancelled):
            return Outcome(Ending.CANCELLED)
        return Outcome(Ending.PAUSED, killed or f"its process {ended(code)}", details)
