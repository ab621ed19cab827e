"""Personalise, at the end: before and after in plain words and numbers, and what to do with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PyQt6.QtCore import QRectF, QSize, Qt, pyqtSignal
from PyQt6.QtGui import QPainter, QPaintEvent, QPalette
from PyQt6.QtWidgets import (
    QCheckBox,
    QHBoxLayout,
    QPlainTextEdit,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from app.ui.translation import tr
from app.ui.widgets import button, clear, fill, fold, plain


@dataclass(frozen=True)
class Measure:
    """One number before and after, 0..1; more is better."""

    words: str
    before: float
    after: float


@dataclass(frozen=True)
class ResultCard:
    """Result of a personalisation, in words and numbers."""

    headline: str
    reason: str
    measures: Sequence[Measure]
    details: str
    accepted: bool
    comparable: bool  #: both factors can be seen side by side
    correctable: bool  #: there are silhouettes of the open clip to correct


class ResultPage(QWidget):
    """The page.

    Signals:
        kept, discarded, undone, closed: what the user decided.
        compared: whether both factors are to be seen side by side.
        correcting: a silhouette is to be corrected, and everything done again.
    """

    kept = pyqtSignal()
    discarded = pyqtSignal()
    undone = pyqtSignal()
    closed = pyqtSignal()
    compared = pyqtSignal(bool)
    correcting = pyqtSignal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._headline, self._reason = plain(name="title", wrap=True), plain(wrap=True)
        self._bars = QVBoxLayout()
        self._compare = QCheckBox(tr("Before | after on the picture"))
        self._compare.setToolTip(
            tr("Left of the line the old factor, right of it the new one; drag the line")
        )
        self._compare.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._compare.clicked.connect(self.compared)
        self._keep = button("Keep", self.kept, name="primary")
        self._discard, self._undo = button("Discard", self.discarded), button("Undo", self.undone)
        self._close = button("Done", self.closed)
        self._correct = button("Correct a silhouette…", self.correcting)
        self._details = QPlainTextEdit()
        self._details.setReadOnly(True)
        self._details.setAccessibleName(tr("Details"))
        self._details.setMinimumHeight(190)
        self._more = fold("All numbers", self._details)
        row, more = QHBoxLayout(), QHBoxLayout()
        fill(row, self._keep, self._discard, self._undo, self._close)
        fill(more, self._more, None)
        fill(
            QVBoxLayout(self),
            *(self._headline, self._reason, 4, self._bars, 4),
            *(self._compare, row, self._correct, more, self._details, None),
            spacing=8,
        )
        self._decide()  # or the first layout makes room for four buttons

    def show_card(self, card: ResultCard) -> None:
        """The result, undecided."""
        self._headline.setText(tr(card.headline))
        self._reason.setText("\n".join(tr(line) for line in card.reason.splitlines()))
        self._reason.setVisible(bool(card.reason))
        clear(self._bars)
        for measure in card.measures:
            self._bars.addWidget(_Bars(measure))
        self._details.setPlainText(card.details)
        self._more.setChecked(False)
        self._more.setVisible(bool(card.details))
        self._compare.setVisible(card.comparable)
        self._compare.setChecked(False)
        self._correct.setVisible(card.correctable)
        self._decide(keep=card.accepted, discard=card.accepted, close=not card.accepted)

    def show_compared(self, *, on: bool, tried: bool) -> None:
        """Show whether both factors are seen side by side; one that is not tried yet cannot be kept."""
        self._compare.setChecked(on)
        self._keep.setEnabled(tried)

    def show_waiting(self, words: str) -> None:
        """It is being put into the library."""
        self._reason.setText(tr(words))
        self._reason.show()
        self._decide()

    def show_kept(self, words: str) -> None:
        """It is in the library and in use."""
        self._reason.setText(tr(words))
        self._reason.show()
        self._correct.hide()
        self._decide(undo=True, close=True)

    def show_undone(self, words: str) -> None:
        """It is in the library and not in use."""
        self.show_kept(words)
        self._compare.hide()
        self._decide(close=True)

    def show_undecided(self, words: str) -> None:
        """Recordings it failed; it can be tried again."""
        self._reason.setText(tr(words))
        self._reason.show()
        self._decide(keep=True, discard=True)

    def _decide(
        self, *, keep: bool = False, discard: bool = False, undo: bool = False, close: bool = False
    ) -> None:
        self._keep.setVisible(keep)
        self._discard.setVisible(discard)
        self._undo.setVisible(undo)
        self._close.setVisible(close)


class _Bars(QWidget):
    """A measure: its words, both numbers, and a bar for each."""

    def __init__(self, measure: Measure, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._measure = measure
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(
            tr("{words}: {before} before, {after} after").format(
                words=tr(measure.words), before=percent(measure.before), after=percent(measure.after)
            )
        )

    def sizeHint(self) -> QSize:
        """A line of words and two bars."""
        return QSize(240, self.fontMetrics().height() * 3 + 16)

    def paintEvent(self, event: QPaintEvent | None) -> None:
        """The bars start at nothing and end at everything, so that their lengths are true."""
        del event
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        palette, line = self.palette(), self.fontMetrics().height() + 4
        painter.setPen(palette.color(QPalette.ColorRole.WindowText))
        painter.drawText(
            QRectF(0, 0, self.width(), line), Qt.AlignmentFlag.AlignLeft, tr(self._measure.words)
        )
        rows = (
            ("before", self._measure.before, QPalette.ColorRole.PlaceholderText),
            ("after", self._measure.after, QPalette.ColorRole.Highlight),
        )
        names = max(self.fontMetrics().horizontalAdvance(tr(name)) for name, *_ in rows) + 8
        numbers = self.fontMetrics().horizontalAdvance("100.0 %") + 6
        for row, (name, value, role) in enumerate(rows, start=1):
            top = row * line
            painter.setPen(palette.color(QPalette.ColorRole.PlaceholderText))
            painter.drawText(QRectF(0, top, names, line), Qt.AlignmentFlag.AlignVCenter, tr(name))
            track = QRectF(names, top + line / 2 - 3, max(10.0, self.width() - names - numbers), 6)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(palette.color(QPalette.ColorRole.Button))
            painter.drawRoundedRect(track, 3, 3)
            track.setWidth(track.width() * min(1.0, max(0.0, value)))
            painter.setBrush(palette.color(role))
            painter.drawRoundedRect(track, 3, 3)
            painter.setPen(palette.color(QPalette.ColorRole.WindowText))
            where = QRectF(self.width() - numbers, top, numbers, line)
            side = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight
            painter.drawText(where, int(side), percent(value))


def percent(value: float) -> str:
    """0.7134 → `71.3 %`."""
    return f"{100 * value:.1f} %"
