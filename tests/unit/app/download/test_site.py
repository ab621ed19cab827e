"""What the site says of a video, in our words (rows F05 and F10): the real extractor before a stand-in."""

from __future__ import annotations

import json
import subprocess
import time
from typing import Any

import pytest

from app.download import errors, process
from app.download.messages import DownloadLimits
from runtime.system.errors import Refusal
from tests.unit.app.download.conftest import Starter
from tests.unit.app.download.standin import StandIn, Video

DAY_S = 86_400
HIDDEN = "The uploader has not made this video available"


def login(reason: str) -> dict[str, Any]:
    return {"status": "LOGIN_REQUIRED", "reason": reason}


def offline(reason: str) -> dict[str, Any]:
    return {"status": "LIVE_STREAM_OFFLINE", "reason": reason}


def error(reason: str, below: str = "", status: str = "ERROR") -> dict[str, Any]:
    screen = {
        "playerErrorMessageRenderer": {"reason": {"simpleText": reason}, "subreason": {"simpleText": below}}
    }
    return {"status": status, "reason": reason, "errorScreen": screen}


#: id → what the site answers, and what of it must be read in our words.
SAID: dict[str, tuple[Video, str]] = {
    "live-stream": (Video(details={"isLive": True, "isLiveContent": True}), "is a live stream"),
    "premiere-01": (
        Video(status=offline("Premieres in 2 hours"), details={"isUpcoming": True}),
        "premiere",
    ),
    "upcoming-01": (
        Video(status=offline("This live event will begin in 2 days.")),
        "has not begun",
    ),
    "a-whole-day": (Video(seconds=DAY_S), "24 h 0 min long, over the limit of 60 min"),
    "large-video": (Video(announced=3_000_000_000), "3000 MB, over the limit of 1000 MB"),
    "private-vid": (Video(status=login("Private video")), "it is private"),
    "age-limited": (
        Video(status=login("Sign in to confirm your age") | {"desktopLegacyAgeGateReason": 1}),
        "age-restricted",
    ),
    "robot-check": (Video(status=login("Sign in to confirm you’re not a bot")), "robot"),
    "removed-vid": (
        Video(status=error("Video unavailable", "This video has been removed by the uploader")),
        "it has been removed",
    ),
    "closed-user": (
        Video(status=error("Video unavailable", "The account of this video has been terminated.")),
        "it has been removed",
    ),
    "geo-blocked": (
        Video(
            status=error("Video unavailable", f"{HIDDEN} in your country", "UNPLAYABLE")
        ),
        "in your country",
    ),
    "nothing-hre": (Video(status=error("Video unavailable")), "there is no such video"),
    "members-vid": (
        Video(status=error("Join this channel to get access to members-only content", status="UNPLAYABLE")),
        "for members",
    ),
    "rate-limits": (
        Video(status=error("This content isn't available, try again later.", status="UNPLAYABLE")),
        "too many requests",
    ),
    "no-formats1": (Video(formats=[]), "JavaScript"),  # F10: what a missing runtime looks like
}  # fmt: skip


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, str]]:
    """Our words for every video above, by one process."""
    server = StandIn()
    server.videos.update({video_id: video for video_id, (video, _) in SAID.items()})
    folder = str(tmp_path_factory.mktemp("cache"))
    command = server.command(ids=list(SAID), folder=folder)
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=100)
    server.stop()
    assert not any("videoplayback" in path for path in server.asked), "a file was asked for without consent"
    assert server.cookies == []
    lines = [json.loads(line) for line in done.stdout.splitlines() if '"id"' in line]
    assert len(lines) == len(SAID), done.stdout + done.stderr
    return {line.pop("id"): line for line in lines}


@pytest.mark.parametrize("video_id", SAID)
def test_f05_each_no_has_words_of_its_own(said: dict[str, dict[str, str]], video_id: str) -> None:
    assert SAID[video_id][1] in said[video_id]["reason"]
    assert "yt-dlp" not in said[video_id]["reason"]
    assert said[video_id]["remedy"]


