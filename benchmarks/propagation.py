"""Patch correspondence and label propagation, beside the plain search.

`python -m benchmarks.propagation [CLIP] [--frames N] [--size N] [--rounds N]`. Without a clip
the frames are made up: a textured scene that pans behind a moving square. The plain search is the same
exhaustive one as it is usually written with OpenCV: one direction at a time, in floating point. All ways take
turns over the same pairs in one run; figures are medians. CPU time says what it costs where the machine is
busy, wall time what was waited for.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
from collections.abc import Callable, Sequence
from itertools import islice
from statistics import median

import cv2
import numpy as np
from numpy.typing import NDArray

from personalize.correspondence import LabScale, PatchSearch, by_length, match_pair, match_window
from personalize.propagation import PropagationConfig, propagate
from personalize.seeds import WINDOW, working_size
from runtime.media.clips import Clip

Picture = NDArray[np.uint8]


def made_up(count: int, size: int) -> list[Picture]:
    """(size, size, 3) RGB frames of known motion."""
    random = np.random.default_rng(0)
    wide = cv2.GaussianBlur(random.integers(0, 255, (size, size + 2 * count, 3)).astype(np.uint8), (0, 0), 2)
    square = random.integers(0, 255, (size // 4, size // 4, 3)).astype(np.uint8)
    frames: list[Picture] = []
    for k in range(count):
        frame = np.array(wide[:, 2 * k : 2 * k + size], np.uint8)
        x = 3 * k % (size - size // 4)
        frame[size // 3 : size // 3 + size // 4, x : x + size // 4] = square
        frames.append(frame)
    return frames


def of_clip(path: str, count: int, size: int) -> list[Picture]:
    """RGB frames of a clip at the working size."""
    with Clip(path) as clip:
        frames = [frame.image for frame in islice(clip.frames(), count)]
    small = working_size(frames[0].shape[1], frames[0].shape[0], size)
    return [np.asarray(cv2.resize(f, small, interpolation=cv2.INTER_AREA), np.uint8) for f in frames]


def plain(target: Picture, source: Picture, search: PatchSearch) -> NDArray[np.int16]:
    """Rank of the best displacement of every pixel, the straightforward way."""
    rim, reach = search.patch // 2, search.reach
    height, width = target.shape[:2]
    here = cv2.copyMakeBorder(target, rim, rim, rim, rim, cv2.BORDER_REPLICATE).astype(np.float32)
    edge = rim + reach
    there = cv2.copyMakeBorder(source, edge, edge, edge, edge, cv2.BORDER_REPLICATE).astype(np.float32)
    best = np.full((height, width), np.inf, np.float32)
    ranks = np.zeros((height, width), np.int16)
    ones = np.ones((1, 3), np.float32)
    for rank, (dy, dx) in enumerate(by_length(reach).tolist()):
        y, x = reach + dy, reach + dx
        away = cv2.subtract(here, there[y : y + here.shape[0], x : x + here.shape[1]])
        squares = cv2.transform(cv2.multiply(away, away), ones)
        cost = cv2.boxFilter(squares, cv2.CV_32F, (search.patch, search.patch), normalize=False)
        cost = cost[rim : rim + height, rim : rim + width]
        better = cost < best
        np.copyto(best, cost, where=better)
        np.copyto(ranks, rank, where=better)
    return ranks


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """(CPU, wall) milliseconds of this thread."""
    cpu, wall = time.thread_time(), time.perf_counter()
    work()
    return 1e3 * (time.thread_time() - cpu), 1e3 * (time.perf_counter() - wall)


def pairs(frames: Sequence[Picture], rounds: int) -> None:
    """One pair, both directions of time, every way in turn."""
    exhaustive = PatchSearch()
    colours = LabScale.of(frames, exhaustive.levels)
    levels = [colours(f) for f in frames]
    searches = {
        "ours, exhaustive": exhaustive,
        "ours, exhaustive, 7x7 patches": PatchSearch(patch=7),
    }
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in (*searches, "plain, exhaustive")}
    for k in np.linspace(0, len(frames) - 2, rounds).astype(int):
        one, two = levels[k], levels[k + 1]
        for name, search in searches.items():
            shrunk = np.minimum(one, search.levels), np.minimum(two, search.levels)
            times[name].append(timed(lambda s=search, p=shrunk: match_pair(p[0], p[1], s)))  # type: ignore[misc]
        both = [(one, two), (two, one)]
        times["plain, exhaustive"].append(
            timed(lambda b=both: [plain(p[0], p[1], exhaustive) for p in b])  # type: ignore[misc]
        )
    for name, figures in times.items():
        cpu, wall = (median(column) for column in zip(*figures, strict=True))
        say(f"  {name:36s} {cpu:7.0f} ms CPU  {wall:7.0f} ms wall   per pair, both directions")


def whole(frames: Sequence[Picture]) -> None:
    """The window from pictures to silhouettes."""
    cpu, wall = time.process_time(), time.perf_counter()
    links = match_window(frames)
    linked = time.process_time() - cpu, time.perf_counter() - wall
    height, width = links.size
    seeds = np.full((len(frames), height, width), 0.5, np.float32)
    seeds[::3, height // 3 : height // 2, width // 3 : width // 2] = 0.99
    seeds[::3, :4] = 0.01
    say(f"window of {len(frames)} frames at {width}x{height}")
    say(f"  {'linking, both directions':36s} {linked[0]:7.1f} s CPU  {linked[1]:7.1f} s wall")
    for name, config in (
        ("propagation", PropagationConfig()),
        ("propagation, smoothed", PropagationConfig(smoothness=2.0)),
    ):
        cpu, wall = time.process_time(), time.perf_counter()
        propagate(links, list(seeds), config, frames=frames)
        say(f"  {name:36s} {time.process_time() - cpu:7.1f} s CPU  {time.perf_counter() - wall:7.1f} s wall")


def say(line: str) -> None:
    """One line, at once."""
    print(line, flush=True)  # noqa: T201 - the benchmark's output


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the figures."""
    parser = argparse.ArgumentParser(prog="benchmarks.propagation", description=__doc__.split("\n")[0])
    parser.add_argument("clip", nargs="?", help="a clip; made-up frames without one")
    parser.add_argument("--frames", type=int, default=WINDOW)
    parser.add_argument("--size", type=int, default=256, help="long side, px")
    parser.add_argument("--rounds", type=int, default=15, help="pairs that every way is timed on")
    chosen = parser.parse_args(arguments)
    cv2.setNumThreads(1)
    count = max(chosen.frames, 2)
    frames = of_clip(chosen.clip, count, chosen.size) if chosen.clip else made_up(count, chosen.size)
    pairs(frames, chosen.rounds)
    whole(frames)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    say(f"  most memory of this process          {peak:7.0f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
