"""Something dropped on the window. Not a test itself."""

from __future__ import annotations

from PyQt6.QtCore import QMimeData, QPointF, Qt
from PyQt6.QtGui import QDropEvent

from app.desktop import Desktop


def drop(desktop: Desktop, data: QMimeData) -> bool:
    """Whether the window took it."""
    event = QDropEvent(
        QPointF(50, 50),
        Qt.DropAction.CopyAction,
        data,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )
    desktop.window.dropEvent(event)
    return event.isAccepted()
