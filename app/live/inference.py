"""Inference: the thread that parses the newest frame with the current engine."""

from __future__ import annotations

import logging
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

from app.live.refinement import FinerRequest, can_be_refined, refined
from models.results import Result
from runtime.engine.companion import Companion
from runtime.engine.continuity import Continuity
from runtime.engine.engine import Engine
from runtime.engine.sessions import NoResultError
from runtime.engine.temporal import Smoother
from runtime.frames import Beside, Frame, FrameResult
from runtime.system.latest import Latest
from runtime.system.notices import Level, Notice, Notices
from runtime.tracking.joint_filter import JointFilter
from runtime.tracking.tracker import Tracker

FAULT_EVERY_S = 2.0  # a fault whose words change with every frame is not told more often
NOTICE_EVERY_S = 0.3  # nor a countdown of a silhouette source
STUCK_S = 5.0  # a frame that takes longer will not end in a time that anybody waits for
TIMES_EXPECTED = 20.0  # and a large picture, looked at six times on a slow machine, takes its time
RATE_OVER_S = 2.0  # the frame rate shown is the mean of the last seconds
TOPIC = "parsing"

log = logging.getLogger("xfactor.pipeline")


class Parser(Protocol):
    """Interface of an Engine: frozen, so that reading it once per frame is enough."""

    @property
    def id(self) -> int:
        """Unique per object; tags every result."""

    @property
    def name(self) -> str:
        """For words to the user."""

    @property
    def notice(self) -> str:
        """Words about the frame just parsed and the sessions, empty when all is well."""

    def expected_s(self, frame: Frame, *, first: bool = False) -> float:
        """Seconds for a frame, which may be the first of its size."""

    def parse(self, frame: Frame, smoothing: Smoother | None = None) -> Result:
        """Parts, silhouette and people of one frame; repairs its own sessions."""


#: Called with a frame, its result and the engine in use, or None for one that it is compared with.
Review = Callable[[Frame, Result, Parser | None], Result]


@dataclass(frozen=True, eq=False)
class Work:
    """A frame in work, and how long it may take."""

    engine: Parser
    limit_s: float


@dataclass(frozen=True)
class Rate:
    """Results per second and milliseconds per frame; replaced whole with every result."""

    fps: float = 0.0
    infer_ms: float = 0.0


