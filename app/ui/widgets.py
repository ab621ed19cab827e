"""Widgets of every panel: plain labels, buttons that leave the player its keys, and layouts of them."""

from __future__ import annotations

from collections.abc import Callable

from PyQt6.QtCore import Qt, pyqtBoundSignal
from PyQt6.QtWidgets import QBoxLayout, QLabel, QLayout, QPushButton, QToolButton, QWidget

from app.ui.translation import tr


def plain(text: str = "", name: str = "", *, wrap: bool = False) -> QLabel:
    """A label that shows its text as it is: names from files must never become markup (J08)."""
    label = QLabel(tr(text))
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setObjectName(name)
    label.setWordWrap(wrap)
    return label


def heading(text: str) -> QLabel:
    """A small grey title."""
    return plain(text, "heading")


def button(
    text: str, act: Callable[..., object] | pyqtBoundSignal | None = None, tip: str = "", name: str = ""
) -> QPushButton:
    """A push button that takes the keyboard's focus from Tab, never from a click.

    Args:
        text: on it.
        act: a function or signal without arguments, called at a click.
        tip: shown under the mouse.
        name: `primary` for the one that is meant to be pressed.
    """
    made = QPushButton(tr(text))
    made.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    made.setToolTip(tr(tip))
    made.setObjectName(name)
    made.setAutoDefault(name == "primary")  # Return in a field of a dialog presses no other
    if act is not None:
        made.clicked.connect(act)
    return made


def fold(title: str, hidden: QWidget) -> QToolButton:
    """A button that shows and hides a widget."""
    made, title = QToolButton(), tr(title)
    made.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    made.setText(f"▸ {title}")
    made.setCheckable(True)
    hidden.hide()

    def show(on: bool) -> None:  # noqa: FBT001 a signal's payload
        made.setText(f"▾ {title}" if on else f"▸ {title}")
        hidden.setVisible(on)

    made.toggled.connect(show)
    return made


def fill(layout: QBoxLayout, *items: QWidget | QLayout | int | None, spacing: int = -1) -> QBoxLayout:
    """Add widgets, layouts, gaps (a number, px) and stretches (None), in order; no margins."""
    layout.setContentsMargins(0, 0, 0, 0)
    if spacing >= 0:
        layout.setSpacing(spacing)
    for item in items:
        if item is None:
            layout.addStretch(1)
        elif isinstance(item, int):
            layout.addSpacing(item)
        elif isinstance(item, QLayout):
            layout.addLayout(item)
        else:
            layout.addWidget(item)
    return layout


def clear(layout: QBoxLayout) -> None:
    """Delete the widgets in a layout."""
    while layout.count():
        item = layout.takeAt(0)
        widget = item.widget() if item is not None else None
        if widget is not None:
            widget.deleteLater()
