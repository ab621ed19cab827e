"""What the upsampling from the network's grid does for the silhouette's edges, and what it costs.

`python -m benchmarks.edges [--data FOLDER] [--count N] [--size N]` scores the last N photos of `ccp` with
their hand-made silhouettes (255 left out): J is the mean IoU, F the boundary F at 0.8 % of the
diagonal. Each way gets the same P(person): the model's, and for comparison the true silhouette averaged
over the cells. Milliseconds are CPU time of one core per photo, medians, all in one run.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from models.codecs.guided_filter import refine_near
from models.codecs.parts import Decision, decide
from models.resize import average, resize
from runtime.engine.detail import FULL, LIVE, Detail
from runtime.engine.engine import Engine, load_engine
from runtime.engine.letterbox import NetworkSize
from runtime.engine.sessions import NoResultError
from runtime.engine.source import Request
from runtime.frames import Frame
from runtime.media.images import read_image
from training.metrics import boundary_f, silhouette_iou

Made = TypeVar("Made")
Map = NDArray[np.float32]
Way = Callable[[Map, Request], Map]
GREY_RADIUS, GREY_EPSILON = 3, 1e-3


@dataclass
class Row:
    """Scores of one way."""

    j: list[float] = field(default_factory=list)
    f: list[float] = field(default_factory=list)
    ms: list[float] = field(default_factory=list)

    def add(self, person: NDArray[np.bool_], truth: NDArray[np.uint8], ms: float) -> None:
        """Score one silhouette at its photo's size."""
        self.j.append(silhouette_iou(person, truth))
        self.f.append(boundary_f(person, truth))
        self.ms.append(ms)

    def show(self, name: str) -> None:
        """One line."""
        line = f"{name:44s} J {np.mean(self.j):.4f}   F {np.mean(self.f):.4f}   {np.median(self.ms):6.2f} ms"
        print(line, flush=True)  # noqa: T201 - the benchmark's output


def nearest(person: Map, request: Request) -> Map:
    """Blocks of 8 pixels, the starting point."""
    size = request.letterbox.content
    return np.asarray(cv2.resize(person, size, interpolation=cv2.INTER_NEAREST), np.float32)


def bilinear(person: Map, request: Request) -> Map:
    """Interpolation alone, no look at the picture."""
    return resize(person, request.letterbox.content)


def grey(person: Map, request: Request) -> Map:
    """A guided filter that sees brightness only."""
    across, down = request.letterbox.cells
    guide = np.asarray(cv2.cvtColor(request.picture, cv2.COLOR_RGB2GRAY), np.float32) / np.float32(255)
    small, values = average(guide, (2 * across, 2 * down)), resize(person, (2 * across, 2 * down))
    side = (2 * GREY_RADIUS + 1,) * 2
    mean, target = cv2.blur(small, side), cv2.blur(values, side)
    slope = (cv2.blur(small * values, side) - mean * target) / (
        cv2.blur(small * small, side) - mean * mean + GREY_EPSILON
    )
    offset = cv2.blur(target - slope * mean, side)
    size = request.letterbox.content
    wide = (resize(np.asarray(m, np.float32), size) for m in (cv2.blur(slope, side), offset))
    return next(wide) * guide + next(wide)


def colour(person: Map, request: Request) -> Map:
    """Ours: the guided filter of `runtime.engine.guided_filter`."""
    return refine_near((person,), request.context(request.letterbox.content))[0]


WAYS: dict[str, Way] = {
    "nearest x8": nearest,
    "bilinear x8": bilinear,
    "guided by brightness": grey,
    "guided by colour (ours)": colour,
}


def photos(folder: Path, count: int) -> Iterator[tuple[Frame, NDArray[np.uint8]]]:
    """The last photos by name, with their silhouettes."""
    for mask in sorted((folder / "silhouettes").glob("*.png"))[-count:]:
        image = next((folder / "images").glob(f"{mask.stem}.*"))
        truth = cv2.imread(str(mask), cv2.IMREAD_GRAYSCALE)
        if truth is None:
            raise ValueError(f"{mask} is not a picture")
        yield Frame(read_image(image), 0, 0.0, 0.0), np.asarray(truth, np.uint8)


def posteriors(engine: Engine, frame: Frame) -> tuple[Request, Map, Map]:
    """The request of one photo, P(person) and parts of the picture's cells."""
    (said,) = engine.forward.grid_maps((frame,))
    if isinstance(said, NoResultError):
        raise said
    return said.request, np.ascontiguousarray(said.maps["person"][0]), said.maps["parts"]


def main(arguments: list[str]) -> int:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--data", type=Path, default=Path("../shared/data/ccp"))
    options.add_argument("--count", type=int, default=100)
    options.add_argument("--size", type=int, default=512)
    options.add_argument("--model", default="factored-s31")
    chosen = options.parse_args(arguments)
    engine = load_engine(chosen.model, device="cpu", size=NetworkSize(chosen.size))
    rows: dict[str, Row] = {}
    for frame, truth in photos(chosen.data, chosen.count):
        request, person, parts = posteriors(engine, frame)
        across, down = request.letterbox.cells
        exact = request.letterbox.pool(np.where(truth == 1, np.uint8(255), np.uint8(0)))[:down, :across]
        for source, grid in (("model", person), ("truth", np.ascontiguousarray(exact))):
            for name, way in WAYS.items():
                ms, made = timed(partial(way, grid, request))
                rows.setdefault(f"{source}: {name}", Row()).add(at_size(made, truth), truth, ms)
        for detail in (LIVE, FULL):
            made_here = timed(partial(decide, person, parts, request.context(detail.size(request.letterbox))))
            add_decision(rows, detail, truth, made_here)
    for name, row in sorted(rows.items()):
        row.show(name)
    return 0


def add_decision(
    rows: dict[str, Row], detail: Detail, truth: NDArray[np.uint8], made: tuple[float, Decision]
) -> None:
    """Score both silhouettes of a whole decision: P(person) and label > 0."""
    ms, decision = made
    for name, mask in (
        ("person", decision.person / np.float32(255)),
        ("labels", (decision.labels > 0) * 1.0),
    ):
        row = rows.setdefault(f"whole decision, {detail.name}: {name}", Row())
        row.add(at_size(np.asarray(mask, np.float32), truth), truth, ms)


def at_size(person: Map, truth: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """P(person) → mask at the photo's size."""
    return resize(person, (truth.shape[1], truth.shape[0])) >= 0.5


def timed(work: Callable[[], Made]) -> tuple[float, Made]:
    """CPU milliseconds and the result."""
    start = time.thread_time()
    made = work()
    return (time.thread_time() - start) * 1e3, made


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
