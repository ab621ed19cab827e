"""Job overview: every job of this run of the program, in the strip under the picture and in its dialog."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from app.controllers.help import show_folder
from app.ui.job_list import JobEntry
from app.ui.jobs_dialog import JobsDialog
from app.ui.window import Window
from runtime.system.jobs import BackgroundJob, BackgroundJobs, Job, JobState
from runtime.system.notices import Level, Notice

ENDED_KEPT: Final = 20
OUTCOMES: Final = {JobState.DONE: "done", JobState.CANCELLED: "cancelled", JobState.FAILED: "failed"}


@dataclass(eq=False)
class ListedJob:
    """A job of the list.

    Attributes:
        on_show: brings the user to its result.
        in_strip: False while another place of the window shows it.
    """

    job: Job
    on_show: Callable[[], object] | None = None
    in_strip: Callable[[], bool] = lambda: True

    @property
    def ended(self) -> bool:
        """True once nothing more will happen."""
        return self.job.state.ended

    def entry(self) -> JobEntry:
        """The row."""
        job, state = self.job, self.job.state
        opens = "Show" if self.on_show is not None else "Open folder" if job.result_path is not None else ""
        words = job.words or (OUTCOMES[state] if state.ended else "")
        whole = state is JobState.DONE
        return JobEntry(
            id(self), job.name, job.share, job.left_s, words, state.ended, state is JobState.FAILED,
            opens if whole else "",
        )  # fmt: skip


class JobOverview:
    """Lists what runs beside the picture; whoever starts a job calls `add`.

    What `BackgroundJobs` does is listed by itself; after its end only if it wrote a file or failed.
    """

    def __init__(self, window: Window, background: BackgroundJobs) -> None:
        self._window, self._background = window, background
        self._listed: list[ListedJob] = []
        self._dialog = JobsDialog(window)
        for place in (window.activity, self._dialog):
            place.cancelled.connect(self._on_cancelled)
            place.opened.connect(self._on_opened)
        window.activity.all_wanted.connect(self.open)
        self._dialog.cleared.connect(self._on_cleared)
        window.actions_["jobs"].triggered.connect(self.open)

    def add(
        self,
        job: Job,
        on_show: Callable[[], object] | None = None,
        in_strip: Callable[[], bool] | None = None,
    ) -> None:
        """List a job from now on until it is cleared.

        Args:
            job: what runs.
            on_show: brings the user to its result; without it a result on disk opens its folder.
            in_strip: False while another place of the window shows it.
        """
        self._listed.append(ListedJob(job, on_show, in_strip or (lambda: True)))
        self.refresh()

    def open(self) -> None:
        """Show the dialog."""
        self._dialog.show()
        self._dialog.raise_()
        self.refresh()

    def collect(self) -> bool:
        """Hand over the results of the background; failures are told. True when there was one."""
        failed = False
        for job in self._background.collect():
            if self._worth_keeping(job) and job not in [x.job for x in self._listed]:
                self._listed.append(ListedJob(job))
            if job.state is JobState.FAILED:
                failed = True
                notice = Notice(job.error, Level.ERROR, job.details, f"job {job.name}")
                self._window.banner.show_notice(notice)
        return failed

    def refresh(self) -> None:
        """Follow the jobs; called ten times a second."""
        known = [x.job for x in self._listed]
        self._listed += [ListedJob(job) for job in self._background.shown() if job not in known]
        entries = {x: x.entry() for x in self._listed}  # once, for a job can end at any moment
        self._listed = [x for x, row in entries.items() if not row.ended or self._worth_keeping(x.job)]
        ended = [x for x in self._listed if entries[x].ended]
        for old in ended[:-ENDED_KEPT]:
            self._listed.remove(old)
        strip = [entries[x] for x in self._listed if not entries[x].ended and x.in_strip()]
        self._window.activity.show_tasks(strip)
        if self._dialog.isVisible():
            self._dialog.show_tasks([entries[x] for x in self._listed])

    @property
    def unfinished(self) -> list[Job]:
        """Jobs that would be lost if the program ended now."""
        return [x.job for x in self._listed if not x.ended]

    @staticmethod
    def _worth_keeping(job: Job) -> bool:
        if not isinstance(job, BackgroundJob):
            return True
        return not job.quiet and (job.state is JobState.FAILED or job.result_path is not None)

    def _by_key(self, key: int) -> ListedJob | None:
        return next((x for x in self._listed if id(x) == key), None)

    def _on_cancelled(self, key: int) -> None:
        listed = self._by_key(key)
        if listed is not None:
            listed.job.cancel()

    def _on_opened(self, key: int) -> None:
        listed = self._by_key(key)
        if listed is None:
            return
        path = listed.job.result_path
        if listed.on_show is not None:
            listed.on_show()
        elif path is not None:
            show_folder(self._window, path if path.is_dir() else path.parent)

    def _on_cleared(self) -> None:
        self._listed = [x for x in self._listed if not x.ended]
        self.refresh()
