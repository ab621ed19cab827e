"""Experiment 7: parsing and pose that help each other. PIL, MuLA and PAF+FCN beside variants without it.

Every network is trained with the same budget from the same parser, once with each seed, exported, and scored
as the program runs it. What is finished is kept, so a stopped run goes on with what is missing.
"""

from __future__ import annotations

import argparse
import logging
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from experiments import frozen_transfer
from experiments.adaptation_scores import SCORES, SEEDS, SIDE, Scores, interval, read_scores, score
from experiments.options import chosen_rows, command
from experiments.pages import Page, filled
from experiments.setting import BATCH, LR, TrainingSetting, fit, photos
from models.families import ZOO
from models.outputs import AffinityFields
from training.loop import LAST
from training.markdown import Row, table
from training.photos import DataError

log = logging.getLogger(__name__)
#: title → row of the zoo; in the order of the page
NETWORKS = {
    "PIL: its own encoders, no adaptation (base)": "pil-small-base",
    "PIL: features added (Add)": "pil-small-add",
    "PIL: features multiplied (Multi)": "pil-small-multi",
    "PIL: features side by side (Concat)": "pil-small-concat",
    "PIL: one encoder for both (MTL)": "pil-small-mtl",
    "PIL: an ordinary convolution in place of the predicted one (Self)": "pil-small-self",
    "PIL": "pil-small",
    "MuLA: no adaptation": "mula-small-none",
    "MuLA: parsing adapts pose": "mula-small-parsing-to-pose",
    "MuLA: pose adapts parsing": "mula-small-pose-to-parsing",
    "MuLA": "mula-small",
    "PAF+FCN, one stage": "paf-fcn-small-1",
    "PAF+FCN, two stages": "paf-fcn-small",
}


@dataclass(frozen=True)
class Claim:
    """A claim of the papers: `better` beats `worse` in a measure."""

    words: str
    better: str
    worse: str
    measure: str  #: a field of `Scores`
    paper: str  #: its figures there


CLAIMS = (
    Claim("PIL beats its encoder alone", "pil-small", "pil-small-base", "pck", "75.0 over 69.1"),
    Claim("PIL beats Self", "pil-small", "pil-small-self", "pck", "75.0 over 69.8"),
    Claim("PIL beats Concat", "pil-small", "pil-small-concat", "pck", "75.0 over 66.1"),
    Claim("sharing one encoder costs pose", "pil-small-base", "pil-small-mtl", "pck", "69.1 over 65.3"),
    Claim("sharing one encoder costs parsing", "pil-small-base", "pil-small-mtl", "iou", "34.5 over 31.2"),
    Claim("parsing helps pose", "mula-small-parsing-to-pose", "mula-small-none", "pck", "75.0 over 69.1"),
    Claim("pose helps parsing", "mula-small-pose-to-parsing", "mula-small-none", "iou", "40.0 over 34.5"),
    Claim("MuLA beats its encoders in pose", "mula-small", "mula-small-none", "pck", "76.0 over 69.1"),
    Claim("MuLA beats its encoders in parsing", "mula-small", "mula-small-none", "iou", "40.2 over 34.5"),
    Claim(
        "MuLA beats one direction in pose",
        "mula-small",
        "mula-small-parsing-to-pose",
        "pck",
        "76.0 over 75.0",
    ),
    Claim(
        "MuLA beats one direction in parsing",
        "mula-small",
        "mula-small-pose-to-parsing",
        "iou",
        "40.2 over 40.0",
    ),
    Claim("a second stage helps pose", "paf-fcn-small", "paf-fcn-small-1", "pck", "left open"),
    Claim("a second stage helps parsing", "paf-fcn-small", "paf-fcn-small-1", "iou", "left open"),
)


