"""Pool of worker processes that are watched: each parses one input at a time, and may die or hang of it."""

from __future__ import annotations

import json
import logging
import select
import time
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

from app.batch.item import LoadedModel, stamp
from app.batch.manifest import Record
from app.batch.options import ParseJob
from app.batch.placement import sweep
from app.batch.plan import Item
from app.batch.run import NOT_FINISHED, TRIES, TRY_AGAIN, BatchReport, Outcome
from app.batch.worker_process import next_process
from runtime.system.disk import CannotWriteError
from runtime.system.errors import Refusal
from runtime.system.processes import ended

GLANCE_S: Final = 0.2  # how often a Ctrl-C is heeded, and silence and memory are looked at
LEAVE_S: Final = 2.0  # from closing stdin until an idle process is killed

log = logging.getLogger("xfactor.batch")


@dataclass(frozen=True)
class Bounds:
    """Time and memory that a worker may take. They tell a hang from slow work, so they are generous.

    The memory is what 8192 x 8192 px with every product takes, and half as much again.
    """

    load_s: float = 300.0  #: to load the model
    first_s: float = 300.0  #: to open an input, and again to its first frame
    frame_s: float = 120.0  #: from one frame to the next
    finish_s: float = 600.0  #: to complete the files after the last frame
    finish_frame_s: float = 0.2  #: the same, more for each frame
    resident_bytes: int = 6 << 30


BOUNDS: Final = Bounds()


class WatchedWorker:
    """A worker process, and the input that it is at.

    Attributes:
        item: None while it waits for one, or loads.
        ready: True once the model is loaded.
    """

    def __init__(self, job: ParseJob, threads: int, bounds: Bounds) -> None:
        """Start it.

        Raises:
            Refusal: no process can be started.
        """
        self.item: Item | None = None
        self.ready = False
        self._bounds, self._frames = bounds, 0
        self._looked_s = self._quiet_s = 0.0
        self._process = next_process()
        self._process.write(json.dumps({"job": job.to_json(), "threads": threads}))
        self._expect(bounds.load_s, "did not load the model")

    @property
    def pid(self) -> int:
        """Of the process."""
        return self._process.pid

    def fileno(self) -> int:
        """Of its answers."""
        return self._process.fileno()

    def give(self, item: Item) -> None:
        """Let it parse an input."""
        self.item, self._frames = item, 0
        self._process.forget_printed()
        self._process.write(json.dumps(asdict(item)))
        self._expect(self._bounds.first_s, "parsed no frame")

    def stop(self) -> None:
        """Ask it to stop after the frame at hand."""
        self._process.write("stop")

    def answers(self) -> list[tuple[str, Any]]:
        """Answers since the last call; `died` and the reason is the last of them."""
        lines = self._process.lines(0)
        if lines is None:
            return [("died", ended(self._process.kill()))]
        now_s = time.monotonic()
        if lines:
            self._quiet_s = 0.0
        else:  # a pause of the whole program is not its silence
            self._quiet_s += min(now_s - self._looked_s, 2 * GLANCE_S)
        self._looked_s = now_s
        answers = [answer for line in lines for answer in json.loads(line).items()]
        for name, value in answers:
            self._note(name, value)
        if why := self._excess():
            self._process.kill()
            answers.append(("died", why))
        return answers

    def end(self, how: str = "") -> None:
        """Give everything back; `how` it died, if it did."""
        if how:
            item = self.item.path if self.item else "loading"
            log.error("the worker at %s %s\n%s", item, how, self._process.printed)
        else:
            self._process.close_input()
            self._process.wait(LEAVE_S)
            self._process.kill()
        self._process.close()

    def _expect(self, within_s: float, otherwise: str) -> None:
        self._looked_s, self._quiet_s = time.monotonic(), 0.0
        self._within_s, self._otherwise = within_s, f"{otherwise} within {within_s:.0f} s"

    def _note(self, name: str, value: Any) -> None:  # noqa: ANN401 - JSON
        match name:
            case "ready":
                self.ready = True
            case "begin":
                self._expect(self._bounds.first_s, "parsed no frame")
            case "advance":
                self._frames = value
                self._expect(self._bounds.frame_s, f"parsed no frame after number {value}")
            case "last":
                bound_s = self._bounds.finish_s + self._frames * self._bounds.finish_frame_s
                self._expect(bound_s, "did not complete the files")

    def _excess(self) -> str:
        """Why it has to be killed; empty when it may go on."""
        if (self.item or not self.ready) and self._quiet_s > self._within_s:
            return self._otherwise
        if self._process.resident_bytes > self._bounds.resident_bytes:
            return f"took more than {self._bounds.resident_bytes / 1e9:.2g} GB of memory"
        return ""


