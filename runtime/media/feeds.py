"""Feeds: what Capture reads, one small class per kind of source, behind one protocol."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from runtime.frames import Frame
from runtime.media.cameras import Camera
from runtime.media.clips import Clip
from runtime.media.images import are_alike, have_one_size, inner_folders, list_images, read_image
from runtime.media.opening import open_screen, open_stream
from runtime.media.sources import Source
from runtime.media.stream_links import StreamLink
from runtime.media.streams import LiveStream
from runtime.system.errors import Refusal, printable

SEQUENCE_RATE = 25.0  # pictures per second of a numbered sequence: it was a film once
SCREEN_RATE = 15.0  # pictures per second of the screen: each costs a copy of all its pixels
SLIDES_RATE = 1.0  # pictures per second of a folder of unrelated photos


@dataclass(frozen=True)
class FeedInfo:
    """Properties of an open source: size, frame rate, length."""

    name: str
    live: bool  #: no time line, frames come when they come
    size: tuple[int, int]  #: (width, height) of the displayed picture, px
    frames: int  #: how many it has, as far as the file says; 0 for a live source
    rate: float  #: frames per second, nominal
    notices: tuple[str, ...] = ()  #: what the reader has to say of the file, for a banner
    camera: bool = False  #: its light is on
    mixed: bool = False  #: numbered pictures of several sizes, or of different things

    @property
    def still(self) -> bool:
        """True for a single picture."""
        return not self.live and self.frames == 1


def open_feed(source: Source) -> Feed:
    """Open what `classify` found.

    Raises:
        Refusal: in words, when it cannot be read.
    """
    if source.camera is not None:
        camera = source.camera.found_again()
        return CameraFeed(Camera(camera.index, camera.mode, name=camera.name), camera.name)
    if source.kind == "stream":
        link = StreamLink(source.link, source.name)
        return StreamFeed(LiveStream(source.name, lambda: open_stream(link)))
    if source.kind == "screen":
        return StreamFeed(LiveStream(source.name, lambda: open_screen(*source.area, SCREEN_RATE)))
    if source.path is None:
        raise Refusal(source.name, "a link is downloaded before it is read", "Open the link in the window")
    if source.kind == "clip":
        return ClipFeed(source.path)
    return PicturesFeed(source.path)


class Feed(Protocol):
    """An open source of frames, used by the capture thread only."""

    @property
    def info(self) -> FeedInfo:
        """Properties of the source; more exact the more of it is read."""

    def frames(self, start: int = 0) -> Iterator[Frame]:
        """Frames from index `start` on (a live source ignores it), until the end or `close`."""

    def close(self) -> None:
        """Give the file or device back; idempotent."""


class ClipFeed:
    """A video file."""

    def __init__(self, path: Path) -> None:
        self._clip = Clip(path)

    @property
    def info(self) -> FeedInfo:
        """Size, length and rate as the file states them."""
        clip = self._clip
        return FeedInfo(
            clip.name,
            live=False,
            size=clip.size,
            frames=clip.frames_expected,
            rate=clip.rate,
            notices=tuple(clip.notices),
        )

    def frames(self, start: int = 0) -> Iterator[Frame]:
        """Decode from exactly frame `start`."""
        return self._clip.frames(start)

    def close(self) -> None:
        """Close the container."""
        self._clip.close()


class CameraFeed:
    """A camera; it is on exactly as long as this object is open."""

    def __init__(self, camera: Camera, name: str) -> None:
        self._camera = camera
        self._name = name

    @property
    def info(self) -> FeedInfo:
        """Size and length are not known; the frames tell."""
        camera = self._camera
        return FeedInfo(
            self._name, live=True, size=(0, 0), frames=0, rate=camera.rate, camera=True,
            notices=tuple(camera.notices),
        )  # fmt: skip

    def frames(self, start: int = 0) -> Iterator[Frame]:
        """Frames as they come."""
        del start
        return self._camera.frames()

    def close(self) -> None:
        """Switch the camera off."""
        self._camera.close()


class StreamFeed:
    """A stream of the network, or the screen."""

    def __init__(self, stream: LiveStream) -> None:
        self._stream = stream

    @property
    def info(self) -> FeedInfo:
        """Size and length are not known; the frames tell."""
        of = self._stream
        return FeedInfo(of.name, live=True, size=(0, 0), frames=0, rate=of.rate, notices=of.notices)

    def frames(self, start: int = 0) -> Iterator[Frame]:
        """Frames as they come."""
        del start
        return self._stream.frames()

    def close(self) -> None:
        """Disconnect."""
        self._stream.close()


class PicturesFeed:
    """One image, or the images of a folder in order."""

    def __init__(self, path: Path) -> None:
        self._name = printable(path.name)
        self._paths = list_images(path) if path.is_dir() else [path]
        if not self._paths:
            inner = inner_folders(path)
            remedy = f"Open one of its folders: {inner}" if inner else "Open a folder with PNG or JPEG files"
            raise Refusal(printable(path.name), "the folder holds no pictures", remedy)
        self._rate = SEQUENCE_RATE if is_numbered(self._paths) else SLIDES_RATE
        numbered = self._rate == SEQUENCE_RATE
        self._mixed = numbered and not (have_one_size(self._paths) and are_alike(self._paths))
        self._size = (0, 0)
        self._unread: dict[Path, str] = {}

    @property
    def info(self) -> FeedInfo:
        """The size is that of the newest picture; others may differ."""
        return FeedInfo(
            name=self._name,
            live=False,
            size=self._size,
            frames=len(self._paths),
            rate=self._rate,
            mixed=self._mixed,
            notices=tuple(self._unread.values()),
        )

    def frames(self, start: int = 0) -> Iterator[Frame]:
        """Pictures from number `start` on; one of many that cannot be read is left out and named."""
        for index in range(start, len(self._paths)):
            path = self._paths[index]
            try:
                image: NDArray[np.uint8] = read_image(path)
            except Refusal as e:
                if len(self._paths) == 1:
                    raise
                self._unread[path] = str(e)
                continue
            self._size = (image.shape[1], image.shape[0])
            yield Frame(image, index=index, pts_s=index / self._rate, captured_s=time.monotonic())

    def close(self) -> None:
        """Nothing is held open between two pictures."""


def is_numbered(paths: list[Path]) -> bool:
    """True when names end in consecutive numbers: frames of a film, not an album."""
    ends = [re.search(r"(\d+)$", p.stem) for p in paths]
    numbers = [int(m.group(1)) for m in ends if m]
    return len(numbers) == len(paths) > 2 and numbers[-1] - numbers[0] == len(numbers) - 1
