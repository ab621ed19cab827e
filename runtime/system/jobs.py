"""BackgroundJobs: slow work beside the live path, with progress and a cancel that is read.

They run one after the other; what takes minutes and mostly waits, a download, runs beside the others.
"""

from __future__ import annotations

import logging
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol

from runtime.system.errors import Refusal

log = logging.getLogger("xfactor.pipeline")
PACE_KNOWN = 0.03  # share of the work before which no time left is told


class JobState(StrEnum):
    """State of a job."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def ended(self) -> bool:
        """True once nothing more will happen."""
        return self in {JobState.DONE, JobState.FAILED, JobState.CANCELLED}


class Job(Protocol):
    """Slow work as the list of jobs shows it: a download, an export, a measurement, a personalisation.

    The window reads it ten times a second; nothing here may wait.
    """

    @property
    def name(self) -> str:
        """The work and its object: `Exporting dance.mp4`."""

    @property
    def share(self) -> float | None:
        """0..1 of it is done; None while nobody knows."""

    @property
    def words(self) -> str:
        """The step at hand; after the end, its outcome in words, or nothing."""

    @property
    def left_s(self) -> float | None:
        """Seconds left; None while nobody knows."""

    @property
    def state(self) -> JobState:
        """One that has ended stays as it is."""

    @property
    def result_path(self) -> Path | None:
        """File or folder that it wrote, once it is whole."""

    def cancel(self) -> None:
        """Ask it to end; comes back at once."""


class JobCancelledError(Exception):
    """Raised inside a job's work when the user cancelled it."""


@dataclass(eq=False)
class BackgroundJob:
    """One piece of work, a `Job`; written by the thread that does it, read by the window.

    Attributes:
        share: 0..1, or None while nobody knows.
        error: words for the user when it failed; `details` has the trace.
        result_path: the result, if it is a file or folder; else what the work says it wrote.
    """

    name: str
    work: Callable[[BackgroundJob], Any]
    on_done: Callable[[Any], None]
    quiet: bool = False  #: too short to show in the activity area
    state: JobState = JobState.WAITING
    share: float | None = None
    error: str = ""
    details: str = ""
    result: Any = None
    result_path: Path | None = None
    started_s: float = 0.0
    _cancel: threading.Event = field(default_factory=threading.Event)

    @property
    def words(self) -> str:
        """Why it failed, or nothing."""
        return self.error

    def progress(self, share: float | None = None) -> None:
        """Called by the work now and then: notes how far it is, and ends it when cancelled.

        Raises:
            JobCancelledError: the user does not want the result any more.
        """
        if self._cancel.is_set():
            raise JobCancelledError
        self.share = share

    def cancel(self) -> None:
        """Ask it to end; its result is thrown away."""
        self._cancel.set()

    @property
    def cancelled(self) -> bool:
        """True once somebody asked it to end."""
        return self._cancel.is_set()

    @property
    def left_s(self) -> float | None:
        """Seconds left at the pace so far; None while nobody knows (the first moments only load)."""
        if self.share is None or self.share < PACE_KNOWN or self.state is not JobState.RUNNING:
            return None
        return (time.monotonic() - self.started_s) * (1 - self.share) / self.share


class BackgroundJobs:
    """A worker thread and what it has to do. The window calls `collect` after every notification."""

    def __init__(self, on_news: Callable[[], None]) -> None:
        self._on_news = on_news
        self._todo: deque[BackgroundJob] = deque()
        self._ended: deque[BackgroundJob] = deque()
        self._wake = threading.Event()
        self._stopping = False
        self._running: BackgroundJob | None = None
        self._beside: dict[BackgroundJob, threading.Thread] = {}
        self._thread = threading.Thread(target=self._work, name="jobs", daemon=True)
        self._thread.start()

    def start(
        self,
        name: str,
        work: Callable[[BackgroundJob], Any],
        on_done: Callable[[Any], None],
        *,
        quiet: bool = False,
        beside: bool = False,
    ) -> BackgroundJob:
        """Queue work, or begin it `beside` the queue; `on_done` gets its result where `collect` is called."""
        job = BackgroundJob(name, work, on_done, quiet)
        if beside and not self._stopping:
            thread = threading.Thread(target=self._work_beside, args=(job,), name="job beside", daemon=True)
            self._beside[job] = thread
            thread.start()
            return job
        self._todo.append(job)
        self._wake.set()
        return job

    def shown(self) -> list[BackgroundJob]:
        """Jobs that run and wait, without the quiet ones."""
        running = self._running
        jobs = [*([running] if running else []), *self._beside, *self._todo]
        return [job for job in jobs if not job.quiet]

    def collect(self) -> list[BackgroundJob]:
        """Hand every result to whoever asked for it; returns the jobs that ended, failed ones too."""
        ended = []
        while self._ended:
            job = self._ended.popleft()
            ended.append(job)
            if job.state is JobState.DONE:
                job.result_path = job.result if isinstance(job.result, Path) else job.result_path
                job.on_done(job.result)
            job.result = None  # whoever wanted it has it now; a model is large
        return ended

    def stop(self) -> threading.Thread:
        """Cancel everything and let the thread end; the caller joins it with its own deadline."""
        self._stopping = True
        for job in (self._running, *self._todo, *self._beside):
            if job is not None:
                job.cancel()
        self._wake.set()
        return self._thread

    def _work(self) -> None:
        while not self._stopping:
            self._wake.wait()
            self._wake.clear()
            while self._todo and not self._stopping:
                self._running = job = self._todo.popleft()
                self._do(job)
                self._running = None
                self._ended.append(job)
                self._on_news()
        for thread in list(self._beside.values()):  # whoever waits for this thread waits for all
            thread.join()

    def _work_beside(self, job: BackgroundJob) -> None:
        self._do(job)
        self._beside.pop(job, None)
        self._ended.append(job)
        self._on_news()

    def _do(self, job: BackgroundJob) -> None:
        job.state, job.started_s = JobState.RUNNING, time.monotonic()
        try:
            job.progress()
            job.result = job.work(job)
            job.state = JobState.CANCELLED if job.cancelled else JobState.DONE
        except JobCancelledError:
            job.state = JobState.CANCELLED
        except Refusal as e:
            job.state, job.error = JobState.FAILED, str(e)
        except Exception as e:  # the boundary: a job that breaks says so and the next one runs
            log.exception("job failed: %s", job.name)
            job.state, job.error = JobState.FAILED, f"{job.name} failed: {e}. The log file has the details."
            job.details = traceback.format_exc()
