"""Sources and engines for the live path: real ones where they can run, scripted where a fault is needed."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from models.labels import S31
from models.results import Parsing
from runtime.engine.engine import Engine, load_engine
from runtime.engine.letterbox import NetworkSize
from runtime.engine.temporal import Smoother
from runtime.frames import Frame
from runtime.media.feeds import FeedInfo

_ids = itertools.count(10_000)


@dataclass
class ScriptedFeed:
    """Frames whose every pixel is their index; counts how it is opened and closed."""

    count: int = 50
    rate: float = 100.0
    live: bool = False
    size: tuple[int, int] = (32, 32)
    pace: bool = False  #: a live source waits for its own clock
    opened: int = 0
    closed: int = 0
    starts: list[int] = field(default_factory=list)
    fault_at: int = -1
    notices: tuple[str, ...] = ()
    claims: int = 0  #: frames that the header promises, when that is not true

    def __call__(self) -> ScriptedFeed:
        self.opened += 1
        return self

    @property
    def info(self) -> FeedInfo:
        frames = 0 if self.live else self.claims or self.count
        return FeedInfo("scripted", self.live, self.size, frames, self.rate, self.notices)

    def frames(self, start: int = 0) -> Iterator[Frame]:
        self.starts.append(start)
        for index in range(start, self.count):
            if index == self.fault_at:
                raise UnicodeDecodeError("utf-8", b"x", 0, 1, "what a damaged file makes decoders raise")
            if self.live and not self.closed:
                time.sleep(1 / self.rate)
            image = np.full((self.size[1], self.size[0], 3), index % 256, np.uint8)
            yield Frame(image, index, index / self.rate, time.monotonic())

    def close(self) -> None:
        self.closed += 1


@dataclass(frozen=True)
class TinyEngine:
    """Labels every pixel with its own tag; as slow and as faulty as a test wants it."""

    tag: int = 1
    sleep_s: float = 0.0
    fault: Callable[[int], Exception | None] = lambda _index: None
    notice: str = ""
    id: int = field(default_factory=lambda: next(_ids))
    name: str = "tiny"

    def parse(self, frame: Frame, smoothing: Smoother | None = None) -> Parsing:
        del smoothing
        if self.sleep_s:
            time.sleep(self.sleep_s)
        error = self.fault(frame.index)
        if error is not None:
            raise error
        labels = np.full((4, 4), self.tag, np.uint8)
        full = np.full((4, 4), 255, np.uint8)
        return Parsing(S31, frame.size, labels, full, full.copy())


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

    def parse(self, frame: Frame, smoothing: Smoother | None = None) -> Parsing:
        time.sleep(self.sleep_s)
        return self.real.parse(frame, smoothing)


@pytest.fixture(scope="session")
def scripted() -> type[ScriptedFeed]:
    return ScriptedFeed


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


@pytest.fixture
def until() -> Callable[..., None]:
    """Wait for a condition of another thread; fail in words when it does not come."""

    def wait(condition: Callable[[], object], what: str = "the condition", patience_s: float = 20.0) -> None:
        end_s = time.monotonic() + patience_s
        while not condition():
            assert time.monotonic() < end_s, f"{what} did not come true in {patience_s} s"
            time.sleep(0.002)

    return wait
