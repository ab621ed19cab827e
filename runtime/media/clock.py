"""A clock that never stands still or runs backwards, whatever the time stamps of a file say."""

from __future__ import annotations

from typing import Final

LONGEST_GAP_S: Final = 24 * 3600.0  # a longer one is a damaged time stamp, not a pause in a recording


class Clock:
    """Turns raw presentation times into strictly rising ones and leaves sound ones as they are."""

    def __init__(self, step_s: float) -> None:
        """`step_s` is the usual time between two frames; it stands in for what is missing."""
        self._step_s = step_s
        self._offset_s = 0.0
        self._last_s: float | None = None

    def restart(self, last_s: float | None) -> None:
        """Go on after a seek, as if the frame before had been shown at `last_s`."""
        self._offset_s = 0.0
        self._last_s = last_s

    def tick(self, raw_s: float | None) -> float:
        """The time of the next frame, seconds.

        Args:
            raw_s: What the file says; None when it says nothing.
        """
        if self._last_s is None:
            self._last_s = raw_s if raw_s is not None and abs(raw_s) < LONGEST_GAP_S else 0.0
            return self._last_s
        due = self._last_s + self._step_s
        now = due if raw_s is None else raw_s + self._offset_s
        if now - self._last_s > LONGEST_GAP_S or now < self._last_s - self._step_s:
            self._offset_s += due - now  # a jump: everything after it moves along
            now = due
        elif now <= self._last_s:
            now = self._last_s + self._step_s / 4  # a repeated stamp: squeezed in before the next one
        self._last_s = now
        return now
