"""Progress of a command in one of three styles: bars for people, JSON lines for programs, or nothing."""

from __future__ import annotations

import json
import sys
import time
from contextlib import suppress
from typing import Final, Literal

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, TaskID, TextColumn, TimeRemainingColumn
from rich.text import Text

from runtime.system import standard_output

Style = Literal["rich", "json", "none"]
_PAUSE_S: Final = 0.2  # between two lines of one frequent event


class _ErrorOutput(Console):
    """The error output; the command goes on when its reader leaves."""

    def on_broken_pipe(self) -> None:
        self.quiet = True


class ProgressReporter:
    """Bars and lines on the error output (`rich`), JSON lines on the output (`json`), or neither (`none`).

    A failure is a line on the error output in every style. A reader who leaves is no error; events that a
    full disk does not take are lost, which is told at the end of the command. The work goes on in both.
    """

    def __init__(self, style: Style, *, time_left: bool = True) -> None:
        """`time_left`: let the bars estimate it."""
        self.style = style
        self._console = _ErrorOutput(stderr=True, highlight=False)
        columns: list[ProgressColumn] = [
            TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[note]}")
        ]  # fmt: skip
        columns += [TimeRemainingColumn()] if time_left else []
        shown = style == "rich" and self._console.is_terminal
        self._bars = Progress(*columns, console=self._console, disable=not shown)
        self._tasks: dict[str, TaskID] = {}
        self._event_s: dict[str, float] = {}
        self._bars.start()

    def event(self, name: str, /, *, frequent: bool = False, **values: object) -> None:
        """A JSON line; of a frequent event no more than five a second."""
        if self.style != "json":
            return
        if frequent and time.monotonic() - self._event_s.get(name, float("-inf")) < _PAUSE_S:
            return
        self._event_s[name] = time.monotonic()
        try:
            if sys.stdout is not None:  # `>&-`
                sys.stdout.write(json.dumps({"event": name, **values}) + "\n")
                sys.stdout.flush()
        except OSError as e:
            standard_output.give_up(e)
        except ValueError:  # it is closed
            standard_output.give_up()

    def line(self, text: str) -> None:
        """A line for people."""
        if self.style == "rich":
            self.failure(text)

    def failure(self, text: str) -> None:
        """A line on the error output, whatever the style."""
        with suppress(OSError, ValueError):
            self._console.print(Text(text), soft_wrap=True)

    def bar(self, name: str, text: str, done: float, total: float | None, note: str = "") -> None:
        """Show or move a bar; another text begins it anew."""
        described = Text(text).markup  # a file name is no markup
        task = self._tasks.get(name)
        if task is None:
            task = self._tasks[name] = self._bars.add_task(described, note=note)
        elif self._bars.tasks[self._bars.task_ids.index(task)].description != described:
            self._bars.reset(task, description=described)
        self._bars.update(task, completed=done, total=total, note=note)

    def remove(self, name: str) -> None:
        """Take a bar away."""
        if name in self._tasks:
            self._bars.remove_task(self._tasks.pop(name))

    def close(self) -> None:
        """Take all bars away."""
        self._bars.stop()
