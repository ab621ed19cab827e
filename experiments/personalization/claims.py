"""Claims on personalisation: differences over clips, their intervals and verdicts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from experiments.bootstrap import Interval, Values, draw_counts, verdict
from experiments.personalization.variants import PROGRAM
from training.markdown import Row, table

GENERIC, VIEWS, PERFECT, FLOOR = "generic", "six views", "true silhouettes", "true parts"
KEPT = "kept"  # what a user has in the end
FEWEST = 5  # clips from which an interval says something
ALL, ALONE, SEVERAL = "all", "one person", "several people"
Record = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class ClipClaim:
    """A claim: on the mean over clips, a measure is better with one network than with another."""

    words: str
    paper: str  #: its figures there
    measure: str  #: J, or a mean error in px
    better: str
    worse: str = GENERIC

    def change(self, record: Record) -> Interval:
        """Change of the mean by paired bootstrap over clips: of J a difference, of errors a share."""
        after, before = (_drawn(record, name, self.measure) for name in (self.better, self.worse))
        return Interval.of([after - before if self.measure == "J" else after / before - 1])

    def cell(self, record: Record) -> str:
        """The change with its interval, and the verdict."""
        if len(record) < FEWEST:
            return "**cannot say** (too few clips)"
        found = self.change(record)
        low, high = (found.low, found.high) if self.measure == "J" else (-found.high, -found.low)
        return f"{found.words()}: **{verdict(low, high)}**"


CLAIMS = (
    ClipClaim("joints, mean of the four, gain", "-20 %", "joints", PROGRAM),
    ClipClaim("the same, where a refused factor is not used", "-20 %", "joints", KEPT),
    ClipClaim("wrists gain", "-18 %", "wrists", PROGRAM),
    ClipClaim("elbows gain", "-26 %", "elbows", PROGRAM),
    ClipClaim("shoulders gain", "-25 %", "shoulders", PROGRAM),
    ClipClaim("joints of the joint head gain", "–", "joints by joint head", PROGRAM),
    ClipClaim("silhouettes gain", "–", "J", PROGRAM),
    ClipClaim("joints: better than six views", "–", "joints", PROGRAM, VIEWS),
    ClipClaim("joints of the joint head: better than six views", "–", "joints by joint head", PROGRAM, VIEWS),
    ClipClaim("silhouettes: better than six views", "–", "J", PROGRAM, VIEWS),
)


def sets(record: Record) -> dict[str, Record]:
    """All clips, those of one person alone and those with others beside; empty ones are left out."""
    alone = {n: r for n, r in record.items() if not r["others"]}
    several = {n: r for n, r in record.items() if r["others"]}
    return {name: of for name, of in ((ALL, record), (ALONE, alone), (SEVERAL, several)) if of}


def mean(record: Record, name: str, measure: str) -> Interval:
    """Mean over clips with its interval."""
    return Interval.of([_drawn(record, name, measure)])


def verdicts(of: Mapping[str, Record]) -> str:
    """The table of the claims, a column for each set of clips."""
    head = ("claim", "paper", *(f"{name} ({len(record)})" for name, record in of.items()))
    rows: list[Row] = [(c.words, c.paper, *(c.cell(record) for record in of.values())) for c in CLAIMS]
    return table(head, rows)


def _drawn(record: Record, name: str, measure: str) -> Values:
    """Means over the clips, all once and then as drawn with replacement; the same draws for all measures."""
    counts = draw_counts(len(record))
    values = np.asarray([r[name][measure] for r in record.values()], np.float64)
    return np.asarray(counts @ values / len(record), np.float64)
