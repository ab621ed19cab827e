"""`xfactor parse`: many inputs, and a manifest that is true whenever the power goes."""

from __future__ import annotations

import contextlib
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Final

from app.batch.clip_task import Report, results_complete
from app.batch.item import stamp, work
from app.batch.manifest import Manifest, Record
from app.batch.options import ParseJob, of_this_version
from app.batch.picture_task import Share, SharedFiles, files_complete
from app.batch.plan import Item, passed_over, plan, prepare
from app.batch.progress import BatchProgress
from models.labels import PartSet
from runtime.engine.engine import Engine
from runtime.output.label_png import labels_json_bytes
from runtime.system.disk import CannotWriteError, cannot_write, cannot_write_into
from runtime.system.errors import Refusal
from runtime.system.files import write_atomic
from runtime.system.locks import exclusive
from runtime.system.reporter import ProgressReporter
from runtime.system.stop_signal import Stop

LOCK: Final = ".xfactor.lock"
NOT_REACHED: Final = "not reached: the run was stopped before it; --resume parses it"
NOT_FINISHED: Final = "the run was stopped while it was parsed; --resume finishes it"
SHARED_EVERY_S: Final = 30.0
NOTED_EVERY_S: Final = 5.0  # between two notes in the manifest of how far a clip is
BETWEEN_PICTURES_S: Final = 1.0  # between two writings, when a thousand small pictures end in a row

Outcome = tuple[Item, Record, Share | None]
#: Parses items in any order; calls the first function before each, ends soon once the second is true.
Workers = Callable[[Sequence[Item], Callable[[Item], None], Callable[[], bool]], Iterator[Outcome]]


