"""A source where a fault is needed, and patience, for tests of threads."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
import pytest

from runtime.frames import Frame
from runtime.media.feeds import FeedInfo


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
    given: int = 0  #: frames that were read
    claims: int = 0  #: frames that the header promises, when that is not true

    def __call__(self) -> ScriptedFeed:
        self.opened += 1
        return self

    @property
    def info(self) -> FeedInfo:
        frames = 0 if self.live else self.claims or self.count
        return FeedInfo("scripted", self.live, self.size, frames, self.rate, self.notices, camera=self.live)

    def frames(self, start: int = 0) -> Iterator[Frame]:
        self.starts.append(start)
        for index in range(start, self.count):
            if index == self.fault_at:
                raise UnicodeDecodeError("utf-8", b"x", 0, 1, "what a damaged file makes decoders raise")
            if self.live and not self.closed:
                time.sleep(1 / self.rate)
            self.given += 1
            image = np.full((self.size[1], self.size[0], 3), index % 256, np.uint8)
            yield Frame(image, index, index / self.rate, time.monotonic())

    def close(self) -> None:
        self.closed += 1


@pytest.fixture(scope="session")
def scripted() -> type[ScriptedFeed]:
    return ScriptedFeed


@pytest.fixture
def until() -> Callable[..., None]:
    """Wait for a condition of another thread; fail in words when it does not come."""

    def wait(condition: Callable[[], object], what: str = "the condition", patience_s: float = 20.0) -> None:
        end_s = time.monotonic() + patience_s
        while not condition():
            assert time.monotonic() < end_s, f"{what} did not come true in {patience_s} s"
            time.sleep(0.002)

    return wait
