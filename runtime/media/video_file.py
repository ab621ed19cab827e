"""The only place of the program that makes videos: their bytes while they are written."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from pathlib import Path
from typing import Final

import av
from av.container import OutputContainer

from runtime.media.decoding import Decoder
from runtime.system.errors import Refusal

_SYNC_S: Final = 5.0  # a power cut costs this much of a recording


class VideoFile:
    """A file for FFmpeg to write to; after the first failure nothing is changed any more.

    FFmpeg itself goes on after an error: it crashes when the very first bytes failed, and hides what it wrote
    before behind an index that did not fit on the disk.

    Attributes:
        error: the first failure; None while all is well.
    """

    def __init__(self, path: Path, *, synced: bool = False) -> None:
        """Make the file, or empty an existing one.

        Args:
            path: Where to.
            synced: Bring what is written to the disk every few seconds, in a thread of its own.

        Raises:
            OSError: it cannot be made.
        """
        self.error: OSError | None = None
        self._file = path.open("wb", buffering=0)
        self.tell = self._file.tell  # FFmpeg asks for it
        self._synced = synced
        self._synced_s = time.monotonic()
        self._syncing: threading.Thread | None = None

    @property
    def closed(self) -> bool:
        """True when nothing may be written: FFmpeg then leaves the index out."""
        return self.error is not None or self._file.closed

    def check(self) -> None:
        """Raise the first failure, which FFmpeg may have kept for itself.

        Raises:
            OSError: as it came from the disk.
        """
        if self.error is not None:
            raise self.error

    def write(self, data: bytes) -> int:
        """Append, or change at the place sought; called by FFmpeg."""
        self.check()
        rest = memoryview(data)
        try:
            while rest:
                rest = rest[self._file.write(rest) :]
        except OSError as e:
            self.error = e
            raise
        if self._synced and time.monotonic() - self._synced_s > _SYNC_S:
            self._sync_beside()
        return len(data)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a place; called by FFmpeg, only to put a finished video's index in force."""
        self.check()
        try:
            os.fdatasync(self._file.fileno())  # the index must be there before it counts
            return self._file.seek(offset, whence)
        except OSError as e:
            self.error = e
            raise

    def _sync_beside(self) -> None:
        """Sync without making the pictures wait; a slow disk is synced less often."""
        if self._syncing is None or not self._syncing.is_alive():
            self._synced_s = time.monotonic()
            self._syncing = threading.Thread(target=self._sync, name="recording to disk", daemon=True)
            self._syncing.start()

    def _sync(self) -> None:
        with contextlib.suppress(
            OSError, ValueError
        ):  # closed meanwhile; a failing disk fails the next write
            os.fdatasync(self._file.fileno())

    def close(self) -> None:
        """Give the file back; idempotent.

        Raises:
            OSError: the disk had promised room that it does not have.
        """
        if self._syncing is not None:
            self._syncing.join()
        try:
            self._file.close()
        except OSError as e:
            self.error = self.error or e
            raise


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
