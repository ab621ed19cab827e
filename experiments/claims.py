"""Claims of the paper on networks of parts: differences, their intervals and verdicts, tables and plots."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from experiments.networks import NETWORKS, setting
from experiments.pages import Page, filled
from experiments.part_scores import FinishedNetworks, Use
from experiments.setting import TrainingSetting
from models.labels import MERGED16
from training.markdown import Row, table


@dataclass(frozen=True)
class PartClaim:
    """A claim: the sum of a measure over `plus` is above that over `minus`, or close to it."""

    words: str
    paper: str  #: its figures there
    plus: tuple[Use, ...]
    minus: tuple[Use, ...]
    measure: str = "mean IoU"
    alike: float | None = None  #: claimed instead: at most so far apart, as a share of the first of `minus`

    def row(self, found: FinishedNetworks) -> Row | None:
        """The claim's row of the table; None where a network is missing."""
        interval = found.interval(self.measure, self.plus, self.minus)
        if interval is None:
            return None
        level = found.interval(self.measure, self.minus[:1])
        verdict = interval.verdict(self.alike * level.mean if self.alike and level else None)
        return self.words, self.paper, self.measure, interval.words(2), interval.seeds, f"**{verdict}**"


def verdicts(claims: Sequence[PartClaim], found: FinishedNetworks) -> str:
    """The table of the claims that can be judged."""
    head = ("claim", "paper", "measure", "difference here, points (95 %)", "seeds", "verdict")
    return table(head, [row for c in claims if (row := c.row(found))])


def tried(claims: Sequence[PartClaim], found: FinishedNetworks, a: argparse.Namespace) -> str:
    """The claims that do not reproduce, with what else was tried for them; empty where nothing was."""
    rows: list[Row] = []
    for folder in a.tried:
        other, words = FinishedNetworks(folder, a.seeds), TrainingSetting.read(folder).beside(setting(a))
        for c in claims:
            row, again = c.row(found), c.row(other)
            level = other.interval(c.measure, c.minus[:1])
            if row and again and level and row[-1] != "**agrees**":
                rows.append((c.words, c.measure, words, f"{100 * level.mean:.1f}", *again[3:]))
    head = ("claim", "measure", "tried", "compared with, %", "difference, points (95 %)", "seeds", "verdict")
    return filled("tried", rows=table(head, rows)) if rows else ""


def scores(uses: Mapping[str, Use], measures: Sequence[str], found: FinishedNetworks) -> str:
    """Means over the seeds in %, lowest to highest seed in brackets."""
    rows: list[Row] = []
    for title, (name, condition) in uses.items():
        seeds = found.seeds(name)
        values = [found.values(name, s, condition) for s in seeds]
        each = [[100 * float(v[m][0]) for v in values] for m in measures]
        cells = [f"{sum(v) / len(v):.2f} ({min(v):.2f} to {max(v):.2f})" for v in each if v]
        if cells:
            rows.append((title, len(seeds), *cells))
    return table(("", "seeds", *(f"{m}, %" for m in measures)), rows)


def by_class(better: Use, worse: Use, found: FinishedNetworks) -> tuple[str, str]:
    """A table of the differences in every class, and how many of them have which verdict."""
    rows: list[Row] = []
    for name in MERGED16.names:
        if interval := found.interval(name, [better], [worse]):
            own, other = (found.interval(name, [use]) for use in (better, worse))
            assert own is not None
            assert other is not None
            rows.append((name, 100 * own.mean, 100 * other.mean, interval.words(2), interval.verdict()))
    given = [str(row[-1]) for row in rows]
    counts = ", ".join(f"{given.count(v)} {v}" for v in dict.fromkeys(given))
    head = ("IoU, %", " ".join(better), " ".join(worse), "difference, points (95 %)", "verdict")
    return table(head, rows, 2), counts


def bars(page: Page, file: str, uses: Mapping[str, Use], label: str, found: FinishedNetworks) -> str:
    """A plot of the classes with intervals; the Markdown that shows it."""
    groups = {
        title: {name: each for name in MERGED16.names if (each := found.interval(name, [use]))}
        for title, use in uses.items()
    }
    shown = {title: values for title, values in groups.items() if values}
    return page.bars(file, shown, label) if shown else ""


def unfinished(found: FinishedNetworks, seeds: Sequence[int]) -> str:
    """Words on the networks that are not trained with every seed yet."""
    missing = [n for n in NETWORKS if len(found.seeds(n)) < len(seeds)]
    return f"Not trained with every seed yet: {', '.join(missing)}." if missing else ""
