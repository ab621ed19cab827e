"""Transport: the buttons under the picture; a file gets a player, a camera gets record and mirror."""

from __future__ import annotations

from PyQt6.QtCore import QSize, Qt, pyqtSignal
from PyQt6.QtGui import QAction, QActionGroup, QColor
from PyQt6.QtWidgets import QFrame, QHBoxLayout, QMenu, QToolButton, QVBoxLayout, QWidget

from app.ui import icons
from app.ui.timeline import Timeline, TimelinePosition, timecode
from app.ui.translation import tr
from app.ui.widgets import fill, plain

SPEEDS = (0.1, 0.25, 0.5, 1.0, 1.5, 2.0, 4.0)
PLAYER = ("start", "back", "play", "forward", "end", "loop")
LIVE = ("mirror",)
BOTH = ("snapshot", "record")


class Transport(QFrame):
    """Time line and buttons.

    Signals:
        speed_chosen: play this many times as fast.
    """

    speed_chosen = pyqtSignal(float)

    def __init__(self, actions: dict[str, QAction], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("transport")
        self.timeline = Timeline()
        self._buttons: dict[str, QToolButton] = {}
        self._ink = QColor("#e8eaec")
        self._record = QColor("#e5484d")
        self._playing = False
        self._place = TimelinePosition()
        for name in (*PLAYER, *LIVE, *BOTH):
            button = QToolButton()
            button.setDefaultAction(actions[name])
            button.setIconSize(QSize(22, 22))
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            self._buttons[name] = button
        self._actions = actions
        self._time = plain(name="timecode")
        self._speed = self._speed_button()
        self._lay_out()
        self.show_kind(live=False, still=True)

    def show_kind(self, *, live: bool, still: bool) -> None:
        """Only the buttons that do something for this source."""
        for name in PLAYER:
            self._buttons[name].setVisible(not live and not still)
        for name in LIVE:
            self._buttons[name].setVisible(live)
        for widget in (self.timeline, self._time, self._speed):
            widget.setVisible(not live and not still)

    def show_place(self, place: TimelinePosition) -> None:
        """Show the position in the file."""
        if place == self._place:
            return
        self._place = place
        self.timeline.show_place(place)
        end = max(0, place.frames - 1)
        frames = tr("frame {number} · {count} frames").format(number=place.position, count=place.frames)
        self._time.setText(f"{timecode(place.position, place.rate)} / {timecode(end, place.rate)}   {frames}")

    def add_plot(self, plot: QWidget) -> None:
        """Put a plot under the time line."""
        self._plots.addWidget(plot)

    def show_playing(self, *, on: bool) -> None:
        """Show whether the play button offers to pause."""
        if on != self._playing:
            self._playing = on
            self._actions["play"].setIcon(icons.icon("pause" if on else "play", self._ink))

    def show_speed(self, speed: float) -> None:
        """Show the playback speed."""
        self._speed.setText(f"{speed:g}×")
        for action in self._speeds.actions():
            action.setChecked(action.data() == speed)

    def show_recording(self, *, on: bool) -> None:
        """Show whether the record button offers to stop."""
        self._actions["record"].setIcon(icons.icon("stop" if on else "record", self._record))

    def show_colours(self, ink: QColor, accent: QColor, record: QColor) -> None:
        """The colours of the theme."""
        self._ink, self._record = ink, record
        for name in (*PLAYER, *LIVE, *BOTH):
            self._actions[name].setIcon(icons.icon(name, ink, accent))
        self._actions["play"].setIcon(icons.icon("pause" if self._playing else "play", ink))
        self._actions["record"].setIcon(icons.icon("record", record))

    def _lay_out(self) -> None:
        row, buttons = QHBoxLayout(), self._buttons
        player = (buttons[name] for name in PLAYER)
        others = (buttons[name] for name in (*LIVE, *BOTH))
        fill(row, *player, self._speed, self._time, None, *others, spacing=2)
        row.setContentsMargins(8, 0, 8, 4)
        self._plots = QVBoxLayout()
        fill(QVBoxLayout(self), self.timeline, self._plots, row, spacing=0).setContentsMargins(0, 4, 0, 0)

    def _speed_button(self) -> QToolButton:
        button = QToolButton()
        button.setText("1×")
        button.setToolTip(tr("Speed"))
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        menu = QMenu(button)
        self._speeds = QActionGroup(menu)
        for speed in SPEEDS:
            action = QAction(f"{speed:g}×", self._speeds)
            action.setData(speed)
            action.setCheckable(True)
            action.triggered.connect(lambda _checked=False, s=speed: self.speed_chosen.emit(s))
            menu.addAction(action)
        button.setMenu(menu)
        return button