def run(a: argparse.Namespace) -> None:
    """Train and score what is missing, one seed of all networks after the other; the page after each.

    Raises:
        DataError: a training stopped, what it needs is not given, or what stands there was made otherwise.
    """
    if a.transfer:
        frozen_transfer.run(a)
        return
    setting = TrainingSetting.of(a)
    folder = a.runs / f"exp-adaptation-{setting.name}"
    rows = chosen_rows(a, NETWORKS.values())
    if not (a.finished or a.synthetic_folder) and any(_in_scenes(row) for row in rows):
        raise DataError("PAF+FCN learns from scenes of rendered people. Give --synthetic-folder DIR.")
    setting.keep(folder, a)
    for seed in SEEDS:
        for row in rows:
            kept = folder / f"{row}-{seed}" / SCORES
            if not kept.exists() and not a.finished:
                _train(row, seed, kept.parent, setting, a)
                score(row, kept.parent / LAST, kept, a)
                write(a, read_scores(folder, NETWORKS.values()))
    write(a, read_scores(folder, NETWORKS.values()))


def _in_scenes(row: str) -> bool:
    """A network that learns everybody's limbs, and so from scenes of several people."""
    return any(isinstance(o, AffinityFields) for stage in ZOO[row].stages for o in stage.outputs)


def _train(row: str, seed: int, folder: Path, setting: TrainingSetting, a: argparse.Namespace) -> None:
    log.info("%s, seed %d: %d steps", row, seed, a.steps)
    start = [] if setting.cold else ["--init", str(a.shipped)]
    people = a.synthetic_folder if _in_scenes(row) else a.synthetic
    fit(row, folder, ["--seed", str(seed), *setting.words(), *start, *photos(a)], people)


def write(a: argparse.Namespace, scores: dict[str, dict[int, Scores]]) -> None:
    """The page, with what there is so far."""
    rows: list[Row] = []
    for title, row in NETWORKS.items():
        if row in scores:
            of = [[s.percent(measure) for s in scores[row].values()] for measure in ("pck", "iou")]
            each = [f"{np.mean(v):.1f} ({min(v):.1f} to {max(v):.1f})" for v in of]
            rows.append((title, f"`{row}`", ZOO[row].parameters, len(scores[row]), *each))
    missing = [r for r in NETWORKS.values() if len(scores.get(r, ())) < len(SEEDS)]
    Page(a.out, "7-adaptation").write(
        command=command(a), steps=a.steps, batch=BATCH, crop=a.crop, lr=LR, side=SIDE,
        start="random weights" if a.cold else "the shipped parser's weights",
        seeds=", ".join(map(str, SEEDS)),
        scores=table(("", "row", "weights", "seeds", "PCK@0.2, %", "mean IoU, %"), rows),
        claims=table(("claim", "in the papers", "measure", "difference here, points", "verdict"),
                     [found for c in CLAIMS if (found := compared(c, scores))]),
        tried=tried(a, scores),
        missing=f"Not trained with every seed yet: {', '.join(missing)}." if missing else "",
    )  # fmt: skip


def compared(c: Claim, scores: dict[str, dict[int, Scores]]) -> Row | None:
    """A claim's row of the table; None where no seed has both of its networks."""
    found = interval(scores.get(c.better, {}), scores.get(c.worse, {}), c.measure)
    if found is None:
        return None
    return c.words, c.paper, "PCK" if c.measure == "pck" else "mIoU", found.words(), found.verdict()


def tried(a: argparse.Namespace, scores: dict[str, dict[int, Scores]]) -> str:
    """The claims that do not reproduce, with what else was tried for them; empty where nothing was."""
    rows: list[Row] = []
    open_claims = [c for c in CLAIMS if (row := compared(c, scores)) and row[-1] != "agrees"]
    for folder in a.tried:
        other, setting = read_scores(folder, NETWORKS.values()), TrainingSetting.read(folder)
        for c in open_claims:
            if row := compared(c, other):
                seeds = len(other[c.better].keys() & other[c.worse].keys())
                rows.append((c.words, row[2], setting.beside(TrainingSetting.of(a)), seeds, *row[3:]))
    if not rows:
        return ""
    head = ("claim", "measure", "tried", "seeds", "difference, points", "verdict")
    return filled("tried", rows=table(head, rows))
