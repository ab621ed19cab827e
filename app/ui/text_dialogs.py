"""Small windows of words: keyboard shortcuts, about, a model's card. None of them stops anything."""

from __future__ import annotations

from collections.abc import Sequence

from PyQt6.QtCore import Qt
from PyQt6.QtGui import QFontDatabase
from PyQt6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QHeaderView,
    QPlainTextEdit,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)


def show_table(parent: QWidget, title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> QDialog:
    """A table of words."""
    table = QTableWidget(len(rows), len(columns))
    table.setHorizontalHeaderLabels(list(columns))
    table.setEditTriggers(QTableWidget.EditTrigger.NoEditTriggers)
    table.setSelectionMode(QTableWidget.SelectionMode.NoSelection)
    table.setShowGrid(False)
    table.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    vertical, horizontal = table.verticalHeader(), table.horizontalHeader()
    if vertical is not None and horizontal is not None:
        vertical.hide()
        horizontal.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft)
        horizontal.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        horizontal.setStretchLastSection(True)
    for y, row in enumerate(rows):
        for x, text in enumerate(row):
            table.setItem(y, x, QTableWidgetItem(text))
    return _show(parent, title, table)


def show_text(parent: QWidget, title: str, text: str) -> QDialog:
    """Plain text, whatever it holds."""
    page = QPlainTextEdit(text)
    page.setReadOnly(True)
    page.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
    return _show(parent, title, page)


def _show(parent: QWidget, title: str, content: QWidget) -> QDialog:
    dialog = QDialog(parent)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.setWindowTitle(title)
    dialog.resize(620, 560)
    buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
    buttons.rejected.connect(dialog.close)
    column = QVBoxLayout(dialog)
    column.addWidget(content, 1)
    column.addWidget(buttons)
    dialog.show()
    return dialog
