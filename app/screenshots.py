"""Screenshots of the window for the documentation, without a display: `python -m app.screenshots OUT`."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PyQt6.QtCore import QSize, QTimer
from PyQt6.QtWidgets import QApplication

from app import paths
from app.desktop import Desktop
from app.settings import Settings, SettingsFile
from app.ui.look import Backdrop, Behind, View

SETTLE_MS = 400  # for a seek, a parse and a repaint
PATIENCE_MS = 60_000
SIZE = QSize(1280, 800)

Step = Callable[[], None]


class Photographer:
    """Takes one picture per step, in the event loop like a user would."""

    def __init__(self, desktop: Desktop, out: Path) -> None:
        self._desktop = desktop
        self._out = out
        self._waited_ms = 0
        self._steps = self._scenes()

    def begin(self) -> None:
        """Wait for the first parsed picture, then go through the scenes."""
        parsed = self._desktop.window.canvas.parsed
        self._waited_ms += SETTLE_MS
        if self._waited_ms > PATIENCE_MS:
            self._desktop.stop()
        elif parsed is None or parsed.parsing is None:
            QTimer.singleShot(SETTLE_MS, self.begin)
        else:
            self._next()

    def _next(self) -> None:
        scene = next(self._steps, None)
        if scene is None:
            self._desktop.stop()
            return
        name, prepare = scene
        prepare()
        self._waited_ms = 0
        QTimer.singleShot(SETTLE_MS, lambda: self._take(name))

    def _take(self, name: str) -> None:
        self._waited_ms += SETTLE_MS
        if self._behind() and self._waited_ms < PATIENCE_MS:  # a busy machine parses later than it seeks
            QTimer.singleShot(SETTLE_MS, lambda: self._take(name))
            return
        self._desktop.tick()
        self._desktop.window.grab().save(str(self._out / f"{name}.png"))
        self._next()

    def _behind(self) -> bool:
        """Whether the picture shown is not yet the one that the time line points at."""
        place, parsed = self._desktop.playing.place(), self._desktop.window.canvas.parsed
        return place is not None and (parsed is None or parsed.frame.index != place.position)

    def _scenes(self) -> Iterator[tuple[str, Step]]:
        window, viewing = self._desktop.window, self._desktop.window.viewing
        yield "overlay", self._still
        for view in (View.PARTS, View.SILHOUETTE, View.CONFIDENCE, View.SKELETON):
            yield view.value, partial(viewing.choose_view, view)
        yield "cut-out", lambda: viewing.choose_behind(Behind(Backdrop.BLUR))
        yield "before-after", lambda: viewing.show(replace(viewing.look, view=View.OVERLAY, split=True))
        viewing.show(replace(viewing.look, split=False))
        yield "dark", partial(window.show_theme, "dark")
        yield "welcome", self._desktop.close_source

    def _still(self) -> None:
        place = self._desktop.playing.place()
        if self._desktop.pipeline.capture is not None and place is not None:
            self._desktop.pipeline.capture.step(place.frames // 2 - place.position)


def main(out: Path, clip: Path) -> int:
    """Write the pictures into `out`; 1 when there was nothing to photograph."""
    out.mkdir(parents=True, exist_ok=True)
    application = QApplication(sys.argv[:1])
    application.setQuitOnLastWindowClosed(False)
    with tempfile.TemporaryDirectory() as home:
        settings_file = SettingsFile(Path(home) / "settings.json")
        settings_file.save(Settings(theme="light", hud=False))
        desktop = Desktop(settings_file)
        desktop.ended.connect(application.quit)
        desktop.window.resize(SIZE)
        desktop.start(str(clip))
        photographer = Photographer(desktop, out)  # a timer alone would not keep it alive
        QTimer.singleShot(0, photographer.begin)
        application.exec()
    return 0 if list(out.glob("*.png")) else 1


if __name__ == "__main__":
    arguments = [Path(a) for a in sys.argv[1:3]]
    if not arguments:
        sys.exit("usage: python -m app.screenshots OUT [CLIP]")
    sys.exit(main(arguments[0], arguments[1] if len(arguments) > 1 else paths.sample_clip()))
