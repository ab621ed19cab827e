"""Personalization: the Personalise panel and menu, one job at a time, from the request to its result."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from app.controllers.brush import BrushStrokes
from app.controllers.comparison import Comparison
from app.controllers.help import show_folder
from app.controllers.personalization_offer import offer_for
from app.controllers.personalization_result import PersonalizationResult
from app.live.jobs import BackgroundJobs
from app.live.pipeline import Pipeline
from app.ui import job_list
from app.ui.layers import picture_image
from app.ui.personalize_form import PersonalizeOptions, PersonalizeRequest, ResumableJob
from app.ui.personalize_progress import ProgressState
from app.ui.window import Window
from app.workspace import Workspace
from personalize.client import job_folders
from personalize.client.camera_clip import FILE, Recording
from personalize.client.supervisor import COMMAND, Ending, Outcome
from personalize.client.task import PersonalizationTask
from personalize.job import Correction, PersonalizationJob
from runtime.library.factors import usable_name
from runtime.library.models import find_model
from runtime.system.errors import Refusal
from runtime.system.notices import Level, Notice

TOPIC: Final = "personalise"
LEAVE_S: Final = 1.0  # what the worker gets when the window is closed, before it is killed


class Personalization:
    """Connects the panel with a task, its corrections and its result.

    Attributes:
        command: the worker; tests give a scripted one.
        comparison: what a result is tried with.
    """

    def __init__(
        self,
        window: Window,
        workspace: Workspace,
        pipeline: Pipeline,
        jobs: BackgroundJobs,
        open_source: Callable[[str], None],
        send: Callable[[], None],
    ) -> None:
        self.command: Sequence[str] = COMMAND
        self.comparison = Comparison(workspace, pipeline, jobs, window.display)
        self._brush_strokes = BrushStrokes(window, workspace, pipeline)
        self._result = PersonalizationResult(window, self.comparison)
        self._window, self._workspace, self._pipeline = window, workspace, pipeline
        self._panel = window.personalise
        self._open_source, self._ring = open_source, send
        self._task: PersonalizationTask | None = None
        self._told = 0  # `started` of the task whose end was told
        self._correct_at: int | None = None  # a frame that is to be corrected as soon as its clip is open
        self._leaving: list[threading.Thread] = []
        self._connect()
        self._show_actions()

    # -- called by the desktop

    def refresh(self) -> None:
        """Follow the job, the clip and the brush; called at every notification and ten times a second."""
        self._brush_strokes.refresh()
        self.comparison.refresh()
        self._leaving = [t for t in self._leaving if t.is_alive()]
        if self._task is not None:
            self._follow(self._task)
        if self._panel.isVisible() and self._panel.page is self._panel.setup:
            self._panel.setup.show_offer(self._offer())
        if self._correct_at is not None:
            self._go_on_correcting(self._correct_at)

    @property
    def idle(self) -> bool:
        """True while nothing is learned or waits for a decision."""
        return self._task is None

    def tasks(self) -> list[job_list.JobEntry]:
        """For the activity area, while the panel does not show it."""
        task = self._task
        if task is None or not task.running or self._sees(self._panel.progress):
            return []
        title = f"Personalization {task.job.name}: {task.words}"
        return [job_list.JobEntry(id(self), title, task.fraction, task.left_s)]

    def offer(self) -> None:
        """A clip was dropped: offer what this program is for."""
        if self._task is None and not self._offer().why_not:
            words = "An X factor that knows the person in this clip can be made of it."
            notice = Notice(words, topic=TOPIC)
            self._window.banner.show_offer(notice, "Personalise to this person", self.show)

    def stop(self) -> list[threading.Thread]:
        """The program ends: what runs is cancelled, its folder stays; the threads that are still to end."""
        self._brush_strokes.end()
        kept = self._result.kept
        self._result.withdraw()
        task, self._task = self._task, None
        if task is not None:
            task.cancel(LEAVE_S)
            self._leaving += task.close()
            if kept:
                self._remove(task.folder)
        return self._leaving

    # -- what the user asks for

    def show(self) -> None:
        """Open the panel at the page that matters now."""
        if self._task is None:
            left = [ResumableJob(str(x.folder), x.job.name, x.finished) for x in job_folders.left_over()]
            self._panel.setup.show_left(left)
            self._panel.setup.show_offer(self._offer())
            self._panel.show_page(self._panel.setup)
        self._window.show_personalise(on=True)

    def start(self, wish: PersonalizeRequest) -> None:
        """Make a job of what is open, and begin."""
        source, capture, offer = self._workspace.source, self._pipeline.capture, self._offer()
        if source is None or capture is None or offer.why_not or self._task is not None:
            return
        try:
            folder = job_folders.new_folder(wish.name)
            job = self._job(source.path or folder / FILE, offer, wish)
            span = None if job.last is None else (job.first, job.last)
            task = PersonalizationTask(folder, job, self._ring, span, self.command)
            if offer.live:
                task.record(Recording(capture, job.clip))
            else:
                task.start()
        except Refusal as e:
            self._refuse(e)
            return
        self._begin(task)

    def resume(self, key: str) -> None:
        """Go on with a job of an earlier run; one that is finished shows its result."""
        left = next((x for x in job_folders.left_over() if str(x.folder) == key), None)
        if left is None or self._task is not None:
            return
        task = PersonalizationTask(left.folder, left.job, self._ring, command=self.command)
        try:
            task.start()
        except Refusal as e:
            self._refuse(e)
            return
        self._begin(task)

    def cancel(self) -> None:
        """Throw the running job away."""
        task = self._task
        if task is not None:
            task.cancel()
            self._close(hide=False)

    def correct(self, frame: int = -1) -> None:
        """Paint on the silhouette of a frame (-1: the one on show, or next to it); opens the clip."""
        task = self._task
        if task is None or not task.silhouettes:
            return
        shown = self._window.canvas.parsed
        wanted = frame if frame >= 0 else shown.frame.index if shown is not None else 0
        self._correct_at = min(task.silhouettes, key=lambda f: (abs(f - wanted), f))
        source = self._workspace.source
        if source is None or source.path is None or source.path.resolve() != task.job.clip.resolve():
            self._open_source(str(task.job.clip))

    # -- wiring

    def _connect(self) -> None:
        panel, actions = self._panel, self._window.actions_
        self._result.on_closed = self._close
        panel.setup.wished.connect(self.start)
        panel.setup.resumed.connect(self.resume)
        panel.setup.removed.connect(self._on_removed)
        panel.progress.stopped_early.connect(lambda: self._with_task(PersonalizationTask.stop_early))
        panel.progress.cancelled.connect(self.cancel)
        panel.progress.correcting.connect(self.correct)
        panel.result.correcting.connect(self._correct_here)
        panel.trouble.retried.connect(lambda: self._with_task(lambda t: self._redo(t.job.strokes)))
        panel.trouble.removed.connect(self.cancel)
        panel.trouble.left.connect(lambda: self._close(hide=False, keep=True))
        panel.trouble.looked.connect(lambda: self._with_task(lambda t: show_folder(t.folder)))
        actions["stop-early"].triggered.connect(lambda: self._with_task(PersonalizationTask.stop_early))
        actions["cancel-job"].triggered.connect(self.cancel)
        actions["correct"].triggered.connect(self._correct_here)
        actions["personalise"].triggered.connect(self._on_personalise)

    def _offer(self) -> PersonalizeOptions:
        return offer_for(self._workspace, self._pipeline.capture)

    def _sees(self, page: object) -> bool:
        return self._panel.isVisible() and self._panel.page is page

    def _job(self, clip: Path, offer: PersonalizeOptions, wish: PersonalizeRequest) -> PersonalizationJob:
        first, last = offer.span if wish.marked and offer.span else offer.window
        return PersonalizationJob(
            clip=clip,
            name=usable_name(wish.name),
            model=find_model(self._workspace.choice.model).path,
            first=0 if offer.live else first,
            last=None if offer.live else last,
            method=wish.method,
            base_factor=Path(self._workspace.xfactor.key) if wish.go_on and offer.factor else None,
        )

    # -- what happens

    def _begin(self, task: PersonalizationTask) -> None:
        self._task, self._told = task, 0
        self._panel.progress.begin(task.job.name, task.span)
        self._panel.show_page(self._panel.progress)
        self._window.show_personalise(on=True)
        self._show_actions()

    def _follow(self, task: PersonalizationTask) -> None:
        recording = task.recording
        try:
            if recording is not None and recording.ended:
                problem = task.recorded()
                if problem:
                    self._fail(task, Outcome(Ending.FAILED, problem))
                    return
                task.start()
            previews = task.collect()
        except Refusal as e:
            self._fail(task, Outcome(Ending.PAUSED, str(e)))
            return
        for preview in previews:
            self._panel.progress.show_preview(preview.frame, picture_image(preview.picture))
        if task.running:
            step = "" if task.recording is not None else task.step
            stage = ProgressState(
                task.words, step, task.fraction, task.left_s, task.notice, task.stopping_early
            )
            self._panel.progress.show_stage(stage)
        elif task.outcome is not None and self._told != task.started:
            self._on_end(task, task.outcome)
        self._show_actions()

    def _on_end(self, task: PersonalizationTask, outcome: Outcome) -> None:
        self._told = task.started
        if outcome.how is Ending.DONE and outcome.done is not None:
            self._tell(Notice(self._result.show(task, outcome.done), topic=TOPIC))
        else:
            self._fail(task, outcome)

    def _fail(self, task: PersonalizationTask, outcome: Outcome) -> None:
        self._told = task.started
        failed = outcome.how is Ending.FAILED
        title = "This did not work" if failed else "Paused"
        reason = outcome.words or "The worker was cancelled. The factor in use is unchanged."
        words = f"{reason}\n\nThe factor in use stays as it is." if failed else reason
        self._panel.trouble.show_words(title, words, outcome.details, "Try again" if failed else "Resume")
        self._panel.show_page(self._panel.trouble)
        self._end_correcting()
        self._tell(Notice(reason, Level.WARNING, outcome.details, TOPIC))

    def _tell(self, notice: Notice) -> None:
        """The end is there while something else is looked at."""
        if not self._panel.isVisible():
            self._window.banner.show_offer(notice, "Show", self.show)

    def _close(self, *, hide: bool = True, keep: bool = False) -> None:
        """Nothing is left of the task; its folder, which shows a person, goes unless it is kept for later."""
        task, self._task = self._task, None
        self._end_correcting()
        if task is not None:
            self._leaving += task.close()
            if not keep:
                self._remove(task.folder)
        self._show_actions()
        if hide:
            self._window.show_personalise(on=False)
        else:
            self.show()

    def _remove(self, folder: Path) -> None:
        """Delete a job folder when nothing writes to it any more."""
        refuse = self._pipeline.notices.refuse
        self._leaving.append(job_folders.remove_after(folder, list(self._leaving), refuse))

    # -- corrections

    def _go_on_correcting(self, frame: int) -> None:
        """The clip is open by now, or will be."""
        task, capture = self._task, self._pipeline.capture
        if task is None:
            self._correct_at = None
        elif capture is not None and capture.info is not None and not capture.info.live:
            self._correct_at = None
            capture.step(frame - capture.position)
            self._brush_strokes.correct(task.mask, task.job.strokes, self._redo)

    def _correct_here(self) -> None:
        self.correct()

    def _redo(self, strokes: tuple[Correction, ...]) -> None:
        task = self._task
        if task is None:
            return
        self._result.withdraw()
        try:
            task.redo(strokes)
        except Refusal as e:
            self._refuse(e)
            return
        self._told = 0
        self._panel.show_page(self._panel.progress)

    def _end_correcting(self) -> None:
        self._correct_at = None
        if self._brush_strokes.correcting:
            self._brush_strokes.end()

    # -- small answers

    def _with_task(self, act: Callable[[PersonalizationTask], object]) -> None:
        if self._task is not None:
            act(self._task)

    def _on_personalise(self, on: bool) -> None:  # noqa: FBT001 a signal's payload
        if on:
            self.show()
        else:
            self._window.show_personalise(on=False)

    def _on_removed(self, key: str) -> None:
        try:
            job_folders.remove(Path(key))
        except Refusal as e:
            self._refuse(e)
        self.show()

    def _refuse(self, refusal: Refusal) -> None:
        self._window.banner.show_notice(Notice(str(refusal), Level.ERROR, topic=TOPIC))

    def _show_actions(self) -> None:
        task, actions = self._task, self._window.actions_
        running = task is not None and task.running
        actions["stop-early"].setEnabled(running)
        actions["cancel-job"].setEnabled(running)
        actions["correct"].setEnabled(task is not None and bool(task.silhouettes))
