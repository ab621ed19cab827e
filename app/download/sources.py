"""Fetching: a command's sources, with a file in the place of every link. No window, no question.

Whoever types a link into a command wants it downloaded; what it is, and the limits, are printed first.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final, Literal

from app.download.cache import DownloadCache
from app.download.messages import DownloadLimits
from app.download.process import COMMAND, Download
from runtime.media.links import Link, check_link, looks_like_link, shortened
from runtime.system.errors import Refusal

Style = Literal["rich", "json", "none"]
DEFAULTS: Final = DownloadLimits()
_EVERY_S: Final = 0.5  # between two reports of one download


def local_clip(
    source: str,
    limits: DownloadLimits = DEFAULTS,
    style: Style = "rich",
    command: Sequence[str] = COMMAND,
) -> str:
    """The path of a source: of a link the downloaded clip, of everything else what was given.

    Raises:
        Refusal: in words, when it cannot be downloaded or is over a limit, which names the option.
    """
    if not looks_like_link(source):
        return source
    link, cache, reporter = check_link(source), DownloadCache(), _Reporter(style)
    kept = cache.kept(link)
    if kept is not None:
        reporter.note(link, f"{cache.title(link)}: already here ({kept})")
        return str(kept)
    with Download(link, limits, cache, command) as download:
        found = download.query(lambda: None)
        reporter.note(link, f"{found.title}: {found} (limits: {limits})")
        path = download.fetch(lambda fraction: reporter.progress(link, fraction))
    cache.name(link, found.title)
    reporter.note(link, f"{found.title}: downloaded to {path}")
    return str(path)


def local_clips(
    sources: Sequence[str],
    limits: DownloadLimits = DEFAULTS,
    style: Style = "rich",
    command: Sequence[str] = COMMAND,
) -> tuple[list[str], tuple[tuple[str, str], ...]]:
    """The paths of many sources, and the links that cannot be had, each with its reason."""
    paths: list[str] = []
    refused: list[tuple[str, str]] = []
    for source in sources:
        try:
            paths.append(local_clip(source, limits, style, command))
        except Refusal as e:
            paths.append(_named(source))
            refused.append((paths[-1], str(e)))
    return paths, tuple(refused)


def _named(source: str) -> str:
    """A link as the manifest and the log keep it: the video, not what a query says of the user."""
    try:
        return check_link(source).page
    except Refusal:
        return shortened(source)


class _Reporter:
    """Says what happens: lines on the error output, JSON lines on the output, or nothing."""

    def __init__(self, style: Style) -> None:
        self._style = style
        self._said_s = time.monotonic()
        self._open_line = False

    def note(self, link: Link, text: str) -> None:
        if self._style == "json":
            self._say(json.dumps({"event": "notice", "input": link.page, "text": text}))
        elif self._style == "rich":
            self._show(f"{text}\n")

    def progress(self, link: Link, fraction: float | None) -> None:
        if fraction is None or time.monotonic() - self._said_s < _EVERY_S:
            return
        self._said_s = time.monotonic()
        if self._style == "json":
            self._say(json.dumps({"event": "download", "input": link.page, "fraction": round(fraction, 3)}))
        elif self._style == "rich" and sys.stderr.isatty():
            self._show(f"downloading: {fraction:.0%}", stay=True)

    def _show(self, text: str, *, stay: bool = False) -> None:
        start = "\r\x1b[K" if self._open_line else ""
        self._open_line = stay
        self._write(sys.stderr.write, f"{start}{text}", sys.stderr.flush)

    def _say(self, line: str) -> None:
        self._write(sys.stdout.write, f"{line}\n", sys.stdout.flush)

    def _write(self, write: Callable[[str], int], text: str, flush: Callable[[], None]) -> None:
        with suppress(OSError, ValueError):  # a reader who left is no error
            write(text)
            flush()
