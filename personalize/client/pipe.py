"""Lines of the worker's pipe as messages, and the end of its stderr as text."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from personalize.messages import Message, decode

LONGEST: Final = 1 << 20  # bytes of a line; a longer one is no event
LAST_WORDS: Final = 4000  # characters of stderr that are worth showing


class MessageStream:
    """Bytes as they come → whole events; half a line waits for its other half."""

    def __init__(self) -> None:
        self._rest = b""
        self._skipping = False

    def feed(self, data: bytes) -> Iterator[Message]:
        """The events that are complete now."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            if self._skipping:
                self._skipping = False
                continue
            event = decode(line.decode("utf-8", "replace"))
            if event is not None:
                yield event
        if len(self._rest) > LONGEST:
            self._rest, self._skipping = b"", True


def said_by(errors: Path) -> str:
    """The end of what a process wrote to its stderr."""
    try:
        with errors.open("rb") as file:
            file.seek(max(0, errors.stat().st_size - LAST_WORDS))
            return file.read(LAST_WORDS).decode("utf-8", "replace").strip()
    except OSError:
        return ""
