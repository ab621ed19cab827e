"""One clip, from its first missing frame to its last."""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from app.batch.manifest import Record
from app.batch.options import Job
from app.batch.placement import make_folder, place, sweep, whole_png
from app.batch.plan import Item
from app.batch.result_files import CocoFile, CutoutVideo, OverlayVideo, Stream, Table
from app.batch.writer_thread import Behind
from models.labels import S31
from models.results import Parsing
from runtime.engine.engine import Engine
from runtime.engine.sessions import NoResultError
from runtime.engine.source import HOLD_S
from runtime.frames import Frame
from runtime.media.clips import Clip
from runtime.output.label_png import label_png, silhouette_png
from runtime.system.errors import Refusal

#: The folders of a clip's results with one picture per frame, and how each picture is made.
PICTURES = {"labels": label_png, "silhouettes": silhouette_png}
_OURS = re.compile(r"\d{6,}\.png")


@dataclass(frozen=True)
class Report:
    """How a task tells and is told while it runs."""

    begin: Callable[[int], None]  #: frames expected
    advance: Callable[[int], None]  #: frames done
    stopped: Callable[[], bool]  #: whether to stop after the frame at hand


@dataclass
class Lacking:
    """What frames of a clip went without."""

    frames: int = 0  #: of the clip so far
    results: int = 0  #: frames the engine could say nothing about
    masks: int = 0  #: frames without an imported mask of their own

    @property
    def unmasked(self) -> list[str]:
        """Words for the frames without a mask, none when all is well."""
        held = f"held for {HOLD_S:g} s, then blank"
        return [f"{self.masks} of {self.frames} frames without a mask ({held})"] if self.masks else []


class ClipResults:
    """The files of one clip: which are missing, and the ones being written."""

    def __init__(self, folder: Path, job: Job) -> None:
        self.folder = folder
        self.pictures = {s: folder / s for s in job.save if s in PICTURES}
        makers: dict[str, tuple[str, Callable[[Path, Clip], Stream]]] = {
            "overlay": ("overlay.mp4", OverlayVideo),
            "alpha": (f"cutout.{job.alpha}", CutoutVideo),
            "coco": ("coco.json", CocoFile),
            "csv": ("parts.csv", Table),
        }
        self._makers = {makers[s][0]: makers[s][1] for s in job.save if s in makers}
        self._streams: list[Stream] = []
        self.notices: list[str] = []

    @property
    def missing_streams(self) -> list[str]:
        """Names of the one-file results that are not there."""
        return [name for name in self._makers if not (self.folder / name).is_file()]

    def first_missing(self) -> int:
        """Index of the first frame that some result lacks."""
        if self.missing_streams:
            return 0
        index = 0
        while all(whole_png(f / f"{index:06d}.png") for f in self.pictures.values()) and self.pictures:
            index += 1
        return index

    def complete(self, frames: int) -> bool:
        """Whether every result of a clip of so many frames is there."""
        names = [f / f"{i:06d}.png" for f in self.pictures.values() for i in range(frames)]
        return not self.missing_streams and all(map(whole_png, names))

    def clear(self) -> None:
        """Remove the results of an earlier run that are about to be made again; nothing else."""
        for folder in self.pictures.values():
            self._trim(folder, 0)
        for name in self._makers:
            (self.folder / name).unlink(missing_ok=True)

    def open(self, clip: Clip) -> None:
        """Make the folders and start the files that are missing."""
        for folder in (self.folder, *self.pictures.values()):
            sweep(make_folder(folder))
        for name in self.missing_streams:
            self._streams.append(self._makers[name](self.folder / name, clip))

    def write(self, value: tuple[Frame, Parsing]) -> None:
        """Everything that is missing of one frame."""
        frame, parsing = value
        for save, folder in self.pictures.items():
            path = folder / f"{frame.index:06d}.png"
            if not whole_png(path):
                place(path, PICTURES[save](parsing))
        for stream in self._streams:
            stream.write(frame, parsing)

    def finish(self, frames: int) -> None:
        """Put the one-file results in place, and remove pictures beyond the clip's end."""
        self.notices = [notice for s in self._streams if (notice := s.finish())]
        for folder in self.pictures.values():
            self._trim(folder, frames)

    def abandon(self) -> None:
        """Close what is open; what was written stays."""
        for stream in self._streams:
            with contextlib.suppress(Refusal, OSError, ValueError):
                stream.abandon()

    @staticmethod
    def _trim(folder: Path, frames: int) -> None:
        for path in folder.glob("*.png") if folder.is_dir() else ():
            if _OURS.fullmatch(path.name) and int(path.stem) >= frames:
                path.unlink()


