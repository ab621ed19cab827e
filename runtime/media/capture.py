"""Capture: the thread that reads a source and leaves the newest frame in a mailbox."""

from __future__ import annotations

import itertools
import logging
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace

from runtime.frames import Frame
from runtime.media.cursor import Cursor
from runtime.media.feeds import Feed, FeedInfo
from runtime.system.errors import FinalRefusal, Refusal
from runtime.system.latest import Latest
from runtime.system.notices import Level, Notice, Notices

LATE_S = 0.25  # a frame later than this restarts the clock: after a stall the clip goes on, it does not race
FIRST_PAUSE_S = 1.0  # before a live source that was lost is opened again; doubled with every failure
LONGEST_PAUSE_S = 10.0
CAMERA_PAUSE_S = 1.0  # always: looking for a camera costs nothing
PREDECESSOR_S = 3.0  # how long a new source waits until the old one has given its device back
TOPIC = "source"

log = logging.getLogger("xfactor.pipeline")
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Playback:
    """Speed, loop and range of a file's playback; assigned whole, read once per frame."""

    playing: bool = True
    speed: float = 1.0
    loop: bool = False
    span: tuple[int, int] | None = None  #: in and out handles, frame indices, both inclusive


class Capture(threading.Thread):
    """Reads one source until it is stopped; a new source is a new Capture.

    The attributes are read by the window at any time and written by this thread only.

    Attributes:
        number: of this capture, in every frame that it gives out.
        ready: whether a capture that waits has its first frame.
        info: what is known of the source; None until it is open.
        holds: whether the source (a camera's device) is open right now.
        position: index of the newest frame given out, or of the one that was asked for.
        failed: whether it ended because the source could not be read.
        lost: why a live source gives nothing at the moment; it is opened again and again. Else empty.
        ended: whether a file was played to its end, and nothing was asked since.
        tap: called in this thread with every frame that leaves the source; must not block.
    """

    def __init__(
        self,
        opener: Callable[[], Feed],
        frames: Latest[Frame],
        notices: Notices,
        *,
        after: Capture | None = None,
        playback: Playback | None = None,
        waits: bool = False,
    ) -> None:
        """Prepare a thread that reads from `opener()`.

        Args:
            opener: opens the source; called in the thread.
            frames: gets every frame.
            notices: gets words about the source.
            after: a capture whose device must be free before this one is opened.
            playback: how it begins.
            waits: hold the first frame back until `take_over`.
        """
        super().__init__(name="capture", daemon=True)
        self.number = next(_numbers)
        self.ready = False
        self.info: FeedInfo | None = None
        self.holds = False
        self.position = 0
        self.failed = False
        self.lost = ""
        self.ended = False
        self.tap: Callable[[Frame], None] | None = None
        self._opener = opener
        self._frames = frames
        self._notices = notices
        self._after = after
        self._playback = playback or Playback()
        self._wanted: deque[int] = deque(maxlen=1)  # a seek; the newest wins
        self._stop_asked = threading.Event()
        self._turn = threading.Event()
        if not waits:
            self._turn.set()
        self._wake = threading.Event()
        self._again = False
        self._said: tuple[str, ...] = ()
        self._last: Frame | None = None
        self._pause_s = FIRST_PAUSE_S
        self._base = 0, 0.0  # index and pts at which a live source that was opened again goes on

    # -- asked by the window; none of these waits

    @property
    def playback(self) -> Playback:
        """The settings in force."""
        return self._playback

    def play(self, playback: Playback) -> None:
        """Change how the file is played; from the end, playing starts over."""
        info = self.info
        if playback.playing and not self._playback.playing and info is not None and not info.live:
            first, last = self._bounds(playback)
            if not first <= self.position < last:
                self.seek(first)
        self._playback = playback
        self.ended = self.ended and not playback.playing
        self._wake.set()

    def seek(self, index: int) -> None:
        """Show exactly this frame as soon as possible."""
        self.position = self._clamped(index)
        self.ended = False
        self._wanted.append(self.position)
        self._wake.set()

    def step(self, frames: int) -> None:
        """Pause and go some frames on (or back)."""
        self._playback = replace(self._playback, playing=False)
        self.seek(self.position + frames)

    def show_again(self) -> None:
        """Give the frame on show out once more, for an engine that has changed while nothing moves."""
        self._again = True
        self._wake.set()

    def take_over(self, previous: Capture | None) -> None:
        """Let the first frame out, and those after it, once `previous` gives out no more."""
        self._after = previous
        self._turn.set()

    def ask_stop(self) -> None:
        """Ask the thread to end; does not wait."""
        self._stop_asked.set()
        self._turn.set()
        self._wake.set()

    # -- the thread

    def run(self) -> None:
        """Open, read until asked to stop, close; a source that cannot be read is said in words."""
        self._join_previous()
        if self._stop_asked.is_set():
            return
        try:
            while not self._stop_asked.is_set():
                try:
                    self._read()
                except Refusal as e:
                    self._wait_after(e)
                else:
                    return
        except Refusal as e:
            self.lost = ""
            self._notices.refuse(e, TOPIC)
            self.failed = True
        except Exception:
            # the boundary to foreign decoders: whatever they raise ends this source, not the program
            log.exception("reading the source failed")
            name = self.info.name if self.info else "the source"
            words = f"{name}: reading it failed. The file or device may be damaged; try another one."
            self._notices.say(Notice(words, Level.ERROR, traceback.format_exc(), TOPIC))
            self.failed = True  # last: who sees it finds the words already said

    def _wait_after(self, loss: Refusal) -> None:
        """Say that a live source was lost, and wait until it is time to try again; else raise the loss."""
        live = self.ready and self.info is not None and self.info.live
        if not live or isinstance(loss, FinalRefusal):
            raise loss
        if not self.lost:
            self.lost = f"{loss.what}: {loss.reason}"
            words = f"{self.lost}; connecting again. The picture is the last that came."
            self._notices.say(Notice(words, Level.WARNING, topic=TOPIC))
        last_s = self._last.captured_s if self._last is not None else 0.0
        pts_s, index = (self._last.pts_s, self._last.index + 1) if self._last is not None else (0.0, 0)
        camera = self.info is not None and self.info.camera
        self._stop_asked.wait(CAMERA_PAUSE_S if camera else self._pause_s)
        self._pause_s = min(2 * self._pause_s, LONGEST_PAUSE_S)
        self._base = index, pts_s + time.monotonic() - last_s

    def _on_live_again(self) -> None:
        self._pause_s = FIRST_PAUSE_S
        if self.lost:
            self.lost = ""
            self._notices.say(Notice("", topic=TOPIC))

    def _join_previous(self) -> None:
        if self._after is not None:
            self._after.join(PREDECESSOR_S)
            self._after = None

    def _wait_for_turn(self) -> None:
        """The source delivers: withdraw what was said of the one before, which rings the bell."""
        self.ready = True
        self._notices.say(Notice("", topic=TOPIC))
        self._turn.wait()
        self._join_previous()

    def _read(self) -> None:
        feed = self._opener()
        self.holds = True
        try:
            self.info = feed.info
            self._say_new(feed)
            if feed.info.live:
                self._run_live(feed)
            else:
                self._run_file(feed)
        finally:
            feed.close()
            self.holds = False

    def _run_live(self, feed: Feed) -> None:
        for frame in feed.frames():
            if not self.ready:
                self._wait_for_turn()
            if self._stop_asked.is_set():
                return
            self._on_live_again()
            self._say_new(feed)
            if (
                self._playback.playing
            ):  # paused: read on and throw away, or the driver serves old frames later
                index, pts_s = self._base
                self._give(replace(frame, index=index + frame.index, pts_s=pts_s + frame.pts_s))
            elif self._again and self._last is not None:
                self._give(self._last)
        if not self._stop_asked.is_set():
            name = feed.info.name
            raise Refusal(name, "it stopped sending pictures", "Check the cable, then choose it again")

    def _run_file(self, feed: Feed) -> None:
        cursor = Cursor(feed, self._stop_asked.is_set)
        first = cursor.peek()
        if first is None:
            if self._stop_asked.is_set():
                return
            raise Refusal(feed.info.name, "it holds no picture that can be decoded", "Open another file")
        self.info = feed.info
        self._wait_for_turn()
        self._give(first)
        cursor.advance()
        anchor = _Clock(first.pts_s, self._playback.speed)
        while not self._stop_asked.is_set():
            self._wake.clear()
            if self._wanted:
                frame = cursor.move(self._wanted.pop())
                if frame is not None:
                    self._give(frame)
                    cursor.advance()
                    anchor = _Clock(frame.pts_s, self._playback.speed)
            elif self._again and self._last is not None:
                self._give(self._last)
            elif self._playback.playing:
                anchor = self._play_one(cursor, feed, anchor)
            else:
                self._wake.wait()
                anchor = _Clock(self._last.pts_s if self._last else 0.0, self._playback.speed)

    def _play_one(self, cursor: Cursor, feed: Feed, clock: _Clock) -> _Clock:
        """Give the next frame when its time has come, or turn round at the end of the span."""
        playback = self._playback
        frame = cursor.peek()
        last = playback.span[1] if playback.span else None
        if frame is None or (last is not None and frame.index > last):
            self._turn_round(feed)
            return clock
        if clock.speed != playback.speed:
            clock = _Clock(self._last.pts_s if self._last else frame.pts_s, playback.speed)
        wait_s = clock.due(frame.pts_s) - time.monotonic()
        if wait_s > 0 and self._wake.wait(wait_s):
            return clock  # something was asked; the frame stays where it is
        if wait_s < -LATE_S:
            clock = _Clock(frame.pts_s, playback.speed)
        self._give(frame)
        cursor.advance()
        self._say_new(feed)
        return clock

    def _turn_round(self, feed: Feed) -> None:
        if self._last is not None and not self._playback.span and self._last.index + 1 != feed.info.frames:
            self.info = replace(feed.info, frames=self._last.index + 1)  # the header promised another number
        first, last = self._bounds(self._playback)
        if self._playback.loop and last > first:
            self._wanted.append(first)
        else:
            self._playback = replace(self._playback, playing=False)
            self.ended = True
            self._notices.say(Notice("", topic="playback"))  # rings the bell: the play button changes

    def _give(self, frame: Frame) -> None:
        self._again = False
        if self._stop_asked.is_set():
            return
        self._last = replace(frame, captured_s=time.monotonic(), source=self.number)
        if not self._wanted:
            self.position = frame.index
        tap = self.tap
        if tap is not None:
            tap(self._last)
        self._frames.put(self._last)

    def _say_new(self, feed: Feed) -> None:
        notices, live = feed.info.notices, feed.info.live
        for words in self._said if live else ():
            if words not in notices:
                self._notices.say(Notice("", topic=f"{TOPIC}: {words}"))
        for words in notices[len(self._said) :]:
            self._notices.say(Notice(words, Level.WARNING, topic=f"{TOPIC}: {words}"))
        self._said = notices

    def _bounds(self, playback: Playback) -> tuple[int, int]:
        last = max(0, (self.info.frames if self.info else 1) - 1)
        first, end = playback.span or (0, last)
        return max(0, first), min(last, end)

    def _clamped(self, index: int) -> int:
        last = max(0, (self.info.frames if self.info else 1) - 1)
        return min(max(0, index), last)


class _Clock:
    """When a frame is due: presentation time against the monotonic clock, at one speed."""

    def __init__(self, pts_s: float, speed: float) -> None:
        self.speed = speed
        self._pts_s = pts_s
        self._start_s = time.monotonic()

    def due(self, pts_s: float) -> float:
        return self._start_s + (pts_s - self._pts_s) / self.speed