class Inference(threading.Thread):
    """Parses until its mailbox closes.

    The engine is swapped by assigning the attribute; the frame in work is finished with the old one.

    Attributes:
        engine: read once per frame; None shows the picture alone.
        pair: an engine and the one that it is compared with, for as long as the first is in use.
        companion: another model that parses the same frames, while no pair is compared.
        smooth: whether results are smoothed over time.
        rate: of the last seconds.
        tracker: of the people; a thread that takes this one's place goes on with a copy.
        tap: called in this thread with every result (the recorder); must not block.
        review: called with every tracked result, and the engine unless it is only compared with; what it
            gives goes on (corrections, measures); must not block.
        work: the frame in work, None between two frames.
        refinements: asked for and not begun; a thread that takes this one's place goes on with them.
        abandoned: its frame did not end, and another thread goes on; what it may still give is thrown away.
    """

    def __init__(self, frames: Latest[Frame], parsed: Latest[FrameResult], notices: Notices) -> None:
        super().__init__(name="inference", daemon=True)
        self.engine: Parser | None = None
        self.pair: tuple[Engine, Engine] | None = None
        self.companion: Companion | None = None
        self.smooth = True
        self.rate = Rate()
        self.tap: Callable[[FrameResult], None] | None = None
        self.review: Review | None = None
        self.work: Work | None = None
        self.abandoned = False
        self._frames = frames
        self._parsed = parsed
        self._notices = notices
        self._smoother = Smoother()
        self._smoother_before = Smoother()
        self.tracker = Tracker()
        self._joints, self._joints_before = JointFilter(), JointFilter()
        self._continuity = Continuity()
        self._said = Notice("")
        self._said_s = 0.0
        self._done_s: deque[float] = deque(maxlen=240)
        self.refinements: deque[FinerRequest] = deque()
        self._newest: FrameResult | None = None

    def refine(self, shown: FrameResult, done: Callable[[FrameResult], None]) -> None:
        """Decide a result at its picture's size between two frames; `done` gets it, in this thread."""
        self.refinements.append(FinerRequest(shown, done))
        self._frames.wake()

    def run(self) -> None:
        """One frame at a time, the newest; ends when the mailbox is closed."""
        while not self._frames.closed and not self.abandoned:  # else it would take another thread's frame
            frame = self._frames.take()
            while self.refinements and not self.abandoned:
                self._refine(self.refinements.popleft())
            if frame is not None and not self.abandoned:
                self._give(self._parse(self.engine, frame))

    def _give(self, parsed: FrameResult) -> None:
        if self.abandoned:
            return
        self._newest = parsed
        self._measure(parsed)
        tap = self.tap
        if tap is not None:
            tap(parsed)
        self._parsed.put(parsed)

    def is_newest(self, result: FrameResult) -> bool:
        """True for the last result that this thread gave out, also refined."""
        newest = self._newest
        return newest is not None and newest.frame is result.frame and newest.engine_id == result.engine_id

    def _refine(self, refinement: FinerRequest) -> None:
        shown, engine, pair = refinement.shown, self.engine, self.pair
        fine = shown
        if can_be_refined(engine, shown) and isinstance(engine, Engine):
            before = pair[1] if pair is not None and pair[0] is engine else None
            self.work = Work(engine, self._limit_s(engine, shown.frame))
            try:
                fine = refined(engine, before, shown)
            except Exception:  # what is shown stays; the next frame says what is wrong
                log.exception("deciding a picture at its own size")
            self.work = None
        if not self.abandoned:
            refinement.done(fine)

    def _parse(self, engine: Parser | None, frame: Frame) -> FrameResult:
        """With the engine in use; beside another factor over the same trunk, or beside another model."""
        pair, companion = self.pair, self.companion
        pair = pair if pair is not None and pair[0] is engine else None
        if companion is not None and pair is None:
            companion.ask(frame, smooth=self.smooth)
        own = FrameResult(frame, None, 0, 0.0) if engine is None else self._parse_with(engine, frame, pair)
        self.work = None  # from here on another engine is waited for, and this one is not at fault
        if companion is None or pair is not None or self.abandoned:
            return own
        return replace(own, beside=self._beside(engine.name if engine is not None else "", own, companion))

    def _parse_with(self, engine: Parser, frame: Frame, pair: tuple[Engine, Engine] | None) -> FrameResult:
        started_s, smooth = time.perf_counter(), self.smooth
        try:
            self.work = Work(engine, self._limit_s(engine, frame))
            if self._continuity.starts(frame, engine.id, pair[1].id if pair is not None else 0):
                self._smoother.reset()
                self._smoother_before.reset()
            smoother, beside = self._smoother if smooth else None, None
            if pair is None:
                result = engine.parse(frame, smoother)
            else:
                result, before = pair[0].parse_both(
                    pair[1], frame, smoother, self._smoother_before if smooth else None
                )
                beside = Beside(self._tracked(frame, before, self._joints_before))
            result = self._tracked(frame, result, self._joints, engine)
        except Exception as e:  # noqa: BLE001 whatever a model raises costs this frame, never the thread
            words = self._on_failure(engine, e) if not self.abandoned else ""
            return FrameResult(frame, None, engine.id, 0.0, words)
        notice = engine.notice
        if self.abandoned:
            return FrameResult(frame, None, engine.id, 0.0)
        self._say(Notice(f"{engine.name}: {notice}" if notice else "", Level.WARNING, topic=TOPIC))
        infer_ms = (time.perf_counter() - started_s) * 1e3
        return FrameResult(frame, result, engine.id, infer_ms, notice, beside)

    def _beside(self, name: str, own: FrameResult, companion: Companion) -> Beside:
        """Answer of the other model, with the numbers that people have in this one's."""
        other = companion.answer(own.frame)
        seen = other.result and self._tracked(own.frame, other.result, self._joints_before)
        words = f"{own.infer_ms:.0f} ms" if own.result is not None else "no result"
        captions = (
            f"{other.name}: {other.words or f'{other.infer_ms:.0f} ms'}",
            f"{name or 'no model'}: {words}",
        )
        slower = other.name if other.words or other.infer_ms > own.infer_ms else name
        return Beside(seen, captions, slower)

    def _limit_s(self, engine: Parser, frame: Frame) -> float:
        first = self._continuity.is_first(frame, engine.id)
        return max(STUCK_S, TIMES_EXPECTED * engine.expected_s(frame, first=first))

    def _tracked(
        self, frame: Frame, result: Result, joints: JointFilter, engine: Parser | None = None
    ) -> Result:
        """People with their numbers, the same in both answers, reviewed, and joints smoothed for display."""
        result, review = self.tracker.track(frame, result), self.review
        result = review(frame, result, engine) if review is not None else result
        return joints.filter(frame, result) if self.smooth else result

    def _on_failure(self, engine: Parser, error: Exception) -> str:
        """Say it; the frame is shown without parts, the sessions repair themselves."""
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
        notice = f"; {engine.notice}" if engine.notice else ""
        words = f"{engine.name}: no result ({reason}){notice}. The picture goes on without parts."
        expected = isinstance(error, NoResultError)
        details = "" if expected else "".join(traceback.format_exception(error))
        if self._say(Notice(words, Level.ERROR, details, TOPIC)):
            log.warning("%s", words, exc_info=None if expected else error)
        return words

    def _say(self, notice: Notice) -> bool:
        """Pass a notice on when it differs from the last one, and not in a stream of ever different ones."""
        now_s = time.monotonic()
        if notice.text == self._said.text:
            return False
        pause_s = FAULT_EVERY_S if notice.level is Level.ERROR else NOTICE_EVERY_S
        of_one_kind = bool(notice.text and self._said.text) and notice.level is self._said.level
        if of_one_kind and now_s - self._said_s < pause_s:
            return False
        self._said, self._said_s = notice, now_s
        self._notices.say(notice)
        return True

    def _measure(self, parsed: FrameResult) -> None:
        now_s = time.monotonic()
        self._done_s.append(now_s)
        while now_s - self._done_s[0] > RATE_OVER_S:
            self._done_s.popleft()
        over_s = now_s - self._done_s[0]
        fps = (len(self._done_s) - 1) / over_s if over_s > 0 else 0.0
        self.rate = Rate(fps, parsed.infer_ms or self.rate.infer_ms)
