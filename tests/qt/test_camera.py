"""A camera goes on after a user's action and off with it; what the window says is bound to the device."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pytest
from PyQt6.QtCore import Qt

from app.settings import SettingsFile
from runtime.media import cameras
from runtime.media.cameras import CameraInfo
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


def test_no_camera_without_a_user_s_action_and_off_when_it_is_closed(desktop, clip, qtbot, devices) -> None:
    """J03."""
    qtbot.wait(300)
    desktop.open(str(clip))
    qtbot.waitUntil(lambda: desktop.window.canvas.parsed is not None)
    assert devices.opened == 0
    status = desktop.window.status._camera
    assert status.text() == ""

    desktop.open("0")
    qtbot.waitUntil(lambda: devices.open_now == 1 and status.text() != "")
    qtbot.waitUntil(desktop.window.actions_["mirror"].isEnabled)
    assert desktop.window.display.style.mirror  # on the screen, by default
    assert not desktop.window.actions_["play"].isEnabled()

    began = time.monotonic()
    desktop.window.actions_["close"].trigger()
    qtbot.waitUntil(lambda: devices.open_now == 0)
    assert time.monotonic() - began < 5
    qtbot.waitUntil(lambda: status.text() == "")


def test_the_camera_is_off_after_the_window_is_closed(desktop, qtbot, devices) -> None:
    desktop.open("0")
    qtbot.waitUntil(lambda: desktop.pipeline.camera_on)
    began = time.monotonic()
    desktop.window.close()
    assert devices.open_now == 0
    assert time.monotonic() - began < 10


def test_a_mirrored_camera_is_kept_as_it_came(desktop, qtbot) -> None:
    """D5 of the peers' complaints: what is kept is never mirrored."""
    desktop.open("0")
    qtbot.waitUntil(lambda: desktop.window.display.style.mirror)
    assert not desktop.recordings._style().mirror
    qtbot.keyClick(desktop.window, "m")
    qtbot.waitUntil(lambda: not desktop.window.display.style.mirror)


def test_a_clip_is_never_mirrored(playing) -> None:
    playing.tick()
    assert not playing.window.display.style.mirror


def test_a_camera_that_falls_silent_is_told(desktop, qtbot, monkeypatch) -> None:
    def fall_silent(self):
        time.sleep(0.02)
        return False, None

    desktop.open("0")
    qtbot.waitUntil(lambda: desktop.window.canvas.parsed is not None)
    monkeypatch.setattr(FakeDevice, "read", fall_silent)
    qtbot.waitUntil(lambda: desktop.window.banner.notice is not None)
    assert "camera" in desktop.window.banner.notice.text
    qtbot.waitUntil(lambda: not desktop.pipeline.camera_on)


def test_b03_the_recording_of_a_camera_that_is_unplugged_ends_and_plays(
    desktop, qtbot, monkeypatch, tmp_path
) -> None:
    desktop.settings = replace(desktop.settings, recordings=str(tmp_path / "kept"))
    desktop.open("0")
    qtbot.waitUntil(lambda: desktop.window.canvas.parsed is not None)
    desktop.window.actions_["record"].trigger()
    recorder = desktop.pipeline.recorder
    qtbot.waitUntil(lambda: recorder.written > 5)
    monkeypatch.setattr(FakeDevice, "read", lambda _: (time.sleep(0.02), (False, None))[1])
    qtbot.waitUntil(lambda: not recorder.is_alive())
    with Clip(recorder.path) as kept:
        assert sum(1 for _ in kept.frames()) == recorder.written
        assert kept.complete
    action = desktop.window.actions_["record"]
    assert action.isChecked()  # it goes on when the camera does, unless it is pressed again
    action.trigger()
    qtbot.waitUntil(lambda: not action.isChecked())


@pytest.fixture
def plugged(monkeypatch) -> list[CameraInfo]:
    known = [CameraInfo(0, "Desk"), CameraInfo(2, "Door")]
    for module in ("runtime.media.sources", "runtime.media.cameras", "app.controllers.live_sources"):
        monkeypatch.setattr(f"{module}.list_cameras", lambda: list(known))
    return known


def test_b03_b04_unplugged_and_plugged_in_at_another_port_goes_on_by_itself(
    desktop, qtbot, monkeypatch, plugged, devices
) -> None:
    asked: list[int] = []
    read, init = devices.read, cameras.Camera.__init__

    def counted(self, index, *args, **options):
        asked.append(index)
        init(self, index, *args, **options)

    monkeypatch.setattr(cameras.Camera, "__init__", counted)
    desktop.open("camera:Door")
    qtbot.waitUntil(lambda: desktop.window.canvas.parsed is not None)
    assert desktop.settings.recent == ("camera:Door",)  # by name: tomorrow it may be another number
    status = desktop.window.status
    monkeypatch.setattr(devices, "read", lambda _: (time.sleep(0.002), (False, None))[1])
    monkeypatch.setattr(devices, "isOpened", lambda _: False)
    qtbot.waitUntil(lambda: "connecting again" in desktop.window.banner._text.text())
    qtbot.waitUntil(lambda: status._fps.text() == "" and status._camera.text() == "")
    last = desktop.window.canvas.parsed.frame.index
    plugged[:] = [CameraInfo(0, "Desk"), CameraInfo(4, "Door")]
    monkeypatch.setattr(devices, "read", read)
    monkeypatch.setattr(devices, "isOpened", lambda self: self._on)
    began = time.monotonic()
    qtbot.waitUntil(lambda: desktop.window.canvas.parsed.frame.index > last)
    assert time.monotonic() - began < 10
    assert asked[0] == 2
    assert asked[-1] == 4
    qtbot.waitUntil(lambda: "fps" in status._fps.text() and desktop.window.banner.notice is None)


def test_size_and_rate_are_chosen_and_kept_by_name(desktop, qtbot, plugged, devices) -> None:
    desktop.open("camera:Door")
    qtbot.waitUntil(lambda: desktop.window.canvas.parsed is not None)
    menus = desktop.window.actions_.menus
    menus["camera-size"].aboutToShow.emit()
    sizes = {a.text(): a for a in menus["camera-size"].actions()}
    assert sizes["1280 × 720"].isChecked()
    sizes["1920 × 1080"].trigger()
    qtbot.waitUntil(lambda: devices.opened == 2 and devices.open_now == 1)
    menus["camera-rate"].aboutToShow.emit()
    {a.text(): a for a in menus["camera-rate"].actions()}["15 per second"].trigger()
    qtbot.waitUntil(lambda: devices.opened == 3 and devices.open_now == 1)
    kept = SettingsFile(desktop.settings_file.path).load()
    assert kept.camera_modes == ("Door=1920x1080@15",)
    assert str(desktop.workspace.addresses.classify("2").camera.mode) == "1920x1080@15"
    assert str(desktop.workspace.addresses.classify("0").camera.mode) == "1280x720@30"


def test_key_focus_stays_with_the_player(desktop) -> None:
    """A click on the panel must not make Space press a button."""
    from PyQt6.QtWidgets import QAbstractButton, QComboBox, QSlider

    for kind in (QAbstractButton, QComboBox, QSlider):
        for widget in desktop.window.findChildren(kind):
            if widget.isVisible():
                assert widget.focusPolicy() is Qt.FocusPolicy.TabFocus, widget
