"""`xfactor parse`: many inputs, and a manifest that is true whenever the power goes."""

from __future__ import annotations

import contextlib
import itertools
import os
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from app.batch.claims import names_alone
from app.batch.clip_task import results_complete
from app.batch.item import LoadedModel, stamp
from app.batch.manifest import Manifest, Record
from app.batch.options import ParseJob, of_this_version
from app.batch.ownership import begun, blocked, unless_blocked, unless_lost, with_claims, write_own
from app.batch.picture_task import Share, SharedFiles, files_complete
from app.batch.plan import Item, passed_over, plan, prepare, refuse_pictures_alone
from app.batch.progress import BatchProgress
from models.labels import PART_SETS
from runtime.output.label_png import labels_json_bytes
from runtime.system.disk import CannotWriteError, cannot_write_into
from runtime.system.errors import Refusal
from runtime.system.locks import exclusive
from runtime.system.reporter import ProgressReporter
from runtime.system.stop_signal import Stop

LOCK: Final = ".xfactor.lock"
NOT_REACHED: Final = "not reached: the run was stopped before it; --resume parses it"
TRY_AGAIN: Final = "To try once more, give it alone with --resume, or all without --resume"
NOT_FINISHED: Final = "the run was stopped while it was parsed; --resume finishes it"
SHARED_EVERY_S: Final = 30.0
NOTED_EVERY_S: Final = 5.0  # between two notes in the manifest of how far a clip is
BETWEEN_PICTURES_S: Final = 1.0  # between two writings, when a thousand small pictures end in a row

TRIES: Final = 2  # of an input that nobody sees the end of, before it is given up

Outcome = tuple[Item, Record, Share | None]


@dataclass(frozen=True)
class BatchReport:
    """Callbacks of workers."""

    begin: Callable[[Item], int]  #: before each try of an input; how many there were, with this one
    expect: Callable[[Item, int], None]  #: frames of an input that is begun
    advance: Callable[[Item, int], None]  #: frames of it that are done
    stopped: Callable[[], bool]  #: asked often; once it is true, end soon


#: Parses inputs in any order.
Workers = Callable[[Sequence[Item], BatchReport], Iterator[Outcome]]


