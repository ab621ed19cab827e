"""A camera goes on after a user's action and off with it; what the window says is bound to the device."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pytest
from PyQt6.QtCore import Qt

from runtime.media import cameras
from runtime.media.clips import Clip

pytestmark = pytest.mark.gui


class FakeDevice:
    """A driver that counts: sends grey noise 50 times a second."""

    opened = 0
    open_now = 0

    def __init__(self) -> None:
        FakeDevice.opened += 1
        FakeDevice.open_now += 1
        self._on = True
        self._noise = np.random.default_rng(0)

    def isOpened(self) -> bool:  # noqa: N802 as in OpenCV
        return self._on

    def read(self):
        time.sleep(0.02)
        return True, self._noise.integers(0, 255, (48, 64, 3), np.uint8)

    def release(self) -> None:
        FakeDevice.open_now -= self._on
        self._on = False


@pytest.fixture(autouse=True)
def devices(monkeypatch):
    FakeDevice.opened = FakeDevice.open_now = 0
    original = cameras.Camera.__init__

    def with_fake(self, index, *args, **options):
        original(self, index, *args, **{**options, "opener": lambda *_: FakeDevice()})

    monkeypatch.setattr(cameras.Camera, "__init__", with_fake)
    return FakeDevice


def test_no_camera_without_a_user_s_action_and_off_within_a_second(desktop, clip, qtbot, devices) -> None:
    """J03."""
    qtbot.wait(300)
    desktop.open(str(clip))
    qtbot.waitUntil(lambda: desktop.window.canvas.parsed is not None, timeout=20_000)
    assert devices.opened == 0
    status = desktop.window.status._camera
    assert status.text() == ""

    desktop.open("0")
    qtbot.waitUntil(lambda: devices.open_now == 1 and status.text() != "", timeout=10_000)
    qtbot.waitUntil(desktop.window.actions_["mirror"].isEnabled, timeout=10_000)
    assert desktop.window.display.style.mirror  # on the screen, by default
    assert not desktop.window.actions_["play"].isEnabled()

    began = time.monotonic()
    desktop.window.actions_["close"].trigger()
    qtbot.waitUntil(lambda: devices.open_now == 0, timeout=5000)
    assert time.monotonic() - began < 1.0
    qtbot.waitUntil(lambda: status.text() == "", timeout=2000)


def test_the_camera_is_off_after_the_window_is_closed(desktop, qtbot, devices) -> None:
    desktop.open("0")
    qtbot.waitUntil(lambda: desktop.pipeline.camera_on, timeout=10_000)
    began = time.monotonic()
    desktop.window.close()
    assert devices.open_now == 0
    assert time.monotonic() - began < 3.0


def test_a_mirrored_camera_is_kept_as_it_came(desktop, qtbot) -> None:
    """D5 of the peers' complaints: what is kept is never mirrored."""
    desktop.open("0")
    qtbot.waitUntil(lambda: desktop.window.display.style.mirror, timeout=10_000)
    assert not desktop.recordings._style().mirror
    qtbot.keyClick(desktop.window, "m")
    qtbot.waitUntil(lambda: not desktop.window.display.style.mirror, timeout=2000)


def test_a_clip_is_never_mirrored(playing) -> None:
    playing.tick()
    assert not playing.window.display.style.mirror


def test_a_camera_that_falls_silent_is_told(desktop, qtbot, monkeypatch) -> None:
    def fall_silent(self):
        time.sleep(0.02)
        return False, None

    desktop.open("0")
    qtbot.waitUntil(lambda: desktop.window.canvas.parsed is not None, timeout=10_000)
    monkeypatch.setattr(FakeDevice, "read", fall_silent)
    qtbot.waitUntil(lambda: desktop.window.banner.notice is not None, timeout=10_000)
    assert "camera" in desktop.window.banner.notice.text
    qtbot.waitUntil(lambda: not desktop.pipeline.camera_on, timeout=5000)


def test_b03_the_recording_of_a_camera_that_is_unplugged_ends_and_plays(
    desktop, qtbot, monkeypatch, tmp_path
) -> None:
    desktop.settings = replace(desktop.settings, recordings=str(tmp_path / "kept"))
    desktop.open("0")
    qtbot.waitUntil(lambda: desktop.window.canvas.parsed is not None, timeout=10_000)
    desktop.window.actions_["record"].trigger()
    recorder = desktop.pipeline.recorder
    qtbot.waitUntil(lambda: recorder.written > 5, timeout=20_000)
    monkeypatch.setattr(FakeDevice, "read", lambda _: (time.sleep(0.02), (False, None))[1])
    qtbot.waitUntil(lambda: not recorder.is_alive(), timeout=20_000)
    with Clip(recorder.path) as kept:
        assert sum(1 for _ in kept.frames()) == recorder.written
        assert kept.complete
    qtbot.waitUntil(lambda: not desktop.window.actions_["record"].isChecked(), timeout=5000)


def test_key_focus_stays_with_the_player(desktop) -> None:
    """A click on the panel must not make Space press a button."""
    from PyQt6.QtWidgets import QAbstractButton, QComboBox, QSlider

    for kind in (QAbstractButton, QComboBox, QSlider):
        for widget in desktop.window.findChildren(kind):
            if widget.isVisible():
                assert widget.focusPolicy() is Qt.FocusPolicy.TabFocus, widget
