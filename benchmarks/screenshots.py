"""Screenshots and short clips of the window for the documentation: `python -m benchmarks.screenshots OUT`."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PIL import Image
from PyQt6.QtCore import QSize, QTimer
from PyQt6.QtGui import QImage
from PyQt6.QtWidgets import QApplication, QDialog, QWidget

from app.desktop import Desktop
from app.settings import Settings, SettingsFile
from app.ui import translation
from app.ui.filmstrip import CELLS
from app.ui.personalize_form import PersonalizeRequest
from runtime.library.models import list_models
from runtime.output.backdrop import Backdrop, BackdropKind
from runtime.output.style import ViewMode
from runtime.system import paths

SETTLE_MS = 400  # for a seek, a parse and a repaint
PATIENCE_MS = 60_000
SIZE = QSize(1280, 800)

JOB_PATIENCE_MS = 1_200_000  # a personalisation, on a busy machine
PEOPLE, OTHER = "people-s31", "factored-s31"  # shown together, side by side
FRAMES = (20, 80)  # of the sample clip, that the factor is learned from

QUALITY, CLIP_QUALITY = 82, 60  # of WebP
CLIP_SIZE = (640, 400)

WATCHED = 60  # frames of the sample clip

Step = Callable[[], None]


@dataclass(frozen=True)
class Scene:
    """One picture; those of one name that follow each other are a clip."""

    name: str  #: empty: a step before a picture
    prepare: Step
    ready: Callable[[], bool] | None = None  #: None: when the picture is the one that was sought
    patience_ms: int = PATIENCE_MS
    subject: Callable[[], QWidget] | None = None  #: None: the window
    pace_ms: int = 1000  #: in a clip


Save = Callable[[Scene, list[Image.Image]], None]


def picture_of(widget: QWidget) -> Image.Image:
    """The widget as it is painted now, RGB."""
    shot = widget.grab().toImage().convertToFormat(QImage.Format.Format_RGB888)
    bits = shot.constBits()
    assert bits is not None
    data = bits.asstring(shot.sizeInBytes())
    return Image.frombuffer(
        "RGB", (shot.width(), shot.height()), data, "raw", "RGB", shot.bytesPerLine(), 1
    ).copy()


def save_pictures(pictures: Sequence[Image.Image], path: Path, pace_ms: int) -> None:
    """One picture as it is, several as an animated WebP of `CLIP_SIZE`."""
    if len(pictures) == 1:
        pictures[0].save(path, quality=QUALITY, method=6)
        return
    first, *rest = (p.resize(CLIP_SIZE, Image.Resampling.LANCZOS) for p in pictures)
    first.save(
        path, save_all=True, append_images=rest, duration=pace_ms, loop=0, quality=CLIP_QUALITY, method=6
    )


class Photographer:
    """Takes one picture per scene, in the event loop like a user would."""

    def __init__(self, desktop: Desktop, scenes: Iterator[Scene], save: Save) -> None:
        self._desktop = desktop
        self._save = save
        self._waited_ms = 0
        self._scenes = scenes
        self._taken: tuple[Scene, list[Image.Image]] | None = None

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
        if self._taken is not None and (scene is None or scene.name != self._taken[0].name):
            self._save(*self._taken)
            self._taken = None
        if scene is None:
            self._desktop.stop()
            return
        scene.prepare()
        self._waited_ms = 0
        QTimer.singleShot(SETTLE_MS, lambda: self._take(scene))

    def _take(self, scene: Scene) -> None:
        self._waited_ms += SETTLE_MS
        ready = scene.ready or partial(caught_up, self._desktop)
        if not ready() and self._waited_ms < scene.patience_ms:
            QTimer.singleShot(SETTLE_MS, lambda: self._take(scene))
            return
        self._desktop.tick()
        QApplication.sendPostedEvents()  # new words in the status bar want another width
        subject = scene.subject() if scene.subject is not None else self._desktop.window
        taken = self._taken[1] if self._taken is not None else []
        self._taken = (scene, [*taken, picture_of(subject)]) if scene.name else None
        self._next()


def caught_up(desktop: Desktop) -> bool:
    """True when the picture shown is the one that the time line points at, parsed by the engine in use."""
    place, parsed, engine = desktop.playing.place(), desktop.window.canvas.parsed, desktop.workspace.engine
    if place is None or parsed is None or engine is None:
        return place is None
    return parsed.frame.index == place.position and parsed.engine_id == engine.id


class Tour:
    """Scenes of the window, in the order in which a user meets them."""

    def __init__(self, desktop: Desktop, *, personalising: bool) -> None:
        self._desktop = desktop
        self._personalising = personalising

    def scenes(self) -> Iterator[Scene]:
        """All of them; what a scene needs is prepared when it is asked for."""
        window, display = self._desktop.window, self._desktop.window.display
        yield Scene("", partial(seek, self._desktop, 0.5))
        yield from self._watching()
        for view in ViewMode:
            yield Scene("views", partial(display.choose_view, view))
        yield Scene("confidence", partial(display.choose_view, ViewMode.CONFIDENCE))
        display.choose_view(ViewMode.CUT_OUT)
        yield Scene("cut-out", lambda: display.choose_behind(Backdrop(BackdropKind.BLUR)))
        yield from self._swapping()
        split = replace(display.style, view=ViewMode.OVERLAY, split=True)
        yield Scene("before-after", lambda: display.show(split))
        display.show(replace(display.style, split=False))
        yield from self._movement()
        if self._personalising:
            yield from self._learning()
        yield from self._dialogs()
        yield Scene("dark", partial(window.show_theme, "dark"))
        yield from self._instances()
        yield from self._play_list()
        yield Scene("welcome", self._desktop.close_source)

    def _dialogs(self) -> Iterator[Scene]:
        """Dialogs as they open, and the list of jobs while an export runs."""
        window, exports = self._desktop.window, self._desktop.exports

        def shown() -> list[QDialog]:
            return [d for d in window.findChildren(QDialog) if d.isVisible()]

        def ready() -> bool:
            return bool(shown()) and all(job.share for job in self._desktop.jobs.shown())

        for name in ("export", "jobs", "settings", "keys"):
            if name == "jobs" and (dialog := exports.ask()) is not None:
                dialog.export.click()
            yield Scene(name, window.actions_[name].trigger, ready, subject=lambda: shown()[0])
            shown()[0].close()
        for job in self._desktop.jobs.shown():
            job.cancel()

    def _play_list(self) -> Iterator[Scene]:
        """Its menu, of three clips."""
        folder, menu = self._desktop.recordings.folder(), self._desktop.window.actions_.menus["play-list"]
        takes = [folder / f"take {n}.mp4" for n in (1, 2, 3)]
        for take in takes:
            take.symlink_to(paths.sample_clip())
        self._desktop.play_list.open([str(t) for t in takes])
        yield Scene("play-list", lambda: None, lambda: True, subject=lambda: menu)

    def _watching(self) -> Iterator[Scene]:
        """The clip as it plays, every second frame."""
        forward = self._desktop.window.actions_["forward"]
        for _ in range(WATCHED // 2):
            forward.trigger()
            yield Scene("watch", forward.trigger, pace_ms=80)

    def _swapping(self) -> Iterator[Scene]:
        """One frame with three X factors: the network's own, who was found, and the left half of it."""
        workspace, display = self._desktop.workspace, self._desktop.window.display

        def in_place(name: str) -> bool:
            return workspace.xfactor.key == name and caught_up(self._desktop)

        display.choose_view(ViewMode.OVERLAY)
        with tempfile.TemporaryDirectory() as folder:
            half = Image.new("L", (2, 1))
            half.putpixel((0, 0), 255)
            half.resize((1280, 720), Image.Resampling.NEAREST).save(mask := Path(folder) / "left-half.png")
            yield Scene("swap", workspace.use_own)
            yield Scene("swap", workspace.use_people, partial(in_place, "people"))
            yield Scene("swap", partial(workspace.use_masks, mask), partial(in_place, "masks"))
        workspace.use_own()

    def _movement(self) -> Iterator[Scene]:
        """Speeds of the whole clip under the time line."""
        movement, action = self._desktop.movement, self._desktop.window.actions_["movement"]
        action.trigger()
        movement.measure_clip()
        yield Scene("movement", lambda: None, lambda: movement.drawn_whole, JOB_PATIENCE_MS)
        action.trigger()

    def _instances(self) -> Iterator[Scene]:
        """People, by the model that finds them beside their parts."""
        workspace, canvas, window = self._desktop.workspace, self._desktop.window.canvas, self._desktop.window

        def parsed() -> bool:
            engine, shown = workspace.engine, canvas.parsed
            if engine is None or shown is None or engine.name != PEOPLE:
                return False
            return shown.engine_id == engine.id and caught_up(self._desktop)

        if PEOPLE in {b.name for b in list_models()}:
            yield Scene("", lambda: workspace.load(replace(workspace.choice, model=PEOPLE)), parsed)
            window.display.choose_view(ViewMode.INSTANCES)
            yield Scene("instances", window.actions_["next-person"].trigger)
            self._desktop.people.release()
            window.display.choose_view(ViewMode.OVERLAY)
            yield Scene("side-by-side", partial(self._desktop.comparison.begin, OTHER), self._both)
            self._desktop.comparison.end()

    def _both(self) -> bool:
        """True when two models have parsed the picture on show."""
        shown = self._desktop.window.canvas.parsed
        return shown is not None and shown.beside is not None and caught_up(self._desktop)

    def _learning(self) -> Iterator[Scene]:
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
        desktop.window.actions_["discard-factor"].trigger()
        desktop.window.show_personalise(on=False)


