"""Factor library: every factor with its face and its gain, and what can be done with it; never modal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PyQt6.QtCore import QSize, Qt, pyqtSignal
from PyQt6.QtGui import QIcon, QPixmap
from PyQt6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QHBoxLayout,
    QHeaderView,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from app.ui.style_panel import plain

FACE = 48  # px
COLUMNS = ("Factor", "Gain", "Made", "For model")


@dataclass(frozen=True)
class LibraryRow:
    """One factor."""

    name: str
    gain: str
    made: str
    model: str
    fits: bool  #: it was made for the model in use
    in_use: bool
    face: QIcon | None
    earlier: int = 0  #: generations that can be gone back to


class LibraryDialog(QDialog):
    """The dialog.

    Signals:
        used, renaming, deleting, exporting, rolled_back: the name of the chosen factor.
        importing: a file is to be chosen.
    """

    used = pyqtSignal(str)
    renaming = pyqtSignal(str)
    deleting = pyqtSignal(str)
    exporting = pyqtSignal(str)
    rolled_back = pyqtSignal(str)
    importing = pyqtSignal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Factor library")
        self.resize(680, 420)
        self._rows: list[LibraryRow] = []
        self._table = _table()
        self._empty = plain(
            "No factor yet. Open a clip and choose Personalise (P), or import a .factor.onnx file."
        )
        self._empty.setObjectName("faint")
        self._use, self._rename = QPushButton("Use"), QPushButton("Rename…")
        self._back = QPushButton("Earlier one")
        self._back.setToolTip(
            "Personalising again under the same name keeps the factor before: go back to it"
        )
        self._export, self._delete = QPushButton("Export…"), QPushButton("Delete…")
        add, close = QPushButton("Import…"), QPushButton("Close")
        self._use.setObjectName("primary")
        buttons = QHBoxLayout()
        for button in self._buttons():
            buttons.addWidget(button)
        buttons.addStretch(1)
        for button in (add, close):
            buttons.addWidget(button)
        for button in self._buttons(add, close):
            button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            button.setAutoDefault(False)
        column = QVBoxLayout(self)
        column.addWidget(self._empty)
        column.addWidget(self._table, 1)
        column.addLayout(buttons)
        self._use.clicked.connect(lambda: self._tell(self.used))
        self._rename.clicked.connect(lambda: self._tell(self.renaming))
        self._back.clicked.connect(lambda: self._tell(self.rolled_back))
        self._delete.clicked.connect(lambda: self._tell(self.deleting))
        self._export.clicked.connect(lambda: self._tell(self.exporting))
        add.clicked.connect(self.importing)
        close.clicked.connect(self.close)
        self._table.itemSelectionChanged.connect(self._on_selected)
        self._table.doubleClicked.connect(self._use.click)

    def show_rows(self, rows: Sequence[LibraryRow]) -> None:
        """Fill the table; the selected factor stays selected."""
        chosen = self.chosen
        self._rows = list(rows)
        self._table.setRowCount(len(rows))
        for number, row in enumerate(rows):
            name = f"{row.name}  (in use)" if row.in_use else row.name
            for column, text in enumerate((name, row.gain, row.made, row.model)):
                item = QTableWidgetItem(text)
                if column == 0 and row.face is not None:
                    item.setIcon(row.face)
                if not row.fits:
                    item.setToolTip("Made for another model: it cannot be used with the one in use")
                    item.setForeground(self.palette().placeholderText())
                self._table.setItem(number, column, item)
            if chosen is not None and row.name == chosen.name:
                self._table.selectRow(number)
        if rows and self.chosen is None:
            self._table.selectRow(0)
        self._empty.setVisible(not rows)
        self._table.setVisible(bool(rows))
        self._on_selected()

    @property
    def chosen(self) -> LibraryRow | None:
        """The factor that is selected."""
        number = self._table.currentRow()
        return self._rows[number] if 0 <= number < len(self._rows) else None

    def _buttons(self, *more: QPushButton) -> tuple[QPushButton, ...]:
        return (self._use, self._rename, self._back, self._export, self._delete, *more)

    def _on_selected(self) -> None:
        row = self.chosen
        for button in self._buttons():
            button.setEnabled(row is not None)
        self._back.setEnabled(row is not None and row.earlier > 0)
        self._use.setEnabled(row is not None and row.fits and not row.in_use)

    def _tell(self, signal: object) -> None:
        row = self.chosen
        if row is not None:
            signal.emit(row.name)  # type: ignore[attr-defined]


def thumbnail_icon(path: Path | None) -> QIcon | None:
    """A thumbnail from its file; None without one."""
    picture = QPixmap(str(path)) if path is not None else QPixmap()
    if picture.isNull():
        return None
    icon = QIcon(picture)
    icon.addPixmap(picture, QIcon.Mode.Selected)  # a face is not tinted because its row is chosen
    return icon


def _table() -> QTableWidget:
    table = QTableWidget(0, len(COLUMNS))
    table.setHorizontalHeaderLabels(list(COLUMNS))
    table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
    table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
    table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
    table.setIconSize(QSize(FACE, FACE))
    table.setShowGrid(False)
    vertical, horizontal = table.verticalHeader(), table.horizontalHeader()
    if vertical is not None and horizontal is not None:
        vertical.hide()
        vertical.setDefaultSectionSize(FACE + 8)
        horizontal.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft)
        horizontal.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        horizontal.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        horizontal.setHighlightSections(False)
    return table
