"""The end of every command: exit code, words, log; with outputs that are full, closed or left (row I10)."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.without_rights import give_up_rights

XFACTOR = shlex.join([sys.executable, "-m", "app"])


def run(
    repository: Path, line: str, before: Callable[[], None] | None = None
) -> subprocess.CompletedProcess[str]:
    """A command as a shell runs it."""
    return subprocess.run(
        ["bash", "-c", line], cwd=repository, capture_output=True, text=True, check=False, timeout=100,
        preexec_fn=before,
    )  # fmt: skip


@pytest.mark.parametrize("command", ["--help", "--version", "factors", "models show factored-s31"])
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_full_output_is_told_in_a_line(
    repository: Path, user_home: Path, command: str, unbuffered: str
) -> None:
    done = run(repository, f"PYTHONUNBUFFERED={unbuffered} {XFACTOR} {command} > /dev/full")
    assert done.returncode == 1
    assert done.stderr == (
        "xfactor: output: it cannot be written (No space left on device). "
        "Free some space, or send it elsewhere\n"
    )
    assert not list(user_home.rglob("*.log")) or "Traceback" not in next(user_home.rglob("*.log")).read_text()


@pytest.mark.parametrize("redirection", [">&-", "2>&-", "< /dev/null >&- 2>&-", "2> /dev/full", "<&-"])
def test_closed_streams_end_no_command(repository: Path, user_home: Path, redirection: str) -> None:
    done = run(repository, f"{XFACTOR} factors {redirection}")
    assert (done.returncode, done.stderr) == (0, "")
    assert all(not p.read_bytes() for p in user_home.rglob("*.txt"))  # no print went into a file of ours


@pytest.mark.parametrize("printed", ["Console().print", "typer.echo", "print"])
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_reader_who_leaves_is_no_error(repository: Path, printed: str, unbuffered: str) -> None:
    code = (
        "import sys, time, typer; from rich.console import Console; from app.commands.entry import exit_code;"
        f"work = lambda: (time.sleep(0.5), {printed}('a' * 9000), {printed}('b'))[3:];"
        "app = typer.Typer(); app.command()(lambda: work() and None); sys.exit(exit_code(app, 'x'))"
    )
    line = f"PYTHONUNBUFFERED={unbuffered} {shlex.join([sys.executable, '-c', code])}"
    done = run(repository, f"{line} | true; echo ${{PIPESTATUS[0]}}")
    assert (done.stdout, done.stderr) == ("0\n", "")


@pytest.mark.parametrize(
    ("style", "output", "code"),
    [("json", "/dev/full", 1), ("rich", "/dev/full", 0), ("none", "/dev/full", 0), ("json", ">(true)", 0)],
)
def test_events_that_were_asked_for_and_lost_are_told(
    repository: Path, style: str, output: str, code: int
) -> None:
    program = (
        "import sys, time; from runtime.system.reporter import ProgressReporter as R;"
        "from app.commands.entry import exit_code;"
        f"r = R('{style}'); work = lambda: [(time.sleep(0.1), r.event('step', n=n)) for n in range(5)];"
        "sys.exit(exit_code(work, 'x'))"
    )
    done = run(repository, f"{shlex.join([sys.executable, '-c', program])} > {output}")
    assert (done.returncode, done.stderr.count("output: it cannot be written")) == (code, code)


def test_a_fault_of_the_system_names_its_object(repository: Path, user_home: Path) -> None:
    code = (
        "import sys; from app.commands.entry import exit_code; sys.exit(exit_code(lambda: open('/a/b'), 'x'))"
    )
    done = run(repository, shlex.join([sys.executable, "-c", code]))
    assert done.returncode == 1
    assert done.stderr.splitlines()[0] == (
        "xfactor: /a/b: No such file or directory. Check its name, its permissions and the room on its disk"
    )
    assert "FileNotFoundError" in next(user_home.rglob("xfactor.log")).read_text()


def test_a_fault_of_a_module_in_its_own_process_is_in_a_log_of_its_own(
    repository: Path, user_home: Path, tmp_path: Path
) -> None:
    (tmp_path / "faulty.py").write_text("1 / 0")
    environment = f"PYTHONPATH={tmp_path}{os.pathsep}{repository}"
    done = run(repository, f"{environment} {sys.executable} -m app.commands.entry faulty")
    assert done.returncode == 1
    log = next(user_home.rglob("xfactor-faulty.log"))
    words = "internal error in python -m faulty: ZeroDivisionError: division by zero"
    assert done.stderr == f"xfactor: {words}\n  details: {log}\n"
    assert "Traceback" in log.read_text()


LONG = "a" * 300
UNUSABLE = [
    ("models show", "closed/x"), ("factors show", LONG), ("personalize --out me", LONG),
    ("personalize --out me", "closed/x"), ("personalize --out me", "loop"), ("bench --clip", "loop"),
]  # fmt: skip
BY_NAME = ["factors", "factors show me", "factors remove me", "models show x", "--reset-config"]


@pytest.mark.parametrize(("command", "name"), UNUSABLE)
def test_a_path_that_cannot_be_looked_up_is_wrong_usage(
    repository: Path, user_home: Path, tmp_path: Path, command: str, name: str
) -> None:
    """A closed folder, a link to itself, a name of 300 letters."""
    (tmp_path / "closed").mkdir(mode=0)
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    done = run(repository, f"{XFACTOR} {command} {tmp_path / name}", give_up_rights)
    assert done.returncode == 2, done.stderr
    assert "it cannot be read" in done.stderr or "there is no such" in done.stderr
    assert next(user_home.rglob("xfactor.log")).read_bytes() == b""


def test_a_home_that_nobody_may_read_is_named(repository: Path, user_home: Path) -> None:
    user_home.chmod(0)
    try:
        for command in BY_NAME:
            done = run(repository, f"{XFACTOR} {command}", give_up_rights)
            assert done.returncode == 2, command
            assert "(Permission denied)" in done.stderr, command
        found = json.loads(run(repository, f"{XFACTOR} doctor --json", give_up_rights).stdout)
        assert [f["name"] for f in found if "XFACTOR_HOME" in f["remedy"]] == ["settings", "factors", "logs"]
    finally:
        user_home.chmod(0o700)
