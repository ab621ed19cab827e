"""Messages between the program and the process that downloads: one JSON object a line, each way.

The request is the first line on the worker's stdin; the line `go` agrees to the download; a closed stdin
cancels. What comes back is read as carefully as any other input.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Final

from runtime.system.errors import Refusal

DONE, FAILED, CANCELLED = 0, 1, 3  # exit codes
GO: Final = "go"
SUFFIXES: Final = frozenset({"mp4", "webm"})


@dataclass(frozen=True)
class DownloadLimits:
    """Limits of a download: length, bytes, height, time. Checked and stated before anything is downloaded."""

    minutes: float = 60.0  #: of the video
    megabytes: float = 1000.0
    memory_mb: float = 1500.0  #: of the process, in case a page never ends
    socket_s: float = 15.0  #: without a byte
    reach_s: float = 12.0  #: until the site answers at all; DNS included
    query_s: float = 60.0  #: until length and size are known
    answer_s: float = 900.0  #: until the user has agreed
    fetch_s: float = 1800.0

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            if not value > 0:  # not a number, too
                raise Refusal(f"limit on links ({name})", f"{value} is none", "Give a number above 0")

    def __str__(self) -> str:
        return f"{self.minutes:g} min, {self.megabytes:g} MB"


@dataclass(frozen=True)
class DownloadRequest:
    """Request to the worker: id of the video, target folder and limits."""

    id: str
    folder: Path
    limits: DownloadLimits


@dataclass(frozen=True)
class Found:
    """Metadata of the video from its site, before a byte of it is downloaded."""

    title: str
    seconds: float
    size_bytes: int | None  #: as far as the site says it
    width: int
    height: int
    sound: bool
    suffix: str
    have_bytes: int = 0  #: of an earlier try

    def __str__(self) -> str:
        size = "size unknown" if self.size_bytes is None else f"about {self.size_bytes / 1e6:.1f} MB"
        facts = [duration(self.seconds), size]
        if self.width and self.height:
            facts.insert(1, f"{self.width} x {self.height}")
        if not self.sound:
            facts.append("without sound")
        if self.have_bytes:
            facts.append(f"{self.have_bytes / 1e6:.1f} MB of it already here")
        return ", ".join(facts)


@dataclass(frozen=True)
class DownloadProgress:
    """Bytes that have arrived."""

    done: int
    total: int | None


@dataclass(frozen=True)
class Downloaded:
    """The end of a download: where its file lies."""

    path: str


@dataclass(frozen=True)
class DownloadFailed:
    """The end without a file: the parts of a refusal."""

    what: str
    reason: str
    remedy: str


Message = Found | DownloadProgress | Downloaded | DownloadFailed
_KINDS: Final[dict[str, type[Message]]] = {
    "found": Found,
    "progress": DownloadProgress,
    "done": Downloaded,
    "failed": DownloadFailed,
}
_EVENTS: Final = {kind: event for event, kind in _KINDS.items()}


def duration(seconds: float) -> str:
    """A length of time for people."""
    if seconds <= 0:
        return "length unknown"
    minutes, rest = divmod(round(seconds), 60)
    if minutes >= 60:
        return f"{minutes // 60} h {minutes % 60} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def encode(message: Message) -> str:
    """One line, without its end."""
    return json.dumps({"event": _EVENTS[type(message)], **asdict(message)})


def decode(line: str) -> Message | None:
    """The message of a line; None for anything else that a library may have printed."""
    try:
        raw = json.loads(line)
        kind = _KINDS[raw.pop("event")]
        message = kind(**raw)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None
    return message if _sound(message) else None


def _sound(message: Message) -> bool:
    """True when every value has its declared type and the suffix is known; a line can claim anything."""
    types: dict[str, Any] = {
        "str": str,
        "int": int,
        "float": (int, float),
        "bool": bool,
        "int | None": (int, type(None)),
    }
    sound = all(isinstance(getattr(message, f.name), types[str(f.type)]) for f in fields(message))
    return sound and (not isinstance(message, Found) or message.suffix in SUFFIXES)


def encode_request(request: DownloadRequest) -> str:
    """One line, without its end."""
    return json.dumps({"id": request.id, "folder": str(request.folder), "limits": asdict(request.limits)})


def decode_request(line: str) -> DownloadRequest:
    """The inverse.

    Raises:
        ValueError: it is none.
    """
    try:
        raw: dict[str, Any] = json.loads(line)
        return DownloadRequest(str(raw["id"]), Path(raw["folder"]), DownloadLimits(**raw["limits"]))
    except (TypeError, KeyError) as e:
        raise ValueError(f"not a request: {e}") from e
