"""Personalise, before it runs: which clip, which frames, which name; and what was left from before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QRadioButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.ui.style_panel import heading, plain
from personalize.job import Method

METHODS: dict[Method, str] = {
    "tree": "Through time, then GrabCut (best)",
    "grabcut": "GrabCut on every frame",
    "graphcut": "Graph cut on every frame",
    "none": "Only what is surely the person",
}
LEFT_SHOWN = 3


@dataclass(frozen=True)
class PersonalizeOptions:
    """Choices that a personalisation of the open source has, or the reason why there is none."""

    source: str = ""  #: name of the clip or camera, empty when there is none
    why_not: str = ""  #: words, when it cannot be used
    live: bool = False
    span: tuple[int, int] | None = None  #: between the in and out handles
    window: tuple[int, int] = (0, 0)  #: frames around the one on show
    name: str = ""  #: proposed for the factor
    factor: str = ""  #: personalised factor in use, which can be gone on from; empty for the model's own


@dataclass(frozen=True)
class PersonalizeRequest:
    """Choices of the user for one personalisation."""

    name: str
    marked: bool  #: the marked range rather than the frames around
    method: Method
    go_on: bool  #: from the factor in use


@dataclass(frozen=True)
class ResumableJob:
    """A job of an earlier run, in words."""

    key: str
    name: str
    finished: bool


class SetupPage(QWidget):
    """The form.

    Signals:
        wished: a PersonalizeRequest: start.
        resumed: the key of a left job.
        removed: the key of a left job.
    """

    wished = pyqtSignal(PersonalizeRequest)
    resumed = pyqtSignal(str)
    removed = pyqtSignal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._offer = PersonalizeOptions()
        self._source = plain("")
        self._source.setWordWrap(True)
        self._marked, self._around = QRadioButton(""), QRadioButton("")
        self._around.setChecked(True)
        self._camera = plain("Records 10 s of what the camera sees now, and learns from that.")
        self._why = plain("")
        self._name = QLineEdit()
        self._name.setMaxLength(60)
        self._more = QToolButton()
        self._more.setText("▸ More")
        self._more.setCheckable(True)
        self._method = QComboBox()
        for method, words in METHODS.items():
            self._method.addItem(words, method)
        self._go_on = QComboBox()
        self._start = QPushButton("Personalise")
        self._start.setObjectName("primary")
        self._left = QVBoxLayout()
        self._hidden = QWidget()
        self._lay_out()
        self._more.toggled.connect(self._on_more)
        self._start.clicked.connect(self._on_start)
        for control in (self._marked, self._around, self._more, self._method, self._go_on, self._start):
            control.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.show_offer(self._offer)

    def show_offer(self, offer: PersonalizeOptions) -> None:
        """Show the options; what the user has typed or chosen stays as long as the source does."""
        if offer.name != self._offer.name:
            self._name.setText(offer.name)
        if offer.span is not None and self._offer.span is None:
            self._marked.setChecked(True)
        self._offer = offer
        self._source.setText(offer.source or "No clip is open")
        self._why.setText(offer.why_not)
        self._why.setVisible(bool(offer.why_not))
        ranged = bool(offer.source) and not offer.live and not offer.why_not
        self._camera.setVisible(offer.live)
        self._marked.setVisible(ranged)
        self._around.setVisible(ranged)
        self._marked.setEnabled(offer.span is not None)
        if offer.span is None:
            self._marked.setText("Between in and out (none is marked)")
            self._around.setChecked(True)
        else:
            self._marked.setText(f"Between in and out: frames {_range(offer.span)}")
        self._around.setText(f"Around what is shown: frames {_range(offer.window)}")
        starts = ["The model's own factor", *([f"{offer.factor}, the one in use"] if offer.factor else [])]
        if [self._go_on.itemText(i) for i in range(self._go_on.count())] != starts:
            self._go_on.clear()
            self._go_on.addItems(starts)
        self._start.setText("Record and personalise" if offer.live else "Personalise")
        for widget in (self._start, self._name):
            widget.setEnabled(bool(offer.source) and not offer.why_not)

    def show_left(self, jobs: Sequence[ResumableJob]) -> None:
        """BackgroundJobs that an earlier run of the program left behind."""
        while self._left.count():
            item = self._left.takeAt(0)
            widget = item.widget() if item is not None else None
            if widget is not None:
                widget.deleteLater()
        if jobs:
            self._left.addWidget(heading("LEFT FROM BEFORE"))
        for job in jobs[:LEFT_SHOWN]:
            self._left.addWidget(self._left_row(job))

    def _left_row(self, job: ResumableJob) -> QWidget:
        row = QWidget()
        words = plain(f"{job.name}\n{'result waits' if job.finished else 'interrupted'}")
        resume = QPushButton("Show" if job.finished else "Resume")
        remove = QPushButton("Remove")
        resume.clicked.connect(lambda: self.resumed.emit(job.key))
        remove.clicked.connect(lambda: self.removed.emit(job.key))
        line = QHBoxLayout(row)
        line.setContentsMargins(0, 0, 0, 0)
        line.addWidget(words, 1)
        for button in (resume, remove):
            button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            line.addWidget(button)
        return row

    def _lay_out(self) -> None:
        for label in (self._camera, self._why):
            label.setWordWrap(True)
            label.setObjectName("faint")
        intro = plain("Makes an X factor that knows the person in this clip. No labels are needed.")
        intro.setWordWrap(True)
        intro.setObjectName("faint")
        hidden = QVBoxLayout(self._hidden)
        hidden.setContentsMargins(0, 0, 0, 0)
        for title, box in (("METHOD", self._method), ("START FROM", self._go_on)):
            hidden.addWidget(heading(title))
            hidden.addWidget(box)
            box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
            box.setMinimumContentsLength(12)
        self._hidden.hide()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addWidget(intro)
        column.addSpacing(8)
        column.addWidget(heading("CLIP"))
        for widget in (self._source, self._camera, self._why, self._marked, self._around):
            column.addWidget(widget)
        column.addSpacing(8)
        column.addWidget(heading("NAME OF THE FACTOR"))
        column.addWidget(self._name)
        column.addWidget(self._more, 0, Qt.AlignmentFlag.AlignLeft)
        column.addWidget(self._hidden)
        column.addSpacing(8)
        column.addWidget(self._start)
        column.addSpacing(16)
        column.addLayout(self._left)
        column.addStretch(1)

    def _on_more(self, on: bool) -> None:  # noqa: FBT001 a signal's payload
        self._more.setText("▾ More" if on else "▸ More")
        self._hidden.setVisible(on)

    def _on_start(self) -> None:
        method: Method = self._method.currentData()
        name = self._name.text().strip() or self._offer.name
        marked = self._marked.isChecked() and self._offer.span is not None
        self.wished.emit(PersonalizeRequest(name, marked, method, go_on=self._go_on.currentIndex() > 0))


def _range(span: tuple[int, int]) -> str:
    return f"{span[0]} to {span[1]}"
