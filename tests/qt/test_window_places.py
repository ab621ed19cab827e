"""Place and state of the window as the last run left them: nonsense never hides it (row D07)."""

from __future__ import annotations

import base64

import pytest
from PyQt6.QtCore import QRect
from PyQt6.QtGui import QGuiApplication
from PyQt6.QtWidgets import QMainWindow

from app.ui.window import Window

pytestmark = pytest.mark.gui


def saved(place: QRect) -> str:
    """A geometry as Qt writes it."""
    other = QMainWindow()
    other.setGeometry(place)
    text = base64.b64encode(other.saveGeometry().data()).decode()
    other.deleteLater()
    return text


PLACES = [
    QRect(-9000, -9000, 900, 600), QRect(50_000, 10, 900, 600), QRect(10, 10, 0, 0), QRect(0, 0, 1, 1),
    QRect(0, 0, 16_000_000, 16_000_000), "", "AAAA", "not base64!", "AdnQywADAAA" + "/" * 4000,
]  # fmt: skip


@pytest.mark.parametrize("geometry", PLACES)
def test_d07_a_place_off_the_screen_is_not_taken(qtbot, geometry: QRect | str) -> None:
    window = Window()
    qtbot.addWidget(window)
    text = geometry if isinstance(geometry, str) else saved(geometry)
    window.restore_texts(text, text)
    window.show()
    seen = window.frameGeometry().intersected(QGuiApplication.primaryScreen().geometry())
    assert seen.width() >= 200
    assert seen.height() >= 200
