"""Results of a clip that are one file each, written frame by frame and in place only when complete."""

from __future__ import annotations

import json
from io import TextIOWrapper
from pathlib import Path
from typing import Any, Final, Protocol

from models.results import Parsing
from runtime.frames import Frame
from runtime.media.clips import Clip
from runtime.media.sound import SoundTrack
from runtime.media.writing import VideoWriter
from runtime.output import coco, overlay, parts_csv
from runtime.system.disk import cannot_write


class Stream(Protocol):
    """One growing file."""

    def write(self, frame: Frame, parsing: Parsing) -> None:
        """Append a frame."""

    def finish(self) -> str:
        """Complete the file and put it in its place; words for the user, empty when all is well."""

    def abandon(self) -> None:
        """Close it where it is: it stays as `<name>.part.<suffix>`, and a video of it plays."""


def unfinished(path: Path) -> Path:
    """Where a file grows: `overlay.part.mp4` for `overlay.mp4`."""
    return path.with_name(f"{path.stem}.part{path.suffix}")


def _settle(path: Path) -> None:
    try:
        unfinished(path).replace(path)
    except OSError as e:
        raise cannot_write(path, e) from e


class OverlayVideo:
    """overlay.mp4: the parts over the picture, with the clip's sound."""

    def __init__(self, path: Path, clip: Clip) -> None:
        self._path = path
        self._sound = SoundTrack(clip.path, clip.start_s)
        self._writer = VideoWriter(unfinished(path), clip.size, clip.rate, sound=self._sound)

    def write(self, frame: Frame, parsing: Parsing) -> None:
        """Paint a frame and append it."""
        self._writer.write(overlay.overlay(frame.image, parsing), frame.pts_s)

    def finish(self) -> str:
        """Complete the video."""
        self._writer.close()
        _settle(self._path)
        return self._sound.notice

    def abandon(self) -> None:
        """Close it as it is."""
        self._writer.close()


class CutoutVideo:
    """The person with everything else transparent, for editing programs."""

    def __init__(self, path: Path, clip: Clip) -> None:
        self._path = path
        self._writer = VideoWriter(unfinished(path), clip.size, clip.rate, alpha=True)

    def write(self, frame: Frame, parsing: Parsing) -> None:
        """Cut a frame out and append it."""
        self._writer.write(overlay.cutout(frame.image, parsing), frame.pts_s)

    def finish(self) -> str:
        """Complete the video."""
        self._writer.close()
        _settle(self._path)
        return ""

    def abandon(self) -> None:
        """Close it as it is."""
        self._writer.close()


class TextStream:
    """A text file that grows."""

    def __init__(self, path: Path, file_name: str) -> None:
        self.path = path
        self.file_name = file_name
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

    def place(self, frame: Frame) -> coco.Place:
        """Where a frame's entries come from."""
        return coco.Place(self.file_name, frame.index, frame.pts_s, self.path.parent.name)

    def close(self) -> None:
        """Flush and close."""
        try:
            self._file.close()
        except OSError as e:
            raise cannot_write(self.path, e) from e


class Table(TextStream):
    """parts.csv of a clip."""

    def __init__(self, path: Path, clip: Clip) -> None:
        super().__init__(path, clip.path.name)
        self.put(parts_csv.header())

    def write(self, frame: Frame, parsing: Parsing) -> None:
        """Append the rows of a frame."""
        self.put(parts_csv.rows(parsing, self.place(frame)))

    def finish(self) -> str:
        """Complete the file."""
        self.close()
        _settle(self.path)
        return ""

    def abandon(self) -> None:
        """Close it as it is."""
        self.close()


class CocoFile(TextStream):
    """coco.json of a clip; only the short records of the frames wait in memory."""

    def __init__(self, path: Path, clip: Clip) -> None:
        super().__init__(path, clip.path.name)
        self._images: list[dict[str, Any]] = []
        self._annotations = 0
        self.put(f'{{"info":{compact(INFO)},"annotations":[')

    def write(self, frame: Frame, parsing: Parsing) -> None:
        """Append the regions of a frame."""
        image_id = frame.index + 1
        place = self.place(frame)
        self._images.append(coco.image_record(image_id, place, frame.size))
        for annotation in coco.annotate(parsing, image_id):
            self._annotations += 1
            comma = "," if self._annotations > 1 else ""
            self.put(f"{comma}\n{compact({'id': self._annotations, **annotation})}")

    def finish(self) -> str:
        """Complete the file."""
        images = ",\n".join(compact(i) for i in self._images)
        self.put(f'],\n"images":[\n{images}],\n"categories":{compact(coco.CATEGORIES)}}}\n')
        self.close()
        _settle(self.path)
        return ""

    def abandon(self) -> None:
        """Close it as it is."""
        self.close()


INFO: Final = {"description": "people and body parts found by xfactor", "version": "1"}


def compact(value: object) -> str:
    """JSON in one line."""
    return json.dumps(value, separators=(",", ":"))
