"""Hours of the live path: recordings, swaps, sources opened again, previews; memory, descriptors, lateness.

`python -m benchmarks.soak --hours 8`; exit code 1 when memory climbs, descriptors or threads stay behind, or
pictures get later. The clip comes twice as fast as it is parsed, so frames are always being overtaken.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from app.live.pipeline import Pipeline
from models.results import Result
from personalize.client.previews import SURE, Previews
from personalize.messages import FrameSilhouette
from runtime.engine.engine import Engine, load_engine
from runtime.engine.letterbox import NetworkSize
from runtime.engine.temporal import Smoother
from runtime.frames import Frame
from runtime.media.capture import Playback
from runtime.media.feeds import open_feed
from runtime.media.sources import classify
from runtime.system import paths

SLOPE_MB_H: Final = 8.0  #: allowed, after `SETTLE_S`
LATER: Final = 1.5  #: p99 of the last part over that of the first
SETTLE_S: Final = 900.0  #: allocators and caches; a quarter of a run under an hour
SAMPLE_S: Final = 10.0


@dataclass(frozen=True)
class Throttled:
    """An engine that gives `rate` results a second at most."""

    real: Engine
    interval_s: float

    @property
    def id(self) -> int:
        """As the real one."""
        return self.real.id

    @property
    def name(self) -> str:
        """As the real one."""
        return self.real.name

    @property
    def notice(self) -> str:
        """As the real one."""
        return self.real.notice

    def expected_s(self, frame: Frame, *, first: bool = False) -> float:
        """As of the real one."""
        return self.real.expected_s(frame, first=first)

    def parse(self, frame: Frame, smoothing: Smoother | None = None) -> Result:
        """The real result, late."""
        until_s = time.monotonic() + self.interval_s
        result = self.real.parse(frame, smoothing)
        time.sleep(max(0.0, until_s - time.monotonic()))
        return result


@dataclass(frozen=True)
class ProcessSize:
    """Memory, descriptors and threads of this process at one moment."""

    at_s: float
    resident_mb: float
    descriptors: int
    threads: int


def sample(at_s: float) -> ProcessSize:
    """Take one of this process."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    megabytes = pages * os.sysconf("SC_PAGE_SIZE") / 1e6
    return ProcessSize(at_s, megabytes, len(list(Path("/proc/self/fd").iterdir())), threading.active_count())


@dataclass(frozen=True)
class SoakFigures:
    """Figures of one run."""

    hours: float
    pictures: int
    dropped: int
    actions: dict[str, int]
    slope_mb_h: float
    resident_mb: tuple[float, float]  #: first and last sample of the settled part
    descriptors: tuple[int, int]  #: medians of the first and last tenth of the settled part
    threads: tuple[int, int]
    age_p99_ms: tuple[float, float]  #: of the pictures on show, first and last tenth of the run
    stuck_threads: int

    @property
    def sound(self) -> bool:
        """True when nothing grows."""
        stays = self.descriptors[1] <= self.descriptors[0] + 2 and self.threads[1] <= self.threads[0] + 1
        in_time = self.age_p99_ms[1] <= LATER * self.age_p99_ms[0]
        return self.slope_mb_h <= SLOPE_MB_H and stays and in_time and not self.stuck_threads


