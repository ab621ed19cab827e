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

from experiments.adaptation_setting import AdaptationSetting
from experiments.pages import Page, filled
from experiments.people import HeldOut
from export.write import describe, export_bundle
from models.checkpoint import load_network
from models.families import ZOO
from models.labels import from_s31
from models.outputs import AffinityFields
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
BATCH, LR = 16, 1e-3
SCORES = "scores.npz"  # of a network
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

    def values(self, measure: str, times: NDArray[np.int64]) -> NDArray[np.float64]:
        """`pck` or `iou` of several samples of the pictures.

        Args:
            measure: which.
            times: (samples, pictures) how often each is drawn.
        """
        if measure == "pck":  # at 0.2 torso: mean of the five joints
            found, annotated = np.moveaxis(np.tensordot(times, self.joints, 1), -1, 0)
            return np.asarray(np.mean(found / np.maximum(annotated, 1), axis=1))
        counts = np.tensordot(times.astype(np.float64), self.confusions, 1)
        hits = np.diagonal(counts, axis1=1, axis2=2)
        union = counts.sum(1) + counts.sum(2) - hits
        rates = np.divide(hits, union, out=np.full(hits.shape, np.nan), where=union > 0)
        return np.asarray(np.nanmean(rates[:, 1:], axis=1))  # without the background

    def value(self, measure: str) -> float:
        """`pck` or `iou` of all pictures."""
        return float(self.values(measure, np.ones((1, self.count(measure)), np.int64))[0])

    def count(self, measure: str) -> int:
        """Number of pictures that a measure is of."""
        return len(self.joints if measure == "pck" else self.confusions)


def run(a: argparse.Namespace) -> None:
    """Train and score what is missing, one seed of all networks after the other; the page after each.

    Raises:
        DataError: a training stopped, or what it needs is not given.
    """
    setting = AdaptationSetting.of(a)
    folder = a.runs / f"exp-adaptation-{setting.name}"
    rows = [row for row in NETWORKS.values() if row in (a.rows or NETWORKS.values())]
    if not a.finished:
        if not a.synthetic_folder and any(_in_scenes(row) for row in rows):
            raise DataError("PAF+FCN learns from scenes of rendered people. Give --synthetic-folder DIR.")
        setting.write(folder)
    for seed in SEEDS:
        for row in rows:
            kept = folder / f"{row}-{seed}" / SCORES
            if not kept.exists() and not a.finished:
                _train(row, seed, kept.parent, setting, a)
                _score(row, kept, a)
                write(a, read_scores(folder))
    write(a, read_scores(folder))


def read_scores(folder: Path) -> dict[str, list[Scores]]:
    """Scores of a run by row, of the seeds that are finished."""
    scores: dict[str, list[Scores]] = {}
    for row in NETWORKS.values():
        for seed in SEEDS:
            kept = folder / f"{row}-{seed}" / SCORES
            if kept.exists():
                with np.load(kept) as found:
                    scores.setdefault(row, []).append(Scores(found["joints"], found["confusions"]))
    return scores


def _in_scenes(row: str) -> bool:
    """A network that learns everybody's limbs, and so from scenes of several people."""
    return any(isinstance(o, AffinityFields) for stage in ZOO[row].stages for o in stage.outputs)


def _train(row: str, seed: int, folder: Path, setting: AdaptationSetting, a: argparse.Namespace) -> None:
    log.info("%s, seed %d: %d steps", row, seed, a.steps)
    people = a.synthetic_folder if _in_scenes(row) else a.synthetic
    words = [row, "--out", str(folder), "--data", str(a.data), "--seed", str(seed), *setting.words()]
    words += ["--batch", str(BATCH), "--lr", str(LR), "--ema", "0.99", "--synthetic", *map(str, people)]
    if not setting.cold:
        words += ["--init", str(a.shipped)]
    if a.pseudolabels:
        words += ["--pseudolabels", str(a.pseudolabels)]
    if training.main(words) != 0:
        raise DataError(f"{folder}: the training stopped; the reason stands above")


