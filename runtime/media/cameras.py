"""Webcams: which there are, one open one, and a watchdog that notices when it falls silent."""

from __future__ import annotations

import errno
import os
import re
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Protocol, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from runtime.frames import Frame
from runtime.system.errors import Refusal
from runtime.system.latest import Latest

SILENCE_S: Final = 2.0  #: without a frame for this long, the camera counts as gone
FIRST_FRAME_S: Final = 10.0  #: some cameras take their time to start
FROZEN_S: Final = 5.0  #: the same picture for this long is no picture
_SYSFS: Final = Path("/sys/class/video4linux")


class CameraLost(Refusal):
    """The camera was there and is not any more, or is there and sends nothing."""


@dataclass(frozen=True)
class CameraMode:
    """Picture size and frame rate that a camera is asked for; it may give another."""

    size: tuple[int, int] = (1280, 720)  #: (width, height), px
    rate: float = 30.0  #: frames per second

    def __str__(self) -> str:
        return f"{self.size[0]}x{self.size[1]}@{self.rate:g}"

    @classmethod
    def parse(cls, text: str) -> CameraMode:
        """The mode written as `1280x720@30`.

        Raises:
            ValueError: it is none.
        """
        match = re.fullmatch(r"(\d{2,4})x(\d{2,4})@(\d{1,3}(?:\.\d+)?)", text)
        if match is None or not float(match[3]):
            raise ValueError(f"{text[:40]!r} is no camera mode such as 1280x720@30")
        return cls((int(match[1]), int(match[2])), float(match[3]))


@dataclass(frozen=True)
class CameraInfo:
    """A camera the system knows of."""

    index: int  #: changes when cameras are plugged in otherwise
    name: str  #: stays; a second camera of the same name has a number behind it
    mode: CameraMode = CameraMode()

    def found_again(self) -> CameraInfo:
        """The camera where the system has it now; unchanged while it is not there."""
        now = next((c for c in list_cameras() if c.name == self.name), self)
        return replace(self, index=now.index)


class Device(Protocol):
    """The part of `cv2.VideoCapture` in use; tests give a scripted one."""

    def isOpened(self) -> bool: ...
    def read(self) -> tuple[bool, NDArray[np.uint8] | None]: ...
    def release(self) -> None: ...


def list_cameras(sysfs: Path = _SYSFS) -> list[CameraInfo]:
    """Cameras by index, without opening any: opening would switch some of them on.

    On systems without `/sys` the first camera is named unseen, since asking would open it.
    """
    if not sys.platform.startswith("linux"):
        return [CameraInfo(0, "default camera")]
    cameras = []
    for node in sysfs.glob("video*") if sysfs.is_dir() else ():
        number = re.fullmatch(r"video(\d+)", node.name)
        if number is None or _text(node / "index") not in ("0", ""):  # others carry metadata, not pictures
            continue
        index = int(number[1])
        cameras.append(CameraInfo(index, _text(node / "name") or f"camera {index}"))
    cameras.sort(key=lambda camera: camera.index)
    earlier: Counter[str] = Counter()
    for place, camera in enumerate(cameras):
        earlier[camera.name] += 1
        if earlier[camera.name] > 1:
            cameras[place] = replace(camera, name=f"{camera.name} ({earlier[camera.name]})")
    return cameras


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


def open_device(index: int, size: tuple[int, int], rate: float) -> Device:
    """Open a webcam through OpenCV, asking for MJPEG, which gives 30 fps where raw frames give 10."""
    backend = cv2.CAP_V4L2 if sys.platform.startswith("linux") else cv2.CAP_ANY
    device = cv2.VideoCapture(index, backend)
    if device.isOpened():
        device.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"))
        device.set(cv2.CAP_PROP_FRAME_WIDTH, size[0])
        device.set(cv2.CAP_PROP_FRAME_HEIGHT, size[1])
        device.set(cv2.CAP_PROP_FPS, rate)
        device.set(cv2.CAP_PROP_BUFFERSIZE, 1)  # an old frame is worth less than none
    return cast("Device", device)


