"""Parsing of a user's SOURCE argument: a camera, a file, a folder or a link."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from runtime.media.cameras import CameraInfo, list_cameras
from runtime.media.file_types import looks_like
from runtime.media.links import check_link, looks_like_link
from runtime.media.opening import regular_file
from runtime.system.errors import Refusal, printable

LONGEST: Final = 4096  # characters of a path on any system

Kind = Literal["camera", "clip", "image", "folder", "link"]


@dataclass(frozen=True)
class Source:
    """A camera, a file, a folder of pictures or a link."""

    kind: Kind
    name: str  #: for people
    path: Path | None = None  #: of a clip, image or folder
    camera: CameraInfo | None = None
    link: str = ""

    @property
    def video(self) -> bool:
        """True when the source has a frame rate of its own; pictures wait until they are parsed."""
        return self.kind not in {"image", "folder"}


def classify(source: str) -> Source:
    """Tell what a command line argument or a dropped text stands for; opens no device and no connection.

    Args:
        source: A path, `0`, `/dev/video0`, the name of a camera, or the https link of a video.

    Raises:
        Refusal: in words, when it is nothing of these.
    """
    _check_name(source)
    if re.fullmatch(r"\d{1,3}", source) and not _exists(source):
        return _camera(int(source))
    if match := re.fullmatch(r"/dev/video(\d{1,3})", source):
        return _camera(int(match[1]))
    if looks_like_link(source) and not _exists(source):
        link = check_link(source)
        return Source("link", link.name, link=link.page)
    path = Path(source)
    if not _exists(source):
        for camera in list_cameras():
            if camera.name.casefold() == source.casefold():
                return Source("camera", camera.name, camera=camera)
    if _exists(source) and path.is_dir():
        return Source("folder", printable(path.absolute().name), path.absolute())
    file = regular_file(path)
    try:
        kind = looks_like(file)
    except OSError as e:
        raise Refusal(
            printable(file.name), f"it cannot be read ({e.strerror})", "Check its permissions"
        ) from e
    return Source("image" if kind == "picture" else "clip", printable(file.name), file)


def _check_name(source: str) -> None:
    if not source.strip() or "\0" in source:
        raise Refusal("source", "it is empty", "Give a camera number, a file, a folder or a link")
    if len(source) > LONGEST:
        reason = f"it is no name: it has {len(source)} characters"
        raise Refusal(
            f"{printable(source[:40])}…", reason, "Give a camera number, a file, a folder or a link"
        )


def _exists(name: str) -> bool:
    """True when a file, folder or symbolic link of that name exists; an impossible name does not."""
    try:
        return Path(name).exists() or Path(name).is_symlink()
    except OSError:
        return False


def _camera(index: int) -> Source:
    known = {camera.index: camera for camera in list_cameras()}
    camera = known.get(index, CameraInfo(index, f"camera {index}"))
    return Source("camera", camera.name, camera=camera)
