"""Atomic files: a crash, a full disk or a second process never leaves half of one."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from runtime.system.errors import Refusal, printable

TEMPORARY_PREFIX = ".xfactor-"
TEMPORARY_SUFFIX = ".tmp"


def write_atomic(path: Path, data: bytes, *, mode: int | None = 0o600, sync: bool = True) -> None:
    """Replace `path` by `data`: a reader sees the old bytes or the new, at any moment and after any failure.

    Args:
        path: a symbolic link is followed, so that a linked settings file stays linked; the folder must exist.
        data: the whole content.
        mode: permissions of the new file, whatever the umask is; None leaves them to it.
        sync: wait for the disk; without it a power cut may leave half of the file.

    Raises:
        OSError: nothing was changed and no temporary file is left.
    """
    target = path.resolve()
    temporary = target.with_name(f"{TEMPORARY_PREFIX}{secrets.token_hex(8)}{TEMPORARY_SUFFIX}")
    try:
        _write_new(temporary, data, mode, sync=sync)
        temporary.replace(target)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
    if not sync:
        return
    # The bytes are on disk under the right name; many file systems cannot sync a folder, as SQLite knows.
    with contextlib.suppress(OSError):
        _sync_folder(target.parent)


def move_in(finished: Path, path: Path) -> None:
    """Give a file its name once it is on the disk; what had the name is replaced.

    Raises:
        OSError: the file keeps the name it has.
    """
    descriptor = os.open(finished, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    finished.replace(path)
    with contextlib.suppress(OSError):
        _sync_folder(path.parent)


def write_folder(folder: Path, files: Mapping[str, bytes]) -> None:
    """Make a folder of these files, or replace one: whole, or as it was.

    Raises:
        OSError: nothing was changed; after a death the old folder may lie beside its place.
    """
    work = Path(tempfile.mkdtemp(dir=folder.parent, prefix=TEMPORARY_PREFIX, suffix=TEMPORARY_SUFFIX))
    try:
        new, old = work / "new", work / "old"
        new.mkdir(mode=0o755)
        for name, data in files.items():
            write_atomic(new / name, data, mode=None)
        if folder.exists():
            folder.rename(old)
        try:
            new.rename(folder)
        except OSError:
            if old.exists():
                old.rename(folder)
            raise
        with contextlib.suppress(OSError):
            _sync_folder(folder.parent)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _write_new(path: Path, data: bytes, mode: int | None, *, sync: bool) -> None:
    descriptor = os.open(
        path,
        os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW,
        0o600 if mode is not None else 0o666,
    )
    try:
        if mode is not None:
            os.fchmod(descriptor, mode)
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(descriptor, rest) :]
        if sync:
            os.fsync(descriptor)  # before the rename, or a power cut leaves the new name on no bytes
    finally:
        os.close(descriptor)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read_regular(path: Path, limit: int, *, follow: bool = True) -> bytes:
    """The bytes of a regular file; reading a pipe or a device might never end.

    Args:
        path: is opened without waiting for a writer.
        limit: bytes it may have.
        follow: read where a symbolic link leads; else it is refused.

    Raises:
        OSError: it is no regular file, cannot be read, or is over the limit.
    """
    no_link = 0 if follow else os.O_NOFOLLOW
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | no_link)
    try:
        about = os.fstat(descriptor)
        if not stat.S_ISREG(about.st_mode):
            raise OSError(errno.EINVAL, "it is not a regular file")
        if about.st_size > limit:
            raise OSError(errno.EFBIG, f"it has more than {limit >> 20} MB")
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            return file.read(limit)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def refused(what: str) -> Iterator[None]:
    """Refusal of what the system will not look up: its folder is closed, its name too long.

    Raises:
        Refusal: in the words of the system.
    """
    try:
        yield
    except OSError as e:
        reason = f"it cannot be read ({e.strerror or e})"
        raise Refusal(what, reason, "Check the path and its permissions") from e


def entries(folder: Path) -> list[Path]:
    """Sorted entries of a folder; none where there is no folder.

    Raises:
        Refusal: it cannot be listed.
    """
    with refused(printable(str(folder))):
        try:
            return sorted(folder.iterdir())
        except FileNotFoundError:
            return []


def make_private_dir(path: Path) -> Path:
    """Create `path` and its missing parents for this user alone (0700); existing ones stay as they are."""
    missing = [p for p in (path, *path.parents) if not p.exists()]
    for folder in reversed(missing):
        with contextlib.suppress(FileExistsError):  # a second instance was faster
            folder.mkdir(mode=0o700)
            folder.chmod(0o700)
    if not path.is_dir():
        raise NotADirectoryError(f"{path} is not a folder")
    return path


def sweep_temporaries(folder: Path, older_than_s: float = 3600.0) -> None:
    """Remove what a killed `write_atomic` left in `folder`; younger ones may belong to a writer at work."""
    with contextlib.suppress(OSError):
        for leftover in folder.glob(f"{TEMPORARY_PREFIX}*{TEMPORARY_SUFFIX}"):
            if time.time() - leftover.stat().st_mtime > older_than_s:
                leftover.unlink(missing_ok=True)
