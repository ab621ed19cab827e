"""Previews: silhouettes over their frames as small pictures, made beside the window as they appear."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from personalize.messages import FrameSilhouette
from runtime.media.cursor import Cursor
from runtime.media.feeds import ClipFeed, Feed, PicturesFeed
from runtime.media.images import read_image
from runtime.system.errors import Refusal
from runtime.system.latest import Latest

Picture = NDArray[np.uint8]
Mask = NDArray[np.uint8]

WIDTH: Final = 360  # px of a preview
PAUSE_S: Final = 0.2  # between two of them: the live picture is more important
SURE = 255
EDGE: Final = (76, 224, 179)  # RGB of the outline
DOUBT: Final = np.array((245, 165, 36), np.float32)
DIM: Final = 0.4  # how bright the room stays

log = logging.getLogger("xfactor.personalising")


@dataclass(frozen=True)
class Preview:
    """One frame with its silhouette."""

    frame: int
    picture: Picture  #: (h, w, 3) RGB
    thumbnail: Picture  #: (96, 96, 3) RGB, the person cut out of the frame
    sure: float  #: share of the frame that is surely the person


class Previews(threading.Thread):
    """Makes them until it is stopped: of the newest silhouettes one, and every one that is kept."""

    def __init__(self, clip: Path, on_news: Callable[[], None]) -> None:
        super().__init__(name="previews", daemon=True)
        self._clip = clip
        self._on_news = on_news
        self._newest: Latest[FrameSilhouette] = Latest()
        self._kept: deque[FrameSilhouette] = deque(maxlen=64)
        self._made: deque[Preview] = deque(maxlen=64)
        self._end = threading.Event()

    def offer(self, silhouette: FrameSilhouette, *, keep: bool) -> None:
        """Show this one unless a newer one comes first; `keep` makes it in any case."""
        if keep:
            self._kept.append(silhouette)
        self._newest.put(silhouette)

    def take(self) -> list[Preview]:
        """Previews made since the last call."""
        taken = []
        while self._made:
            taken.append(self._made.popleft())
        return taken

    def stop(self) -> None:
        """Ask it to end; does not wait."""
        self._end.set()
        self._newest.close()

    def run(self) -> None:
        """One after the other, never hurried."""
        try:
            feed: Feed = PicturesFeed(self._clip) if self._clip.is_dir() else ClipFeed(self._clip)
        except Refusal as e:
            log.warning("no previews: %s", e)
            return
        try:
            cursor = Cursor(feed, self._end.is_set)
            while not self._end.is_set():
                newest = self._newest.take()
                for silhouette in (*self._keepsakes(), newest):
                    if silhouette is not None and not self._end.is_set():
                        self._make(cursor, silhouette)
                self._end.wait(PAUSE_S)
        except Exception:  # a decoder's own errors: there are no more previews, and everything else goes on
            log.exception("previews of %s ended", self._clip.name)
        finally:
            feed.close()

    def _keepsakes(self) -> list[FrameSilhouette]:
        taken = []
        while self._kept:
            taken.append(self._kept.popleft())
        return sorted(taken, key=lambda s: s.frame)

    def _make(self, cursor: Cursor, silhouette: FrameSilhouette) -> None:
        frame = cursor.move(silhouette.frame)
        mask = read_mask(Path(silhouette.path))
        if frame is not None and mask is not None and frame.index == silhouette.frame:
            thumbnail, sure = portrait(frame.image, mask), float((mask == SURE).mean())
            self._made.append(Preview(frame.index, composed(frame.image, mask), thumbnail, sure))
            self._on_news()


def read_mask(path: Path) -> Mask | None:
    """(h, w) of a silhouette file; None when it is gone or damaged: the worker may just be replacing it."""
    try:
        picture = read_image(path)
    except Refusal:
        return None
    return np.ascontiguousarray(picture[:, :, 0])


def composed(image: Picture, mask: Mask, width: int = WIDTH) -> Picture:
    """The frame with the room dimmed, the person bright and outlined, and what is undecided in amber."""
    height = max(1, round(width * image.shape[0] / image.shape[1]))
    small = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA).astype(np.float32)
    large = cv2.resize(mask, (width, height), interpolation=cv2.INTER_NEAREST)
    person, undecided = large == SURE, (large > 0) & (large < SURE)
    out = np.where(person[:, :, None], small, small * DIM)
    out[undecided] = 0.6 * small[undecided] * DIM + 0.4 * DOUBT
    picture = np.ascontiguousarray(out.astype(np.uint8))
    outlines, _ = cv2.findContours(person.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    cv2.drawContours(picture, outlines, -1, EDGE, 1, cv2.LINE_AA)
    return picture


def portrait(image: Picture, mask: Mask, side: int = 96) -> Picture:
    """(side, side, 3): the person of a frame, cut out square; the whole frame where there is nobody."""
    height, width = image.shape[:2]
    rows, columns = np.nonzero(mask == SURE)
    if len(rows) == 0:
        top, bottom, left, right = 0.0, float(height), 0.0, float(width)
    else:
        scale_y, scale_x = height / mask.shape[0], width / mask.shape[1]
        top, bottom = rows.min() * scale_y, (rows.max() + 1) * scale_y
        left, right = columns.min() * scale_x, (columns.max() + 1) * scale_x
    reach = round(min(max(bottom - top, right - left) * 1.1, height, width))
    x = min(max(0, round((left + right - reach) / 2)), width - reach)
    y = min(max(0, round((top + bottom - reach) / 2)), height - reach)
    cut = image[y : y + reach, x : x + reach]
    return np.asarray(cv2.resize(cut, (side, side), interpolation=cv2.INTER_AREA), np.uint8)
