"""Movement: speed, angles and sides in the frames seen so far, drawn, marked, corrected and saved."""

from __future__ import annotations

import importlib
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from app.batch.export import export
from app.batch.options import ParseJob
from app.controllers.export import engine_options
from app.controllers.playback import PlaybackControls
from app.live.inference import Parser
from app.live.pipeline import Pipeline
from app.ui.dialogs import ask_new_file
from app.ui.menu_entries import Choice, fill
from app.ui.timeline import MARGIN_PX
from app.ui.translation import tr
from app.ui.window import Window
from app.workspace import Workspace
from models.results import Result
from runtime.engine.engine import Engine
from runtime.frames import Frame
from runtime.media.capture import Capture
from runtime.movement.corrections import load_corrections, save_corrections
from runtime.movement.history import MovementHistory, MovementTrack
from runtime.movement.measures import MEASURES, REACH_S, Numbers, curves, with_whole_head
from runtime.movement.sides import SideSwap, corrected, corrected_result, side_swaps, toggled
from runtime.movement.sightings import Landmarks, landmarks_of, sightings
from runtime.output import movement_csv
from runtime.system.disk import cannot_write
from runtime.system.errors import Refusal
from runtime.system.files import write_atomic
from runtime.system.jobs import BackgroundJob, BackgroundJobs
from runtime.system.notices import Level, Notice

if TYPE_CHECKING:
    from app.ui.movement_plot import MovementPlot

REDRAW_S: Final = 0.4  # between two drawings of the curves
GUARD_S: Final = 1.0  # between two looks at the sides
MOST_CURVES, FEWEST = 8, 5  # curves; frames: of fewer there is nothing to see
USUAL: Final = (
    "rhand",
    "lhand",
    "rfoot",
    "lfoot",
    "luhead",
)  # with every part shown; the last as the whole head
TOPIC: Final = "movement"
WORDS_MS: Final = 6000


