"""Camera worker: pictures from stdin to a virtual camera, in a process of its own (the extra `virtualcam`).

A line of JSON gives width, height and frames per second; pictures of height x width x 3 bytes RGB follow.
One line of JSON answers: the `device`, or why it was `refused`, and a `remedy`. A picture that is cut off is
never shown, and the last that is shown is black.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import BinaryIO, Protocol

import numpy as np
from numpy.typing import NDArray

from runtime.system.processes import end_with_parent


class CameraDevice(Protocol):
    """Part of a `pyvirtualcam.Camera` that is used."""

    @property
    def device(self) -> str:
        """Its name in the system."""

    def send(self, frame: NDArray[np.uint8]) -> None:
        """Show a picture (h, w, 3) RGB."""

    def close(self) -> None:
        """Give it back."""


def serve(
    pictures: BinaryIO,
    answer: Callable[[dict[str, str]], None],
    opened: Callable[[int, int, float], CameraDevice],
) -> None:
    """Show pictures until there are no more."""
    head = json.loads(pictures.readline())
    width, height = int(head["width"]), int(head["height"])
    try:
        camera = opened(width, height, float(head["fps"]))
    except ImportError:
        remedy = "Install the extra: pip install pyvirtualcam"
        answer({"refused": "pyvirtualcam is not installed", "remedy": remedy})
        return
    except RuntimeError as e:
        why = " ".join(str(e).split())
        remedy = "Load a driver: sudo modprobe v4l2loopback (Debian package v4l2loopback-dkms)"
        answer({"refused": f"no device takes pictures ({why})", "remedy": remedy})
        return
    answer({"device": camera.device})
    count = height * width * 3
    try:
        while len(data := pictures.read(count)) == count:
            camera.send(np.frombuffer(data, np.uint8).reshape(height, width, 3))
    finally:
        camera.send(np.zeros((height, width, 3), np.uint8))
        camera.close()


def _device(width: int, height: int, fps: float) -> CameraDevice:
    import pyvirtualcam  # noqa: PLC0415 - an extra few have

    camera: CameraDevice = pyvirtualcam.Camera(width=width, height=height, fps=fps)
    return camera


def _answer(words: dict[str, str]) -> None:
    sys.stdout.write(json.dumps(words) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    end_with_parent()
    serve(sys.stdin.buffer, _answer, _device)
