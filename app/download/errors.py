"""Reasons: what yt-dlp and the site say, in the words of this program. Pure text."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from app.download.network_guard import NOT_FOLLOWED
from runtime.media.links import OTHERWISE
from runtime.system.errors import Refusal, printable
from runtime.system.installation import install_extra, pip

#: The packages of the extra `download`: the solver of the site's puzzles is brought up to date with yt-dlp.
UPDATE: Final = f"Install the newest: {pip('install', '-U', 'yt-dlp', 'yt-dlp-ejs')}"
RUNTIME: Final = "Install deno (https://deno.com) and try again"
LATER: Final = "Try again later"
NETWORK: Final = "Check the network and try again"
SIGN_IN: Final = "xfactor never signs in. Choose another video"


@dataclass(frozen=True)
class Circumstances:
    """Facts beside the error text that decide what to advise."""

    version: str = ""  #: of yt-dlp
    runtime: bool = True  #: whether a JavaScript runtime answers
    warnings: str = ""  #: that came before


#: The first row whose pattern is found in the message decides. Texts are yt-dlp's and the site's, any case.
_ROWS: Final[tuple[tuple[str, str, str], ...]] = (
    # where the connection goes
    (NOT_FOLLOWED, "it led to another address ({found}), and that is not followed", OTHERWISE),
    (r"certificate|\bssl\b|\btls\b|wrong_version_number", "no secure connection to the site ({found})",
     "Check the clock and the network: somebody may be between you and the site"),
    # who may see it
    (r"not a bot|captcha", "the site asks whether you are a robot, which it does of busy networks",
     "Try again later or from another network; xfactor never signs in"),
    (r"confirm your age|age.?restricted|age.?verif|inappropriate for some users",
     "it is age-restricted, the site shows it after signing in only", SIGN_IN),
    (r"private", "it is private", "Ask its owner to make it public or unlisted"),
    (r"members.?only|join this channel|premium|requires payment|purchase|rental",
     "it is for members or buyers only", SIGN_IN),
    (r"in your country|geo.?restrict|from your location|not available in your region",
     "the site does not show it in your country", "Choose another video"),
    (r"\bdrm\b", "it is copy-protected (DRM)", "Choose another video"),
    # when it can be seen
    (r"premieres? (in|will)|premiere", "it is a premiere that has not begun", "Try again when it is over"),
    (r"live event will begin|will begin in|is upcoming|offline", "it is a live stream that has not begun",
     "Try again when it is over"),
    (r"live stream recording is not available|\blive\b", "it is a live stream", "Try again when it is over"),
    # whether it is there
    (r"removed|terminated|account.*(closed|deleted)|no longer available|deleted|copyright claim",
     "it has been removed", "Choose another video"),
    (r"http error 404|http error 410|video unavailable|does not exist|isn't available anymore",
     "there is no such video, or it has been removed", "Check the link"),
    (r"try again later|rate.?limit|http error 429|too many requests",
     "the site has had too many requests from this network", "Try again in an hour"),
    # what is missing here
    (r"no space left|errno 28|disk quota", "the disk is full",
     "Make room and try again; what has arrived stays"),
    (r"read-only file system|errno 30|permission denied|unable to open for writing|unable to write data",
     "it cannot be written ({found})", "Check the disk and your rights to the folder"),
    (r"ffmpeg", "the site offers nothing that can be opened without ffmpeg putting it together", OTHERWISE),
    # what arrived
    ("memoryerror|cannot allocate", "the site sent a page without an end", LATER),
    (r"did not get any data blocks|bytes read, 0 |empty file", "the site sent nothing", LATER),
    (r"content ?too ?short|bytes read|more expected|incomplete", "the connection ended too early",
     "Open the link again: it goes on where it stopped"),
    # the network
    (r"name or service not known|temporary failure in name resolution|no address associated|"
     r"network is unreachable|getaddrinfo|failed to resolve|no route to host",
     "the network cannot be reached", NETWORK),
    (r"timed? ?out", "the site did not answer in time", NETWORK),
    (r"connection refused|connection reset|connection aborted|remote end closed|broken pipe",
     "the site closed the connection", LATER),
    (r"http error 403", "the site refused to hand it out", f"{LATER}. {UPDATE}"),
    (r"http error 5\d\d", "the site has a fault of its own", LATER),
    # yt-dlp itself
    (r"unsupported url|no suitable extractor|is not a valid url", "yt-dlp knows no video there",
     "Check the link"),
)  # fmt: skip


def explain(what: str, text: str, here: Circumstances = Circumstances()) -> Refusal:
    """A refusal in words for an error message of yt-dlp."""
    plain = re.sub(r"\x1b\[[0-9;]*m", "", text)
    about = re.sub(r"please report this issue on.*", "", plain, flags=re.IGNORECASE | re.DOTALL)
    about = re.sub(r"\[[\w:]+\] [\w-]{11}: ", "", about)  # an id may read like any word
    if formats_missing(about) and not here.runtime:
        return without_runtime(what)
    for pattern, reason, remedy in _ROWS:
        if found := re.search(pattern, about, re.IGNORECASE):
            return Refusal(what, reason.replace("{found}", _around(about, found)), remedy)
    if formats_missing(about):
        if re.search("challenge solv|ejs", here.warnings, re.IGNORECASE):
            return Refusal(what, "yt-dlp could not solve the site's puzzle: a part of it is missing", UPDATE)
        reason = "the site offers nothing that can be opened without putting streams together (ffmpeg)"
        return Refusal(what, reason, OTHERWISE)
    version = f" {here.version}" if here.version else ""
    reason = f"yt-dlp{version} could not read the site, which has probably changed ({_short(about)})"
    return Refusal(what, reason, UPDATE)


def formats_missing(text: str) -> bool:
    """True when the site has none of the formats asked for."""
    missing = r"format is not available|no video formats|only images are available"
    return bool(re.search(missing, text, re.IGNORECASE))


def without_runtime(what: str) -> Refusal:
    """The site's puzzles need a JavaScript runtime."""
    return Refusal(what, "the site hands videos out only to whoever runs its JavaScript", RUNTIME)


def not_installed(what: str) -> Refusal:
    """The extra is missing."""
    return Refusal(
        what,
        "downloading needs yt-dlp, which is not installed",
        f"Install it with: {install_extra('download')}",
    )


def too_old(what: str, version: str) -> Refusal:
    """Older ones cannot read the site any more, or cannot be held to it."""
    return Refusal(what, f"yt-dlp {printable(version)[:20]} is too old for the site", UPDATE)


def over_time(what: str, phase: str, seconds: float) -> Refusal:
    """A wall limit was reached."""
    return Refusal(what, f"{phase} took longer than {seconds:g} s", NETWORK)


def _around(text: str, found: re.Match[str]) -> str:
    """The sentence that a pattern was found in, short."""
    start = max(text.rfind(". ", 0, found.start()), text.rfind("caused by", 0, found.start()), -1) + 1
    return _short(text[start:] if found.start() - start < 80 else text[found.start() :])


def _short(text: str) -> str:
    """The first line, without yt-dlp's own prefix."""
    line = next(iter(text.strip().splitlines()), "")
    line = re.sub(r"^ERROR:\s*(\[[\w:]+\]\s*)?", "", line)
    return printable(line).strip(" .;")[:100] or "it gave no reason"
