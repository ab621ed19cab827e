"""Experiment 2: the true silhouettes, injected into the factor's place or forced upon the Baseline."""

from __future__ import annotations

import argparse
from dataclasses import dataclass

from experiments.networks import common_values, shipped, trained
from experiments.pages import Page, agrees, by_class, filled
from experiments.people import HeldOut, PartScore, score
from models.network import Network
from training.markdown import Row, table

MEASURES = ("", "mean class accuracy, %", "mean IoU", "person IoU")


@dataclass(frozen=True)
class Injection:
    """Baseline and Factored without and with the true silhouettes."""

    baseline: PartScore
    constrained: PartScore
    factored: PartScore
    injected: PartScore

    @classmethod
    def of(cls, baseline: Network, factored: Network, people: HeldOut, size: int) -> Injection:
        """Score all four."""
        return cls(*(score(n, people, size, given=g) for n in (baseline, factored) for g in (False, True)))

    @property
    def columns(self) -> dict[str, PartScore]:
        """By the names the pages use."""
        names = ("Baseline", "Baseline, hard constraint", "Factored", "Factored, injected")
        return dict(zip(names, (self.baseline, self.constrained, self.factored, self.injected), strict=True))

    def values(self) -> dict[str, object]:
        """Tables and figures for the pages."""
        injected, constrained = self.injected.by_class(), self.constrained.by_class()
        return {
            "means": table(MEASURES, [_row(k, s) for k, s in self.columns.items()]),
            "classes": by_class({k: s.by_class() for k, s in self.columns.items()}),
            "better": sum(injected[c] > constrained[c] for c in injected),  # of the 16 classes
            "gain": self.injected.iou - self.factored.iou,
            "baseline_gain": self.constrained.iou - self.baseline.iou,
        }


def run(a: argparse.Namespace) -> None:
    """Score and write the page."""
    people = HeldOut.read(a.test, a.limit)
    found = Injection.of(trained(a, "baseline").net, trained(a, "factored").net, people, a.size)
    values = found.values()
    verdict = agrees(values["better"] == 16)
    if 10 < int(str(values["better"])) < 16:
        verdict = "agrees in most classes"
    page = Page(a.out, "2-direct-injection")
    groups = {"Baseline": found.constrained.by_class(), "Factored": found.injected.by_class()}
    page.write(
        **common_values(a, "two", people),
        **values,
        verdict=verdict,
        injected=found.injected.iou,
        constrained=found.constrained.iou,
        person=found.injected.person,
        constrained_person=found.constrained.person,
        bars=page.bars("iou", groups, "IoU with true silhouettes"),
        aside=aside(a, people),
    )


def aside(a: argparse.Namespace, people: HeldOut) -> str:
    """The shipped checkpoint: the effect of the same silhouettes on a network with a long training."""
    net, size = shipped(a).net, a.shipped_size
    own = score(net, people, size)
    forced, injected = (score(net, people, size, given=True, forced=f) for f in (True, False))
    named = {"own factor": own, "hard constraint": forced, "injected": injected}
    return filled(
        "aside",
        size=size,
        scores=table(MEASURES, [_row(k, s) for k, s in named.items()]),
        injected=injected.iou - own.iou,
        forced=forced.iou - own.iou,
        verdict=agrees(injected.iou > forced.iou + 0.005),
    )


def _row(name: str, s: PartScore) -> Row:
    return name, 100 * s.accuracy, s.iou, s.person
