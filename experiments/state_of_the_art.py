"""Experiment 1: the three networks on people they have never seen."""

from __future__ import annotations

import argparse

from experiments.networks import NAMES, Trained, budget_words, command, shipped, trained
from experiments.pages import Page, table
from experiments.people import People, Score, score

PAPER = {"baseline": 44, "enet": 28, "factored": 43}  # mean class accuracy on UP-S31, %


def run(a: argparse.Namespace) -> None:
    """Score all three and write the page."""
    people = People.read(a.test, a.limit)
    scores: dict[str, tuple[Trained, Score]] = {}
    for name in NAMES:
        network = trained(a, name)
        scores[name] = (network, score(network.net, people, a.size))
    scores["shipped"] = (network := shipped(a), score(network.net, people, a.shipped_size))
    page = Page(a.out, "1-state-of-the-art", "Experiment 1: state of the art")
    page.write(*_blocks(a, page, people, scores))


def _blocks(
    a: argparse.Namespace, page: Page, people: People, scores: dict[str, tuple[Trained, Score]]
) -> list[str]:
    rows = [
        (
            n.title,
            n.parameters,
            "see its card" if k == "shipped" else n.passes,
            100 * s.accuracy,
            str(PAPER.get(k, "–")),
            s.iou,
            s.person,
            100 * s.background,
        )
        for k, (n, s) in scores.items()
    ]
    head = ("network", "parameters", "passes", "mean class accuracy, %", "paper (UP-S31), %", "mean IoU",
            "person IoU", "background accuracy, %")  # fmt: skip
    by_class = {n.title: s.by_class() for n, s in scores.values()}
    each = table(
        ("IoU", *by_class), [(c, *(v[c] for v in by_class.values())) for c in next(iter(by_class.values()))]
    )
    return [
        command(a, "one"),
        f"{len(people.images)} held-out synthetic people in clothes, poses and places not trained on;"
        f" input {a.size} px, scored at 64 x 64 over the 31 parts without the background. Budget:"
        f" {budget_words(a)}. The paper trains for 260 epochs of 6 812 pictures at 512 px. Last"
        f" row: the shipped Factored ConvNet, trained longer and on photos too, at {a.shipped_size} px.",
        table(head, rows),
        agreement({k: s for k, (_, s) in scores.items()}),
        page.bars("iou", by_class, "IoU"),
        each,
        "Not run: the second half of the paper's experiment (Freiburg Sitting People), whose pictures are not"
        " at hand; `python -m training.datasets` reads them where they are.",
    ]


def agreement(scores: dict[str, Score]) -> str:
    """What agrees with the paper, from the figures alone; distances count relative to the Baseline."""
    baseline, enet, factored = (100 * scores[k].accuracy for k in ("baseline", "enet", "factored"))
    near = "agrees" if abs(factored - baseline) <= 0.1 * baseline else "does not agree"
    above = "agrees" if enet < 0.9 * min(baseline, factored) else "does not show"
    return (
        f"Factored against Baseline: {factored - baseline:+.1f} points of mean class accuracy (paper: -1):"
        f" that a factor costs nothing **{near}**. ENet against the better of the two:"
        f" {enet - max(baseline, factored):+.1f} points (paper: -16): its distance **{above}** at this"
        f" budget. None of the three is near the end of its learning: the shipped checkpoint has"
        f" {100 * scores['shipped'].accuracy:.1f} %."
    )
