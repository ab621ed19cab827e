"""Claiming: one program at a time works on a job; another window or command finds it taken."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from runtime.system.errors import Refusal

FILE: Final = "lock"  # of the job folder; held, not written


@contextmanager
def claimed(folder: Path) -> Iterator[None]:
    """Have a job folder for oneself; the system gives it back when this process ends, however it ends.

    Raises:
        Refusal: another window or command works on it.
        OSError: the folder is gone or cannot be written.
    """
    descriptor = os.open(folder / FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as e:
            raise Refusal(
                f"job {folder.name}", "another window or command works on it", "Wait until it has ended"
            ) from e
        except OSError:
            pass  # a file system without locks
        yield
    finally:
        with suppress(OSError):
            os.close(descriptor)
