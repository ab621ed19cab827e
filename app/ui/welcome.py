"""Welcome: what the empty canvas offers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import PurePath

from PyQt6.QtCore import QRectF, QSize, Qt, pyqtSignal
from PyQt6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PyQt6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from app.ui import icons
from app.ui.style_panel import heading, plain

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
        self._icon = QLabel()
        self._icon.setAlignment(Qt.AlignmentFlag.AlignCenter)
        title = plain("Drop a video here")
        font = title.font()
        font.setPointSizeF(font.pointSizeF() * 1.8)
        font.setBold(True)
        title.setFont(font)
        title.setAlignment(Qt.AlignmentFlag.AlignCenter)
        words = plain("or an image, a folder of images, a YouTube link, a model or a factor")
        words.setObjectName("faint")
        words.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._buttons = {
            "folder": self._button("Open a file…", self.opened.emit),
            "webcam": self._button("Choose a camera…", self.camera_wanted.emit),
            "example": self._button("Open the example", self.example_wanted.emit),
        }
        row = QHBoxLayout()
        row.setSpacing(10)
        row.addStretch(1)
        for button in self._buttons.values():
            row.addWidget(button)
        row.addStretch(1)
        self._recent = QVBoxLayout()
        self._recent.setSpacing(2)
        column = QVBoxLayout(self)
        column.addStretch(3)
        column.addWidget(self._icon)
        column.addSpacing(6)
        column.addWidget(title)
        column.addWidget(words)
        column.addSpacing(20)
        column.addLayout(row)
        column.addSpacing(26)
        column.addLayout(self._recent)
        column.addStretch(4)
        self._accent = QColor("#4c9ffe")
        self._line = QColor("#34383d")

    def show_colours(self, ink: QColor, accent: QColor, line: QColor) -> None:
        """The colours of the theme."""
        self._accent, self._line = accent, line
        self._icon.setPixmap(icons.pixmap("drop", accent, 56))
        for name, button in self._buttons.items():
            button.setIcon(icons.icon(name, ink))
            button.setIconSize(QSize(20, 20))
        self.update()

    def show_recent(self, sources: tuple[str, ...]) -> None:
        """The sources opened last."""
        while self._recent.count():
            item = self._recent.takeAt(0)
            widget = item.widget() if item is not None else None
            if widget is not None:
                widget.deleteLater()
        if not sources:
            return
        title = heading("RECENT")
        title.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._recent.addWidget(title)
        for source in sources[:RECENT_SHOWN]:
            # An ampersand in a file name is no mnemonic.
            button = QPushButton((PurePath(source).name or source).replace("&", "&&"))
            button.setFlat(True)
            button.setStyleSheet("border: none; padding: 3px; background: transparent;")
            button.setCursor(Qt.CursorShape.PointingHandCursor)
            button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            button.clicked.connect(lambda _checked=False, s=source: self.recent_chosen.emit(s))
            self._recent.addWidget(button, 0, Qt.AlignmentFlag.AlignCenter)

    def paintEvent(self, event: QPaintEvent | None) -> None:
        """A dashed frame: something may be dropped here."""
        del event
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(self._line, 2, Qt.PenStyle.DashLine))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(24, 24, -24, -24), 14, 14)

    def _button(self, text: str, act: Callable[[], None]) -> QPushButton:
        button = QPushButton(text)
        button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        button.setMinimumHeight(38)
        button.clicked.connect(act)
        return button
