"""Experiment 2: the true silhouettes, injected into the factor's place or forced upon the Baseline."""

from __future__ import annotations

import argparse
from dataclasses import dataclass

from experiments.networks import budget_words, command, shipped, trained
from experiments.pages import Page, Row, table
from experiments.people import People, Score, score, score_forced
from models.network import Network


@dataclass(frozen=True)
class Four:
    """Baseline and Factored, left to themselves and told the true silhouettes."""

    baseline: Score
    constrained: Score
    factored: Score
    injected: Score

    @classmethod
    def of(cls, baseline: Network, factored: Network, people: People, size: int) -> Four:
        """Score all four."""
        return cls(
            *(score(net, people, size, told=told) for net in (baseline, factored) for told in (False, True))
        )

    def columns(self) -> dict[str, Score]:
        """By the names the pages use."""
        return {
            "Baseline": self.baseline,
            "Baseline, hard constraint": self.constrained,
            "Factored": self.factored,
            "Factored, injected": self.injected,
        }


def run(a: argparse.Namespace) -> None:
    """Score and write the page."""
    people = People.read(a.test, a.limit)
    baseline, factored = trained(a, "baseline"), trained(a, "factored")
    four = Four.of(baseline.net, factored.net, people, a.size)
    page = Page(a.out, "2-direct-injection", "Experiment 2: direct injection of silhouettes")
    told = {"Baseline": four.constrained.by_class(), "Factored": four.injected.by_class()}
    page.write(
        command(a, "two"),
        f"{len(people.images)} held-out synthetic people, input {a.size} px, scored at 64 x 64. Budget:"
        f" {budget_words(a)}. The silhouette takes the factor's place, averaged over the"
        " cells of its grid; for the Baseline it is a hard constraint: the best part inside, background"
        " outside.",
        means(four),
        agreement(four),
        page.bars("iou", told, "IoU with true silhouettes"),
        classes(four),
        aside(a, people),
    )


def aside(a: argparse.Namespace, people: People) -> str:
    """The shipped checkpoint: what the same silhouettes do for a network with a long training."""
    net, size = shipped(a).net, a.shipped_size
    own, forced = score(net, people, size), score_forced(net, people, size)
    injected = score(net, people, size, told=True)
    rows = [
        (name, 100 * s.accuracy, s.iou, s.person)
        for name, s in (("own factor", own), ("hard constraint", forced), ("injected", injected))
    ]
    verdict = "agrees" if injected.iou > forced.iou + 0.005 else "does not agree"
    return (
        "## After a long training\n\n"
        f"The shipped Factored ConvNet (its card says what it has learnt from), input {size} px, told the"
        " same silhouettes in both ways:\n\n"
        + table(("", "mean class accuracy, %", "mean IoU", "person IoU"), rows)
        + f"\n\nInjection gives {injected.iou - own.iou:+.3f} mean IoU, the hard constraint on the same"
        f" network {forced.iou - own.iou:+.3f}: that a silhouette in the factor's place tells more than its"
        f" outline **{verdict}**."
    )


def means(four: Four) -> str:
    """One row per network, both measures."""
    rows = [(k, 100 * s.accuracy, s.iou, s.person) for k, s in four.columns().items()]
    return table(("", "mean class accuracy, %", "mean IoU", "person IoU"), rows)


def classes(four: Four) -> str:
    """IoU of every class."""
    columns = {k: s.by_class() for k, s in four.columns().items()}
    rows: list[Row] = [(c, *(v[c] for v in columns.values())) for c in columns["Baseline"]]
    return table(("IoU", *columns), rows)


def better(four: Four) -> int:
    """In how many of the 16 classes injection beats the hard constraint."""
    a, b = four.injected.by_class(), four.constrained.by_class()
    return sum(a[c] > b[c] for c in a)


def agreement(four: Four) -> str:
    """What agrees with the paper, from the figures alone."""
    count = better(four)
    verdict = "agrees" if count == 16 else "agrees in most classes" if count > 10 else "does not agree"
    return (
        "Paper: with true silhouettes Factored is above the Baseline in **every** class (its figure's values"
        f" are lost). Here: in {count} of 16; mean IoU {four.injected.iou:.3f} against"
        f" {four.constrained.iou:.3f}. This **{verdict}**. The same silhouettes raise Factored by"
        f" {four.injected.iou - four.factored.iou:+.3f} and the Baseline by"
        f" {four.constrained.iou - four.baseline.iou:+.3f}. The injected silhouettes come back as parts with"
        f" IoU {four.injected.person:.3f} (the constraint's, by construction, {four.constrained.person:.3f}):"
        " how far the head has learnt to follow its factor."
    )
