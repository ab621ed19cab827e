"""Legend: every part, or person, with its colour and an eye; a double-click shows one, or a group, alone."""

from __future__ import annotations

from PyQt6.QtCore import QSize, Qt, pyqtSignal
from PyQt6.QtGui import QColor, QIcon, QKeyEvent, QPainter, QPixmap
from PyQt6.QtWidgets import QHeaderView, QTreeWidget, QTreeWidgetItem, QWidget

from app.ui import icons
from app.ui.translation import tr
from models.labels import S31, PartSet
from runtime.output.palettes import colours, person_colour
from runtime.output.style import DisplayStyle

PART = Qt.ItemDataRole.UserRole
NAME, EYE = 0, 1


class Legend(QTreeWidget):
    """Groups of parts; in the view of instances the people.

    Signals:
        eyed: the eyes of these part ids, or people's numbers, were clicked: True opens, False closes.
        soloed: this part or person was double-clicked.
        isolated: a group with these parts or people was double-clicked.
        flashed: this part or person was clicked.
    """

    eyed = pyqtSignal(list, bool)
    soloed = pyqtSignal(int)
    isolated = pyqtSignal(list)
    flashed = pyqtSignal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._parts: PartSet = S31
        self._people: tuple[int, ...] = ()
        self._style = DisplayStyle()
        self._ink = QColor("#e8eaec")
        self._rows: dict[int, QTreeWidgetItem] = {}
        self.setAccessibleName(tr("Parts and people"))
        self.setColumnCount(2)
        self.setHeaderHidden(True)
        self.setIndentation(10)
        self.setIconSize(QSize(16, 16))
        self.setRootIsDecorated(True)
        self.setUniformRowHeights(True)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # keys belong to the player
        self.setSelectionMode(QTreeWidget.SelectionMode.NoSelection)
        self.setToolTip(
            tr("Click a name: where it is. Click an eye: hide it. Double-click a name or a group: it alone.")
        )
        header = self.header()
        if header is not None:
            header.setStretchLastSection(False)
            header.setSectionResizeMode(NAME, QHeaderView.ResizeMode.Stretch)
            header.setSectionResizeMode(EYE, QHeaderView.ResizeMode.Fixed)
            header.resizeSection(EYE, 34)
        self.setExpandsOnDoubleClick(False)
        self.itemClicked.connect(self._on_clicked)
        self.itemDoubleClicked.connect(self._on_double_clicked)
        self._fill()

    def show_parts(self, parts: PartSet) -> None:
        """The parts of another model."""
        if parts != self._parts:
            self._parts = parts
            self._fill()

    def show_people(self, numbers: tuple[int, ...]) -> None:
        """The people there are now."""
        if numbers != self._people:
            self._people = numbers
            if self._style.lists_people:
                self._fill()

    def show_style(self, style: DisplayStyle) -> None:
        """Colours, eyes and solo as they are now; people in the view that paints them."""
        before, self._style = self._style, style
        if style.lists_people != before.lists_people:
            self._fill()
        else:
            self._paint_rows()

    @property
    def listed(self) -> set[int]:
        """Every part, or person, that has a row."""
        return set(self._rows)

    def show_ink(self, ink: QColor) -> None:
        """The colour of the theme's text, for the eyes."""
        self._ink = ink
        self._paint_rows()

    def _fill(self) -> None:
        self.clear()
        self._rows = {}
        people = self._style.lists_people
        for title, members in [("People", self._people)] if people else self._parts.headings():
            top = QTreeWidgetItem([tr(title), ""])
            font = top.font(NAME)
            font.setBold(True)
            top.setFont(NAME, font)
            self.addTopLevelItem(top)
            for part in members:
                name = tr("Person {number}").format(number=part) if people else self._parts.label(part)
                row = QTreeWidgetItem([tr(_without_side(name, title)), ""])
                row.setData(NAME, PART, part)
                row.setToolTip(NAME, tr(name))
                top.addChild(row)
                self._rows[part] = row
            top.setExpanded(True)
        self._paint_rows()

    def _paint_rows(self) -> None:
        table = colours(self._parts, colour_blind=self._style.colour_blind)
        people, style = self._style.lists_people, self._style
        seen = QIcon(icons.pixmap("eye", self._ink))
        faint = QColor(self._ink)
        faint.setAlphaF(0.4)
        unseen = QIcon(icons.pixmap("eye-off", faint))
        for part, row in self._rows.items():
            shown = style.shows_row(part)
            rgb = person_colour(part, colour_blind=style.colour_blind) if people else map(int, table[part])
            row.setIcon(NAME, swatch(QColor(*rgb), shown=shown))
            row.setIcon(EYE, seen if shown else unseen)
            row.setForeground(NAME, self._ink if shown else faint)
            font = row.font(NAME)
            font.setBold((style.person if people else style.solo) == part)
            row.setFont(NAME, font)
        for index in range(self.topLevelItemCount()):
            top = self.topLevelItem(index)
            if top is not None:
                any_shown = any(style.shows_row(p) for p in _members(top))
                top.setIcon(EYE, seen if any_shown else unseen)

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        """Space is a click on the eye, Return a double click on the name."""
        item, key = self.currentItem(), event.key() if event is not None else None
        if item is not None and key == Qt.Key.Key_Space:
            self._on_clicked(item, EYE)
        elif item is not None and key in {Qt.Key.Key_Return, Qt.Key.Key_Enter}:
            self._on_double_clicked(item, NAME)
        else:
            super().keyPressEvent(event)

    def _on_clicked(self, item: QTreeWidgetItem, column: int) -> None:
        if column != EYE:
            part = item.data(NAME, PART)
            if part is not None:
                self.flashed.emit(int(part))
            return
        members = _members(item)
        shown = any(self._style.shows_row(p) for p in members)
        self.eyed.emit(members, not shown)

    def _on_double_clicked(self, item: QTreeWidgetItem, column: int) -> None:
        part = item.data(NAME, PART)
        if column == NAME and part is not None:
            self.soloed.emit(int(part))
        elif column == NAME:
            self.isolated.emit(_members(item))


def _members(item: QTreeWidgetItem) -> list[int]:
    """Part ids of a row, or of all rows of a group."""
    part = item.data(NAME, PART)
    if part is not None:
        return [int(part)]
    rows = [item.child(i) for i in range(item.childCount())]
    return [int(r.data(NAME, PART)) for r in rows if r is not None]


def _without_side(name: str, group: str) -> str:
    """Under the heading `Right arm` a row need not say `right` again."""
    side = group.split(maxsplit=1)[0].lower()
    short = name.removeprefix(f"{side} ") if side in {"right", "left"} else name
    return short.capitalize()


def swatch(colour: QColor, *, shown: bool) -> QIcon:
    """A rounded square of a colour, faint for what is not shown."""
    image = QPixmap(32, 32)
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setOpacity(1.0 if shown else 0.3)
    painter.setBrush(colour)
    painter.setPen(QColor(127, 127, 127, 220))
    painter.drawRoundedRect(3, 3, 26, 26, 7, 7)
    painter.end()
    image.setDevicePixelRatio(2)
    return QIcon(image)