class BatchRun:
    """One job into one folder, with the folder's manifest.

    Attributes:
        items: the inputs in order.
    """

    def __init__(self, job: ParseJob, stop: Stop, model: LoadedModel, reporter: ProgressReporter) -> None:
        self._job, self._stop, self._model = job, stop, model
        self._at_hand: set[str] = set()
        self._manifest = Manifest(job.out)
        self._earlier = dict(self._manifest.records)
        self._shared = SharedFiles(job, self._manifest.files)
        self._shared_written_s = time.monotonic()
        self.items = plan(job, self._manifest.names)
        self._progress = BatchProgress(reporter, len(self.items))

    def start(self) -> None:
        """Check the output folder and note every input as not reached yet.

        Raises:
            Refusal: before anything was parsed.
        """
        refuse_pictures_alone(self._job, self.items)
        if self._job.resume:
            self._same_recipe()
        prepare(self._job, self.items, self._unfinished())
        for line in passed_over(self._job):
            self._progress.note(line)
        self.items = [self._with_claims(item) for item in self.items]
        if self._model.part_set is not None:
            names = labels_json_bytes(PART_SETS[self._model.part_set])
            write_own(self._job.out / "labels.json", names, self._manifest.files)
        self._manifest.write()

    def _with_claims(self, item: Item) -> Item:
        new = Record(item.path, item.kind, item.name, "failed", NOT_REACHED)
        record = self._manifest.records.get(item.path, new)
        same = self._same_source(item, record)
        item = with_claims(item, record, self._job, self._model.recipes.get(item.kind, {}), same=same)
        if record is new or not self._job.resume:
            known = record if item.claims else new  # their recipe and source stay known
            self._manifest.records[item.path] = replace(
                known, status="failed", reason=NOT_REACHED, frames=0, finished=False, attempts=0, notices=(),
                files=item.claims, replaced=item.replaced,
            )  # fmt: skip
        return item

    def _same_recipe(self) -> None:
        """Refuse to put results of two recipes into one folder, where they would look like one."""
        for item in self.items:
            record = self._manifest.records.get(item.path)
            before = of_this_version(record.model) if record is not None and record.model else {}
            recipe = self._model.recipes.get(item.kind, {})
            if item.kind != "bad" and before and before != recipe:
                was, now = _difference(before, recipe)
                reason = f"{item.shown} was parsed there with {was}, now it would be {now}"
                raise Refusal(
                    f"output {self._job.out}", reason, "Choose another --out, or leave out --resume"
                )

    def all(self, workers: Workers) -> int:
        """Let workers parse everything that is not finished.

        Returns:
            0 when all is well, 1 when something is missing.

        Raises:
            CannotWriteError: the output folder failed; what was written stays.
            Refusal: the workers failed; likewise.
        """
        todo, report = [], BatchReport(self._begin, self._progress.begin, self._advance, self._stopped)
        for planned in itertools.takewhile(
            lambda _: not self._stop, self.items
        ):  # reading results takes time
            item, record = planned, self._manifest.records[planned.path]
            if self._job.resume and self._finished(item, record):
                self._progress.end(item, record, again=True)
                continue
            if self._job.resume and record.source_bytes and not self._same_source(item, record):
                item = replace(item, fresh=True)  # results of what the file was are not results of what it is
                self._manifest.records[item.path] = replace(record, attempts=0)
            elif self._given_up(item, record):
                continue
            todo.append(self._unless_blocked(item))
        self._manifest.write()
        failed = None
        try:
            for item, record, share in workers(todo, report):
                self._take(item, record, share)
            self._shared.write(self.items)  # it may fail, and is no success then
        except CannotWriteError as e:
            failed = self._failed(e)
        finally:
            self._excuse()
            with contextlib.suppress(CannotWriteError):
                self._shared.write(self.items)
            self._shared.settle()
            with contextlib.suppress(CannotWriteError) if failed else contextlib.nullcontext():
                self._manifest.write()
        if failed:
            raise failed
        statuses = Counter(self._manifest.records[i.path].status for i in self.items)
        return 0 if statuses["ok"] == len(self.items) else 1

    def _failed(self, error: CannotWriteError) -> CannotWriteError:
        """The end of the run, with the inputs at hand; a full disk keeps nothing that is of no use."""
        if error.full:
            for path in self._unfinished():
                with contextlib.suppress(OSError):
                    path.unlink(missing_ok=True)
        names = ", ".join(i.shown for i in self.items if i.path in self._at_hand)
        remedy = f"{error.remedy}. The run ended at {names or 'its last file'}: --resume goes on there"
        return CannotWriteError(error.what, error.reason, remedy)

    def _unfinished(self) -> Iterator[Path]:
        """Claimed files that no run finished."""
        for item in (i for i in self.items if i.kind == "clip"):
            record = self._manifest.records.get(item.path)
            claims = {**record.files, **record.replaced} if record else {}
            yield from (
                self._job.out / item.name / n
                for n in names_alone("clip", "")
                if ".part." in n and n in claims
            )

    def _unless_blocked(self, item: Item) -> Item:
        """The input, bad where a file is in its way or one would be lost; a picture's names are claimed."""
        item = unless_lost(unless_blocked(item, self._job), self._job, self._earlier_words(item))
        if item.kind == "image":
            item = blocked(item, self._shared.in_the_way)
        if item.kind == "image":  # a clip's are when it is begun
            self._shared.claim()
            records = self._manifest.records
            records[item.path] = begun(item, records[item.path], self._job)
        return item

    def _earlier_words(self, item: Item) -> str:
        earlier, recipe = self._earlier.get(item.path), self._model.recipes.get(item.kind, {})
        before = of_this_version(earlier.model) if earlier is not None and earlier.model else {}
        if not before or before == recipe:
            return "an earlier run"
        return f"an earlier run with {_difference(before, recipe)[0]}"

    def _stopped(self) -> bool:
        if self._stop and self._at_hand:
            self._excuse()
            self._manifest.write()
        self._manifest.settle()
        return bool(self._stop)

    def _excuse(self) -> None:
        """Do not count this attempt at the inputs at hand: that they have no end is not their doing."""
        for path in self._at_hand:
            self._manifest.records[path] = replace(self._manifest.records[path], attempts=0)
        self._at_hand.clear()

    def _begin(self, item: Item) -> int:
        """Note an input before it is parsed: after a kill, --resume knows with which model, how often."""
        if item.kind == "image":  # of a clip, once it is open
            self._progress.begin(item, 1)
        before = self._manifest.records[item.path]
        self._at_hand.add(item.path)
        now = replace(
            stamp(item), status="partial", reason=NOT_FINISHED, model=self._model.recipes.get(item.kind, {}),
            attempts=before.attempts + 1, frames=before.frames if before.attempts else 0,
            masks=self._job.masks_digest(item.name, item.kind),
        )  # fmt: skip
        pause_s = 0.0 if item.kind == "clip" else BETWEEN_PICTURES_S
        self._manifest.put(begun(item, now, self._job), pause_s=pause_s)
        return now.attempts

    def _advance(self, item: Item, done: int) -> None:
        """Note now and then how far a clip is, for a kill leaves no time to, and show it.

        An attempt that comes further than those before it is the first of its kind.
        """
        begun = self._manifest.records[item.path]
        if done > begun.frames:
            new = begun.attempts > 1 or not begun.frames
            begun = replace(begun, frames=done, attempts=min(begun.attempts, 1))
            self._manifest.put(begun, pause_s=0.0 if new else NOTED_EVERY_S)
        self._progress.advance(item, done)

    def _given_up(self, item: Item, record: Record) -> bool:
        """Leave out an input that has cost earlier runs their lives; alone it costs no other input."""
        if not self._job.resume or record.attempts < TRIES or len(self.items) == 1:
            return False
        if record.status == "partial":
            reason = (
                f"given up: {record.attempts} runs ended while it was parsed, without a word. {TRY_AGAIN}"
            )
            record = replace(record, status="failed", reason=f"{item.shown}: {reason}")
            self._manifest.put(record)
        self._progress.end(item, record)
        return True

    def _take(self, item: Item, record: Record, share: Share | None) -> None:
        if share is not None:
            self._shared.add(item, share)
        if time.monotonic() - self._shared_written_s > SHARED_EVERY_S:
            self._shared.write(self.items)
            self._shared_written_s = time.monotonic()
        self._at_hand.discard(item.path)
        before = self._manifest.records[item.path]
        record = replace(record, masks=before.masks)
        if item.kind == "clip" and record.status != "ok" and not record.frames:  # it broke off
            record = replace(record, frames=before.frames)
        if not record.files:  # it failed, and what is there of it is still its own
            model = record.model or before.model
            record = replace(record, model=model, files=before.files, replaced=before.replaced)
            if self._untouched(item, record):
                was = self._earlier[item.path]
                record = replace(
                    record, model=was.model, files=was.files, replaced=was.replaced, masks=was.masks,
                    source_bytes=was.source_bytes, source_modified_ns=was.source_modified_ns,
                )  # fmt: skip
        self._manifest.put(record, pause_s=0.0 if item.kind == "clip" else BETWEEN_PICTURES_S)
        self._progress.end(item, record)

    def _untouched(self, item: Item, record: Record) -> bool:
        """True when this try wrote nothing over what an earlier run did."""
        if item.path not in self._earlier or record.status != "failed" or record.frames:
            return False
        return item.kind == "bad" or unless_blocked(item, replace(self._job, resume=False)).kind != "bad"

    def _finished(self, item: Item, record: Record) -> bool:
        """True when an earlier run did all of it, from the file as it is now."""
        if not (record.finished and self._same_source(item, record) and record.status != "failed"):
            return False
        if item.kind == "clip":
            return results_complete(item, self._job, record.frames)
        return files_complete(item, self._job) and self._shared.has(item)

    def _same_source(self, item: Item, record: Record) -> bool:
        """True when the input is as it was, and its imported masks, which earlier versions did not note."""
        now, masks = stamp(item), self._job.masks_digest(item.name, item.kind)
        same = (record.source_bytes, record.source_modified_ns) == (now.source_bytes, now.source_modified_ns)
        return same and record.masks in ("", masks)


def _difference(was: dict[str, Any], now: dict[str, Any]) -> tuple[str, str]:
    for key in ("name", "factor", "box", "views", "smoothing", "frames", "provider"):
        if was.get(key) != now.get(key):
            old, new = (_value(r.get(key)) for r in (was, now))
            word = {"name": "model", "box": "size"}.get(key, key)
            return (old if old.startswith("the network's own ") else f"{word} {old}"), new
    return "other files of the same model", "these"


def _value(value: object) -> str:
    words = {"True": "on", "False": "off"}.get(str(value), str(value)).removesuffix(" every 1")
    return f"the network's {words}" if words in ("own factor", "own silhouette") else words


@contextlib.contextmanager
def claimed(out: Path) -> Iterator[None]:
    """Keep a second run out of a folder while this one is at it; courtesy, every file is safe without.

    Raises:
        Refusal: another run is writing there.
    """
    there = os.path.lexists(out)
    with contextlib.ExitStack() as held:
        if not there:
            held.callback(_remove_empty, out)
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


def _remove_empty(folder: Path) -> None:
    with contextlib.suppress(OSError):
        folder.rmdir()
