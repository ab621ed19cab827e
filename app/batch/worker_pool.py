"""Pool of worker processes that are watched: each parses one input at a time, and may die or hang of it."""

from __future__ import annotations

import logging
import select
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, Final

from app.batch.item import LoadedModel, stamp
from app.batch.manifest import Record
from app.batch.options import ParseJob
from app.batch.placement import sweep
from app.batch.plan import Item
from app.batch.run import NOT_FINISHED, TRIES, TRY_AGAIN, BatchReport, Outcome
from app.batch.worker_process import GLANCE_S, Bounds, WatchedWorker, next_worker
from runtime.system.disk import CannotWriteError
from runtime.system.errors import Refusal

BOUNDS: Final = Bounds()

log = logging.getLogger("xfactor.batch")


class WorkerPool:
    """Workers of one job, at most `count` at once. Whoever made it closes it.

    An input whose worker dies is tried once more with a new one, and then given up.
    """

    def __init__(self, job: ParseJob, threads: int, count: int = 1, *, bounds: Bounds = BOUNDS) -> None:
        """Start the first; it loads the model meanwhile.

        Raises:
            Refusal: no process can be started.
        """
        self._job, self._how = job, (job, threads, bounds)
        self._count = count
        self._tries = Counter[str]()  # by path
        self._losses: dict[str, str] = {}  # likewise: words for the end of the process
        self.workers: list[WatchedWorker] = []
        self._start()

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
                    return LoadedModel(**value)
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
                for worker in self.workers if not asked else ():
                    worker.write("stop")
                asked = True
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
            self._start()

    def _start(self) -> None:
        worker = next_worker()
        self.workers.append(worker)
        worker.load(*self._how)

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
                return item, self._with_loss(Record.from_json(value[0])), value[1]
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
            self._losses[item.path] = how
            self._waiting.appendleft(item)
            return None
        results = self._job.out / item.name
        for folder in (results, *results.glob("*/")):
            sweep(folder)
        reason = f"given up after {tries} tries: the process that parsed it {how}. {TRY_AGAIN}"
        return item, replace(stamp(item), reason=f"{item.shown}: {reason}", attempts=tries), None

    def _with_loss(self, record: Record) -> Record:
        how = self._losses.get(record.input)
        told = (f"the process that parsed it {how}; it was parsed again",) if how else ()
        return replace(record, notices=(*told, *record.notices))

    def _at_load(self, worker: WatchedWorker, name: str, value: Any) -> None:  # noqa: ANN401 - JSON
        if name == "refused":
            raise Refusal(*value)
        if name == "died":
            loading = not worker.ready
            self._remove(worker, value)
            if loading and not self.workers:
                remedy = "Choose another --model or --factor; xfactor.log has the details"
                raise Refusal(f"model {self._job.model!r}", f"the process that loads it {value}", remedy)

    def _remove(self, worker: WatchedWorker, how: str) -> None:
        """Take a dead worker out; where memory may be short, for good, unless it is the last."""
        if "memory" in how or not worker.ready:
            self._count = max(1, self._count - 1)
        self.workers.remove(worker)
        worker.end(how)
