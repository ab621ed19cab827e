"""Camera modes: picture sizes and frame rates that a camera offers, asked of V4L2 without switching it on."""

from __future__ import annotations

import contextlib
import os
import struct
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

from runtime.media.cameras import CameraMode

COMMON_SIZES: Final = ((640, 480), (1280, 720), (1920, 1080), (3840, 2160))
COMMON_RATES: Final = (15.0, 30.0, 60.0)
_MJPEG: Final = int.from_bytes(b"MJPG", "little")
# v4l2_frmsizeenum and VIDIOC_ENUM_FRAMESIZES; v4l2_frmivalenum and VIDIOC_ENUM_FRAMEINTERVALS
_SIZES, _SIZES_CODE = struct.Struct("=11I"), 0xC02C564A
_INTERVALS, _INTERVALS_CODE = struct.Struct("=13I"), 0xC034564B
_DISCRETE: Final = 1
_MOST: Final = 100  #: answers to one question; a driver that never says "no more" is not asked for ever

Ioctl = Callable[[int, int, bytearray], object]


def offered_modes(node: Path, ioctl: Ioctl | None = None) -> list[CameraMode]:
    """Modes of a camera as MJPEG, smallest first; empty where the driver does not list them.

    Args:
        node: `/dev/videoN`.
        ioctl: as `fcntl.ioctl`, which it is when left out.
    """
    if ioctl is None:
        if not sys.platform.startswith("linux"):
            return []
        import fcntl  # noqa: PLC0415 - not on every system

        ioctl = fcntl.ioctl
    modes = set()
    with contextlib.suppress(OSError):
        device = os.open(node, os.O_RDWR | os.O_NONBLOCK)
        try:
            for _, _, kind, width, height, *_ in _answers(ioctl, device, _SIZES, _SIZES_CODE, _MJPEG):
                if kind != _DISCRETE:  # any size between two
                    break
                asked = (_MJPEG, width, height)
                for row in _answers(ioctl, device, _INTERVALS, _INTERVALS_CODE, *asked):
                    if row[4] == _DISCRETE and row[5]:
                        modes.add(CameraMode((width, height), round(row[6] / row[5], 2)))
        finally:
            os.close(device)
    return sorted(modes, key=lambda mode: (mode.size, mode.rate))


def _answers(
    ioctl: Ioctl, device: int, layout: struct.Struct, code: int, *asked: int
) -> list[tuple[int, ...]]:
    """Every answer to a question that is asked with a rising index, until the driver says no."""
    rows: list[tuple[int, ...]] = []
    for index in range(_MOST):
        fields = (index, *asked)
        answer = bytearray(layout.pack(*fields, *([0] * (layout.size // 4 - len(fields)))))
        try:
            ioctl(device, code, answer)
        except OSError:
            break
        rows.append(layout.unpack(answer))
    return rows
