"""Recordings: snapshots, recordings and the clipboard; what is kept is what is seen, but never mirrored."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import platformdirs
from PyQt6.QtGui import QGuiApplication

from app.batch.plan import safe
from app.live.pipeline import Pipeline
from app.settings import SettingsOwner
from app.ui.dialogs import ask_folder
from app.ui.layers import rendered, rendered_image
from app.ui.window import Window
from app.workspace import Workspace
from runtime.frames import FrameResult
from runtime.media.capture import Capture
from runtime.media.recorder import TRANSPARENT, Picture, free_name, save_snapshot
from runtime.output.style import DisplayStyle
from runtime.system.files import make_private_dir
from runtime.system.jobs import BackgroundJob, BackgroundJobs
from runtime.system.notices import Level, Notice

TOPIC = "recording"
PATIENCE_S = 5.0  # for labels at the picture's size; then those on show are kept
OTHER_FOLDER = "Choose another one: File, Choose the folder of recordings"


class Recordings:
    """Connects snapshot, record and copy."""

    def __init__(
        self,
        window: Window,
        workspace: Workspace,
        pipeline: Pipeline,
        jobs: BackgroundJobs,
        owner: SettingsOwner,
    ) -> None:
        self._window = window
        self._workspace = workspace
        self._pipeline = pipeline
        self._jobs = jobs
        self._owner = owner
        self._render: Callable[[FrameResult], Picture] | None = None  # of the recording that was asked for
        self._interrupted: Capture | None = None  # a live source that was lost while it was recorded
        actions = window.actions_
        actions["snapshot"].triggered.connect(self.snapshot)
        actions["record"].triggered.connect(lambda on: self._record(self._seen) if on else self.finish())
        actions["record-raw"].triggered.connect(lambda on: self._record(_raw) if on else self.finish())
        actions["copy-picture"].triggered.connect(self.copy)
        actions["recordings-folder"].triggered.connect(self._ask_folder)

    def folder(self) -> Path:
        """Folder of recordings and snapshots; made when it is missing.

        Raises:
            OSError: it cannot be made.
        """
        return make_private_dir(Path(self._chosen()))

    def _ask_folder(self) -> None:
        """Let the user choose where recordings and snapshots go."""
        ask_folder(self._window, "Folder of recordings and snapshots", self._chosen(), self._on_folder)

    def _chosen(self) -> str:
        return self._owner.settings.recordings or str(Path(platformdirs.user_videos_dir()) / "xfactor")

    def _on_folder(self, folder: str) -> None:
        self._owner.settings = replace(self._owner.settings, recordings=folder)
        self._say(f"Recordings and snapshots go to {folder}")

    def snapshot(self) -> None:
        """Save what is seen as a PNG, beside the live path."""
        parsed = self._window.canvas.parsed
        if parsed is None:
            return
        style, stem = self._style(), self._stem(parsed.frame.index)

        refining, until_s = self._pipeline.refined(parsed), time.monotonic() + PATIENCE_S

        def work(job: BackgroundJob) -> Path:
            while not refining.done() and time.monotonic() < until_s:
                job.progress()
                time.sleep(0.02)
            kept = refining.result() if refining.done() else parsed
            path = free_name(self.folder(), stem, ".png")
            return save_snapshot(rendered(kept, style), path)

        self._jobs.start("Saving a snapshot", work, lambda path: self._say(f"Saved {path}"), quiet=True)

    def copy(self) -> None:
        """Put what is seen on the clipboard."""
        parsed, clipboard = self._window.canvas.parsed, QGuiApplication.clipboard()
        if parsed is not None and clipboard is not None:
            clipboard.setImage(rendered_image(parsed, self._style()))
            self._say("The picture is on the clipboard.")

    def finish(self) -> None:
        """End the recording."""
        self._render = self._interrupted = None
        self._pipeline.finish_recording()
        self.refresh()

    def refresh(self) -> None:
        """Show whether a file is being written, by the file and not by what was asked."""
        recorder, capture = self._pipeline.recorder, self._pipeline.capture
        running = recorder is not None and recorder.is_alive()
        if capture is not None and (capture.failed or capture.lost):
            if running and capture.lost and self._render is not None:
                self._interrupted = capture
            self._pipeline.finish_recording()  # no more pictures will come
        elif self._interrupted is not None and self._interrupted is not capture:
            self._interrupted = None
        elif self._interrupted is not None and self._render is not None and not running:
            self._interrupted = None
            self._record(self._render)  # in a file of its own: the one before is closed
            return
        open_s = time.monotonic() - recorder.started_s if recorder is not None and recorder.open else None
        self._window.status.show_recording(open_s, recorder.dropped if recorder is not None else 0)
        self._window.transport.show_recording(on=running)
        if not running and self._interrupted is None:  # pressed again it does not go on
            for name in ("record", "record-raw"):
                self._window.actions_[name].setChecked(False)

    def _record(self, render: Callable[[FrameResult], Picture]) -> None:
        parsed = self._window.canvas.parsed
        transparent = render is not _raw and self._style().transparent
        stem = self._stem(parsed.frame.index if parsed is not None else 0)
        try:
            path = free_name(self.folder(), stem, TRANSPARENT if transparent else ".mp4")
        except OSError as e:
            words = f"{e.filename or 'the folder'}: it cannot be made ({e.strerror}). {OTHER_FOLDER}."
            self._pipeline.notices.say(Notice(words, Level.ERROR, topic=TOPIC))
            self.refresh()
            return
        capture = self._pipeline.capture
        rate = capture.info.rate if capture is not None and capture.info is not None else 30.0
        self._pipeline.record(path, render, rate)
        self._render = render
        self.refresh()

    def _seen(self, parsed: FrameResult) -> Picture:
        """Runs in the recorder's thread; the style is frozen, reading it is one step."""
        return rendered(parsed, self._style())

    def _style(self) -> DisplayStyle:
        style = self._window.display.style
        return replace(style, mirror=False, person=style.person if style.alone else 0)

    def _stem(self, frame: int) -> str:
        """Name of a file: the source, the frame that is on show, and now."""
        source = self._workspace.source
        name = safe(source.path.stem if source.path is not None else source.name) if source else "xfactor"
        return time.strftime(f"{name.replace('%', '%%')} frame {frame} %Y-%m-%d %H.%M.%S")

    def _say(self, words: str) -> None:
        self._pipeline.notices.say(Notice(words, topic=TOPIC))


def _raw(parsed: FrameResult) -> Picture:
    return parsed.frame.image
