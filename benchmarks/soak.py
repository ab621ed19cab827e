"""Hours of the live path: recordings, swaps, sources opened again, previews; memory, descriptors, lateness.

`python -m benchmarks.soak --hours 8`; exit code 1 when memory climbs, descriptors or threads stay behind, or
pictures get later or older than one inference and two frame times. The clip comes twice as fast as it is
parsed, so frames are always being overtaken.
"""

from __future__ import annotations

import argparse
import ctypes
import gc
import json
import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import fields
from pathlib import Path
from typing import Any, Final

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

SLOPE_MB_H: Final = 8.0  #: allowed of the least of two minutes, after `SETTLE_S`
LATER: Final = 1.5  #: p99 of the last part over that of the first
SETTLE_S: Final = 900.0  #: allocators and caches; a quarter of a run under an hour
SAMPLE_S: Final = 10.0
INTERVAL_S: Final = 0.2  #: between two results: others may work on the machine
AGE_S: Final = INTERVAL_S + 2 * 0.1  #: of a picture, at most: one inference and two frame times


class ThrottledEngine(Engine):
    """An engine that gives a result every `INTERVAL_S` at most."""

    def parse(self, frame: Frame, smoothing: Smoother | None = None) -> Result:
        """The result, late."""
        until_s = time.monotonic() + INTERVAL_S
        result = super().parse(frame, smoothing)
        time.sleep(max(0.0, until_s - time.monotonic()))
        return result


def throttled(model: str) -> ThrottledEngine:
    """A model of the library, loaded now."""
    engine = load_engine(model, device="cpu", size=NetworkSize(256))
    return ThrottledEngine(**{f.name: getattr(engine, f.name) for f in fields(engine) if f.init})


def process_size() -> tuple[float, int, int]:
    """MB in use, without what the C library keeps of freed memory; open descriptors; threads."""
    gc.collect()
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    descriptors = len(list(Path("/proc/self/fd").iterdir()))
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6, descriptors, threading.active_count()


class Soak:
    """One run: the pipeline, and what is done to it every so many seconds."""

    def __init__(self, clip: Path, model: str, folder: Path) -> None:
        self.clip, self.model, self.folder = clip, model, folder
        self.notification = threading.Event()
        self.pipeline = Pipeline(self.notification.set)
        self.previews: Previews | None = None
        self.dropped = 0
        self.ages_s: list[float] = []
        self.sizes: list[tuple[float, float, int, int]] = []  # hours, MB, descriptors, threads
        self.engines = [throttled(model), throttled(model)]
        self.actions: dict[str, tuple[float, Callable[[int], None]]] = {
            "swap": (2.0, self.swap), "open": (15.0, self.open), "record": (30.0, self.record),
            "load": (120.0, self.load), "preview": (60.0, self.preview),
        }  # fmt: skip
        cv2.imwrite(str(folder / "silhouette.png"), np.full((720, 1280), SURE, np.uint8))

    def swap(self, turn: int) -> None:
        """The other engine."""
        self.pipeline.use(self.engines[turn % 2])

    def open(self, _: int) -> None:
        """The clip from its start, in a new capture."""
        self.dropped += self.pipeline.dropped
        playback = Playback(speed=0.4, loop=True)  # 10 frames a second of the sample
        self.pipeline.open(lambda: open_feed(classify(str(self.clip))), playback)

    def record(self, _: int) -> None:
        """Another recording in the place of the last; the clip's next opening ends it."""
        path = self.folder / "recording.mp4"
        path.unlink(missing_ok=True)
        self.pipeline.record(path, lambda parsed: parsed.frame.image, 1 / INTERVAL_S)

    def load(self, turn: int) -> None:
        """The model again, from its files."""
        self.engines[turn % 2] = throttled(self.model)

    def preview(self, turn: int) -> None:
        """Previews of another personalisation."""
        self.stop_previews()
        self.previews = Previews(self.clip, self.notification.set)
        self.previews.start()
        self.previews.offer(FrameSilhouette(turn % 10, str(self.folder / "silhouette.png")), keep=False)

    def stop_previews(self) -> None:
        """End the last ones."""
        if self.previews is not None:
            self.previews.take()
            self.previews.stop()
            self.previews.join(5.0)

    def run(self, hours: float) -> dict[str, Any]:
        """Work for hours, and report."""
        self.pipeline.start()
        self.swap(0)
        self.open(0)
        began_s = time.monotonic()
        done = dict.fromkeys(self.actions, 0)
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
            if now_s > len(self.sizes) * SAMPLE_S:
                self.sizes.append((now_s / 3600, *process_size()))
        self.stop_previews()
        self.dropped += self.pipeline.dropped
        return self.report(hours, done, len(self.pipeline.stop(5.0)))

    def report(self, hours: float, done: dict[str, int], stuck: int) -> dict[str, Any]:
        """Figures of the run, and whether nothing grew."""
        sizes = np.array(self.sizes)
        sizes = sizes[sizes[:, 0] > min(SETTLE_S, 900 * hours) / 3600]
        each = max(1, min(12, len(sizes) // 4))  # recordings and loads come and go within two minutes
        lows = sizes[: len(sizes) // each * each].reshape(-1, each, 4).min(1)
        slope = float(np.polyfit(lows[:, 0], lows[:, 1], 1)[0])
        tenth, pictures = len(sizes) // 10 + 1, len(self.ages_s) // 10 + 1
        first, last = (np.median(part, 0).tolist() for part in (sizes[:tenth], sizes[-tenth:]))
        early, late = (1e3 * float(np.percentile(a, 99)) for a in
                       (self.ages_s[:pictures], self.ages_s[-pictures:]))  # fmt: skip
        stays = last[2] <= first[2] + 2 and last[3] <= first[3] + 1 and not stuck
        return {
            "hours": hours, "pictures": len(self.ages_s), "dropped": self.dropped, **done,
            **{name: [first[i], last[i]] for i, name in enumerate(("mb", "descriptors", "threads"), start=1)},
            "slope_mb_h": slope, "stuck_threads": stuck, "age_p99_ms": [early, late],
            "in_time": float(np.mean(np.array(self.ages_s) <= AGE_S)),
            "sound": stays and slope <= SLOPE_MB_H and late <= min(LATER * early, 1e3 * AGE_S),
        }  # fmt: skip


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--hours", type=float, default=8.0)
    parser.add_argument("--clip", type=Path, default=paths.sample_clip())
    parser.add_argument("--model", default="factored-s31")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="xfactor-soak-") as folder:
        report = Soak(given.clip, given.model, Path(folder)).run(given.hours)
    sys.stdout.write(json.dumps(report, indent=2) + "\n")
    return 0 if report["sound"] else 1


if __name__ == "__main__":
    sys.exit(main())
