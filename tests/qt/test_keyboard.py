"""Use without a mouse and without eyes: Tab reaches every control, and every control has a name."""

from __future__ import annotations

import pytest
from PyQt6.QtCore import Qt
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSlider,
    QApplication,
    QComboBox,
    QHeaderView,
    QKeySequenceEdit,
    QLineEdit,
    QListView,
    QPlainTextEdit,
    QPushButton,
    QScrollBar,
    QTextBrowser,
    QWidget,
)

from app.ui.library_dialog import LibraryDialog

pytestmark = pytest.mark.gui
CONTROLS = (
    QAbstractButton, QAbstractItemView, QAbstractSlider, QComboBox, QKeySequenceEdit, QLineEdit,
    QPlainTextEdit, QTextBrowser,
)  # fmt: skip


def controls(place: QWidget) -> list[QWidget]:
    """Controls that the program made, not those of Qt inside them; nor buttons whose words come later."""
    found = [w for kind in CONTROLS for w in place.findChildren(kind)]
    inner = (QScrollBar, QHeaderView)
    return [
        w
        for w in found
        if not isinstance(w, inner)
        and not w.objectName().startswith("qt_")
        and not isinstance(w.parentWidget(), CONTROLS)
        and not (isinstance(w, QListView) and isinstance(w.parentWidget().parentWidget(), QComboBox))
        and not (isinstance(w, QPushButton) and not w.isVisible() and not w.text())
    ]


def name(control: QWidget) -> str:
    """The words of a screen reader."""
    words = control.accessibleName()
    if not words and isinstance(control, QAbstractButton):
        words = control.text()
    return words


def places(desktop) -> dict[str, QWidget]:
    """The window and every dialog that stays open beside it."""
    desktop.shortcuts.open()
    desktop.settings_editing.open()
    desktop.overview.open()
    return {
        "window": desktop.window,
        "shortcuts": desktop.shortcuts._dialog,
        "settings": desktop.settings_editing._dialog,
        "jobs": desktop.overview._dialog,
        "library": LibraryDialog(desktop.window),
    }


def test_every_control_is_reached_by_tab_and_has_a_name(playing) -> None:
    for where, place in places(playing).items():
        found = controls(place)
        assert found, where
        unreached = [(where, w) for w in found if not w.focusPolicy() & Qt.FocusPolicy.TabFocus]
        assert unreached == []
        nameless = [
            (where, type(w).__name__, w.objectName(), w.toolTip()) for w in found if not name(w).strip()
        ]
        assert nameless == []


def test_tab_goes_round_the_window_and_escape_hands_the_keys_back(playing, qtbot) -> None:
    window = playing.window
    window.activateWindow()
    window.canvas.setFocus()
    seen: list[QWidget] = []
    while len(seen) < 60:
        QTest.keyClick(QApplication.focusWidget(), Qt.Key.Key_Tab)
        if QApplication.focusWidget() is window.canvas:
            break
        seen.append(QApplication.focusWidget())
    shown = [w for w in controls(window) if w.isVisible() and w.isEnabled()]
    assert {type(w).__name__ for w in shown if w not in seen} == set()
    seen[3].setFocus()
    qtbot.keyClick(seen[3], Qt.Key.Key_Escape)
    assert QApplication.focusWidget() is window.canvas


def test_a_control_has_its_keys_and_the_player_the_rest(playing, qtbot, showing) -> None:
    window, actions = playing.window, playing.window.actions_
    window.activateWindow()
    toggled: list[bool] = []
    actions["play"].triggered.connect(toggled.append)
    box = window.controls._split
    box.setFocus(Qt.FocusReason.TabFocusReason)
    qtbot.keyClick(box, Qt.Key.Key_Space)
    assert (window.display.style.split, toggled) == (True, [])
    qtbot.keyClick(box, Qt.Key.Key_Return)
    assert not window.display.style.split
    opacity = window.display.style.opacity
    window.controls._opacity.setFocus(Qt.FocusReason.TabFocusReason)
    qtbot.keyClick(window.controls._opacity, Qt.Key.Key_Right)
    assert window.display.style.opacity > opacity
    qtbot.keyClick(window.controls._opacity, "3")
    assert window.display.style.view == "silhouette"
    qtbot.keyClick(window.controls._opacity, Qt.Key.Key_Escape)
    qtbot.keyClick(window, Qt.Key.Key_Right)
    showing(playing, 1)


def test_a_control_that_vanishes_does_not_pass_the_keys_to_its_neighbour(playing) -> None:
    window = playing.window
    window.activateWindow()
    button = window.controls._split
    button.setFocus(Qt.FocusReason.TabFocusReason)
    button.hide()
    assert QApplication.focusWidget() is window.canvas


def test_a_part_is_hidden_and_seen_alone_by_keys(playing, qtbot) -> None:
    window = playing.window
    window.activateWindow()
    legend = window.controls.legend
    legend.setCurrentItem(legend.topLevelItem(0).child(0))
    legend.setFocus(Qt.FocusReason.TabFocusReason)
    qtbot.keyClick(legend, Qt.Key.Key_Space)
    assert len(window.display.style.hidden) == 1
    qtbot.keyClick(legend, Qt.Key.Key_Return)
    assert window.display.style.solo > 0
