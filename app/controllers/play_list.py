"""Play list: several inputs one after another, of which one is open."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from app.live.pipeline import Pipeline
from app.ui.menu_entries import Choice, fill
from app.ui.window import Window
from app.workspace import Workspace
from runtime.media.capture import Capture
from runtime.media.file_types import CLIP_SUFFIXES
from runtime.media.images import SUFFIXES, natural
from runtime.system.errors import printable
from runtime.system.notices import Level, Notice

NAMED: Final = 3  #: of the inputs that could not be opened; the rest are counted


class PlayList:
    """Opens the next input when a clip has ended, unless it loops; a picture stays until it is left.

    Attributes:
        entries: paths, in order; empty while a single source is open.
    """

    def __init__(
        self, window: Window, workspace: Workspace, pipeline: Pipeline, open_source: Callable[[str], None]
    ) -> None:
        self.entries: tuple[str, ...] = ()
        self._window, self._workspace, self._pipeline = window, workspace, pipeline
        self._open_source = open_source
        self._at = 0
        self._step = 1  # in which direction an input that cannot be opened is left out
        self._asked: Capture | None = None
        self._waits = False  # for the entry at `_at`
        self._refused: list[str] = []
        window.actions_["next-source"].triggered.connect(lambda: self._go(1))
        window.actions_["previous-source"].triggered.connect(lambda: self._go(-1))
        self._show()

    def open(self, paths: Sequence[str]) -> None:
        """Open the first of some inputs, and keep the others for later."""
        entries = tuple(dict.fromkeys(e for path in paths for e in _expanded(path)))
        self.entries, self._refused = (entries, []) if len(entries) > 1 else ((), [])
        self._window.banner.show_notice(Notice("", topic="play list"))
        if self.entries:
            self._at = -1
            self._go(1)
        elif entries:
            self._open_source(entries[0])
        self._show()

    def open_one(self, path: str) -> None:
        """Open a single source, or what a folder contains."""
        self.open([path])

    @property
    def place(self) -> str:
        """Number of the open entry and how many there are, in words; empty without a list."""
        return f" ({self._at + 1} of {len(self.entries)})" if self.entries else ""

    def refresh(self) -> None:
        """Follow what is open: leave out what cannot be opened, go on at the end of a clip. Called often."""
        if not self.entries:
            return
        capture = self._pipeline.capture
        if self._waits:
            if self._asked is None or self._asked.failed:
                self._leave_out()
            elif self._asked is capture:
                self._waits = False
        elif capture is not self._asked and self._pipeline.opening is None:
            self.entries = ()  # something else was opened
            self._show()
        elif capture is not None and capture.ended and not capture.playback.loop and not _still(capture):
            self._go(1)

    def _go(self, step: int) -> None:
        if 0 <= self._at + step < len(self.entries):
            self._at, self._step, self._waits = self._at + step, step, True
            before = self._pipeline.opening
            self._open_source(self.entries[self._at])
            opening = self._pipeline.opening
            self._asked = opening if opening is not before else None
            self._show()

    def _leave_out(self) -> None:
        gone = self.entries[self._at]
        self._refused.append(printable(Path(gone).name))
        names = ", ".join(self._refused[:NAMED]) + ", …" * (len(self._refused) > NAMED)
        words = f"Left out of the play list, they cannot be opened: {len(self._refused)} ({names})."
        self._window.banner.show_notice(Notice(words, Level.WARNING, topic="play list"))
        self.entries = tuple(e for e in self.entries if e != gone)
        self._at -= self._step > 0
        self._waits, self._asked = False, self._pipeline.capture
        self._go(self._step)
        self._show()

    def _on_chosen(self, path: str) -> None:
        self._go(self.entries.index(path) - self._at)

    def _show(self) -> None:
        actions, entries = self._window.actions_, self.entries
        choices = [Choice(e, f"{i + 1} {Path(e).name}", checked=i == self._at) for i, e in enumerate(entries)]
        fill(actions.menus["play-list"], choices, self._on_chosen, group=actions.group("play-list"))
        actions["next-source"].setEnabled(self._at + 1 < len(entries))
        actions["previous-source"].setEnabled(self._at > 0 and bool(entries))


def _expanded(path: str) -> list[str]:
    """The inputs of one path: of a folder with clips each clip, and the folder for its pictures."""
    folder = Path(path)
    try:
        inside = sorted(folder.iterdir(), key=natural) if folder.is_dir() else []
    except OSError:
        inside = []  # opening it says why
    clips = [str(p) for p in inside if p.suffix.lower() in CLIP_SUFFIXES - SUFFIXES and p.is_file()]
    pictures = any(p.suffix.lower() in SUFFIXES for p in inside)
    return [path] * (pictures or not clips) + clips


def _still(capture: Capture) -> bool:
    return capture.info is not None and capture.info.still
