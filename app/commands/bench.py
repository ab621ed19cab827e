"""`xfactor bench`: how long each step of a frame takes here, beside a naive pipeline in the same run.

Times are medians of CPU time on one core, so that what else the machine does counts little; on a GPU they are
medians of wall-clock time.
"""

from __future__ import annotations

import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import median
from typing import Final, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from app.commands.doctor import processor
from models.labels import S31
from runtime.engine.engine import Engine, load_engine
from runtime.engine.letterbox import Letterbox
from runtime.engine.onnx import ort
from runtime.engine.providers import Provider
from runtime.engine.source import Request
from runtime.frames import Frame
from runtime.media.clips import Clip
from runtime.media.writing import VideoWriter
from runtime.output import overlay
from runtime.system import paths
from runtime.system.errors import Refusal

T = TypeVar("T")

FRAMES: Final = 40
WARM_UP: Final = 3
SIZE: Final = (1280, 720)
PLAIN: Final = "plain PReLU, nothing rewritten"


@dataclass(frozen=True)
class Timing:
    """Medians per frame, milliseconds."""

    machine: str
    provider: str
    clip: str
    network: str  #: size of the input
    frames: int
    naive_graph: str
    ours: dict[str, float]
    naive: dict[str, float]

    @property
    def ratio(self) -> float:
        """Ours over the naive pipeline, decode to paint."""
        return self.ours["all"] / self.naive["all"]

    @property
    def beside_ms(self) -> float:
        """Everything of ours that is neither decoding nor the network."""
        return self.ours["all"] - self.ours["decode"] - self.ours["network"]


def plain_graph() -> Path:
    """Path at which `benchmarks/pipeline.py` leaves the paper's network: PReLU, nothing rewritten."""
    return paths.user_data_dir() / "bench" / "plain-prelu.onnx"


def bench(clip: Path | None, model: str, device: str, *, as_json: bool = False) -> int:
    """Measure and print.

    Returns:
        Exit code 0.

    Raises:
        Refusal: the model, the device or the clip cannot be used.
    """
    timing = measure(clip, model, device)
    if as_json:
        values = {**asdict(timing), "ratio": timing.ratio, "beside_decode_and_network_ms": timing.beside_ms}
        print(json.dumps(values, indent=1))  # noqa: T201 - the command's output
    else:
        show(timing)
    return 0


def measure(clip: Path | None, model: str, device: str = "auto", frames: int = FRAMES) -> Timing:
    """Run both pipelines over the same frames, in turn, on one core.

    Raises:
        Refusal: the model, the device or the clip cannot be used.
    """
    with one_core(), tempfile.TemporaryDirectory(prefix="xfactor-bench-") as folder:
        engine = load_engine(model, device=device, threads=1)
        path = clip or drawn_clip(Path(folder) / "drawn.mp4")
        watch = Stopwatch(time.process_time if engine.provider == Provider.CPU.label else time.perf_counter)
        naive = Naive(engine)
        size = ""
        for frame in _frames(path, frames + WARM_UP, watch):
            size = "x".join(map(str, _ours(engine, frame, watch)))
            naive.run(frame, watch)
            watch.lap(keep=watch.laps >= WARM_UP)
    ours, other = watch.medians("ours"), watch.medians("naive")
    other["decode"] = ours["decode"]
    return Timing(
        machine=f"{processor()}, one core of {os.cpu_count()}",
        provider=f"{engine.provider}, ONNX Runtime {ort.__version__}",
        clip=f"{path.name if clip else 'drawn'} {watch.note}",
        network=size,
        frames=watch.kept,
        naive_graph=naive.graph,
        ours=_summed(ours),
        naive=_summed(other),
    )


class Stopwatch:
    """Times of named steps, frame by frame."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._now: dict[tuple[str, str], float] = {}
        self._kept: dict[tuple[str, str], list[float]] = {}
        self.laps = self.kept = 0
        self.note = ""

    def time(self, pipeline: str, step: str, call: Callable[[], T]) -> T:
        """Call, and add what it took to a step."""
        started = self._clock()
        value = call()
        key = (pipeline, step)
        self._now[key] = self._now.get(key, 0.0) + 1000 * (self._clock() - started)
        return value

    def lap(self, *, keep: bool) -> None:
        """End a frame."""
        self.laps += 1
        if keep:
            self.kept += 1
            for key, value in self._now.items():
                self._kept.setdefault(key, []).append(value)
        self._now = {}

    def medians(self, pipeline: str) -> dict[str, float]:
        """Step → median."""
        return {step: median(values) for (p, step), values in self._kept.items() if p == pipeline}


def _summed(steps: dict[str, float]) -> dict[str, float]:
    """The steps with their sum; what of `parse` is neither preprocessing nor network makes the labels."""
    known = dict(steps)
    if "parse" in known:
        known["labels"] = known.pop("parse") - known["preprocess"] - known["network"]
    order = ("decode", "preprocess", "network", "labels", "paint")
    return {**{s: round(known[s], 3) for s in order}, "all": round(sum(known.values()), 3)}


def _frames(path: Path, count: int, watch: Stopwatch) -> Iterator[Frame]:
    """Frames with the time it took to get each; the clip starts again where it is too short."""
    given = 0
    while given < count:
        with Clip(path) as clip:
            watch.note = f"{clip.size[0]}x{clip.size[1]} {clip.codec}"
            source = clip.frames()
            while given < count:
                # mypy cannot infer a lambda with a default argument
                frame = watch.time("ours", "decode", lambda s=source: next(s, None))  # type: ignore[misc]
                if frame is None:
                    break
                given += 1
                yield frame


def _ours(engine: Engine, frame: Frame, watch: Stopwatch) -> tuple[int, int]:
    """The steps of `Engine.parse` and the painting, each timed; the network's input size."""
    letterbox = Letterbox.of_model(frame.size, engine.size, engine.spec)
    canvas = watch.time("ours", "preprocess", lambda: letterbox.apply(frame.image))
    features = watch.time("ours", "network", lambda: engine.stages.features(canvas))
    request = Request(frame, letterbox, canvas, features)
    person = watch.time("ours", "network", lambda: own_silhouette(engine, request))
    watch.time("ours", "network", lambda: engine.stages.maps(features, person[None]))
    parsing = watch.time("ours", "parse", lambda: engine.parsing(frame))
    watch.time("ours", "paint", lambda: overlay.overlay(frame.image, parsing))
    return letterbox.network


