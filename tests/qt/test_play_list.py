"""Several inputs one after another; what is read is told, fitted and kept."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from app.settings import SettingsFile
from tests.drawn_media import draw_clip
from tests.qt.dropping import drop, files

pytestmark = pytest.mark.gui


def shown(desktop) -> str:
    """Name of the input whose picture is on show."""
    source, capture, parsed = desktop.workspace.source, desktop.pipeline.capture, desktop.window.canvas.parsed
    there = parsed is not None and capture is not None and parsed.frame.source == capture.number
    return source.path.name if there and source is not None else ""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "mixed"
    made.mkdir()
    draw_clip(made / "b.mp4", 50)
    draw_clip(made / "c.mp4", 8)
    Image.new("RGB", (40, 30)).save(made / "a.png")
    return made


def test_d16_dropped_files_play_one_after_another(desktop, folder: Path, qtbot) -> None:
    (folder / "note.mp4").write_text("no clip")
    assert drop(desktop, files(folder / "b.mp4", folder / "note.mp4", folder / "c.mp4"))
    qtbot.waitUntil(lambda: shown(desktop) == "b.mp4")
    assert "(1 of 3)" in desktop.window.status._source.text()
    entries = [a.text() for a in desktop.window.actions_.menus["play-list"].actions() if a.property("choice")]
    assert entries == ["1 b.mp4", "2 note.mp4", "3 c.mp4"]
    qtbot.waitUntil(lambda: shown(desktop) == "c.mp4")  # by itself, past what is no clip
    assert "note.mp4" in desktop.window.banner._text.text()
    desktop.window.actions_["previous-source"].trigger()
    qtbot.waitUntil(lambda: shown(desktop) == "b.mp4")


def test_a_folder_with_clips_gives_its_pictures_and_each_clip(desktop, folder: Path, qtbot) -> None:
    desktop.play_list.open([str(folder)])
    qtbot.waitUntil(lambda: shown(desktop) == "mixed")
    assert [Path(e).name for e in desktop.play_list.entries] == ["mixed", "b.mp4", "c.mp4"]
    qtbot.wait(300)
    assert shown(desktop) == "mixed"  # a picture stays until it is left
    desktop.window.actions_["next-source"].trigger()
    qtbot.waitUntil(lambda: shown(desktop) == "b.mp4")
    desktop.window.actions_["loop"].trigger()
    desktop.playing.seek(45)
    qtbot.wait(900)
    assert shown(desktop) == "b.mp4"  # it loops
    desktop.open(str(folder / "a.png"))
    qtbot.waitUntil(lambda: shown(desktop) == "a.png" and desktop.play_list.entries == ())
    assert not desktop.window.actions_["next-source"].isEnabled()


def test_a21_many_files_of_which_none_can_be_opened_end(desktop, tmp_path: Path, qtbot) -> None:
    for index in range(30):
        (tmp_path / f"{index}.txt").write_text("text")
    desktop.play_list.open([str(p) for p in sorted(tmp_path.glob("*.txt"))])
    qtbot.waitUntil(lambda: desktop.play_list.entries == ())
    assert "30 (" in desktop.window.banner._text.text()
    assert desktop.workspace.source is None


def test_d22_another_source_is_fitted_and_hidden_parts_are_told(playing, folder: Path, qtbot) -> None:
    canvas = playing.window.canvas
    canvas.zoom(3)
    assert canvas._view._zoom > 1.0
    playing.open(str(folder / "a.png"))
    qtbot.waitUntil(lambda: shown(playing) == "a.png")
    assert canvas._view._zoom == 1.0
    words = playing.window.status._hidden
    assert words.text() == ""
    playing.window.controls.legend.eyed.emit([3, 4], False)
    qtbot.waitUntil(lambda: words.text() == "29 of 31 parts shown")


def test_d25_what_changes_is_kept_before_the_end(desktop, clip: Path, qtbot) -> None:
    desktop.open(str(clip))
    kept = SettingsFile(desktop.settings_file.path)
    qtbot.waitUntil(lambda: kept.load().recent == (str(clip),))
    desktop.window.actions_["hud"].trigger()
    qtbot.waitUntil(lambda: kept.load().hud)


def test_many_files_are_chosen_at_once(desktop) -> None:
    from PyQt6.QtWidgets import QFileDialog

    desktop.window.actions_["open"].trigger()
    (dialog,) = [d for d in desktop.window.findChildren(QFileDialog) if d.isVisible()]
    assert dialog.fileMode() is QFileDialog.FileMode.ExistingFiles
    dialog.reject()
