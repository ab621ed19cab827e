"""The only place of the program that makes videos: their bytes while they are written."""

from __future__ import annotations

import contextlib
import io
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import av
from av.container import OutputContainer

from runtime.media.decoding import Decoder
from runtime.system.errors import Refusal

_SYNC_S: Final = 5.0  # a power cut costs this much of a recording


class VideoFile(io.FileIO):
    """A file for FFmpeg to write to; closed at the first failure.

    FFmpeg itself goes on after an error: it crashes when the very first bytes failed, and hides what it wrote
    before behind an index that did not fit on the disk.

    Attributes:
        error: the first failure, which FFmpeg may keep for itself; None while all is well.
    """

    def __init__(self, path: Path, *, synced: bool = False) -> None:
        """Make the file, or empty an existing one; `synced`: what is written reaches the disk every 5 s."""
        super().__init__(path, "w")
        self.error: OSError | None = None
        self._synced_s = time.monotonic() if synced else float("inf")
        self._syncing = threading.Thread(target=self._sync)

    @contextlib.contextmanager
    def _closed_on_failure(self) -> Iterator[None]:
        try:
            yield
        except OSError as e:
            self.error = e
            self.close()
            raise

    def write(self, data: Any, /) -> int:  # noqa: ANN401 - as FileIO
        """Write all of it."""
        rest = memoryview(data)
        with self._closed_on_failure():
            while rest:
                rest = rest[super().write(rest) :]
        if time.monotonic() - self._synced_s > _SYNC_S and not self._syncing.is_alive():
            self._synced_s = time.monotonic()
            self._syncing = threading.Thread(target=self._sync, daemon=True)  # pictures do not wait for it
            self._syncing.start()
        return len(data)

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        """Go back to put the index of a finished video in force, once it is on the disk."""
        with self._closed_on_failure():
            os.fsync(self.fileno())
            return super().seek(offset, whence)

    def close(self) -> None:
        """Give the file back; a disk that had promised room it does not have is an `error`, too."""
        try:
            super().close()
        except OSError as e:
            self.error = self.error or e

    def _sync(self) -> None:
        with contextlib.suppress(OSError, ValueError):  # a disk that fails fails the next write, too
            os.fsync(self.fileno())


def new_video(file: VideoFile | None, muxer: str, options: dict[str, str]) -> OutputContainer:
    """A container to write a video's packets to, by FFmpeg's name of the muxer; None: nowhere."""
    return av.open(file or os.devnull, "w", format=muxer, options=options)


def frames_that_play(path: Path) -> int:
    """Number of frames of a video, whole or broken off, that are in the file to their last byte."""
    try:
        with Decoder(path) as decoder:
            return decoder.whole_packets()
    except Refusal:
        return 0
