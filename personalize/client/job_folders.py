"""Job folders: new, unfinished and deleted ones.

A job folder shows a person: it is for this user alone, and it goes when its result was decided on.
"""

from __future__ import annotations

import json
import re
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from personalize.job import PersonalizationJob, read_job, write_job
from runtime.library.factors import user_factors
from runtime.system import paths
from runtime.system.errors import Refusal
from runtime.system.files import entries, make_private_dir
from runtime.system.locks import exclusive

REPORT: Final = "report.json"
FACTOR: Final = "factor.onnx"
LOCK: Final = "lock"  # held while a worker is at it
LARGEST_REPORT: Final = 1 << 20


@dataclass(frozen=True)
class UnfinishedJob:
    """Job that an earlier run of the program left unfinished."""

    folder: Path
    job: PersonalizationJob
    finished: bool  #: there is a result that nobody has decided on


def jobs_dir() -> Path:
    """All job folders of this user."""
    return paths.user_data_dir() / "jobs"


def new_folder(name: str) -> Path:
    """A folder for a job, made now.

    Raises:
        Refusal: it cannot be made.
    """
    stem = f"{time.strftime('%Y%m%d-%H%M%S')} {re.sub(r'[^A-Za-z0-9_-]+', '-', name)[:40].strip('-')}".strip()
    try:
        parent = make_private_dir(jobs_dir())
        for number in range(1, 1000):
            folder = parent / (stem if number == 1 else f"{stem} {number}")
            try:
                folder.mkdir(mode=0o700)
            except FileExistsError:
                continue
            return folder
    except OSError as e:
        reason = f"it cannot be made ({e.strerror})"
        raise Refusal(f"job folder in {jobs_dir()}", reason, "Free space, or set XFACTOR_HOME") from e
    raise Refusal(f"job folder in {jobs_dir()}", "there are too many", "Remove old ones")


@contextmanager
def not_left_empty(folder: Path) -> Iterator[None]:
    """Remove a new folder when what was to be put into it is refused; one that holds something stays."""
    try:
        yield
    except Refusal:
        with suppress(OSError):
            folder.rmdir()
        raise


def left_over() -> list[UnfinishedJob]:
    """Jobs that were interrupted, or whose result was not decided on; newest first. Nothing is removed."""
    found = []
    with suppress(Refusal):  # a folder that nobody may read: making another says why
        for path in reversed(entries(jobs_dir())):
            with suppress(Refusal):  # not ours, or cut off before anything was done
                job, finished = read_job(path), bool(read_report(path)) and (path / FACTOR).exists()
                found.append(UnfinishedJob(path, job, finished))
    return found


def read_report(folder: Path) -> dict[str, Any]:
    """The numbers of the gate; empty while there are none."""
    path = folder / REPORT
    try:
        if path.stat().st_size > LARGEST_REPORT:
            return {}
        report = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return report if isinstance(report, dict) else {}


@contextmanager
def claimed(folder: Path) -> Iterator[None]:
    """Have a job folder for oneself; another window or command finds it taken.

    Raises:
        Refusal: another window or command works on it.
        OSError: the folder is gone or cannot be written.
    """
    with ExitStack() as held:
        try:
            held.enter_context(exclusive(folder / LOCK))
        except BlockingIOError as e:
            reason = "another window or command works on it"
            raise Refusal(f"job {folder.name}", reason, "Wait until it has ended") from e
        yield


def in_use(folder: Path) -> bool:
    """True while a living process works on a job."""
    if not (folder / LOCK).exists():
        return False
    try:
        with claimed(folder):
            return False
    except (Refusal, OSError):
        return True


def remove(folder: Path) -> None:
    """Delete a job folder and all it holds; only ever one that lies among the jobs.

    Raises:
        Refusal: it is being worked on, or something of it is still there.
    """
    if folder.parent != jobs_dir() or folder.is_symlink():
        raise Refusal(f"folder {folder.name}", "it is not a job of this program", "Delete it by hand")
    try:
        with claimed(folder):
            shutil.rmtree(folder)
    except FileNotFoundError:
        return
    except OSError as e:
        reason = f"it cannot be deleted ({e.strerror})"
        raise Refusal(f"job folder {folder}", reason, "Delete it by hand: it shows a person") from e


def remove_after(
    folder: Path, busy: Sequence[threading.Thread], on_refused: Callable[[Refusal], None]
) -> threading.Thread:
    """Delete a job folder as soon as nothing writes to it any more; does not wait."""

    def work() -> None:
        for thread in busy:
            thread.join()
        try:
            remove(folder)
        except Refusal as e:
            on_refused(e)

    thread = threading.Thread(target=work, name="removing a job", daemon=True)
    thread.start()
    return thread


def remove_of(name: str) -> int:
    """Delete every job folder whose factor has this name; how many there were.

    Raises:
        Refusal: one could not be deleted.
    """
    removed = 0
    entries(jobs_dir())  # refused: what nobody may read was not deleted
    for left in left_over():
        if left.job.name == name:
            remove(left.folder)
            removed += 1
    return removed


def rename_of(name: str, new: str) -> None:
    """Give the job folders of a factor its new name, so that they are deleted with it.

    Raises:
        Refusal: the disk does not allow it.
    """
    for left in left_over():
        if left.job.name == name:
            write_job(left.folder, replace(left.job, name=new))


def delete_factor(name: str) -> None:
    """Delete a factor of the user's library, and every job folder that shows its person.

    Raises:
        Refusal: there is none of this name, or something of it could not be deleted.
    """
    library = user_factors()
    library.existing(name)
    remove_of(name)
    library.remove(name)
