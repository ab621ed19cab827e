"""Experiment 7: parsing and pose that help each other. PIL, MuLA and PAF+FCN beside variants without it.

Every network is trained with the same budget from the same parser, once with each seed, exported, and scored
as the program runs it. What is finished is kept, so a stopped run goes on with what is missing.
"""

from __future__ import annotations

import argparse
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from experiments.pages import Page
from experiments.people import HeldOut
from export.write import describe, export_bundle
from models.checkpoint import load_network
from models.families import ZOO
from models.labels import from_s31
from runtime.engine.engine import Engine, load_engine
from training import __main__ as training
from training.evaluate import by_engine
from training.loop import LAST
from training.markdown import Row, table
from training.metrics import Confusion
from training.photos import DataError, read_lsp
from training.pose_scores import FIVE, both_sides, found_joints

log = logging.getLogger(__name__)
SEEDS = (1, 2, 3)
BATCH, CROP, LR = 16, 128, 1e-3
SIDE = 256  # of the networks' input when they are scored, px
DRAWS = 2000  # of the bootstrap
SURE = 0.95  # of its intervals
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


@dataclass(frozen=True)
class Scores:
    """Of one network with one seed, picture by picture, so that differences can be drawn again.

    Attributes:
        joints: (photos, 5, 2) joints found and joints annotated, of `FIVE`.
        confusions: (pictures, classes, classes) cells by true and given part.
    """

    joints: NDArray[np.int64]
    confusions: NDArray[np.int64]

    def pck(self, photos: NDArray[np.int64] | slice = slice(None)) -> float:
        """PCK@0.2 torso of some photos: mean of the five joints."""
        found, annotated = self.joints[photos].sum(axis=0).T
        return float(np.mean(found / np.maximum(annotated, 1)))

    def iou(self, pictures: NDArray[np.int64] | slice = slice(None)) -> float:
        """Mean intersection over union of the parts on some pictures."""
        confusion = Confusion(self.confusions.shape[1])
        confusion.counts += self.confusions[pictures].sum(axis=0)
        return float(np.nanmean(confusion.iou()[1:]))

    def count(self, measure: str) -> int:
        """Number of pictures that a measure is of."""
        return len(self.joints if measure == "pck" else self.confusions)


def run(a: argparse.Namespace) -> None:
    """Train and score what is missing, one seed of all networks after the other; the page after each."""
    scores: dict[str, list[Scores]] = {}
    for seed in SEEDS:
        for row in NETWORKS.values():
            folder = a.runs / f"exp-adaptation-{a.steps}" / f"{row}-{seed}"
            kept = folder / "scores.npz"
            if not kept.exists() and not a.finished:
                _train(row, seed, folder, a)
                _score(row, folder, kept, a)
            if kept.exists():
                with np.load(kept) as found:
                    scores.setdefault(row, []).append(Scores(found["joints"], found["confusions"]))
                write(a, scores)


