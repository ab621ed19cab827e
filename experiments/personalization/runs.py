"""All runs of the experiment, each kept as it is finished."""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from experiments.options import command
from experiments.personalization import page, variants
from experiments.personalization.claims import FLOOR, GENERIC, PERFECT, VIEWS
from experiments.personalization.scoring import (
    ScoredClip,
    TrueSilhouettes,
    floor,
    of_footage,
    of_masked_clip,
    score,
)
from experiments.personalization.variants import PROGRAM, VARIANTS, by_the_program, course
from personalize.job import PersonalizationJob, read_job
from personalize.worker.candidate import FACTOR
from runtime.engine.augmentation import SIX
from runtime.engine.engine import Engine, load_engine
from runtime.system import paths
from runtime.system.errors import Refusal
from runtime.system.files import write_atomic
from synthetic.footage.files import render_take
from synthetic.footage.unseen import UNSEEN
from training.photos import DataError

MODEL = "factored-s31"


def run(a: argparse.Namespace) -> None:
    """Run what is missing and write the page."""
    bundle = paths.models_dir() / MODEL
    weights = hashlib.sha256((bundle / "SHA256SUMS").read_bytes()).hexdigest()[:12]
    work = a.runs / "experiment6"
    runs = Runs(work / weights, load_engine(bundle, device="cpu", threads=1), bundle, a.frames)
    runs.folder.mkdir(parents=True, exist_ok=True)
    clips = list(_clips(a, work))
    for clip in clips:
        runs.check(clip)
    if a.finished:
        clips = [c for c in clips if runs.finished(c)]
    else:
        for clip in clips:
            runs.main(clip)
        for clip in [c for c in clips if not c.joints]:
            runs.ablation(clip)
    rendered = [c for c in clips if c.joints]
    strips = page.strips(rendered, runs.engine, {c.name: runs.personal(c) for c in rendered})
    with_what = (
        f"weights `{weights}` (first digits of the SHA-256 of the bundle's SHA256SUMS), network input"
        f" {runs.engine.size.width} px"
    )
    page.write(a.out, {c.name: runs.record[c.name] for c in clips}, f"{command(a)}.", with_what, strips)


def _clips(a: argparse.Namespace, work: Path) -> Iterator[ScoredClip]:
    masked = a.data / "clips" / "tennis_masks"
    if masked.is_dir():
        yield of_masked_clip(masked)
    else:
        say(f"{masked} is not there: the clip with hand-made silhouettes is left out")
    for take in UNSEEN[: a.limit]:
        yield of_footage(take, render_take(take, work / "clips"), a.frames)


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

    def check(self, clip: ScoredClip) -> None:
        """Pass a clip whose scores there, if any, are of the same take; those of earlier versions do not say.

        Raises:
            DataError: they are of another.
        """
        if self.record.get(clip.name, {}).get("take", clip.take) != clip.take:
            raise DataError(f"{self._file}: {clip.name} was another take. Give --runs another folder.")

    def main(self, clip: ScoredClip) -> None:
        """Before, after, by six views, with true silhouettes, and the measure's own error."""
        about = {"hard": clip.hard, "others": clip.others, "frames": len(clip.frames), "take": clip.take}
        mine = self.record[clip.name] = {**about, **self.record.get(clip.name, {})}
        if "report" not in mine:
            mine |= {"report": self._personalised(clip), "course": course()}
        for name, engine in (
            (GENERIC, self.engine),
            (VIEWS, self.engine.with_views(SIX)),
            (PROGRAM, self.personal(clip)),
            (PERFECT, self.engine.with_factor(TrueSilhouettes(clip.silhouettes))),
        ):
            if name not in mine:
                self._keep(clip, name, score(engine, clip))
        if FLOOR not in mine and clip.labels:
            self._keep(clip, FLOOR, floor(clip))

    def finished(self, clip: ScoredClip) -> bool:
        """True when before and after are known."""
        needed = {GENERIC, VIEWS, PROGRAM, PERFECT, "report", *([FLOOR] if clip.joints else [])}
        return needed <= set(self.record.get(clip.name, {}))

    def personal(self, clip: ScoredClip) -> Engine:
        """The model with the factor that has learned the clip's person; as it was, where it could not."""
        if not (self._job_folder(clip) / FACTOR).exists():
            return self.engine
        return self.engine.with_factor(variants.learned(self._job_folder(clip)))

    def ablation(self, clip: ScoredClip) -> None:
        """The same course of learning from other silhouettes."""
        mine = self.record[clip.name]
        found = mine.setdefault("ablation", {"course": course(), PROGRAM: mine[PROGRAM]})
        for name, method in VARIANTS.items():
            if name not in found:
                folder = self.folder / f"{method}-{clip.name}"
                job = replace(read_job(self._job_folder(clip)), method=method)
                by_the_program(folder, job, self._job_folder(clip))
                found[name] = score(self.engine.with_factor(variants.learned(folder)), clip)
                self._save(f"{clip.name}: {name}", found[name])

    def _personalised(self, clip: ScoredClip) -> dict[str, Any]:
        started = time.process_time()
        people = next(iter(sorted(p for p in self.folder.glob("job-*") if (p / FACTOR).exists())), None)
        report: dict[str, Any] = {}
        for person in clip.clicks or (None,):
            job = replace(self._job(clip), person=person)
            try:
                report = by_the_program(self._job_folder(clip), job, people)
                break
            except Refusal as e:
                report = {"accepted": False, "reason": str(e)}
        say(f"{clip.name}: personalised in {time.process_time() - started:.0f} s of CPU")
        return report

    def _job_folder(self, clip: ScoredClip) -> Path:
        return self.folder / f"job-{clip.name}"

    def _job(self, clip: ScoredClip) -> PersonalizationJob:
        last = len(clip.frames) - 1
        return PersonalizationJob(
            clip.source, clip.name, self.bundle, first=0, last=last, limit_s=variants.LIMIT_S
        )

    def _keep(self, clip: ScoredClip, name: str, figures: dict[str, float]) -> None:
        self.record[clip.name][name] = figures
        self._save(f"{clip.name}: {name}", figures)

    def _save(self, words: str, figures: dict[str, float]) -> None:
        write_atomic(self._file, json.dumps(self.record, indent=1).encode())
        say(f"{words}: {'  '.join(f'{k} {v:.3f}' for k, v in figures.items() if np.isfinite(v))}")


def say(line: str) -> None:
    """One line, at once."""
    sys.stderr.write(line + "\n")
    sys.stderr.flush()
