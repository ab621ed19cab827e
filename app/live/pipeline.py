"""Pipeline: owns the threads of the live path, starts them, swaps what they use, stops them by a deadline."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future
from copy import deepcopy
from pathlib import Path

from app.live.inference import Inference, Parser, Rate, Review, Work
from runtime.engine.companion import Companion
from runtime.engine.engine import Engine
from runtime.frames import Frame, FrameResult
from runtime.media.capture import Capture, Playback
from runtime.media.feeds import Feed
from runtime.media.recorder import Recorder, Render
from runtime.system.latest import Latest
from runtime.system.notices import Notices

LONGEST_LOOK_S = 1.0
REST_S = 0.15  # after which a picture on show is decided at its own size


class Pipeline:
    """Source → capture thread → `Latest[Frame]` → inference thread → `Latest[FrameResult]`.

    Every method returns at once, but `stop`, which waits until its deadline at most.

    Attributes:
        parsed: the newest result; whoever shows it takes it from here after every notification.
        notices: words for the user, drained after every notification.
        capture: the current source, or None.
        opening: the source that takes its place as soon as it has a picture, or None.
        recorder: the current recording, or None.
    """

    def __init__(self, on_news: Callable[[], None]) -> None:
        """`on_news` is called from the threads, without payload, when there is something new."""
        self.notices = Notices(on_news)
        self.parsed: Latest[FrameResult] = Latest(on_news)
        self.capture: Capture | None = None
        self.opening: Capture | None = None
        self.recorder: Recorder | None = None
        self._frames: Latest[Frame] = Latest()
        self._inference = Inference(self._frames, self.parsed, self.notices)
        self._abandoned: list[Inference] = []
        self._watched: tuple[Work | None, float, float] = None, 0.0, 0.0  # work, when last seen, for how long
        self._resting: tuple[FrameResult | None, float] = None, 0.0  # on show while nothing moves, since when
        self._dropped_before = 0
        self._stopped = False

    def start(self) -> None:
        """Start the inference thread; sources come later."""
        self._inference.start()

    # -- what is read

    def open(
        self, opener: Callable[[], Feed], playback: Playback | None = None, *, beside: bool = False
    ) -> Capture | None:
        """Read another source; it is opened in its own thread.

        Args:
            opener: called in that thread.
            playback: how it begins.
            beside: the source before goes on until this one has a picture and `swap_source` is called;
                else it gives its device back first.
        """
        if self._stopped:
            return None
        previous = self.capture
        if not beside:
            self.close_source()
        self._end(self.opening)
        after = None if beside else previous
        self.opening = Capture(opener, self._frames, self.notices, after=after, playback=playback, waits=True)
        self.opening.start()
        if not beside:
            self.swap_source()
        return self.capture if not beside else self.opening

    def swap_source(self, engine: Parser | None = None) -> None:
        """Put the source that was opened into the place of the one before.

        Args:
            engine: parses it from its first frame on; without one, what parsed before goes on.
        """
        opening, previous = self.opening, self.capture
        if opening is None:
            return
        self.finish_recording()
        self._end(previous)
        if engine is not None:
            self._inference.engine = engine
        self.capture, self.opening = opening, None
        self._dropped_before = self._lost()
        opening.take_over(previous)

    def close_source(self) -> None:
        """Stop reading; a camera goes off."""
        self.finish_recording()
        self._end(self.capture)
        self._end(self.opening)
        self.capture = self.opening = None

    @staticmethod
    def _end(capture: Capture | None) -> None:
        if capture is not None:
            capture.ask_stop()

    # -- what parses it

    @property
    def engine(self) -> Parser | None:
        """Engine that parses the next frame."""
        return self._inference.engine

    def use(self, engine: Parser | None) -> None:
        """Swap the engine: one assignment, no frame is lost; a paused picture is parsed again."""
        self._inference.engine = engine
        self.show_again()

    def compare(self, before: Engine | None, after: Engine | None = None) -> None:
        """Parse with `before` beside `after` as long as that one is in use; None ends it."""
        self._inference.pair = (after, before) if before is not None and after is not None else None
        self.show_again()

    def compare_model(self, other: Engine | None) -> None:
        """Parse every frame with another model too, in a thread of its own; None ends it."""
        before, self._inference.companion = self._inference.companion, None
        if before is not None:
            before.stop()
        if other is not None and not self._stopped:
            companion = Companion(other)
            companion.start()
            self._inference.companion = companion
        self.show_again()

    @property
    def companion(self) -> Companion | None:
        """The other model that parses every frame, while two are compared."""
        return self._inference.companion

    @property
    def smooth(self) -> bool:
        """Temporal smoothing, on or off."""
        return self._inference.smooth

    @smooth.setter
    def smooth(self, on: bool) -> None:
        self._inference.smooth = on

    def review(self, review: Review) -> None:
        """Let a function, in the inference thread, see and replace every result before it is shown."""
        self._inference.review = review

    def show_again(self) -> None:
        """Parse the picture on show once more, if nothing moves."""
        capture = self.capture
        if capture is not None and not capture.playback.playing:
            capture.show_again()

    def rest(self, shown: FrameResult | None) -> None:
        """Decide a picture that rests on show at its own size, once; called often, with what is on show."""
        capture, now_s = self.capture, time.monotonic()
        moves = capture is None or capture.playback.playing or self.companion is not None
        if shown is None or moves or shown.fine:
            self._resting = None, now_s
        elif shown is not self._resting[0]:
            self._resting = shown, now_s
        elif self._resting[1] and now_s - self._resting[1] >= REST_S:
            self._resting = shown, 0.0  # asked for
            self._inference.refine(shown, self._show_refined)

    def _show_refined(self, fine: FrameResult) -> None:
        if fine.fine and self._inference.is_newest(fine):
            self.parsed.put(fine)

    def refined(self, shown: FrameResult) -> Future[FrameResult]:
        """The same result at its picture's size, for a file; the one given where there is none."""
        future: Future[FrameResult] = Future()
        self._inference.refine(shown, future.set_result)
        return future

    def give_up_stuck(self) -> Parser | None:
        """Engine that does not end its frame; pictures go on without one, in another thread. Called often.

        A thread in native code cannot be ended: it is left alone, and its result is thrown away.
        """
        work, now_s = self._inference.work, time.monotonic()
        before, seen_s, for_s = self._watched
        # A process that slept, or that nobody looked at, has not been stuck meanwhile.
        for_s = for_s + min(now_s - seen_s, LONGEST_LOOK_S) if work is before else 0.0
        self._watched = work, now_s, for_s
        if work is None or for_s <= work.limit_s or self._stopped:
            return None
        left = self._inference
        left.abandoned = True
        self._abandoned.append(left)
        self._inference = Inference(self._frames, self.parsed, self.notices)
        self._inference.smooth, self._inference.tap = left.smooth, left.tap
        self._inference.review = left.review
        self._inference.companion = left.companion
        self._inference.tracker = deepcopy(left.tracker)
        self._inference.refinements = left.refinements
        self._inference.start()
        self._frames.wake()
        self.show_again()
        return work.engine

    @property
    def stuck(self) -> int:
        """Threads that were given up and have not ended."""
        return sum(t.is_alive() for t in self._abandoned)

    # -- what is known of it

    @property
    def rate(self) -> Rate:
        """Frames per second and milliseconds per frame, of the last seconds."""
        return self._inference.rate

    @property
    def dropped(self) -> int:
        """Frames of this source that were overtaken by newer ones."""
        return self._lost() - self._dropped_before

    def _lost(self) -> int:
        return self._frames.dropped + self.parsed.dropped

    @property
    def plays(self) -> bool:
        """True while the source, or the one that takes its place, goes on by itself."""
        capture = self.opening or self.capture
        return capture is not None and capture.playback.playing

    @property
    def camera_on(self) -> bool:
        """True while a camera's device is open."""
        return any(c.holds for c in self._of_cameras())

    @property
    def reads_camera(self) -> bool:
        """True while a camera's device is open, or opened again as soon as it can be."""
        return any(c.holds or c.lost for c in self._of_cameras())

    def _of_cameras(self) -> list[Capture]:
        read = (self.capture, self.opening)
        return [c for c in read if c is not None and c.info is not None and c.info.camera]

    # -- what is kept of it

    def record(self, path: Path, render: Render, rate: float = 30.0) -> Recorder | None:
        """Start writing what is watched."""
        if self._stopped:
            return None
        self.finish_recording()
        recorder = Recorder(path, render, self.notices, rate)
        self.recorder = recorder
        self._inference.tap = recorder.offer
        recorder.start()
        return recorder

    def finish_recording(self) -> None:
        """Close the recording; its file is complete shortly after."""
        self._inference.tap = None
        if self.recorder is not None:
            self.recorder.finish()

    # -- the end

    def stop(self, deadline_s: float = 2.0) -> list[str]:
        """End all threads, upstream first; idempotent.

        Returns:
            Names of threads that did not end in time (stuck in a driver); the process must leave anyway.
        """
        self._stopped = True
        self.finish_recording()
        captures = (self.capture, self.opening)
        for capture in captures:
            self._end(capture)
        self._frames.close()
        self.parsed.close()
        until_s = time.monotonic() + deadline_s
        companion = self._inference.companion
        if companion is not None:
            companion.stop()
        live = (*captures, self._inference, companion, self.recorder)
        threads = [t for t in live if t is not None and t.is_alive()]
        for thread in threads:
            thread.join(max(0.0, until_s - time.monotonic()))
        return [t.name for t in (*threads, *self._abandoned) if t.is_alive()]
