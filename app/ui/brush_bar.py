"""Brush bar: what the brush paints and how large, under the picture while it paints."""

from __future__ import annotations

import math

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtWidgets import QButtonGroup, QFrame, QHBoxLayout, QPushButton, QSizePolicy, QSlider, QWidget

from app.ui.brush import SIZES
from app.ui.style_panel import plain

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
        self._words = plain("")
        self._words.setWordWrap(True)
        self._words.setMinimumWidth(60)  # the bar must not make the window wider
        self._words.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._person, self._background = QPushButton("Person"), QPushButton("Background")
        self._sides = QButtonGroup(self)
        for button, tip in (
            (self._person, "Paint the person; the right button paints the background"),
            (self._background, "Paint the background; the right button paints the person"),
        ):
            button.setCheckable(True)
            button.setToolTip(tip)
            self._sides.addButton(button)
        self._size = QSlider(Qt.Orientation.Horizontal)
        self._size.setRange(0, STEPS)
        self._size.setFixedWidth(90)
        self._size.setToolTip("Size of the brush (Ctrl+wheel)")
        self._undo, self._clear = QPushButton("Undo"), QPushButton("Clear")
        self._apply, self._close = QPushButton(""), QPushButton("Done")
        self._apply.setObjectName("primary")
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 5, 8, 5)
        row.addWidget(self._words, 1)
        row.addWidget(self._person)
        row.addWidget(self._background)
        row.addWidget(plain("Size"))
        row.addWidget(self._size)
        for button in (self._undo, self._clear, self._apply, self._close):
            row.addWidget(button)
        for control in (*self.findChildren(QPushButton), self._size):
            control.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._person.clicked.connect(lambda: self.person_chosen.emit(True))  # noqa: FBT003 a signal's payload
        self._background.clicked.connect(
            lambda: self.person_chosen.emit(False)  # noqa: FBT003 a signal's payload
        )
        self._size.valueChanged.connect(
            lambda v: self.resized.emit(SIZES[0] * (SIZES[1] / SIZES[0]) ** (v / STEPS))
        )
        self._undo.clicked.connect(self.undone)
        self._clear.clicked.connect(self.cleared)
        self._apply.clicked.connect(self.applied)
        self._close.clicked.connect(self.closed)
        self.hide()

    def begin(self, words: str, size: float, apply: str = "", close: str = "Done") -> None:
        """Show the bar; without `apply` every stroke counts at once."""
        self._size.blockSignals(True)  # noqa: FBT003 Qt's signature
        self._size.setValue(round(STEPS * math.log(size / SIZES[0]) / math.log(SIZES[1] / SIZES[0])))
        self._size.blockSignals(False)  # noqa: FBT003 Qt's signature
        self._words.setText(words)
        self._apply.setText(apply)
        self._apply.setVisible(bool(apply))
        self._close.setText(close)
        self._person.setChecked(True)
        self.show_strokes(0)
        self.show()

    def show_strokes(self, count: int) -> None:
        """Enable Undo, Clear and Apply when there are strokes."""
        for button in (self._undo, self._clear, self._apply):
            button.setEnabled(count > 0)