def own_silhouette(engine: Engine, request: Request) -> NDArray[np.float32]:
    """P(person) (grid height, grid width) of the model's own factor.

    Raises:
        Refusal: it gave none.
    """
    person = engine.source.person(request).grid
    if person is None:
        raise Refusal(f"model {engine.name}", "its factor gave no result", "See: xfactor doctor")
    return person


class Naive:
    """The straightforward pipeline: float64 normalisation, logits at full size, argmax and blending in numpy.

    Attributes:
        graph: which network it runs.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._palette = (engine.part_set or S31).palette()
        self._plain: ort.InferenceSession | None = None
        self.graph = "the shipped one, not the plain PReLU graph"
        if plain_graph().is_file():
            options = ort.SessionOptions()
            options.intra_op_num_threads = 1
            data = plain_graph().read_bytes()
            self._plain = ort.InferenceSession(data, options, providers=[Provider.CPU.value])
            self.graph = PLAIN

    def run(self, frame: Frame, watch: Stopwatch) -> None:
        """One frame."""
        engine = self._engine
        letterbox = Letterbox.of_model(frame.size, engine.size, engine.spec)
        canvas = letterbox.apply(frame.image)
        values = watch.time("naive", "preprocess", lambda: self._normalised(frame.image, letterbox.network))
        logits = watch.time(
            "naive", "network", lambda: self._network(values, Request(frame, letterbox, canvas, {}))
        )
        labels = watch.time("naive", "labels", lambda: self._labels(logits, frame.size))
        watch.time("naive", "paint", lambda: self._blend(frame.image, labels))

    @staticmethod
    def _normalised(image: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.float32]:
        small = cv2.resize(image, size).astype(np.float64)
        return ((small / 255 - 0.5) / 0.25).transpose(2, 0, 1)[None].astype(np.float32)

    def _network(self, values: NDArray[np.float32], request: Request) -> NDArray[np.float32]:
        if self._plain is not None:
            outputs = self._plain.run(None, {self._plain.get_inputs()[0].name: values})
            parts: NDArray[np.float32] = np.asarray(outputs[-1], dtype=np.float32)[0]
            return parts
        features = self._engine.stages.features(request.canvas)
        person = own_silhouette(self._engine, replace(request, features=features))
        found: NDArray[np.float32] = self._engine.stages.maps(features, person[None])["parts"][0]
        return found

    @staticmethod
    def _labels(logits: NDArray[np.float32], size: tuple[int, int]) -> NDArray[np.int64]:
        large = cv2.resize(np.ascontiguousarray(logits.transpose(1, 2, 0)), size)
        return np.asarray(np.asarray(large).argmax(axis=2), dtype=np.int64)

    def _blend(self, image: NDArray[np.uint8], labels: NDArray[np.int64]) -> NDArray[np.uint8]:
        mask = (labels > 0)[..., None]
        return np.where(mask, 0.4 * image + 0.6 * self._palette[labels], image).astype(np.uint8)


@contextmanager
def one_core() -> Iterator[None]:
    """Keep this process on one core while it lasts, where the system can."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(before)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def drawn_clip(path: Path, frames: int = 60) -> Path:
    """A 1280x720 clip of a figure moving over a textured room, for machines without any other."""
    rng = np.random.default_rng(0)
    room = cv2.resize(
        rng.integers(60, 200, (45, 80, 3)).astype(np.uint8), SIZE, interpolation=cv2.INTER_CUBIC
    )
    with VideoWriter(path, SIZE, 30.0) as writer:
        for i in range(frames):
            picture = np.roll(room, i // 4, axis=1)
            x = 300 + 10 * i
            cv2.ellipse(picture, (x, 380), (70, 160), 0, 0, 360, (190, 60, 50), -1)
            cv2.circle(picture, (x, 180), 55, (220, 180, 150), -1)
            cv2.line(picture, (x, 320), (x + 150, 420 - 6 * (i % 20)), (220, 180, 150), 34)
            writer.write(np.ascontiguousarray(picture), i / 30)
    return path


def show(timing: Timing) -> None:
    """Print for people."""
    console = Console(highlight=False)
    console.print(f"{timing.machine}; {timing.provider}")
    console.print(f"{timing.clip}, network {timing.network}, median of {timing.frames} frames, ms")
    table = Table("step", box=None, pad_edge=False)
    table.add_column("ours", justify="right")
    table.add_column("naive", justify="right")
    for step in ("decode", "preprocess", "network", "labels", "paint", "all"):
        table.add_row(step, f"{timing.ours[step]:.2f}", f"{timing.naive[step]:.2f}")
    console.print(table)
    if timing.naive_graph != PLAIN:
        console.print(
            "The ratio below compares pipelines around one graph. The ratio against the plain PReLU graph "
            "comes from `python -m benchmarks.pipeline` (development install)."
        )
    console.print(f"naive: float64, full-size logits, numpy blend; its graph: {timing.naive_graph}")
    console.print(
        f"ours / naive {timing.ratio:.2f}; beside decode and network {timing.beside_ms:.2f} ms a frame"
    )
