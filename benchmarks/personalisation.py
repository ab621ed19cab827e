"""One personalisation, phase by phase, and what it gains.

`python -m benchmarks.personalisation CLIP [--masks DIR] [--method M] [--frames A:B]`. The phases
of the worker run in this process, on one thread; CPU time says what they cost where the machine is busy, wall
time what was waited for. With hand-made masks (PNG, one per frame, person above 0) the silhouette J of all
frames is measured as `xfactor parse` writes it: the engine's P(person) at one half, at the displayed size,
without smoothing over time. The masks are used for nothing else. With `--photos DATA` the
development test photos of `ccp` are scored too, before and after: what was forgotten of people in general.
"""

from __future__ import annotations

import argparse
import io
import resource
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from personalize.job import METHODS, PersonalizationJob, write_job
from personalize.messages import Failure, Finished, FrameSilhouette, Message, WorkerNotice, decode
from personalize.worker.phases import personalise
from personalize.worker.pictures import opened
from personalize.worker.reporter import Orders, Reporter
from runtime.engine.engine import Engine, load_engine
from runtime.media.images import list_images
from runtime.output.scaling import full_person
from runtime.system import paths
from training.evaluate import by_engine, score_silhouettes
from training.metrics import boundary_f, silhouette_iou


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the figures."""
    parser = argparse.ArgumentParser(prog="benchmarks.personalisation", description=__doc__.split("\n")[0])
    parser.add_argument("clip", type=Path, help="a clip, or a folder of frames")
    parser.add_argument("--model", default="factored-s31")
    parser.add_argument("--masks", type=Path, help="hand-made masks of all frames, for scoring only")
    parser.add_argument("--photos", type=Path, help="folder of the development data, for other people")
    parser.add_argument("--method", choices=METHODS, default="tree")
    parser.add_argument("--frames", default="", help="A:B, both included")
    chosen = parser.parse_args(arguments)
    cv2.setNumThreads(1)
    model = paths.models_dir() / chosen.model
    job = PersonalizationJob(chosen.clip.absolute(), chosen.clip.stem, model, method=chosen.method)
    if chosen.frames:
        first, last = (int(n) for n in chosen.frames.split(":"))
        job = replace(job, first=first, last=last)
    with tempfile.TemporaryDirectory(prefix="xfactor-personalisation-") as temporary:
        done = measured(Path(temporary), job)
        report(done)
        engine = load_engine(chosen.model, device="cpu")
        engines = {"before": engine, "after": engine.with_factor(engine.load_factor(done.path))}
        if chosen.masks:
            scored(chosen, engines)
        for name, one in engines.items() if chosen.photos else ():
            run = by_engine(one)
            scores = score_silhouettes(lambda photo, run=run: run(photo.image), chosen.photos)  # type: ignore[misc]
            say(f"  {name:7s} ccp: silhouette J {scores['J']:.4f}, boundary F {scores['boundary F']:.4f}")
    return 0


def measured(folder: Path, job: PersonalizationJob) -> Finished:
    """Run the job in this process."""
    write_job(folder, job)
    reporter = Reporter(folder, _Said(), Orders(None), job.limit_s)
    try:
        return personalise(folder, job, reporter)
    finally:
        reporter.close()


class _Said(io.StringIO):
    """Prints notices as they come."""

    def write(self, text: str) -> int:
        event: Message | None = decode(text)
        if isinstance(event, (WorkerNotice, Failure)):
            say(f"  note: {event}")
        elif event is not None and not isinstance(event, FrameSilhouette) and getattr(event, "done", 0) == 1:
            say(f"  {getattr(event, 'phase', '')} …")
        return len(text)


def report(done: Finished) -> None:
    """Phases and the gate's numbers."""
    figures = done.report
    say(f"{figures['frames']} frames, window {figures['window']}")
    for phase, wall in figures["seconds"].items():
        say(f"  {phase:14s} {figures['cpu_seconds'][phase]:7.1f} s CPU {wall:7.1f} s wall")
    cpu, wall = sum(figures["cpu_seconds"].values()), sum(figures["seconds"].values())
    say(f"  {'together':14s} {cpu:7.1f} s CPU {wall:7.1f} s wall")
    for name in ("held_out_J", "boundary_F", "regression"):
        say(f"  {name:14s} {figures[name]['before']:.3f} before, {figures[name]['after']:.3f} after")
    say(f"  area drift {figures['area_drift']:.2f}; {figures['reason']}")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    say(f"  most memory {peak:.0f} MB")


def scored(chosen: argparse.Namespace, engines: dict[str, Engine]) -> None:
    """J and boundary F of all frames against hand-made masks, before and after."""
    masks = [np.asarray(cv2.imread(str(p), cv2.IMREAD_UNCHANGED)) > 0 for p in list_images(chosen.masks)]
    for name, one in engines.items():
        rows = scores(one, chosen.clip, masks)
        j, edge = np.mean(rows, axis=0)
        least = min(r[0] for r in rows)
        say(
            f"  {name:7s} silhouette J {j:.3f} (least {least:.2f}), boundary F {edge:.3f}, {len(rows)} frames"
        )


def scores(engine: Engine, clip: Path, masks: Sequence[NDArray[np.bool_]]) -> list[tuple[float, float]]:
    """J and boundary F of every frame."""
    rows = []
    with opened(clip) as source:
        for frame, mask in zip(source.frames(), masks, strict=False):
            found = full_person(engine.parsing(frame)) >= 128
            truth = mask.astype(np.uint8)
            rows.append((silhouette_iou(found, truth), boundary_f(found, truth)))
    return rows


def say(line: str) -> None:
    """One line, at once."""
    print(line, flush=True)  # noqa: T201 - the benchmark's output


if __name__ == "__main__":
    sys.exit(main())
