"""German: every word of the window is translated, and the window shows it."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from PyQt6.QtCore import QCoreApplication, QTranslator

from app.desktop import Desktop
from app.settings import SettingsFile
from app.ui import translation
from app.ui.actions import MENUS, SUBMENUS, entries
from tests.qt.conftest import small

pytestmark = pytest.mark.gui
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
