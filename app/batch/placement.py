"""Result files that are there whole or not at all."""

from __future__ import annotations

import contextlib
from pathlib import Path

from runtime.system.disk import cannot_write
from runtime.system.files import TEMPORARY_PREFIX, TEMPORARY_SUFFIX, write_atomic


def place(path: Path, data: bytes) -> None:
    """Write a result file by renaming a finished one.

    It does not wait for the disk, which would cost more than parsing the frame does; after a power cut
    `products.whole` tells what arrived.

    Raises:
        CannotWriteError: nothing is left behind.
    """
    try:
        write_atomic(path, data, mode=None, sync=False)
    except OSError as e:
        raise cannot_write(path, e) from e


def make_folder(path: Path) -> Path:
    """Make a folder for results.

    Raises:
        CannotWriteError: in words.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as e:
        raise cannot_write(path, e) from e
    return path


def sweep(folder: Path) -> None:
    """Remove what a killed run left half-written."""
    with contextlib.suppress(OSError):
        for leftover in folder.glob(f"{TEMPORARY_PREFIX}*{TEMPORARY_SUFFIX}"):
            leftover.unlink(missing_ok=True)
