"""One clip, from its first missing frame to its last."""

from __future__ import annotations

import contextlib
import itertools
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from app.batch.claims import Claims, claim_on, claim_on_file, claim_on_frames, names_alone
from app.batch.manifest import Record
from app.batch.options import ParseJob
from app.batch.placement import make_folder, place, sweep
from app.batch.plan import Item
from app.batch.writer_thread import WriterThread
from models.labels import JOINT_SETS, JointSet
from models.results import Parsing, Result
from runtime.engine.engine import Engine
from runtime.engine.sessions import NoResultError
from runtime.engine.source import HOLD_S
from runtime.engine.temporal import Smoother
from runtime.frames import Frame
from runtime.media.clips import Clip
from runtime.movement.sides import corrected_result
from runtime.movement.sightings import landmarks_of
from runtime.output.coco import Origin
from runtime.output.growing_file import ResultStream, unfinished
from runtime.output.products import PRODUCTS, products_in
from runtime.silhouettes.people import PeopleSilhouette, people_number
from runtime.system.errors import Refusal
from runtime.system.ram import free_bytes
from runtime.tracking.tracker import Tracker

HUGE_PX: Final = 1 << 24  # smaller clips take less than 2 GB with everything
FRAMES_BYTES_PER_PX: Final = 18  # of decoding, parsing and pictures, measured at 8192 x 8192 px


@dataclass(frozen=True)
class Report:
    """Callbacks of a running task."""

    begin: Callable[[int], None]  #: frames expected
    advance: Callable[[int], None]  #: frames done
    stopped: Callable[[], bool]  #: whether to stop after the frame at hand
    on_decoded: Callable[[], None] | None = None  #: called for each decoded frame, also for one left out
    on_last: Callable[[], None] | None = (
        None  #: called when all frames are parsed and the files are completed
    )


@dataclass
class FrameGaps:
    """Counts of a clip's frames: parsed, without a result, without an imported mask of their own."""

    frames: int = 0
    results: int = 0
    masks: int = 0

    @property
    def unmasked(self) -> list[str]:
        """Words for the frames without a mask, none when all is well."""
        held = f"held for {HOLD_S:g} s, then blank"
        return [f"{self.masks} of {self.frames} frames without a mask ({held})"] if self.masks else []


