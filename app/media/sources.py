"""What a user's word for a source means: a camera, a file, a folder or a link."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from app.errors import Refusal
from app.media.cameras import CameraInfo, list_cameras
from app.media.opening import printable, regular_file
from app.media.structure import looks_like

Kind = Literal["camera", "clip", "image", "folder", "link"]

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:")


@dataclass(frozen=True)
class Source:
    """Where pictures come from."""

    kind: Kind
    name: str  #: for people
    path: Path | None = None  #: of a clip, image or folder
    camera: CameraInfo | None = None
    link: str = ""


def classify(source: str) -> Source:
    """Tell what a command line argument or a dropped text stands for; opens no device and no connection.

    Args:
        source: A path, `0`, `/dev/video0`, the name of a camera, or an https link.

    Raises:
        Refusal: in words, when it is nothing of these.
    """
    if not source.strip() or "\0" in source:
        raise Refusal("source", "it is empty", "Give a camera number, a file, a folder or a link")
    if re.fullmatch(r"\d{1,3}", source) and not Path(source).exists():
        return _camera(int(source))
    if match := re.fullmatch(r"/dev/video(\d{1,3})", source):
        return _camera(int(match[1]))
    if _SCHEME.match(source) and not Path(source).exists():
        return _link(source)
    path = Path(source)
    if not path.exists() and not path.is_symlink():
        for camera in list_cameras():
            if camera.name.casefold() == source.casefold():
                return Source("camera", camera.name, camera=camera)
    if path.is_dir():
        return Source("folder", printable(path.absolute().name), path.absolute())
    file = regular_file(path)
    try:
        kind = looks_like(file)
    except OSError as e:
        raise Refusal(
            printable(file.name), f"it cannot be read ({e.strerror})", "Check its permissions"
        ) from e
    return Source("image" if kind == "picture" else "clip", printable(file.name), file)


def _camera(index: int) -> Source:
    known = {camera.index: camera for camera in list_cameras()}
    camera = known.get(index, CameraInfo(index, f"camera {index}"))
    return Source("camera", camera.name, camera=camera)


def _link(text: str) -> Source:
    shown = printable(text.split("?", maxsplit=1)[0])[:80]
    if not text.lower().startswith("https://"):
        raise Refusal(shown, "only https links are taken", "Download the clip and open the file")
    if len(text) > 2000 or not text.isprintable() or " " in text:
        raise Refusal(shown, "it is not a link", "Copy the link again")
    return Source("link", shown, link=text)
