"""Streams in the window: named without a password, told when they are lost, and back without a click."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import replace

import pytest

from app.settings import SettingsFile
from runtime.media import capture, streams
from runtime.media.clips import Clip
from tests.stream_server import StreamServer

pytestmark = pytest.mark.gui


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[StreamServer]:
    monkeypatch.setattr(streams.LiveStream.__init__, "__kwdefaults__", {"open_s": 2.0, "read_s": 0.6})
    monkeypatch.setattr(capture, "FIRST_PAUSE_S", 0.2)
    made = StreamServer()
    yield made
    made.stop()


def seen(desktop) -> int:
    parsed = desktop.window.canvas.parsed
    return parsed.frame.index if parsed is not None else -1


def test_a_stream_is_shown_lost_and_back_without_a_click(desktop, server, qtbot, monkeypatch) -> None:
    desktop.open(server.link("/cam"))
    qtbot.waitUntil(lambda: seen(desktop) > 3)
    window, status = desktop.window, desktop.window.status
    assert not desktop.pipeline.camera_on
    assert not window.actions_["mirror"].isEnabled()
    qtbot.waitUntil(lambda: "fps" in status._fps.text())
    server.stop()
    qtbot.waitUntil(lambda: "connecting again" in window.banner._text.text())
    qtbot.waitUntil(lambda: status._fps.text() == status._age.text() == "")
    assert window.canvas.parsed is not None  # the last picture stays
    last = seen(desktop)
    again = StreamServer(server.port)
    monkeypatch.setattr(server, "stop", again.stop)  # the fixture ends this one
    qtbot.waitUntil(lambda: seen(desktop) > last + 3)
    qtbot.waitUntil(lambda: "fps" in status._fps.text() and window.banner.notice is None)


def test_b04_a_recording_goes_on_in_a_file_of_its_own(desktop, server, qtbot, monkeypatch, tmp_path) -> None:
    desktop.settings = replace(desktop.settings, recordings=str(tmp_path / "kept"))
    desktop.open(server.link("/cam"))
    qtbot.waitUntil(lambda: seen(desktop) > 3)
    desktop.window.actions_["record"].trigger()
    first = desktop.pipeline.recorder
    qtbot.waitUntil(lambda: first.written > 3)
    server.stop()
    qtbot.waitUntil(lambda: not first.is_alive())
    again = StreamServer(server.port)
    monkeypatch.setattr(server, "stop", again.stop)
    qtbot.waitUntil(lambda: desktop.pipeline.recorder is not first)
    second = desktop.pipeline.recorder
    qtbot.waitUntil(lambda: second.written > 3)
    desktop.window.actions_["record"].trigger()
    qtbot.waitUntil(lambda: not second.is_alive())
    assert desktop.pipeline.recorder is second
    for recorder in (first, second):
        with Clip(recorder.path) as kept:
            assert sum(1 for _ in kept.frames()) == recorder.written
    qtbot.wait(300)
    assert desktop.pipeline.recorder is second


def test_a_password_is_shown_nowhere_and_kept_nowhere(desktop, server, qtbot) -> None:
    server.password = base64.b64encode(b"ann:s3cret").decode()
    desktop.open(server.link("/locked?key=t0ken", "ann:s3cret@"))
    qtbot.waitUntil(lambda: seen(desktop) >= 0)
    assert desktop.window.windowTitle() == f"{server.link('/locked')} — xfactor"
    assert desktop.settings.recent == (server.link("/locked"),)
    desktop.close_source()
    desktop.open(desktop.settings.recent[0])  # again, in this run
    qtbot.waitUntil(lambda: seen(desktop) >= 0)
    desktop.stop()
    kept = desktop.settings_file.path
    assert json.loads(kept.read_text())["recent"] == [server.link("/locked")]
    written = [p.read_text(errors="replace") for p in kept.parent.rglob("*") if p.is_file()]
    assert not [t for t in written if "s3cret" in t or "t0ken" in t]
    assert SettingsFile(kept).load().recent == (server.link("/locked"),)
