"""The last net, in processes of its own: hooks, log, crash file."""

from __future__ import annotations

import logging
import subprocess
import sys
from pathlib import Path

import pytest

from runtime.system import crash_log
from runtime.system.errors import Refusal

START = (
    "import sys; sys.path.insert(0, {root!r}); "
    "from runtime.system import crash_log; f = crash_log.install(); "
)


def run(repository: Path, code: str) -> subprocess.CompletedProcess[str]:
    source = START.format(root=str(repository)) + code
    return subprocess.run(
        [sys.executable, "-c", source], capture_output=True, text=True, check=False, timeout=30
    )


def log(home: Path) -> Path:
    return home / "log" / "xfactor.log"


def test_an_uncaught_error_is_one_line_and_a_trace_in_the_log(repository: Path, user_home: Path) -> None:
    done = run(repository, "1 / 0")
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "xfactor: internal error in the program: ZeroDivisionError: division by zero",
        f"  details: {log(user_home)}",
    ]
    assert "Traceback" in log(user_home).read_text()
    assert log(user_home).stat().st_mode & 0o777 == 0o600


def test_a_refusal_is_shown_as_it_is(repository: Path, user_home: Path) -> None:
    done = run(
        repository,
        "from runtime.system.errors import Refusal; raise Refusal('clip.mp4', 'it is empty', 'Try another')",
    )
    assert done.stderr.startswith("xfactor: clip.mp4: it is empty. Try another\n")


def test_threads_and_destructors_are_heard(repository: Path, user_home: Path) -> None:
    code = """
import threading
t = threading.Thread(target=lambda: 1 / 0, name="capture"); t.start(); t.join()
class Bad:
    def __del__(self): raise KeyError("x")
Bad()
print("alive")
"""
    done = run(repository, code)
    assert done.returncode == 0
    assert done.stdout == "alive\n"
    assert "internal error in thread capture: ZeroDivisionError" in done.stderr
    assert "internal error in clean-up: KeyError" in done.stderr


def test_a_crash_is_readable_at_the_next_start(repository: Path, user_home: Path) -> None:
    done = run(repository, "import os; os.abort()")
    assert done.returncode == -6
    assert run(repository, "crash_log.install()").returncode == 0  # a command that shows nothing
    done = run(repository, "print(crash_log.install().take_previous_crash())")
    assert "Fatal Python error: Aborted" in done.stdout
    assert run(repository, "print(f.previous_crash)").stdout == "None\n"


def test_a_fault_of_a_command_reaches_the_log(repository: Path, user_home: Path) -> None:
    """Through the real entry point: the command line library has an exception hook of its own."""
    code = """
from app.__main__ import app, main
app.command("broken")(lambda: 1 / 0)
sys.argv = ["xfactor", "broken"]
main()
"""
    done = run(repository, code)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "internal error in xfactor broken: ZeroDivisionError" in done.stderr
    assert f"details: {log(user_home)}" in done.stderr
    assert "Traceback (most recent call last)" in log(user_home).read_text()


def test_a_log_that_cannot_be_written_stops_nothing(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XFACTOR_HOME", "/proc/xfactor")
    done = run(repository, "print(f.log_path, flush=True); 1 / 0")
    assert done.stdout == "None\n"
    assert done.stderr == "xfactor: internal error in the program: ZeroDivisionError: division by zero\n"


def test_a_full_disk_is_silent(repository: Path, user_home: Path) -> None:
    code = """
import resource, signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (10, 10))
1 / 0
"""
    done = run(repository, code)
    assert done.stderr.count("\n") == 2


def fail() -> None:
    raise ValueError("again")


def report(net: crash_log.Faults) -> None:
    try:
        fail()
    except ValueError as e:
        net.report(e, "inference")


def test_the_same_fault_is_told_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    heard: list[str] = []
    net = crash_log.Faults(tmp_path, "test")
    try:
        net.listener = heard.append
        for _ in range(50):
            report(net)
        assert len(heard) == 1
        net.report(ValueError("elsewhere"), "capture")
        assert len(heard) == 2
        for fault, (told, quiet) in list(net._told.items()):
            net._told[fault] = (told - crash_log.SAME_FAULT_PAUSE_S, quiet)
        report(net)
        assert "(and 49 times before)" in heard[-1]
    finally:
        net.close()
    assert capsys.readouterr().err.count("details: ") == 3


def test_a_listener_that_fails_does_not_raise(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    net = crash_log.Faults(tmp_path, "test")
    try:
        net.listener = lambda _: 1 / 0  # type: ignore[assignment, return-value]
        report(net)
        net.report(Refusal("a", "b", "c"), "capture")
    finally:
        net.close()
    assert "a: b. C" in capsys.readouterr().err


def test_logs_stay_under_ten_megabytes(tmp_path: Path) -> None:
    net = crash_log.Faults(tmp_path, "test")
    try:
        for _ in range(150):
            logging.getLogger("xfactor").error("x" * 100_000)
    finally:
        net.close()
    assert sum(p.stat().st_size for p in tmp_path.iterdir()) <= 10_000_000
    assert {p.stat().st_mode & 0o777 for p in tmp_path.iterdir()} == {0o600}
