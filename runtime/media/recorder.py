"""Recorder: writes what is watched to a file, in its own thread; it drops pictures, never the view's pace."""

from __future__ import annotations

import errno
import logging
import os
import queue
import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from runtime.frames import FrameResult
from runtime.media.writing import VideoWriter
from runtime.system.disk import CannotWriteError
from runtime.system.errors import Refusal
from runtime.system.files import write_atomic
from runtime.system.notices import Level, Notice, Notices

WAITING = 8  # pictures that may wait for the encoder; beyond them the recording, not the view, drops
FREE_BYTES = 500_000_000  # recording stops when the disk has less left than this
OUTGROWN_BYTES = 1_000_000_000  # a file this large that may not grow goes on in another one
TOPIC = "recording"
TRANSPARENT = ".mov"  # a file of pictures with transparency: ProRes 4444

Picture = NDArray[np.uint8]
Render = Callable[[FrameResult], Picture]

log = logging.getLogger("xfactor.pipeline")


class Recorder(threading.Thread):
    """One recording: from construction to `finish`.

    Attributes:
        path: the file; the last one when the disk allows no file of the whole size.
        dropped: pictures left out because the encoder was slower than the view.
        written: pictures in the file.
        open: whether a file is being written right now.
        started_s: `time.monotonic()` of the start.
    """

    def __init__(self, path: Path, render: Render, notices: Notices, rate: float = 30.0) -> None:
        super().__init__(name="recorder", daemon=True)
        self.path = path
        self.dropped = 0
        self.written = 0
        self.open = False
        self.started_s = time.monotonic()
        self._stem, self._shortened = path.stem, ""
        self._transparent = path.suffix == TRANSPARENT
        self._render = render
        self._notices = notices
        self._rate = rate
        self._queue: queue.Queue[FrameResult] = queue.Queue(maxsize=WAITING)
        self._finish = threading.Event()

    def offer(self, parsed: FrameResult) -> None:
        """Take a result from the inference thread; never blocks."""
        if self._finish.is_set():
            return
        try:
            self._queue.put_nowait(parsed)
        except queue.Full:
            self.dropped += 1

    def finish(self) -> None:
        """Ask it to write what waits and to close the file; does not wait."""
        self._finish.set()

    def run(self) -> None:
        """Write until asked to finish; every way out leaves a file that plays."""
        try:
            self._record()
        except Refusal as e:
            self._notices.say(Notice(f"Recording stopped. {e}", Level.ERROR, topic=TOPIC))
        except OSError as e:
            words = f"{self.path}: {e.strerror or e}. Choose another folder."
            self._notices.say(Notice(f"Recording stopped. {words}", Level.ERROR, topic=TOPIC))
        except Exception:  # the encoder's own errors; the live view goes on
            log.exception("recording failed")
            words = f"{self.path.name}: the encoder failed. What was written so far is kept."
            self._notices.say(Notice(words, Level.ERROR, topic=TOPIC))
        else:
            self._notices.say(Notice(self._summary(), topic=TOPIC))
        finally:
            self._finish.set()
            self.open = False

    def _record(self) -> None:
        check_space(self.path.parent)
        writer: VideoWriter | None = None
        size = (0, 0)
        first_s = 0.0
        try:
            while (parsed := self._next()) is not None:
                picture = _with_channels(self._render(parsed), 4 if self._transparent else 3)
                if writer is None:
                    size = picture.shape[1], picture.shape[0]
                    writer = self._begin(size)
                    first_s, self.open = parsed.frame.captured_s, True
                if self.written % 100 == 99:
                    check_space(self.path.parent)
                try:
                    writer.write(fit(picture, size), max(0.0, parsed.frame.captured_s - first_s))
                except CannotWriteError as e:
                    if not _outgrown(e, self.path):
                        raise
                    writer.close()
                    writer, first_s = self._begin_next(size), parsed.frame.captured_s
                    writer.write(fit(picture, size), 0.0)
                self.written += 1
        finally:
            if writer is not None:
                writer.close()
                self._shortened = writer.notice

    def _begin(self, size: tuple[int, int]) -> VideoWriter:
        create_private(self.path)
        return VideoWriter(self.path, size, self._rate, alpha=self._transparent, live=True)

    def _begin_next(self, size: tuple[int, int]) -> VideoWriter:
        # The disk allows no larger file, as FAT32 none over 4 GB.
        full, self.path = self.path, free_name(self.path.parent, self._stem, self.path.suffix)
        words = f"{full.name} is as large as this disk allows; the recording goes on in {self.path.name}."
        self._notices.say(Notice(words, topic=TOPIC))
        return self._begin(size)

    def _next(self) -> FrameResult | None:
        while True:
            try:
                return self._queue.get(timeout=0.1)
            except queue.Empty:
                if self._finish.is_set():
                    return None

    def _summary(self) -> str:
        if not self.written:
            return "Nothing was recorded: no picture came while recording was on."
        lost = f", {self.dropped} left out because encoding was too slow" if self.dropped else ""
        shortened = f", {self._shortened}" if self._shortened else ""
        return f"Saved {self.path} ({self.written} pictures{lost}{shortened})."


