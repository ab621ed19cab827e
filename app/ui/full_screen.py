"""Full screen: the picture alone; the transport comes over it for as long as the mouse moves."""

from __future__ import annotations

from PyQt6.QtCore import QObject, Qt, QTimer
from PyQt6.QtWidgets import QVBoxLayout, QWidget

from app.ui.banner import Banner
from runtime.system.notices import Notice

AWAKE_MS = 2500
TOPIC = "full screen"


class FullScreen(QObject):
    """Takes the transport out of its column, and puts it back at the end."""

    def __init__(self, stage: QWidget, column: QVBoxLayout, transport: QWidget, banner: Banner) -> None:
        super().__init__(stage)
        self._stage, self._column, self._transport, self._banner = stage, column, transport, banner
        self._on = self._wanted = False
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._sleep)

    def begin(self) -> None:
        """Leave the picture alone."""
        self._on, self._wanted = True, self._transport.isVisibleTo(self._transport.parentWidget())
        self._column.removeWidget(self._transport)
        self._transport.setParent(self._stage)
        self._transport.setAutoFillBackground(True)
        self._banner.show_notice(
            Notice("Full screen. Esc leaves it, the mouse brings the player.", topic=TOPIC)
        )
        self._sleep()

    def end(self) -> None:
        """Everything in its place."""
        self._on = False
        self._timer.stop()
        self._column.addWidget(self._transport)
        self._transport.setVisible(self._wanted)
        self._stage.unsetCursor()
        self._banner.withdraw(TOPIC)

    def wake(self) -> None:
        """The mouse moves over the picture."""
        if self._on:
            self._stage.unsetCursor()
            height = self._transport.sizeHint().height()
            self._transport.setGeometry(0, self._stage.height() - height, self._stage.width(), height)
            self._transport.setVisible(self._wanted)
            self._transport.raise_()
            self._timer.start(AWAKE_MS)

    def _sleep(self) -> None:
        if self._transport.underMouse() and self._transport.isVisible():
            self._timer.start(AWAKE_MS)
        else:
            self._transport.hide()
            self._stage.setCursor(Qt.CursorShape.BlankCursor)
