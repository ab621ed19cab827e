"""Playback controls: the player's keys and buttons, as requests to the source that is open."""

from __future__ import annotations

from dataclasses import replace

from app.live.pipeline import Pipeline
from app.ui.dialogs import ask_number
from app.ui.timeline import TimelinePosition
from app.ui.transport import SPEEDS
from app.ui.window import Window
from runtime.media.capture import Capture, Playback


class PlaybackControls:
    """Connects transport, time line and Source menu with the capture thread.

    Attributes:
        playback: what the next source starts with: speed and loop stay, handles belong to one clip.
    """

    def __init__(self, window: Window, pipeline: Pipeline) -> None:
        self.playback = Playback()
        self._window = window
        self._pipeline = pipeline
        actions = window.actions_
        actions["play"].triggered.connect(self.toggle)
        for name, frames in (("back", -1), ("forward", 1), ("back-ten", -10), ("forward-ten", 10)):
            actions[name].triggered.connect(lambda _on, n=frames: self._step(n))
        actions["start"].triggered.connect(lambda: self.seek(self._span()[0]))
        actions["end"].triggered.connect(lambda: self.seek(self._span()[1]))
        actions["go-to"].triggered.connect(self._go_to)
        actions["mark-in"].triggered.connect(lambda: self._mark(first=self._position()))
        actions["mark-out"].triggered.connect(lambda: self._mark(last=self._position()))
        actions["mark-clear"].triggered.connect(lambda: self._play(replace(self.playback, span=None)))
        actions["loop"].triggered.connect(lambda on: self._play(replace(self.playback, loop=on)))
        actions["slower"].triggered.connect(lambda: self._faster(-1))
        actions["faster"].triggered.connect(lambda: self._faster(1))
        window.transport.speed_chosen.connect(self.set_speed)
        window.transport.timeline.sought.connect(self.seek)
        window.transport.timeline.spanned.connect(self.set_span)

    def for_new_source(self) -> Playback:
        """Playback that a new source starts with."""
        return replace(self.playback, playing=True, span=None)

    def begin(self) -> None:
        """Another source is read now."""
        if self._capture is not None:
            self.playback = self._capture.playback

    def toggle(self) -> None:
        """Play or pause."""
        capture = self._capture
        if capture is not None:
            self._play(replace(capture.playback, playing=not capture.playback.playing))

    def seek(self, index: int) -> None:
        """Show exactly this frame."""
        capture = self._capture
        if capture is not None:
            capture.seek(index)

    def set_speed(self, speed: float) -> None:
        """Play this many times as fast."""
        self._play(replace(self.playback, speed=speed))

    def set_span(self, first: int, last: int) -> None:
        """Set both handles."""
        self._mark(first=first, last=last)

    def place(self) -> TimelinePosition | None:
        """Position in the clip; None for a live source or none."""
        capture = self._capture
        info = capture.info if capture is not None else None
        if capture is None or info is None or info.live:
            return None
        return TimelinePosition(capture.position, info.frames, info.rate, capture.playback.span)

    def refresh(self) -> None:
        """Show where we are and whether it moves."""
        window = self._window
        capture, place = self._capture, self.place()
        window.transport.show_place(place or TimelinePosition())
        window.transport.show_playing(on=capture is not None and capture.playback.playing)
        window.transport.show_speed(self.playback.speed)

    @property
    def _capture(self) -> Capture | None:
        return self._pipeline.capture

    def _play(self, playback: Playback) -> None:
        self.playback = playback
        capture = self._capture
        if capture is not None:
            capture.play(playback)
        self.refresh()

    def _step(self, frames: int) -> None:
        capture = self._capture
        if capture is not None:
            capture.step(frames)
            self.playback = replace(self.playback, playing=False)

    def _position(self) -> int:
        capture = self._capture
        return capture.position if capture is not None else 0

    def _span(self) -> tuple[int, int]:
        place = self.place()
        if place is None:
            return 0, 0
        return place.span or (0, max(0, place.frames - 1))

    def _mark(self, first: int | None = None, last: int | None = None) -> None:
        capture = self._capture
        if capture is None or self.place() is None:
            return
        now_first, now_last = self._span()
        first = now_first if first is None else first
        last = now_last if last is None else last
        self._play(replace(capture.playback, span=(min(first, last), max(first, last))))

    def _faster(self, steps: int) -> None:
        speeds = list(SPEEDS)
        nearest = min(range(len(speeds)), key=lambda i: abs(speeds[i] - self.playback.speed))
        self.set_speed(speeds[min(len(speeds) - 1, max(0, nearest + steps))])

    def _go_to(self) -> None:
        place = self.place()
        if place is not None:
            last = place.frames - 1
            ask_number(self._window, "Go to frame", f"Frame, 0 to {last}:", place.position, last, self.seek)
