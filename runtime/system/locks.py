"""Exclusive locks on files and folders; the system gives one back when its owner ends, however it ends."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

PAUSE_S: Final = 0.01  #: between two attempts


@contextmanager
def exclusive(path: Path, *, patience_s: float = 0.0, remove: bool = False) -> Iterator[None]:
    """Hold a lock, in one process at a time; on a file system without locks nobody is kept out.

    Args:
        path: a folder, or a file, which is made when it is missing.
        patience_s: how long to wait for another holder.
        remove: delete the file at the end, unless something is written in it: then it is somebody's.

    Raises:
        BlockingIOError: somebody else holds it.
        OSError: it cannot be opened.
    """
    descriptor = _acquired(path, time.monotonic() + patience_s)
    try:
        yield
    finally:
        with suppress(OSError):
            if remove and not os.fstat(descriptor).st_size:
                path.unlink()  # while it is held: nobody else can be inside
        with suppress(OSError):
            os.close(descriptor)


def _acquired(path: Path, until_s: float) -> int:
    flags = os.O_RDONLY if path.is_dir() else os.O_RDWR | os.O_CREAT
    while True:
        descriptor = os.open(path, flags | os.O_CLOEXEC, 0o600)
        try:
            _lock(descriptor, until_s)
            if _lies_at(path, descriptor):
                return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)  # its holder removed it after it was opened here: the lock on it says nothing


def _lock(descriptor: int, until_s: float) -> None:
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= until_s:
                raise
            time.sleep(PAUSE_S)
        except OSError:  # a file system without locks
            return
        else:
            return


def _lies_at(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False
