"""Banner: what the program has to say, over the canvas, for a while; never a dialog. The list keeps it."""

from __future__ import annotations

import time
from collections import OrderedDict, deque
from collections.abc import Callable

from PyQt6.QtCore import QEvent, QObject, QSize, Qt, QTimer, pyqtSignal
from PyQt6.QtGui import QColor, QGuiApplication, QResizeEvent
from PyQt6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.ui import icons
from app.ui.theme import DARK, Shades
from app.ui.translation import tr
from app.ui.widgets import button, fill, plain
from runtime.system.notices import Level, Notice

INFO_MS = 6000  # an information leaves by itself after this
OFFER_MS = 15_000  # nor does what can be answered stay for ever
ERROR_MS = 20_000  # the list keeps it; a warning holds until it is withdrawn or answered
LASTING = {"parsing"}  # topics that whoever opened them withdraws
KEPT = 8
REMEMBERED = 200  # notices of this run
LONGEST = 600  # characters in the strip; the rest is behind Details


class Banner(QFrame):
    """Shows the newest notice over the upper edge of its parent; older ones come back when it is closed.

    Signals:
        covered: how much of the parent's upper edge is hidden, px.

    Attributes:
        past: time of day and notice of all that was shown in this run.
    """

    covered = pyqtSignal(int)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        parent.installEventFilter(self)  # the picture must not jump when a notice comes or goes
        self.setObjectName("banner")
        self._notices: OrderedDict[str, Notice] = OrderedDict()
        self.past: deque[tuple[str, Notice]] = deque(maxlen=REMEMBERED)
        self._offers: dict[str, tuple[str, Callable[[], None]]] = {}
        self._shades = DARK
        self._icon = QLabel()
        self._text = plain(wrap=True)
        self._text.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self._text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._details = QPlainTextEdit()
        self._details.setReadOnly(True)
        self._details.setAccessibleName(tr("Details"))
        self._details.setMaximumHeight(180)
        self._act = button("", self._on_act, name="primary")
        self._fold, self._copy = button("Details", self._on_fold), button("Copy", self._on_copy)
        self._close = QToolButton()
        self._close.setIconSize(QSize(16, 16))
        self._close.setToolTip(tr("Close"))
        self._close.setAccessibleName(tr("Close the notice"))
        self._close.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._close.clicked.connect(self.dismiss)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self.dismiss)
        row = QHBoxLayout()
        fill(row, self._icon, self._text, self._act, self._fold, self._copy, self._close)
        row.setStretchFactor(self._text, 1)
        fill(QVBoxLayout(self), row, self._details).setContentsMargins(12, 7, 8, 7)
        self.hide()

    @property
    def notice(self) -> Notice | None:
        """Newest notice."""
        return next(reversed(self._notices.values()), None)

    def show_notice(self, notice: Notice) -> None:
        """Add one; of one topic only the newest is kept, and empty words withdraw it."""
        topic = notice.topic or notice.text
        self._notices.pop(topic, None)
        self._offers.pop(topic, None)
        if notice.text:
            self.past.append((time.strftime("%H:%M:%S"), notice))
            self._notices[topic] = notice
            while len(self._notices) > KEPT:
                self._notices.popitem(last=False)
        self._refresh()

    def show_offer(self, notice: Notice, label: str, act: Callable[[], None]) -> None:
        """A notice with a button that does something about it."""
        self.show_notice(notice)
        self._offers[notice.topic or notice.text] = label, act
        self._refresh()

    def withdraw(self, *topics: str) -> None:
        """Take back what was said of these topics, and of theirs: `source: …` is of `source`."""
        for topic in [t for t in self._notices if t.split(":")[0] in topics]:
            self.show_notice(Notice("", topic=topic))

    def dismiss(self) -> None:
        """Close the one on show."""
        if self._notices:
            self._notices.popitem()
        self._refresh()

    def show_shades(self, shades: Shades) -> None:
        """The colours of the theme."""
        self._shades = shades
        self._close.setIcon(icons.icon("close", QColor(shades.text)))
        self._refresh()

    def _refresh(self) -> None:
        notice = self.notice
        self._timer.stop()
        self.setVisible(notice is not None)
        if notice is None:
            self._say_covered()
            return
        ink = {
            Level.INFO: self._shades.accent,
            Level.WARNING: self._shades.warning,
            Level.ERROR: self._shades.record,
        }[notice.level]
        name = "info" if notice.level is Level.INFO else "warning"
        self._icon.setPixmap(icons.pixmap(name, QColor(ink), 20))
        shown = notice.text if len(notice.text) <= LONGEST else notice.text[:LONGEST] + "…"
        self._text.setText(tr(shown))
        details = notice.details or (notice.text if shown != notice.text else "")
        self._details.setPlainText(details)
        self._details.hide()
        offer = self._offers.get(notice.topic or notice.text)
        self._act.setVisible(offer is not None)
        self._act.setText(tr(offer[0]) if offer else "")
        self._fold.setVisible(bool(details))
        self._copy.setVisible(notice.level is not Level.INFO)
        if notice.level is Level.INFO:
            self._timer.start(INFO_MS if offer is None else OFFER_MS)
        elif notice.level is Level.ERROR and notice.topic not in LASTING:
            self._timer.start(ERROR_MS)
        self._place()
        self._say_covered()

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        """Say how much is covered now."""
        super().resizeEvent(event)
        self._say_covered()

    def _say_covered(self) -> None:
        self.covered.emit(self.height() if self.notice is not None else 0)

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        """Keep the width of the parent."""
        if event is not None and event.type() == QEvent.Type.Resize:
            self._place()
        return super().eventFilter(watched, event)

    def _place(self) -> None:
        parent = self.parentWidget()
        if parent is not None and self.isVisibleTo(parent):
            width = parent.width()
            height = self.heightForWidth(width) if self.hasHeightForWidth() else self.sizeHint().height()
            self.setGeometry(0, 0, width, min(height, parent.height()))
            self.raise_()

    def _on_act(self) -> None:
        notice = self.notice
        offer = self._offers.get(notice.topic or notice.text) if notice is not None else None
        self.dismiss()
        if offer is not None:
            offer[1]()

    def _on_fold(self) -> None:
        self._details.setVisible(not self._details.isVisible())
        self._place()

    def _on_copy(self) -> None:
        notice, clipboard = self.notice, QGuiApplication.clipboard()
        if notice is not None and clipboard is not None:
            clipboard.setText("\n\n".join(t for t in (notice.text, notice.details) if t))
