"""Results of the phases, in the job folder: a run that was killed goes on at the first unfinished one.

A phase is finished when its record is there, and the record names all that the result depends on. So a phase
is done again exactly when something it depends on changed, such as a stroke of the user's brush.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import DTypeLike, NDArray

from runtime.system.files import make_private_dir, write_atomic

FOLDER: Final = "cache"  #: what only the worker reads, large; a bug report can do without
PART: Final = ".part"
Facts = dict[str, Any]
Array = NDArray[Any]


class Results:
    """The results of a job."""

    def __init__(self, job_folder: Path) -> None:
        self.folder = make_private_dir(job_folder / FOLDER)
        for leftover in self.folder.glob(f"*{PART}"):
            leftover.unlink()

    def facts(self, phase: str, key: str) -> Facts | None:
        """Record of a finished phase; None when it is not finished, or was for something else."""
        try:
            record = json.loads((self.folder / f"{phase}.json").read_text("utf-8"))
        except (OSError, ValueError):
            return None
        facts = record.get("facts") if isinstance(record, dict) and record.get("key") == key else None
        return facts if isinstance(facts, dict) else None

    def begin(self, phase: str) -> None:
        """Forget what the phase found before, first of all that it was finished."""
        with suppress(FileNotFoundError):
            (self.folder / f"{phase}.json").unlink()

    def finish(self, phase: str, key: str, facts: Facts) -> None:
        """Record that the phase is done; its arrays must have been kept before."""
        write_atomic(self.folder / f"{phase}.json", json.dumps({"key": key, "facts": facts}).encode())

    def new(self, name: str, shape: tuple[int, ...], dtype: DTypeLike) -> Array:
        """An array on disk, to be filled and then kept. Its room is taken at once: a full disk is an error
        here, and not a crash (SIGBUS) wherever the array is written to later.

        Raises:
            OSError: there is no room.
        """
        path = self.folder / f"{name}.npy{PART}"
        made: Array = np.lib.format.open_memmap(str(path), mode="w+", dtype=np.dtype(dtype), shape=shape)
        path.chmod(0o600)
        if hasattr(os, "posix_fallocate"):
            with path.open("r+b") as file:
                os.posix_fallocate(file.fileno(), 0, path.stat().st_size)
        return made

    def keep(self, name: str, array: Array) -> None:
        """Give an array of `new` its name, once it is filled; any other array is written first."""
        path = self.folder / f"{name}.npy"
        if isinstance(array, np.memmap):
            array.flush()
            path.with_name(path.name + PART).replace(path)
        else:
            buffer = io.BytesIO()
            np.lib.format.write_array(buffer, np.ascontiguousarray(array), allow_pickle=False)
            write_atomic(path, buffer.getvalue())

    def array(self, name: str) -> Array:
        """Array that was kept, read as it is needed."""
        array: Array = np.load(self.folder / f"{name}.npy", mmap_mode="r", allow_pickle=False)
        return array


def digest(parts: Iterable[object]) -> str:
    """A short name for what a result depends on; the parts are all that JSON can say."""
    text = json.dumps(list(parts), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:32]
