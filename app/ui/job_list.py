"""Job list: running jobs in a strip, with percent, time left and Cancel; and the row of a job."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtWidgets import QFrame, QHBoxLayout, QProgressBar, QSizePolicy, QVBoxLayout, QWidget

from app.ui.translation import tr
from app.ui.widgets import button, fill, plain

SHOWN = 4
BAR_PX = 220
LEFT = "{percent} % · {time} left"
WORDS_PX = 150  # the buttons must not move with every percent


@dataclass(frozen=True)
class JobEntry:
    """One job as a row shows it."""

    key: int
    name: str
    share: float | None = None  #: 0..1; None while nobody knows
    left_s: float | None = None
    words: str = ""  #: the step at hand, or the outcome
    ended: bool = False
    failed: bool = False
    opens: str = ""  #: label of the button that shows its result; empty: there is nothing to show


class JobRow(QWidget):
    """One row: name, bar, words, and the button that fits its state.

    Args:
        on_cancelled: gets the key of the job that is no longer wanted.
        on_opened: gets the key of the job whose result is to be seen.
    """

    def __init__(self, on_cancelled: Callable[[int], object], on_opened: Callable[[int], object]) -> None:
        super().__init__()
        self._key = -1
        self._name, self._words = plain(), plain(name="faint")
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.setMaximumWidth(BAR_PX)
        self._words.setMinimumWidth(WORDS_PX)
        self._name.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._cancel = button("Cancel", lambda: on_cancelled(self._key))
        self._open = button("", lambda: on_opened(self._key))
        row = QHBoxLayout(self)
        fill(row, self._name, self._bar, self._words, self._open, self._cancel)
        row.setAlignment(self._bar, Qt.AlignmentFlag.AlignVCenter)
        row.setStretch(0, 3)
        row.setStretch(1, 2)

    def show_task(self, task: JobEntry) -> None:
        """Show this job, as it stands now."""
        self._key = task.key
        name = tr(task.name)
        self._name.setText(f"{name}: {tr(task.words)}" if task.words and not task.ended else name)
        self._name.setToolTip(name)
        self._bar.setVisible(not task.ended)
        self._cancel.setVisible(not task.ended)
        self._open.setVisible(bool(task.opens))
        self._open.setText(tr(task.opens))
        self._show_failed(on=task.failed)
        self._words.setWordWrap(task.ended)
        if isinstance(row := self.layout(), QHBoxLayout):
            row.setStretch(2, 3 if task.ended else 0)
        if task.ended:
            self._words.setText(tr(task.words))
        elif task.share is None:
            self._bar.setRange(0, 0)
            self._words.setText("")
        else:
            self._bar.setRange(0, 100)
            self._bar.setValue(round(task.share * 100))
            self._words.setText(progress_words(task.share, task.left_s))

    def _show_failed(self, *, on: bool) -> None:
        name, style = "problem" if on else "faint", self._words.style()
        if self._words.objectName() != name and style is not None:
            self._words.setObjectName(name)
            style.polish(self._words)


class JobList(QFrame):
    """The strip of jobs that run; hidden while there is none.

    Signals:
        cancelled: the user does not want the job of this key any more.
        opened: the result of the job of this key is to be seen.
        all_wanted: the whole list is to be seen.
    """

    cancelled = pyqtSignal(object)  # an int, whole: as a C int an id() would lose its upper half
    opened = pyqtSignal(object)
    all_wanted = pyqtSignal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("activity")
        self._rows = [JobRow(self.cancelled.emit, self.opened.emit) for _ in range(SHOWN)]
        self._more = button("", self.all_wanted.emit)
        fill(QVBoxLayout(self), *self._rows, self._more, spacing=3).setContentsMargins(12, 5, 8, 5)
        self.show_tasks([])

    def show_tasks(self, tasks: Sequence[JobEntry]) -> None:
        """Show the jobs that run and wait."""
        self.setVisible(bool(tasks))
        self._more.setText(tr("{count} more…").format(count=len(tasks) - SHOWN))
        self._more.setVisible(len(tasks) > SHOWN)
        for row, task in zip(self._rows, [*tasks[:SHOWN], *[None] * SHOWN], strict=False):
            row.setVisible(task is not None)
            if task is not None:
                row.show_task(task)


def progress_words(share: float, left_s: float | None, left: str = LEFT) -> str:
    """`35 % · 2 min 5 s left`."""
    words = tr(left) if left_s is not None else "{percent} %"
    return words.format(percent=round(share * 100), time=duration(left_s or 0.0))


def duration(seconds: float) -> str:
    """`1 min 20 s`."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
