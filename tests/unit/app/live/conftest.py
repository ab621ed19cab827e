"""Sources and engines for the live path: real ones where they can run, scripted where a fault is needed."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from models.labels import S31
from models.results import Parsing, Result
from runtime.engine.engine import Engine, load_engine
from runtime.engine.letterbox import NetworkSize
from runtime.engine.temporal import Smoother
from runtime.frames import Frame

_ids = itertools.count(10_000)


@dataclass(frozen=True)
class TinyEngine:
    """Labels every pixel with its own tag; as slow and as faulty as a test wants it."""

    tag: int = 1
    sleep_s: float = 0.0
    fault: Callable[[int], Exception | None] = lambda _index: None
    notice: str = ""
    id: int = field(default_factory=lambda: next(_ids))
    name: str = "tiny"
    expected: float = 0.0  #: s

    def expected_s(self, frame: Frame, *, first: bool = False) -> float:
        del frame, first
        return self.expected

    def parse(self, frame: Frame, smoothing: Smoother | None = None) -> Result:
        del smoothing
        if self.sleep_s:
            time.sleep(self.sleep_s)
        error = self.fault(frame.index)
        if error is not None:
            raise error
        labels = np.full((4, 4), self.tag, np.uint8)
        full = np.full((4, 4), 255, np.uint8)
        return Result(Parsing(S31, frame.size, labels, full, full.copy()))


@dataclass(frozen=True)
class SlowEngine:
    """A real engine that takes longer."""

    real: Engine
    sleep_s: float

    @property
    def id(self) -> int:
        return self.real.id

    @property
    def name(self) -> str:
        return self.real.name

    @property
    def notice(self) -> str:
        return self.real.notice

    def expected_s(self, frame: Frame, *, first: bool = False) -> float:
        return self.real.expected_s(frame, first=first)

    def parse(self, frame: Frame, smoothing: Smoother | None = None) -> Result:
        time.sleep(self.sleep_s)
        return self.real.parse(frame, smoothing)


@pytest.fixture(scope="session")
def tiny() -> type[TinyEngine]:
    return TinyEngine


@pytest.fixture(scope="session")
def slow() -> type[SlowEngine]:
    return SlowEngine


@pytest.fixture(scope="session")
def real_engine() -> Engine:
    """The shipped model, looking at small pictures so that a test takes milliseconds."""
    engine = load_engine("factored-s31", device="cpu")
    return replace(engine, size=NetworkSize(96))
