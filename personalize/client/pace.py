"""Pace: the time of the last personalisation on this machine by the usual one, kept for the next."""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path
from typing import Final

from personalize.client.task import PersonalizationTask
from personalize.phases import usual_s
from runtime.system import paths
from runtime.system.files import make_private_dir, write_atomic

SLOWEST: Final = 100.0


class LearningPace:
    """Measures a task from its begin to its end.

    Attributes:
        value: 1 is as usual, 2 twice as slow; 0 while nothing was measured.
    """

    def __init__(self) -> None:
        self.value = _read()
        self._task: PersonalizationTask | None = None
        self._begun_s = 0.0

    def begin(self, task: PersonalizationTask) -> None:
        """Note that a task has begun."""
        self._task, self._begun_s = task, time.monotonic()

    def end(self, task: PersonalizationTask) -> None:
        """Keep the pace of the task that is done, unless it was resumed, redone or stopped early."""
        span, whole = task.span, task is self._task and task.started == 1 and not task.stopping_early
        if span is None or not whole:
            return
        usual = usual_s(span[1] - span[0] + 1)
        self.value = min(SLOWEST, max(1 / SLOWEST, (time.monotonic() - self._begun_s) / usual))
        with suppress(OSError):
            make_private_dir(_file().parent)
            write_atomic(_file(), f"{self.value:.4f}".encode())


def _file() -> Path:
    return paths.user_data_dir() / "learning-pace"


def _read() -> float:
    try:
        value = float(_file().read_text("ascii"))
    except (OSError, ValueError):
        return 0.0
    return value if 0 < value <= SLOWEST else 0.0