class ClipResults:
    """The files of one clip: which are missing, and the ones being written."""

    def __init__(self, item: Item, job: ParseJob) -> None:
        self._own = item.files(job.out)
        self.folder = self._own.folder
        known = products_in(job.style)
        products = [known[s] for s in job.save]
        self.pictures = {p.picture.folder: p.picture for p in products if p.picture and p.picture.of_frames}
        self._files = {p.clip.name.format(alpha=job.alpha): p.clip for p in products if p.clip}
        self._span, self._job = job.span, job
        self._others = {n: c for n, c in item.claims.items() if n not in (*self.pictures, *self._files)}
        self._before = item.claims
        self._streams: list[ResultStream] = []
        self._damaged = 0
        self._claims: Claims = {}  # on each file that counts
        self.notices: list[str] = []

    def _counts(self, name: str, *, by_name: bool = True) -> bool:
        if name not in self._claims and (claim := self._own.counted(name, by_name=by_name)):
            self._claims[name] = claim
        return name in self._claims

    @property
    def missing_files(self) -> list[str]:
        """Names of the one-file results that are not there as they were written."""
        return [name for name in self._files if not self._counts(name)]

    def _has_frame(self, index: int) -> bool:
        return all(self._counts(f"{f}/{index:06d}{p.suffix}") for f, p in self.pictures.items())

    def first_missing(self) -> int:
        """Index of the first frame that some result lacks."""
        index = self._span.first
        if not self.missing_files and self.pictures:
            while self._has_frame(index):
                index += self._span.every
        return index

    def complete(self, frames: int) -> bool:
        """True when every result of so many parsed frames is there as it was written."""
        indices = self._span.indices(frames) if self.pictures else ()
        return not self.missing_files and all(map(self._has_frame, indices))

    def open(self, clip: Clip, origin: Origin) -> None:
        """Make the folders and start the files that are missing, at a frame of the clip."""
        for folder in (self.folder, *(self.folder / f for f in self.pictures)):
            sweep(make_folder(folder))
        for name in self.missing_files:
            self._damaged += bool(self._before.get(name)) and (self.folder / name).exists()
            unfinished(self.folder / name).unlink(
                missing_ok=True
            )  # whoever may write it still has it to himself
            self._streams.append(self._files[name].open(self.folder / name, clip, origin))

    def write(self, value: tuple[Frame, Result]) -> None:
        """Everything that is missing of one frame."""
        frame, result = value
        for folder, picture in self.pictures.items():
            name = f"{folder}/{frame.index:06d}{picture.suffix}"
            if not self._counts(name, by_name=False):
                data = picture.encode(frame.image, result)
                self._claims[name] = claim_on(data)
                found = claim_on_file(self.folder / name)
                if found != self._claims[name]:
                    self._damaged += bool(found and self._before.get(folder))
                    place(self.folder / name, data)
        for stream in self._streams:
            stream.write(frame, result)

    def finish(self, frames: int) -> Claims:
        """Put the one-file results in place and remove what they replace; the claims on all of them."""
        self.notices = [notice for s in self._streams if (notice := s.finish())]
        if self._damaged:
            self.notices.append(f"{self._damaged} damaged result files were made again")
        made = {name: self._claims.get(name) or claim_on_file(self.folder / name) for name in self._files}
        made |= {folder: self._frames(folder, frames) for folder in self.pictures}
        self._own.remove_replaced(made)
        return self._own.settled(self._others) | made

    def stop(self, frames: int) -> Claims:
        """Close what is open after so many frames; the claims on what there is."""
        self.abandon()
        made = {
            name: self._before.get(name, "")
            for name in names_alone("clip", "", self._job.save, (self._job.alpha,))
        }
        for folder in self.pictures:
            before, now = self._before.get(folder), self._frames(folder, frames)
            made[folder] = now + before[len(now) :] if before else now if before is None else ""
        return self._others | made

    def _frames(self, folder: str, frames: int) -> str:
        names = (f"{folder}/{n:06d}.png" for n in self._span.indices(frames))
        return claim_on_frames((self._claims[n] for n in names), self._span.first, self._span.every)

    def abandon(self) -> None:
        """Close what is open; what was written stays."""
        for stream in self._streams:
            with contextlib.suppress(Refusal, OSError, ValueError):
                stream.abandon()


def parse_clip(item: Item, job: ParseJob, engine: Engine, report: Report) -> Record:
    """Parse what is missing of a clip.

    Raises:
        Refusal: the clip cannot be opened, or the results cannot be written.
    """
    started = time.monotonic()
    results = ClipResults(item, job)
    with Clip(item.path) as clip:
        engine = job.engine_for(engine, item.name, clip=True)
        check_ram(clip.name, clip.size, job.save, free_bytes())
        report.begin(job.span.count(clip.frames_expected))
        gaps, claims, stopped = _through(item, clip, engine, job, results, report)
        frames = gaps.frames
        record = Record(
            item.path, "clip", item.name, "ok",
            frames=frames,
            seconds=round(time.monotonic() - started, 3),
            duration_s=round(clip.duration_s, 3),
            size=clip.size,
            notices=tuple(dict.fromkeys(clip.notices + results.notices + gaps.unmasked)),
            files=claims,
            replaced=item.replaced if stopped else {},
            finished=not stopped,
        )  # fmt: skip
        reasons = _reasons(clip, engine, gaps)
        absent = absence(job, engine)
    if absent and not stopped:
        notices = tuple(n for n in record.notices if n not in gaps.unmasked)
        return replace(record, status="failed", reason=absent, notices=notices)
    if stopped:
        reasons = [f"stopped after {frames} frames; --resume finishes it"]
    return replace(record, status="partial", reason="; ".join(reasons)) if reasons else record


def check_ram(name: str, size: tuple[int, int], save: Iterable[str], free: float) -> None:
    """Refuse a huge clip for whose results there is not enough memory, before it is parsed.

    Raises:
        Refusal: in words, with the amounts.
    """
    pixels, files = size[0] * size[1], [p.clip for p in (PRODUCTS[s] for s in save) if p.clip]
    need = pixels * (FRAMES_BYTES_PER_PX + sum(f.bytes_per_px for f in files))
    if pixels > HUGE_PX and need > free:
        reason = f"at {size[0]} x {size[1]} px its results take about {need / 1e9:.1f} GB of memory"
        remedy = "Save less at once (--save), or scale it down first"
        raise Refusal(name, f"{reason}, and {free / 1e9:.1f} GB are free", remedy)


