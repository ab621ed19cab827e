"""Learning job: a personalisation as the list of jobs shows it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from personalize.client.supervisor import Ending
from personalize.client.task import PersonalizationTask
from runtime.system.jobs import JobState

STATES = {
    Ending.DONE: JobState.DONE,
    Ending.FAILED: JobState.FAILED,
    Ending.PAUSED: JobState.FAILED,
    Ending.CANCELLED: JobState.CANCELLED,
}


class LearningJob:
    """A `Job`; a task that is redone with corrections runs again.

    Attributes:
        thrown_away: its task was closed, and nothing of it can be shown.
    """

    result_path: Path | None = None  # the factor has a place of its own, the library

    def __init__(self, task: PersonalizationTask, on_cancelled: Callable[[], None]) -> None:
        self.thrown_away = False
        self._task, self._on_cancelled = task, on_cancelled

    @property
    def name(self) -> str:
        """`Learning Ann`."""
        return f"Learning {self._task.job.name}"

    @property
    def share(self) -> float | None:
        """0..1 of the work; None while nobody knows."""
        return self._task.fraction

    @property
    def words(self) -> str:
        """The phase; after the end, why there is no factor."""
        outcome = self._task.outcome
        return outcome.words if outcome is not None else "" if self.thrown_away else self._task.words

    @property
    def left_s(self) -> float | None:
        """Seconds left, as the worker estimates."""
        return self._task.left_s

    @property
    def state(self) -> JobState:
        """Of the worker, or of the recording before it."""
        if self.thrown_away:
            return JobState.CANCELLED
        outcome = self._task.outcome
        return JobState.RUNNING if outcome is None else STATES[outcome.how]

    def cancel(self) -> None:
        """Throw it away."""
        self._on_cancelled()
