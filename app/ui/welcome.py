"""Welcome: what the empty canvas offers."""

from __future__ import annotations

from PyQt6.QtCore import QRectF, QSize, Qt, pyqtSignal
from PyQt6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PyQt6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from app.ui import icons
from app.ui.menu_entries import short_names
from app.ui.widgets import button, clear, fill, heading, plain

RECENT_SHOWN = 5


class Welcome(QWidget):
    """Drop a video, choose a camera, or open the example.

    Signals:
        opened: the user wants to choose a file.
        camera_wanted: the user wants to choose a camera.
        example_wanted: the user wants to see the example clip.
        recent_chosen: this source again.
    """

    opened = pyqtSignal()
    camera_wanted = pyqtSignal()
    example_wanted = pyqtSignal()
    recent_chosen = pyqtSignal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)  # as the canvas, whose place it takes
        self._icon = QLabel()
        self._icon.setAlignment(Qt.AlignmentFlag.AlignCenter)
        title = plain("Drop a video here")
        font = title.font()
        font.setPointSizeF(font.pointSizeF() * 1.8)
        font.setBold(True)
        title.setFont(font)
        title.setAlignment(Qt.AlignmentFlag.AlignCenter)
        words = plain("or an image, a folder of images, a YouTube link, a model or a factor", "faint")
        words.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._buttons = {
            "folder": button("Open a file…", self.opened),
            "webcam": button("Choose a camera…", self.camera_wanted),
            "example": button("Open the example", self.example_wanted),
        }
        row, self._recent, column = QHBoxLayout(), QVBoxLayout(), QVBoxLayout(self)
        fill(row, None, *self._buttons.values(), None, spacing=10)
        for control in self._buttons.values():
            control.setMinimumHeight(38)
        fill(self._recent, spacing=2)
        fill(column, None, self._icon, 6, title, words, 20, row, 26, self._recent, None)
        column.setStretch(0, 3)
        column.setStretch(column.count() - 1, 4)
        self._line = QColor("#34383d")

    def show_colours(self, ink: QColor, accent: QColor, line: QColor) -> None:
        """The colours of the theme."""
        self._line = line
        self._icon.setPixmap(icons.pixmap("drop", accent, 56))
        for name, control in self._buttons.items():
            control.setIcon(icons.icon(name, ink))
            control.setIconSize(QSize(20, 20))
        self.update()

    def show_recent(self, sources: tuple[str, ...]) -> None:
        """The sources opened last."""
        clear(self._recent)
        if not sources:
            return
        title = heading("RECENT")
        title.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._recent.addWidget(title)
        for source, name in zip(sources, short_names(sources[:RECENT_SHOWN]), strict=False):
            # An ampersand in a file name is no mnemonic.
            entry = button(name.replace("&", "&&"), lambda _on=False, s=source: self.recent_chosen.emit(s))
            entry.setFlat(True)
            entry.setStyleSheet("border: none; padding: 3px; background: transparent;")
            entry.setCursor(Qt.CursorShape.PointingHandCursor)
            self._recent.addWidget(entry, 0, Qt.AlignmentFlag.AlignCenter)

    def paintEvent(self, event: QPaintEvent | None) -> None:
        """A dashed frame: something may be dropped here."""
        del event
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(self._line, 2, Qt.PenStyle.DashLine))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(24, 24, -24, -24), 14, 14)
