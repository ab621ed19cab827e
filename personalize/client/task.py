"""Task: one job from the first frame to its result, with everything that belongs to it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from personalize import phases
from personalize.client.camera_clip import Recording
from personalize.client.previews import Mask, Preview, Previews, read_mask
from personalize.client.supervisor import COMMAND, Outcome, Supervisor
from personalize.job import Correction, PersonalizationJob, write_job
from personalize.messages import FrameSilhouette, PhaseProgress, WorkerNotice

STRETCHES: Final = 8  # parts of the range of which one frame each is shown


class PersonalizationTask:
    """Folder, recording, worker and previews of one job. The window calls `collect` when the bell rings.

    Attributes:
        folder: of the job.
        job: as it runs now; corrections replace it.
        span: first and last frame, as far as known before the worker has looked.
        silhouettes: the newest file of every frame.
        notice: what the worker said last to a careful user.
        thumbnail: the best thumbnail so far, (side, side, 3) RGB.
        started: how often a worker was begun; a redo counts as one.
    """

    def __init__(
        self,
        folder: Path,
        job: PersonalizationJob,
        ring: Callable[[], None],
        span: tuple[int, int] | None = None,
        command: Sequence[str] = COMMAND,
    ) -> None:
        self.folder, self.job, self.span = folder, job, span
        self.silhouettes: dict[int, Path] = {}
        self.notice = ""
        self.thumbnail: Preview | None = None
        self.started = 0
        self._ring, self._command = ring, command
        self._recording: Recording | None = None
        self._run: Supervisor | None = None
        self._previews: Previews | None = None
        self._next: PersonalizationJob | None = None
        self._shown: dict[int, int] = {}

    # -- life

    def record(self, recording: Recording) -> None:
        """Wait for a recording, then start.

        Raises:
            Refusal: the folder cannot be written.
        """
        write_job(self.folder, self.job)  # first: a recording that is cut off can be found and deleted
        self._recording = recording
        recording.start()

    def start(self) -> None:
        """Start the worker.

        Raises:
            Refusal: the folder cannot be written.
        """
        write_job(self.folder, self.job)
        if self._previews is None:
            self._previews = Previews(self.job.clip, self._ring)
            self._previews.start()
        self.started += 1
        self._run = Supervisor(self.folder, self._ring, command=self._command)
        self._run.start()

    def stop_early(self) -> None:
        """Finish with the best so far; a recording ends and counts as it is."""
        if self._recording is not None:
            self._recording.finish()
        elif self._run is not None:
            self._run.stop_early()

    def cancel(self, leave_s: float | None = None) -> None:
        """End; the folder stays."""
        self._next = None
        if self._recording is not None:
            self._recording.finish()
        if self._run is not None:
            self._run.cancel(leave_s)

    def redo(self, strokes: tuple[Correction, ...]) -> None:
        """The same job with corrections; what they do not touch is not computed again.

        Raises:
            Refusal: the folder cannot be written.
        """
        job = replace(self.job, strokes=strokes)
        if self._run is not None and self._run.outcome is None:
            self._next = job
            self._run.cancel()
        else:
            self.job = job
            self.start()

    def close(self) -> list[threading.Thread]:
        """Nothing is shown of it any more; the threads that are still to end."""
        if self._previews is not None:
            self._previews.stop()
        if self._recording is not None:
            self._recording.finish()
        recorder = self._recording.thread if self._recording is not None else None
        threads = (self._run, self._previews, recorder)
        return [t for t in threads if t is not None and t.is_alive()]

    # -- what is known of it

    def collect(self) -> list[Preview]:
        """Take in what has happened; the previews made since the last call.

        Raises:
            Refusal: the folder cannot be written when a redo begins.
        """
        run = self._run
        for event in run.drain() if run is not None else ():
            if isinstance(event, FrameSilhouette):
                self._on_silhouette(replace(event, path=str(self.folder / event.path)))
            elif isinstance(event, WorkerNotice):
                self.notice = event.text[:400]
        if run is not None and run.outcome is not None and self._next is not None:
            self.job, self._next = self._next, None
            self.start()
        made = self._previews.take() if self._previews is not None else []
        for preview in made:
            if self.thumbnail is None or preview.sure > self.thumbnail.sure:
                self.thumbnail = preview
        return made

    def _on_silhouette(self, silhouette: FrameSilhouette) -> None:
        frame = silhouette.frame
        self.silhouettes[frame] = Path(silhouette.path)
        if self._previews is not None:
            first, last = self.span or (frame, frame)
            stretch = (frame - first) * STRETCHES // (last - first + 1)
            keep = self._shown.setdefault(stretch, frame) == frame  # one of each stretch, in its newest state
            self._previews.offer(silhouette, keep=keep)

    @property
    def recording(self) -> Recording | None:
        """While the camera is recorded."""
        return self._recording

    def recorded(self) -> str:
        """The recording has ended: forget it; why it cannot be used, or nothing."""
        recording, self._recording = self._recording, None
        return recording.problem if recording is not None else ""

    @property
    def outcome(self) -> Outcome | None:
        """The end, when it has come; a redo that is about to begin is none."""
        return self._run.outcome if self._run is not None and self._next is None else None

    @property
    def running(self) -> bool:
        """True while it records or the worker is at it."""
        return self._recording is not None or (self._run is not None and self.outcome is None)

    @property
    def words(self) -> str:
        """Phase at hand, for a reader."""
        if self._recording is not None:
            return "Recording what the camera sees"
        if self._next is not None:
            return "Beginning again with your corrections"
        run = self._run
        if run is not None and run.progress is None and run.attempts > 1:
            return "The worker broke down; it was started again"
        return phases.words(self._progress)

    @property
    def step(self) -> str:
        """`step 3 of 9`."""
        return phases.step(self._progress)

    @property
    def fraction(self) -> float | None:
        """0..1 of what is done now; None while nobody knows."""
        if self._recording is not None:
            return self._recording.fraction
        return None if self._progress is None else phases.fraction(self._progress)

    @property
    def left_s(self) -> float | None:
        """Seconds left, as the worker estimates."""
        if self._recording is not None:
            return self._recording.left_s
        return None if self._progress is None else self._progress.left_s

    @property
    def _progress(self) -> PhaseProgress | None:
        return None if self._run is None else self._run.progress

    @property
    def stopping_early(self) -> bool:
        """True after `stop_early`."""
        return self._run is not None and self._run.stopping_early

    def mask(self, frame: int) -> Mask | None:
        """The silhouette of a frame as it stands now; None where there is none."""
        path = self.silhouettes.get(frame)
        return read_mask(path) if path is not None else None