def _outgrown(error: CannotWriteError, path: Path) -> bool:
    too_large = getattr(error.__cause__, "errno", None) == errno.EFBIG
    return too_large and path.stat().st_size >= OUTGROWN_BYTES


def _with_channels(picture: Picture, channels: int) -> Picture:
    """RGB or RGBA, whatever the style was when the file was begun; what is transparent is black in RGB."""
    if picture.shape[2] > channels:
        return np.ascontiguousarray(picture[..., :channels])
    solid = np.full(picture.shape[:2], 255, np.uint8)
    return picture if picture.shape[2] == channels else np.dstack([picture, solid])


def fit(picture: Picture, size: tuple[int, int]) -> Picture:
    """`picture` on a canvas of (width, height): the file keeps its size when the source changes its own."""
    width, height = size
    if picture.shape[:2] == (height, width):
        return picture
    scale = min(width / picture.shape[1], height / picture.shape[0])
    inner = max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale))
    out = np.zeros((height, width, picture.shape[2]), np.uint8)
    x, y = (width - inner[0]) // 2, (height - inner[1]) // 2
    out[y : y + inner[1], x : x + inner[0]] = cv2.resize(picture, inner, interpolation=cv2.INTER_AREA)
    return out


def check_space(folder: Path) -> None:
    """Refuse before the disk is full, while there is room to finish the file.

    Raises:
        Refusal: less than FREE_BYTES are left.
        OSError: the folder is gone.
    """
    free = shutil.disk_usage(folder).free
    if free < FREE_BYTES:
        raise Refusal(
            str(folder), f"only {free / 1e6:.0f} MB are free", "Free some space or choose another folder"
        )


def create_private(path: Path) -> None:
    """Make an empty file that only this user can read: it will show people. Never one that is there already.

    Raises:
        OSError: it exists, or cannot be made.
    """
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))


def save_snapshot(picture: Picture, path: Path) -> Path:
    """Write a PNG of an (h, w, 3) RGB or (h, w, 4) RGBA picture, readable by this user only.

    Raises:
        OSError: nothing was written.
    """
    code = cv2.COLOR_RGB2BGR if picture.shape[2] == 3 else cv2.COLOR_RGBA2BGRA
    done, data = cv2.imencode(".png", cv2.cvtColor(picture, code))
    if not done:
        raise OSError(f"{path.name} could not be encoded")
    write_atomic(path, data.tobytes())
    return path


def free_name(folder: Path, stem: str, suffix: str) -> Path:
    """A path in `folder` that does not exist yet: `stem.suffix`, then `stem (2).suffix`, and so on."""
    path = folder / f"{stem}{suffix}"
    number = 2
    while path.exists():
        path = folder / f"{stem} ({number}){suffix}"
        number += 1
    return path