def why_not(index: int, node: Path | None = None) -> Refusal:
    """The reason a camera does not open, as one of: none there, not this one, not allowed, in use."""
    node = node or Path(f"/dev/video{index}")
    name = f"camera {index}"
    if sys.platform.startswith("linux"):
        if not node.exists():
            if not list_cameras():
                return Refusal(name, "no camera is connected", "Plug one in, or open a file")
            known = ", ".join(f"{c.index} ({c.name})" for c in list_cameras())
            return Refusal(name, "there is no such camera", f"Choose one of: {known}")
        try:
            os.close(os.open(node, os.O_RDWR | os.O_NONBLOCK))
        except PermissionError:
            remedy = 'Join the group "video" (sudo usermod -aG video $USER) and log in again'
            return Refusal(name, "you may not use it", remedy)
        except OSError as e:
            if e.errno != errno.EBUSY:
                return Refusal(name, f"the system says: {e.strerror}", "Unplug it and plug it in again")
    return Refusal(name, "it is used by another program", "Close that program, then try again")


class Camera:
    """One open webcam; the light is on from the constructor to `close`.

    A thread of its own reads the driver, because a read may block for ever and cannot be interrupted.

    Raises:
        Refusal: from the constructor, saying which of the usual reasons it is.
    """

    def __init__(
        self,
        index: int,
        mode: CameraMode = CameraMode(),
        *,
        name: str = "",
        opener: Callable[[int, tuple[int, int], float], Device] = open_device,
        silence_s: float = SILENCE_S,
    ) -> None:
        self.name = name or f"camera {index}"
        self.rate = mode.rate
        self._mode = mode
        self._given: tuple[int, int] = mode.size
        self.dropped_bad = 0  #: frames the driver delivered that were no pictures
        self._silence_s = silence_s
        self._newest: Latest[Frame] = Latest()
        self._stop = threading.Event()
        self._picture_changed_s = time.monotonic()
        self._gone = False
        device = opener(index, mode.size, mode.rate)
        if not device.isOpened():
            device.release()
            raise why_not(index)
        self._thread = threading.Thread(
            target=self._read, args=(device,), name=f"camera-{index}", daemon=True
        )
        self._thread.start()

    @property
    def frozen(self) -> bool:
        """True when the picture has not changed by a single bit for five seconds; real sensors have noise."""
        return time.monotonic() - self._picture_changed_s > FROZEN_S

    @property
    def notices(self) -> list[str]:
        """Sentences for the viewer."""
        frozen = "the camera sends no picture (the same frame again and again)"
        width, height = self._given
        other = f"{self.name} gives {width} x {height}, not the {self._mode} that it was asked for"
        return [frozen] * self.frozen + [other] * (
            self._mode != CameraMode() and self._given != self._mode.size
        )

    def frames(self) -> Iterator[Frame]:
        """The newest frame, each at most once, until `close`.

        Raises:
            CameraLost: when no frame came for two seconds (ten for the first).
        """
        patience_s = max(FIRST_FRAME_S, self._silence_s) if self._silence_s >= 1 else self._silence_s
        while not self._stop.is_set():
            frame = self._newest.take(patience_s)
            if frame is not None:
                patience_s = self._silence_s
                yield frame
            elif not self._stop.is_set():
                why = "it was unplugged" if self._gone else f"it sent no picture for {patience_s:g} s"
                raise CameraLost(self.name, why, "Plug it in again or choose it again in the menu")

    def _read(self, device: Device) -> None:
        """Body of the thread: the driver's frames into the one place, until stopped or the device is gone."""
        index, failures, started = 0, 0, time.monotonic()
        previous: NDArray[np.uint8] | None = None
        try:
            while not self._stop.is_set() and failures < 100:
                ok, picture = device.read()
                now = time.monotonic()
                if not ok or picture is None or picture.ndim != 3 or picture.shape[2] != 3:
                    failures += 1
                    self.dropped_bad += 1
                    time.sleep(0.01)
                    continue
                failures = 0
                self._given = (picture.shape[1], picture.shape[0])
                small = picture[::16, ::16]
                if previous is None or not np.array_equal(small, previous):
                    previous, self._picture_changed_s = small.copy(), now
                image = np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), dtype=np.uint8)
                self._newest.put(Frame(image, index, now - started, now))
                index += 1
            self._gone = not self._stop.is_set()
        except Exception:  # noqa: BLE001 - a driver that raises is a driver that is gone; `frames` says so
            self._gone = True
        finally:
            self._newest.close()  # who waits for a picture need not wait any longer
            device.release()

    def close(self, deadline_s: float = 1.0) -> bool:
        """Switch the camera off; idempotent.

        Returns:
            Whether the driver let go in time; if not, its thread is left to itself and ends with the process.
        """
        self._stop.set()
        self._newest.close()
        self._thread.join(deadline_s)
        return not self._thread.is_alive()

    def __enter__(self) -> Camera:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
