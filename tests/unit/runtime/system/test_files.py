"""Atomic writes under kills, failing calls and odd folders (rows D01, D02, D06)."""

from __future__ import annotations

import errno
import itertools
import os
import signal
import stat
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from runtime.system.files import make_private_dir, sweep_temporaries, write_atomic, write_folder
from tests.unit.app.fault_injection import DIE, FOLDER_CALLS, Died, failing_call

OLD, NEW = b"old" * 1000, b"new" * 5000


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO, errno.EACCES, errno.EDQUOT])
def test_failing_call_n_leaves_old_or_new_and_no_litter(tmp_path: Path, code: int) -> None:
    target = tmp_path / "settings.json"
    seen: set[str] = set()
    for n in itertools.count(1):
        target.write_bytes(OLD)
        with failing_call(n, code) as injector:
            refused = None
            try:
                write_atomic(target, NEW)
            except OSError as e:
                refused = e.errno
        if not injector.failed_in:
            break
        seen.add(injector.failed_in)
        assert list(tmp_path.iterdir()) == [target], f"litter after {injector.failed_in} (call {n})"
        # Success is reported only when the new bytes are there; a refusal leaves the old ones.
        assert refused in (None, code)
        assert target.read_bytes() == (OLD if refused else NEW), f"call {n}: {injector.failed_in}"
    assert seen == {"open", "fchmod", "write", "fsync", "replace", "close"}
    assert target.read_bytes() == NEW


def test_short_writes_are_continued(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: real(fd, data[:7]))
    write_atomic(tmp_path / "f", NEW)
    assert (tmp_path / "f").read_bytes() == NEW


def test_modes_do_not_depend_on_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        folder = make_private_dir(tmp_path / "a" / "b")
        write_atomic(folder / "private", b"")
        write_atomic(folder / "shared", b"", mode=0o644)
        os.umask(0o777)
        write_atomic(folder / "again", b"")
    finally:
        os.umask(before)
    assert [mode_of(p) for p in (tmp_path / "a", folder)] == [0o700, 0o700]
    assert [mode_of(folder / n) for n in ("private", "shared", "again")] == [0o600, 0o644, 0o600]


def test_an_existing_folder_keeps_its_mode(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    make_private_dir(tmp_path)
    assert mode_of(tmp_path) == 0o755


def test_a_file_in_the_way_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"")
    with pytest.raises(NotADirectoryError, match="a is not a folder"):
        make_private_dir(tmp_path / "a")


def test_names_that_are_not_utf8(tmp_path: Path) -> None:
    folder = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9"))
    make_private_dir(folder)
    write_atomic(folder / os.fsdecode(b"\xff"), NEW)
    assert [p.read_bytes() for p in folder.iterdir()] == [NEW]


def test_longest_name(tmp_path: Path) -> None:
    write_atomic(tmp_path / ("n" * 255), NEW)
    assert len(list(tmp_path.iterdir())) == 1


def test_a_linked_file_stays_linked(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    target = tmp_path / "real" / "settings.json"
    target.write_bytes(OLD)
    link = tmp_path / "settings.json"
    link.symlink_to(target)
    write_atomic(link, NEW)
    assert link.is_symlink()
    assert target.read_bytes() == NEW


def test_sweep_takes_only_old_temporaries(tmp_path: Path) -> None:
    old, young, other = (tmp_path / n for n in (".xfactor-1.tmp", ".xfactor-2.tmp", "mine.tmp"))
    for path in (old, young, other):
        path.write_bytes(b"")
    os.utime(old, (0, 0))
    os.utime(other, (0, 0))
    sweep_temporaries(tmp_path)
    assert sorted(tmp_path.iterdir()) == [young, other]


WRITER = """
import itertools, sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from runtime.system.files import write_atomic
target = Path(sys.argv[1])
print("ready", flush=True)
for n in itertools.count():
    write_atomic(target, str(n % 10).encode() * 200_000)
"""


@pytest.mark.slow
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO, errno.EROFS, DIE])
def test_a_folder_is_written_whole_or_stays(tmp_path: Path, code: int) -> None:
    old, new = {"a": b"1", "b": b"2"}, {"a": b"3", "c": b"4"}
    for call in range(1, 100):
        folder = tmp_path / str(call) / "folder"
        folder.parent.mkdir()
        write_folder(folder, old)
        with suppress(OSError, Died), failing_call(call, code, FOLDER_CALLS) as injected:
            write_folder(folder, new)
        kept = sorted(folder.parent.iterdir())
        places = [folder, *(k / name for k in kept for name in ("old", "new"))]  # where a death may leave it
        found = [{f.name: f.read_bytes() for f in p.iterdir() if f.is_file()} for p in places if p.exists()]
        assert old in found or new in found, (call, injected.failed_in)
        if code != DIE:
            assert found[0] in (old, new)
            assert found[0] == new or kept == [folder], (call, injected.failed_in)
        if not injected.failed_in:
            break
    assert 10 < call < 99


def test_sigkill_during_save_leaves_old_or_new(tmp_path: Path, repository: Path) -> None:
    """D01: every kill lands at another moment of the write; a mix of two contents has two digits."""
    target = tmp_path / "settings.json"
    kills = 120
    for n in range(kills):
        with subprocess.Popen(
            [sys.executable, "-S", "-E", "-c", WRITER, target, repository],
            stdout=subprocess.PIPE,
        ) as process:
            assert process.stdout is not None
            process.stdout.readline()
            time.sleep(0.0007 * (n % 30))
            process.send_signal(signal.SIGKILL)
        assert process.returncode == -signal.SIGKILL
        if target.exists():
            content = target.read_bytes()
            assert len(content) == 200_000
            assert len(set(content)) == 1
    interrupted = list(tmp_path.glob(".xfactor-*.tmp"))
    assert target.exists()
    assert interrupted, "no kill hit a write: the test shows nothing"
    sweep_temporaries(tmp_path, older_than_s=-1)
    assert list(tmp_path.iterdir()) == [target]
