"""Window: lays out the widgets, takes what is dropped and shows the theme. It knows no thread."""

from __future__ import annotations

import base64
from collections.abc import Callable

from PyQt6.QtCore import QByteArray, QEvent, QSize, Qt, pyqtSignal
from PyQt6.QtGui import (
    QCloseEvent,
    QColor,
    QDragEnterEvent,
    QDragLeaveEvent,
    QDropEvent,
    QGuiApplication,
    QIcon,
    QKeyEvent,
    QKeySequence,
    QPalette,
)
from PyQt6.QtWidgets import (
    QApplication,
    QDockWidget,
    QSizePolicy,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from app.ui import icons, theme
from app.ui.banner import Banner
from app.ui.brush_bar import BrushBar
from app.ui.canvas import Canvas
from app.ui.drop_data import DropHint, all_dropped, dropped, is_model
from app.ui.full_screen import FullScreen
from app.ui.job_list import JobList
from app.ui.keyboard import KeyboardWindow
from app.ui.menu_entries import Choice, fill
from app.ui.people_bar import PeopleBar
from app.ui.personalize_panel import WIDTH as PANEL_WIDTH
from app.ui.personalize_panel import PersonalizePanel
from app.ui.side_tabs import SideTabs
from app.ui.source_bar import SourceBar
from app.ui.status_bar import StatusBar
from app.ui.style_panel import WIDTH as CONTROLS_WIDTH
from app.ui.style_panel import StylePanel
from app.ui.style_state import StyleState
from app.ui.translation import tr
from app.ui.transport import Transport
from app.ui.welcome import Welcome
from app.ui.widgets import fill as lay_out
from app.ui.window_actions import Actions
from runtime.frames import FrameResult

UseClick = Callable[[FrameResult, float, float], object]  # what is on show, and x, y in picture pixels
WORDS_MS = 8000  # for which the status bar asks for a click
#: Actions that mean nothing on the welcome page.
OF_A_PICTURE = (*("snapshot", "record", "record-raw", "copy-picture", "close", "zoom-in", "zoom-out", "fit"),)
THEMES = {"auto": "As the desktop", "light": "Light", "dark": "Dark"}


class Window(KeyboardWindow):
    """The main window.

    Signals:
        sources_dropped: paths or a link were dropped.
        model_dropped: the path of an .onnx file was dropped.
        closing: the user wants the program to end.
        theme_chosen: `auto`, `light` or `dark`.
        escaped: Escape was pressed.
        picking_changed: a click in the picture is awaited, or no more.
        page_changed: the welcome page has made room for the picture, or the other way round.
    """

    sources_dropped = pyqtSignal(list)
    model_dropped = pyqtSignal(str)
    closing = pyqtSignal()
    theme_chosen = pyqtSignal(str)
    escaped = pyqtSignal()
    picking_changed = pyqtSignal()

    def __init__(self) -> None:
        super().__init__()
        self.setWindowTitle("xfactor")
        self.setAcceptDrops(True)
        bar = self.menuBar()
        assert bar is not None
        self.actions_ = Actions(self, bar)
        self.canvas = Canvas()
        self.welcome = Welcome()
        self._stack = QStackedWidget()
        self.page_changed = self._stack.currentChanged
        self.banner = Banner(self._stack)
        self._hint = DropHint(self._stack)
        self.activity = JobList()
        self.controls = StylePanel()
        self.personalise = PersonalizePanel()
        self.brush_bar, self.source_bar = BrushBar(), SourceBar()
        self.people_bar = PeopleBar(self.actions_)
        self._side = QStackedWidget()
        self._width = PANEL_WIDTH  # of the page that is not on show
        self.transport = Transport(self.actions_.by_name)
        self.status = StatusBar(self.actions_.menus)
        self.display = StyleState(self.actions_, self.controls, self.canvas, self)
        self._theme = "auto"
        self._use_click: UseClick | None = None
        self._kind: tuple[bool, bool] | None = None  # live, still
        self._panel = QDockWidget(tr("Parts and view"))
        self._lay_out()
        self._connect()
        self.resize(1180, 760)

    # -- what is shown

    def show_welcome(self, *, on: bool) -> None:
        """The welcome page, or the picture."""
        self.home = self.welcome if on else self.canvas
        self._stack.setCurrentWidget(self.home)
        self.transport.setVisible(not on)
        if on:
            self.canvas.clear()
            self.stop_picking()
            self.status.show_source("")
            self.status.show_under("")
            self.status.show_metrics(None)
            self.show_live(live=False, still=True)
        self.home.setFocus()
        for name in OF_A_PICTURE:
            self.actions_[name].setEnabled(not on)

    def ask_click(self, words: str, use: UseClick) -> None:
        """Let the next click in the picture say where; whoever asked before asks no more."""
        self._use_click = use
        self.canvas.pick(on=True)
        self.status.showMessage(tr(words), WORDS_MS)
        self.picking_changed.emit()

    def asks_for(self, use: UseClick) -> bool:
        """True while the next click in the picture goes there."""
        return self._use_click == use

    def stop_picking(self) -> None:
        """No click in the picture is awaited any more, and nothing asks for one."""
        self._use_click = None
        self.canvas.pick(on=False)
        self.status.clearMessage()
        self.picking_changed.emit()

    def _on_picked(self, x: float, y: float) -> None:
        parsed, use = self.canvas.parsed, self._use_click
        self.stop_picking()
        if parsed is not None and use is not None:
            use(parsed, x, y)

    def show_personalise(self, *, on: bool) -> None:
        """The Personalise panel, or parts and view, on the right."""
        page, other = (self.personalise, self.controls) if on else (self.controls, self.personalise)
        if self._side.currentWidget() is not page:
            width, self._width = self._width, self._panel.width()
            page.setMinimumWidth(PANEL_WIDTH if on else CONTROLS_WIDTH)
            other.setMinimumWidth(0)  # a hidden page must not make the other one wider
            other.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Expanding)
            page.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Expanding)
            self._side.setCurrentWidget(page)
            self.resizeDocks([self._panel], [width], Qt.Orientation.Horizontal)
        self.actions_["personalise"].setChecked(on)
        if on and not self.isFullScreen():
            self.actions_["panel"].setChecked(True)
            self._panel.show()

    def show_theme(self, name: str) -> None:
        """Wear a theme: `auto`, `light` or `dark`."""
        self._theme = name
        application = QApplication.instance()
        if not isinstance(application, QApplication):
            return
        shade = theme.apply(application, name)
        ink, accent, record = QColor(shade.text), QColor(shade.accent), QColor(shade.record)
        self.canvas.stage = QColor(theme.DARK.stage)  # a light border would dazzle beside a picture
        self.banner.show_shades(shade)
        self.controls.show_ink(ink)
        self.transport.show_colours(ink, accent, record)
        palette = self.welcome.palette()
        palette.setColor(QPalette.ColorRole.Window, QColor(shade.stage))
        self.welcome.setPalette(palette)
        self.welcome.setAutoFillBackground(True)
        self.welcome.show_colours(ink, accent, QColor(shade.line))
        self.setWindowIcon(QIcon(icons.pixmap("example", accent, 64)))
        self.canvas.update()
        themes = [Choice(key, text, checked=key == name) for key, text in THEMES.items()]
        group = self.actions_.group("theme")
        fill(self.actions_.menus["theme"], themes, self.theme_chosen.emit, group=group)

    def show_live(self, *, live: bool, still: bool) -> None:
        """The controls that this kind of source has."""
        if self._kind == (live, still):
            return
        self._kind = live, still
        self.transport.show_kind(live=live, still=still)
        names = ("play", "back", "forward", "back-ten", "forward-ten", "start", "end", "go-to", "loop")
        for name in (*names, "mark-in", "mark-out", "mark-clear", "slower", "faster"):
            self.actions_[name].setEnabled(not live and not still)
        self.actions_["mirror"].setEnabled(live)

    # -- geometry, as the settings file keeps it

    def geometry_text(self) -> str:
        """Position and size of the window."""
        return base64.b64encode(self.saveGeometry().data()).decode("ascii")

    def layout_text(self) -> str:
        """Layout of docks and tool bars, as text."""
        return base64.b64encode(self.saveState().data()).decode("ascii")

    def restore_texts(self, geometry: str, layout: str) -> None:
        """As it was last time; nonsense and places off the screen are ignored."""
        for text, restore in ((geometry, self.restoreGeometry), (layout, self.restoreState)):
            try:
                restore(QByteArray(base64.b64decode(text, validate=True)))
            except ValueError:
                continue
        screen = QGuiApplication.screenAt(self.frameGeometry().center())
        if screen is None or self.width() < self.minimumSizeHint().width():
            self.resize(QSize(1180, 760))
            primary = QGuiApplication.primaryScreen()
            if primary is not None:
                self.move(primary.availableGeometry().topLeft())
        self.actions_["panel"].setChecked(not self._panel.isHidden())

    # -- events

    def dragEnterEvent(self, event: QDragEnterEvent | None) -> None:
        """Accept what can be opened, and say what a drop would do."""
        if event is not None and (text := dropped(event.mimeData())):
            event.acceptProposedAction()
            self._hint.show_for(text, self._stack.rect())

    def dragLeaveEvent(self, event: QDragLeaveEvent | None) -> None:
        """Nothing will be dropped."""
        del event
        self._hint.hide()

    def dropEvent(self, event: QDropEvent | None) -> None:
        """Open it."""
        self._hint.hide()
        texts = all_dropped(event.mimeData()) if event is not None else []
        if event is not None and texts:
            event.acceptProposedAction()
            if is_model(texts[0]):
                self.model_dropped.emit(texts[0])
            else:
                self.sources_dropped.emit(texts)

    def event(self, event: QEvent | None) -> bool:
        """While the brush paints, the key of Undo is its own."""
        if event is not None and event.type() == QEvent.Type.ShortcutOverride and self._undoes(event):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        """Escape leaves the field that is typed in, a click or brush, a person, full screen, a notice."""
        if event is not None and event.key() == Qt.Key.Key_Escape:
            asked = self._use_click is not None or self.brush_bar.isVisible()
            self.stop_picking()
            self.hand_back()
            if self.brush_bar.isVisible():
                self.brush_bar.closed.emit()
            if self.display.style.person:
                self.escaped.emit()
            elif self.isFullScreen():
                self.actions_["full-screen"].trigger()
            elif not asked:
                self.banner.dismiss()
        elif (
            event is not None and self.brush_bar.isVisible() and event.matches(QKeySequence.StandardKey.Undo)
        ):
            self.brush_bar.undone.emit()
        else:
            if event is not None and (why := self.actions_.refusal(QKeySequence(event.keyCombination()))):
                self.status.showMessage(why, WORDS_MS)
            super().keyPressEvent(event)

    def _undoes(self, event: QEvent | None) -> bool:
        undo = QKeySequence.StandardKey.Undo
        return self.brush_bar.isVisible() and isinstance(event, QKeyEvent) and event.matches(undo)

    def closeEvent(self, event: QCloseEvent | None) -> None:
        """The window is closed: the program ends in order, which hides it."""
        self.closing.emit()
        if event is not None:
            event.setAccepted(not self.isVisible())

    # -- construction

    def _lay_out(self) -> None:
        self._stack.addWidget(self.canvas)
        self._stack.addWidget(self.welcome)
        middle = QWidget()
        column = QVBoxLayout(middle)
        bars = (self.people_bar, self.source_bar, self.brush_bar, self.activity, self.transport)
        lay_out(column, self._stack, *bars, spacing=0)
        column.setStretchFactor(self._stack, 1)
        self.full_screen = FullScreen(self._stack, column, self.transport, self.banner)
        self.setCentralWidget(middle)
        self._panel.setObjectName("panel-dock")
        self._panel.setTitleBarWidget(SideTabs(self.actions_["personalise"]))
        for page in (self.controls, self.personalise):
            self._side.addWidget(page)
        self.personalise.setMinimumWidth(0)
        self.personalise.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Expanding)
        self._panel.setWidget(self._side)
        self.addDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, self._panel)
        self.setStatusBar(self.status)

    def _connect(self) -> None:
        actions = self.actions_
        self.canvas.pointed.connect(self.status.show_under)
        self.canvas.picked.connect(self._on_picked)
        actions["panel"].setChecked(True)
        actions["panel"].triggered.connect(self._panel.setVisible)
        actions["zoom-in"].triggered.connect(lambda: self.canvas.zoom(1))
        actions["zoom-out"].triggered.connect(lambda: self.canvas.zoom(-1))
        actions["fit"].triggered.connect(self.canvas.fit)
        actions["full-screen"].triggered.connect(self._on_full_screen)
        self.canvas.pointed.connect(self.full_screen.wake)
        self.personalise.setup.wished.connect(self.canvas.setFocus)
        self.banner.covered.connect(self.canvas.show_covered)
        hints = QGuiApplication.styleHints()
        if hints is not None:
            hints.colorSchemeChanged.connect(self._on_scheme)

    def _on_scheme(self) -> None:
        if self._theme == "auto":
            self.show_theme("auto")

    def _on_full_screen(self, on: bool) -> None:  # noqa: FBT001 a signal's payload
        """Only the picture, until F, F11 or Escape."""
        for widget in (self.menuBar(), self.status):
            if widget is not None:
                widget.setVisible(not on)
        self._panel.setVisible(not on and self.actions_["panel"].isChecked())
        if on:
            self.showFullScreen()
            self.full_screen.begin()
        else:
            self.full_screen.end()
            self.showNormal()
