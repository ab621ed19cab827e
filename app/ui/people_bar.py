"""People bar: what can be done with the person who was chosen, under the picture."""

from __future__ import annotations

from PyQt6.QtCore import Qt
from PyQt6.QtGui import QColor
from PyQt6.QtWidgets import QFrame, QHBoxLayout, QToolButton, QWidget

from app.ui.actions import Actions
from app.ui.legend import swatch
from app.ui.widgets import fill, plain

BUTTONS = ("previous-person", "next-person", "follow-person", "hide-person", "keep-person", "show-people")


class PeopleBar(QFrame):
    """One row: the person, and a button for each action of the menu."""

    def __init__(self, actions: Actions, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("activity")
        self._swatch, self._words = plain(), plain()
        buttons = []
        for name in BUTTONS:
            made = QToolButton()
            made.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            made.setDefaultAction(actions[name])
            buttons.append(made)
        row = QHBoxLayout(self)
        fill(row, self._swatch, self._words, None, *buttons)
        row.setContentsMargins(12, 5, 8, 5)
        self.hide()

    def show_person(self, words: str, colour: QColor | None) -> None:
        """Name the person; without words the bar goes."""
        self._words.setText(words)
        self._swatch.setVisible(colour is not None)
        if colour is not None:
            self._swatch.setPixmap(swatch(colour, shown=True).pixmap(16, 16))
        self.setVisible(bool(words))
