"""Results of a clip that are one file each: they grow frame by frame and get their name when complete."""

from __future__ import annotations

from collections.abc import Callable
from io import TextIOWrapper
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from models.results import Result
from runtime.frames import Frame
from runtime.media.clips import Clip
from runtime.media.sound import SoundTrack
from runtime.media.writing import VideoWriter
from runtime.system.disk import cannot_write
from runtime.system.files import move_in

#: The picture (h, w, 3 or 4) that a video shows of a frame and its result.
Paint = Callable[[NDArray[np.uint8], Result], NDArray[np.uint8]]


class ResultStream(Protocol):
    """One growing file."""

    def write(self, frame: Frame, result: Result) -> None:
        """Append a frame."""

    def finish(self) -> str:
        """Complete the file and give it its name; words for the user, empty when all is well."""

    def abandon(self) -> None:
        """Close it under the name `<name>.part.<suffix>`; a video of it plays."""


def unfinished(path: Path) -> Path:
    """The name of a growing file: `overlay.part.mp4` for `overlay.mp4`."""
    return path.with_name(f"{path.stem}.part{path.suffix}")


def _rename_finished(path: Path) -> None:
    try:
        move_in(unfinished(path), path)
    except OSError as e:
        raise cannot_write(path, e) from e


class ResultVideo:
    """A video made of a clip, with the clip's sound.

    Args:
        path: Its suffix chooses the codec: see `VideoWriter`.
        clip: Gives size, frame rate and sound.
        start_s: Time of the clip at which the video begins.
        paint: What is shown of each frame.
        alpha: The painted pictures are RGBA.
    """

    def __init__(self, path: Path, clip: Clip, start_s: float, paint: Paint, *, alpha: bool = False) -> None:
        self._path, self._start_s, self._paint = path, start_s, paint
        self._writer = VideoWriter(
            unfinished(path),
            clip.size,
            clip.rate,
            alpha=alpha,
            sound=SoundTrack(clip.path, clip.start_s + start_s),
            length_s=clip.duration_s,
        )

    def write(self, frame: Frame, result: Result) -> None:
        """Paint a frame and append it."""
        self._writer.write(self._paint(frame.image, result), frame.pts_s - self._start_s)

    def finish(self) -> str:
        """Complete the video."""
        self._writer.close()
        _rename_finished(self._path)
        return self._writer.notice

    def abandon(self) -> None:
        """Close it as it is."""
        self._writer.close()


class GrowingText:
    """A text file that grows."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._file: TextIOWrapper = unfinished(path).open("w", encoding="utf-8", newline="")
        except OSError as e:
            raise cannot_write(path, e) from e

    def put(self, text: str) -> None:
        """Append text."""
        try:
            self._file.write(text)
        except OSError as e:
            raise cannot_write(self.path, e) from e

    def finish(self) -> str:
        """Complete the file."""
        self.abandon()
        _rename_finished(self.path)
        return ""

    def abandon(self) -> None:
        """Flush and close it under its unfinished name."""
        try:
            self._file.close()
        except OSError as e:
            raise cannot_write(self.path, e) from e
