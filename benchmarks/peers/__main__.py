"""`python -m benchmarks.peers`: time and accuracy beside MediaPipe, ENet and Fast-SCNN, on one pinned core.

All take turns on the same frames; CPU time of the process, so that whatever else the machine does meets all
alike. Decoding the video is not counted. MediaPipe lives in the environment of `training.teach`.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import torch
from matplotlib.figure import Figure
from numpy.typing import NDArray

from benchmarks.peers.networks import FastSCNN, timed_session
from models.families import ZOO
from models.labels import S31
from models.network import build
from models.resize import average
from runtime.engine.augmentation import BY_COUNT, SIX
from runtime.engine.augmentation import ONE as ONE_VIEW
from runtime.engine.engine import Engine, load_engine
from runtime.engine.letterbox import NetworkSize
from runtime.engine.onnx import ort
from runtime.engine.temporal import Smoother
from runtime.frames import Frame
from runtime.media.clips import Clip
from runtime.system import paths
from runtime.system.errors import Refusal
from runtime.system.processes import ChildProcess, last_words
from training.markdown import filled, table
from training.metrics import boundary_f, silhouette_iou
from training.teacher_process import interpreter

Image = NDArray[np.uint8]
Pictures = Iterator[tuple[Image, Image | None]]
Answer = tuple[NDArray[np.bool_] | None, float]  # the person, None of random weights; CPU time, ms
Contestant = Callable[[Frame], Answer]
SIZE = NetworkSize.parse("512x288")
LONGEST_S = 120.0  # of MediaPipe for one picture, the start included
TIMED, MASKED, PHOTOS = "timed", "masked clip", "photos"
ONE, CLIP = "MediaPipe Pose, from scratch", "MediaPipe Pose, tracking"


class MediaPipeProcess:
    """MediaPipe's networks in a process on our core."""

    def __init__(self, python: Path, folder: Path) -> None:
        self._files = {name: str(folder / f"{name}.npy") for name in ("picture", "mask")}
        self._errors = (folder / "errors").open("w+b")
        worker = str(Path(__file__).with_name("mediapipe_worker.py"))
        self._child = ChildProcess([str(python), "-E", worker], self._errors)

    def ask(self, network: str, frame: Frame) -> Answer:
        """One network's answer."""
        np.save(self._files["picture"], frame.image)
        self._child.write(json.dumps({"network": network, **self._files}))
        lines = self._child.lines(LONGEST_S)
        if not lines:
            raise Refusal("MediaPipe", last_words(self._errors) or "it does not answer", "See --python")
        return np.load(self._files["mask"]), float(lines[0])

    def forget(self) -> None:
        """Begin a new clip."""
        self._child.write(json.dumps({"forget": True}))

    def close(self) -> None:
        """End it."""
        self._child.kill()
        self._child.close()
        self._errors.close()


def ours(engine: Engine, smoother: Smoother | None, frame: Frame) -> Answer:
    """P(person) of the parsing, at least one half."""
    begin = time.process_time()
    parsing = engine.parsing(frame, smoother)
    spent = 1000 * (time.process_time() - begin)
    return np.asarray(cv2.resize(parsing.person, frame.size)) >= 128, spent


def random_weights(session: ort.InferenceSession, frame: Frame) -> Answer:
    """The time of a network that looks at no picture."""
    del frame
    feeds = {i.name: np.zeros(i.shape, np.float32) for i in session.get_inputs()}
    begin = time.process_time()
    session.run(None, feeds)
    return None, 1000 * (time.process_time() - begin)


def masked(images: Iterable[Path]) -> Pictures:
    """RGB pictures and their silhouettes (0, 1, 255 unknown), in the folder beside theirs."""
    for file in images:
        truth = cv2.imread(str(file.parents[1] / "silhouettes" / f"{file.stem}.png"), cv2.IMREAD_GRAYSCALE)
        image = cv2.imread(str(file), cv2.IMREAD_COLOR_RGB)
        assert image is not None, file
        yield np.asarray(image, np.uint8), np.asarray(truth, np.uint8)


def timed(file: Path, count: int, width: int) -> Pictures:
    """Frames of a clip, that wide."""
    with Clip(file) as clip:
        for frame in itertools.islice(clip.frames(), count):
            yield average(frame.image, (width, round(frame.size[1] * width / frame.size[0]))), None


