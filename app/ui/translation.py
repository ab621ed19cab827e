"""Translation: words of the window in the user's language by Qt's translators; else English."""

from __future__ import annotations

from pathlib import Path
from typing import Final
from xml.etree import ElementTree as ET

from PyQt6.QtCore import QCoreApplication, QLibraryInfo, QLocale, QTranslator

from runtime.system.paths import assets_dir

CONTEXT: Final = "xfactor"


def tr(text: str) -> str:
    """The words in the language of the window; those that nobody has translated as they are."""
    return QCoreApplication.translate(CONTEXT, text)


class TranslationTable(QTranslator):
    """Translations of a .ts file, the source that Qt's own tools read and write; it needs no compiler."""

    def __init__(self, path: Path, parent: QCoreApplication) -> None:
        super().__init__(parent)
        messages = ET.parse(path).iter("message")  # noqa: S314 - a file of ours
        self.words = {m.findtext("source", ""): m.findtext("translation", "") for m in messages}

    def translate(  # type: ignore[override]  # None is the null string that Qt tells from an empty one
        self, context: str | None, source: str | None, disambiguation: str | None = None, n: int = -1
    ) -> str | None:
        """The translation; None sends Qt on to the next translator, and at last to the source."""
        del disambiguation, n
        return (self.words.get(source or "") or None) if context == CONTEXT else None


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
