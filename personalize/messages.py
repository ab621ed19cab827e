"""Messages of the worker to whoever started it: one JSON object a line, in words and numbers.

Imported by the program as well, so there is no torch here.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Final

#: Exit codes of the worker, each with the event that comes with it.
DONE, FAILED, CANCELLED = 0, 1, 3


@dataclass(frozen=True)
class PhaseProgress:
    """State of a phase."""

    phase: str  #: of `personalize.phases.PHASES`
    done: int
    total: int
    left_s: float | None = None  #: of the whole job; None while nobody knows


@dataclass(frozen=True)
class FrameSilhouette:
    """A frame's silhouette as it stands now; a later one of the same frame replaces it."""

    frame: int  #: of the clip, from 0
    path: str  #: 8-bit PNG at working size: 0 background, 255 person, 128 undecided


@dataclass(frozen=True)
class WorkerNotice:
    """Something a careful user should know."""

    text: str


@dataclass(frozen=True)
class Finished:
    """The end; true only with exit code 0."""

    path: str  #: the factor file in the job folder
    sha256: str
    accepted: bool  #: better on held-out frames of the clip, and not worse elsewhere
    report: dict[str, Any] = field(default_factory=dict)  #: the numbers of the gate, and the reason in words


@dataclass(frozen=True)
class Failure:
    """The end, without a factor; with exit code 1."""

    what: str
    reason: str
    remedy: str


@dataclass(frozen=True)
class Cancelled:
    """The end that was asked for; with exit code 3."""


Message = PhaseProgress | FrameSilhouette | WorkerNotice | Finished | Failure | Cancelled
_KINDS: Final[dict[str, type[Any]]] = {
    "Progress": PhaseProgress,
    "Silhouette": FrameSilhouette,
    "Notice": WorkerNotice,
    "Done": Finished,
    "Failed": Failure,
    "Cancelled": Cancelled,
}
_NAMES: Final = {kind: name for name, kind in _KINDS.items()}


def as_json(message: Message) -> dict[str, Any]:
    """The object of a line."""
    return {"event": _NAMES[type(message)], **asdict(message)}


def encode(event: Message) -> str:
    """One line, without its end."""
    return json.dumps(as_json(event))


def decode(line: str) -> Message | None:
    """The event of a line; None for one that is none, or of a kind that a newer worker knows."""
    try:
        raw = json.loads(line)
    except (ValueError, RecursionError):
        return None
    kind = _KINDS.get(str(raw.get("event"))) if isinstance(raw, dict) else None
    if kind is None:
        return None
    try:
        event: Message = kind(**{f.name: raw[f.name] for f in fields(kind) if f.name in raw})
    except TypeError:  # something it needs is missing
        return None
    return event
