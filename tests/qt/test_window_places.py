"""Place and state of the window as the last run left them: nonsense never hides it (row D07)."""

from __future__ import annotations

import base64

import pytest
from PyQt6.QtCore import QEvent, QPoint, QRect, QSize, Qt
from PyQt6.QtGui import QColor, QGuiApplication, QImage
from PyQt6.QtWidgets import QApplication, QInputDialog, QLineEdit, QMainWindow

from app.ui.dialogs import ask_text
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


@pytest.mark.parametrize("corner", [QPoint(-300, 100), QPoint(500, 100), QPoint(60, 560), QPoint(60, -200)])
def test_d27_a_window_that_would_be_half_off_the_screen_is_moved_into_it(qtbot, corner: QPoint) -> None:
    window = Window()
    qtbot.addWidget(window)
    window.restore_texts(saved(QRect(corner, QSize(760, 400))), "")
    window.show()
    seen = window.frameGeometry().intersected(QGuiApplication.primaryScreen().availableGeometry())
    assert seen.width() >= 755, "but for a frame of some pixels"
    assert seen.height() >= 395


def test_d27_the_panel_is_as_wide_as_before_once_the_window_is_and_cuts_no_name(qtbot) -> None:
    window = Window()
    qtbot.addWidget(window)
    window.show_welcome(on=False)
    window.show()
    before, names = window._panel.width(), window.controls.legend
    rows = [group.child(i) for group in map(names.topLevelItem, range(names.topLevelItemCount()))
            for i in range(group.childCount())]  # fmt: skip
    for width in (400, 1180):
        window.resize(width, 500)
        qtbot.wait(20)
        room = names.columnWidth(0) - names.indentation()
        assert max(names.fontMetrics().horizontalAdvance(r.text(0)) for r in rows) < room
    assert window._panel.width() == before


def test_d27_a_whole_link_and_the_whole_title_are_seen(qtbot) -> None:
    window, link = Window(), "https://www.youtube.com/watch?v=abcdefghijk"
    qtbot.addWidget(window)
    window.show()
    ask_text(window, "Open a link", "A link:", link, print)
    dialog = window.findChild(QInputDialog)
    field = dialog.findChild(QLineEdit)
    assert field.fontMetrics().horizontalAdvance(link) < field.width() - 20
    assert dialog.fontMetrics().horizontalAdvance(dialog.windowTitle()) < dialog.width() / 2
    dialog.reject()


def test_g13_no_widget_needs_opengl_and_a_display_of_another_scale_changes_nothing(playing, qtbot) -> None:
    """Everything is painted by raster, plots too: nothing is lost with a graphics card or a display."""
    playing.window.actions_["movement"].trigger()
    qtbot.waitUntil(lambda: playing.movement.plot is not None)
    widgets = QApplication.allWidgets()
    assert len(widgets) > 100
    assert [w for w in widgets if w.inherits("QOpenGLWidget") or w.inherits("QQuickWidget")] == []
    canvas = playing.window.canvas
    before = canvas.grab().toImage()
    for kind in (QEvent.Type.DevicePixelRatioChange, QEvent.Type.StyleChange):
        for widget in widgets:
            QApplication.sendEvent(widget, QEvent(kind))
    assert canvas.grab().toImage() == before
    shot = QImage(canvas.size() * 2, QImage.Format.Format_RGB32)
    shot.setDevicePixelRatio(2)
    canvas.render(shot)
    small = shot.scaled(canvas.size(), transformMode=Qt.TransformationMode.SmoothTransformation)
    middle = canvas.rect().center()
    assert abs(QColor(small.pixel(middle)).green() - QColor(before.pixel(middle)).green()) < 40
