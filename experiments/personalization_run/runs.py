"""All runs of the experiment, each kept as it is finished."""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch

from experiments.personalization_run import learning, page
from experiments.personalization_run.learning import PROGRAM, VARIANTS, by_the_program, by_variant, course
from experiments.personalization_run.scoring import Scene, Truth, floor, of_footage, of_masked_clip, score
from personalize.job import PersonalizationJob
from runtime.engine.engine import Engine, load_engine
from runtime.system import paths
from runtime.system.files import write_atomic
from synthetic.footage.files import render
from synthetic.footage.takes import TAKES

MODEL = "factored-s31"
GENERIC, PERFECT, FLOOR = "generic", "true silhouettes", "true parts"


def main(arguments: list[str] | None = None) -> int:
    """Run; the exit status."""
    given = _arguments(arguments)
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    bundle = paths.models_dir() / MODEL
    weights = hashlib.sha256((bundle / "SHA256SUMS").read_bytes()).hexdigest()[:12]
    runs = Runs(given.work / weights, load_engine(bundle, device="cpu", threads=1), bundle, given.frames)
    runs.folder.mkdir(parents=True, exist_ok=True)
    scenes = list(_scenes(given))
    if given.finished:
        scenes = [s for s in scenes if runs.finished(s)]
    else:
        for scene in scenes:
            runs.main(scene)
        joints = [s for s in scenes if s.joints]
        for scene in [s for s in scenes if not s.joints] + joints[: given.ablated]:
            runs.ablation(scene)
    personal = {s.name: runs.personal(s) for s in scenes if s.joints}
    strips = page.strips([s for s in scenes if s.joints], runs.engine, personal)
    page.write(given.out, {s.name: runs.record[s.name] for s in scenes}, runs.words(weights), strips)
    return 0


def _arguments(arguments: list[str] | None) -> argparse.Namespace:
    p = argparse.ArgumentParser(
        prog="python -m experiments.personalization_run", description="Run experiment 6."
    )
    p.add_argument("--out", type=Path, default=Path("docs/experiments"))
    p.add_argument("--clips", type=int, default=6, help=f"rendered clips, at most {len(TAKES)}")
    p.add_argument("--ablated", type=int, default=3, help="rendered clips that the ablation is done on")
    p.add_argument("--frames", type=int, default=75, help="of each rendered clip, at most 75")
    p.add_argument("--data", type=Path, default=Path("../shared/data"), help="where clips/tennis_masks lies")
    p.add_argument("--finished", action="store_true", help="only write the page of what is finished")
    p.add_argument("--work", type=Path, default=Path("runs/experiment6"), help="what is kept between runs")
    return p.parse_args(arguments)


def _scenes(given: argparse.Namespace) -> Iterator[Scene]:
    masked = given.data / "clips" / "tennis_masks"
    if masked.is_dir():
        yield of_masked_clip(masked)
    else:
        say(f"{masked} is not there: the clip with hand-made silhouettes is left out")
    for take in TAKES[: given.clips]:
        footage = render(take, given.work / "clips")
        yield of_footage(take.name, footage, given.frames, hard=take.hard)


@dataclass
class Runs:
    """Every score of every clip, kept as it is found."""

    folder: Path
    engine: Engine
    bundle: Path
    frames: int

    def __post_init__(self) -> None:
        self._file = self.folder / f"scores-{self.frames}.json"
        self.record: dict[str, dict[str, Any]] = {}
        if self._file.exists():
            self.record = json.loads(self._file.read_text("utf-8"))

    def main(self, scene: Scene) -> None:
        """Before, after, with true silhouettes, and the measure's own error."""
        mine = self.record.setdefault(scene.name, {"hard": scene.hard, "frames": len(scene.frames)})
        if "report" not in mine:
            mine |= {"report": self._personalised(scene), "course": course()}
        for name, engine in (
            (GENERIC, self.engine),
            (PROGRAM, self.personal(scene)),
            (PERFECT, self.engine.with_factor(Truth(scene.silhouettes))),
        ):
            if name not in mine:
                self._keep(scene, name, score(engine, scene))
        if FLOOR not in mine and scene.labels:
            self._keep(scene, FLOOR, floor(scene))

    def finished(self, scene: Scene) -> bool:
        """Whether before and after are known."""
        needed = {GENERIC, PROGRAM, PERFECT, "report", *([FLOOR] if scene.joints else [])}
        return needed <= set(self.record.get(scene.name, {}))

    def personal(self, scene: Scene) -> Engine:
        """The model with the factor that has learned the scene's person."""
        return self.engine.with_factor(learning.learned(self._job_folder(scene)))

    def ablation(self, scene: Scene) -> None:
        """The same lessons from other silhouettes."""
        mine = self.record[scene.name]
        found = mine.setdefault("ablation", {"course": course(), PROGRAM: mine[PROGRAM]})
        for name in VARIANTS:
            if name not in found:
                made = by_variant(self._job_folder(scene), self._job(scene), name)
                found[name] = score(self.engine.with_factor(made), scene)
                self._save(f"{scene.name}: {name}", found[name])

    def words(self, weights: str) -> str:
        """What all of it was run with."""
        size = self.engine.size
        return (
            f"weights `{weights}` (first digits of the SHA-256 of the bundle's SHA256SUMS), network input"
            f" {size.width} px"
        )

    def _personalised(self, scene: Scene) -> dict[str, Any]:
        started = time.process_time()
        people = next(
            iter(sorted(p for p in self.folder.glob("job-*") if (p / "factor.onnx").exists())), None
        )
        report = by_the_program(self._job_folder(scene), self._job(scene), people)
        say(f"{scene.name}: personalised in {time.process_time() - started:.0f} s of CPU")
        return report

    def _job_folder(self, scene: Scene) -> Path:
        return self.folder / f"job-{scene.name}"

    def _job(self, scene: Scene) -> PersonalizationJob:
        last = len(scene.frames) - 1
        return PersonalizationJob(
            scene.source, scene.name, self.bundle, first=0, last=last, limit_s=learning.LIMIT_S
        )

    def _keep(self, scene: Scene, name: str, figures: dict[str, float]) -> None:
        self.record[scene.name][name] = figures
        self._save(f"{scene.name}: {name}", figures)

    def _save(self, words: str, figures: dict[str, float]) -> None:
        write_atomic(self._file, json.dumps(self.record, indent=1).encode())
        say(f"{words}: {'  '.join(f'{k} {v:.3f}' for k, v in figures.items() if np.isfinite(v))}")


def say(line: str) -> None:
    """One line, at once."""
    sys.stderr.write(line + "\n")
    sys.stderr.flush()