def seek(desktop: Desktop, share: float) -> None:
    """Show the picture at this share of the source."""
    place = desktop.playing.place()
    if desktop.pipeline.capture is not None and place is not None:
        desktop.pipeline.capture.step(round(place.frames * share) - place.position)


def photograph(
    source: Path, scenes: Callable[[Desktop], Iterator[Scene]], save: Save, language: str = "en"
) -> None:
    """Open `source` in a window of an unknown user, and save every scene. English is for the first alone."""
    application = QApplication.instance() or QApplication(sys.argv[:1])
    assert isinstance(application, QApplication)
    application.setQuitOnLastWindowClosed(False)
    with tempfile.TemporaryDirectory() as home:
        os.environ["XFACTOR_HOME"] = home  # the pictures show nothing of this user
        settings_file = SettingsFile(Path(home) / "settings.json")
        videos = str(Path(home) / "videos")
        settings_file.save(Settings(theme="light", language=language, recordings=videos, hud=False))
        translation.install(application, language)
        desktop = Desktop(settings_file)
        desktop.ended.connect(application.quit)
        desktop.window.resize(SIZE)
        desktop.start(str(source))
        photographer = Photographer(desktop, scenes(desktop), save)  # a timer alone would not keep it alive
        QTimer.singleShot(0, photographer.begin)
        application.exec()


def main(out: Path, clip: Path, *, personalising: bool) -> int:
    """Write the pictures and clips into `out`; 1 when there was nothing to photograph."""
    out.mkdir(parents=True, exist_ok=True)
    saved: list[str] = []

    def save(scene: Scene, pictures: list[Image.Image]) -> None:
        save_pictures(pictures, out / f"{scene.name}.webp", scene.pace_ms)
        saved.append(scene.name)

    photograph(clip, lambda desktop: Tour(desktop, personalising=personalising).scenes(), save)
    photograph(clip, lambda desktop: iter([Scene("german", partial(seek, desktop, 0.5))]), save, "de")
    return 0 if saved else 1


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.screenshots", description="Pictures and short clips of the window."
    )
    parser.add_argument("out", type=Path, help="folder for the pictures")
    parser.add_argument("clip", type=Path, nargs="?", default=paths.sample_clip(), help="with one person")
    parser.add_argument("--quick", action="store_true", help="without the personalisation (minutes)")
    arguments = parser.parse_args()
    sys.exit(main(arguments.out, arguments.clip, personalising=not arguments.quick))
