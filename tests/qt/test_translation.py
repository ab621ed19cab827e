"""German: every word of the window is translated, and the window shows it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from PyQt6.QtCore import QCoreApplication, QTranslator
from PyQt6.QtGui import QAction
from PyQt6.QtWidgets import QAbstractButton, QComboBox, QLabel, QLineEdit, QMenu, QWidget

from app.desktop import Desktop
from app.settings import SettingsFile
from app.ui import translation
from app.ui.actions import MENUS, SUBMENUS, entries
from app.ui.library_dialog import LibraryDialog
from tests.qt.conftest import small

pytestmark = pytest.mark.gui
ROOT = Path(__file__).parents[2]
#: Texts that are the same in every language, or are no text of a user.
UNTRANSLATED = {
    "full screen", "the {}", "{} min {} s", "qtbase_{}", "xfactor_{}.ts", "{}-end",
    ", both; {} decides", "{} ms", "{} fps{}", "{} in parts", "joints in their parts {} %",
}  # fmt: skip
PLACES = re.compile(r"\{\w*\}")


@pytest.fixture(scope="session")
def table() -> dict[str, str]:
    return translation.TranslationTable(translation.table_path("de"), QCoreApplication.instance()).words


@pytest.fixture
def german(qapp, tmp_path, qtbot) -> Iterator[Desktop]:
    """A window in German; later tests have English again."""
    before = set(qapp.findChildren(QTranslator))
    translation.install(qapp, "de")
    made = Desktop(SettingsFile(tmp_path / "settings.json"), loader=small)
    qtbot.addWidget(made.window)
    made.start()
    yield made
    made.stop()
    for added in set(qapp.findChildren(QTranslator)) - before:
        qapp.removeTranslator(added)
        added.deleteLater()
    assert translation.tr("Cancel") == "Cancel"


def test_no_entry_is_unfinished_and_places_are_kept(table) -> None:
    for source, german in table.items():
        assert german.strip(), source
        assert sorted(PLACES.findall(source)) == sorted(PLACES.findall(german)), source


def test_every_action_and_menu_has_german_words(table) -> None:
    wanted = {f"&{title}" for title in MENUS} | set(SUBMENUS.values())
    for _, entry in entries():
        wanted |= {entry.text, entry.tip} - {""}
    assert wanted - set(table) == set()


def test_the_menus_are_german_with_keys_of_their_own(german) -> None:
    bar = german.window.menuBar()
    assert [a.text().replace("&", "") for a in bar.actions()] == [
        "Datei", "Quelle", "Modell", "X-Faktor", "Anlernen", "Ansicht", "Werkzeuge", "Hilfe",
    ]  # fmt: skip
    letters = [a.text()[a.text().index("&") + 1].lower() for a in bar.actions()]
    assert len(set(letters)) == len(letters)
    actions = german.window.actions_
    assert actions["snapshot"].text().replace("&", "") == "Schnappschuss speichern"
    assert actions["snapshot"].toolTip().startswith("Speichern, was zu sehen ist, als PNG")


@pytest.mark.parametrize(("language", "installed"), [("de", True), ("en", False), ("fr", False)])
def test_a_language_without_words_is_english(qapp, language: str, installed: bool) -> None:
    before = set(qapp.findChildren(QTranslator))
    translation.install(qapp, language)
    added = set(qapp.findChildren(QTranslator)) - before
    assert (translation.tr("Cancel") == "Abbrechen") is installed
    for translator in added:
        qapp.removeTranslator(translator)
        translator.deleteLater()


#: Texts of app/ui that are no words of the window: keys, names of objects and files, code of icons.
WORDS = re.compile(r"[A-Z][a-z]|[a-z] [a-z]|[a-z]…|^[A-Z]{4}[A-Z ]*$")
NO_WORDS = re.compile(
    r"(Ctrl|Shift|Alt)\+|^(Esc|Tab|Return|Enter|Home|End|Left|Right|Space|PgUp|PgDown|F\d+)$|\*\.|^M\d|svg|stroke-|fill=|[{;]\s*$"
    r"|padding|\(\?|\[A-Z|^Fusion$|\.log$|^view-"
)


def spoken(tree: ast.Module) -> Iterator[str]:
    """Texts of a module that a user may read: constants with words, without docstrings."""
    silent: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            silent.add(id(node.value))
        elif isinstance(node, ast.JoinedStr):
            silent |= {id(part) for part in node.values}
    for node in ast.walk(tree):
        text = node.value if isinstance(node, ast.Constant) and id(node) not in silent else None
        if isinstance(text, str) and WORDS.search(text) and not NO_WORDS.search(text):
            yield text


def joined(tree: ast.Module) -> Iterator[str]:
    """Texts put together of pieces, which nobody can translate: `f"{n} more"`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            text = "".join(str(p.value) if isinstance(p, ast.Constant) else "{}" for p in node.values)
            if re.search(r"[a-z]{2}", text) and not NO_WORDS.search(text):
                yield text


@pytest.mark.parametrize("path", sorted((ROOT / "app" / "ui").glob("*.py")), ids=lambda p: p.stem)
def test_every_text_of_the_window_is_in_the_table(table, path) -> None:
    tree = ast.parse(path.read_text("utf-8"))
    plain = {re.sub("&(.)", r"\1", source) for source in table}
    assert {t for t in spoken(tree) if t not in table and t not in plain} - UNTRANSLATED == set()
    assert set(joined(tree)) - UNTRANSLATED == set()


def shown(window: QWidget) -> Iterator[str]:
    """Every text that widgets and actions show or speak."""
    for widget in (window, *window.findChildren(QWidget)):
        yield from (widget.toolTip(), widget.accessibleName(), widget.windowTitle())
        if isinstance(widget, QLabel | QAbstractButton):
            yield widget.text()
        if isinstance(widget, QLineEdit):
            yield widget.placeholderText()
        if isinstance(widget, QComboBox):
            yield from (widget.itemText(i) for i in range(widget.count()))
        if isinstance(widget, QMenu):
            yield widget.title()
    for action in window.findChildren(QAction):
        yield from (action.text(), action.toolTip().rpartition(" (")[0] or action.toolTip())


def test_the_window_shows_no_english_that_has_german_words(german, table, qtbot) -> None:
    german.shortcuts.open()
    german.settings_editing.open()
    german.overview.open()
    german.personalization.show()
    LibraryDialog(german.window)
    for name in ("Model", "X factor", "behind"):
        german.window.actions_.menus[name].aboutToShow.emit()
    german.tick()
    english = {source for source, words in table.items() if words != source}
    same = set(table.values())  # a word may be English for one thing and German for another
    assert {text for text in shown(german.window) if text in english - same} == set()