def _score(row: str, kept: Path, a: argparse.Namespace) -> None:
    """Export the averaged weights and run them on one look of every test picture."""
    folder = kept.parent
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
    count = pairs[0][0].count(measure)
    once = np.ones((1, count), np.int64)
    times = rng.multinomial(count, np.full(count, 1 / count), size=draws)
    every, drawn = (
        np.stack([b.values(measure, t) - w.values(measure, t) for b, w in pairs]) for t in (once, times)
    )
    seeds = rng.integers(len(pairs), size=(len(pairs), draws))
    low, high = np.quantile(np.take_along_axis(drawn, seeds, 0).mean(0), ((1 - SURE) / 2, (1 + SURE) / 2))
    return float(every.mean()), float(low), float(high)


def verdict(low: float, high: float) -> str:
    """A claim's verdict from the interval of the difference."""
    return "agrees" if low > 0 else "disagrees" if high < 0 else "cannot say"


def write(a: argparse.Namespace, scores: dict[str, list[Scores]]) -> None:
    """The page, with what there is so far."""
    rows: list[Row] = []
    for title, row in NETWORKS.items():
        if row in scores:
            of = [[100 * s.value(measure) for s in scores[row]] for measure in ("pck", "iou")]
            each = [f"{np.mean(v):.1f} ({min(v):.1f} to {max(v):.1f})" for v in of]
            rows.append((title, f"`{row}`", ZOO[row].parameters, len(scores[row]), *each))
    missing = [r for r in NETWORKS.values() if len(scores.get(r, ())) < len(SEEDS)]
    Page(a.out, "7-adaptation").write(
        command=f"`{command(a)}`", steps=a.steps, batch=BATCH, crop=a.crop, lr=LR, side=SIDE,
        start="random weights" if a.cold else "the shipped parser's weights",
        seeds=", ".join(map(str, SEEDS)),
        scores=table(("", "row", "weights", "seeds", "PCK@0.2, %", "mean IoU, %"), rows),
        claims=table(("claim", "in the papers", "measure", "difference here, points", "verdict"),
                     [found for c in CLAIMS if (found := compared(c, scores))]),
        tried=tried(a, scores),
        missing=f"Not trained with every seed yet: {', '.join(missing)}." if missing else "",
    )  # fmt: skip


def command(a: argparse.Namespace) -> str:
    """The command that makes the page again."""
    words = ["python -m experiments seven", f"--steps {a.steps} --crop {a.crop} --shipped {a.shipped}"]
    words += ["--cold"] if a.cold else []
    for option in ("synthetic", "synthetic_folder", "tried"):
        paths = " ".join(map(str, getattr(a, option)))
        words += [f"--{option.replace('_', '-')} {paths}"] if paths else []
    words += [f"--pseudolabels {a.pseudolabels}"] if a.pseudolabels else []
    return " ".join([*words, f"--test {a.test} --out {a.out}"])


def compared(c: Claim, scores: dict[str, list[Scores]]) -> Row | None:
    """A claim's row of the table; None where one of its networks is missing."""
    if c.better not in scores or c.worse not in scores:
        return None
    mean, low, high = (100 * v for v in interval(scores[c.better], scores[c.worse], c.measure))
    measure = "PCK" if c.measure == "pck" else "mIoU"
    return c.words, c.paper, measure, f"{mean:+.1f} ({low:+.1f} to {high:+.1f})", verdict(low, high)


def tried(a: argparse.Namespace, scores: dict[str, list[Scores]]) -> str:
    """The claims that do not reproduce, with what else was tried for them; empty where nothing was."""
    rows: list[Row] = []
    open_claims = [c for c in CLAIMS if (row := compared(c, scores)) and row[-1] != "agrees"]
    for folder in a.tried:
        other, setting = read_scores(folder), AdaptationSetting.read(folder)
        for c in open_claims:
            if row := compared(c, other):
                seeds = min(len(other[c.better]), len(other[c.worse]))
                rows.append((c.words, row[2], setting.beside(AdaptationSetting.of(a)), seeds, *row[3:]))
    if not rows:
        return ""
    head = ("claim", "measure", "tried", "seeds", "difference, points", "verdict")
    return filled("7-adaptation-tried", rows=table(head, rows))