class PeerResults:
    """Times and scores of everybody."""

    def __init__(self) -> None:
        self.ms: dict[str, list[float]] = defaultdict(list)  #: of the timed clip
        self.scores: dict[tuple[str, str], list[tuple[float, float]]] = defaultdict(list)

    def show(self, name: str, pictures: Pictures, shown: dict[str, Contestant]) -> None:
        """Show a set to all in turn."""
        for index, (image, truth) in enumerate(pictures):
            for who, contestant in shown.items():
                mask, ms = contestant(Frame(image, index, index / 30, 0.0))
                if name == TIMED:
                    self.ms[who].append(ms)
                elif mask is not None and truth is not None:
                    self.scores[who, name].append((silhouette_iou(mask, truth), boundary_f(mask, truth)))

    def mean(self, who: str, name: str) -> tuple[float, float]:
        """J and F; NaN where there are none."""
        found = self.scores.get((who, name))
        j, f = np.mean(found, axis=0) if found else (np.nan, np.nan)
        return float(j), float(f)

    def table(self) -> str:
        """All of it; the first one's times are 1."""
        first, rows = np.array(self.ms[CLIP]), []
        for who in dict.fromkeys((*self.ms, *(w for w, _ in self.scores))):
            ms = np.array(self.ms.get(who) or np.full(len(first), np.nan))
            times = float(np.median(ms)), float(np.median(ms / first)), float(ms.mean() / first.mean())
            rows.append((who, *times, *self.mean(who, MASKED), *self.mean(who, PHOTOS)))
        head = ("", "ms a frame", "ratio", "of means", "clip J", "clip F", "photos J", "photos F")
        return table(head, rows)

    def plot(self, file: Path) -> None:
        """J against time."""
        figure = Figure(figsize=(9, 3.6), dpi=110)
        for axes, name in zip(figure.subplots(1, 2), (MASKED, PHOTOS), strict=True):
            for who, times in self.ms.items():
                at = float(np.median(times)), self.mean(who, name)[0]
                if np.isfinite(at[1]):
                    axes.plot(*at, "o")
                    axes.annotate(who, at, fontsize=7, xytext=(4, 3), textcoords="offset points")
            axes.set(xlabel="ms a frame of video, one core", ylabel="silhouette J", title=name, xscale="log")
            axes.margins(0.3)
            axes.grid(alpha=0.3)
        figure.tight_layout()
        figure.savefig(file)


def measured(a: argparse.Namespace, process: MediaPipeProcess) -> PeerResults:
    """Everybody on everything."""
    video: dict[str, Contestant] = {
        CLIP: partial(process.ask, CLIP.removeprefix("MediaPipe ")),
        ONE: partial(process.ask, ONE.removeprefix("MediaPipe ")),
        "MediaPipe Selfie": partial(process.ask, "Selfie"),
    }
    still = {n: c for n, c in video.items() if n != CLIP}
    smoothers = []
    for name in a.model:
        engine, square = load_engine(name, device="cpu", size=SIZE), load_engine(name, device="cpu")
        for views, kind in ((BY_COUNT["regions"], "regions"), (ONE_VIEW, "whole frames")):
            smoothers.append(Smoother())
            video[f"{name}, {kind}"] = partial(ours, engine.with_views(views), smoothers[-1])
        still[f"{name}, whole frames"] = partial(ours, square, None)
        still[f"{name}, six views"] = partial(ours, square.with_views(SIX), None)
    alone: dict[str, Contestant] = {
        f"{name} (random weights)": partial(random_weights, timed_session(network, SIZE.box))
        for name, network in (("ENet", build(ZOO["enet"])), ("Fast-SCNN", FastSCNN(S31.classes)))
    }
    results = PeerResults()
    results.show(TIMED, timed(a.clip, a.frames, a.width), {**video, **alone})
    process.forget()
    for smoother in smoothers:
        smoother.reset()
    results.show(MASKED, masked(sorted((a.data / "clips/tennis_masks/images").iterdir())), video)
    results.show(PHOTOS, masked(sorted((a.data / "ccp/images").iterdir())[-a.photos :]), still)
    return results


def main(arguments: list[str] | None = None) -> int:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("clip", type=Path, nargs="?", default=paths.sample_clip(), help="that is timed")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--python", type=Path, help="with mediapipe; an environment is made when left out")
    parser.add_argument("--model", nargs="+", default=["factored-s31", "factored-s31-int8"])
    parser.add_argument("--frames", type=int, default=150)
    parser.add_argument("--photos", type=int, default=100)
    parser.add_argument("--width", type=int, default=640, help="of the timed frames, px")
    parser.add_argument("--write", action="store_true", help="docs/peers.md and docs/peers.svg")
    given = parser.parse_args(arguments)
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        process = MediaPipeProcess(interpreter(given.python, install=True), Path(folder))
        try:
            results = measured(given, process)
        finally:
            process.close()
    print(results.table())
    if given.write:
        facts = {"frames": given.frames, "photos": given.photos, "timed": given.clip.name}
        page = filled(Path(__file__).with_name("page.md"), table=results.table(),
                      load=f"{os.getloadavg()[0]:.0f}", **facts)  # fmt: skip
        Path("docs/peers.md").write_text(page + "\n", encoding="utf-8")
        results.plot(Path("docs/peers.svg"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
