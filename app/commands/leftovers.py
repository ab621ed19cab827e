"""Leftovers of runs that were broken off, which `xfactor doctor` lists and `xfactor doctor --clean` deletes.

Never among them: factors and models of the library, settings, and what a living process works on.
"""

from __future__ import annotations

import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from app.download.cache import DownloadCache
from personalize.client import job_folders
from runtime.system import paths
from runtime.system.errors import printable
from runtime.system.files import entries

SETTLED_S: Final = 3600.0  #: untouched for so long; a younger one may belong to a window or command at work
_UNFINISHED: Final = re.compile(r"\.xfactor-\w+\.tmp|\.adding-\w+")  # of atomic writes and `models add`
_MEASURED: Final = re.compile(r"xfactor-(bench|soak)-\w{8}")  # in the system's folder of temporary files


@dataclass(frozen=True)
class Leftover:
    """Something that nobody uses any more."""

    kind: str
    path: Path
    size_bytes: int
    age_s: float

    def __str__(self) -> str:
        size = f"{self.size_bytes / 1e6:.1f} MB"
        return f"{printable(str(self.path))} ({self.kind}, {size}, untouched for {self.age_s / 3600:.0f} h)"

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


def leftovers() -> list[Leftover]:
    """Everything that `xfactor doctor --clean` would delete; nothing is changed.

    Raises:
        Refusal: one of the user's folders cannot be read.
    """
    found = []
    for kind, path, settled_s in _candidates():
        with suppress(OSError):  # it is at work, or not ours
            parts = [path, *path.rglob("*")] if path.is_dir() and not path.is_symlink() else [path]
            stats = [part.lstat() for part in parts]
            age_s = time.time() - max(s.st_mtime for s in stats)
            if age_s >= settled_s:
                found.append(Leftover(kind, path, sum(s.st_size for s in stats), age_s))
    return found


def _candidates() -> Iterator[tuple[str, Path, float]]:
    """Kind, path, and for how many seconds nobody may have touched it."""
    jobs, data = job_folders.jobs_dir(), paths.user_data_dir()
    for path in entries(jobs):
        if path.is_dir() and not path.is_symlink() and not job_folders.in_use(path):
            begun = (path / job_folders.LOCK).exists() and not (path / job_folders.FACTOR).exists()
            yield "personalisation that did not end", path, 0.0 if begun else SETTLED_S
    for path in (*entries(paths.user_config_dir()), *data.rglob(".*")):
        if _UNFINISHED.fullmatch(path.name) and not path.is_relative_to(jobs):
            yield "half-written", path, SETTLED_S
    yield from (("old download", path, SETTLED_S) for path in DownloadCache().outdated())
    for path in entries(Path(tempfile.gettempdir())):
        if _MEASURED.fullmatch(path.name) and not path.is_symlink():
            yield "folder of a measurement", path, SETTLED_S
