"""A site on this machine, a cache of its own, and the words of a refusal."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from app.download.cache import DownloadCache
from app.download.messages import DownloadLimits
from app.download.process import Download
from runtime.media.links import YOUTUBE, Link
from tests.drawn_media import draw_clip
from tests.unit.app.download.standin import StandIn, Video

GOOD = "goodvideo01"
PADDING = 320_000  # bytes
Starter = Callable[..., Download]


@pytest.fixture
def site() -> Iterator[StandIn]:
    server = StandIn()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def clip_bytes(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A clip of twelve frames, with a third of a megabyte of padding, as MP4 has a box for it."""
    clip = draw_clip(tmp_path_factory.mktemp("drawn") / "clip.mp4", 12).read_bytes()
    return clip + struct.pack(">I4s", 8 + PADDING, b"free") + bytes(PADDING)


@pytest.fixture
def good(site: StandIn, clip_bytes: bytes) -> Video:
    """The site has one good video."""
    site.videos[GOOD] = Video(clip_bytes)
    return site.videos[GOOD]


@pytest.fixture
def cache(tmp_path: Path) -> DownloadCache:
    return DownloadCache(tmp_path / "50% links")  # a per cent sign is no field of a template


@pytest.fixture
def start(site: StandIn, cache: DownloadCache) -> Iterator[Starter]:
    """Begin downloads of the stand-in; every process is gone at the end."""
    started: list[Download] = []

    def begin(
        video_id: str = GOOD,
        limits: DownloadLimits | None = None,
        command: Sequence[str] | None = None,
        mode: str = "generic",
    ) -> Download:
        link = Link(video_id, YOUTUBE.page.format(video_id))
        started.append(Download(link, limits or DownloadLimits(), cache, command or site.command(mode)))
        return started[-1]

    yield begin
    for download in started:
        process = download._process
        download.close()
        assert process is None or process.wait(0) is not None


def fetch(start: Starter, limits: DownloadLimits | None = None) -> Path:
    """The whole way, without a question."""
    download = start(limits=limits)
    download.query(lambda: None)
    return download.fetch(lambda _: None)
