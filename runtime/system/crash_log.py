"""Crash log: exceptions that nobody caught, whole in a file, in one line on the screen; it never raises."""

from __future__ import annotations

import contextlib
import faulthandler
import logging
import logging.handlers
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable
from io import TextIOWrapper
from pathlib import Path
from types import TracebackType
from typing import Final

from runtime.system import files, paths
from runtime.system.errors import Refusal

LOG_FILE_BYTES: Final = 2_500_000
LOG_FILES: Final = 4  #: the current one and three older: 10 MB in all
SAME_FAULT_PAUSE_S: Final = 10.0  #: a fault in every frame is told once, then again only after this long
DISTINCT_FAULTS: Final = 1000  #: remembered for the pause

_log = logging.getLogger("xfactor")
_installed: dict[str, Faults] = {}


class Faults:
    """Handler of uncaught exceptions. One per process, made by `install`.

    Attributes:
        log_path: the log file; None where none can be written.
        previous_crash: what the interpreter wrote when an earlier run died of a signal, until it is shown.
        listener: gets what was printed, in the thread that failed; it must not block or open a dialog.
    """

    def __init__(self, folder: Path | None, name: str) -> None:
        self.name = name
        self.log_path: Path | None = None
        self.previous_crash: Path | None = None
        self.listener: Callable[[str], None] | None = None
        self._told: dict[
            str, tuple[float, int]
        ] = {}  # fault → when it was told, how often it was kept quiet since
        self._lock = threading.Lock()
        self._crash_file: TextIOWrapper | None = None
        self._handler: logging.Handler | None = None
        _log.addHandler(
            logging.NullHandler()
        )  # without it, logging prints on its own where no file can be written
        with contextlib.suppress(OSError):
            self._open(files.make_private_dir(folder or paths.user_log_dir()), name)

    def report(self, error: BaseException, where: str) -> None:
        """Log the whole trace, print one line and the log's path; not if the same was reported just now."""
        with contextlib.suppress(Exception):  # a hook that raises aborts a Qt program
            text = str(error) if isinstance(error, Refusal) else f"{type(error).__name__}: {error}"
            repeated = self._repetitions(f"{where} {type(error).__name__} {_origin(error)}")
            if repeated is None:
                return
            again = f" (and {repeated} times before)" if repeated else ""
            trace = "".join(traceback.format_exception(error))
            _log.error("%s: %s%s\n%s", where, text, again, trace)
            line = f"xfactor: {text}{again}"
            if not isinstance(error, Refusal):
                line = f"xfactor: internal error in {where}: {text}{again}"
            self._tell(line)

    def take_previous_crash(self) -> str:
        """The report of an earlier crash, once: the next start does not find it again; empty without one."""
        report, self.previous_crash = self.previous_crash, None
        if report is None:
            return ""
        shown = report.with_name(report.name.replace("previous", "shown"))
        with contextlib.suppress(OSError):
            report.replace(shown)
            return f"{shown}\n\n{shown.read_text('utf-8', 'replace')}"
        return str(report)

    def close(self) -> None:
        """Give back hooks and files (tests; a program simply ends)."""
        _installed.pop(self.name, None)
        sys.excepthook, threading.excepthook = sys.__excepthook__, threading.__excepthook__
        sys.unraisablehook = sys.__unraisablehook__
        faulthandler.disable()
        if self._handler is not None:
            _log.removeHandler(self._handler)
            self._handler.close()
        if self._crash_file is not None:
            faulthandler.unregister(signal.SIGUSR1)
            self._crash_file.close()

    def _tell(self, line: str) -> None:
        details = f"\n  details: {self.log_path}" if self.log_path else ""
        with contextlib.suppress(Exception):
            print(line + details, file=sys.stderr, flush=True)  # noqa: T201 the one voice of a program without a window
        if self.listener is not None:
            self.listener(line + details)

    def _repetitions(self, fault: str) -> int | None:
        """Number of repetitions suppressed since the fault was last logged; None to suppress this one too."""
        now = time.monotonic()
        with self._lock:
            told, quiet = self._told.get(fault, (-SAME_FAULT_PAUSE_S, 0))
            if now - told < SAME_FAULT_PAUSE_S:
                self._told[fault] = (told, quiet + 1)
                return None
            if len(self._told) >= DISTINCT_FAULTS:
                self._told.clear()
            self._told[fault] = (now, 0)
            return quiet

    def _open(self, folder: Path, name: str) -> None:
        crash = folder / f"{name}-crash.txt"
        previous = crash.with_name(f"{name}-crash.previous.txt")
        if crash.exists() and b"Fatal Python error" in crash.read_bytes():  # SIGUSR1 writes there too
            crash.replace(previous)
        self.previous_crash = previous if previous.exists() else None  # also of a run before the last
        descriptor = os.open(crash, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        self._crash_file = os.fdopen(descriptor, "w")
        faulthandler.enable(self._crash_file, all_threads=True)
        faulthandler.register(signal.SIGUSR1, self._crash_file, all_threads=True)
        self._handler = _PrivateLog(folder / f"{name}.log")
        _log.addHandler(self._handler)
        _log.setLevel(logging.INFO)
        _log.propagate = False
        self.log_path = folder / f"{name}.log"


class _PrivateLog(logging.handlers.RotatingFileHandler):
    """A rotating log that only its user can read, and that stays silent when the disk is full."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            path, maxBytes=LOG_FILE_BYTES, backupCount=LOG_FILES - 1, encoding="utf-8", errors="replace"
        )
        self.setFormatter(
            logging.Formatter("%(asctime)s %(levelname)s %(process)d %(threadName)s %(message)s")
        )

    def _open(self) -> TextIOWrapper:
        descriptor = os.open(self.baseFilename, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        return os.fdopen(descriptor, "a", encoding="utf-8", errors="replace")

    def handleError(self, record: logging.LogRecord) -> None:
        """A log that cannot be written must not stop what it logs."""


def install(folder: Path | None = None, *, name: str = "xfactor") -> Faults:
    """Catch what reaches the interpreter, in every thread. Call it first thing in a process.

    A second call for the same log gives what the first one made.

    Args:
        folder: where logs go; by default the per-user log folder.
        name: of the log file; each kind of process has its own, so that two do not rotate one file.
    """
    if name in _installed:
        return _installed[name]
    faults = _installed[name] = Faults(folder, name)

    def on_exception(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if not issubclass(kind, KeyboardInterrupt):
            faults.report(error, "the program")

    def on_thread(event: threading.ExceptHookArgs) -> None:
        if event.exc_value is not None and not issubclass(event.exc_type, SystemExit):
            faults.report(event.exc_value, f"thread {event.thread.name if event.thread else '?'}")

    def on_unraisable(event: object) -> None:
        error = getattr(event, "exc_value", None)
        if isinstance(error, BaseException):
            faults.report(error, "clean-up")

    sys.excepthook, threading.excepthook, sys.unraisablehook = on_exception, on_thread, on_unraisable
    return faults


def _origin(error: BaseException) -> str:
    """File and line of the innermost frame."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace is not None else ""
