"""Companion: a second model on the same frames, in a thread of its own; the slower of the two decides."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass

from models.results import Result
from runtime.engine.continuity import Continuity
from runtime.engine.engine import Engine
from runtime.engine.sessions import NoResultError
from runtime.engine.temporal import Smoother
from runtime.frames import Frame

PATIENCE_S = 2.0  # for a frame; then the other model goes on without this one until it is done
TIMES_EXPECTED = 8.0

log = logging.getLogger("xfactor.pipeline")


@dataclass(frozen=True, eq=False)
class Answer:
    """Result of one frame, or words why there is none."""

    name: str  #: of the model
    result: Result | None
    infer_ms: float = 0.0
    words: str = ""


class Companion(threading.Thread):
    """Parses a frame while the thread that asked parses the same one.

    A model that fails says why with every frame; one that does not end its frame gets no other.

    Attributes:
        engine: read once per frame; None after the end, so that its memory is given back.
    """

    def __init__(self, engine: Engine) -> None:
        super().__init__(name="companion", daemon=True)
        self.engine: Engine | None = engine
        self._model = engine.name
        self._changed = threading.Condition()
        self._asked: tuple[Frame, bool] | None = None  # waits, or is in work
        self._asked_s = 0.0
        self._done: tuple[Frame, Answer] | None = None
        self._stopped = False
        self._continuity, self._smoother = Continuity(), Smoother()

    def ask(self, frame: Frame, *, smooth: bool) -> None:
        """Begin with a frame; while an earlier one is in work this one is left out."""
        with self._changed:
            if self._asked is None:
                self._asked, self._asked_s = (frame, smooth), time.monotonic()
                self._changed.notify_all()

    def answer(self, frame: Frame) -> Answer:
        """The answer to a frame that was asked; waits for it, but not for ever."""
        with self._changed:
            asked, engine = self._asked, self.engine
            if asked is not None and asked[0] is frame and engine is not None:
                patience_s = max(PATIENCE_S, TIMES_EXPECTED * engine.expected_s(frame, first=True))
                self._changed.wait_for(lambda: self._asked is not asked or self._stopped, patience_s)
            if self._done is not None and self._done[0] is frame:
                return self._done[1]
            words = f"no result for {time.monotonic() - self._asked_s:.0f} s"
            return Answer(self._model, None, words=words)

    def stop(self) -> None:
        """End after the frame in work; does not wait."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def run(self) -> None:
        """One frame at a time, as they are asked."""
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._asked is not None or self._stopped)
                asked, engine = self._asked, self.engine
            if self._stopped or asked is None or engine is None:
                break
            answer = self._parse(engine, *asked)
            with self._changed:
                self._asked, self._done = None, (asked[0], answer)
                self._changed.notify_all()
        self.engine = None

    def _parse(self, engine: Engine, frame: Frame, smooth: bool) -> Answer:  # noqa: FBT001 as it was asked
        started_s = time.perf_counter()
        try:
            if self._continuity.starts(frame, engine.id):
                self._smoother.reset()
            result = engine.parse(frame, self._smoother if smooth else None)
        except Exception as e:
            reason = (str(e).strip().splitlines() or [type(e).__name__])[0][:200]
            if not isinstance(e, NoResultError):
                log.warning("%s beside another model", engine.name, exc_info=e)
            return Answer(engine.name, None, words=f"no result ({reason})")
        return Answer(engine.name, result, (time.perf_counter() - started_s) * 1e3)
