"""Continuity of a video: one frame goes on from the one before, or the past says nothing of it."""

from __future__ import annotations

from runtime.frames import Frame

JUMP_S = 0.5  # a gap in presentation time after which the past says nothing of the present


class Continuity:
    """The frames of one thread, in the order in which they are parsed."""

    def __init__(self) -> None:
        self._previous: Frame | None = None
        self._used = self._beside = 0

    def starts(self, frame: Frame, engine_id: int, beside: int = 0) -> bool:
        """True for the first frame, and after a seek, of another source or size, for another engine.

        Args:
            frame: the next one.
            engine_id: of the engine that parses it.
            beside: id of one that it is compared with, 0 without: both are to remember the same frames.
        """
        previous, self._previous = self._previous, frame
        changed = engine_id != self._used or beside not in {0, self._beside}
        self._used, self._beside = engine_id, beside
        if changed or previous is None or (previous.source, previous.size) != (frame.source, frame.size):
            return True
        return not (0 <= frame.pts_s - previous.pts_s <= JUMP_S and frame.index >= previous.index)

    def is_first(self, frame: Frame, engine_id: int) -> bool:
        """True for the first frame of its size that an engine parses; it is not noted as parsed."""
        return engine_id != self._used or self._previous is None or self._previous.size != frame.size
