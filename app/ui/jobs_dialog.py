"""Jobs dialog: what runs, and what has ended in this run of the program, with its result; never modal."""

from __future__ import annotations

from collections.abc import Sequence

from PyQt6.QtCore import pyqtSignal
from PyQt6.QtWidgets import QDialog, QFrame, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from app.ui.job_list import JobEntry, JobRow
from app.ui.translation import tr
from app.ui.widgets import button, fill, heading, plain

EMPTY = "Nothing is running. Downloads, exports, measurements and personalisations appear here."


class JobsDialog(QDialog):
    """The dialog.

    Signals:
        cancelled, opened: the key of the job that is not wanted any more, whose result is to be seen.
        cleared: the ended jobs can be forgotten.
    """

    cancelled = pyqtSignal(object)
    opened = pyqtSignal(object)
    cleared = pyqtSignal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("Jobs"))
        self.resize(720, 380)
        self._rows: dict[int, JobRow] = {}
        self._running, self._ended = QVBoxLayout(), QVBoxLayout()
        self._headings = heading("RUNNING"), heading("ENDED")
        self._empty = plain(EMPTY, "faint", wrap=True)
        page, area = QWidget(), QScrollArea()
        parts = (self._empty, self._headings[0], self._running, 10, self._headings[1], self._ended)
        fill(QVBoxLayout(page), *parts, None).setContentsMargins(12, 10, 12, 10)
        area.setWidget(page)
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        self._clear = button("Clear ended", self.cleared.emit)
        column, row = QVBoxLayout(self), QHBoxLayout()
        fill(row, None, self._clear, button("Close", self.close))
        column.addWidget(area, 1)
        column.addLayout(row)
        self.show_tasks([])

    def show_tasks(self, tasks: Sequence[JobEntry]) -> None:
        """Show these jobs, running ones first; rows of the same key stay where they are."""
        known = {task.key for task in tasks}
        for key in [k for k in self._rows if k not in known]:
            self._rows.pop(key).deleteLater()
        for task in tasks:
            if task.key not in self._rows:
                self._rows[task.key] = JobRow(self.cancelled.emit, self.opened.emit)
            row, place = self._rows[task.key], self._ended if task.ended else self._running
            row.show_task(task)
            if place.indexOf(row) < 0:
                (self._running if task.ended else self._ended).removeWidget(row)
                place.insertWidget(0 if task.ended else place.count(), row)
                row.show()
        ended = [task.ended for task in tasks]
        self._empty.setVisible(not tasks)
        for title, on in zip(self._headings, (not all(ended), any(ended)), strict=True):
            title.setVisible(on)
        self._clear.setEnabled(any(ended))
