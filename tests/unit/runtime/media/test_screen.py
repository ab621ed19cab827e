"""The X11 screen as a source, on a real X server that nobody sees."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator

import pytest

from runtime.media.feeds import open_feed
from runtime.media.sources import classify
from runtime.system.errors import Refusal

pytestmark = pytest.mark.skipif(
    shutil.which("Xvfb") is None or not sys.platform.startswith("linux"), reason="needs Xvfb"
)


@pytest.fixture
def display(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    reader, writer = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(writer), "-screen", "0", "320x240x24", "-nolisten", "tcp"],
        pass_fds=[writer],
        stderr=subprocess.DEVNULL,
    )
    os.close(writer)
    with os.fdopen(reader) as told:
        name = f":{told.readline().strip()}"
    monkeypatch.setenv("DISPLAY", name)
    for other in ("WAYLAND_DISPLAY", "XDG_SESSION_TYPE"):
        monkeypatch.delenv(other, raising=False)
    yield name
    server.terminate()
    server.wait(10)


def test_a_part_of_the_screen_is_read_and_its_end_is_told(display: str) -> None:
    feed = open_feed(classify("screen:200x100+40+20"))
    frames = feed.frames()
    first, second = next(frames), next(frames)
    assert first.size == (200, 100)
    assert second.index > first.index
    assert feed.info.live
    assert not feed.info.camera
    feed.close()


def test_a_part_that_is_not_there_is_refused_in_words(display: str) -> None:
    feed = open_feed(classify("screen:2000x1000+0+0"))
    with pytest.raises(Refusal, match="screen"):
        next(feed.frames())
    feed.close()
