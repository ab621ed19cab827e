"""Prompts, warnings and menus come and go when they should."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PyQt6.QtCore import QPoint, Qt

from app import menus

pytestmark = pytest.mark.gui
MAPS = ("labels", "person", "confidence")


@pytest.mark.parametrize("end", ["escape", "own", "close"])
def test_nothing_asks_for_a_colour_that_is_no_longer_wanted(playing, qtbot, end: str) -> None:
    window = playing.window
    window.actions_["chroma"].trigger()
    assert "Click the colour" in window.status.currentMessage()
    if end == "escape":
        qtbot.keyClick(window, Qt.Key.Key_Escape)
    else:
        window.actions_[end].trigger()
    assert window.status.currentMessage() == ""
    assert window.canvas.cursor().shape() == Qt.CursorShape.ArrowCursor


def test_a_plate_learns_a_person_only_when_asked_twice(playing, monkeypatch) -> None:
    session, canvas, plate = playing.session, playing.window.canvas, playing.window.actions_["plate"]
    parsed = canvas.parsed

    def show(share: float) -> None:
        labels = np.zeros((100, 100), np.uint8)
        labels.flat[: int(share * 10_000)] = 1
        canvas.show_parsed(replace(parsed, parsing=replace(parsed.parsing, **dict.fromkeys(MAPS, labels))))

    show(0.02)
    plate.trigger()
    assert session.xfactor.key == "own"
    assert playing.window.actions_["own"].isChecked()
    assert "A person is in view" in playing.window.banner.notice.text
    plate.trigger()
    assert session.xfactor.key == "plate"
    session.use_own()
    monkeypatch.setattr(menus, "ANYWAY_S", -1.0)  # the time is always over
    for _ in range(2):
        plate.trigger()
        assert session.xfactor.key == "own"
    canvas.show_parsed(replace(parsed, parsing=None))
    show(0.004)
    plate.trigger()
    assert session.xfactor.key == "plate"


def test_the_view_menu_is_in_the_order_of_its_keys(desktop) -> None:
    shown = [a.shortcut().toString() for a in desktop.window.actions_.menus["View"].actions()]
    digits = [key for key in shown if key.isdigit()]
    assert digits == ["1", "2", "3", "4", "5", "6", "8", "9"]


def test_an_open_menu_closes_with_the_window(desktop, qtbot) -> None:
    menu = desktop.window.actions_.menus["View"]
    menu.popup(QPoint(0, 0))
    qtbot.waitUntil(menu.isVisible)
    desktop.stop()
    assert not menu.isVisible()
