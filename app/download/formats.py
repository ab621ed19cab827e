"""Offers: what the site has of a video, chosen from and held against the limits. Plain data, no yt-dlp."""

from __future__ import annotations

from typing import Any, Final

from app.download.messages import SUFFIXES, DownloadLimits, duration
from runtime.media.links import OTHERWISE
from runtime.system.errors import Refusal

WHEN_OVER: Final = "Try again when it is over"
#: One file with picture and sound, as it is; without one the pictures alone. Streams are never put together.
FORMAT: Final = "/".join(
    f"{what}[protocol^=http][protocol!*=dash][ext={suffix}]"
    for what in ("b", "bv[height<=1080]", "bv")
    for suffix in ("mp4", "webm")
)


def check_kind(what: str, raw: object, limits: DownloadLimits) -> None:
    """Refuse what is no single, finished video, or too long a one.

    Args:
        what: The video, for messages.
        raw: What yt-dlp found, before it chose among the formats.
        limits: On the length.

    Raises:
        Refusal: in words of its own for each kind.
    """
    if not isinstance(raw, dict) or raw.get("_type", "video") != "video":
        reason = "it names a list of videos or leads elsewhere"
        raise Refusal(what, reason, "Open one of the videos there and take its link")
    match raw.get("live_status") or ("is_live" if raw.get("is_live") else ""):
        case "is_live":
            raise Refusal(what, "it is a live stream", WHEN_OVER)
        case "is_upcoming":
            raise Refusal(what, "it is a premiere or a live stream that has not begun", WHEN_OVER)
        case "post_live":
            raise Refusal(what, "it is a live stream that the site has not finished recording", WHEN_OVER)
    seconds = raw.get("duration")
    if seconds and seconds > limits.minutes * 60:
        raise over(what, f"it is {duration(seconds)} long", f"{limits.minutes:g} min", "minutes")


def check_size(what: str, info: dict[str, Any], limits: DownloadLimits) -> None:
    """Refuse what is too large, or no file that this program opens.

    Raises:
        Refusal: in words.
    """
    size = size_bytes(info)
    if size is not None and size > limits.megabytes * 1e6:
        raise over(what, f"it has {size / 1e6:.0f} MB", f"{limits.megabytes:g} MB", "megabytes")
    if info.get("ext") not in SUFFIXES:
        raise Refusal(what, "it is neither MP4 nor WebM", OTHERWISE)


def over(what: str, reason: str, limit: str, option: str) -> Refusal:
    """A limit on what is downloaded, with the option that moves it."""
    remedy = f"The option --link-{option} N of xfactor parse raises the limit"
    return Refusal(what, f"{reason}, over the limit of {limit}", remedy)


def size_bytes(info: dict[str, Any]) -> int | None:
    """The size of the chosen format as far as the site says it."""
    for key in ("filesize", "filesize_approx"):
        if isinstance(value := info.get(key), int | float) and value > 0:
            return int(value)
    rate, seconds = info.get("tbr"), info.get("duration")  # kbit/s
    return int(rate * 125 * seconds) if rate and seconds else None


def identity(info: dict[str, Any]) -> str:
    """Identity of a stream: a partial file is resumed only for the same stream of the same length."""
    return f"{info.get('format_id')} {info.get('filesize')} {info.get('width')}x{info.get('height')}"