def _train(row: str, seed: int, folder: Path, a: argparse.Namespace) -> None:
    log.info("%s, seed %d: %d steps", row, seed, a.steps)
    words = [row, "--out", str(folder), "--init", str(a.shipped), "--data", str(a.data), "--seed", str(seed)]
    words += ["--steps", str(a.steps), "--decay-steps", str(a.steps // 2), "--batch", str(BATCH)]
    words += ["--crop", str(CROP), "--lr", str(LR), "--ema", "0.99", "--synthetic", *map(str, a.synthetic)]
    if a.pseudolabels:
        words += ["--pseudolabels", str(a.pseudolabels)]
    if training.main(words) != 0:
        raise DataError(f"{folder}: the training stopped; the reason stands above")


def _score(row: str, folder: Path, kept: Path, a: argparse.Namespace) -> None:
    """Export the averaged weights and run them on one look of every test picture."""
    network, _ = load_network(folder / LAST)
    spec = describe(ZOO[row], name=row, licence="", training_data=(), input_size=(SIDE, SIDE))
    export_bundle(network.eval(), folder / row, spec, "")
    engine = load_engine(folder / row, device="cpu")
    np.savez_compressed(kept, joints=joint_counts(engine, a), confusions=part_counts(engine, a))


def joint_counts(engine: Engine, a: argparse.Namespace) -> NDArray[np.int64]:
    """`Scores.joints` on the development test of lsp."""
    photos = found_joints(engine, read_lsp(a.data / "lsp", "test")[: a.limit])
    counts = np.zeros((len(photos), len(FIVE), 2), np.int64)
    for photo, found in zip(counts, photos, strict=True):
        for name, hits in both_sides(found).items():
            if name in FIVE:
                photo[FIVE.index(name)] = sum(hits), len(hits)
    return counts


def part_counts(engine: Engine, a: argparse.Namespace) -> NDArray[np.int64]:
    """`Scores.confusions` on held-out synthetic people."""
    people = HeldOut.read(a.test, a.limit)
    part_set = engine.part_set
    assert part_set is not None  # every network of NETWORKS has parts
    merge, parse = from_s31(part_set), by_engine(engine)
    counts = np.zeros((len(people.images), part_set.classes, part_set.classes), np.int64)
    for picture, image, truth in zip(counts, people.images, people.labels, strict=True):
        confusion = Confusion(part_set.classes)
        confusion.add(merge[truth], parse(image).labels)
        picture[:] = confusion.counts
    return counts


def interval(
    better: Sequence[Scores], worse: Sequence[Scores], measure: str, draws: int = DRAWS
) -> tuple[float, float, float]:
    """Mean difference over the seeds, and its interval when pictures and seeds are drawn again, in pairs.

    The same pictures and seeds are drawn for both (paired bootstrap, Efron and Tibshirani 1993, ch. 13).
    """
    pairs = list(zip(better, worse, strict=False))
    rng = np.random.default_rng(0)

    def difference(pair: tuple[Scores, Scores], pictures: NDArray[np.int64] | slice) -> float:
        b, w = (float(getattr(s, measure)(pictures)) for s in pair)
        return b - w

    count = pairs[0][0].count(measure)
    drawn = []
    for _ in range(draws):
        pictures = rng.integers(count, size=count)
        seeds = rng.integers(len(pairs), size=len(pairs))
        drawn.append(np.mean([difference(pairs[i], pictures) for i in seeds]))
    low, high = np.quantile(drawn, ((1 - SURE) / 2, (1 + SURE) / 2))
    return float(np.mean([difference(p, slice(None)) for p in pairs])), float(low), float(high)


def verdict(low: float, high: float) -> str:
    """A claim's verdict from the interval of the difference."""
    return "agrees" if low > 0 else "disagrees" if high < 0 else "cannot say"


def write(a: argparse.Namespace, scores: dict[str, list[Scores]]) -> None:
    """The page, with what there is so far."""
    rows: list[Row] = []
    for title, row in NETWORKS.items():
        if row in scores:
            of = [[100 * s.pck() for s in scores[row]], [100 * s.iou() for s in scores[row]]]
            each = [f"{np.mean(v):.1f} ({min(v):.1f} to {max(v):.1f})" for v in of]
            rows.append((title, f"`{row}`", ZOO[row].parameters, len(scores[row]), *each))
    claims: list[Row] = []
    for c in CLAIMS:
        if c.better in scores and c.worse in scores:
            mean, low, high = (100 * v for v in interval(scores[c.better], scores[c.worse], c.measure))
            measure = "PCK" if c.measure == "pck" else "mIoU"
            claims.append(
                (c.words, c.paper, measure, f"{mean:+.1f} ({low:+.1f} to {high:+.1f})", verdict(low, high))
            )
    missing = [r for r in NETWORKS.values() if len(scores.get(r, ())) < len(SEEDS)]
    options = f" --shipped {a.shipped}" + (f" --pseudolabels {a.pseudolabels}" if a.pseudolabels else "")
    Page(a.out, "7-adaptation").write(
        command=f"`python -m experiments seven --steps {a.steps}{options} --out {a.out}`",
        steps=a.steps, batch=BATCH, crop=CROP, lr=LR, seeds=", ".join(map(str, SEEDS)), side=SIDE,
        scores=table(("", "row", "weights", "seeds", "PCK@0.2, %", "mean IoU, %"), rows),
        claims=table(("claim", "in the papers", "measure", "difference here, points", "verdict"), claims),
        missing=f"Not trained with every seed yet: {', '.join(missing)}." if missing else "",
    )  # fmt: skip
