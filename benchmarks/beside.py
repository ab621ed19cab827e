"""Cost of a personalisation to the live picture: at least 0.8 of its frame rate must be left (H08).

`python -m benchmarks.beside [CLIP] [--seconds N]`. The live path parses a clip as fast as it can while the
worker, in its own process, is halted and let go on in turn, a few seconds each: whatever else this machine
does meets both alike.
"""

from __future__ import annotations

import argparse
import itertools
import os
import signal
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from app.live.pipeline import Pipeline
from app.settings import thread_budget
from personalize.client.supervisor import Supervisor
from personalize.job import PersonalizationJob, write_job
from runtime.engine.engine import load_engine
from runtime.frames import Frame
from runtime.media.clips import Clip
from runtime.media.feeds import FeedInfo
from runtime.system import paths

LEAST = 0.8
ROUND_S = 4.0
SETTLE_S = 0.5  # after each change
LIVE_FPS = 200  # more than any network: the live path is never short of frames
KEPT = 60  # decoded once, so that decoding is not what is measured
PHASES_WITHOUT_LOAD = {"reading"}


class Endless:
    """A camera that shows the same second over and over."""

    def __init__(self, clip: Path) -> None:
        with Clip(clip) as opened:
            self._frames = list(itertools.islice(opened.frames(), KEPT))

    @property
    def info(self) -> FeedInfo:
        """Live."""
        return FeedInfo("endless", live=True, size=self._frames[0].size, frames=0, rate=LIVE_FPS)

    def frames(self, start: int = 0) -> Iterator[Frame]:
        """For ever."""
        for index in itertools.count(start):
            time.sleep(1 / LIVE_FPS)
            frame = self._frames[index % len(self._frames)]
            yield replace(frame, index=index, pts_s=index / LIVE_FPS, captured_s=time.monotonic())

    def close(self) -> None:
        """Nothing is open."""


def results_in(pipeline: Pipeline, notification: threading.Event, seconds: float) -> int:
    """The number of results within the time."""
    count, end_s = 0, time.monotonic() + seconds
    while time.monotonic() < end_s:
        notification.wait(0.05)
        notification.clear()
        count += pipeline.parsed.take(0) is not None
    return count


def measure(clip: Path, seconds: float) -> tuple[list[float], list[float], set[str]]:
    """Frame rates with the worker halted and with it running, in turn; the phases that it was in."""
    notification = threading.Event()
    pipeline = Pipeline(notification.set)
    halted: list[float] = []
    working: list[float] = []
    phases: set[str] = set()
    with tempfile.TemporaryDirectory() as folder:
        job = Path(folder) / "job"
        write_job(job, PersonalizationJob(clip.absolute(), "benchmark", paths.models_dir() / "factored-s31"))
        run = Supervisor(job, lambda: None)
        try:
            pipeline.start()
            pipeline.use(load_engine("factored-s31", device="cpu", threads=thread_budget().network))
            pipeline.open(lambda: Endless(clip))
            run.start()
            while run.outcome is None and (run.progress is None or run.progress.phase in PHASES_WITHOUT_LOAD):
                time.sleep(0.1)
            end_s = time.monotonic() + seconds
            while run.outcome is None and time.monotonic() < end_s:
                for rates, number in ((halted, signal.SIGSTOP), (working, signal.SIGCONT)):
                    if run.pid is None:
                        break
                    os.killpg(run.pid, number)
                    results_in(pipeline, notification, SETTLE_S)
                    rates.append(results_in(pipeline, notification, ROUND_S) / ROUND_S)
                if run.progress is not None:
                    phases.add(run.progress.phase)
        finally:
            run.cancel()
            run.join()
            pipeline.stop()
    pairs = min(len(halted), len(working))
    return halted[:pairs], working[:pairs], phases


def main(arguments: list[str] | None = None) -> int:
    """Measure, print, judge."""
    parser = argparse.ArgumentParser(description="The live frame rate with and without a personalisation.")
    parser.add_argument("clip", type=Path, nargs="?", default=paths.sample_clip())
    parser.add_argument("--seconds", type=float, default=90.0, help="how long to measure")
    given = parser.parse_args(arguments)
    halted, working, phases = measure(given.clip, given.seconds)
    if not halted:
        print("FAIL: the worker ended before anything was measured")  # noqa: T201 - the benchmark's output
        return 1
    without, with_it = statistics.median(halted), statistics.median(working)
    share = with_it / without
    print(  # noqa: T201
        f"worker halted {without:.1f} fps, working {with_it:.1f} fps: {share:.2f} "
        f"(median of {len(halted)} rounds of {ROUND_S:.0f} s each, {len(os.sched_getaffinity(0))} cores; "
        f"phases {', '.join(sorted(phases))})"
    )
    if share < LEAST:
        print(f"FAIL: less than {LEAST} of the frame rate is left")  # noqa: T201
    return int(share < LEAST)


if __name__ == "__main__":
    sys.exit(main())
