"""Keyboard: a window in which Tab reaches every control, and a control that has the focus has its keys."""

from __future__ import annotations

from typing import Final

from PyQt6.QtCore import QEvent, Qt
from PyQt6.QtGui import QKeyEvent
from PyQt6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSlider,
    QComboBox,
    QMainWindow,
    QToolButton,
    QWidget,
)

_K = Qt.Key
PRESS: Final = frozenset({_K.Key_Space, _K.Key_Return, _K.Key_Enter, _K.Key_Select})
ARROWS: Final = frozenset({_K.Key_Left, _K.Key_Right, _K.Key_Up, _K.Key_Down})
MOVE: Final = ARROWS | {_K.Key_Home, _K.Key_End, _K.Key_PageUp, _K.Key_PageDown}
#: Keys that a kind of control needs while it has the focus; all others stay shortcuts of the window.
NEEDED: Final[dict[type[QWidget], frozenset[Qt.Key]]] = {
    QAbstractButton: PRESS,
    QAbstractSlider: MOVE,
    QComboBox: PRESS | MOVE,
    QAbstractItemView: PRESS | MOVE,
}


def needs(control: QWidget | None, event: QKeyEvent) -> bool:
    """True for a key that the control acts on itself."""
    plain = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier == Qt.KeyboardModifier.NoModifier
    return plain and any(isinstance(control, kind) and event.key() in keys for kind, keys in NEEDED.items())


class KeyboardWindow(QMainWindow):
    """A main window that is used without a mouse, although its shortcuts are single keys.

    Controls take the focus from Tab only, never from a click: so the player keeps its keys (Space, arrows)
    until somebody asks for a control, and Escape gives them back.

    Attributes:
        home: has the focus while no control has it: the picture, or the page in its place.
    """

    home: QWidget | None = None

    def hand_back(self) -> None:
        """Give the keys back to the player."""
        if self.home is not None:
            self.home.setFocus()

    def event(self, event: QEvent | None) -> bool:
        """Leave to the control that has the focus the keys that it needs."""
        asked = isinstance(event, QKeyEvent) and event.type() == QEvent.Type.ShortcutOverride
        if asked and isinstance(event, QKeyEvent) and needs(self.focusWidget(), event):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        """Return presses a button, like Space."""
        control = self.focusWidget()
        if event is not None and event.key() in PRESS and isinstance(control, QAbstractButton):
            if isinstance(control, QToolButton) and control.menu() is not None:
                control.showMenu()
            else:
                control.click()
        else:
            super().keyPressEvent(event)

    def focusNextPrevChild(self, next: bool) -> bool:  # noqa: A002, FBT001 - Qt's signature
        """Tab goes on; a control that vanishes under the focus gives it back, and not to its neighbour."""
        control = self.focusWidget()
        if control is not None and not (control.isVisible() and control.isEnabled()):
            self.hand_back()
            return True
        return super().focusNextPrevChild(next)
