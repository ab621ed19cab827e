"""A day of use: notices that go, keys that stay the player's, words that are always there."""

from __future__ import annotations

import numpy as np
import pytest
from PyQt6.QtCore import QMimeData, QPoint, Qt, QUrl
from PyQt6.QtGui import QColor, QDragEnterEvent
from PyQt6.QtWidgets import QComboBox, QDialog, QMenu

from app.controllers import model_words
from app.ui import banner, full_screen, style_state, theme
from app.ui.drop_data import is_model
from app.ui.hud import LiveMetrics, with_share
from app.ui.menu_entries import Choice, fill
from app.ui.network_dialog import NetworkDialog
from app.ui.text_dialogs import MarkdownPage
from app.ui.window import OF_A_PICTURE
from runtime.model_files.metadata import describe
from runtime.output.backdrop import GREEN_SCREEN, Backdrop, BackdropKind
from runtime.silhouettes.grabcut import Stroke
from runtime.system import installation
from runtime.system.errors import Refusal
from runtime.system.notices import Level, Notice
from tests.qt.conftest import pause
from tests.unit.runtime.model_files import crafted
from tests.unit.runtime.silhouettes.test_foreign_network import red_network

pytestmark = pytest.mark.gui


def said(desktop) -> list[str]:
    return [n.text for n in desktop.window.banner._notices.values()]


def dialog(desktop) -> QDialog:
    return next(d for d in desktop.window.findChildren(QDialog) if d.isVisible())


def test_notices_leave_with_escape_with_their_source_and_errors_by_themselves(
    playing, clip, qtbot, monkeypatch
) -> None:
    window = playing.window
    window.banner.show_notice(Notice("A person is in view", Level.WARNING, topic="plate"))
    assert window.canvas._covered_px == window.banner.height() > 0
    qtbot.keyClick(window, Qt.Key.Key_Escape)
    assert window.banner.notice is None
    assert window.canvas._covered_px == 0
    for topic in ("plate", "source", "source: sound", "job"):
        window.banner.show_notice(Notice(f"words of {topic}", Level.WARNING, topic=topic))
    playing.open(str(clip))
    assert said(playing) == ["words of job"]
    window.banner.withdraw("job")
    monkeypatch.setattr(banner, "ERROR_MS", 50)
    window.banner.show_notice(Notice("It failed", Level.ERROR, topic="job"))
    window.banner.show_notice(Notice("Nothing is shown", Level.ERROR, topic="parsing"))
    window.banner.show_notice(Notice("It failed", Level.ERROR, topic="job"))
    qtbot.waitUntil(lambda: said(playing) == ["Nothing is shown"])
    qtbot.wait(150)
    assert said(playing) == ["Nothing is shown"], "what still holds stays"
    window.actions_["messages"].trigger()
    words = dialog(playing).findChild(MarkdownPage).toPlainText()
    assert words.index("It failed") < words.index("Nothing is shown") < words.index("words of job")


def test_the_warning_before_a_plate_goes_when_it_is_answered(playing, qtbot) -> None:
    window = playing.window
    for answer in ("plate", "motion"):
        window.actions_["own"].trigger()
        qtbot.waitUntil(lambda: window.canvas.parsed.parsing.labels.max() > 0)
        window.actions_["plate"].trigger()
        assert any("A person is in view" in words for words in said(playing))
        window.actions_[answer].trigger()
        assert not any("A person is in view" in words for words in said(playing)), answer
        playing.menus._warned_s = float("-inf")


def test_what_is_typed_does_not_keep_the_keys(playing, worker, qtbot) -> None:
    window = playing.window
    worker([["exit", 1]])
    window.actions_["personalise"].trigger()
    window.activateWindow()
    name = window.personalise.setup._name
    for key in (Qt.Key.Key_Escape, Qt.Key.Key_Return):
        name.setFocus()
        qtbot.keyClicks(name, "Ann")
        wished: list[object] = []
        window.personalise.setup.wished.connect(wished.append)
        qtbot.keyClick(name, key)
        assert window.focusWidget() is window.canvas, key
        assert bool(wished) is (key == Qt.Key.Key_Return)
    name.setFocus()
    qtbot.mouseClick(window.canvas, Qt.MouseButton.LeftButton, pos=QPoint(5, 5))
    assert window.focusWidget() is window.canvas
    playing.personalization.cancel()


def test_model_and_x_factor_are_always_shown(playing, qtbot) -> None:
    status, actions = playing.window.status, playing.window.actions_
    assert status._model.text() == "Model: factored-s31 ▾"
    assert status._xfactor.text() == "X factor: own factor ▾"
    assert status._xfactor.property("own") is True
    actions["motion"].trigger()
    assert status._xfactor.text() == "X factor: motion (MOG2) ▾"
    assert status._xfactor.property("own") is False
    assert status._xfactor.menu() is actions.menus["X factor"]


