"""Scores of the networks of parts, picture by picture, so that pictures can be drawn again.

A score is the confusion (pictures, codes, parts) of cells under a condition: with the network's own factor,
with the true silhouette injected in its place, or forced upon its parts; the same for people behind a black
rectangle, and for photos of `ccp` by their coarse garments.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from experiments.bootstrap import Interval, Values, draw_counts
from experiments.people import BATCH, HeldOut, black_out, ways
from models.labels import IGNORE, MERGED16, S31
from models.network import Network
from synthetic.arrays import keep_arrays
from training.targets import CODES, SET_CODES, allowed

KEPT = "parts.npz"
SEED = 3  # of the rectangles
Counts = NDArray[np.uint16]
Use = tuple[str, str]  # a network and a condition


def keep(net: Network, people: HeldOut, a: argparse.Namespace, kept: Path, size: int) -> None:
    """Score a network under every condition and write it; on photos where there are some."""
    sets = {"": people, "hidden ": people.changed(black_out, SEED)}
    if (a.data / "ccp").exists():
        sets["ccp "] = HeldOut.street(a.data, a.limit)
    counts = {f"{name}{way}": c for name, some in sets.items() for way, c in counted(net, some, size).items()}
    keep_arrays(kept, counts)


def counted(net: Network, people: HeldOut, size: int) -> dict[str, Counts]:
    """Cells (n, codes, parts) of every picture by true code and part found, for each use of silhouettes."""
    counts: dict[str, list[Counts]] = {}
    cells = people.cells()
    for start in range(0, len(cells), BATCH):
        part = slice(start, start + BATCH)
        for way, labels in ways(net, people, part, size).items():
            counts.setdefault(way, []).append(confusions(cells[part], labels))
    return {way: np.concatenate(each) for way, each in counts.items()}


def confusions(
    truth: NDArray[np.integer], found: NDArray[np.integer], size: tuple[int, int] = (CODES, S31.classes)
) -> Counts:
    """Cells (n, *size) of every picture by true and found class; 255 in the truth is dropped."""
    counts = np.zeros((len(truth), *size), np.uint16)
    at = np.nonzero(truth != IGNORE)
    np.add.at(counts, (at[0], truth[at], found[at]), 1)
    return counts


def _rates(hits: Values, of: Values) -> Values:
    return np.asarray(np.divide(hits, of, out=np.full(hits.shape, np.nan), where=of > 0))


def _mean(values: Values) -> Values:
    """Mean (draws,) of the classes that are there."""
    there = ~np.isnan(values)
    return _rates(np.where(there, values, 0).sum(1), there.sum(1))


def measures(sums: Values, *, photos: bool) -> dict[str, Values]:
    """Measures (draws,) of confusions (draws, codes, parts): of 31 parts, or of the garments of `ccp`.

    Left and right are averaged, the background is not counted (methods §1.8).
    """
    person = sums[:, 1:, 1:].sum((1, 2))
    found = {
        "person IoU": _rates(person, sums.sum((1, 2)) - sums[:, 0, 0]),
        "background": _rates(sums[:, 0, 0], sums[:, 0].sum(1)),
    }
    if photos:
        rows = {name: sums[:, SET_CODES[name]] for name in ("head", "trousers", "foot")}
        garments = {n: _rates((r * allowed()[SET_CODES[n]]).sum(1), r.sum(1)) for n, r in rows.items()}
        return found | garments | {"garments": _mean(np.stack(list(garments.values()), 1))}
    of_parts = sums[:, : S31.classes]
    hits, truth = np.diagonal(of_parts, axis1=1, axis2=2), of_parts.sum(2)
    iou = _rates(hits, truth + of_parts.sum(1) - hits)[:, 1:]
    ids = np.array(MERGED16.ids)
    found |= {"mean IoU": _mean(iou), "class accuracy": _mean(_rates(hits, truth)[:, 1:])}
    return found | {name: _mean(iou[:, ids == i]) for i, name in enumerate(MERGED16.names, 1)}


class FinishedNetworks:
    """Scores of the networks of a folder, as many as there are, under draws of their pictures."""

    def __init__(self, folder: Path, seeds: Iterable[int]) -> None:
        self._folder, self._seeds = folder, tuple(seeds)
        self._values: dict[tuple[str, int, str], dict[str, Values]] = {}

    def seeds(self, *names: str) -> list[int]:
        """The seeds with which all of these are finished."""
        return [s for s in self._seeds if all((self._folder / f"{n}-{s}" / KEPT).exists() for n in names)]

    def values(self, name: str, seed: int, condition: str) -> dict[str, Values]:
        """The measures of a network under a condition, (1 + draws,) each: all pictures, then drawn ones."""
        key = name, seed, condition
        if key not in self._values:
            with np.load(self._folder / f"{name}-{seed}" / KEPT) as kept:
                counts = kept[condition].astype(np.float32)
            sums = np.tensordot(draw_counts(len(counts)).astype(np.float32), counts, 1).astype(np.float64)
            self._values[key] = measures(sums, photos=condition.startswith("ccp"))
        return self._values[key]

    def interval(self, measure: str, plus: Sequence[Use], minus: Sequence[Use] = ()) -> Interval | None:
        """A measure, or the difference of sums of it; None where no seed has all of them."""
        uses = [(use, 1) for use in plus] + [(use, -1) for use in minus]
        seeds = self.seeds(*(name for (name, _), _ in uses))
        if not seeds:
            return None
        each = [[sign * self.values(name, s, how)[measure] for (name, how), sign in uses] for s in seeds]
        return Interval.of([np.sum(terms, 0) for terms in each])
