"""Process that runs `app.batch.worker`. The first is started while the command still reads its arguments.

Little is imported here, so that the two processes load their libraries at the same time.
"""

from __future__ import annotations

import sys
import tempfile
from contextlib import suppress
from typing import Final

from runtime.system.errors import Refusal
from runtime.system.processes import ChildProcess, last_words

COMMAND: Final = (sys.executable, "-m", "app.batch.worker")
LONGEST_ANSWER: Final = 1 << 28  # bytes: what a large picture adds to the files of many


class WorkerProcess(ChildProcess):
    """A worker, and a file with what it and its libraries print."""

    def __init__(self) -> None:
        """Start it.

        Raises:
            Refusal: no process can be started.
        """
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the process
        try:
            super().__init__(COMMAND, self._errors, longest_line=LONGEST_ANSWER)
        except OSError as e:
            self._errors.close()
            reason = f"no process can be started ({e.strerror or e})"
            raise Refusal("workers", reason, "Free some memory and try again") from e

    @property
    def printed(self) -> str:
        """The end of what it printed."""
        return last_words(self._errors)

    def forget_printed(self) -> None:
        """Make room; the process has the same place in the file."""
        with suppress(OSError):
            self._errors.seek(0)
            self._errors.truncate()

    def close(self) -> None:
        """Give pipes and file back."""
        super().close()
        self._errors.close()


_started: list[WorkerProcess] = []


def start_early() -> None:
    """Start a worker for whoever comes first."""
    with suppress(Refusal):  # whoever needs it will say so
        _started.append(WorkerProcess())


def next_process() -> WorkerProcess:
    """A worker: the one started early, if nobody has it yet.

    Raises:
        Refusal: no process can be started.
    """
    return _started.pop() if _started else WorkerProcess()


def drop_early() -> None:
    """End a worker that nobody took."""
    while _started:
        process = _started.pop()
        process.kill()
        process.close()