def test_paused_is_said_instead_of_numbers_and_the_frames_are_counted(playing, qtbot) -> None:
    window = playing.window
    playing.tick()
    assert window.status._fps.text() == "paused"
    assert window.status._age.text() == window.status._dropped.text() == ""
    assert window.transport._time.text().endswith("frame 0 · 50 frames")
    assert "age" not in dict(LiveMetrics(rests="paused").rows())
    playing.playing.toggle()
    playing.tick()
    assert window.status._fps.text().endswith("fps")
    playing.playing.set_speed(0.5)
    assert [a.text() for a in window.transport._speeds.actions() if a.isChecked()] == ["0.5×"]
    pause(playing)


def test_about_and_a_card_are_pages_and_models_say_what_they_are(playing, qtbot) -> None:
    actions = playing.window.actions_
    actions["about"].trigger()
    assert f"xfactor {installation.version()}" in dialog(playing).findChild(MarkdownPage).toPlainText()
    dialog(playing).close()
    qtbot.waitUntil(lambda: not playing.window.findChildren(MarkdownPage))
    actions["model-card"].trigger()
    page = dialog(playing).findChild(MarkdownPage)
    text = page.toPlainText()
    assert page.verticalScrollBar().value() == 0  # read from the top
    assert "trunk: image → features" in text
    assert "Stage(" not in text
    assert "TrainingSet" not in text
    assert "Trained on" in text
    assert "|---|" not in text
    actions.menus["Model"].aboutToShow.emit()
    qtbot.waitUntil(lambda: len(playing.listing.models) > 2)
    actions.menus["Model"].aboutToShow.emit()
    row = next(a.text() for a in actions.menus["Model"].actions() if a.text().startswith("factored-s31\t"))
    assert "31 parts" in row
    assert " MB" in row
    assert " ms" in row
    assert "GPL" in row


def test_markdown_from_a_model_folder_shows_no_html_and_loads_nothing(qtbot, tmp_path) -> None:
    page = MarkdownPage('<b onclick="x">bold</b>\n\n![](file:///etc/hostname) `code`')
    qtbot.addWidget(page)
    assert "<b" in page.toPlainText()
    assert page.loadResource(2, page.source()) is None


def test_what_needs_a_picture_is_off_on_the_welcome_page(desktop) -> None:
    assert not [name for name in OF_A_PICTURE if desktop.window.actions_[name].isEnabled()]


@pytest.mark.parametrize("name", ["light", "dark"])
def test_d18_the_chosen_entry_of_a_list_can_be_read_and_the_stage_is_dark(playing, qtbot, name: str) -> None:
    window = playing.window
    window.show_theme(name)
    assert window.canvas.stage.lightness() < 40
    box = window.controls.findChild(QComboBox)
    box.showPopup()
    view = box.view()
    rect = view.visualRect(box.model().index(box.currentIndex(), 0))
    image = view.viewport().grab(rect).toImage()
    seen = {image.pixelColor(x, y).lightness() for x in range(image.width()) for y in range(image.height())}
    box.hidePopup()
    assert max(seen) - min(seen) > 90, "letters stand out"
    assert image.pixelColor(image.width() - 8, 3) == QColor(theme.shades(name).accent)


def test_two_models_are_named_and_say_what_they_cannot_show() -> None:
    assert with_share("people-s31: 9 ms", None, "finds no people, only parts").endswith("only parts")
    assert LiveMetrics(fps=3.0, slower="people-s31").pace == "3.0 fps, both; people-s31 decides"


