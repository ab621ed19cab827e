"""Screenshots of the window for the documentation: `python -m benchmarks.screenshots OUT`."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PyQt6.QtCore import QSize, QTimer
from PyQt6.QtWidgets import QApplication, QWidget

from app.desktop import Desktop
from app.settings import Settings, SettingsFile
from app.ui.filmstrip import CELLS
from app.ui.personalize_form import PersonalizeRequest
from app.ui.style import ViewMode
from runtime.library.models import list_models
from runtime.output.backdrop import Backdrop, BackdropKind
from runtime.system import paths

SETTLE_MS = 400  # for a seek, a parse and a repaint
PATIENCE_MS = 60_000
SIZE = QSize(1280, 800)

JOB_PATIENCE_MS = 1_200_000  # a personalisation, on a busy machine
PEOPLE, OTHER = "people-s31", "factored-s31"  # shown together, side by side
FRAMES = (20, 80)  # of the sample clip, that the factor is learned from

Step = Callable[[], None]


@dataclass(frozen=True)
class Scene:
    """One picture."""

    name: str
    prepare: Step
    ready: Callable[[], bool] | None = None  #: None: when the picture is the one that was sought
    patience_ms: int = PATIENCE_MS
    subject: Callable[[], QWidget] | None = None  #: None: the window


class Photographer:
    """Takes one picture per scene, in the event loop like a user would."""

    def __init__(self, desktop: Desktop, out: Path) -> None:
        self._desktop = desktop
        self._out = out
        self._waited_ms = 0
        self._scenes = self._all()

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
        scene = next(self._scenes, None)
        if scene is None:
            self._desktop.stop()
            return
        scene.prepare()
        self._waited_ms = 0
        QTimer.singleShot(SETTLE_MS, lambda: self._take(scene))

    def _take(self, scene: Scene) -> None:
        self._waited_ms += SETTLE_MS
        ready = scene.ready or self._caught_up
        if not ready() and self._waited_ms < scene.patience_ms:
            QTimer.singleShot(SETTLE_MS, lambda: self._take(scene))
            return
        self._desktop.tick()
        QApplication.sendPostedEvents()  # new words in the status bar want another width
        subject = scene.subject() if scene.subject is not None else self._desktop.window
        subject.grab().save(str(self._out / f"{scene.name}.png"))
        self._next()

    def _caught_up(self) -> bool:
        """True when the picture shown is the one that the time line points at; it may be parsed later."""
        place, parsed = self._desktop.playing.place(), self._desktop.window.canvas.parsed
        return place is None or (parsed is not None and parsed.frame.index == place.position)

    def _all(self) -> Iterator[Scene]:
        window, display = self._desktop.window, self._desktop.window.display
        yield Scene("overlay", self._still)
        for view in (ViewMode.PARTS, ViewMode.SILHOUETTE, ViewMode.CONFIDENCE, ViewMode.SKELETON):
            yield Scene(view.value, partial(display.choose_view, view))
        yield Scene("cut-out", lambda: display.choose_behind(Backdrop(BackdropKind.BLUR)))
        split = replace(display.style, view=ViewMode.OVERLAY, split=True)
        yield Scene("before-after", lambda: display.show(split))
        display.show(replace(display.style, split=False))
        yield from self._personalising()
        yield Scene("dark", partial(window.show_theme, "dark"))
        yield from self._instances()
        yield Scene("welcome", self._desktop.close_source)

    def _instances(self) -> Iterator[Scene]:
        """People, by the model that finds them beside their parts."""
        workspace, canvas, window = self._desktop.workspace, self._desktop.window.canvas, self._desktop.window

        def parsed() -> bool:
            engine, shown = workspace.engine, canvas.parsed
            if engine is None or shown is None or engine.name != PEOPLE:
                return False
            return shown.engine_id == engine.id and self._caught_up()

        if PEOPLE in {b.name for b in list_models()}:
            yield Scene(PEOPLE, lambda: workspace.load(replace(workspace.choice, model=PEOPLE)), parsed)
            window.display.choose_view(ViewMode.INSTANCES)
            yield Scene("instances", window.actions_["next-person"].trigger)
            self._desktop.people.release()
            window.display.choose_view(ViewMode.OVERLAY)
            yield Scene("side-by-side", lambda: self._desktop.comparison.begin(OTHER), self._both)
            self._desktop.comparison.end()

    def _both(self) -> bool:
        """True when two models have parsed the picture on show."""
        shown = self._desktop.window.canvas.parsed
        return shown is not None and shown.beside is not None and self._caught_up()

    def _personalising(self) -> Iterator[Scene]:
        """A real job on some frames of the clip: what is seen is what comes out."""
        desktop, panel = self._desktop, self._desktop.window.personalise
        personalization, canvas = desktop.personalization, desktop.window.canvas
        desktop.playing.set_span(*FRAMES)
        yield Scene("personalise", personalization.show)
        wish = PersonalizeRequest("sample person", marked=True, method="tree", go_on=False)
        yield Scene(
            "personalise-running",
            lambda: personalization.start(wish),
            lambda: len(panel.progress.strip.frames) == CELLS,
            JOB_PATIENCE_MS,
        )
        yield Scene(
            "personalise-result",
            lambda: None,
            lambda: canvas.parsed is not None and canvas.parsed.beside is not None,
            JOB_PATIENCE_MS,
        )
        keep = desktop.window.actions_["keep-factor"].trigger
        yield Scene("personalise-kept", keep, lambda: personalization.decision.kept)
        yield Scene("factor-library", desktop.library.show, lambda: True, subject=desktop.library.dialog)
        desktop.library.dialog().close()
        desktop.window.actions_["undo-factor"].trigger()
        desktop.window.show_personalise(on=False)

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
        os.environ["XFACTOR_HOME"] = home  # the pictures show nothing of this user
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
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.screenshots", description="Pictures of the window."
    )
    parser.add_argument("out", type=Path, help="folder for the pictures")
    parser.add_argument("clip", type=Path, nargs="?", default=paths.sample_clip(), help="with one person")
    arguments = parser.parse_args()
    sys.exit(main(arguments.out, arguments.clip))
