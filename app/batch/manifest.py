"""manifest.json: one record per input, true at every moment."""

from __future__ import annotations

import contextlib
import json
import os
import time
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Final, Literal

from app.batch.claims import Claims, claims_from_json, names_alone
from app.batch.plan import names_results
from runtime.output.products import SHARED_NAMES
from runtime.system.disk import CannotWriteError, cannot_write
from runtime.system.errors import Refusal, printable
from runtime.system.files import read_regular, write_atomic

FILE: Final = "manifest.json"
LARGEST_BYTES: Final = 256 << 20
MOST_VALUES: Final = 5_000_000  # of a file nobody vouches for: 1.2 GB in memory at the worst
_PLAIN: Final[dict[str, Any]] = {
    "str": str,
    "int": int,
    "float": (int, float),
    "bool": bool,
    "dict[str, Any]": dict,
}


@dataclass(frozen=True)
class Record:
    """The outcome of one input."""

    input: str  #: absolute path
    kind: str  #: clip, image or bad
    output: str  #: name of its results in the folder
    status: Literal["ok", "partial", "failed"]
    reason: str = ""  #: in words, empty when ok
    frames: int = 0
    seconds: float = 0.0  #: that the parsing took
    duration_s: float = 0.0  #: of the clip
    size: tuple[int, int] | None = None  #: (width, height) as displayed
    notices: tuple[str, ...] = ()
    model: dict[str, Any] = field(default_factory=dict)  #: what decides the results: see `ParseJob.recipe`
    saved: tuple[str, ...] = ()
    source_bytes: int = 0
    source_modified_ns: int = 0
    masks: str = ""  #: see `ParseJob.masks_digest`
    files: Claims = field(default_factory=dict)  #: on its results
    replaced: Claims = field(default_factory=dict)  #: on results of an earlier run that this one makes again
    finished: bool = False  #: all that the input holds was parsed, even where that is less than it claims
    attempts: int = 0  #: times in a row that it was begun, came no further than before, and never ended

    @classmethod
    def from_json(cls, raw: dict[str, Any]) -> Record:
        """Read one entry; unknown keys are a newer version's and are dropped.

        Raises:
            ValueError, KeyError, TypeError: it is none, or its results would lie elsewhere.
        """
        known = {f.name: str(f.type) for f in fields(cls)}
        data = {k: v for k, v in raw.items() if k in known}
        for key, value in data.items():
            if not isinstance(value, _PLAIN.get(known[key], object)):
                raise TypeError(f"{key} is not of its type")
        if data["status"] not in ("ok", "partial", "failed"):
            raise ValueError("a status is unknown")
        if data["output"] and not names_results(data["output"]):
            raise ValueError("a name of results leaves the folder")
        if "files" not in data and any(map(data.get, ("saved", "model", "frames"))):  # by an earlier version
            data["files"] = names_alone(data["kind"], data["output"])
        names = [n for kind in ("clip", "image") for n in names_alone(kind, data["output"])]
        for key in ("files", "replaced"):
            data[key] = claims_from_json(data.get(key, {}), names)
        for key in ("notices", "saved"):
            data[key] = tuple(data.get(key, ()))
        if data.get("size"):
            data["size"] = tuple(data["size"])
        return cls(**data)


class Manifest:
    """The records of a folder by input, and the file that holds them."""

    def __init__(self, folder: Path) -> None:
        """Read what an earlier run left.

        Raises:
            Refusal: when there is a manifest that cannot be understood; it is not touched.
        """
        self.path = folder / FILE
        self.records: dict[str, Record] = {}
        self.files: Claims = {}  # on the files that inputs share
        self._written_s, self._cost_s = float("-inf"), 0.0
        self._data = b""  # what the file holds
        self._due_s = float("inf")  # when the file has to follow the records
        self._state = self._on_disk()
        if not os.path.lexists(self.path):
            return
        try:
            self._data = read_regular(self.path, LARGEST_BYTES)
            self.files, self.records = _parsed(self._data)
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as e:
            unknown = f"it is not a manifest of this program ({printable(str(e))})"
            reason = unknown if self._data or isinstance(e, OSError) else "it is empty"
            raise Refusal(str(self.path), reason, "Move it away or choose another --out") from e

    @property
    def names(self) -> dict[str, str]:
        """Input → name of its results."""
        return {path: record.output for path, record in self.records.items() if record.output}

    def put(self, record: Record, *, pause_s: float = 0.0) -> None:
        """Replace an input's record; the file follows unless it was written less than `pause_s` ago.

        A pause is long enough to spend no more than 2 % of the time on a large manifest.

        Raises:
            CannotWriteError: when the disk does not take it.
        """
        self.records[record.input] = record
        pause_s = max(pause_s, 50 * self._cost_s) if pause_s else 0.0
        self._due_s = min(self._due_s, self._written_s + pause_s)
        self.settle()

    def settle(self) -> None:
        """Let the file follow a record that was put during a pause which is over."""
        if time.monotonic() >= self._due_s:
            self.write()

    def write(self) -> None:
        """Write the file, whole or not at all; not when it says all this already.

        Raises:
            CannotWriteError: the disk does not take it, or another run has written it since.
        """
        began_s = time.monotonic()
        inputs = [asdict(r) for r in self.records.values()]
        raw = {"format": 1, "program": "xfactor", "files": self.files, "inputs": inputs}
        data = (json.dumps(raw, indent=1) + "\n").encode()
        self._due_s = float("inf")
        if data == self._data and self.path.exists():
            return
        if self._on_disk() not in (None, self._state):  # on a file system without locks nobody was kept out
            remedy = "Wait for it, or choose another --out"
            raise CannotWriteError(f"output {self.path.parent}", "another run is writing there", remedy)
        try:
            write_atomic(self.path, data, mode=0o644)
            self._state = self._on_disk()
        except OSError as e:
            raise cannot_write(self.path, e) from e
        self._data, self._written_s = data, time.monotonic()
        self._cost_s = self._written_s - began_s

    def _on_disk(self) -> tuple[int, ...] | None:
        """The file's identity, which every writing changes; None where there is no file."""
        with contextlib.suppress(OSError):
            about = self.path.stat()
            return about.st_ino, about.st_mtime_ns, about.st_size
        return None


def _parsed(data: bytes) -> tuple[Claims, dict[str, Record]]:
    if sum(map(data.count, (b",", b"[", b"{"))) > MOST_VALUES:
        raise ValueError("it has too many values")
    raw = json.loads(data)
    names = dict.fromkeys((*SHARED_NAMES, "labels.json"), "")
    return claims_from_json(raw.get("files", names), names), {
        r["input"]: Record.from_json(r) for r in raw["inputs"]
    }