class WorkerPool:
    """Workers of one job, at most `count` at once. Whoever made it closes it.

    An input whose worker dies is tried once more with a new one, and then given up.
    """

    def __init__(self, job: ParseJob, threads: int, count: int = 1, *, bounds: Bounds = BOUNDS) -> None:
        """Start the first; it loads the model meanwhile.

        Raises:
            Refusal: no process can be started.
        """
        self._how = job, threads, bounds
        self._count = count
        self._tries = Counter[str]()  # by path
        self.workers = [WatchedWorker(*self._how)]

    def model(self) -> LoadedModel:
        """Wait for the model.

        Raises:
            Refusal: it cannot be used, or the process died of it.
        """
        worker = self.workers[0]
        while True:
            select.select([worker], [], [], GLANCE_S)
            for name, value in worker.answers():
                if name == "ready":
                    return LoadedModel.from_json(value)
                self._at_load(worker, name, value)

    def __call__(self, items: Sequence[Item], report: BatchReport) -> Iterator[Outcome]:
        """Parse inputs in any order.

        Raises:
            CannotWriteError: the output folder failed.
            Refusal: no worker can be started any more.
        """
        self._waiting, self._report = deque(items), report
        asked = False
        while self._waiting or any(w.item for w in self.workers):
            if report.stopped():
                self._waiting.clear()
                if not asked:
                    asked = True
                    for worker in self.workers:
                        worker.stop()
            yield from self._hand_out()
            select.select(self.workers, [], [], GLANCE_S)
            for worker in tuple(self.workers):
                for name, value in worker.answers():
                    outcome = self._take(worker, name, value)
                    if outcome is not None:
                        yield outcome

    def close(self) -> None:
        """End all workers."""
        while self.workers:
            self.workers.pop().end()

    def _hand_out(self) -> Iterator[Outcome]:
        """Give inputs to the workers without one, and start workers that are missing."""
        for worker in (w for w in self.workers if w.ready and w.item is None):
            while self._waiting and worker.item is None:
                item = self._waiting.popleft()
                self._tries[item.path] = max(self._report.begin(item), self._tries[item.path] + 1)
                if item.kind == "bad":
                    yield item, replace(stamp(item), reason=item.reason), None
                else:
                    worker.give(item)
        busy = sum(w.item is not None for w in self.workers)
        while len(self.workers) < min(self._count, busy + len(self._waiting)):
            self.workers.append(WatchedWorker(*self._how))

    def _take(self, worker: WatchedWorker, name: str, value: Any) -> Outcome | None:  # noqa: ANN401 - JSON
        """Pass on what a worker said; the outcome of its input, if that is what it said."""
        item = worker.item
        if name == "log":
            log.error("worker %d: %s", worker.pid, value)
        if item is None:
            self._at_load(worker, name, value)
            return None
        match name:
            case "begin":
                self._report.expect(item, value)
            case "advance":
                self._report.advance(item, value)
            case "cannot write":
                raise CannotWriteError(*value)
            case "end":
                worker.item = None
                return item, Record.from_json(value[0]), value[1]
            case "died":
                return self._lost(worker, item, value)
        return None

    def _lost(self, worker: WatchedWorker, item: Item, how: str) -> Outcome | None:
        """Have the input of a dead worker tried again; its outcome when it is given up."""
        self._remove(worker, how)
        if self._report.stopped():
            return item, replace(stamp(item), status="partial", reason=NOT_FINISHED), None
        tries = self._tries[item.path]
        if tries < TRIES:
            self._waiting.appendleft(item)
            return None
        sweep(self._how[0].out / item.name)
        reason = f"given up after {tries} tries: the process that parsed it {how}. {TRY_AGAIN}"
        return item, replace(stamp(item), reason=f"{item.shown}: {reason}", attempts=tries), None

    def _at_load(self, worker: WatchedWorker, name: str, value: Any) -> None:  # noqa: ANN401 - JSON
        if name == "refused":
            raise Refusal(*value)
        if name == "died":
            loading = not worker.ready
            self._remove(worker, value)
            if loading and not self.workers:
                job = self._how[0]
                remedy = "Choose another --model or --factor; xfactor.log has the details"
                raise Refusal(f"model {job.model!r}", f"the process that loads it {value}", remedy)

    def _remove(self, worker: WatchedWorker, how: str) -> None:
        """Take a dead worker out; where memory may be short, for good, unless it is the last."""
        if "memory" in how or not worker.ready:
            self._count = max(1, self._count - 1)
        self.workers.remove(worker)
        worker.end(how)
