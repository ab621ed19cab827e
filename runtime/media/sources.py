"""Parsing of a user's SOURCE argument: a camera, a file, a folder, a link, a stream or part of the screen."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final, Literal

from runtime.media.cameras import CameraInfo, CameraMode, list_cameras
from runtime.media.file_types import looks_like
from runtime.media.links import check_link, looks_like_link
from runtime.media.opening import regular_file
from runtime.media.stream_links import check_stream, is_stream
from runtime.system.errors import Refusal, printable

LONGEST: Final = 4096  # characters of a path on any system

CAMERA: Final = "camera:"  #: before the name of a camera
SCREEN: Final = "screen:"  #: before a part of the screen, as X11 writes it
Area = tuple[int, int, int, int]  # x, y, width, height, px
Kind = Literal["camera", "clip", "image", "folder", "link", "stream", "screen"]


@dataclass(frozen=True)
class Source:
    """A camera, a file, a folder of pictures, a link, a stream or a part of the screen."""

    kind: Kind
    name: str  #: for people
    path: Path | None = None  #: of a clip, image or folder
    camera: CameraInfo | None = None
    link: str = field(default="", repr=False)  #: whole; a stream's may contain a password
    area: Area = (0, 0, 0, 0)  #: of a screen

    @property
    def address(self) -> str:
        """Text that `classify` takes to open it again; it may be shown and kept."""
        if self.camera is not None:
            return f"{CAMERA}{self.camera.name}"
        if self.kind == "screen":
            return screen_address(self.area)
        return self.name if self.path is None else str(self.path)

    @property
    def live(self) -> bool:
        """True for what happens now and has no time line."""
        return self.kind in {"camera", "stream", "screen"}

    @property
    def video(self) -> bool:
        """True when the source has a frame rate of its own; pictures wait until they are parsed."""
        return self.kind not in {"image", "folder"}


def classify(source: str) -> Source:
    """Tell what a command line argument or a dropped text stands for; opens no device and no connection.

    Args:
        source: A path, `0`, `/dev/video0`, the name of a camera, the https link of a video, the link of a
            stream, or `screen:1920x1080+0+0`.

    Raises:
        Refusal: in words, when it is nothing of these.
    """
    _check_name(source)
    if match := re.fullmatch(r"/dev/video(\d{1,3})", source):
        return _camera(int(match[1]))
    path = Path(source)
    if not _exists(source):
        if (addressed := _addressed(source)) is not None:
            return addressed
    elif path.is_dir():
        return Source("folder", printable(path.absolute().name), path.absolute())
    file = regular_file(path)
    try:
        kind = looks_like(file)
    except OSError as e:
        raise Refusal(
            printable(file.name), f"it cannot be read ({e.strerror})", "Check its permissions"
        ) from e
    return Source("image" if kind == "picture" else "clip", printable(file.name), file)


def _addressed(text: str) -> Source | None:
    """The source of a text that is no path: a camera, a stream, a link or a part of the screen."""
    if re.fullmatch(r"\d{1,3}", text):
        return _camera(int(text))
    if text.startswith(CAMERA):
        return _camera_named(text.removeprefix(CAMERA))
    if match := re.fullmatch(r"screen:(\d{1,5})x(\d{1,5})\+(\d{1,5})\+(\d{1,5})", text):
        return _screen(*map(int, match.groups()))
    if is_stream(text):
        stream = check_stream(text)
        return Source("stream", stream.public, link=stream.address)
    if looks_like_link(text):
        link = check_link(text)
        return Source("link", link.name, link=link.page)
    return next((Source("camera", c.name, camera=c) for c in list_cameras() if _same(c.name, text)), None)


def _same(name: str, other: str) -> bool:
    return name.casefold() == other.casefold()


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


class Addresses:
    """Passwords and camera modes, as this run knows them, behind addresses that may be shown."""

    def __init__(self) -> None:
        self.modes: Mapping[str, CameraMode] = {}  #: by name of the camera
        self._links: dict[str, str] = {}  # whole links by public form; never written anywhere

    def classify(self, text: str) -> Source:
        """As the function of that name, with what is known.

        Raises:
            Refusal: it is no source.
        """
        source = classify(self._links.get(text, text))
        if source.kind == "stream":
            self._links[source.name] = source.link
        if source.camera is not None:
            mode = self.modes.get(source.camera.name, source.camera.mode)
            source = replace(source, camera=replace(source.camera, mode=mode))
        return source


def screen_address(area: Area) -> str:
    """Address of a part of the screen."""
    x, y, width, height = area
    return f"{SCREEN}{width}x{height}+{x}+{y}"


def _screen(width: int, height: int, x: int, y: int) -> Source:
    remedy = "Log in to an X11 (Xorg) session, or share the screen by a virtual camera such as OBS's"
    if os.environ.get("WAYLAND_DISPLAY") or os.environ.get("XDG_SESSION_TYPE") == "wayland":
        raise Refusal("screen", "Wayland shows the screen to no other program", remedy)
    if not sys.platform.startswith("linux") or not os.environ.get("DISPLAY"):
        raise Refusal("screen", "only an X11 screen can be read", remedy)
    return Source("screen", f"screen {width} × {height}", area=(x, y, width, height))


def _camera_named(name: str) -> Source:
    for camera in list_cameras():
        if _same(camera.name, name):
            return Source("camera", camera.name, camera=camera)
    if match := re.fullmatch(r"camera (\d{1,3})", name):  # one that the system has no name for
        return _camera(int(match[1]))
    raise Refusal(f"camera {printable(name)}", "it is not connected", "Plug it in, or choose another one")


def _camera(index: int) -> Source:
    known = {camera.index: camera for camera in list_cameras()}
    camera = known.get(index, CameraInfo(index, f"camera {index}"))
    return Source("camera", camera.name, camera=camera)
