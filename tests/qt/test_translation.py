"""German: every word of the window is translated, and the window shows it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest
from PyQt6.QtCore import QCoreApplication, QTranslator
from PyQt6.QtGui import QAction
from PyQt6.QtWidgets import QAbstractButton, QComboBox, QLabel, QLineEdit, QMenu, QWidget

from app.controllers.menus import IN_VIEW
from app.desktop import Desktop
from app.settings import SettingsFile
from app.ui import translation
from app.ui.actions import MENUS, SUBMENUS, entries
from app.ui.library_dialog import LibraryDialog
from app.ui.numbers_dialog import NumbersDialog
from models.labels import JOINT_SETS, PART_SETS
from runtime.movement.sightings import sided
from tests.qt.conftest import small

pytestmark = pytest.mark.gui
ROOT = Path(__file__).parents[2]
#: Texts that are the same in every language, or are no text of a user.
UNTRANSLATED = {
    "full screen", "the {}", "{} min {} s", "qtbase_{}", "xfactor_{}.ts", "{}-end",
    "{} ms", "joints in their parts {} %",
}  # fmt: skip
#: Texts below the window that are put together with others, or that the window never shows.
PIECES = {
    "{} is not done", ". It goes on where it was when xfactor is started again.", ". Not whole: {}",
    "Nobody is found there{}.", "; click one of those highlighted", " {} more {} listed under Personalise.",
    "{}: no result ({}){}. The picture goes on without parts.", "one person, ", "; the model in use stays",
    "; restart xfactor to have back the cores that it keeps busy", "{} is no camera mode such as 1280x720@30",
    "Python", "PyQt", "ONNX Runtime", "YouTube", "Device", "Any", "[^A-Za-z0-9_-]+",
    "{}.onnx belongs to another {}.onnx (expected {}…)",
}  # fmt: skip
BELOW = (
    *("app/controllers/*.py", "app/desktop.py", "app/workspace.py", "app/xfactor.py", "app/settings.py"),
    *("app/live/*.py", "app/download/formats.py", "personalize/client/*.py", "runtime/silhouettes/*.py"),
    *(
        "runtime/library/*.py",
        "runtime/engine/source.py",
        "runtime/engine/companion.py",
        "runtime/system/disk.py",
    ),
    *(f"runtime/media/{n}.py" for n in ("cameras", "capture", "feeds", "images", "links", "opening")),
    *(f"runtime/media/{n}.py" for n in ("sources", "stream_links", "streams")),
)
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


def test_no_source_stands_twice() -> None:
    sources = re.findall("<source>(.*?)</source>", translation.table_path("de").read_text("utf-8"), re.DOTALL)
    assert len(sources) > 500
    assert len(sources) == len(set(sources))


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
    for menu in german.window.actions_.menus.values():
        words = [a.text().replace("&", "") for a in menu.actions() if a.text()]
        assert sorted(set(words)) == sorted(words), "two entries of one name"
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


@pytest.mark.parametrize(
    ("english", "german"),
    [
        ("a.mp4: the file is empty. Check the link", "a.mp4: die Datei ist leer. Den Link prüfen"),
        ("x: it cannot be read (E). Check the link", "x: das lässt sich nicht lesen (E). Den Link prüfen"),
        ("Saved /tmp/a.png", "Gespeichert: /tmp/a.png"),
        ("A: better on this person, 71 % → 86 %", "A: besser bei dieser Person, 71 % → 86 %"),
        ("Loading own factor", "eigener Faktor laden"),
        ("a.mp4: it was unplugged", "a.mp4: sie wurde abgezogen"),
        ("virtual camera: its process ended without a result (code 3). Switch it on again",
         "virtuelle Kamera: der Prozess endete ohne Ergebnis (Code 3). Wieder einschalten"),
        ("Left and right arms exchanged from frame 7 on", "Links und rechts ab Bild 7 vertauscht: Arme"),
        ("Nobody is found there; click one of those highlighted.",
         "Dort wird niemand gefunden; eine der hervorgehobenen Personen anklicken."),
        ("Exporting a.mp4 is not done, nor 2 more. It goes on where it was when xfactor is started again.",
         "a.mp4 exportieren und 2 weitere sind nicht fertig. Es geht beim nächsten Start von xfactor dort "
         "weiter, wo es war."),
        ("Learning Ann was interrupted. 2 more are listed under Personalise.",
         "Das Lernen von Ann wurde unterbrochen. 2 weitere stehen unter Anlernen."),
        ("Saved /tmp/a.mp4 (4 pictures).", "Gespeichert: /tmp/a.mp4 (4 Bilder)."),
        ("right knee (joint)", "rechtes Knie (Gelenk)"),
        ("people with model joints-s31: it gives no body parts that a silhouette could change. Choose a "
         "model with body parts", "Personen mit Modell joints-s31: es liefert keine Körperteile, die eine "
         "Silhouette ändern könnte. Ein Modell mit Körperteilen wählen"),
        ("31 parts", "31 Teile"),
        ("a few parts", None),
        ("it gives no body parts", None),
        ("model a: it is empty. Something nobody translated", None),
        ("model a: something nobody translated. Fetch the file again", None),
        ("x: its process broke. Something nobody translated", None),
        ("x: something nobody translated. Try it", None),
        ("Nothing of this", None),
    ],
)  # fmt: skip
def test_sentences_with_names_in_them_and_refusals_are_translated_too(qapp, english, german) -> None:
    table = translation.TranslationTable(translation.table_path("de"), qapp)
    assert table.translate(translation.CONTEXT, english) == german


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


@pytest.mark.parametrize("place", BELOW)
def test_what_is_said_below_the_window_is_in_the_table_too(qapp, place: str) -> None:
    """Notices, refusals, questions and names, with any words in their places."""
    table = translation.TranslationTable(translation.table_path("de"), qapp)
    kept = {re.sub("&(.)", r"\1", source) for source in table.words} | PIECES
    files = sorted(ROOT.glob(place))
    assert files
    for file in files:
        tree = ast.parse(file.read_text("utf-8"))
        for node in ast.walk(tree):  # the log is English
            if isinstance(node, ast.Call) and ast.unparse(node.func).startswith("log."):
                node.args = []
        said = {*spoken(tree), *joined(tree)}
        english = {t for t in said - kept if not table.translate(translation.CONTEXT, t.replace("{}", "17"))}
        assert {t for t in english if WORDS.search(t) and not t.isupper()} == set(), file.name


#: Modules whose refusals the window may show.
REFUSING = (
    *("app/*.py", "app/controllers/*.py", "app/live/*.py", "app/download/*.py", "runtime/**/*.py"),
    *("personalize/*.py", "personalize/client/*.py", "personalize/worker/*.py"),
)
#: Pieces of refusals in whose places words stand that decide the sentence.
JOINED = {
    "{} of {}", "{} ({})", "only {} frame{} of the range can be read",
    "yt-dlp{} could not read the site, which has probably changed ({})",
}  # fmt: skip
ENGLISH = re.compile(r"\b(it|its|the|is|are|not|with|cannot|choose|check|use)\b", re.IGNORECASE)


def wordings(node: ast.expr, named: dict[str, list[ast.expr]]) -> Iterator[str]:
    """Texts that an argument of a refusal may have, with {} in their places; none where a call makes it."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.JoinedStr):
        yield "".join(str(p.value) if isinstance(p, ast.Constant) else "{}" for p in node.values)
    elif isinstance(node, ast.IfExp):
        yield from (*wordings(node.body, named), *wordings(node.orelse, named))
    elif isinstance(node, ast.Name):
        for value in named.get(node.id, []):
            yield from wordings(value, {})


