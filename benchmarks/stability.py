"""Temporal consistency of a clip's labels with and without smoothing, and the cost of smoothing.

`python -m benchmarks.stability [CLIP...] [--frames N]`. Temporal consistency TC warps the labels before
by the optical flow (Farnebäck) and compares: mean IoU over the labels present, where flow there and back
agrees to a pixel. Flicker is the share of still pixels (flow below half a pixel, colour change below 5)
whose label changes; the second figure counts only still pixels that are a person in one of the two frames.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from runtime.engine.engine import load_engine
from runtime.engine.sessions import NoResultError
from runtime.engine.temporal import Smoother
from runtime.frames import Frame
from runtime.media.clips import Clip

Labels = NDArray[np.uint8]
STILL_PX, STILL_LEVELS, AGREE_PX = 0.5, 5, 1.0
CLIPS = ("taichi.mp4", "juggling.mp4", "walking.mp4", "two_men.mp4")


@dataclass
class FlowField:
    """Between two frames at the labels' size."""

    back: NDArray[np.float32]  #: (h, w, 2) from each pixel now to where it was, px
    agrees: NDArray[np.bool_]  #: flow there and back cancel
    still: NDArray[np.bool_]  #: neither moved nor changed colour


@dataclass
class Measures:
    """Sums over a clip."""

    consistency: list[float] = field(default_factory=list)
    flicker: list[float] = field(default_factory=list)
    flicker_on_people: list[float] = field(default_factory=list)
    ms: list[float] = field(default_factory=list)

    def add(self, before: Labels, now: Labels, motion: FlowField) -> None:
        """Compare two consecutive label maps."""
        rows, columns = np.indices(now.shape, dtype=np.float32)
        warped = cv2.remap(
            before, columns + motion.back[..., 0], rows + motion.back[..., 1], cv2.INTER_NEAREST
        )
        seen = motion.agrees
        pairs = np.asarray(warped, np.int64)[seen] * 256 + now[seen]
        both = np.bincount(pairs, minlength=65536).reshape(256, 256)
        hit, union = np.diag(both), both.sum(0) + both.sum(1) - np.diag(both)
        if union[1:].any():
            self.consistency.append(float((hit[1:][union[1:] > 0] / union[1:][union[1:] > 0]).mean()))
        changed, people = before != now, (before > 0) | (now > 0)
        for values, where in ((self.flicker, motion.still), (self.flicker_on_people, motion.still & people)):
            if where.any():
                values.append(float(changed[where].mean()))

    def line(self) -> str:
        """One line."""
        means = (float(np.mean(v)) if v else float("nan") for v in (self.consistency, self.flicker))
        people = float(np.mean(self.flicker_on_people)) if self.flicker_on_people else float("nan")
        tc, flicker = means
        ms = float(np.median(self.ms))
        return f"TC {tc:.4f}   flicker {flicker:.2%}, on people {people:.2%}   parse {ms:.1f} ms"


def motion(before: NDArray[np.uint8], now: NDArray[np.uint8]) -> FlowField:
    """Farnebäck both ways between two RGB pictures of one size."""
    old, new = (np.asarray(cv2.cvtColor(p, cv2.COLOR_RGB2GRAY), np.uint8) for p in (before, now))
    back, there = flow(new, old), flow(old, new)
    rows, columns = np.indices(new.shape, dtype=np.float32)
    returned = cv2.remap(there, columns + back[..., 0], rows + back[..., 1], cv2.INTER_LINEAR)
    agrees = np.linalg.norm(back + np.asarray(returned, np.float32), axis=2) < AGREE_PX
    unchanged = np.abs(before.astype(np.int16) - now).max(axis=2) < STILL_LEVELS
    return FlowField(back, agrees, (np.linalg.norm(back, axis=2) < STILL_PX) & unchanged)


def flow(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(h, w, 2): where each pixel of `a` is in `b`."""
    start = np.zeros((*a.shape, 2), np.float32)
    return np.asarray(cv2.calcOpticalFlowFarneback(a, b, start, 0.5, 4, 15, 3, 5, 1.2, 0), np.float32)


def measure(frames: Iterator[Frame], model: str) -> dict[str, Measures]:
    """Both ways over the same frames."""
    engine = load_engine(model, device="cpu")
    ways = {"without": (Measures(), None), "with": (Measures(), Smoother())}
    before: dict[str, Labels] = {}
    picture: NDArray[np.uint8] | None = None
    for frame in frames:
        moved: FlowField | None = None
        small = picture
        for name, (measures, smoother) in ways.items():
            start = time.thread_time()
            try:
                labels = engine.parsing(frame, smoother).labels
            except NoResultError:
                continue
            measures.ms.append((time.thread_time() - start) * 1e3)
            if moved is None:
                now = np.asarray(
                    cv2.resize(frame.image, labels.shape[::-1], interpolation=cv2.INTER_AREA), np.uint8
                )
                moved = None if picture is None else motion(picture, now)
                small = now
            if moved is not None and name in before:
                measures.add(before[name], labels, moved)
            before[name] = labels
        picture = small
    return {name: measures for name, (measures, _) in ways.items()}


def main(arguments: list[str]) -> int:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__)
    folder = Path("../shared/data/clips")
    options.add_argument("clips", type=Path, nargs="*", default=[folder / c for c in CLIPS])
    options.add_argument("--frames", type=int, default=100)
    options.add_argument("--model", default="factored-s31")
    chosen = options.parse_args(arguments)
    for path in chosen.clips:
        with Clip(path) as clip:
            for name, measures in measure(islice(clip.frames(), chosen.frames), chosen.model).items():
                print(f"{path.name:20s} {name:8s} {measures.line()}", flush=True)  # noqa: T201 - the output
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
