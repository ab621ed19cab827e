"""Brush strokes over the picture: a silhouette of their own, or corrections of a propagated one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from app.live.pipeline import Pipeline
from app.ui.layers import mask_image
from app.ui.window import Window
from app.workspace import Workspace
from personalize.job import Correction
from runtime.frames import FrameResult
from runtime.output.style import DisplayStyle
from runtime.silhouettes.grabcut import Brush, Stroke
from runtime.system.notices import Level, Notice

Mask = NDArray[np.uint8]
TOPIC = "brush"


class BrushStrokes:
    """Connects the canvas' brush and the bar below it with whoever takes the strokes.

    Two uses, one at a time: the X factor `brush`, which counts at once on the frame it was painted on, and
    corrections of a personalisation, which are collected over several frames and then applied.
    """

    def __init__(self, window: Window, workspace: Workspace, pipeline: Pipeline) -> None:
        self._window, self._workspace, self._pipeline = window, workspace, pipeline
        self._brush: Brush | None = None
        self._painted: list[Stroke] = []  # on the frame of the X factor
        self._corrections: list[Correction] = []
        self._masks: Callable[[int], Mask | None] | None = None
        self._style: DisplayStyle | None = None  # before the corrections
        self._on_applied: Callable[[tuple[Correction, ...]], None] = lambda _: None
        bar, canvas = window.brush_bar, window.canvas
        canvas.stroked.connect(self._on_stroke)
        bar.person_chosen.connect(self._on_person)
        bar.resized.connect(self._on_resized)
        bar.undone.connect(lambda: self._keep(-1))
        bar.cleared.connect(lambda: self._keep(0))
        bar.applied.connect(self._apply)
        bar.closed.connect(self.end)
        window.actions_["brush"].triggered.connect(self.use_brush)

    @property
    def correcting(self) -> bool:
        """True while strokes are corrections."""
        return self._masks is not None

    def use_brush(self) -> None:
        """Put a brush into the X factor's place; the picture pauses, for strokes belong to one frame."""
        capture = self._pipeline.capture
        live = capture is not None and capture.info is not None and capture.info.live
        brush = None if live or self._window.canvas.parsed is None else self._workspace.use_brush()
        if brush is None or capture is None:
            words = "Open a clip or a picture first: the brush paints on one frame."
            self._window.banner.show_notice(Notice(words, Level.WARNING, topic=TOPIC))
            self._workspace.on_changed()  # what was in use stays checked
            return
        self.end()
        capture.play(replace(capture.playback, playing=False))
        self._brush, self._painted = brush, []
        self._begin("Paint the person; the right button paints the background.")

    def correct(
        self,
        masks: Callable[[int], Mask | None],
        corrections: tuple[Correction, ...],
        on_applied: Callable[[tuple[Correction, ...]], None],
    ) -> None:
        """Paint over the propagated silhouettes of several frames, then apply."""
        self.end()
        self._masks, self._corrections, self._on_applied = masks, list(corrections), on_applied
        words = "Paint where the silhouette is wrong; what is painted is sure."
        self._begin(words, "Redo with corrections", "Cancel")
        display = self._window.display
        self._style = display.style
        display.show(replace(display.style, bare=True, split=False))  # the silhouette alone, over the picture
        self.refresh()

    def end_correcting(self) -> None:
        """Put the brush away if it corrects."""
        if self.correcting:
            self.end()

    def end(self) -> None:
        """Put the brush away; what it painted stays in use."""
        if self._style is not None:
            display, style, self._style = self._window.display, self._style, None
            display.show(replace(display.style, bare=style.bare, split=style.split))
        self._brush, self._masks = None, None
        canvas = self._window.canvas
        canvas.brush_on(on=False)
        canvas.brush.strokes = ()
        canvas.show_mask(0, None)
        self._window.brush_bar.hide()

    def refresh(self) -> None:
        """Another frame, source or X factor is on show."""
        parsed = self._window.canvas.parsed
        if self._brush is not None and self._workspace.xfactor.key != "brush":
            self.end()
        if self._brush is not None and parsed is not None:
            here = self._brush.is_on(parsed.frame)
            self._window.canvas.brush.strokes = tuple(self._painted) if here else ()
        if parsed is None or self._masks is None:
            return
        index, canvas = parsed.frame.index, self._window.canvas
        canvas.brush.strokes = tuple(
            Stroke(c.points, c.radius, c.person) for c in self._corrections if c.frame == index
        )
        mask = self._masks(index)
        canvas.show_mask(index, mask_image(mask) if mask is not None else None)

    def _begin(self, words: str, apply: str = "", close: str = "Done") -> None:
        self._window.brush_bar.begin(words, self._window.canvas.brush.size, apply, close)
        self._window.canvas.brush.person = True
        self._window.canvas.brush_on(on=True)
        self._window.brush_bar.show_strokes(len(self._corrections) if self.correcting else 0)

    def _on_stroke(self, stroke: Stroke) -> None:
        parsed = self._window.canvas.parsed
        if parsed is None:
            return
        if self._brush is not None:
            self._paint(self._brush, stroke, parsed)
        elif self._masks is not None:
            index = parsed.frame.index
            self._corrections.append(Correction(index, stroke.points, stroke.radius, stroke.person))
        self._tell()

    def _paint(self, brush: Brush, stroke: Stroke, parsed: FrameResult) -> None:
        if not brush.strokes or not brush.is_on(parsed.frame):
            self._painted = []
        self._painted.append(stroke)
        brush.paint(stroke, parsed.frame)
        self._pipeline.show_again()

    def _keep(self, count: int) -> None:
        """Only the first strokes (-1: all but the last); of corrections, those on the frame on show count."""
        parsed = self._window.canvas.parsed
        if parsed is None:
            return
        index = parsed.frame.index
        if self._brush is not None and self._brush.is_on(parsed.frame):
            self._painted = self._painted[:count]
            self._brush.clear()
            for stroke in self._painted:
                self._brush.paint(stroke, parsed.frame)
            self._pipeline.show_again()
        elif self._masks is not None:
            here = [c for c in self._corrections if c.frame == index][:count]
            self._corrections = [c for c in self._corrections if c.frame != index] + here
        self._tell()

    def _tell(self) -> None:
        self.refresh()
        self._window.brush_bar.show_strokes(len(self._corrections if self.correcting else self._painted))
        self._window.canvas.update()

    def _apply(self) -> None:
        corrections, applied = tuple(self._corrections), self._on_applied
        self.end()
        applied(corrections)

    def _on_person(self, on: bool) -> None:  # noqa: FBT001 a signal's payload
        self._window.canvas.brush.person = on

    def _on_resized(self, share: float) -> None:
        self._window.canvas.brush.size = share
        self._window.canvas.update()