def test_a_stroke_is_seen_and_undone_by_its_key_and_keeping_is_not(playing, qtbot) -> None:
    window, canvas = playing.window, playing.window.canvas
    undone: list[bool] = []
    window.actions_["undo-factor"].setEnabled(True)
    window.actions_["undo-factor"].triggered.connect(lambda: undone.append(True))
    window.actions_["brush"].trigger()
    for x in (40.0, 60.0):
        canvas.stroked.emit(Stroke(((x, 40.0), (x, 50.0)), 4.0, person=True))
    assert len(canvas.brush.strokes) == 2
    window.activateWindow()
    qtbot.keyClick(canvas, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert len(canvas.brush.strokes) == 1
    assert undone == []
    playing.playing.seek(3)
    qtbot.waitUntil(lambda: canvas.parsed.frame.index == 3)
    playing.tick()
    assert canvas.brush.strokes == (), "strokes belong to their frame"
    window.brush_bar.undone.emit()
    playing.playing.seek(0)
    qtbot.waitUntil(lambda: canvas.parsed.frame.index == 0)
    playing.tick()
    assert len(canvas.brush.strokes) == 1, "and are undone there"


def test_full_screen_shows_the_player_while_the_mouse_moves(playing, qtbot, monkeypatch) -> None:
    window = playing.window
    monkeypatch.setattr(full_screen, "AWAKE_MS", 80)
    height = window.transport.height()
    window.actions_["full-screen"].trigger()
    assert not window.transport.isVisible()
    assert "Esc leaves" in window.banner.notice.text
    window.canvas.pointed.emit("")
    assert window.transport.isVisible()
    assert window.transport.geometry().bottom() == window.canvas.height() - 1, "over the picture"
    qtbot.waitUntil(lambda: not window.transport.isVisible())
    window.actions_["full-screen"].trigger()
    qtbot.waitUntil(lambda: window.transport.isVisible() and window.transport.height() == height)
    assert window.banner.notice is None
    assert window.transport.y() > window.canvas.height() - 2


def test_a_drop_is_announced_and_a_folder_of_model_files_is_a_model(desktop, clip, qtbot, tmp_path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "trunk.onnx").write_bytes(b"x")
    assert is_model(str(folder))
    assert not is_model(str(tmp_path))
    hint = desktop.window._hint
    for path, words in ((clip, "Open moving.mp4"), (folder, "Use mine as model or X factor")):
        data = QMimeData()
        data.setUrls([QUrl.fromLocalFile(str(path))])
        enter = QDragEnterEvent(
            QPoint(5, 5),
            Qt.DropAction.CopyAction,
            data,
            Qt.MouseButton.LeftButton,
            Qt.KeyboardModifier.NoModifier,
        )
        desktop.window.dragEnterEvent(enter)
        assert hint.isVisible()
        assert hint.text() == words
        desktop.window.dragLeaveEvent(None)
        assert not hint.isVisible()


def test_the_legend_points_out_a_part_and_shows_a_group_alone(playing, qtbot, monkeypatch) -> None:
    window, legend = playing.window, playing.window.controls.legend
    monkeypatch.setattr(style_state, "FLASH_MS", 60)
    part = int(np.bincount(window.canvas.parsed.parsing.labels.ravel(), minlength=32)[1:].argmax()) + 1
    legend.itemClicked.emit(legend._rows[part], 0)
    assert window.canvas._mask is not None
    qtbot.waitUntil(lambda: window.canvas._mask is None)
    group = legend.topLevelItem(2)
    legend.itemDoubleClicked.emit(group, 0)
    style = window.display.style
    members = {legend.topLevelItem(2).child(i).data(0, 256) for i in range(group.childCount())}
    assert {p for p in legend.listed if style.shows(p)} == members
    legend.itemDoubleClicked.emit(group, 0)
    assert not window.display.style.hidden


def test_the_backdrop_can_be_chosen_beside_the_view(playing) -> None:
    window = playing.window
    assert not window.controls.behind.isVisible()
    window.actions_["view-cut-out"].trigger()
    assert window.controls.behind.isVisible()
    menu = window.controls.behind.menu()
    assert menu is window.actions_.menus["behind"]
    for behind, entry in (
        (GREEN_SCREEN, 0),
        (Backdrop(BackdropKind.BLUR), 2),
        (Backdrop(BackdropKind.CHECKS), 4),
    ):
        window.display.choose_behind(behind)
        menu.aboutToShow.emit()
        assert [n for n, a in enumerate(menu.actions()) if a.isChecked()] == [entry]


def test_a_network_of_another_program_is_asked_for_and_used(playing, qtbot, tmp_path) -> None:
    path = tmp_path / "red.onnx"
    path.write_bytes(red_network(sides=("h", "w")))
    playing.window.model_dropped.emit(str(path))
    qtbot.waitUntil(lambda: playing.window.findChildren(NetworkDialog) != [])
    asked = playing.window.findChildren(NetworkDialog)[0]
    asked.values.setCurrentText("ImageNet's mean and deviation")
    asked.height_px.setValue(96)
    asked.person.setValue(1)
    asked.deviation.setText("58,4 57 57")
    assert asked.reading.deviation == (58.395, 57.12, 57.375), "four numbers are none"
    assert asked.reading.size == (96, 256)
    asked.accept()
    qtbot.waitUntil(lambda: playing.workspace.xfactor.key == "network")
    assert playing.window.status._xfactor.text() == "X factor: red ▾"


def test_e08_what_a_model_says_of_itself_is_shown_as_it_is_and_cut(qtbot) -> None:
    markup = "<b>trusted</b> | ![x](file:///etc/hostname) `rm`"
    spec = crafted.spec("network", name=markup, licence=f"{markup} {'long ' * 9999}")
    page = MarkdownPage(model_words.described(spec))
    qtbot.addWidget(page)
    shown = page.toPlainText()
    assert "<b>trusted</b> ¦ ![x](file:///etc/hostname) 'rm'" in shown
    assert 500 < len(shown) < 2000
    assert "…" in shown
    menu = QMenu()
    qtbot.addWidget(menu)
    fill(menu, [Choice("key", spec.name, detail=spec.licence)], print)
    assert len(menu.actions()[0].text()) < 200


def test_e08_a_name_that_would_fill_the_window_is_refused() -> None:
    assert describe("a.onnx", crafted.network(name="n" * 120)).name == "n" * 120
    with pytest.raises(Refusal, match="its name has 9000 letters, and may have 120"):
        describe("a.onnx", crafted.network(name="n" * 9000))
