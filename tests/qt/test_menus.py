"""Prompts, warnings and menus come and go when they should."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PyQt6.QtCore import QPoint, Qt
from PyQt6.QtGui import QAction
from PyQt6.QtWidgets import QFileDialog

from app.controllers import menus
from app.desktop import Desktop
from app.settings import SettingsFile
from models.grid import Grid
from models.results import Result
from runtime.engine.augmentation import MIRRORED, ONE, SIX
from runtime.media.clips import Clip
from runtime.silhouettes import people
from tests import drawn_people
from tests.qt.scripting import factor_file
from tests.unit.runtime.model_files import crafted

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


def test_masks_are_looked_for_beside_the_clip(playing, clip, qtbot) -> None:
    playing.window.actions_["masks"].trigger()
    (dialog,) = playing.window.findChildren(QFileDialog)
    assert Path(dialog.directory().absolutePath()) == clip.parent
    dialog.reject()


def test_people_of_a_second_network_and_one_of_them_stand_in_the_menu(
    playing, clip, qtbot, monkeypatch, tmp_path
) -> None:
    monkeypatch.setattr(people, "NETWORK", str(drawn_people.bundle(tmp_path / "drawn")))
    workspace, actions = playing.workspace, playing.window.actions_
    actions["people"].trigger()
    qtbot.waitUntil(lambda: workspace.xfactor.key == "people")
    assert actions["people"].isChecked()
    actions["person"].trigger()
    assert "Click the person" in playing.window.status.currentMessage()
    playing.window.canvas.picked.emit(5, 5)
    qtbot.waitUntil(lambda: workspace.xfactor.key == "person")
    assert workspace.previous.key == "people"
    qtbot.waitUntil(lambda: "one person: not found" in playing.window.canvas.parsed.notice)
    playing.open(str(clip))
    qtbot.waitUntil(lambda: workspace.xfactor.key == "people")
    words = "X factor: everybody; one person was of the source before."
    qtbot.waitUntil(lambda: words in [n.text for n in playing.window.banner._notices.values()])


def test_a_plate_learns_a_person_only_when_asked_twice(playing, monkeypatch) -> None:
    workspace, canvas, plate = playing.workspace, playing.window.canvas, playing.window.actions_["plate"]
    parsed = canvas.parsed

    def show(share: float) -> None:
        labels = np.zeros((100, 100), np.uint8)
        labels.flat[: int(share * 10_000)] = 1
        canvas.show_parsed(
            replace(parsed, result=Result(replace(parsed.parsing, **dict.fromkeys(MAPS, labels))))
        )

    show(0.02)
    plate.trigger()
    assert workspace.xfactor.key == "own"
    assert playing.window.actions_["own"].isChecked()
    assert "A person is in view" in playing.window.banner.notice.text
    plate.trigger()
    assert workspace.xfactor.key == "plate"
    workspace.use_own()
    monkeypatch.setattr(menus, "ANYWAY_S", -1.0)  # the time is always over
    for _ in range(2):
        show(0.02)  # again: the engine may have shown its own result
        plate.trigger()
        assert workspace.xfactor.key == "own"
    canvas.show_parsed(replace(parsed, result=None))
    show(0.004)
    plate.trigger()
    assert workspace.xfactor.key == "plate"


def test_the_view_menu_is_in_the_order_of_its_keys(desktop) -> None:
    shown = [a.shortcut().toString() for a in desktop.window.actions_.menus["View"].actions()]
    digits = [key for key in shown if key.isdigit()]
    assert digits == ["1", "2", "3", "4", "5", "6", "7", "8", "9"]


def test_an_open_menu_closes_with_the_window(desktop, qtbot) -> None:
    menu = desktop.window.actions_.menus["View"]
    menu.popup(QPoint(0, 0))
    qtbot.waitUntil(menu.isVisible)
    desktop.stop()
    assert not menu.isVisible()


def looks(desktop: Desktop) -> list[QAction]:
    """The submenu as it is when the user opens it."""
    desktop.window.actions_.menus["Model"].aboutToShow.emit()
    return desktop.window.actions_.menus["looks"].actions()


def choose_looks(desktop: Desktop, choice: str) -> None:
    next(a for a in looks(desktop) if a.property("choice") == choice).trigger()


def checked(actions: list[QAction]) -> list[str]:
    return [a.property("choice") for a in actions if a.isChecked()]


def test_looks_are_chosen_in_the_menu_and_remembered(playing, tmp_path, qtbot) -> None:
    """A paused frame is looked at again at once; a picture six times without a word."""
    workspace, canvas = playing.workspace, playing.window.canvas
    assert [a.property("choice") for a in looks(playing)] == ["auto", "1", "regions", "2", "6"]
    assert checked(looks(playing)) == ["auto"]
    assert workspace.engine.views is ONE
    before = canvas.parsed.parsing.labels.shape
    choose_looks(playing, "6")
    assert workspace.engine.views is SIX
    qtbot.waitUntil(lambda: canvas.parsed.engine_id == workspace.engine.id)
    assert canvas.parsed.frame.index == 0
    assert canvas.parsed.parsing.labels.shape > before
    assert checked(looks(playing)) == ["6"]
    choose_looks(playing, "auto")
    Image.new("RGB", (40, 30), (200, 0, 0)).save(tmp_path / "red.png")
    playing.open(str(tmp_path / "red.png"))
    qtbot.waitUntil(lambda: canvas.parsed is not None and canvas.parsed.frame.size == (40, 30))
    assert workspace.engine.views is SIX
    assert canvas.parsed.engine_id == workspace.engine.id
    choose_looks(playing, "2")
    playing.stop()
    assert SettingsFile(playing.settings_file.path).load().looks == "2"
    again = Desktop(SettingsFile(playing.settings_file.path))
    qtbot.addWidget(again.window)
    assert checked(looks(again)) == ["2"]  # and the model, once it is loaded, does so
    again.stop()


def test_looks_change_under_a_comparison_and_a_recording(playing, tmp_path, qtbot) -> None:
    """Both factors are looked at alike, left and right of the line; the file goes on."""
    playing.settings = replace(playing.settings, recordings=str(tmp_path))
    file, decision, canvas = factor_file(), playing.personalization.decision, playing.window.canvas
    decision.begin(file, hashlib.sha256(file.read_bytes()).hexdigest(), "Ann")
    qtbot.waitUntil(lambda: canvas.parsed.beside is not None)
    playing.window.actions_["record"].trigger()
    recorder = playing.pipeline.recorder
    playing.window.actions_["loop"].trigger()
    playing.playing.toggle()
    qtbot.waitUntil(lambda: recorder.written > 1)
    for choice, views in (("6", SIX), ("2", MIRRORED), ("auto", ONE)):
        choose_looks(playing, choice)
        written = recorder.written
        qtbot.waitUntil(
            lambda: (
                canvas.parsed.engine_id == playing.workspace.engine.id and canvas.parsed.beside is not None
            )
        )
        assert [e.views for e in decision._compared] == [views] * 2
        assert (
            canvas.parsed.beside.result.parsing.labels == canvas.parsed.parsing.labels
        ).all()  # one factor, twice
        playing.pipeline.capture.seek(1)
        qtbot.waitUntil(lambda n=written: recorder.written > n)
    playing.window.actions_["record"].trigger()
    qtbot.waitUntil(lambda: not recorder.is_alive())
    with Clip(recorder.path) as kept:
        assert kept.size == (160, 90)
        assert sum(1 for _ in kept.frames()) == recorder.written
    decision.withdraw()
    assert playing.workspace.xfactor.key == "own"


def test_a_model_without_an_average_says_in_the_menu_that_it_looks_once(desktop, tmp_path, qtbot) -> None:
    path = tmp_path / "corner.onnx"
    path.write_bytes(crafted.network("parts", grid=Grid.CORNER))
    workspace = desktop.workspace
    qtbot.waitUntil(lambda: workspace.engine is not None)
    choose_looks(desktop, "2")
    assert workspace.engine.views is MIRRORED
    workspace.open_onnx(path)
    qtbot.waitUntil(lambda: not workspace.engine.averages)
    shown = looks(desktop)
    assert {a.property("choice") for a in shown if not a.isEnabled()} == {"2", "6"}
    assert [a.toolTip() for a in shown if not a.isEnabled()] == [menus.ONCE] * 2
    assert desktop.window.actions_.menus["looks"].toolTipsVisible()
    assert checked(shown) == ["1"]
    assert (workspace.looks, workspace.engine.views) == ("2", ONE)
