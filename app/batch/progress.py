"""Progress of a run over many inputs."""

from __future__ import annotations

from typing import Any

from app.batch.manifest import Record
from app.batch.plan import Item
from runtime.system.reporter import ProgressReporter


class BatchProgress:
    """Reports begin, frames and end of each input; why one is not whole is a failure in every style."""

    def __init__(self, reporter: ProgressReporter, inputs: int) -> None:
        self._reporter, self._inputs = reporter, inputs
        self._ended = 0
        self._expected: dict[str, int] = {}  # frames of the inputs at hand

    def begin(self, item: Item, frames: int) -> None:
        """So many frames of an input are expected; said once, also of one that is tried again."""
        if item.path not in self._expected:
            self._expected[item.path] = frames
            self._reporter.event("begin", input=item.path, frames=frames, inputs=self._inputs)

    def advance(self, item: Item, done: int) -> None:
        """So many frames of it are parsed."""
        self._reporter.event("progress", frequent=True, input=item.path, frame=done)
        if (expected := self._expected.get(item.path, 0)) > 1:
            self._reporter.bar(item.path, item.shown, done, expected, f"{done}/{expected}")

    def note(self, line: str) -> None:
        """Something a careful user should know."""
        self._reporter.event("notice", text=line)
        self._reporter.line(line)

    def end(self, item: Item, record: Record, *, again: bool = False) -> None:
        """An input is over; `again` when an earlier run did it and nothing was left to do."""
        self._ended += 1
        if not again:  # what could not be opened has not begun
            self.begin(item, record.frames)
        values: dict[str, Any] = {"status": record.status, "reason": record.reason, "frames": record.frames}
        values["notices"] = record.notices
        seconds = 0.0 if again else record.seconds
        self._reporter.event("end", input=item.path, **values, seconds=seconds, already_whole=again)
        self._expected.pop(item.path, None)
        self._reporter.remove(item.path)
        if self._inputs > 1:
            self._reporter.bar("inputs", "inputs", self._ended, self._inputs, f"{self._ended}/{self._inputs}")
        if record.status != "ok":
            reason = record.reason.removeprefix(f"{item.shown}: ")
            self._reporter.failure(f"{item.shown}: {record.status}: {reason}")
        elif again:
            self._reporter.line(f"{item.shown}: already whole")
        else:
            frames = f"{record.frames} frame{'s' * (record.frames != 1)}"
            self._reporter.line(f"{item.shown}: ok: {frames}, {record.seconds:.1f} s")
        say = self._reporter.line if record.status == "ok" else self._reporter.failure
        for notice in record.notices if not again else ():
            if notice not in record.reason:
                say(f"{item.shown}: {notice}")
