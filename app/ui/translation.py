"""Translation: words of the window in the user's language by Qt's translators; else English."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Final
from xml.etree import ElementTree as ET

from PyQt6.QtCore import QCoreApplication, QLibraryInfo, QLocale, QTranslator

from runtime.system.paths import assets_dir

CONTEXT: Final = "xfactor"
PLACE: Final = re.compile(r"\{(\w+)\}")
#: What a place matches: by its name a number, an object without its reason, an address; or any words.
KINDS: Final = {
    **dict.fromkeys(("count", "days", "frame", "frames", "first", "last", "minutes"), r"[-+]?\d[\d.,x× ]*"),
    **dict.fromkeys(("number", "parts", "percent", "seconds", "size"), r"[-+]?\d[\d.,x× ]*"),
    **dict.fromkeys(("camera", "codec", "model", "name", "values", "what"), r"(?!its?\b).+?"),
    "object": r"(?:(?!: ).)+?",
    "fact": r"(?:(?!: ).)+?",
    "address": r".*[/\\].*",
}
REMEDIES: Final = re.compile(r"\. (?=[A-Z])")
LEAST_LETTERS: Final = 4  # of a sentence with places: fewer would match anything


def tr(text: str) -> str:
    """The words in the language of the window; those that nobody has translated as they are."""
    return QCoreApplication.translate(CONTEXT, text)


class TranslationTable(QTranslator):
    """Translations of a .ts file, the source that Qt's own tools read and write; it needs no compiler."""

    def __init__(self, path: Path, parent: QCoreApplication) -> None:
        super().__init__(parent)
        messages = ET.parse(path).iter("message")  # noqa: S314 - a file of ours
        self.words = {m.findtext("source", ""): m.findtext("translation", "") for m in messages}
        wide = [s for s in self.words if PLACE.search(s) and len(PLACE.sub("", s)) >= LEAST_LETTERS]
        self._sentences = [(_pattern(s), self.words[s]) for s in sorted(wide, key=len, reverse=True)]
        self._found = cache(self._find)

    def translate(  # type: ignore[override]  # None is the null string that Qt tells from an empty one
        self, context: str | None, source: str | None, disambiguation: str | None = None, n: int = -1
    ) -> str | None:
        """The translation; None sends Qt on to the next translator, and at last to the source."""
        del disambiguation, n
        return (self.words.get(source or "") or self._found(source or "")) if context == CONTEXT else None

    def _find(self, text: str) -> str | None:
        """The translation of words with names and numbers in them, or of a refusal, piece by piece."""
        for pattern, german in self._sentences:
            if match := pattern.fullmatch(text):
                return german.format(**{k: self._or_same(v) for k, v in match.groupdict().items()})
        return self._refusal(text)

    def _refusal(self, text: str) -> str | None:
        """An object, its reason and perhaps a remedy, if they are known to the end: never half of them."""
        for colon in re.finditer(": ", text):
            what, said = text[: colon.start()], text[colon.end() :]
            splits = [[said[: m.start()], said[m.end() :]] for m in REMEDIES.finditer(said)]
            for pieces in splits or [[said]]:
                found = [german for piece in pieces if (german := self._known(piece))]
                if len(found) == len(pieces):
                    return f"{self._or_same(what)}: {'. '.join(found)}"
        return None

    def _known(self, piece: str) -> str | None:
        """The translation of a piece, of a remedy also where the table begins it with a small letter."""
        german = self.words.get(piece) or self._found(piece)
        small = piece[:1].lower() + piece[1:]
        if german is None and small != piece and (german := self._known(small)):
            return german[:1].upper() + german[1:]
        return german

    def _or_same(self, piece: str) -> str:
        return self.words.get(piece) or self._found(piece) or piece


def _pattern(source: str) -> re.Pattern[str]:
    """Matches a source with numbers where it counts, and names or words in its other places."""
    pieces = PLACE.split(source)
    named = [f"(?P<{p}>{KINDS.get(p, '.+?')})" if i % 2 else re.escape(p) for i, p in enumerate(pieces)]
    return re.compile("".join(named), re.DOTALL)


def table_path(language: str) -> Path:
    """Its .ts file, which need not exist."""
    return assets_dir() / "translations" / f"xfactor_{language}.ts"


def install(application: QCoreApplication, language: str) -> None:
    """Show this language (`auto`: the system's) from now on, also in Qt's own dialogs."""
    code = QLocale.system().name()[:2] if language == "auto" else language
    if not table_path(code).exists():
        return
    application.installTranslator(TranslationTable(table_path(code), application))
    qt = QTranslator(application)
    if qt.load(f"qtbase_{code}", QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)):
        application.installTranslator(qt)
