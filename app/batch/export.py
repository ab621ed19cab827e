"""Export: a parse job in a process of its own, as the window runs it, and its record for the next start."""

from __future__ import annotations

import json
import sys
import tempfile
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, Final

from app.batch.options import ParseJob
from runtime.system import paths
from runtime.system.errors import Refusal
from runtime.system.files import entries, make_private_dir, write_atomic
from runtime.system.locks import exclusive
from runtime.system.processes import ChildProcess, ended, last_words

COMMAND: Final = (sys.executable, "-m", "app.commands.attended")
GLANCE_S: Final = 0.2  # how often a cancel is looked at
STOP_S: Final = 1.5  # from closing stdin until the process is killed; the window is gone after two
LEAVE_S: Final = 20.0  # from the end of its output to its own


@dataclass
class ExportProgress:
    """Progress of an export by the events of its process.

    Attributes:
        inputs: how many there are; 0 while nobody knows.
        problems: a line for each input that is not whole.
        frames: parsed, of inputs that have ended.
    """

    inputs: int = 0
    frames: int = 0
    problems: list[str] = field(default_factory=list)
    _ended: int = 0
    _begun: dict[str, tuple[int, int]] = field(default_factory=dict)  # by input: frames done, and expected

    def take(self, line: str) -> None:
        """Follow a line of the process; one that is no event is passed over."""
        try:
            event = json.loads(line)
            kind, name = event["event"], event["input"]
        except (ValueError, TypeError, KeyError):
            return
        if kind == "begin":
            self.inputs = event["inputs"]
            self._begun[name] = 0, max(1, event["frames"])
        elif kind == "progress" and name in self._begun:
            self._begun[name] = event["frame"], self._begun[name][1]
        elif kind == "end":
            self._begun.pop(name, None)
            self._ended += 1
            self.frames += event["frames"]
            shown, reason = Path(name).name, event["reason"]
            words = reason if reason.startswith(shown) else f"{shown}: {reason}"
            self.problems += [words] if event["status"] != "ok" else []

    @property
    def fraction(self) -> float | None:
        """0..1; None while nobody knows."""
        if not self.inputs:
            return None
        running = sum(min(1.0, done / expected) for done, expected in self._begun.values())
        return min(1.0, (self._ended + running) / self.inputs)


@dataclass(frozen=True)
class ExportOutcome:
    """Result of an export that ran to its end."""

    folder: Path
    frames: int
    problems: tuple[str, ...]  #: a line for each input that is not whole


class ExportRecord:
    """A job on disk, for as long as its export is not over: the next start of the program goes on with it.

    Attributes:
        job: of the export.
    """

    def __init__(self, path: Path, job: ParseJob) -> None:
        self._path, self.job = path, job

    @classmethod
    def new(cls, job: ParseJob) -> ExportRecord:
        """Write a record.

        Raises:
            Refusal: it cannot be written.
        """
        path = records_dir() / f"{uuid.uuid4().hex}.json"
        try:
            make_private_dir(path.parent)
            write_atomic(path, json.dumps(job.to_json()).encode())
        except OSError as e:
            reason = f"it cannot be noted in {path.parent} ({e.strerror or e})"
            raise Refusal("export", reason, "Free space, or set XFACTOR_HOME") from e
        return cls(path, job)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep other windows from going on with it.

        Raises:
            Refusal: another window is at it.
        """
        try:
            with exclusive(self._path):
                yield
        except BlockingIOError as e:
            raise Refusal("export", "another window is at it", "Wait until it has ended") from e

    def forget(self) -> None:
        """Take it off disk."""
        with suppress(OSError):
            self._path.unlink()

    def free(self) -> bool:
        """True when no window is at it."""
        try:
            with exclusive(self._path):
                return True
        except OSError:
            return False


def records_dir() -> Path:
    """Folder of the records."""
    return paths.user_data_dir() / "exports"


def unfinished() -> list[ExportRecord]:
    """Records of exports that an earlier run cut off, to be resumed; damaged ones are left alone."""
    found = []
    with suppress(Refusal):
        for path in entries(records_dir()):
            with suppress(OSError, ValueError, TypeError, KeyError):
                job = ParseJob.from_json(json.loads(path.read_text("utf-8")))
                found.append(ExportRecord(path, replace(job, resume=True)))
    return [record for record in found if record.free()]


def export(
    job: ParseJob, on_progress: Callable[[float | None], None], *, command: Sequence[str] = COMMAND
) -> ExportOutcome:
    """Run a job in a process of its own to its end.

    Args:
        job: what to parse, and where to.
        on_progress: called often; what it raises stops the process, which leaves what `resume` goes on with.
        command: the process; tests give another one.

    Raises:
        Refusal: the process refused the job, or died.
    """
    with tempfile.TemporaryFile() as errors, ExitStack() as open_:
        try:
            process = ChildProcess(command, errors)
        except OSError as e:
            reason = f"no process can be started ({e.strerror or e})"
            raise Refusal("export", reason, "Free some memory and try again") from e
        open_.callback(_end, process)
        process.write(json.dumps(job.to_json()))
        progress = ExportProgress()
        while (lines := process.lines(GLANCE_S)) is not None:
            for line in lines:
                progress.take(line)
            on_progress(progress.fraction)
        code = process.wait(LEAVE_S)
        if code is None:
            code = process.kill()
        if code == 0 or (code == 1 and progress.problems):
            return ExportOutcome(job.out, progress.frames, tuple(progress.problems))
        raise _failure(code, errors)


def _failure(code: int, errors: IO[bytes]) -> Refusal:
    """The last line that the process said, or how it ended."""
    lines = [line for line in last_words(errors).splitlines() if line.startswith("xfactor: ")]
    words = lines[-1].removeprefix("xfactor: ") if lines else f"its process {ended(code)}"
    what, _, reason = words.partition(": ") if lines else ("export", "", words)
    reason, _, remedy = reason.rpartition(". ")
    return Refusal(what, reason or remedy, remedy if reason else "The log file has the details")


def _end(process: ChildProcess) -> None:
    process.close_input()
    process.wait(STOP_S)
    process.kill()
    process.close()
