"""Numbers of the frame on show: a table of parts and joints that can be copied into a spreadsheet."""

from __future__ import annotations

from collections.abc import Sequence

from PyQt6.QtCore import QSize
from PyQt6.QtGui import QGuiApplication
from PyQt6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QHBoxLayout,
    QHeaderView,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from app.ui.translation import tr
from app.ui.widgets import button, fill, plain

HEAD = ("Part or joint", "Area, px", "Visibility, %", "From the left, px", "From the top, px", "Angle, °")


class NumbersDialog(QDialog):
    """The table; it stays open and follows the picture."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("Numbers of the frame"))
        self._frame = plain(name="faint")
        self.table = QTableWidget(0, len(HEAD))
        self.table.setHorizontalHeaderLabels([tr(words) for words in HEAD])
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.setAccessibleName(tr("Numbers of the frame"))
        header, side = self.table.horizontalHeader(), self.table.verticalHeader()
        assert header is not None
        assert side is not None
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        side.hide()
        row = fill(QHBoxLayout(), self._frame, None, button("Copy", self.copy, name="primary"))
        fill(QVBoxLayout(self), self.table, row, spacing=8).setContentsMargins(12, 12, 12, 12)

    def sizeHint(self) -> QSize:
        """All columns, in the longest language too, and half of the rows."""
        return QSize(760, 520)

    def show_rows(self, title: str, rows: Sequence[Sequence[str]]) -> None:
        """Show the rows of a frame, a text for each column."""
        self._frame.setText(title)
        self.table.setRowCount(len(rows))
        for i, row in enumerate(rows):
            for k, text in enumerate(row):
                item = self.table.item(i, k)
                if item is None:
                    self.table.setItem(i, k, item := QTableWidgetItem())
                item.setText(text)

    def copy(self) -> None:
        """Everything, with tabs between the columns."""
        clipboard, table = QGuiApplication.clipboard(), self.table
        items = [[table.item(i, k) for k in range(len(HEAD))] for i in range(table.rowCount())]
        rows = [[tr(words) for words in HEAD], *([x.text() if x else "" for x in row] for row in items)]
        if clipboard is not None:
            clipboard.setText("\n".join("\t".join(row) for row in rows) + "\n")
