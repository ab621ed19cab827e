"""Factor library: every factor with its face and its gain, and what can be done with it; never modal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PyQt6.QtCore import QSize, Qt, pyqtBoundSignal, pyqtSignal
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

from app.ui.translation import tr
from app.ui.widgets import button, fill, plain

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
    origin: str = ""  #: words for what it was learned from
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
        self.setWindowTitle(tr("Factor library"))
        self.resize(680, 420)
        self._rows: list[LibraryRow] = []
        self._table = _table()
        self._table.setAccessibleName(tr("Factors"))
        words = "No factor yet. Open a clip and choose Personalise (P), or import a .factor.onnx file."
        self._empty = plain(words, "faint")
        self._use = self._button("Use", self.used, name="primary")
        self._rename = self._button("Rename…", self.renaming)
        tip = "Personalising again under the same name keeps the factor before: go back to it"
        self._back = self._button("Earlier one", self.rolled_back, tip)
        self._export, self._delete = (
            self._button("Export…", self.exporting),
            self._button("Delete…", self.deleting),
        )
        self._buttons = (self._use, self._rename, self._back, self._export, self._delete)
        others = button("Import…", self.importing), button("Close", self.close)
        for control in (*self._buttons, *others):
            control.setAutoDefault(False)
        row, column = QHBoxLayout(), QVBoxLayout(self)
        fill(row, *self._buttons, None, *others)
        for item in (self._empty, self._table):
            column.addWidget(item)
        column.setStretchFactor(self._table, 1)
        column.addLayout(row)
        self._table.itemSelectionChanged.connect(self._on_selected)
        self._table.doubleClicked.connect(self._use.click)

    def show_rows(self, rows: Sequence[LibraryRow]) -> None:
        """Fill the table; the selected factor stays selected."""
        chosen = self.chosen
        self._rows = list(rows)
        self._table.setRowCount(len(rows))
        for number, row in enumerate(rows):
            name = tr("{name}  (in use)").format(name=row.name) if row.in_use else row.name
            for column, text in enumerate((name, row.gain, row.made, row.model)):
                item = QTableWidgetItem(text)
                if column == 0 and row.face is not None:
                    item.setIcon(row.face)
                item.setToolTip(row.origin)
                if not row.fits:
                    tip = tr("For model: {model}; it cannot be used with the one in use")
                    item.setToolTip(tip.format(model=row.model))
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

    def _button(self, text: str, signal: pyqtBoundSignal, tip: str = "", name: str = "") -> QPushButton:
        def emit() -> None:
            if self.chosen is not None:
                signal.emit(self.chosen.name)

        return button(text, emit, tip, name)

    def _on_selected(self) -> None:
        row = self.chosen
        for control in self._buttons:
            control.setEnabled(row is not None)
        self._back.setEnabled(row is not None and row.earlier > 0)
        self._use.setEnabled(row is not None and row.fits and not row.in_use)


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
    table.setHorizontalHeaderLabels([tr(name) for name in COLUMNS])
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
