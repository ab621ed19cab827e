"""Thumbnails: the strip of small pictures over the time line of a clip, read in a thread of its own."""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from app.live.pipeline import Pipeline
from app.ui.layers import picture_image
from app.ui.timeline import PLACES, STRIP_PX
from app.ui.window import Window
from app.workspace import Workspace
from runtime.media.thumbnails import thumbnails
from runtime.system.errors import Refusal
from runtime.system.jobs import BackgroundJob, BackgroundJobs

NICE: Final = 15
FINER: Final = 2  # pixels of a thumbnail for one of the strip: for dense screens


class Thumbnails:
    """Reads them once for each clip, while the strip is wanted."""

    def __init__(
        self, window: Window, workspace: Workspace, pipeline: Pipeline, jobs: BackgroundJobs
    ) -> None:
        self._window, self._workspace, self._pipeline, self._jobs = window, workspace, pipeline, jobs
        self._number, self._shown = 0, -1  # of the capture they are of; how many are on show
        self._job: BackgroundJob | None = None
        self._made: dict[int, NDArray[np.uint8]] = {}

    def refresh(self) -> None:
        """Follow the clip that is open; called ten times a second."""
        source, capture = self._workspace.source, self._pipeline.capture
        info = capture.info if capture is not None else None
        path = source.path if source is not None and source.kind == "clip" else None
        wanted = self._window.actions_["thumbnails"].isChecked() and info is not None and info.frames > 1
        number = capture.number if capture is not None and path is not None and wanted else 0
        if number != self._number:
            self._number, self._shown, self._made = number, -1, {}
            if self._job is not None:
                self._job.cancel()
            if path is not None and info is not None and number:
                self._begin(path, info.frames / info.rate)
        if len(self._made) != self._shown:
            made = dict(self._made)
            self._shown = len(made)
            images = {place: picture_image(image) for place, image in made.items()}
            self._window.transport.timeline.show_strip(images if number else None)

    def _begin(self, path: Path, length_s: float) -> None:
        made = self._made

        def work(job: BackgroundJob) -> None:
            with suppress(OSError, AttributeError):
                os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICE)
            with suppress(Refusal):  # the picture itself says what is wrong
                for place, image in thumbnails(path, length_s, PLACES, STRIP_PX * FINER):
                    job.progress()
                    made[place] = image

        self._job = self._jobs.start("Thumbnails", work, lambda _: None, quiet=True, beside=True)
