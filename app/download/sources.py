"""Fetching: a command's sources, with a file in the place of every link. No window, no question.

Whoever types a link into a command wants it downloaded; what it is, and the limits, are printed first.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import closing
from typing import Final

from app.download.cache import DownloadCache
from app.download.messages import DownloadLimits
from app.download.process import COMMAND, Download
from runtime.media.links import check_link, looks_like_link, shortened
from runtime.media.stream_links import check_stream, is_stream
from runtime.system.errors import Refusal
from runtime.system.reporter import ProgressReporter, Style

DEFAULTS: Final = DownloadLimits()


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
    if not looks_like_link(source) or os.path.lexists(source):  # a file may be called `scene:1.mp4`
        return source
    if is_stream(source) and source.lower().startswith("rtsp"):
        remedy = "Record it in the window first: xfactor LINK"
        raise Refusal(check_stream(source).public, "a stream has no end, and this reads to the end", remedy)
    link, cache = check_link(source), DownloadCache()
    with closing(ProgressReporter(style)) as reporter:

        def note(text: str) -> None:
            reporter.event("notice", input=link.page, text=text)
            reporter.line(text)

        def progress(fraction: float | None) -> None:
            if fraction is not None:
                reporter.event("download", frequent=True, input=link.page, fraction=round(fraction, 3))
                reporter.bar("download", "downloading", fraction, 1.0, f"{fraction:.0%}")

        kept = cache.kept(link)
        if kept is not None:
            note(f"{cache.title(link)}: already here ({kept})")
            return str(kept)
        with Download(link, limits, cache, command) as download:
            found = download.query(lambda: None)
            note(f"{found.title}: {found} (limits: {limits})")
            path = download.fetch(progress)
        cache.name(link, found.title)
        note(f"{found.title}: downloaded to {path}")
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