class BatchRun:
    """One job into one folder, with the folder's manifest.

    Attributes:
        items: the inputs in order.
    """

    def __init__(self, job: ParseJob, stop: Stop, engine: Engine, reporter: ProgressReporter) -> None:
        self._job, self._stop, self._engine = job, stop, engine
        self._manifest = Manifest(job.out)
        self._shared = SharedFiles(job)
        self._shared_written_s = time.monotonic()
        self.items = plan(job, self._manifest.names)
        self._progress = BatchProgress(reporter, len(self.items))

    def start(self) -> None:
        """Check the output folder and note every input as not reached yet.

        Raises:
            Refusal: before anything was parsed.
        """
        prepare(self._job, self.items)
        for line in passed_over(self._job):
            self._progress.note(line)
        records = self._manifest.records
        if self._job.resume:
            self._same_recipe()
        for item in self.items:
            if not (self._job.resume and item.path in records):
                records[item.path] = Record(item.path, item.kind, item.name, "failed", NOT_REACHED)
        if self._engine.part_set is not None:
            self._write_names(self._engine.part_set)
        self._manifest.write()

    def _write_names(self, part_set: PartSet) -> None:
        path, data = self._job.out / "labels.json", labels_json_bytes(part_set)
        try:
            if not (path.exists() and path.read_bytes() == data):
                write_atomic(path, data, mode=0o644)
        except OSError as e:
            raise cannot_write(path, e) from e

    def _same_recipe(self) -> None:
        """Refuse to put results of two recipes into one folder, where they would look like one."""
        for item in self.items:
            record = self._manifest.records.get(item.path)
            before = of_this_version(record.model) if record is not None and record.model else {}
            recipe = self._recipe(item)
            if before and before != recipe:
                was, now = _difference(before, recipe)
                reason = f"{item.shown} was parsed there with {was}, now it would be {now}"
                raise Refusal(
                    f"output {self._job.out}", reason, "Choose another --out, or leave out --resume"
                )

    def _recipe(self, item: Item) -> dict[str, Any]:
        return self._job.recipe(self._engine, clip=item.kind == "clip")

    def all(self, workers: Workers | None = None) -> int:
        """Parse everything that is not finished.

        Args:
            workers: Who does it; this thread when left out.

        Returns:
            0 when all is well, 1 when something is missing.

        Raises:
            CannotWriteError: the output folder failed; what was written stays.
        """
        todo = []
        for planned in self.items:
            item, record = planned, self._manifest.records[planned.path]
            if self._job.resume and self._finished(item, record):
                self._progress.end(item, record, again=True)
                continue
            if self._job.resume and record.source_bytes and not self._same_source(item, record):
                item = replace(item, fresh=True)  # results of what the file was are not results of what it is
            todo.append(item)
        try:
            for item, record, share in (workers or self.here)(todo, self._begin, self._stopped):
                self._take(item, record, share)
        finally:
            with contextlib.suppress(CannotWriteError):
                self._shared.write(self.items)
            self._manifest.write()
        statuses = Counter(self._manifest.records[i.path].status for i in self.items)
        return 0 if statuses["ok"] == len(self.items) else 1

    def here(
        self, items: Sequence[Item], begin: Callable[[Item], None], stopped: Callable[[], bool]
    ) -> Iterator[Outcome]:
        """Workers: this thread, one input after the other."""
        for item in items:
            if stopped():
                return
            begin(item)
            report = Report(partial(self._progress.begin, item), partial(self._advance, item), stopped)
            yield item, *work(item, self._job, self._engine, report)

    def _stopped(self) -> bool:
        return bool(self._stop)

    def _begin(self, item: Item) -> None:
        """Note a clip before it is parsed: after a kill, --resume knows with which model it was begun."""
        self._progress.begin(item, 1)
        if item.kind == "clip":
            begun = replace(stamp(item), status="partial", reason=NOT_FINISHED, model=self._recipe(item))
            self._manifest.put(begun)

    def _advance(self, item: Item, done: int) -> None:
        """Show how far a clip is, and note it now and then: a kill leaves no time to."""
        self._progress.advance(item, done)
        begun = self._manifest.records[item.path]
        self._manifest.put(replace(begun, frames=done), pause_s=NOTED_EVERY_S)

    def _take(self, item: Item, record: Record, share: Share | None) -> None:
        if share is not None:
            self._shared.add(item, share)
        if time.monotonic() - self._shared_written_s > SHARED_EVERY_S:
            self._shared.write(self.items)
            self._shared_written_s = time.monotonic()
        if item.kind == "clip" and record.status != "ok" and not record.frames:  # it broke off
            record = replace(record, frames=self._manifest.records[item.path].frames)
        self._manifest.put(record, pause_s=0.0 if item.kind == "clip" else BETWEEN_PICTURES_S)
        self._progress.end(item, record)

    def _finished(self, item: Item, record: Record) -> bool:
        """True when an earlier run did all of it, from the file as it is now."""
        if not (record.finished and self._same_source(item, record) and record.status != "failed"):
            return False
        if item.kind == "clip":
            return results_complete(item, self._job, record.frames)
        return files_complete(item, self._job) and self._shared.has(item)

    @staticmethod
    def _same_source(item: Item, record: Record) -> bool:
        now = stamp(item)
        return (record.source_bytes, record.source_modified_ns) == (now.source_bytes, now.source_modified_ns)


def _difference(was: dict[str, Any], now: dict[str, Any]) -> tuple[str, str]:
    for key in ("name", "factor", "box", "views", "smoothing", "frames", "provider"):
        if was.get(key) != now.get(key):
            return f"{'size' if key == 'box' else key} {was.get(key)}", f"{now.get(key)}"
    return "other files of the same model", "these"


@contextlib.contextmanager
def claimed(out: Path) -> Iterator[None]:
    """Keep a second run out of a folder while this one is at it; courtesy, every file is safe without.

    Raises:
        Refusal: another run is writing there.
    """
    with contextlib.ExitStack() as held:
        try:
            out.mkdir(parents=True, exist_ok=True)
            held.enter_context(exclusive(out / LOCK, remove=True))
        except BlockingIOError as e:
            reason = "another run is writing there"
            raise Refusal(f"output {out}", reason, "Wait for it, or choose another --out") from e
        except (FileExistsError, NotADirectoryError) as e:
            raise Refusal(f"output {out}", "it is a file, not a folder", "Choose another --out") from e
        except OSError as e:
            raise cannot_write_into(out, e) from e
        yield
