"""Frames of a clip, or of a folder of numbered pictures, from anywhere to anywhere."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from runtime.frames import Frame
from runtime.media.clips import Clip
from runtime.media.images import inner_folders, list_images, read_image
from runtime.system.errors import Refusal, printable

HASHED_BYTES: Final = 2 << 30  #: a larger clip goes without its hash: ten hours of video would take minutes


@dataclass
class PictureSequence:
    """A folder of pictures of one size, in the order a person would count them."""

    files: list[Path]
    size: tuple[int, int]
    notices: list[str]

    @classmethod
    def of(cls, folder: Path) -> PictureSequence:
        """The pictures of a folder.

        Raises:
            Refusal: there are none.
        """
        files = list_images(folder)
        if not files:
            inner = inner_folders(folder)
            remedy = f"Give one of its folders: {inner}" if inner else "Give a clip, or a folder of frames"
            raise Refusal(printable(folder.name), "there are no pictures in it", remedy)
        height, width = read_image(files[0]).shape[:2]
        return cls(files, (width, height), [])

    @property
    def frames_expected(self) -> int:
        """Number of pictures."""
        return len(self.files)

    def frames(self, start: int | None = None) -> Iterator[Frame]:
        """Pictures from `start` on.

        Raises:
            Refusal: one cannot be read, or has another size.
        """
        for index in range(start or 0, len(self.files)):
            frame = Frame(read_image(self.files[index]), index, float(index), 0.0)
            if frame.size != self.size:
                raise Refusal(
                    printable(self.files[index].name), "it differs in size from the first", "Remove it"
                )
            yield frame


@contextmanager
def opened(path: Path) -> Iterator[Clip | PictureSequence]:
    """A clip or a folder of pictures.

    Raises:
        Refusal: it is neither.
    """
    if path.is_dir():
        yield PictureSequence.of(path)
        return
    with Clip(path) as clip:
        yield clip


def identity(path: Path) -> list[object]:
    """Sizes and times by which a clip is recognised, without reading it."""
    files = list_images(path) if path.is_dir() else [path]
    try:
        stats = [f.stat() for f in files]
    except OSError as e:
        raise Refusal(printable(path.name), f"it cannot be read ({e.strerror})", f"Check {path}") from e
    return [str(path), *([s.st_size, s.st_mtime_ns] for s in stats)]


def sha256_of(path: Path) -> str:
    """Of the clip's bytes, or of all pictures in turn; empty for what is larger than 2 GB."""
    files = list_images(path) if path.is_dir() else [path]
    if sum(f.stat().st_size for f in files) > HASHED_BYTES:
        return ""
    digest = hashlib.sha256()
    for file in files:
        with file.open("rb") as opened_file:
            while block := opened_file.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()
