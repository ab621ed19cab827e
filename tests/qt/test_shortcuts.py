"""Keys of the user's own: searched, changed, taken from another action, reset, kept in the settings file."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PyQt6.QtCore import Qt
from PyQt6.QtGui import QKeySequence
from PyQt6.QtWidgets import QPushButton

from app.controllers import shortcuts
from app.settings import SettingsFile
from app.ui.actions import entries

pytestmark = pytest.mark.gui
NAMES = [a.name for _, a in entries()]


def press(dialog, label: str) -> None:
    next(b for b in dialog.findChildren(QPushButton) if b.text() == label and b.isEnabled()).click()


def record(dialog, qtbot, *keys: object) -> None:
    dialog._edit.clear()
    qtbot.keyClick(dialog._edit, *keys)


@pytest.fixture
def dialog(desktop):
    desktop.window.actions_["keys"].trigger()
    return desktop.shortcuts._dialog


def test_every_action_is_in_the_table_and_is_found(desktop, dialog) -> None:
    rows = dialog._rows
    assert {r.name for r in rows if r.name} == {
        n for n, a in desktop.window.actions_.by_name.items() if not a.isSeparator()
    }
    for words, found in (
        ("snapsh", "snapshot"),
        ("ctrl+shift+j", "jobs"),
        ("view confid", "view-confidence"),
    ):
        dialog._search.setText(words)
        assert [r.name for y, r in enumerate(rows) if not dialog._table.isRowHidden(y)] == [found]


def test_a_key_is_changed_works_at_once_and_is_kept(playing, qtbot) -> None:
    window, seen = playing.window, []
    window.actions_["keys"].trigger()
    dialog = playing.shortcuts._dialog
    window.actions_["hud"].triggered.connect(seen.append)
    dialog.choose("hud")
    record(dialog, qtbot, Qt.Key.Key_F9)
    press(dialog, "Set")
    dialog.close()
    window.activateWindow()
    qtbot.keyClick(window, "i")
    assert seen == []
    qtbot.keyClick(window, Qt.Key.Key_F9)
    assert seen == [True]
    assert SettingsFile(playing.settings_file.path).load().shortcuts == ("hud: F9",)


def test_a_conflict_is_told_before_the_key_is_taken(desktop, dialog, qtbot) -> None:
    actions = desktop.window.actions_
    dialog.choose("hud")
    record(dialog, qtbot, "s")
    assert "File → Save snapshot has this key now" in dialog._conflict.text()
    assert actions["snapshot"].shortcut().toString() == "S"  # nothing is taken yet
    press(dialog, "Take it")
    assert (actions["hud"].shortcut().toString(), actions["snapshot"].shortcut().toString()) == ("S", "")
    assert "(S)" not in actions["snapshot"].toolTip()
    dialog.choose("snapshot")
    press(dialog, "Reset")  # and comes back from whoever has it
    assert (actions["hud"].shortcut().toString(), actions["snapshot"].shortcut().toString()) == ("", "S")
    assert actions["snapshot"].toolTip().endswith("(S)")
    press(dialog, "Reset all")
    assert actions["hud"].shortcut().toString() == "I"
    assert desktop.settings.shortcuts == ()


def test_one_of_two_keys_can_be_taken_and_a_key_can_be_removed(desktop, dialog, qtbot) -> None:
    actions = desktop.window.actions_
    dialog.choose("hud")
    record(dialog, qtbot, Qt.Key.Key_F11)
    press(dialog, "Take it")
    assert [k.toString() for k in actions["full-screen"].shortcuts()] == ["F"]
    press(dialog, "No key")
    assert actions["hud"].shortcuts() == []


def test_keys_that_everything_needs_are_refused(dialog) -> None:
    dialog.choose("hud")
    dialog._edit.setKeySequence(QKeySequence("Esc"))
    assert "Escape leaves" in dialog._conflict.text()
    assert not dialog._set.isEnabled()
    dialog._edit.clear()
    assert not dialog._set.isEnabled()


def test_what_a_hand_wrote_into_the_file_never_gives_a_key_twice(desktop) -> None:
    lines = ("hud: S", "loop: S; Q", "nothing: X", "record:", "open", "play: Esc", "quit: no such key")
    own = shortcuts.read(lines)
    assert own == {"hud": ("S",), "loop": ("S", "Q"), "record": ()}
    keys = shortcuts.keys_with(own)
    assert (keys["hud"], keys["loop"], keys["snapshot"]) == (("S",), ("Q",), ())


@given(
    st.dictionaries(
        st.sampled_from(NAMES),
        st.lists(st.sampled_from(["S", "R", "Ctrl+O", "F9", "Ctrl+;", ","]), max_size=3),
    )
)
def test_keys_are_unique_and_survive_the_file(own: dict[str, list[str]]) -> None:
    wanted = {name: tuple(dict.fromkeys(keys)) for name, keys in own.items()}
    assert shortcuts.read(shortcuts.written(wanted)) == wanted
    keys = [k for texts in shortcuts.keys_with(wanted).values() for k in texts]
    assert len(keys) == len(set(keys))
