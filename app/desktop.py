"""The composition root of the window: build, connect, stop. What it wires is decided elsewhere."""

from __future__ import annotations

import logging
import time
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Final

from app.controllers import window_state
from runtime.engine import onnx  # before Qt: on some systems the other order cannot load its libraries
from runtime.system import paths

# isort: split
from PyQt6.QtCore import QObject, QTimer, pyqtSignal
from PyQt6.QtWidgets import QApplication

from app.controllers.export import ExportActions
from app.controllers.factor_library import LibraryActions
from app.controllers.help import HelpActions
from app.controllers.jobs import JobOverview
from app.controllers.links import LinkOpening
from app.controllers.live_sources import LiveSources
from app.controllers.menus import RuntimeMenus, first_choice
from app.controllers.model_comparison import ModelComparison
from app.controllers.movement import MovementAnalysis
from app.controllers.numbers import FrameNumbers
from app.controllers.people import PeopleActions
from app.controllers.personalization import Personalization
from app.controllers.play_list import PlayList
from app.controllers.playback import PlaybackControls
from app.controllers.recording import Recordings
from app.controllers.settings import SettingsEditing
from app.controllers.shortcuts import ShortcutEditing
from app.controllers.silhouette_options import SilhouetteOptions
from app.controllers.thumbnails import Thumbnails
from app.controllers.unfinished import offer_unfinished
from app.controllers.virtual_camera import VirtualCameraActions
from app.live.listing import Listing
from app.live.model_choice import EngineLoader
from app.live.pipeline import Pipeline
from app.settings import Settings, SettingsFile
from app.ui.dialogs import MEDIA, ask_files, ask_folder
from app.ui.window import Window
from app.workspace import Workspace
from models.labels import S31
from personalize.client.job_folders import jobs_dir
from runtime.media.capture import TOPIC as SOURCE
from runtime.media.capture import Capture
from runtime.media.sources import SCREEN
from runtime.system.errors import Refusal
from runtime.system.jobs import BackgroundJobs
from runtime.system.notices import Level, Notice

TICK_MS: Final = 100  # time line, numbers and jobs; the picture does not wait for it
SWAP_WORDS_MS: Final = 4000
STOP_S: Final = 2.0  # for all threads together: the program is gone within three seconds

log = logging.getLogger("xfactor.desktop")


class Notification(QObject):
    """Qt signal that threads send when there is something new for the window; no payload, no queue."""

    sent = pyqtSignal()  #: there is something to pull

    def send(self) -> None:
        """From any thread."""
        with suppress(RuntimeError):  # a thread may outlive the window
            self.sent.emit()


