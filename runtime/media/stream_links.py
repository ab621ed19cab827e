"""Links of live streams: network cameras by RTSP, and video by HTTP. Pure text; nothing here connects.

A link may contain a password. Only the thread that connects sees it whole; everything that is shown, kept or
logged has the public form.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import SplitResult, urlsplit

from runtime.media.links import LONGEST, shortened
from runtime.system.errors import Refusal, printable

SCHEMES: Final = ("rtsp", "rtsps", "http", "https")
_EXPECTED: Final = "Give it as rtsp://HOST/PATH or http://HOST/PATH"
_YOUTUBE: Final = re.compile(r"youtu\.?be", re.IGNORECASE)
_PRIVATE_STEP: Final = re.compile(
    r"[=@&;]|pass|token|secret", re.IGNORECASE
)  #: in a path, some cameras' login


@dataclass(frozen=True)
class StreamLink:
    """Link of one live stream."""

    address: str = field(repr=False)  #: whole, with user, password and query
    public: str  #: without them; for titles, recent sources and logs


def is_stream(text: str) -> bool:
    """True for a link that is opened as a stream; a site whose videos are downloaded is none."""
    scheme, found, rest = text.partition("://")
    if not found or scheme.lower() not in SCHEMES:
        return False
    return not _YOUTUBE.search(re.split(r"[/?#]", rest, maxsplit=1)[0])  # look-alikes of YouTube neither


def check_stream(text: str) -> StreamLink:
    """The stream that a link names.

    Raises:
        Refusal: in words, when it is no link.
    """
    shown = shortened(text)
    plain = text.isascii() and text.isprintable() and not {" ", "\\", '"', "<", ">", "|"} & set(text)
    if not plain or len(text) > LONGEST:
        raise Refusal(shown, "it is no link of a stream", _EXPECTED)
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError as e:
        raise Refusal(shown, "it is no link of a stream", _EXPECTED) from e
    if not host:
        raise Refusal(shown, "it names no host", _EXPECTED)
    if "@" in f"{parts.path}{parts.query}{parts.fragment}":
        raise Refusal(
            shown, "an @ stands behind its host", "In a password write / as %2F, # as %23, ? as %3F"
        )
    return StreamLink(text, _public(parts, host, port))


def _public(parts: SplitResult, host: str, port: int | None) -> str:
    steps = ["..." if _PRIVATE_STEP.search(step) else step for step in parts.path.split("/")]
    name = f"[{host}]" if ":" in host else host
    return printable(f"{parts.scheme}://{name}{f':{port}' if port else ''}{'/'.join(steps)}")