class Soak:
    """One run: the pipeline, and what is done to it every so many seconds."""

    def __init__(self, clip: Path, model: str, rate: float, folder: Path) -> None:
        self.clip, self.model, self.rate, self.folder = clip, model, rate, folder
        self.notification = threading.Event()
        self.pipeline = Pipeline(self.notification.set)
        self.previews: Previews | None = None
        self.dropped = 0
        self.ages_s: list[float] = []
        with_size = load_engine(model, device="cpu", size=NetworkSize(256))
        self.engines = [with_size, with_size.with_factor(None)]
        self.actions: dict[str, tuple[float, Callable[[int], None]]] = {
            "swap": (2.0, self.swap), "open": (15.0, self.open), "record": (30.0, self.record),
            "load": (120.0, self.load), "preview": (60.0, self.preview),
        }  # fmt: skip
        mask = np.full((720, 1280), SURE, np.uint8)
        cv2.imwrite(str(folder / "silhouette.png"), mask)

    def swap(self, turn: int) -> None:
        """Another engine over the same stages, as a factor swap gives one."""
        self.pipeline.use(Throttled(self.engines[turn % 2], 1 / self.rate))

    def open(self, _: int) -> None:
        """The clip from its start, in a new capture."""
        self.dropped += self.pipeline.dropped
        feed = open_feed(classify(str(self.clip)))
        speed = 2 * self.rate / feed.info.rate
        feed.close()
        self.pipeline.open(lambda: open_feed(classify(str(self.clip))), Playback(speed=speed, loop=True))

    def record(self, _: int) -> None:
        """Another recording in the place of the last; the clip's next opening ends it."""
        path = self.folder / "recording.mp4"
        path.unlink(missing_ok=True)
        self.pipeline.record(path, lambda parsed: parsed.frame.image, self.rate)

    def load(self, turn: int) -> None:
        """The model again, from its files."""
        self.engines[turn % 2] = load_engine(self.model, device="cpu", size=NetworkSize(256))

    def preview(self, turn: int) -> None:
        """Previews of another personalisation."""
        self.stop_previews()
        self.previews = Previews(self.clip, self.notification.set)
        self.previews.start()
        self.previews.offer(FrameSilhouette(turn % 100, str(self.folder / "silhouette.png")))

    def stop_previews(self) -> None:
        """End the last ones."""
        if self.previews is not None:
            self.previews.take()
            self.previews.stop()
            self.previews.join(5.0)

    def run(self, hours: float) -> SoakFigures:
        """Work for hours, and report."""
        self.pipeline.start()
        self.swap(0)
        self.open(0)
        began_s = time.monotonic()
        done = dict.fromkeys(self.actions, 0)
        samples: list[ProcessSize] = []
        while (now_s := time.monotonic() - began_s) < 3600 * hours:
            self.notification.wait(0.1)
            self.notification.clear()
            parsed = self.pipeline.parsed.take(0)
            if parsed is not None:
                self.ages_s.append(time.monotonic() - parsed.frame.captured_s)
            for name, (every_s, act) in self.actions.items():
                if now_s > (done[name] + 1) * every_s:
                    act(done[name])
                    done[name] += 1
            self.pipeline.notices.drain()
            if now_s > len(samples) * SAMPLE_S:
                samples.append(sample(now_s))
        self.stop_previews()
        self.dropped += self.pipeline.dropped
        return self.report(hours, done, samples, len(self.pipeline.stop(5.0)))

    def report(
        self, hours: float, done: dict[str, int], samples: list[ProcessSize], stuck: int
    ) -> SoakFigures:
        """Figures of what was seen."""
        settled = [s for s in samples if s.at_s > min(SETTLE_S, 900 * hours)]
        tenth, pictures = max(1, len(settled) // 10), max(1, len(self.ages_s) // 10)
        at_h, held = [s.at_s / 3600 for s in settled], [s.resident_mb for s in settled]
        first, last = settled[:tenth], settled[-tenth:]

        def ends(name: str) -> tuple[int, int]:
            sides = (statistics.median(getattr(s, name) for s in side) for side in (first, last))
            before, after = (round(side) for side in sides)
            return before, after

        early, late = (1e3 * float(np.percentile(a, 99)) for a in
                       (self.ages_s[:pictures], self.ages_s[-pictures:]))  # fmt: skip
        slope = float(np.polyfit(at_h, held, 1)[0])
        return SoakFigures(hours, len(self.ages_s), self.dropped, done, round(slope, 2),
                      (round(held[0], 1), round(held[-1], 1)), ends("descriptors"), ends("threads"),
                      (round(early, 1), round(late, 1)), stuck)  # fmt: skip


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--hours", type=float, default=8.0)
    parser.add_argument("--rate", type=float, default=5.0, help="results a second")
    parser.add_argument("--clip", type=Path, default=paths.sample_clip())
    parser.add_argument("--model", default="factored-s31")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="xfactor-soak-") as folder:
        report = Soak(given.clip, given.model, given.rate, Path(folder)).run(given.hours)
    sys.stdout.write(json.dumps({**asdict(report), "sound": report.sound}, indent=2) + "\n")
    return 0 if report.sound else 1


if __name__ == "__main__":
    sys.exit(main())
