"""What a long run tells, and how it is asked to stop."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final, Literal, Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.text import Text

from app.batch.manifest import Record
from app.batch.plan import Item

Style = Literal["rich", "json", "none"]
STYLES: Final = ("rich", "json", "none")
_PAUSE_S: Final = 0.2  # between two reports of one clip


class Watch(Protocol):
    """Is told what happens."""

    def begin(self, item: Item, frames: int) -> None:
        """An input is started; `frames` are expected."""

    def advance(self, item: Item, done: int) -> None:
        """So many frames of it are parsed."""

    def note(self, line: str) -> None:
        """Something a careful user should know."""

    def end(self, item: Item, record: Record, *, again: bool = False) -> None:
        """It is over, one way or another; `again` when an earlier run did it and nothing was left to do."""

    def close(self) -> None:
        """Nothing more will be told."""


def watch(style: Style, inputs: int) -> Watch:
    """The watch of a style: bars on the error output, JSON lines on the output, or nothing."""
    if style == "rich":
        return Bars(inputs)
    return Lines() if style == "json" else Silence()


class Silence:
    """Tells nothing."""

    def begin(self, item: Item, frames: int) -> None: ...
    def advance(self, item: Item, done: int) -> None: ...
    def note(self, line: str) -> None: ...
    def end(self, item: Item, record: Record, *, again: bool = False) -> None: ...
    def close(self) -> None: ...


class Lines:
    """One JSON object per line, for a program that reads along; a reader who leaves is no error."""

    def __init__(self) -> None:
        self._said_s = float("-inf")

    def begin(self, item: Item, frames: int) -> None:
        self._say(event="begin", input=item.path, frames=frames)

    def advance(self, item: Item, done: int) -> None:
        if time.monotonic() - self._said_s > _PAUSE_S:
            self._said_s = time.monotonic()
            self._say(event="progress", input=item.path, frame=done)

    def note(self, line: str) -> None:
        self._say(event="notice", text=line)

    def end(self, item: Item, record: Record, *, again: bool = False) -> None:
        said = {"status": record.status, "reason": record.reason, "frames": record.frames}
        seconds = 0.0 if again else record.seconds
        self._say(event="end", input=item.path, **said, seconds=seconds, already_whole=again)

    def close(self) -> None: ...

    def _say(self, **values: object) -> None:
        try:
            sys.stdout.write(json.dumps(values) + "\n")
            sys.stdout.flush()
        except (BrokenPipeError, ValueError):
            quiet_stdout()


class Bars:
    """A bar for the running input and one for all; a line per input when it ends."""

    def __init__(self, inputs: int) -> None:
        self._console = Console(stderr=True, highlight=False)
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        self._progress = Progress(*columns, console=self._console, disable=not self._console.is_terminal)
        self._all = self._progress.add_task("inputs", total=inputs, visible=inputs > 1)
        self._one = self._progress.add_task("", total=None, visible=False)
        self._progress.start()

    def begin(self, item: Item, frames: int) -> None:
        name = Text(item.shown).markup  # a file name is no markup
        self._progress.reset(self._one, total=frames, visible=frames > 1, description=name)

    def advance(self, item: Item, done: int) -> None:
        self._progress.update(self._one, completed=done)

    def note(self, line: str) -> None:
        self._console.print(Text(line), soft_wrap=True)

    def end(self, item: Item, record: Record, *, again: bool = False) -> None:
        self._progress.update(self._one, visible=False)
        self._progress.advance(self._all)
        what = f"{record.frames} frame{'s' * (record.frames != 1)}, {record.seconds:.1f} s"
        if again:
            what = "already whole"
        if record.status != "ok":
            what = record.reason.removeprefix(f"{item.shown}: ")
        told = what if again and record.status == "ok" else f"{record.status}: {what}"
        self._console.print(Text(f"{item.shown}: {told}"), soft_wrap=True)

    def close(self) -> None:
        self._progress.stop()


class Stop:
    """Asked for by Ctrl-C or a termination signal; the second time the program ends at once."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def __bool__(self) -> bool:
        return self._event.is_set()

    def ask(self, number: int = 0, frame: FrameType | None = None) -> None:
        """Stop after the frame at hand."""
        if self._event.is_set():
            os._exit(130)
        self._event.set()

    @contextmanager
    def on_signals(self) -> Iterator[Stop]:
        """Listen to signals while it lasts; outside the main thread there is nothing to listen to."""
        if threading.current_thread() is not threading.main_thread():
            yield self
            return
        names = [n for n in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, n)]
        numbers = [n for n in names if signal.getsignal(getattr(signal, n)) != signal.SIG_IGN]  # nohup
        before = {n: signal.signal(getattr(signal, n), self.ask) for n in numbers}
        try:
            yield self
        finally:
            for name, handler in before.items():
                signal.signal(getattr(signal, name), handler)


def quiet_stdout() -> None:
    """Let further output go nowhere, after its reader went away; also what Python flushes at its end."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.close(null)
