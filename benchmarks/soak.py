"""The live path for minutes, with a model ten times too slow: memory, and how old the pictures are.

`python -m benchmarks.soak --minutes 10`; exit code 1 when memory grows by 50 MB or pictures get old.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import statistics
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from app.live.pipeline import Pipeline
from models.results import Result
from runtime.engine.engine import Engine, load_engine
from runtime.engine.letterbox import NetworkSize
from runtime.engine.temporal import Smoother
from runtime.frames import Frame
from runtime.media.capture import Playback
from runtime.media.feeds import open_feed
from runtime.media.sources import classify
from runtime.system import paths

GROWTH_MB = 50.0  # allowed in all, after the first minute
WARM_UP_S = 15.0  # allocators and caches settle
TOO_SLOW = 10.0  # times the interval between two frames


@dataclass(frozen=True)
class TooSlow:
    """An engine that takes ten times as long as the clip gives it."""

    real: Engine
    sleep_s: float

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

    def parse(self, frame: Frame, smoothing: Smoother | None = None) -> Result:
        """The real result, late."""
        time.sleep(self.sleep_s)
        return self.real.parse(frame, smoothing)


def resident_mb() -> float:
    """Memory of this process, MB."""
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def soak(clip: Path, minutes: float, model: str) -> dict[str, float]:
    """Run, and report."""
    notification = threading.Event()
    pipeline = Pipeline(notification.set)
    pipeline.start()
    engine = load_engine(model, device="cpu", size=NetworkSize(256))
    feed = open_feed(classify(str(clip)))
    interval_s = 1 / feed.info.rate
    feed.close()
    pipeline.use(TooSlow(engine, TOO_SLOW * interval_s))
    pipeline.open(lambda: open_feed(classify(str(clip))), Playback(loop=True))
    ages_s: list[float] = []
    memory_mb: list[float] = []
    began_s = time.monotonic()
    next_s = began_s + WARM_UP_S
    while time.monotonic() - began_s < minutes * 60:
        notification.wait(0.1)
        notification.clear()
        parsed = pipeline.parsed.take(0)
        if parsed is not None:
            ages_s.append(time.monotonic() - parsed.frame.captured_s)
        if time.monotonic() > next_s:
            gc.collect()
            memory_mb.append(resident_mb())
            next_s += 5.0
    report = {
        "minutes": minutes,
        "pictures": len(ages_s),
        "dropped": pipeline.dropped,
        "infer_ms": pipeline.rate.infer_ms,
        "age_p50_ms": 1e3 * statistics.median(ages_s),
        "age_max_in_infer_times": 1e3 * max(ages_s[3:]) / pipeline.rate.infer_ms,
        "memory_first_mb": memory_mb[0],
        "memory_last_mb": memory_mb[-1],
        "growth_mb": max(memory_mb) - memory_mb[0],
    }
    stuck = pipeline.stop()
    return {**report, "stuck_threads": len(stuck)}


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--clip", type=Path, default=paths.sample_clip())
    parser.add_argument("--model", default="factored-s31")
    arguments = parser.parse_args()
    report = soak(arguments.clip, arguments.minutes, arguments.model)
    sys.stdout.write(json.dumps({k: round(v, 2) for k, v in report.items()}, indent=2) + "\n")
    good = (
        report["growth_mb"] < GROWTH_MB
        and report["age_max_in_infer_times"] < 2
        and not report["stuck_threads"]
    )
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
