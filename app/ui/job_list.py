"""Job list: running jobs, with percent, time left and a Cancel button."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtWidgets import QFrame, QHBoxLayout, QProgressBar, QVBoxLayout, QWidget

from app.ui.widgets import button, fill, plain

SHOWN = 4


@dataclass(frozen=True)
class JobEntry:
    """One job as the area shows it."""

    key: int
    title: str
    fraction: float | None  #: 0..1; None while nobody knows
    left_s: float | None


class JobList(QFrame):
    """The list of jobs; hidden while there is none.

    Signals:
        cancelled: the user does not want the job of this key any more.
    """

    cancelled = pyqtSignal(object)  # an int, whole: as a C int an id() would lose its upper half

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("activity")
        self._rows = [_Row(self) for _ in range(SHOWN)]
        fill(QVBoxLayout(self), *self._rows, spacing=3).setContentsMargins(12, 5, 8, 5)
        self.hide()

    def show_tasks(self, tasks: Sequence[JobEntry]) -> None:
        """Show the jobs that run and wait."""
        self.setVisible(bool(tasks))
        for row, task in zip(self._rows, [*tasks[:SHOWN], *[None] * SHOWN], strict=False):
            row.show_task(task)


class _Row(QWidget):
    def __init__(self, area: JobList) -> None:
        super().__init__(area)
        self._key = -1
        self._title, self._words = plain(), plain(name="faint")
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.setMaximumWidth(220)
        self._words.setMinimumWidth(110)
        row = QHBoxLayout(self)
        cancel = button("Cancel", lambda: area.cancelled.emit(self._key))
        fill(row, self._title, self._bar, self._words, cancel)
        row.setAlignment(self._bar, Qt.AlignmentFlag.AlignVCenter)
        for stretched in (0, 1):
            row.setStretch(stretched, 1)
        self.hide()

    def show_task(self, task: JobEntry | None) -> None:
        self.setVisible(task is not None)
        if task is None:
            return
        self._key = task.key
        self._title.setText(task.title)
        if task.fraction is None:
            self._bar.setRange(0, 0)
            self._words.setText("")
        else:
            self._bar.setRange(0, 100)
            self._bar.setValue(round(task.fraction * 100))
            left = f" · {duration(task.left_s)} left" if task.left_s is not None else ""
            self._words.setText(f"{round(task.fraction * 100)} %{left}")


def duration(seconds: float) -> str:
    """`1 min 20 s`."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