def test_f05_no_two_kinds_of_no_are_told_alike(said: dict[str, dict[str, str]]) -> None:
    told = [words["reason"] for video_id, words in said.items() if video_id != "closed-user"]
    assert len(set(told)) == len(told)


def test_f05_limits_name_the_option_that_moves_them(said: dict[str, dict[str, str]]) -> None:
    assert "--link-minutes" in said["a-whole-day"]["remedy"]
    assert "--link-megabytes" in said["large-video"]["remedy"]


def test_f05_what_it_is_is_known_before_a_byte_of_it_is_asked_for(site, good: Video, start: Starter) -> None:
    download = start(mode="youtube")
    found = download.query(lambda: None)
    assert (found.title, found.seconds, found.size_bytes) == ("A walk", 12.0, len(good.data))
    assert (found.width, found.height, found.sound, found.suffix) == (640, 360, True, "mp4")
    time.sleep(0.3)
    assert not any("videoplayback" in path for path in site.asked)
    path = download.fetch(lambda _: None)
    assert path.read_bytes() == good.data
    assert path.stat().st_mode & 0o777 == 0o600


def test_f10_without_yt_dlp_there_is_a_line_that_installs_it(monkeypatch, start: Starter) -> None:
    monkeypatch.setattr(process.importlib.util, "find_spec", lambda _: None)
    with pytest.raises(
        Refusal, match=r"not installed. Install it with: \S+ -m pip install -e .*\[download\]"
    ):
        start().query(lambda: None)


def test_f10_a_yt_dlp_that_cannot_be_imported_is_told_by_the_process(site, start: Starter) -> None:
    with pytest.raises(Refusal, match="not installed"):
        start(command=site.command(hidden=["yt_dlp"])).query(lambda: None)


def test_f10_a_yt_dlp_that_is_too_old_asks_nothing(site, good: Video, start: Starter) -> None:
    with pytest.raises(Refusal, match=r"2023.11.16 is too old.*pip install -U yt-dlp"):
        start(command=site.command(version="2023.11.16")).query(lambda: None)
    assert site.asked == []


@pytest.mark.parametrize(
    ("text", "reason", "remedy"),
    [
        ("[youtube] x: Unable to extract data; please report this issue on https://github.com/yt-dlp , "
         "filling out the template. Confirm the version", "probably changed", "pip install -U"),
        ("requested merging of multiple formats but ffmpeg is not installed", "ffmpeg", "the file"),
        ("[youtube] abcdefghijk: Requested format is not available. Use x", "ffmpeg", "the file"),
        ("<urlopen error [SSL: CERTIFICATE_VERIFY_FAILED]>", "no secure connection", "clock"),
        ("ERROR: unable to write data: [Errno 28] No space left on device", "disk is full", "stays"),
        ("Unable to download API page: HTTP Error 429: x", "too many requests", "hour"),
        ("HTTP Error 403: Forbidden", "refused to hand it out", "pip install -U"),
        ("<urlopen error [Errno -3] Temporary failure in name resolution>", "network", "network"),
        ("The read operation timed out", "did not answer in time", "network"),
        ("This video is DRM protected", "copy-protected", "another video"),
    ],
)  # fmt: skip
def test_f10_what_yt_dlp_says_becomes_a_reason_and_a_remedy(text: str, reason: str, remedy: str) -> None:
    refusal = errors.explain("YouTube abc", text, errors.Circumstances("2026.10.26"))
    assert reason in refusal.reason
    assert remedy in refusal.remedy
    assert "github" not in str(refusal)


def test_f10_no_formats_without_a_javascript_runtime_is_told_as_that() -> None:
    here = errors.Circumstances(runtime=False)
    assert "deno" in errors.explain("x", "No video formats found!", here).remedy
    solver = errors.Circumstances(warnings="Challenge solver lib script (ejs) is missing")
    assert "yt-dlp-ejs" in errors.explain("x", "No video formats found!", solver).remedy


def test_the_limits_of_the_question_are_those_of_the_program() -> None:
    assert str(DownloadLimits()) == "60 min, 1000 MB"
