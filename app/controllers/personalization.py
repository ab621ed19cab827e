"""Personalization: the Personalise panel and menu, one job at a time, from the request to its result."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from app.controllers.brush import BrushStrokes
from app.controllers.decision import TOPIC, FactorDecision
from app.controllers.help import show_folder
from app.controllers.jobs import JobOverview
from app.controllers.learning_job import LearningJob
from app.controllers.personalization_options import is_elsewhere, job_for, offer_for, shows_clip
from app.live.pipeline import Pipeline
from app.ui.layers import picture_image
from app.ui.personalize_form import PersonalizeOptions, PersonalizeRequest, ResumableJob
from app.ui.personalize_progress import ProgressState
from app.ui.window import Window
from app.workspace import Workspace
from personalize.client import job_folders
from personalize.client.camera_clip import FILE, Recording
from personalize.client.pace import LearningPace
from personalize.client.supervisor import COMMAND, Ending, Outcome
from personalize.client.task import PersonalizationTask
from personalize.job import Correction
from runtime.system.errors import Refusal
from runtime.system.jobs import BackgroundJobs
from runtime.system.notices import Level, Notice

LEAVE_S: Final = 1.0  # what the worker gets when the window is closed, before it is killed


class Personalization:
    """Connects the panel with a task, its corrections and its result.

    Attributes:
        command: the worker; tests give a scripted one.
        decision: what is tried beside the old factor.
    """

    def __init__(
        self,
        window: Window,
        workspace: Workspace,
        pipeline: Pipeline,
        jobs: BackgroundJobs,
        overview: JobOverview,
        open_source: Callable[[str], None],
        send: Callable[[], None],
    ) -> None:
        self.command: Sequence[str] = COMMAND
        self.decision = FactorDecision(window, workspace, pipeline, jobs)
        self._brush_strokes = BrushStrokes(window, workspace, pipeline)
        self._window, self._workspace, self._pipeline = window, workspace, pipeline
        self._panel, self._overview = window.personalise, overview
        self._listed: LearningJob | None = None  # the task in the list of jobs
        self._open_source, self._ring, self._pace = open_source, send, LearningPace()
        self._task: PersonalizationTask | None = None
        self._told = 0  # `started` of the task whose end was told
        self._when_open: Callable[[], None] | None = None  # waits until the clip of the task is open
        self._removing: set[Path] = set()  # folders that are being deleted
        self._leaving: list[threading.Thread] = []
        self._connect()
        self._show_actions()

    # -- called by the desktop

    def refresh(self) -> None:
        """Follow the job, the clip and the brush; called at every notification and ten times a second."""
        task, brush = self._task, self._brush_strokes
        if task is not None and brush.correcting and not shows_clip(self._workspace, task):
            brush.end_correcting()
        brush.refresh()
        self.decision.refresh()
        self._leaving = [t for t in self._leaving if t.is_alive()]
        if task is not None:
            self._follow(task)
        if self._panel.isVisible() and self._panel.page is self._panel.setup:
            self._panel.setup.show_offer(self._offer())
        if self._when_open is not None:
            self._go_on(self._when_open)

    def offer(self) -> None:
        """A clip was dropped: offer what this program is for."""
        if self._task is None and not self._offer().why_not:
            words = "An X factor that knows the person in this clip can be made of it."
            notice = Notice(words, topic=TOPIC)
            self._window.banner.show_offer(notice, "Personalise to this person", self.show)

    def stop(self) -> list[threading.Thread]:
        """The program ends: what runs is cancelled, its folder stays; the threads that are still to end."""
        self._brush_strokes.end()
        kept = self.decision.kept
        self.decision.withdraw()
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
            left = [
                ResumableJob(str(x.folder), x.job.name, x.finished)
                for x in job_folders.left_over()
                if x.folder not in self._removing
            ]
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
            with job_folders.not_left_empty(folder):
                job = job_for(self._workspace, source.path or folder / FILE, offer, wish)
            span = None if job.last is None else (job.first, job.last)
            task = PersonalizationTask(folder, job, self._ring, span, self.command)
        except Refusal as e:
            self._refuse(e)
            return
        self._begin(task, Recording(capture, job.clip) if offer.live else None)

    def resume(self, key: str) -> None:
        """Go on with a job of an earlier run; one that is finished shows its result."""
        left = next((x for x in job_folders.left_over() if str(x.folder) == key), None)
        if self._task is not None:
            return
        if left is None:
            self._refuse(Refusal("personalisation", "its folder is gone", "Personalise the clip again"))
            self.show()
            return
        self._begin(PersonalizationTask(left.folder, left.job, self._ring, command=self.command))

    def cancel(self) -> None:
        """Throw the running job away."""
        task = self._task
        if task is not None and self._listed is not None:
            task.cancel()
            self._listed.thrown_away = True
            self._close(hide=False)

    def correct(self, frame: int = -1) -> None:
        """Paint on the silhouette of a frame (-1: the one on show, or next to it); opens the clip."""
        task = self._task
        if task is None or not task.silhouettes:
            return
        shown = self._window.canvas.parsed
        wanted = frame if frame >= 0 else shown.frame.index if shown is not None else 0
        nearest = min(task.silhouettes, key=lambda f: (abs(f - wanted), f))
        self._with_clip(task, lambda: self._begin_correcting(task, nearest))

    # -- wiring

    def _connect(self) -> None:
        panel, actions = self._panel, self._window.actions_
        self.decision.on_closed = self._close
        self.decision.on_untried = self._try_on_clip
        panel.setup.wished.connect(self.start)
        panel.setup.resumed.connect(self.resume)
        panel.setup.removed.connect(self._on_removed)
        panel.progress.correcting.connect(self.correct)
        panel.trouble.retried.connect(lambda: self._with_task(lambda t: self._redo(t.job.strokes)))
        panel.trouble.left.connect(lambda: self._close(hide=False, keep=True))
        panel.trouble.looked.connect(lambda: self._with_task(lambda t: show_folder(self._window, t.folder)))
        for stopped in (panel.progress.stopped_early, actions["stop-early"].triggered):
            stopped.connect(lambda: self._with_task(PersonalizationTask.stop_early))
        for cancelled in (panel.progress.cancelled, panel.trouble.removed, actions["cancel-job"].triggered):
            cancelled.connect(self.cancel)
        for correcting in (panel.result.correcting, actions["correct"].triggered):
            correcting.connect(lambda: self.correct(-1))
        actions["personalise"].triggered.connect(
            lambda on: self.show() if on else self._window.show_personalise(on=False)
        )

    def _offer(self) -> PersonalizeOptions:
        return offer_for(self._workspace, self._pipeline.capture, self._pace.value)

    # -- what happens

    def _begin(self, task: PersonalizationTask, recording: Recording | None = None) -> None:
        try:
            with job_folders.not_left_empty(task.folder):
                task.start() if recording is None else task.record(recording)
        except Refusal as e:
            self._refuse(e)
            return
        self._task, self._told = task, 0
        self._pace.begin(task)
        self._listed = LearningJob(task, self.cancel)
        self._overview.add(self._listed, self.show, lambda: not self._panel.shows(self._panel.progress))
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
            words, step = task.words, "" if task.recording is not None else task.step
            stopping = task.stopping_early
            self._panel.progress.show_stage(
                ProgressState(words, step, task.fraction, task.left_s, task.notice, stopping)
            )
        elif task.outcome is not None and self._told != task.started:
            self._on_end(task, task.outcome)
        self._show_actions()

    def _on_end(self, task: PersonalizationTask, outcome: Outcome) -> None:
        self._told = task.started
        if outcome.how is Ending.DONE and outcome.done is not None:
            self._pace.end(task)
            notice = Notice(self.decision.show(task, outcome.done), topic=TOPIC)
            elsewhere = is_elsewhere(self._workspace, task)
            if not elsewhere:
                self.decision.try_factor()
            self._announce(notice, always=elsewhere)
        else:
            self._fail(task, outcome)

    def _fail(self, task: PersonalizationTask, outcome: Outcome) -> None:
        self._told = task.started
        failed = outcome.how is Ending.FAILED
        reason = outcome.words or "The worker was cancelled. The factor in use is unchanged."
        words = f"{reason}\n\nThe factor in use stays as it is." if failed else reason
        self._panel.trouble.show_words(words, outcome.details, failed=failed)
        self._panel.show_page(self._panel.trouble)
        self._when_open = None
        self._brush_strokes.end_correcting()
        self._announce(Notice(reason, Level.WARNING, outcome.details, TOPIC))

    def _announce(self, notice: Notice, *, always: bool = False) -> None:
        if always or not self._panel.isVisible():
            self._window.banner.show_offer(notice, "Show", self._try_on_clip)

    def _close(self, *, hide: bool = True, keep: bool = False) -> None:
        """Nothing is left of the task; its folder, which shows a person, goes unless it is kept for later."""
        task, self._task = self._task, None
        self._when_open = None
        self._brush_strokes.end_correcting()
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
        """Delete a job folder when nothing writes to it any more; from now on it is not offered again."""

        def refuse(refusal: Refusal) -> None:
            self._removing.discard(folder)
            self._pipeline.notices.refuse(refusal)

        self._removing.add(folder)
        self._leaving.append(job_folders.remove_after(folder, list(self._leaving), refuse))

    # -- the clip of the task

    def _try_on_clip(self) -> None:
        """Show the result, open the clip that it belongs to, then put the new factor into use."""
        self.show()
        if self._task is not None and self.decision.untried:
            self._with_clip(self._task, self.decision.try_factor)

    def _with_clip(self, task: PersonalizationTask, act: Callable[[], None]) -> None:
        """Call `act` once the clip of the task is open."""
        self._when_open = act
        if not shows_clip(self._workspace, task):
            self._open_source(str(task.job.clip))
        self._go_on(act)

    def _go_on(self, act: Callable[[], None]) -> None:
        task = self._task
        if task is not None and shows_clip(self._workspace, task):
            self._when_open = None
            act()
        elif task is None or self._pipeline.opening is None:
            self._when_open = None  # a clip that cannot be opened is refused in a banner

    # -- corrections

    def _begin_correcting(self, task: PersonalizationTask, frame: int) -> None:
        capture = self._pipeline.capture
        if capture is not None:
            capture.step(frame - capture.position)
            self._brush_strokes.correct(task.mask, task.job.strokes, self._redo)

    def _redo(self, strokes: tuple[Correction, ...]) -> None:
        task = self._task
        if task is None:
            return
        self.decision.withdraw()
        try:
            task.redo(strokes)
        except Refusal as e:
            self._refuse(e)
            return
        self._told = 0
        self._panel.show_page(self._panel.progress)

    # -- small answers

    def _with_task(self, act: Callable[[PersonalizationTask], object]) -> None:
        if self._task is not None:
            act(self._task)

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
        for name in ("stop-early", "cancel-job"):
            actions[name].setEnabled(task is not None and task.running)
        actions["correct"].setEnabled(task is not None and bool(task.silhouettes))
