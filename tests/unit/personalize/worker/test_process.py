"""How a worker ends: exit code, last message, and the words for every fault."""

from __future__ import annotations

import errno
import io
import logging
import os
import re
from pathlib import Path

import pytest

from personalize.finetune import DatasetError
from personalize.job import write_job
from personalize.messages import CANCELLED, DONE, FAILED, Cancelled, Failure, Finished, decode
from personalize.worker import process
from personalize.worker.reporter import CancelledError, LimitError, Orders, Reporter
from runtime.system.errors import Refusal
from tests.personalising import job_for

FOLDER = Path("/jobs/one")


@pytest.mark.parametrize(
    ("error", "what", "reason", "remedy"),
    [
        (Refusal("clip x", "it is empty", "Take another"), "clip x", "it is empty", "Take another"),
        (LimitError("it took 3 s"), "personalising", "it took 3 s", "Choose a shorter range"),
        (MemoryError(), "personalising", "there is not enough memory", "Close other programs"),
        (OSError(errno.ENOSPC, "x"), "job", "the disk is full", "Free a gigabyte and try again"),
        (OSError(errno.EDQUOT, "x"), "job", "the disk is full", "Free a gigabyte and try again"),
        (OSError("9 requested and 1 written"), "job", "the disk is full", "Free a gigabyte and try again"),
        (OSError(errno.EACCES, "not yours"), "job", "not yours", "Try again"),
        (OSError("odd"), "job", "odd", "Try again"),
        (DatasetError("nothing to learn."), "personalising", "nothing to learn", "Try another range"),
        (ValueError("odd"), "personalising", "ValueError: odd", "Report it with /jobs/one/log.txt"),
        (KeyError(300 * "k"), "personalising", f"KeyError: '{199 * 'k'}", "Report it with /jobs/one/log.txt"),
    ],
)
def test_every_fault_has_words(error: Exception, what: str, reason: str, remedy: str) -> None:
    what = "job folder /jobs/one" if what == "job" else what
    assert process.failure(error, FOLDER) == Failure(what, reason, remedy)


@pytest.mark.parametrize(
    ("end", "code", "message"),
    [
        (Finished("f.onnx", "ab", accepted=True), DONE, Finished("f.onnx", "ab", accepted=True)),
        (CancelledError(), CANCELLED, Cancelled()),
        (
            Refusal("clip", "it is empty", "Take another"),
            FAILED,
            Failure("clip", "it is empty", "Take another"),
        ),
        (
            MemoryError(),
            FAILED,
            Failure("personalising", "there is not enough memory", "Close other programs"),
        ),
    ],
)
def test_the_exit_code_goes_with_the_last_message(tmp_path, monkeypatch, end, code, message) -> None:
    def personalise(*_args: object) -> Finished:
        if isinstance(end, BaseException):
            raise end
        return end

    monkeypatch.setattr(process, "personalise", personalise)
    out = io.StringIO()
    reporter = Reporter(tmp_path, out, Orders(None), 60)
    assert process.run(tmp_path, job_for(tmp_path), reporter) == code
    reporter.close()
    assert [decode(line) for line in out.getvalue().splitlines()] == [message]


@pytest.mark.parametrize("arguments", [[], [FOLDER, FOLDER]])
def test_it_works_on_one_folder(capsys, arguments) -> None:
    assert process.main(arguments) == 2
    assert capsys.readouterr().err == "usage: python -m personalize.worker JOB_DIR\n"


@pytest.mark.parametrize(("limit_s", "alarm_s"), [(1200.0, 1260), (0.4, 60), (0.6, 61)])
def test_the_system_ends_it_a_minute_after_its_limit(monkeypatch, limit_s: float, alarm_s: int) -> None:
    asked: list[object] = []
    monkeypatch.setattr(process.signal, "alarm", asked.append)
    monkeypatch.setattr(process.signal, "signal", lambda *how: asked.append(how))
    process._end_by_the_clock(limit_s)
    assert asked == [(process.signal.SIGALRM, process.signal.SIG_DFL), alarm_s]


def test_a_folder_is_worked_on_or_refused_in_a_line(tmp_path: Path, monkeypatch) -> None:
    """Without what would change the process of the tests."""
    out, asked = io.StringIO(), []
    monkeypatch.setattr(process, "_only_events_on_stdout", lambda: out)
    monkeypatch.setattr(process, "_log_into", asked.append)
    monkeypatch.setattr(process, "_end_by_the_clock", asked.append)
    monkeypatch.setattr(process, "step_back", lambda: asked.append("back"))
    monkeypatch.setattr(process, "personalise", lambda *_: Finished("f", "ab", accepted=False))
    monkeypatch.setattr(process.sys, "stdin", io.StringIO("stop"))
    assert process.main([tmp_path]) == FAILED
    write_job(tmp_path, job_for(tmp_path, limit_s=77.0))
    assert process.main([tmp_path]) == DONE
    refused, done = (decode(line) for line in out.getvalue().splitlines())
    assert isinstance(refused, Failure)
    assert (refused.what, done) == (f"job {tmp_path / 'job.json'}", Finished("f", "ab", accepted=False))
    assert asked == ["back", "back", tmp_path, 77.0]


def test_the_log_is_for_its_owner_and_says_when_and_who(tmp_path: Path) -> None:
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    process._log_into(tmp_path)
    logging.getLogger("some").info("said")
    (handler,) = (h for h in root.handlers if h not in before)
    root.removeHandler(handler)
    handler.close()
    root.setLevel(level)
    log = tmp_path / "log.txt"
    assert re.fullmatch(r"\d{4}-\d\d-\d\d [\d:,]+ INFO some: said\n", log.read_text())
    assert log.stat().st_mode & 0o777 == 0o600


def test_it_takes_one_thread_and_the_last_place(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the system refuses that, it works all the same."""
    asked = []

    def refusing(error: Exception):
        def ask(value: int) -> None:
            asked.append(value)
            raise error

        return ask

    monkeypatch.setattr(process.torch, "set_num_threads", asked.append)
    monkeypatch.setattr(process.torch, "set_num_interop_threads", refusing(RuntimeError()))
    monkeypatch.setattr(process.cv2, "setNumThreads", asked.append)
    monkeypatch.setattr(process.os, "nice", refusing(PermissionError()))
    process.step_back()
    assert asked == [1, 1, 1, 19]


def test_what_a_library_prints_goes_to_the_errors(capfd: pytest.CaptureFixture[str]) -> None:
    true_output = os.dup(1)
    with process._only_events_on_stdout() as out:
        os.write(1, b"noise")
        out.write("an event \u2713")
    os.dup2(true_output, 1)
    os.close(true_output)
    assert capfd.readouterr() == ("an event \u2713", "noise")