def refusals(file: Path) -> Iterator[tuple[set[str], ...]]:
    """What, reason and remedy of each refusal of a module, in all their wordings."""
    nodes, named = list(ast.walk(ast.parse(file.read_text("utf-8")))), {}
    for node in nodes:
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            target = node.targets[0] if isinstance(node, ast.Assign) else node.target
            named.setdefault(ast.unparse(target), []).append(node.value)
    for node in nodes:
        if isinstance(node, ast.Call) and re.search("Refusal$", ast.unparse(node.func)):
            unknown = ("{}", "it is empty", "try again")  # of what a call makes
            pieces = [set(wordings(a, named)) - {""} or {u} for a, u in zip(node.args, unknown, strict=False)]
            if len(pieces) == 3:
                yield (*pieces[:2], {r[:1].upper() + r[1:] for r in pieces[2]})


def half_german(words: dict[str, str], what: str, german: str) -> bool:
    """True where English is left: small words, or those of the object."""
    piece = re.search("[a-z ]{6,}", what)
    left = piece is not None and words.get(what) != what and piece[0] in german
    return left or ENGLISH.search(german) is not None


@pytest.mark.parametrize("place", REFUSING)
def test_no_refusal_is_half_german(qapp, place: str) -> None:
    """Each is translated whole, its object too."""
    table = translation.TranslationTable(translation.table_path("de"), qapp)
    found = {r for file in sorted(ROOT.glob(place)) for pieces in refusals(file) for r in product(*pieces)}
    said = {}
    for pieces in found:
        english = "{}: {}. {}".format(*pieces) if JOINED.isdisjoint(pieces) else "x: it is empty. Try again"
        filled = (english.replace("{}", value) for value in ("17", "/1/7"))
        said[english] = pieces[0], next(filter(None, (table.translate("xfactor", f) for f in filled)), "")
    assert found
    assert {english for english, (_, german) in said.items() if not german} == set()
    assert {g for what, g in said.values() if half_german(table.words, what, g)} == set()


def test_the_warning_before_a_plate_is_german_to_its_end(qapp) -> None:
    table = translation.TranslationTable(translation.table_path("de"), qapp)
    german = table.translate(translation.CONTEXT, IN_VIEW)
    assert german.startswith("Eine Person ist zu sehen")
    assert german.endswith("B innerhalb von 5 s lernt trotzdem.")


def test_parts_and_joints_have_german_names(qapp) -> None:
    table = translation.TranslationTable(translation.table_path("de"), qapp)
    names = {part.label for parts in PART_SETS.values() for part in parts.rows}
    names |= {sided(joint) for joints in JOINT_SETS.values() for joint in joints.names}
    assert {n for n in names if not table.translate(translation.CONTEXT, n)} == set()


def test_the_table_of_numbers_shows_all_its_columns_in_german(german, qtbot) -> None:
    dialog = NumbersDialog(german.window)
    dialog.resize(dialog.sizeHint())
    dialog.show()
    dialog.show_rows(
        "Bild 411, Person 1", [["rechtes Handgelenk (Gelenk)", "123456", "100", "1234.5", "1234.5", "179.9"]]
    )
    qtbot.waitUntil(lambda: dialog.table.columnWidth(0) > 150)
    assert dialog.table.horizontalHeader().length() < dialog.table.viewport().width()
    assert dialog.table.geometry().left() > 0


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
