"""Shortcuts dialog: every action with its keys, searched, changed and reset; never modal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtGui import QKeySequence
from PyQt6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QHBoxLayout,
    QHeaderView,
    QKeySequenceEdit,
    QLineEdit,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from app.ui.translation import tr
from app.ui.widgets import button, fill, plain

COLUMNS = ("Menu", "Action", "Key")
CHOOSE = "Choose an action, click the field and press the new key."
FIXED = "This is done with the mouse and cannot be changed."


@dataclass(frozen=True)
class ShortcutRow:
    """One action."""

    name: str  #: empty: done with the mouse
    menu: str
    words: str
    keys: tuple[str, ...]  #: as Qt writes them in files
    own: bool = False  #: they are not the ones it comes with

    @property
    def shown(self) -> str:
        """The keys as this desktop writes them."""
        native = QKeySequence.SequenceFormat.NativeText
        return ", ".join(QKeySequence(k).toString(native) if self.name else k for k in self.keys)


class ShortcutsDialog(QDialog):
    """The dialog.

    Signals:
        assigned: name of an action and its new key; an empty one takes its keys away.
        reset_one: name of the action that gets its first keys back.
        reset_all: every action does.
    """

    assigned = pyqtSignal(str, str)
    reset_one = pyqtSignal(str)
    reset_all = pyqtSignal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("Keyboard shortcuts"))
        self.resize(640, 620)
        self._rows: list[ShortcutRow] = []
        self._search = QLineEdit()
        self._search.setPlaceholderText(tr("Search words or a key"))
        self._search.setClearButtonEnabled(True)
        self._table = _table()
        for control, name in ((self._search, "Search"), (self._table, "Shortcuts")):
            control.setAccessibleName(tr(name))
        self._title = plain(CHOOSE, wrap=True)
        self._edit = QKeySequenceEdit()
        self._edit.setAccessibleName(tr("New key"))
        self._edit.setMaximumSequenceLength(1)
        self._set = button("Set", self._on_set, name="primary")
        self._none = button("No key", lambda: self.assigned.emit(self.chosen, ""))
        self._first = button("Reset", lambda: self.reset_one.emit(self.chosen), "The key it comes with")
        self._all = button("Reset all", self.reset_all.emit)
        self._conflict = plain(wrap=True, name="problem")
        column, edit, ends = QVBoxLayout(self), QHBoxLayout(), QHBoxLayout()
        fill(edit, self._edit, self._set, self._none, self._first).setStretchFactor(self._edit, 1)
        fill(ends, self._all, None, button("Close", self.close))
        for item in (self._search, self._table, self._title):
            column.addWidget(item)
        column.addLayout(edit)
        column.addWidget(self._conflict)
        column.addLayout(ends)
        self._search.textChanged.connect(self._filter)
        self._table.itemSelectionChanged.connect(self._on_selected)
        self._edit.keySequenceChanged.connect(self._show_conflict)
        self._on_selected()

    def show_rows(self, rows: Sequence[ShortcutRow]) -> None:
        """Fill the table; the selected action stays selected."""
        chosen, self._rows = self.chosen, list(rows)
        self._table.setRowCount(len(rows))
        for y, row in enumerate(rows):
            for x, text in enumerate((row.menu, row.words, row.shown)):
                item = QTableWidgetItem(text)
                font = item.font()
                font.setBold(row.own and x == COLUMNS.index("Key"))
                item.setFont(font)
                item.setToolTip(tr("Changed by you") if font.bold() else "")
                if not row.name:
                    item.setForeground(self.palette().placeholderText())
                self._table.setItem(y, x, item)
            if row.name and row.name == chosen:
                self._table.selectRow(y)
        self._all.setEnabled(any(row.own for row in rows))
        self._filter(self._search.text())
        self._on_selected()

    @property
    def chosen(self) -> str:
        """Name of the selected action; empty without one."""
        row = self._row()
        return row.name if row is not None else ""

    def choose(self, name: str) -> None:
        """Select an action."""
        for y, row in enumerate(self._rows):
            if row.name == name:
                self._table.selectRow(y)

    def _row(self) -> ShortcutRow | None:
        y = self._table.currentRow()
        selected = self._table.selectedItems() and 0 <= y < len(self._rows)
        return self._rows[y] if selected else None

    def _filter(self, text: str) -> None:
        wanted = text.casefold().split()
        for y, row in enumerate(self._rows):
            words = f"{row.menu} {row.words} {row.shown}".casefold()
            self._table.setRowHidden(y, not all(w in words for w in wanted))

    def _on_selected(self) -> None:
        row = self._row()
        named = row is not None and bool(row.name)
        words = tr("Key of “{action}”") if named else tr(FIXED if row else CHOOSE)
        self._title.setText(words.format(action=row.words if row else ""))
        self._edit.clear()
        self._edit.setEnabled(named)
        self._none.setEnabled(bool(row and named and row.keys))
        self._first.setEnabled(bool(row and row.own))
        self._show_conflict()

    def _show_conflict(self) -> None:
        """Before a key is taken, say from which action."""
        key = self._key()
        owner = next((r for r in self._rows if r.name and r.name != self.chosen and key in r.keys), None)
        words = tr("{menu} → {action} has this key now; it will have none.") if owner else ""
        if owner:
            words = words.format(menu=owner.menu, action=owner.words)
        self._conflict.setText(tr(RESERVED.get(key, words)))
        self._set.setText(tr("Take it" if owner else "Set"))
        self._set.setEnabled(bool(key) and key not in RESERVED and bool(self.chosen))

    def _key(self) -> str:
        return self._edit.keySequence().toString(QKeySequence.SequenceFormat.PortableText)

    def _on_set(self) -> None:
        self.assigned.emit(self.chosen, self._key())


#: Keys that other things need everywhere.
RESERVED = {
    "Esc": "Escape leaves what you are in: full screen, the brush, a chosen person.",
    "Tab": "Tab goes from one control to the next.",
    "Shift+Tab": "Shift+Tab goes back to the control before.",
    "Return": "Return presses the button that has the focus.",
    "Enter": "Enter presses the button that has the focus.",
}


def _table() -> QTableWidget:
    table = QTableWidget(0, len(COLUMNS))
    table.setHorizontalHeaderLabels([tr(name) for name in COLUMNS])
    table.setEditTriggers(QTableWidget.EditTrigger.NoEditTriggers)
    table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
    table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
    table.setTabKeyNavigation(False)  # the keyboard must be able to leave the table
    table.setShowGrid(False)
    vertical, horizontal = table.verticalHeader(), table.horizontalHeader()
    if vertical is not None and horizontal is not None:
        vertical.hide()
        horizontal.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft)
        horizontal.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        horizontal.setSectionResizeMode(1, QHeaderView.ResizeMode.Stretch)
    return table
