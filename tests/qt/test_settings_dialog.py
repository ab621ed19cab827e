"""The settings dialog: every setting stands in it or somewhere else, and what is chosen holds at once."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest
from PyQt6.QtWidgets import QCheckBox, QComboBox, QFileDialog, QLabel, QLineEdit, QPushButton, QSlider

from app.settings import Settings, SettingsFile
from app.ui.settings_dialog import SECTIONS
from runtime.engine.providers import CPU_BUILD, choose, is_cpu_build
from runtime.system.errors import Refusal

pytestmark = pytest.mark.gui
#: Settings that are chosen where they are seen.
ELSEWHERE = {
    "camera_modes": "Source",
    "view": "menu View", "hidden_parts": "the legend", "model": "menu Model", "factor": "menu X factor",
    "network_size": "menu Model", "folder": "follows the last file", "shortcuts": "Help, Keyboard shortcuts",
    "geometry": "the window", "layout": "the window",
    "export_save": "File, Export", "export_alpha": "File, Export", "export_as_seen": "File, Export",
}  # fmt: skip


@pytest.fixture
def dialog(desktop, qtbot):
    qtbot.waitUntil(lambda: desktop.workspace.engine is not None)
    desktop.window.actions_["settings"].trigger()
    return desktop.settings_editing._dialog


def saved(desktop) -> Settings:
    return SettingsFile(desktop.settings_file.path).load()


def test_every_setting_is_in_the_dialog_or_has_another_place() -> None:
    rows = {row.name: row for rows in SECTIONS.values() for row in rows}
    names = {f.name for f in fields(Settings)}
    assert set(rows) | set(ELSEWHERE) == names
    assert not set(rows) & set(ELSEWHERE)
    for entry in fields(Settings):
        allowed = entry.metadata.get("allowed")
        if entry.name in rows and allowed:
            assert set(rows[entry.name].choices) == set(allowed), entry.name


def test_choices_hold_at_once_in_the_window(desktop, dialog, qtbot) -> None:
    window = desktop.window
    box = dialog.findChild(QComboBox, "theme")
    box.activated.emit(2)
    assert window.palette().window().color().lightness() < 60
    dialog.findChild(QCheckBox, "hud").click()
    assert window.actions_["hud"].isChecked()
    dialog.findChildren(QSlider)[0].setValue(25)
    assert window.display.style.opacity == 0.25
    dialog.findChild(QComboBox, "palette").activated.emit(1)
    assert window.display.style.colour_blind
    dialog.findChild(QComboBox, "looks").activated.emit(3)
    assert desktop.workspace.looks == "2"
    window.actions_["hud"].trigger()  # changed elsewhere while the dialog is open
    dialog.activated.emit()
    assert not dialog.findChild(QCheckBox, "hud").isChecked()
    desktop.change()
    kept = saved(desktop)
    assert (kept.theme, kept.hud, kept.opacity, kept.palette, kept.looks) == (
        "dark", False, 0.25, "colour-blind", "2",
    )  # fmt: skip


def test_a_folder_is_checked_and_kept_at_once(desktop, dialog, tmp_path) -> None:
    editing, problem = desktop.settings_editing, dialog._problem
    editing.choose("recordings", str(tmp_path / "nowhere"))
    assert "cannot be written" in problem.text()
    assert desktop.settings.recordings == ""
    editing.choose("opacity", 7.0)
    assert "opacity: expected 0.0 to 1.0" in problem.text()
    editing.choose("recordings", str(tmp_path))
    assert problem.text() == ""
    assert saved(desktop).recordings == str(tmp_path)
    assert dialog.findChildren(QLineEdit)[0].text() == str(tmp_path)
    assert desktop.recordings.folder() == tmp_path
    next(b for b in dialog.findChildren(QPushButton) if b.text() == "Default").click()
    assert saved(desktop).recordings == ""


def test_recent_sources_are_forgotten(desktop, dialog) -> None:
    desktop.change(recent=("/a.mp4", "/b.mp4"))
    dialog.activated.emit()
    assert "2 kept" in [label.text() for label in dialog.findChildren(QLabel)]
    next(b for b in dialog.findChildren(QPushButton) if b.text() == "Forget them").click()
    assert saved(desktop).recent == ()
    assert not desktop.window.actions_.menus["recent"].isEnabled()


def test_reset_starts_anew_and_keeps_the_old_file(desktop, dialog) -> None:
    desktop.settings = replace(desktop.settings, shortcuts=("hud: F9",), recent=("/a.mp4",))
    desktop.restore(desktop.settings)
    desktop.settings_editing.choose("theme", "dark")
    desktop.settings_editing.choose("opacity", 0.1)
    desktop.change()
    desktop.settings_editing.reset()
    new, window = saved(desktop), desktop.window
    assert (new.theme, new.opacity, new.shortcuts, new.recent) == ("auto", 0.6, (), ())
    assert window.actions_["hud"].shortcut().toString() == "I"
    (old,) = desktop.settings_file.path.parent.glob("settings.before-reset-*")
    assert '"hud: F9"' in old.read_text()


def test_d29_a_device_that_the_runtime_does_not_know_is_not_offered(desktop, dialog, qtbot) -> None:
    box, menu = dialog.findChild(QComboBox, "device"), desktop.window.actions_.menus["device"]
    item = box.model().item(box.findText("NVIDIA GPU (CUDA)"))
    desktop.window.actions_.menus["Model"].aboutToShow.emit()
    entry = next(a for a in menu.actions() if a.property("choice") == "cuda")
    assert item.isEnabled() == entry.isEnabled() == (not is_cpu_build())
    if is_cpu_build():
        assert item.toolTip() == entry.toolTip() == CPU_BUILD
        with pytest.raises(Refusal, match="CPU build") as caught:
            choose("cuda")
        assert "--" not in str(caught.value), "the window has no options of a command"


def test_d29_a_folder_of_recordings_that_cannot_be_made_has_a_place_to_choose_one(
    desktop, qtbot, tmp_path
) -> None:
    (tmp_path / "file").touch()
    desktop.settings = replace(desktop.settings, recordings=str(tmp_path / "file" / "videos"))
    desktop.window.actions_["recordings"].trigger()
    button = desktop.window.banner._act
    assert not button.isHidden()
    button.click()
    (asked,) = desktop.window.findChildren(QFileDialog)
    assert asked.fileMode() is QFileDialog.FileMode.Directory
    asked.reject()
