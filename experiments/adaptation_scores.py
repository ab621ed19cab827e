"""Scores of networks with parts and joints: as the program runs them, picture by picture, and differences."""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from experiments.bootstrap import DRAWS, Interval, draw_counts
from experiments.people import HeldOut
from export.write import describe, export_bundle
from models.checkpoint import load_network
from models.families import ZOO
from models.labels import from_s31
from runtime.engine.engine import Engine, load_engine
from runtime.system.errors import Refusal
from synthetic.arrays import keep_arrays
from training.evaluate import by_engine
from training.metrics import Confusion
from training.photos import read_lsp
from training.pose_scores import FIVE, both_sides, found_joints

SEEDS = (1, 2, 3)
SCORES = "scores.npz"
SIDE = 256  # of the networks' input when they are scored as the program runs them, px


@dataclass(frozen=True)
class Scores:
    """The scores of one network with one seed, picture by picture, so that differences can be drawn again.

    Attributes:
        joints: (photos, 5, 2) joints found and joints annotated, of `FIVE`.
        confusions: (pictures, classes, classes) cells by true and given part.
        seconds: processor time of the training, where it was measured.
    """

    joints: NDArray[np.int64]
    confusions: NDArray[np.int64]
    seconds: float = math.nan

    def percent(self, measure: str) -> float:
        """`pck` or `iou` of all pictures, %."""
        return 100 * float(self.values(measure, np.ones((1, self.count(measure)), np.int64))[0])

    @classmethod
    def read(cls, kept: Path) -> Scores:
        """Read what `score` wrote."""
        with np.load(kept) as found:
            return cls(found["joints"], found["confusions"], float(found.get("seconds", math.nan)))

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

    def count(self, measure: str) -> int:
        """Number of pictures that a measure is of."""
        return len(self.joints if measure == "pck" else self.confusions)


def read_scores(folder: Path, rows: Iterable[str]) -> dict[str, dict[int, Scores]]:
    """Scores of a run by row and by those of its seeds that are finished."""
    scores: dict[str, dict[int, Scores]] = {}
    for row in rows:
        for seed in SEEDS:
            kept = folder / f"{row}-{seed}" / SCORES
            if kept.exists():
                scores.setdefault(row, {})[seed] = Scores.read(kept)
    return scores


def score(
    row: str, checkpoint: Path, kept: Path, a: argparse.Namespace, side: int = SIDE, seconds: float = math.nan
) -> None:
    """Export the averaged weights beside `kept`, run them on one view of every test picture, keep that.

    `side` is the input's, px; the `seconds` of processor time that training took are kept with the scores.
    """
    folder = kept.parent
    network, _ = load_network(checkpoint)
    spec = describe(ZOO[row], name=row, licence="", training_data=(), input_size=(side, side))
    export_bundle(network.eval(), folder / row, spec, "")
    engine = _loaded(folder / row)
    counts = {"joints": joint_counts(engine, a), "confusions": part_counts(engine, a)}
    keep_arrays(kept, {**counts, "seconds": np.asarray(seconds)})


def _loaded(folder: Path, tries: int = 5) -> Engine:
    """The exported model; its trial has a limit in seconds, which a busy machine may pass."""
    for left in reversed(range(tries)):
        try:
            return load_engine(folder, device="cpu")
        except Refusal:
            if not left:
                raise
    raise AssertionError("there is a last try")


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
    better: Mapping[int, Scores], worse: Mapping[int, Scores], measure: str, draws: int = DRAWS
) -> Interval | None:
    """Difference between two networks over the seeds that both have; None where there is none."""
    pairs = [(better[seed], worse[seed]) for seed in sorted(better.keys() & worse.keys())]
    if not pairs:
        return None
    times = draw_counts(pairs[0][0].count(measure), draws)
    return Interval.of([b.values(measure, times) - w.values(measure, times) for b, w in pairs])
