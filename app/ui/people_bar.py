"""People bar: what can be done with the person who was chosen, under the picture."""

from __future__ import annotations

from PyQt6.QtGui import QColor
from PyQt6.QtWidgets import QFrame, QHBoxLayout, QToolButton

from app.ui.legend import swatch
from app.ui.widgets import fill, plain
from app.ui.window_actions import Actions

CHOOSE = ("previous-person", "next-person")
BUTTONS = (*CHOOSE, "follow-person", "hide-person", "keep-person", "learn-person", "show-people")


class PeopleBar(QFrame):
    """One row: the person, and a button for each action of the menu."""

    def __init__(self, actions: Actions) -> None:
        super().__init__()
        self.setObjectName("activity")
        self._swatch, self._words = plain(), plain()
        buttons = [QToolButton() for _ in BUTTONS]
        for button, name in zip(buttons, BUTTONS, strict=True):
            button.setDefaultAction(actions[name])
        fill(QHBoxLayout(self), self._swatch, self._words, None, *buttons).setContentsMargins(12, 5, 8, 5)
        self.hide()

    def show_person(self, words: str, colour: QColor) -> None:
        """Name the person; without words the bar goes."""
        self._words.setText(words)
        self._swatch.setPixmap(swatch(colour, shown=True).pixmap(16, 16))
        self.setVisible(bool(words))
