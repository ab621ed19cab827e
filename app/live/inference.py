"""Inference: the thread that parses the newest frame with the current engine."""

from __future__ import annotations

import logging
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from models.results import Result
from runtime.engine.engine import Engine
from runtime.engine.sessions import NoResultError
from runtime.engine.temporal import Smoother
from runtime.frames import Frame, FrameResult
from runtime.system.latest import Latest
from runtime.system.notices import Level, Notice, Notices
from runtime.tracking.joint_filter import JointFilter
from runtime.tracking.tracker import Tracker

FAULT_EVERY_S = 2.0  # a fault whose words change with every frame is not told more often
NOTICE_EVERY_S = 0.3  # nor a countdown of a silhouette source
STUCK_S = 5.0  # a frame that takes longer will not end in a time that anybody waits for
TIMES_EXPECTED = 20.0  # and a large picture, looked at six times on a slow machine, takes its time
JUMP_S = 0.5  # a gap in presentation time after which the past says nothing of the present
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
        smooth: whether results are smoothed over time.
        rate: of the last seconds.
        tracker: of the people; a thread that takes this one's place goes on with a copy.
        tap: called in this thread with every result (the recorder); must not block.
        work: the frame in work, None between two frames.
        abandoned: its frame did not end, and another thread goes on; what it may still give is thrown away.
    """

    def __init__(self, frames: Latest[Frame], parsed: Latest[FrameResult], notices: Notices) -> None:
        super().__init__(name="inference", daemon=True)
        self.engine: Parser | None = None
        self.pair: tuple[Engine, Engine] | None = None
        self.smooth = True
        self.rate = Rate()
        self.tap: Callable[[FrameResult], None] | None = None
        self.work: Work | None = None
        self.abandoned = False
        self._frames = frames
        self._parsed = parsed
        self._notices = notices
        self._smoother = Smoother()
        self._smoother_before = Smoother()
        self.tracker = Tracker()
        self._joints, self._joints_before = JointFilter(), JointFilter()
        self._previous: Frame | None = None
        self._used = 0  # id of the engine of the previous frame
        self._beside = 0  # and of the one that it was compared with
        self._said = Notice("")
        self._said_s = 0.0
        self._done_s: deque[float] = deque(maxlen=240)

    def run(self) -> None:
        """One frame at a time, the newest; ends when the mailbox is closed."""
        while not self._frames.closed:
            frame = self._frames.take()
            if frame is None:
                continue
            engine = self.engine
            parsed = FrameResult(frame, None, 0, 0.0) if engine is None else self._parse(engine, frame)
            self.work = None
            if self.abandoned:
                return
            self._measure(parsed)
            tap = self.tap
            if tap is not None:
                tap(parsed)
            self._parsed.put(parsed)

    def _parse(self, engine: Parser, frame: Frame) -> FrameResult:
        pair = self.pair
        if pair is not None and pair[0] is not engine:
            pair = None
        started_s = time.perf_counter()
        try:
            self.work = Work(engine, self._limit_s(engine, frame))
            self._forget_if_cut(engine.id, pair[1].id if pair is not None else 0, frame)
            result, before = self._tracked(frame, *self._ask(engine, pair, frame))
        except Exception as e:  # noqa: BLE001 whatever a model raises costs this frame, never the thread
            words = self._on_failure(engine, e) if not self.abandoned else ""
            return FrameResult(frame, None, engine.id, 0.0, words)
        notice = engine.notice
        if self.abandoned:
            return FrameResult(frame, None, engine.id, 0.0)
        self._say(Notice(f"{engine.name}: {notice}" if notice else "", Level.WARNING, topic=TOPIC))
        infer_ms = (time.perf_counter() - started_s) * 1e3
        return FrameResult(frame, result, engine.id, infer_ms, notice, before)

    def _limit_s(self, engine: Parser, frame: Frame) -> float:
        previous = self._previous
        first = engine.id != self._used or previous is None or previous.size != frame.size
        return max(STUCK_S, TIMES_EXPECTED * engine.expected_s(frame, first=first))

    def _ask(
        self, engine: Parser, pair: tuple[Engine, Engine] | None, frame: Frame
    ) -> tuple[Result, Result | None]:
        """The engine alone, or side by side with the one that it is compared with."""
        smoother = self._smoother if self.smooth else None
        if pair is None:
            return engine.parse(frame, smoother), None
        return pair[0].parse_both(pair[1], frame, smoother, self._smoother_before if self.smooth else None)

    def _tracked(self, frame: Frame, result: Result, before: Result | None) -> tuple[Result, Result | None]:
        """People with their numbers, the same in both, and joints smoothed for display."""
        if before is not None:
            before = self.tracker.track(frame, before)
            before = self._joints_before.filter(frame, before) if self.smooth else before
        result = self.tracker.track(frame, result)
        return self._joints.filter(frame, result) if self.smooth else result, before

    def _forget_if_cut(self, engine_id: int, beside: int, frame: Frame) -> None:
        """Start smoothing afresh after a seek, a new source, another engine, or for a comparison.

        Args:
            engine_id: of the engine in use.
            beside: id of the one that it is compared with, 0 without; both then remember the same frames.
            frame: the next one.
        """
        previous, self._previous = self._previous, frame
        changed = engine_id != self._used or beside not in {0, self._beside}
        self._used, self._beside = engine_id, beside
        same_source = previous is not None and (previous.source, previous.size) == (frame.source, frame.size)
        if not changed and previous is not None and same_source:
            gap_s = frame.pts_s - previous.pts_s
            if 0 <= gap_s <= JUMP_S and frame.index >= previous.index:
                return
        self._smoother.reset()
        self._smoother_before.reset()

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
