"""Personalise, before it runs: which clip, which frames, which name; and what was left from before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtGui import QHideEvent
from PyQt6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLineEdit,
    QRadioButton,
    QVBoxLayout,
    QWidget,
)

from app.ui.job_list import duration
from app.ui.translation import tr
from app.ui.widgets import button, clear, fill, fold, heading, plain
from personalize.job import Method, PersonChoice
from personalize.phases import usual_s

METHODS: dict[Method, str] = {
    "tree": "Through time, then GrabCut (best)",
    "grabcut": "GrabCut on every frame",
    "graphcut": "Graph cut on every frame",
    "none": "Only what is surely the person",
}
LEFT_SHOWN = 3
AS_MEASURED = "About {time} on this machine, as the last one took"
AS_USUAL = "About {time} on a machine that does nothing else; the next time as measured here"


@dataclass(frozen=True)
class PersonalizeOptions:
    """Choices that a personalisation of the open source has, or the reason why there is none."""

    source: str = ""  #: name of the clip or camera, empty when there is none
    key: str = ""  #: path, link or name: what tells it from another of that name
    why_not: str = ""  #: words, when it cannot be used
    live: bool = False
    span: tuple[int, int] | None = None  #: between the in and out handles
    window: tuple[int, int] = (0, 0)  #: frames around the one on show
    name: str = ""  #: proposed for the factor
    pace: float = 0.0  #: of the last personalisation here, by the usual times; 0: there was none
    factor: str = ""  #: personalised factor in use, which can be gone on from; empty for the model's own


@dataclass(frozen=True)
class PersonalizeRequest:
    """Choices of the user for one personalisation."""

    name: str
    marked: bool  #: the marked range rather than the frames around
    method: Method
    go_on: bool  #: from the factor in use
    person: PersonChoice | None = None  #: learned alone


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
        asked: the next click in the picture shall say who.
        changed: somebody else is chosen, or the form was put away.
    """

    asked = pyqtSignal()
    changed = pyqtSignal()
    wished = pyqtSignal(PersonalizeRequest)
    resumed = pyqtSignal(str)
    removed = pyqtSignal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._offer = PersonalizeOptions()
        self._source = plain(wrap=True)
        self._marked, self._around = QRadioButton(""), QRadioButton("")
        self._around.setChecked(True)
        self._marked.toggled.connect(self._show_duration)
        self._duration = plain(name="faint", wrap=True)
        words = "Records 10 s of what the camera sees now, and learns from that."
        self._camera, self._why = plain(words, "faint", wrap=True), plain(name="faint", wrap=True)
        self._name = QLineEdit()
        self._name.setMaxLength(60)
        self._person = QComboBox()
        self._person.addItem(tr("Everybody in sight"))
        self._person.addItem(tr("The largest who moves"), PersonChoice())
        self._person.currentIndexChanged.connect(self.changed)
        self._ask = button("Click on one…", self.asked, "Learn one person alone; others become background")
        self._method = QComboBox()
        for method, words in METHODS.items():
            self._method.addItem(tr(words), method)
        self._go_on = QComboBox()
        self._start = button("Personalise", self._on_start, name="primary")
        self._name.returnPressed.connect(self._start.click)
        for field, name in (
            (self._person, "Who is learned"),
            (self._method, "Method"),
            (self._go_on, "Start from"),
            (self._name, "Name of the factor"),
        ):
            field.setAccessibleName(tr(name))
        self._left = QVBoxLayout()
        self._hidden = QWidget()
        self._lay_out()
        for control in (self._marked, self._around, self._person, self._method, self._go_on):
            control.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.show_offer(self._offer)

    def show_offer(self, offer: PersonalizeOptions) -> None:
        """Show the options; what the user has typed or chosen stays as long as the source does."""
        if (offer.key, offer.name) != (self._offer.key, self._offer.name):
            self._name.setText(offer.name)
            self.show_person(None)
        if offer.span is not None and self._offer.span is None:
            self._marked.setChecked(True)
        self._offer = offer
        self._source.setText(offer.source or tr("No clip is open"))
        self._why.setText(tr(offer.why_not))
        self._why.setVisible(bool(offer.why_not))
        ranged = bool(offer.source) and not offer.live and not offer.why_not
        self._camera.setVisible(offer.live)
        self._show_duration()
        self._marked.setVisible(ranged)
        self._around.setVisible(ranged)
        self._ask.setVisible(ranged)
        self._marked.setEnabled(offer.span is not None)
        if offer.span is None:
            self._marked.setText(tr("Between in and out (none is marked)"))
            self._around.setChecked(True)
        else:
            self._marked.setText(tr("Between in and out: frames {span}").format(span=_range(offer.span)))
        self._around.setText(tr("Around what is shown: frames {span}").format(span=_range(offer.window)))
        in_use = tr("{name}, the one in use").format(name=offer.factor)
        starts = [tr("The model's own factor"), *([in_use] if offer.factor else [])]
        if [self._go_on.itemText(i) for i in range(self._go_on.count())] != starts:
            self._go_on.clear()
            self._go_on.addItems(starts)
        self._start.setText(tr("Record and personalise" if offer.live else "Personalise"))
        for widget in (self._start, self._name):
            widget.setEnabled(bool(offer.source) and not offer.why_not)

    def _show_duration(self) -> None:
        """Estimate the time before it begins; nobody knows how many frames a camera will give."""
        offer = self._offer
        marked = self._marked.isChecked() and offer.span is not None
        first, last = offer.span if marked and offer.span is not None else offer.window
        words = AS_MEASURED if offer.pace else AS_USUAL
        time = duration(usual_s(last - first + 1) * (offer.pace or 1.0))
        self._duration.setText(tr(words).format(time=time))
        self._duration.setVisible(bool(offer.source) and not offer.live and not offer.why_not)

    def hideEvent(self, event: QHideEvent | None) -> None:
        """Another page, or the parts, are on show."""
        super().hideEvent(event)
        self.changed.emit()

    @property
    def person(self) -> PersonChoice | None:
        """The person who is to be learned alone; None for everybody."""
        choice: PersonChoice | None = self._person.currentData()
        return choice

    def show_person(self, choice: PersonChoice | None) -> None:
        """Choose somebody at a point; None chooses everybody."""
        self._person.removeItem(2)
        if choice is not None:
            self._person.addItem(str(choice).capitalize(), choice)
        self._person.setCurrentIndex(0 if choice is None else 2)

    def show_left(self, jobs: Sequence[ResumableJob]) -> None:
        """BackgroundJobs that an earlier run of the program left behind."""
        clear(self._left)
        if jobs:
            self._left.addWidget(heading("LEFT FROM BEFORE"))
        for job in jobs[:LEFT_SHOWN]:
            self._left.addWidget(self._left_row(job))

    def _left_row(self, job: ResumableJob) -> QWidget:
        row = QWidget()
        line = QHBoxLayout(row)
        fill(
            line,
            plain(f"{job.name}\n{tr('result waits' if job.finished else 'interrupted')}"),
            button("Show" if job.finished else "Resume", lambda: self.resumed.emit(job.key)),
            button("Remove", lambda: self.removed.emit(job.key)),
        )
        line.setStretch(0, 1)
        return row

    def _lay_out(self) -> None:
        intro = "Makes an X factor that knows the person in this clip. No labels are needed."
        for box in (self._person, self._method, self._go_on):
            box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
            box.setMinimumContentsLength(12)
        options = QVBoxLayout(self._hidden)
        fill(options, heading("METHOD"), self._method, heading("START FROM"), self._go_on)
        more = QHBoxLayout()
        fill(more, fold("More", self._hidden), None)
        fill(
            QVBoxLayout(self),
            *(plain(intro, "faint", wrap=True), 8),
            *(heading("CLIP"), self._source, self._camera, self._why, self._marked, self._around, 8),
            *(heading("WHO IS LEARNED"), self._person, self._ask, 8),
            *(heading("NAME OF THE FACTOR"), self._name, more, self._hidden, 8),
            *(self._start, self._duration, 16, self._left, None),
            spacing=6,
        )

    def _on_start(self) -> None:
        method: Method = self._method.currentData()
        name = self._name.text().strip() or self._offer.name
        marked = self._marked.isChecked() and self._offer.span is not None
        go_on, person = self._go_on.currentIndex() > 0, self.person
        self.wished.emit(PersonalizeRequest(name, marked, method, go_on, person))


def _range(span: tuple[int, int]) -> str:
    return tr("{first} to {last}").format(first=span[0], last=span[1])