def parse_clip(item: Item, job: Job, engine: Engine, report: Report) -> Record:
    """Parse what is missing of a clip.

    Raises:
        Refusal: the clip cannot be opened, or the results cannot be written.
    """
    started = time.monotonic()
    results = ClipResults(job.out / item.name, job)
    if not job.resume:
        results.clear()
    with Clip(item.path) as clip:
        engine = job.engine_for(engine, item.name, clip=True)
        first = results.first_missing()
        results.open(clip)
        report.begin(clip.frames_expected)
        frames, lacking, stopped = _through(clip, engine, job, results, (first, report))
        record = Record(
            item.path, "clip", item.name, "ok",
            frames=frames,
            seconds=round(time.monotonic() - started, 3),
            duration_s=round(clip.duration_s, 3),
            size=clip.size,
            notices=tuple(clip.notices + results.notices + lacking.unmasked),
            finished=not stopped,
        )  # fmt: skip
        reasons = _reasons(clip, engine, lacking)
    if stopped:
        reasons = [f"stopped after {frames} frames; --resume finishes it"]
    return replace(record, status="partial", reason="; ".join(reasons)) if reasons else record


def _through(
    clip: Clip, engine: Engine, job: Job, results: ClipResults, how: tuple[int, Report]
) -> tuple[int, Lacking, bool]:
    """Parse from the first missing frame on: (frames so far, what some of them lack, whether stopped)."""
    first, report = how
    smoother = job.smoother()
    lacking, done, stopped = Lacking(), first, False
    writer: Behind[tuple[Frame, Parsing]] = Behind(results.write)
    try:
        # What depends on the frames before it needs them parsed again; they are written only where missing.
        for frame in clip.frames(0 if job.remembers else first, jump=False):
            try:
                parsing = engine.parse(frame, smoother).parsing or nobody(engine, frame)
            except NoResultError:
                lacking.results += 1
                parsing = nobody(engine, frame)
            lacking.masks += bool(engine.tally.notice)  # a factor has none; masks have for each frame without
            writer.put((frame, parsing))
            lacking.frames = done = frame.index + 1
            report.advance(done)
            if report.stopped():
                stopped = True
                break
    except BaseException:
        with contextlib.suppress(Exception):
            writer.close()
        results.abandon()
        raise
    try:
        writer.close()
        results.abandon() if stopped else results.finish(done)
    except BaseException:
        results.abandon()
        raise
    return done, lacking, stopped


def nobody(engine: Engine, frame: Frame) -> Parsing:
    """What is written for a frame of which the engine could say nothing: frames in are frames out."""
    blank = np.zeros((frame.size[1], frame.size[0]), np.uint8)
    return Parsing(engine.part_set or S31, frame.size, blank, blank, blank)


def _reasons(clip: Clip, engine: Engine, lacking: Lacking) -> list[str]:
    reasons = [] if clip.complete else [n for n in clip.notices if "early" in n or "skipped" in n]
    if lacking.results:
        why = engine.notice or "no probabilities"
        reasons.append(f"{lacking.results} frames without a result are left empty ({why})")
    return reasons + lacking.unmasked


def results_complete(item: Item, job: Job, frames: int) -> bool:
    """Whether a clip that was parsed before still has all that this job wants."""
    return ClipResults(job.out / item.name, job).complete(frames)