def _through(
    item: Item, clip: Clip, engine: Engine, job: ParseJob, results: ClipResults, report: Report
) -> tuple[FrameGaps, Claims, bool]:
    """Parse from the first missing frame on: what some frames lack, claims on results, whether stopped."""
    span, smoother, tracker = job.span, job.smoother(), Tracker()
    landmarks = landmarks_of(engine.spec)
    # What depends on the frames before it needs them parsed again; they are written only where missing.
    start = span.first if job.remembers(engine) or not job.resume else results.first_missing()
    frames = span.of(clip.frames(start, jump=False, on_decoded=report.on_decoded))
    gaps, stopped = FrameGaps(frames=span.count(start)), False
    first = next(frames, None)
    if first is None and start == span.first:
        raise Refusal(clip.name, f"it has no frame {span.first}", "Choose other --frames")
    start_s = first.pts_s if first is not None and span.first else 0.0
    writer: WriterThread[tuple[Frame, Result]] = WriterThread(results.write, 3 * clip.size[0] * clip.size[1])
    try:
        results.open(clip, Origin(item.file_name, start, start_s, item.name, joints_of(engine)))
        for frame in itertools.chain([] if first is None else [first], frames):
            result = tracker.track(frame, _parsed(engine, frame, smoother, gaps))
            writer.put((frame, corrected_result(result, frame.index, landmarks, job.sides)))
            report.advance(gaps.frames)
            if report.stopped():
                stopped = True
                break
    except BaseException:
        with contextlib.suppress(Exception):
            writer.close()
        results.abandon()
        raise
    if report.on_last is not None:
        report.on_last()
    try:
        writer.close()
        claims = (results.stop if stopped else results.finish)(gaps.frames)
    except BaseException:
        results.abandon()
        raise
    return gaps, claims, stopped


def _parsed(engine: Engine, frame: Frame, smoother: Smoother | None, gaps: FrameGaps) -> Result:
    try:
        result = engine.parse(frame, smoother)
    except NoResultError:
        gaps.results += 1
        result = nobody(engine, frame)
    gaps.masks += bool(engine.tally.notice)  # a factor has none; masks have for each frame without
    gaps.frames += 1
    return result


def joints_of(engine: Engine) -> JointSet | None:
    """The joints of a model's results, if it gives joints."""
    return JOINT_SETS.get(engine.spec.joint_set or "")


def nobody(engine: Engine, frame: Frame) -> Result:
    """An empty result for a frame the engine has none of: frames in are frames out."""
    if engine.part_set is None:
        return Result()
    blank = np.zeros((frame.size[1], frame.size[0]), np.uint8)
    return Result(Parsing(engine.part_set, frame.size, blank, blank, blank))


def absence(job: ParseJob, engine: Engine) -> str:
    """Why an input has no mask: nobody had the number that the job names; empty where somebody had."""
    number, source = people_number(job.factor), getattr(engine.source, "source", None)
    if not number or not isinstance(source, PeopleSilhouette) or number in source.found:
        return ""
    found = ", ".join(map(str, sorted(source.found)))
    others = f"found: {found}. Give one of these, as in --factor people:{min(source.found, default=1)}"
    return (
        f"person {number} is in no frame; {others if found else 'nor is anybody else. Try another --model'}"
    )


def _reasons(clip: Clip, engine: Engine, gaps: FrameGaps) -> list[str]:
    reasons = [] if clip.complete else [n for n in clip.notices if "early" in n or "skipped" in n]
    if gaps.results:
        why = engine.notice or "no probabilities"
        reasons.append(f"{gaps.results} frames without a result are left empty ({why})")
    return reasons + gaps.unmasked


def results_complete(item: Item, job: ParseJob, frames: int) -> bool:
    """True when a clip of which so many frames were parsed still has all that this job wants."""
    return ClipResults(item, job).complete(frames)
