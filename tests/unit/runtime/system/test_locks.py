"""Locks: one process at a time, also while others remove the file; folders, patience."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from runtime.system.locks import exclusive

LOOPING = """
import sys, time
from contextlib import suppress
from pathlib import Path
from runtime.system.locks import exclusive
folder, until = Path(sys.argv[1]), time.monotonic() + 3
entered = together = 0
while time.monotonic() < until:
    with suppress(BlockingIOError), exclusive(folder / "lock", patience_s=0.02, remove=True):
        entered += 1
        try:
            (folder / "inside").mkdir()
        except FileExistsError:
            together += 1
        else:
            (folder / "inside").rmdir()
print(entered, together)
"""


def test_f18_nobody_is_inside_together_while_the_file_is_removed(tmp_path: Path, repository: Path) -> None:
    """A lock on a removed file keeps nobody out; whoever got one takes the file that is there now."""
    running = [
        subprocess.Popen(
            [sys.executable, "-c", LOOPING, str(tmp_path)], cwd=repository, stdout=subprocess.PIPE, text=True
        )
        for _ in range(3)
    ]
    counts = [[int(n) for n in process.communicate(timeout=60)[0].split()] for process in running]
    assert sum(entered for entered, _ in counts) > 10
    assert [together for _, together in counts] == [0, 0, 0]
    assert list(tmp_path.iterdir()) == []


def test_a_second_holder_waits_as_long_as_it_has_patience(tmp_path: Path) -> None:
    entered = threading.Event()

    def hold() -> None:
        with exclusive(tmp_path):
            entered.set()
            time.sleep(0.3)

    thread = threading.Thread(target=hold)
    thread.start()
    assert entered.wait(5)
    with pytest.raises(BlockingIOError), exclusive(tmp_path):
        pass
    with exclusive(tmp_path, patience_s=20):
        pass
    thread.join()


def test_a_lock_is_free_again_after_an_error_inside(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), exclusive(tmp_path / "lock"):
        raise ZeroDivisionError
    with exclusive(tmp_path / "lock"):
        assert (tmp_path / "lock").stat().st_mode & 0o777 == 0o600
    with pytest.raises(FileNotFoundError), exclusive(tmp_path / "none" / "lock"):
        pass
