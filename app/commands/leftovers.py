"""Leftovers of runs that were broken off: a list of them, and `xfactor doctor --clean`, which deletes them.

Never among them: factors and models of the library, settings, and what a living process works on.
"""

from __future__ import annotations

import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from app.download.cache import DownloadCache
from personalize.client import job_folders
from runtime.system import paths
from runtime.system.errors import Refusal, printable
from runtime.system.files import TEMPORARY_PREFIX, TEMPORARY_SUFFIX, entries

SETTLED_S: Final = 3600.0  #: untouched for so long; a younger one may belong to a window or command at work
_OURS: Final = re.compile(r"xfactor-(bench|soak)-\w{8}")  # in the system's folder of temporary files


@dataclass(frozen=True)
class Leftover:
    """Something that nobody uses any more."""

    kind: str
    path: Path
    size_bytes: int
    age_s: float

    def __str__(self) -> str:
        days, hours = divmod(self.age_s / 3600, 24)
        age = f"{days:.0f} days" if days >= 2 else f"{24 * days + hours:.0f} h"
        return (
            f"{printable(str(self.path))} ({self.kind}, {self.size_bytes / 1e6:.1f} MB, untouched for {age})"
        )

    def delete(self) -> None:
        """Delete it.

        Raises:
            OSError: some of it is still there.
            Refusal: it is a job that a process has taken up since.
        """
        if self.path.parent == job_folders.jobs_dir() and self.path.is_dir():
            job_folders.remove(self.path)
        elif self.path.is_dir() and not self.path.is_symlink():
            shutil.rmtree(self.path)
        else:
            self.path.unlink(missing_ok=True)


def leftovers(now_s: float | None = None) -> list[Leftover]:
    """Everything that `xfactor doctor --clean` would delete; nothing is changed.

    Raises:
        Refusal: one of the user's folders cannot be read.
    """
    now = time.time() if now_s is None else now_s
    found = []
    for kind, path, settled_s in _candidates():
        parts = [path, *path.rglob("*")] if path.is_dir() and not path.is_symlink() else [path]
        try:
            stats = [part.lstat() for part in parts]
        except OSError:
            continue  # it is at work, or not ours
        age_s = now - max(s.st_mtime for s in stats)
        if age_s >= settled_s:
            found.append(Leftover(kind, path, sum(s.st_size for s in stats), age_s))
    return found


def _candidates() -> Iterator[tuple[str, Path, float]]:
    """Kind, path, and for how many seconds nobody may have touched it."""
    for folder in entries(job_folders.jobs_dir()):
        if folder.is_dir() and not folder.is_symlink() and not job_folders.in_use(folder):
            yield "personalisation that did not end", folder, SETTLED_S
    yield from _unfinished_writes()
    for path in DownloadCache().outdated():
        yield "old download", path, 0.0
    for path in entries(Path(tempfile.gettempdir())):
        if _OURS.fullmatch(path.name) and path.is_dir() and not path.is_symlink():
            yield "folder of a measurement", path, 24 * SETTLED_S


def _unfinished_writes() -> Iterator[tuple[str, Path, float]]:
    data = paths.user_data_dir()
    for parent in (paths.user_config_dir(), *(p for p in (data, *data.rglob("*")) if p.is_dir())):
        if parent.is_relative_to(job_folders.jobs_dir()):
            continue  # goes with its job
        for path in entries(parent):
            if path.name.startswith(TEMPORARY_PREFIX) and path.name.endswith(TEMPORARY_SUFFIX):
                yield "half-written file", path, SETTLED_S
            elif parent == paths.user_models_dir() and path.name.startswith(".adding-"):
                yield "half-copied model", path, SETTLED_S


def clean() -> tuple[list[str], list[str]]:
    """Delete every leftover.

    Returns:
        What was deleted, and what could not be, each in a line.

    Raises:
        Refusal: one of the user's folders cannot be read.
    """
    deleted, kept = [], []
    for leftover in leftovers():
        try:
            leftover.delete()
        except (OSError, Refusal) as e:
            kept.append(f"{leftover}: {e.strerror or e}" if isinstance(e, OSError) else str(e))
        else:
            deleted.append(str(leftover))
    return deleted, kept
