"""Virtual camera: switched on and off, and what it may show. It fails closed: no silhouette, no room."""

from __future__ import annotations

import threading
from dataclasses import replace

import numpy as np

from app.live.pipeline import Pipeline
from app.live.virtual_camera import COMMAND, TOPIC, VirtualCamera
from app.ui.layers import rendered
from app.ui.window import Window
from runtime.frames import FrameResult
from runtime.media.recorder import Picture
from runtime.output.backdrop import Backdrop, BackdropKind
from runtime.output.style import DisplayStyle, ViewMode
from runtime.system.notices import Level, Notice

BLACK = Backdrop(BackdropKind.COLOUR, (0, 0, 0))


def camera_style(style: DisplayStyle) -> DisplayStyle:
    """The style on show as a camera has it: not mirrored, and no key uncovers a room that the view hides."""
    style = replace(style, mirror=False, person=style.person if style.alone else 0)
    if style.view.hides_picture:
        style = replace(style, bare=False, split=False)
    return replace(style, behind=BLACK) if style.transparent else style


def camera_picture(parsed: FrameResult, style: DisplayStyle) -> Picture:
    """(h, w, 3) RGB as it is seen; black without a result, unless the picture alone was chosen."""
    if parsed.result is None and style.view is not ViewMode.PICTURE:
        return np.zeros_like(parsed.frame.image)
    return rendered(parsed, camera_style(style))


class VirtualCameraActions:
    """Connects Tools → Virtual camera.

    Attributes:
        camera: in use, or None.
        command: its process; tests give another one.
    """

    def __init__(self, window: Window, pipeline: Pipeline) -> None:
        self.camera: VirtualCamera | None = None
        self.command = COMMAND
        self._window, self._pipeline = window, pipeline
        window.actions_["virtual-camera"].triggered.connect(lambda on: self._start() if on else self.stop())

    def show(self, parsed: FrameResult | None) -> None:
        """Show a result, or black where the source was closed."""
        if self.camera is not None:
            self.camera.blank() if parsed is None else self.camera.offer(parsed)

    def refresh(self) -> None:
        """Check the entry while the camera is on."""
        on = self.camera is not None and self.camera.is_alive()
        self._window.actions_["virtual-camera"].setChecked(on)

    def stop(self) -> list[threading.Thread]:
        """Switch it off; its thread ends soon."""
        ending, self.camera = self.camera, None
        if ending is None:
            return []
        ending.finish()
        return [ending]

    def _start(self) -> None:
        parsed, capture = self._window.canvas.parsed, self._pipeline.capture
        if parsed is None:
            words = "Open a camera or a clip first; then it is switched on."
            self._pipeline.notices.say(Notice(words, Level.WARNING, topic=TOPIC))
            self.refresh()
            return
        rate = capture.info.rate if capture is not None and capture.info is not None else 30.0
        self.camera = VirtualCamera(
            lambda shown: camera_picture(shown, self._window.display.style),
            self._pipeline.notices, rate, command=self.command,
        )  # fmt: skip
        self.camera.start()
        self.camera.offer(parsed)
