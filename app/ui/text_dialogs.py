"""Small windows of words: notices of the run, about, a model's card. None of them stops anything."""

from __future__ import annotations

from PyQt6.QtCore import Qt, QUrl
from PyQt6.QtGui import QTextCursor, QTextDocument
from PyQt6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QTextBrowser,
    QVBoxLayout,
    QWidget,
)

from app.ui.translation import tr

FEATURES = QTextDocument.MarkdownFeature.MarkdownDialectGitHub | QTextDocument.MarkdownFeature.MarkdownNoHTML
LONGEST = 500  # letters that a text from outside has in a page


class MarkdownPage(QTextBrowser):
    """Markdown from anywhere: without HTML, and nothing that it names is fetched."""

    def __init__(self, markdown: str) -> None:
        super().__init__()
        self.setOpenLinks(False)
        self.document().setMarkdown(markdown, FEATURES)  # type: ignore[union-attr]
        self.moveCursor(QTextCursor.MoveOperation.Start)  # it is read from the top

    def loadResource(self, kind: int, name: QUrl) -> None:
        """Refuse every file and address."""


def show_page(parent: QWidget, title: str, markdown: str) -> QDialog:
    """A page of Markdown."""
    return _show(parent, title, MarkdownPage(markdown))


def as_code(text: str) -> str:
    """Markdown that shows a text from outside as it is, and of a very long one the beginning."""
    shown = " ".join(text.split()).replace("`", "'").replace("|", "¦")  # a bar would end a table's cell
    return f"`{shown if len(shown) <= LONGEST else f'{shown[: LONGEST - 1]}…'}`"


def _show(parent: QWidget, title: str, content: QWidget) -> QDialog:
    dialog = QDialog(parent)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.setWindowTitle(tr(title))
    dialog.resize(620, 560)
    buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
    buttons.rejected.connect(dialog.close)
    column = QVBoxLayout(dialog)
    column.addWidget(content, 1)
    column.addWidget(buttons)
    dialog.show()
    return dialog
