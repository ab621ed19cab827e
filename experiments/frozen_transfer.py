"""Experiment 7, transfer: PIL learned on rendered people, its parsing frozen while photos teach joints.

The pose network starts from nothing in all variants (PIL §4.4): does what parsing has learned elsewhere make
it learn faster?
"""

from __future__ import annotations

import argparse
import logging
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from experiments.adaptation_scores import SEEDS, SIDE, Scores, interval, score
from experiments.options import command
from experiments.pages import Page
from experiments.setting import BATCH, LR, TrainingSetting, fit, photos
from training.loop import LAST
from training.markdown import Row, table

log = logging.getLogger(__name__)
SOURCE = "pil-small"
LAYERS = ("parsing_encoder", "fusion.adapter")
POINTS = 6  # of a curve, at the same distance
#: title → row of the zoo, how it starts from the network that learned rendered people
VARIANTS = {
    "PIL, parsing encoder and adapter frozen": ("pil-small", "--keep"),
    "PIL, all of it trained": ("pil-small", "--only"),
    "base, without parsing": ("pil-small-base", ""),
}


def run(a: argparse.Namespace) -> None:
    """Train and score what is missing, one seed of all variants after the other; the page after each.

    Raises:
        DataError: a training stopped, or what stands there was made with other options.
    """
    setting = TrainingSetting.of(a)
    folder = a.runs / f"exp-transfer-{setting.name}-{a.transfer}"
    setting.keep(folder, a)
    for seed in () if a.finished else SEEDS:
        source = folder / f"{SOURCE}-{seed}"
        if not (source / "done").exists():
            words = ["--seed", str(seed), "--rendered-share", "1", *setting.words()]
            words += [] if a.cold else ["--init", str(a.shipped)]
            fit(SOURCE, source, [*words, *photos(a)], a.synthetic)
            (source / "done").touch()
        for title in VARIANTS:
            _curve(title, seed, folder, source / LAST, a)
            write(a, folder)
    write(a, folder)


def steps(a: argparse.Namespace) -> list[int]:
    """Steps on photos after which a variant is scored."""
    return [max(1, a.transfer * i // POINTS) for i in range(1, POINTS + 1)]


def points(folder: Path, title: str, seed: int, a: argparse.Namespace) -> list[Path]:
    """Files of the scores of a curve."""
    row, start = VARIANTS[title]
    return [folder / f"{row}{start}-{seed}" / f"{step}.npz" for step in steps(a)]


def at_larger(folder: Path, title: str, seed: int) -> Path:
    """File of the scores at a curve's end where the input has `SIDE` px, not the training's."""
    row, start = VARIANTS[title]
    return folder / f"{row}{start}-{seed}" / f"at-{SIDE}.npz"


def _curve(title: str, seed: int, folder: Path, source: Path, a: argparse.Namespace) -> None:
    row, start = VARIANTS[title]
    for step, kept in zip(steps(a), points(folder, title, seed, a), strict=True):
        if kept.exists():
            continue
        log.info("%s, seed %d: %d steps on photos", title, seed, step)
        words = ["--seed", str(seed), "--rendered-share", "0", "--steps", str(step), "--decay-steps", "0"]
        words += ["--crop", str(a.crop)] + (["--init", str(source), start, *LAYERS] if start else [])
        began = time.process_time()
        fit(row, kept.parent, [*words, *photos(a)], a.synthetic)
        score(row, kept.parent / LAST, kept, a, a.crop, time.process_time() - began)
    if not (larger := at_larger(folder, title, seed)).exists():
        score(row, larger.parent / LAST, larger, a)


def write(a: argparse.Namespace, folder: Path) -> None:
    """The page, with the seeds that are finished for all variants."""
    seeds = [
        s
        for s in SEEDS
        if all(p.exists() for t in VARIANTS for p in (*points(folder, t, s, a), at_larger(folder, t, s)))
    ]
    if not seeds:
        return
    scores = {t: [[Scores.read(p) for p in points(folder, t, s, a)] for s in seeds] for t in VARIANTS}
    curves = {t: np.mean([[p.percent("pck") for p in c] for c in found], 0) for t, found in scores.items()}
    larger = {
        t: float(np.mean([Scores.read(at_larger(folder, t, s)).percent("pck") for s in seeds]))
        for t in VARIANTS
    }
    frozen, *others = VARIANTS
    compared: list[Row] = []
    for i in (0, -1):
        for other in others:
            ours, theirs = ({s: c[i] for s, c in zip(seeds, scores[t], strict=True)} for t in (frozen, other))
            if found := interval(ours, theirs, "pck"):
                compared.append((f"frozen PIL beats: {other}", steps(a)[i], found.words(), found.verdict()))
    page = Page(a.out, "7-frozen-transfer")
    page.write(
        command=command(a), steps=a.steps, transfer=a.transfer,
        batch=BATCH, crop=a.crop, lr=LR, side=a.crop, larger=SIDE, seeds=", ".join(map(str, seeds)),
        start="random weights" if a.cold else "the shipped parser's weights",
        curves=page.lines("pck", steps(a), {t: list(c) for t, c in curves.items()}, ("steps", "PCK@0.2, %")),
        table=table(("PCK@0.2, %", *map(str, steps(a)), f"{a.transfer} at {SIDE} px", "CPU seconds a step"),
                    [(t, *curves[t], larger[t], _seconds(scores[t], a)) for t in VARIANTS], digits=1),
        compared=table(("claim", "steps", "difference in PCK, points", "verdict"), compared),
    )  # fmt: skip


def _seconds(curves: Sequence[Sequence[Scores]], a: argparse.Namespace) -> float:
    """Processor time of a step, its pictures made too; not the first part, which also reads the photos."""
    spent = [part.seconds for curve in curves for part in curve[1:]]
    return float(np.nanmedian(spent) / max(1, a.transfer / POINTS))