class MovementAnalysis:
    """Connects the menu Movement, the plot and the marks of the time line with the measures of a clip.

    Attributes:
        plot: None until it is asked for: the library that draws it is loaded then.
        history: of the clip and model on show.
        corrections: where the user exchanged sides.
    """

    def __init__(
        self,
        window: Window,
        workspace: Workspace,
        pipeline: Pipeline,
        jobs: BackgroundJobs,
        playing: PlaybackControls,
    ) -> None:
        self.plot: MovementPlot | None = None
        self.history = MovementHistory(Landmarks())
        self.corrections: tuple[SideSwap, ...] = ()
        self.swaps: dict[int, list[SideSwap]] = {}
        self._window, self._workspace, self._pipeline = window, workspace, pipeline
        self._jobs, self._playing = jobs, playing
        self._measure = "speed"
        self._of = 0, 0  # capture and engine of the history
        self._whole = False  # it was measured from end to end: nothing is added
        self._capture: Capture | None = None
        self._drawn: object = None
        self._drawn_s = self._guarded_s = float("-inf")
        self._guarded = -1
        actions = window.actions_
        actions["movement"].triggered.connect(self._show)
        actions["measure-clip"].triggered.connect(self.measure_clip)
        actions["movement-table"].triggered.connect(partial(self._ask, "csv", self.save_table))
        actions["movement-picture"].triggered.connect(partial(self._ask, "png", self.save_picture))
        actions["next-swap"].triggered.connect(self._next_swap)
        actions["swap-sides"].triggered.connect(self.swap_sides)
        pipeline.review(self._review)
        self._fill()

    @property
    def drawn_whole(self) -> bool:
        """True once the plot shows a clip that was measured from end to end."""
        return self._whole and isinstance(self._drawn, tuple) and self._drawn[0] is self.history

    # -- in the inference thread

    def _review(self, frame: Frame, result: Result, engine: Parser | None) -> Result:
        """Note where everybody is, then exchange sides; live sources have no time line to mark."""
        capture = self._pipeline.capture
        info = capture.info if capture is not None else None
        if info is None or info.live or not isinstance(engine or self._pipeline.engine, Engine):
            return result
        if isinstance(engine, Engine):
            if self._of != (frame.source, engine.id):
                self._of, self._whole = (frame.source, engine.id), False
                self.history = MovementHistory(landmarks_of(engine.spec))
            if not self._whole:
                self.history.add(frame.index, frame.pts_s, sightings(result, self.history.landmarks))
        corrections = self.corrections if capture is self._capture else ()
        return corrected_result(result, frame.index, self.history.landmarks, corrections)

    # -- ten times a second

    def refresh(self) -> None:
        """Follow the clip; curves and marks are made again now and then, if there is something new."""
        place, capture, now_s = self._playing.place(), self._pipeline.capture, time.monotonic()
        if capture is not self._capture:
            self._capture, self.corrections, self.swaps = capture, (), {}
            self._load(capture)
        for name in ("measure-clip", "movement-table", "next-swap", "swap-sides"):
            self._window.actions_.refuse(name, "" if self._clip is not None else "Open a clip first")
        shown = self.plot is not None and self._window.actions_["movement"].isChecked()
        self._window.actions_.refuse("movement-picture", "" if shown else "Show the plot first (G)")
        if self.plot is not None:
            self.plot.setVisible(shown and place is not None)
        if place is None:
            return
        if self.history.version != self._guarded and now_s - self._guarded_s > GUARD_S:
            self._guarded, self._guarded_s = self.history.version, now_s
            self._guard()
        if self.plot is None or not shown:
            return
        self.plot.show_place(place.position, place.frames, place.rate)
        style = self._window.display.style
        state = (self.history, self.history.version, self._measure, style, self.corrections)
        if state != self._drawn and now_s - self._drawn_s > REDRAW_S:
            self._drawn, self._drawn_s = state, now_s
            self._draw(self.plot)

    def _guard(self) -> None:
        """Mark where sides change places, and where they were exchanged by hand."""
        swaps: dict[int, list[SideSwap]] = {}
        for person in self.history.people:
            track = self._track(person)
            for swap in side_swaps(track) if track is not None else ():
                swaps.setdefault(swap.frame, []).append(swap)
        self.swaps = swaps
        marks = {f: f"left and right {s[0].limbs} change places (W corrects it)" for f, s in swaps.items()}
        marks |= {c.frame: f"sides of {c.limbs} exchanged by hand from here" for c in self.corrections}
        self._window.transport.timeline.show_marks(marks)

    def _track(self, person: int) -> MovementTrack | None:
        track = self.history.track(person)
        return corrected(track, self.corrections) if track is not None else None

    def _draw(self, plot: MovementPlot) -> None:
        from app.ui.movement_plot import Curve  # noqa: PLC0415 - loaded when it is first shown

        people, style, measure = self.history.people, self._window.display.style, MEASURES[self._measure]
        person = style.person if style.person in people else next(iter(people), 0)
        track, landmarks = self._track(person), self.history.landmarks
        if track is None or len(track.frames) < FEWEST:
            plot.show_curves(tr("Nothing measured yet: play the clip, or measure the whole of it"), [])
            return
        parts, every, head = range(landmarks.parts), range(len(landmarks.names)), None
        chosen = [c for c in parts if style.shows(c + 1)]
        if measure.name == "angle" or not parts:
            chosen = list(every)
        elif len(chosen) == len(parts):
            chosen = [i for name in USUAL if (i := landmarks.id(name)) is not None] or chosen
            if measure.name != "symmetry":
                track, head = with_whole_head(track), landmarks.id(USUAL[-1])
        lines = [
            Curve(tr("head" if at == head else words), *broken(track, values))
            for words, (at, values) in curves(track, measure.name, chosen).items()
        ]
        whose = tr(" of person {person}").format(person=person) if person else ""
        plot.show_curves(f"{tr(measure.words)}{whose} · t (s)", lines[:MOST_CURVES], measure.unit)

    # -- what the menu asks for

    def _show(self, on: bool) -> None:  # noqa: FBT001 - a signal's payload
        self._drawn = None
        if self.plot is not None:
            self.plot.setVisible(on)
            self._window.transport.timeline.align(self.plot.left_px if on else MARGIN_PX)
        elif on:
            load = partial(importlib.import_module, "app.ui.movement_plot")
            self._jobs.start("Loading the plot", lambda _: load(), lambda _: self._make(), quiet=True)

    def _make(self) -> None:
        from app.ui.movement_plot import MovementPlot  # noqa: PLC0415 - the job before has loaded it

        if self.plot is None:  # else it was asked for again while it loaded
            timeline, self.plot = self._window.transport.timeline, MovementPlot()
            self.plot.sought.connect(self._playing.seek)
            self.plot.ranged.connect(timeline.show_range)
            timeline.ranged.connect(self.plot.show_range)
            self.plot.menu_wanted.connect(self._window.actions_.menus["movement"].popup)
            self._window.transport.add_plot(self.plot)
        self._show(on=self._window.actions_["movement"].isChecked())

    def choose(self, measure: str) -> None:
        """Draw another measure."""
        self._measure, self._drawn_s = measure, float("-inf")
        self._fill()

    def _fill(self) -> None:
        actions = self._window.actions_
        choices = [Choice(m.name, tr(m.words), m.name == self._measure) for m in MEASURES.values()]
        group = actions.group("measure")
        fill(actions.menus["measures"], choices, self.choose, group=group, before=actions["measures-end"])

    def measure_clip(self) -> None:
        """Parse the whole clip in a process of its own; what it says takes the place of what was seen."""
        clip, of, landmarks = self._clip, self._of, self.history.landmarks
        if clip is None:
            return
        try:
            options = engine_options(self._workspace, self._pipeline)
        except Refusal as e:
            self._say(str(e), Level.ERROR)
            return

        def work(job: BackgroundJob) -> MovementHistory:
            with tempfile.TemporaryDirectory(prefix="xfactor-") as folder:
                out = Path(folder) / "out"
                outcome = export(ParseJob((str(clip),), out, ("movement",), **options), job.progress)
                found = sorted(out.glob("*/movement.csv"))
                if not found:
                    raise Refusal(clip.name, "; ".join(outcome.problems) or "nothing was measured", "")
                measured = MovementHistory(landmarks)
                with found[0].open(encoding="utf-8") as lines:
                    for frame, (time_s, people) in movement_csv.read(lines, landmarks).items():
                        measured.add(frame, time_s, people)
                        job.progress(1.0)
                return measured

        def done(measured: MovementHistory) -> None:
            if of == self._of:
                self._whole, self.history, self._guarded = True, measured, -1
                self._say(f"Measured {clip.name}: {measured.frames} frames")
            else:
                words = f"{clip.name} was measured, but clip, model or X factor changed: measure it again"
                self._say(words, Level.WARNING)

        self._jobs.start(f"Measuring {clip.name}", work, done, beside=True)

    def swap_sides(self) -> None:
        """Exchange left and right from the frame on show: of the limbs marked there, else of all."""
        place, capture = self._playing.place(), self._pipeline.capture
        parsed = self._window.canvas.parsed
        clip = self._clip
        if clip is None or place is None or parsed is None or capture is not self._capture:
            return
        frame = parsed.frame.index
        here = [c for c in self.corrections if c.frame == frame]
        marked = self.swaps.get(frame) or [SideSwap(frame, "arms"), SideSwap(frame, "legs")]
        self.corrections = toggled(self.corrections, here or marked)
        self._guarded = -1
        self._pipeline.show_again()
        corrections = self.corrections
        self._jobs.start(
            "Keeping corrections", lambda _: save_corrections(clip, corrections), lambda _: None, quiet=True
        )
        limbs = " and ".join(sorted({s.limbs for s in here or marked}))
        words = "as the model says" if here else "exchanged"
        self._window.status.showMessage(f"Left and right {limbs} {words} from frame {frame} on", WORDS_MS)

    def _next_swap(self) -> None:
        place = self._playing.place()
        later = sorted(f for f in self.swaps if place is not None and f > place.position)
        if later or self.swaps:
            self._playing.seek(later[0] if later else min(self.swaps))
        else:
            words = f"No swap of left and right in the {self.history.frames} frames seen so far"
            self._window.status.showMessage(words, WORDS_MS)

    @property
    def _clip(self) -> Path | None:
        """File of the clip that is open."""
        source = self._workspace.source
        return (
            source.path.absolute() if source is not None and source.path and source.kind == "clip" else None
        )

    def _load(self, capture: Capture | None) -> None:
        path = self._clip
        if capture is None or path is None:
            return

        def done(found: tuple[SideSwap, ...]) -> None:
            if capture is self._capture and found:
                self.corrections, self._guarded = found, -1
                self._pipeline.show_again()

        self._jobs.start("Reading corrections", lambda _: load_corrections(path), done, quiet=True)

    # -- files

    def _ask(self, suffix: str, save: Callable[[str], None]) -> None:
        name = f"{self._clip.stem if self._clip else 'clip'} movement.{suffix}"
        filters = "CSV (*.csv)" if suffix == "csv" else "PNG, SVG (*.png *.svg)"
        ask_new_file(self._window, name, name, filters, save)

    def save_table(self, path: str) -> None:
        """Write everything measured so far as CSV."""
        history, corrections = self.history, self.corrections
        self._save(path, lambda: "".join(movement_csv.table(history, corrections)).encode())

    def save_picture(self, path: str) -> None:
        """Write the plot as it is, SVG by its suffix, else PNG."""
        if self.plot is not None:
            data = self.plot.picture(svg=path.lower().endswith(".svg"))
            self._save(path if Path(path).suffix else f"{path}.png", lambda: data)

    def _save(self, path: str, content: Callable[[], bytes]) -> None:
        def work(_: BackgroundJob) -> None:
            try:
                write_atomic(Path(path), content(), mode=None)
            except OSError as e:
                raise cannot_write(Path(path), e) from e

        self._jobs.start("Saving movement", work, lambda _: self._say(f"Saved {path}"), quiet=True)

    def _say(self, words: str, level: Level = Level.INFO) -> None:
        self._pipeline.notices.say(Notice(words, level, topic=TOPIC))


def broken(track: MovementTrack, values: Numbers) -> tuple[np.ndarray, Numbers]:
    """Frames and values with a NaN where nothing was seen for a while, so that no line bridges it."""
    gaps = np.flatnonzero(np.diff(track.times_s) > REACH_S) + 1
    return np.insert(track.frames, gaps, track.frames[gaps]), np.insert(values, gaps, np.nan)
