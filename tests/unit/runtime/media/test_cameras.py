"""Webcams without any: a scripted device shows each fault."""

from __future__ import annotations

import struct
import threading
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from runtime.media.camera_modes import offered_modes
from runtime.media.cameras import Camera, CameraLost, CameraMode, list_cameras, why_not
from runtime.system.errors import Refusal


class Device:
    """Gives `frames` noisy pictures, then does as it is told: `gone`, `silent` or on and on."""

    def __init__(self, frames: int = 10**9, then: str = "gone", opened: bool = True) -> None:
        self.left, self.then, self.opened, self.released = frames, then, opened, False
        self.let_go = threading.Event()

    def isOpened(self) -> bool:  # noqa: N802 - OpenCV's name
        return self.opened

    def read(self) -> tuple[bool, np.ndarray | None]:
        time.sleep(0.005)
        if self.left == 0:
            if self.then == "silent":
                self.let_go.wait(5)
            return False, None
        self.left -= 1
        return True, np.random.default_rng(self.left).integers(0, 255, (48, 64, 3), dtype=np.uint8)

    def release(self) -> None:
        self.released = True


def test_frames_come_in_order_and_the_device_is_let_go() -> None:
    device = Device()
    with Camera(0, opener=lambda *_: device) as camera:
        frames = [f for f, _ in zip(camera.frames(), range(5), strict=False)]
        assert not camera.frozen
    assert all(a.index < b.index and a.pts_s < b.pts_s for a, b in pairwise(frames))
    assert frames[0].image.shape == (48, 64, 3)
    assert device.released


@pytest.mark.parametrize("then", ["gone", "silent"])
def test_a_camera_that_falls_silent_is_noticed(then: str) -> None:
    device = Device(3, then)
    camera = Camera(0, opener=lambda *_: device, silence_s=0.3)
    started = time.monotonic()
    with pytest.raises(CameraLost, match="camera 0"):
        for _ in camera.frames():
            pass
    assert time.monotonic() - started < 10
    started = time.monotonic()
    assert camera.close(deadline_s=0.2) == (then == "gone")  # a stuck driver is left to itself
    assert time.monotonic() - started < 5
    device.let_go.set()


def test_b07_garbage_frames_are_dropped_and_counted() -> None:
    class Stutter(Device):
        def read(self) -> tuple[bool, np.ndarray | None]:
            ok, image = super().read()
            return (True, None) if self.left % 2 else (ok, image)

    with Camera(0, opener=lambda *_: Stutter()) as camera:
        assert len([f for f, _ in zip(camera.frames(), range(3), strict=False)]) == 3
        assert camera.dropped_bad > 0


def test_b06_the_same_picture_again_and_again_is_said_and_a_new_one_takes_it_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    moves = threading.Event()

    class Stuck(Device):
        def read(self) -> tuple[bool, np.ndarray | None]:
            ok, image = super().read()
            return ok, image if moves.is_set() else np.zeros((48, 64, 3), np.uint8)

    monkeypatch.setattr("runtime.media.cameras.FROZEN_S", 0.1)
    with Camera(0, opener=lambda *_: Stuck()) as camera:
        frozen = [camera.frozen for _, _ in zip(camera.frames(), range(90), strict=False)]
        assert not frozen[0]
        assert frozen[-1]
        assert camera.notices == ["the camera sends no picture (the same frame again and again)"]
        moves.set()
        while camera.frozen:
            next(camera.frames())


def test_b01_b02_the_reasons_are_told_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    node = tmp_path / "video7"
    monkeypatch.setattr("runtime.media.cameras.list_cameras", list)
    none = str(why_not(7, node))
    node.touch()
    busy = str(why_not(7, node))

    def forbid(*_: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("runtime.media.cameras.os.open", forbid)
    forbidden = str(why_not(7, node))
    assert "no camera is connected" in none
    assert "used by another program" in busy
    assert 'group "video"' in forbidden


def test_a_camera_that_does_not_open_is_refused_and_let_go() -> None:
    device = Device(opened=False)
    with pytest.raises(Refusal):
        Camera(99, opener=lambda *_: device)
    assert device.released


def test_a_camera_that_gives_another_size_says_so() -> None:
    with Camera(0, CameraMode((640, 480), 15), name="Desk", opener=lambda *_: Device()) as camera:
        next(camera.frames())
        assert camera.rate == 15
        assert camera.notices == ["Desk gives 64 x 48, not the 640x480@15 that it was asked for"]


@pytest.mark.parametrize("text", ["", "1280x720", "0x0@30", "1280x720@0", "99999x9@30", "1280x720@1e9"])
def test_what_is_no_camera_mode_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="camera mode"):
        CameraMode.parse(text)
    assert CameraMode.parse(str(CameraMode((640, 480), 29.97))) == CameraMode((640, 480), 29.97)


def test_modes_are_asked_of_the_driver_as_v4l2_writes_them(tmp_path: Path) -> None:
    """The structs of linux/videodev2.h, filled by a stand-in: there is no camera here."""
    sizes, rates = [(640, 480), (1280, 720)], {(640, 480): [15, 30], (1280, 720): [30]}

    def ioctl(_: int, code: int, answer: bytearray) -> None:
        index, form, *asked = struct.unpack_from("=4I", answer)
        assert form == int.from_bytes(b"MJPG", "little")
        if code == 0xC02C564A and index < len(sizes):
            assert len(answer) == 44
            struct.pack_into("=3I", answer, 8, 1, *sizes[index])
        elif code == 0xC034564B and index < len(rates[tuple(asked)]):
            assert len(answer) == 52
            struct.pack_into("=3I", answer, 16, 1, 1, rates[tuple(asked)][index])
        else:
            raise OSError(22, "Invalid argument")

    (tmp_path / "video0").touch()
    assert [str(m) for m in offered_modes(tmp_path / "video0", ioctl)] == [
        "640x480@15", "640x480@30", "1280x720@30"
    ]  # fmt: skip
    assert offered_modes(tmp_path / "absent", ioctl) == []
    assert offered_modes(tmp_path / "video0") == []  # a file is no camera


def test_cameras_are_listed_from_sysfs(tmp_path: Path) -> None:
    for node, index, name in (("video0", "0", "Front"), ("video1", "1", "Front"), ("video10", "0", "Front")):
        (tmp_path / node).mkdir()
        (tmp_path / node / "index").write_text(f"{index}\n")
        (tmp_path / node / "name").write_text(f"{name}\n")
    assert [(c.index, c.name) for c in list_cameras(tmp_path)] == [(0, "Front"), (10, "Front (2)")]
    assert list_cameras(tmp_path / "absent") == []