class Desktop(QObject):
    """Everything that lives while the window is open.

    Signals:
        ended: everything has ended; nothing is left but to leave the event loop.

    Attributes:
        stuck: names of threads that did not end in time; then the process leaves without them.
    """

    ended = pyqtSignal()

    def __init__(self, settings_file: SettingsFile, *, loader: EngineLoader | None = None) -> None:
        super().__init__()
        self.settings_file = settings_file
        self.settings: Settings = settings_file.load()
        self.stuck: list[str] = []
        self.notification = Notification()
        self.pipeline = Pipeline(self.notification.send)
        self.jobs = BackgroundJobs(self.notification.send)
        self.workspace = Workspace(self.pipeline, self.jobs, *([loader] if loader else []))
        self.listing = Listing(self.jobs)
        self.window = Window()
        basis = (self.window, self.workspace, self.pipeline, self.jobs)
        self.playing = PlaybackControls(self.window, self.pipeline)
        self.recordings = Recordings(self.window, self.workspace, self.pipeline, self.jobs, self)
        self.exports = ExportActions(*basis, self.recordings.folder, self)
        self.camera = VirtualCameraActions(self.window, self.pipeline)
        self.menus = RuntimeMenus(self.window, self.workspace, self.listing, self.open, self.refuse)
        self.live_sources = LiveSources(self.window, self.workspace, self.open, self.refuse, self.change)
        self.play_list = PlayList(self.window, self.workspace, self.pipeline, self.open)
        self.comparison = ModelComparison(*basis, self.listing, *([loader] if loader else []))
        self.people = PeopleActions(self.window)
        self.movement = MovementAnalysis(*basis, self.playing)
        self.thumbnails, self.numbers = Thumbnails(*basis), FrameNumbers(*basis[:2])
        self.silhouettes = SilhouetteOptions(*basis[:3])
        self.links = LinkOpening(self.window, self.jobs, self.open, self.refuse)
        self.help = HelpActions(self.window, self.jobs, self.recordings.folder, onnx.ort.__version__)
        self.overview = JobOverview(self.window, self.jobs)
        self.personalization = Personalization(*basis, self.overview, self.open, self.notification.send)
        self.shortcuts = ShortcutEditing(self.window, self.change)
        places = (self.window, self.workspace, self.settings_file, self.menus)
        self.settings_editing = SettingsEditing(*places, self.current, self.change, self.restore)
        self.library = LibraryActions(self.window, self.workspace, self.jobs, self.listing, self.refuse)
        self.settings_writing = window_state.SettingsWriting(self.settings_file, self.jobs)
        self._timer, self._xfactor = QTimer(self), self.workspace.xfactor
        self._shown, self._stopping = 0, False  # number of the capture whose picture is on show
        self._dropped: Capture | None = None  # of a source that was dropped: it may be personalised on
        self._connect()
        self.restore(self.settings)
        self.settings_writing.refresh(self.current)  # what differs from here on is written
        self.window.show_welcome(on=True)

    def _connect(self) -> None:
        """The whole wiring, one line a fact."""
        window, actions = self.window, self.window.actions_
        # threads → window
        self.notification.sent.connect(self.refresh)  # queued: it is emitted in other threads
        self._timer.timeout.connect(self.tick)
        self.workspace.on_changed = self._on_engine
        self.workspace.on_link = self.links.open
        window.sources_dropped.connect(self._on_dropped)
        window.welcome.recent_chosen.connect(self.play_list.open_one)
        window.welcome.example_wanted.connect(self.open_example)
        window.welcome.camera_wanted.connect(self.live_sources.ask_camera)
        window.welcome.opened.connect(actions["open"].trigger)
        actions["open"].triggered.connect(
            lambda: ask_files(window, "Open", self.settings.folder, MEDIA, self.play_list.open)
        )
        actions["open-folder"].triggered.connect(
            lambda: ask_folder(window, "Open a folder", self.settings.folder, self.play_list.open_one)
        )
        actions["example"].triggered.connect(self.open_example)
        actions["close"].triggered.connect(self.close_source)
        # how it is shown
        actions["smoothing"].triggered.connect(partial(setattr, self.pipeline, "smooth"))
        actions["hud"].triggered.connect(self.tick)
        actions["mirror"].triggered.connect(self.tick)
        window.theme_chosen.connect(self._on_theme)
        # the end
        leave = partial(self.exports.before_quitting, self.stop)
        actions["quit"].triggered.connect(leave)
        window.closing.connect(leave)

    def restore(self, settings: Settings) -> None:
        """Make the window as settings say."""
        self.settings = settings
        window_state.restore(settings, self.window, self.workspace)
        self.shortcuts.restore(settings)
        self.pipeline.smooth = settings.smoothing
        self.menus.fill_recent(settings.recent)
        self.live_sources.restore(settings)

    # -- life

    def start(self, source: str | None = None) -> None:
        """Show the window, load the model beside it, and open a source if one was given."""
        self.pipeline.start()
        self.window.show()
        self._timer.start(TICK_MS)
        for words in self.settings_file.notices:
            self._say(words, Level.WARNING, "settings")
        self.listing.refresh()
        self.exports.resume()
        offer_unfinished(self.window.banner, self.personalization)
        settings = self.settings
        choice = first_choice(settings.model, settings.device, settings.network_size)
        self.workspace.load(choice, settings.factor)
        if source is not None:
            self.play_list.open_one(source)

    def stop(self) -> None:
        """End everything, in order, by a deadline; idempotent."""
        if self._stopping:
            return
        self._stopping = True
        while (popup := QApplication.activePopupWidget()) is not None and popup.close():
            pass  # an open menu may run an event loop of its own
        until_s = time.monotonic() + STOP_S
        self._timer.stop()
        # first: an undecided factor is not what the next run starts with
        personalization = self.personalization.stop()
        self.comparison.end()
        window_state.save(self.settings_file, self.current())
        self.links.stop()
        self.exports.stop()
        camera = self.camera.stop()
        worker = self.jobs.stop()
        self.stuck = self.pipeline.stop(STOP_S)
        for thread in (worker, *personalization, *camera):
            thread.join(max(0.0, until_s - time.monotonic()))
            self.stuck += [thread.name] if thread.is_alive() else []
        self.window.hide()
        QTimer.singleShot(0, self.ended.emit)  # after the slots that are already queued

    # -- sources

    def open(self, text: str) -> None:
        """Open a camera, file, folder or link; what is on show stays until the first picture is there."""
        self.window.banner.withdraw(SOURCE, "plate", "brush")  # they were of the source before
        if not self._stopping and self.workspace.open(text, self.playing.for_new_source()) is not None:
            window_state.show_metrics(self.window, self.workspace, self.pipeline, self.links.title)

    def _on_dropped(self, texts: list[str]) -> None:
        self.play_list.open(texts)
        self._dropped = self.pipeline.opening

    def open_example(self) -> None:
        """The clip that comes with the program."""
        self.open(str(paths.sample_clip()))

    def close_source(self) -> None:
        """Back to the welcome page; a camera goes off."""
        self.workspace.close()
        self.camera.show(None)
        self.window.show_welcome(on=True)
        self.window.setWindowTitle("xfactor")

    # -- pulled from the threads

    def refresh(self) -> None:
        """Take the newest result, the notices and the results of jobs."""
        if self._stopping:
            return
        self._follow_source()
        parsed, capture = self.pipeline.parsed.take(0), self.pipeline.capture
        if parsed is not None and capture is not None and parsed.frame.source == capture.number:
            self.window.canvas.show_parsed(parsed)
            self.camera.show(parsed)
            if capture.number != self._shown:
                self._shown = capture.number
                self._on_first_picture()
        self.personalization.refresh()
        for notice in self.pipeline.notices.drain():
            self.window.banner.show_notice(notice)
        if self.overview.collect():
            self.menus.refresh()

    def _follow_source(self) -> None:
        if self.workspace.follow_source():
            self.playing.begin()

    def _on_first_picture(self) -> None:
        """The source really delivers: only now is it named, and does it join the recent ones."""
        source = self.workspace.source
        if source is None:
            return
        self.window.show_welcome(on=False)
        self.window.canvas.fit()
        opened = source.address
        known = self.links.remembered(opened)
        name = self.links.title(opened) or source.name
        self.window.status.show_source(name + self.play_list.place)
        self.window.status.show_under("")
        self.window.setWindowTitle(f"{name} — xfactor")
        if not self._is_ours(opened):
            folder = str(Path(known).parent) if Path(known).exists() else self.settings.folder
            recent = self.settings.with_recent(known)
            self.settings = replace(self.settings, recent=recent, folder=folder)
        self.menus.fill_recent(self.settings.recent)
        if self._dropped is self.pipeline.capture or known != opened:
            self.personalization.offer()
        self._dropped = None
        self.tick()

    @staticmethod
    def _is_ours(opened: str) -> bool:
        """The example, a screen, or a recording that goes with its job: none is worth remembering."""
        return (
            opened.startswith(SCREEN)
            or opened == str(paths.sample_clip())
            or Path(opened).is_relative_to(jobs_dir())
        )

    def tick(self) -> None:
        """Refresh what changes with time: position, numbers, jobs, cameras, recordings."""
        if self._stopping:
            return
        window, pipeline = self.window, self.pipeline
        self._follow_source()
        self.workspace.watch()
        capture = pipeline.capture
        if capture is not None and capture.failed and capture.number != self._shown:
            self.close_source()  # a camera was switched off for this one: the banner says why
        info = capture.info if capture is not None else None
        if info is not None:
            window.show_live(live=info.live, still=info.still)
            window.actions_["mirror"].setEnabled(info.camera)
            window.display.mirror(on=info.camera and window.actions_["mirror"].isChecked())
        self.playing.refresh()
        self.play_list.refresh()
        self.settings_writing.refresh(self.current)
        window_state.show_hidden(window, self.workspace)
        pipeline.rest(window.canvas.parsed)
        followers = (self.recordings, self.exports, self.camera, self.movement, self.comparison)
        for follower in (*followers, self.thumbnails, self.numbers, self.silhouettes, self.personalization):
            follower.refresh()
        window.status.show_camera(on=pipeline.camera_on)
        window_state.show_metrics(window, self.workspace, pipeline, self.links.title)
        self.overview.refresh()

    def current(self) -> Settings:
        """The settings as the window stands now."""
        return window_state.current(self.settings, self.window, self.workspace)

    def change(self, **values: Any) -> None:  # noqa: ANN401 - as dataclasses.replace
        """Settings that the user changed: they are written at once."""
        self.settings = replace(self.settings, **values)
        window_state.save(self.settings_file, self.current())

    # -- small answers

    def refuse(self, refusal: Refusal) -> None:
        """Tell a refusal."""
        self._say(str(refusal), Level.ERROR, SOURCE)

    def _say(self, words: str, level: Level = Level.INFO, topic: str = "", details: str = "") -> None:
        self.window.banner.show_notice(Notice(words, level, details, topic))

    def _on_engine(self) -> None:
        workspace, before = self.workspace, self._xfactor
        engine, now = workspace.engine, workspace.xfactor
        self._xfactor = now
        self.window.controls.show_parts(engine.part_set if engine is not None else S31)
        self.menus.refresh()
        self.library.refresh()
        if workspace.previous is not None and now.key != before.key and now.source is not before.source:
            words = f"X factor: {now.name}, swapped in {workspace.swap_ms:.2f} ms"
            self.window.status.showMessage(words, SWAP_WORDS_MS)

    def _on_theme(self, theme: str) -> None:
        self.settings = replace(self.settings, theme=theme)
        self.window.show_theme(theme)
