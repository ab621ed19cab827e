"""Experiment 1: the three networks on people held out of training."""

from __future__ import annotations

import argparse

from experiments.networks import NAMES, common_values, shipped, trained
from experiments.pages import Page, agrees, by_class
from experiments.people import HeldOut, PartScore, score
from training.markdown import table

PAPER = {"baseline": "44", "enet": "28", "factored": "43"}  # mean class accuracy on UP-S31, %
HEAD = ("network", "parameters", "passes", "mean class accuracy, %", "paper (UP-S31), %", "mean IoU",
        "person IoU", "background accuracy, %")  # fmt: skip


def run(a: argparse.Namespace) -> None:
    """Score all three and the shipped network, and write the page."""
    people = HeldOut.read(a.test, a.limit)
    found = {name: trained(a, name) for name in NAMES} | {"shipped": shipped(a)}
    scores = {k: score(n.net, people, a.shipped_size if k == "shipped" else a.size) for k, n in found.items()}
    rows = []
    for name, network in found.items():
        s, passes = scores[name], "see its card" if name == "shipped" else network.passes
        figures = 100 * s.accuracy, PAPER.get(name, "–"), s.iou, s.person, 100 * s.background
        rows.append((network.title, network.parameters, passes, *figures))
    page = Page(a.out, "1-state-of-the-art")
    each = {n.title: scores[k].by_class() for k, n in found.items()}
    page.write(
        **common_values(a, "one", people),
        **agreement(scores),
        shipped_size=a.shipped_size,
        scores=table(HEAD, rows),
        bars=page.bars("iou", each, "IoU"),
        classes=by_class(each),
    )


def agreement(scores: dict[str, PartScore]) -> dict[str, object]:
    """Distances in points of mean class accuracy, and whether they are the paper's."""
    points = {k: 100 * s.accuracy for k, s in scores.items()}
    baseline, enet, factored = (points[k] for k in NAMES)
    return {
        "factored": factored - baseline,
        "near": agrees(abs(factored - baseline) <= 0.1 * baseline),
        "enet": enet - max(baseline, factored),
        "above": "agrees" if enet < 0.9 * min(baseline, factored) else "does not show",
        "shipped": points["shipped"],
    }
