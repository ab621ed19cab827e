"""Cursor: frames of a file one by one, from any index, with a short memory for stepping back."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from typing import Protocol

from runtime.frames import Frame

MEMORY_FRAMES = 48  # decoded frames kept behind the cursor, so that stepping back costs nothing
MEMORY_BYTES = 64 << 20  # and no more than this: 24 frames at 720p
LEAD = 12  # frames decoded before the target of a jump back, so that the next steps back cost nothing
NEAR = 24  # a jump forward of at most this many frames decodes on instead of seeking


class Frames(Protocol):
    """Anything that yields frames from an index on."""

    def frames(self, start: int = 0) -> Iterator[Frame]:
        """Frames from `start` until the end."""


class Cursor:
    """A reading position over a feed; used by one thread."""

    def __init__(self, feed: Frames, stopped: Callable[[], bool] = lambda: False) -> None:
        """`stopped` is asked between two decoded frames: a long jump must not hold up the end."""
        self._feed = feed
        self._stopped = stopped
        self._decoder = feed.frames(0)
        self._memory: deque[Frame] = deque()  # contiguous, its last one is the newest decoded
        self._at = 0  # index of the frame that `peek` gives
        self._ended = False

    def peek(self) -> Frame | None:
        """The frame at the cursor without moving; None behind the last."""
        while not self._memory or self._memory[-1].index < self._at:
            if not self._decode():
                return None
        return next((f for f in self._memory if f.index >= self._at), None)

    def advance(self) -> None:
        """Move past the frame that `peek` gave."""
        frame = self.peek()
        if frame is not None:
            self._at = frame.index + 1

    def move(self, index: int) -> Frame | None:
        """Go to a frame exactly; behind the end, to the last one. None: the source has no frame at all."""
        index = max(0, index)
        if not self._reaches(index):
            self._restart(max(0, index - LEAD) if index < self._at else index)
        self._at = index
        frame = self.peek()
        if frame is None:
            frame = self._last(index)
        return frame

    def _reaches(self, index: int) -> bool:
        if not self._memory:
            return not self._ended and 0 <= index <= NEAR
        return self._memory[0].index <= index <= self._memory[-1].index + NEAR

    def _restart(self, index: int) -> None:
        self._memory.clear()
        self._ended = False
        self._decoder = self._feed.frames(index)

    def _last(self, index: int) -> Frame | None:
        """The last frame there is, found by reading on from ever further before `index`."""
        back = LEAD
        while not self._memory and index > 0:
            index = max(0, index - back)
            back *= 4
            self._restart(index)
            while self._decode():
                pass
        if not self._memory:
            return None
        self._at = self._memory[-1].index
        return self._memory[-1]

    def _decode(self) -> bool:
        frame = None if self._ended or self._stopped() else next(self._decoder, None)
        if frame is None:
            self._ended = True
            return False
        self._memory.append(frame)
        room = min(MEMORY_FRAMES, max(2, MEMORY_BYTES // frame.image.nbytes))
        while len(self._memory) > room:
            self._memory.popleft()
        return True
