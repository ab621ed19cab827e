"""Notices: messages from the threads to whoever shows them, pulled, never pushed."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from runtime.system.errors import Refusal

KEPT = 50  # unread notices kept; a fault that repeats must not fill the memory of a window nobody looks at


class Level(StrEnum):
    """Severity of a notice."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True)
class Notice:
    """One banner's worth of words."""

    text: str
    level: Level = Level.INFO
    details: str = ""  #: a traceback or a longer explanation, behind a fold
    topic: str = ""  #: a later notice of the same topic replaces this one; an empty text withdraws it


class Notices:
    """Queue of notices for the window. Threads `say`, the window drains; `deque` makes both atomic."""

    def __init__(self, on_news: Callable[[], None]) -> None:
        self._waiting: deque[Notice] = deque(maxlen=KEPT)
        self._on_news = on_news

    def say(self, notice: Notice) -> None:
        """Leave a notice and ring the bell; from any thread."""
        self._waiting.append(notice)
        self._on_news()

    def refuse(self, refusal: Refusal, topic: str = "") -> None:
        """Leave a refusal as an error notice."""
        self.say(Notice(str(refusal), Level.ERROR, topic=topic))

    def drain(self) -> list[Notice]:
        """All that waits, oldest first."""
        taken = []
        while self._waiting:
            taken.append(self._waiting.popleft())
        return taken
