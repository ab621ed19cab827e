"""Camera clip: ten seconds of the camera at its own rate, as a file in the job folder."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Final

from runtime.frames import Frame, FrameResult
from runtime.media.capture import Capture
from runtime.media.recorder import Picture, Recorder
from runtime.system.notices import Level, Notices

SECONDS: Final = 10.0
FILE: Final = "camera.mp4"
FEWEST: Final = 5  # pictures; less is no clip


class Recording:
    """Takes every frame that leaves the camera: the live path drops some, and propagation needs small motion.

    Attributes:
        path: of the clip, complete when `ended`.
    """

    def __init__(self, capture: Capture, path: Path) -> None:
        self.path = path
        self._capture = capture
        self._notices = Notices(lambda: None)  # only what goes wrong is told, by who made this
        self._recorder = Recorder(path, _picture, self._notices, capture.info.rate if capture.info else 30.0)
        self._first_s: float | None = None
        self._now_s = 0.0

    def start(self) -> None:
        """From the next frame on."""
        self._recorder.start()
        self._capture.tap = self._offer

    def finish(self) -> None:
        """End it now; what there is becomes the clip."""
        if self._capture.tap == self._offer:
            self._capture.tap = None
        self._recorder.finish()

    @property
    def fraction(self) -> float:
        """Share of the recording that is done, 0..1."""
        return 0.0 if self._first_s is None else min(1.0, (self._now_s - self._first_s) / SECONDS)

    @property
    def left_s(self) -> float:
        """Seconds to go."""
        return (1 - self.fraction) * SECONDS

    @property
    def ended(self) -> bool:
        """True when the file is closed; a camera that went away ends it too."""
        if not self._capture.is_alive():
            self.finish()
        return not self._recorder.is_alive()

    @property
    def thread(self) -> threading.Thread:
        """Thread that writes the file."""
        return self._recorder

    @property
    def problem(self) -> str:
        """Why the clip cannot be used; empty when it can."""
        told = [n.text for n in self._notices.drain() if n.level is Level.ERROR]
        if told:
            return told[0]
        if self._recorder.written < FEWEST:
            return "The camera sent too few pictures. Check it, then try again."
        return ""

    def _offer(self, frame: Frame) -> None:
        """Runs in the capture thread."""
        if self._first_s is None:
            self._first_s = frame.captured_s
        self._now_s = frame.captured_s
        if self._now_s - self._first_s >= SECONDS:
            self.finish()
        else:
            self._recorder.offer(FrameResult(frame, None, 0, 0.0))


def _picture(parsed: FrameResult) -> Picture:
    return parsed.frame.image
