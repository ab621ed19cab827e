"""A walk through the menus: every action has a place and a key, and does something without an exception."""

from __future__ import annotations

import pytest
from PyQt6.QtGui import QKeySequence
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import QApplication, QMenu

from app.controllers import help as help_actions
from app.controllers import settings as settings_actions
from app.ui.actions import entries

pytestmark = pytest.mark.gui
LAST = ("close", "quit")  # nothing can be done after them


def reachable(menu: QMenu) -> set[str]:
    """Names of the actions of a menu and its submenus."""
    names = set()
    for action in menu.actions():
        submenu = action.menu()
        names |= reachable(submenu) if submenu is not None else {action.objectName()}
    return names


def close_everything(window) -> None:
    """Dialogs and menus that an action opened."""
    for _ in range(5):
        popup = QApplication.activePopupWidget()
        if popup is not None:
            popup.close()
    for other in QApplication.topLevelWidgets():
        if other is not window and other.isVisible() and other.isWindow():
            other.close()
    window.activateWindow()
    window.hand_back()


def test_every_action_is_reached_from_the_menu_bar(desktop) -> None:
    bar = desktop.window.menuBar()
    names = set().union(*(reachable(a.menu()) for a in bar.actions()))
    assert {entry.name for _, entry in entries()} <= names
    mnemonics = [QKeySequence.mnemonic(a.text()).toString() for a in bar.actions()]
    assert len(set(mnemonics)) == len(mnemonics)
    assert "" not in mnemonics


@pytest.mark.parametrize("way", ["key", "menu"])
def test_every_action_does_something_without_an_exception(
    playing, tmp_path, monkeypatch, qtbot, way: str
) -> None:
    """Exceptions in slots fail the test by themselves; what cannot be done now says why or is grey."""
    playing.change(recordings=str(tmp_path / "recordings"))
    for module in (help_actions, settings_actions):
        monkeypatch.setattr(module, "show_folder", lambda *_: None)
    window, actions = playing.window, playing.window.actions_
    window.activateWindow()
    grey, silent = set(), []
    names = [e.name for _, e in entries() if e.name not in LAST]
    for name in (*names, *LAST):
        action, done = actions[name], []
        if name in LAST:  # a job that cannot be cancelled would outlive the window on a busy machine
            qtbot.waitUntil(lambda: not playing.jobs.shown())
        assert action.receivers(action.triggered) > 0, name
        if not action.isEnabled():
            grey.add(name)
            continue
        connection = action.triggered.connect(lambda *_, d=done: d.append(True))
        if way == "key":
            (press,) = [QKeySequence(action.shortcuts()[0])]
            QTest.keySequence(window, press)
        else:
            action.trigger()
        action.triggered.disconnect(connection)
        if not done:
            silent.append(name)
        if name not in LAST:
            close_everything(window)
    assert silent == []
    assert len(grey) < len(names) / 3, grey
