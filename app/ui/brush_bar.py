"""Brush bar: what the brush paints and how large, under the picture while it paints."""

from __future__ import annotations

import math

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtWidgets import QButtonGroup, QFrame, QHBoxLayout, QPushButton, QSizePolicy, QSlider, QWidget

from app.ui.brush import SIZES
from app.ui.translation import tr
from app.ui.widgets import button, fill, plain

STEPS = 100


class BrushBar(QFrame):
    """One row.

    Signals:
        person_chosen: whether the left button paints the person.
        resized: the radius, as a share of the picture's longer side.
        undone: the last stroke is to go.
        cleared: all strokes are to go.
        applied: the strokes are to be used.
        closed: the brush is put away.
    """

    person_chosen = pyqtSignal(bool)
    resized = pyqtSignal(float)
    undone = pyqtSignal()
    cleared = pyqtSignal()
    applied = pyqtSignal()
    closed = pyqtSignal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("activity")
        self._words = plain(wrap=True)
        self._words.setMinimumWidth(60)  # the bar must not make the window wider
        self._words.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._sides = QButtonGroup(self)
        self._person = self._side("Person", "the background", person=True)
        self._background = self._side("Background", "the person", person=False)
        self._size = QSlider(Qt.Orientation.Horizontal)
        self._size.setRange(0, STEPS)
        self._size.setFixedWidth(90)
        self._size.setAccessibleName(tr("Size of the brush"))
        self._size.setToolTip(tr("Size of the brush (Ctrl+wheel)"))
        self._undo, self._clear = button("Undo", self.undone), button("Clear", self.cleared)
        self._apply, self._close = button("", self.applied, name="primary"), button("Done", self.closed)
        self._size.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        row = QHBoxLayout(self)
        sides = (self._person, self._background, plain("Size"), self._size)
        fill(row, self._words, *sides, self._undo, self._clear, self._apply, self._close)
        row.setStretch(0, 1)
        row.setContentsMargins(12, 5, 8, 5)
        self._size.valueChanged.connect(
            lambda v: self.resized.emit(SIZES[0] * (SIZES[1] / SIZES[0]) ** (v / STEPS))
        )
        self.hide()

    def _side(self, text: str, other: str, *, person: bool) -> QPushButton:
        tip = tr("Paint the {side}; the right button paints {other}")
        tip = tip.format(side=tr(f"the {text.lower()}"), other=tr(other))
        made = button(text, lambda: self.person_chosen.emit(person), tip)
        made.setCheckable(True)
        self._sides.addButton(made)
        return made

    def begin(self, words: str, size: float, apply: str = "", close: str = "Done") -> None:
        """Show the bar; without `apply` every stroke counts at once."""
        self._size.blockSignals(True)  # noqa: FBT003 Qt's signature
        self._size.setValue(round(STEPS * math.log(size / SIZES[0]) / math.log(SIZES[1] / SIZES[0])))
        self._size.blockSignals(False)  # noqa: FBT003 Qt's signature
        self._words.setText(tr(words))
        self._apply.setText(tr(apply))
        self._apply.setVisible(bool(apply))
        self._close.setText(tr(close))
        self._person.setChecked(True)
        self.show_strokes(0)
        self.show()

    def show_strokes(self, count: int) -> None:
        """Enable Undo, Clear and Apply when there are strokes."""
        for control in (self._undo, self._clear, self._apply):
            control.setEnabled(count > 0)
