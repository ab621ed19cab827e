"""Personalise panel: the page on the right that a personalisation is chosen, watched and decided on."""

from __future__ import annotations

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QPlainTextEdit,
    QScrollArea,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from app.ui.personalize_form import SetupPage
from app.ui.personalize_progress import ProgressPage
from app.ui.personalize_result import ResultPage
from app.ui.translation import tr
from app.ui.widgets import button, fill, heading, plain

WIDTH = 316
STEPS = ("1 OF 3: CHOOSE", "2 OF 3: LEARN", "3 OF 3: COMPARE AND DECIDE", "NOT DONE")  # by page


class PersonalizePanel(QFrame):
    """Four pages, one at a time."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("panel")
        self.setMinimumWidth(WIDTH)
        self.setup, self.progress = SetupPage(), ProgressPage()
        self.result, self.trouble = ResultPage(), FailurePage()
        self._pages = QStackedWidget()
        for page in (self.setup, self.progress, self.result, self.trouble):
            self._pages.addWidget(_scrolled(page))
        self._step = heading("")
        self.show_page(self.setup)
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 12, 6, 12)
        column.addWidget(self._step)
        column.addWidget(self._pages, 1)

    def show_page(self, page: QWidget) -> None:
        """One of `setup`, `progress`, `result`, `trouble`."""
        for number in range(self._pages.count()):
            area = self._pages.widget(number)
            if isinstance(area, QScrollArea) and area.widget() is page:
                self._pages.setCurrentIndex(number)
                self._step.setText(tr(STEPS[number]))

    @property
    def page(self) -> QWidget | None:
        """The page on show."""
        area = self._pages.currentWidget()
        return area.widget() if isinstance(area, QScrollArea) else None

    def shows(self, page: QWidget) -> bool:
        """True while the user sees that page."""
        return self.isVisible() and self.page is page


class FailurePage(QWidget):
    """A job that ended without a result: why, and what can be done.

    Signals:
        retried: go on where it stopped.
        removed: delete the job.
        left: keep the job for later.
        looked: open the folder, for a bug report.
    """

    retried = pyqtSignal()
    removed = pyqtSignal()
    left = pyqtSignal()
    looked = pyqtSignal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._title, self._words = plain(name="title", wrap=True), plain(wrap=True)
        self._details = QPlainTextEdit()
        self._details.setReadOnly(True)
        self._details.setAccessibleName(tr("Details"))
        self._details.setMaximumHeight(180)
        self._retry = button("Try again", self.retried, name="primary")
        self._remove = button("Remove", self.removed)
        self._later = button("Later", self.left, "Keep the job; it is listed here until resumed or removed")
        ends = QHBoxLayout()
        fill(ends, self._retry, self._later, self._remove)
        folder = button("Open its folder", self.looked)
        fill(QVBoxLayout(self), self._title, self._words, self._details, ends, folder, None, spacing=8)

    def show_words(self, words: str, details: str, *, failed: bool) -> None:
        """Show why a job failed, or why it is paused."""
        self._title.setText(tr("This did not work" if failed else "Paused"))
        self._words.setText(tr(words))
        self._details.setPlainText(details)
        self._details.setVisible(bool(details))
        self._retry.setText(tr("Try again" if failed else "Resume"))


def _scrolled(page: QWidget) -> QScrollArea:
    """A small screen must not hide the buttons."""
    area = QScrollArea()
    area.setWidget(page)
    area.setWidgetResizable(True)
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    page.setContentsMargins(0, 0, 8, 0)
    return area
