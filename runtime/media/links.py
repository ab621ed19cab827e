"""Links: which ones are taken at all. Pure text; nothing here looks anything up.

Of what the user gave only the video's eleven-character id goes further: the address that is asked for is made
anew from it, so that no part of a dropped text can name a host, a port, a file or an option.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import SplitResult, parse_qs, urlsplit

from runtime.system.errors import Refusal, printable

LONGEST: Final = 2000  # characters of a link; real ones have a tenth of that
OTHERWISE: Final = "Download the clip yourself and open the file"

_ID = re.compile(r"[A-Za-z0-9_-]{11}")
_BEFORE_ID: Final = frozenset({"shorts", "embed", "live", "v"})
_LISTS: Final = frozenset({"playlist", "channel", "c", "user", "results", "feed", "hashtag", "show"})


@dataclass(frozen=True)
class Site:
    """A site whose links are taken, and how far its download may reach."""

    name: str
    hosts: frozenset[str]  #: of links, compared exactly
    page: str  #: of one video, with {} for its id
    extractors: tuple[str, ...]  #: the only ones of yt-dlp that may run
    domains: tuple[str, ...]  #: the download connects to these and to hosts under them
    port: int = 443
    private: frozenset[str] = frozenset()  #: addresses that may be asked although they are not public


@dataclass(frozen=True)
class Link:
    """One video of a site."""

    id: str
    page: str  #: the address that is asked for

    @property
    def name(self) -> str:
        """For people, while the title is not known."""
        return f"{YOUTUBE.name} {self.id}"


YOUTUBE: Final = Site(
    name="YouTube",
    hosts=frozenset(
        {"youtube.com", "www.youtube.com", "m.youtube.com", "music.youtube.com", "youtu.be"}
        | {"youtube-nocookie.com", "www.youtube-nocookie.com"}
    ),
    page="https://www.youtube.com/watch?v={}",
    extractors=("youtube",),
    domains=("youtube.com", "youtube-nocookie.com", "googlevideo.com", "youtubei.googleapis.com"),
)


def check_link(text: str) -> Link:
    """The video a link names.

    Raises:
        Refusal: in words, for everything that is not the https address of one YouTube video.
    """
    shown = shortened(text)
    parts = _split(text, shown)
    if parts.hostname not in YOUTUBE.hosts:
        reason = (
            f"only links to {YOUTUBE.name} are taken, not to {printable(parts.hostname or 'nowhere')[:60]}"
        )
        raise Refusal(shown, reason, OTHERWISE)
    return Link(video := _video(parts, shown), YOUTUBE.page.format(video))


def looks_like_link(text: str) -> bool:
    """True when a text starts like a link, whatever follows."""
    return re.match(r"[A-Za-z][A-Za-z0-9+.-]+:", text) is not None


def shortened(text: str) -> str:
    """A link for messages: no query and no user, which may say more of the user than of the video."""
    bare = re.sub(r"://.*@", "://", text[:LONGEST])
    return printable(re.split(r"[?#]", bare, maxsplit=1)[0])[:80] or "link"


def _split(text: str, shown: str) -> SplitResult:
    if not text.lower().startswith("https://"):
        raise Refusal(shown, "only https links, and http or rtsp streams, are taken", OTHERWISE)
    plain = text.isascii() and text.isprintable() and not {" ", "\\", '"', "<", ">"} & set(text)
    if len(text) > LONGEST or not plain:
        raise Refusal(shown, "it is not a link", "Copy the link again")
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as e:
        raise Refusal(shown, "it is not a link", "Copy the link again") from e
    if "@" in parts.netloc:
        raise Refusal(shown, "it hides where it leads by an @", OTHERWISE)
    if port not in {None, YOUTUBE.port}:
        raise Refusal(shown, f"it names a port ({port})", "Copy the link as the site shows it")
    return parts


def _video(parts: SplitResult, shown: str) -> str:
    steps = [s for s in parts.path.split("/") if s]
    first = steps[0] if steps else ""
    if first == "watch" and len(steps) == 1:
        candidates = set(parse_qs(parts.query).get("v", []))
    elif parts.hostname == "youtu.be":
        candidates = set(steps)
    elif first in _BEFORE_ID and len(steps) == 2:
        candidates = {steps[1]}
    elif first in _LISTS or first.startswith("@"):
        reason = "it names a list of videos (a playlist, a channel or a search)"
        raise Refusal(shown, reason, "Open one of the videos there and take its link")
    else:
        candidates = set()
    if len(candidates) != 1 or not _ID.fullmatch(video := candidates.pop()):
        raise Refusal(shown, "it names no video", "Copy the link of one video again")
    return video
