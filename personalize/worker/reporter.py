"""The worker's side of the pipe: messages out, orders in, the time left, and the deadline."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Final, TextIO

from personalize.messages import Message, PhaseProgress, WorkerNotice, encode
from personalize.phases import PHASES

PAUSE_S: Final = 0.25  #: between two reports of one phase
SOONEST: Final = 0.03  #: of the work must be done before anything is said of the rest
LOG: Final = "events.jsonl"


class CancelledError(Exception):
    """Whoever started the worker wants it to end."""


class LimitError(Exception):
    """The job has taken too long."""


class Orders:
    """Orders on standard input: the line `stop` asks for the best so far, its end cancels."""

    def __init__(self, source: TextIO | None) -> None:
        self.stop = threading.Event()
        self.cancel = threading.Event()
        if source is not None:
            threading.Thread(target=self._listen, args=(source,), name="orders", daemon=True).start()

    def _listen(self, source: TextIO) -> None:
        with suppress(OSError, ValueError):
            for line in source:
                if line.strip() == "stop":
                    self.stop.set()
        self.cancel.set()


class Reporter:
    """Emits messages, estimates the time left, and raises when the work must end.

    Attributes:
        deadline_s: of `time.monotonic`.
    """

    def __init__(self, folder: Path, out: TextIO, orders: Orders, limit_s: float) -> None:
        self._log = (folder / LOG).open("a", encoding="utf-8")
        (folder / LOG).chmod(0o600)
        self._out = out
        self._orders = orders
        self._started_s = time.monotonic()
        self.deadline_s = self._started_s + limit_s
        self._limit_s = limit_s
        self._sent_s = float("-inf")
        self._expected_s = dict.fromkeys(PHASES, 0.0)
        self._done_s = 0.0  # what the finished phases were expected to take
        self._phase = ""

    def expect(self, phase: str, share: float) -> None:
        """A phase will have to be done; `share` is its work beside that of 301 frames."""
        self._expected_s[phase] = PHASES[phase].usual_s * share

    def begin(self, phase: str) -> None:
        """A phase starts."""
        if phase == self._phase:
            return
        self.end()
        self._phase = phase
        self._sent_s = float("-inf")

    def end(self) -> None:
        """The phase at hand is over."""
        self._done_s += self._expected_s.get(self._phase, 0.0)
        if self._phase:
            self._expected_s[self._phase] = 0.0
        self._phase = ""

    def progress(self, done: int, total: int) -> None:
        """So much of the phase at hand is done.

        Raises:
            CancelledError: the work is no longer wanted.
            LimitError: it has taken too long.
        """
        self.check()
        now_s = time.monotonic()
        if now_s - self._sent_s < PAUSE_S and done < total:
            return
        self._sent_s = now_s
        self.send(PhaseProgress(self._phase, done, total, self._left_s(now_s, done / max(total, 1))))

    def check(self) -> None:
        """Raise when the work must end; see `progress`."""
        if self._orders.cancel.is_set():
            raise CancelledError
        if time.monotonic() > self.deadline_s:
            raise LimitError(f"it took longer than {self._limit_s:.0f} s")

    @property
    def stop_early(self) -> bool:
        """True when the best so far is wanted now."""
        return self._orders.stop.is_set()

    def _left_s(self, now_s: float, share: float) -> float | None:
        """Seconds left by the usual times, at the speed measured so far."""
        here = self._expected_s.get(self._phase, 0.0)
        done, left = self._done_s + share * here, sum(self._expected_s.values()) - share * here
        elapsed = now_s - self._started_s
        if done <= SOONEST * (done + left) or elapsed < 2:
            return None
        return round(left * elapsed / done, 1)

    def notice(self, text: str) -> None:
        """Something a careful user should know."""
        self.send(WorkerNotice(text))

    def send(self, event: Message) -> None:
        """One line, at once; into the job folder as well, where a full disk does not matter."""
        line = encode(event) + "\n"
        with suppress(OSError, ValueError):
            self._log.write(line)
            self._log.flush()
        try:
            self._out.write(line)
            self._out.flush()
        except (BrokenPipeError, ValueError):  # nobody listens any more
            self._orders.cancel.set()

    def close(self) -> None:
        """Close the log."""
        with suppress(OSError):
            self._log.close()
