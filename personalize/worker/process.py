"""The worker's process: quiet, on one thread, behind everything else, and gone when its time is up."""

from __future__ import annotations

import errno
import logging
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final, TextIO

import cv2
import torch

from personalize.job import PersonalizationJob, read_job
from personalize.messages import CANCELLED, DONE, FAILED, Cancelled, Failure, encode
from personalize.worker.phases import personalise
from personalize.worker.reporter import CancelledError, LimitError, Orders, Reporter
from runtime.system.errors import Refusal

LOG: Final = "log.txt"
NICE: Final = 19
OURS: Final = ("export", "models", "personalize")  #: their errors are made of words
GRACE_S: Final = 60  #: after the limit, before the system ends a worker that hangs
log = logging.getLogger("xfactor.worker")


def main(arguments: Sequence[Path]) -> int:
    """Run one job.

    Returns:
        The exit code.
    """
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m personalize.worker JOB_DIR\n")
        return 2
    folder = arguments[0].absolute()
    out = _only_events_on_stdout()
    step_back()
    try:
        job = read_job(folder)
        _log_into(folder)
        reporter = Reporter(folder, out, Orders(sys.stdin), job.limit_s)
    except (Refusal, OSError) as e:
        out.write(encode(failure(e, folder)) + "\n")
        out.flush()
        return FAILED
    _end_by_the_clock(job.limit_s)
    try:
        return run(folder, job, reporter)
    finally:
        reporter.close()


def run(folder: Path, job: PersonalizationJob, reporter: Reporter) -> int:
    """Do the job and report its end.

    Returns:
        The exit code.
    """
    log.info("job %s", job)
    try:
        finished = personalise(folder, job, reporter)
    except CancelledError:
        reporter.send(Cancelled())
        return CANCELLED
    except Exception as e:
        log.exception("failed")
        reporter.send(failure(e, folder))
        return FAILED
    reporter.send(finished)
    return DONE


def failure(error: BaseException, folder: Path) -> Failure:
    """Failure message of an exception."""
    what, place = "personalising", f"job folder {folder}"
    match error:
        case Refusal():
            words = error.what, error.reason, error.remedy
        case LimitError():
            words = what, str(error), "Choose a shorter range"
        case MemoryError():
            words = what, "there is not enough memory", "Close other programs"
        case OSError() if error.errno in {errno.ENOSPC, errno.EDQUOT} or "requested and" in str(error):
            # the words are numpy's, which gives no number
            words = place, "the disk is full", "Free a gigabyte and try again"
        case OSError():
            words = place, error.strerror or str(error), "Try again"
        case ValueError() if type(error).__module__.partition(".")[0] in OURS:
            words = what, str(error).rstrip("."), "Try another range"
        case _:
            words = what, f"{type(error).__name__}: {str(error)[:200]}", f"Report it with {folder / LOG}"
    return Failure(*words)


def step_back() -> None:
    """One thread, and whatever else runs goes first."""
    torch.set_num_threads(1)
    with suppress(RuntimeError):  # only before any parallel work
        torch.set_num_interop_threads(1)
    cv2.setNumThreads(1)
    if hasattr(os, "nice"):
        with suppress(OSError):
            os.nice(NICE)


def _only_events_on_stdout() -> TextIO:
    """The true standard output, for events alone; what a library prints goes to the error output."""
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return out


def _log_into(folder: Path) -> None:
    handler = logging.FileHandler(folder / LOG, encoding="utf-8")
    (folder / LOG).chmod(0o600)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(logging.INFO)


def _end_by_the_clock(limit_s: float) -> None:
    """Let the system end the process some time after its limit, even when it hangs in a library."""
    if hasattr(signal, "alarm"):
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(round(limit_s + GRACE_S))
