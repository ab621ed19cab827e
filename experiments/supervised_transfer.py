"""Experiment 4: supervised transfer. The factor learns the silhouettes of another domain."""

from __future__ import annotations

import argparse
import logging
from itertools import pairwise

from torch import Tensor

from experiments.domains import Domain, domains
from experiments.networks import command
from experiments.pages import Page, table
from models.factored import FactoredConvNet
from training.transfer import TransferConfig, fine_tune, targets

log = logging.getLogger(__name__)
STEPS = 300
LOOKS = 8  # measurements along the way
Curve = dict[str, list[float]]


def run(a: argparse.Namespace) -> None:
    """Move the factor to each domain, measuring on the way, and write the page."""
    page = Page(a.out, "4-supervised-transfer", "Experiment 4: supervised transfer")
    blocks = [
        command(a, "four"),
        "Factor fine-tuning: the factor alone learns from silhouettes, trunk and head stay the same."
        f" {STEPS} steps of {TransferConfig.batch} pictures, AdamW at {TransferConfig.lr:g}, the factor's"
        " loss of our training.",
        "Paper: as the factor learns the test set's silhouettes, accuracy and IoU of the parts rise smoothly"
        " (its figure's values are lost).",
    ]
    for domain in domains(a):
        blocks += _domain(page, domain)
    page.write(*blocks)


def _domain(page: Page, domain: Domain) -> list[str]:
    labels = targets(domain.features, domain.silhouettes)
    steps, curve = followed(domain, labels)
    first, last = ({k: v[i] for k, v in curve.items()} for i in (0, -1))
    shown = {k: v for k, v in curve.items() if k in domain.shown}
    return [
        f"## {domain.title}",
        domain.words,
        table(("", "before", "after", "gain"), [(k, first[k], last[k], last[k] - first[k]) for k in first]),
        *(agreement(curve, measure) for measure in domain.main),
        page.lines(domain.name, steps, shown, ("steps of factor fine-tuning", "")),
        table(
            ("steps", *domain.shown), [(s, *(shown[k][i] for k in domain.shown)) for i, s in enumerate(steps)]
        ),
    ]


def followed(domain: Domain, labels: Tensor) -> tuple[list[int], Curve]:
    """Fine-tune and measure along the way: (steps done, the measures there)."""
    steps: list[int] = []
    curve: Curve = {}
    count = len(domain.features)
    config = TransferConfig(epochs=min(STEPS, 2 * count) * TransferConfig.batch / count)
    every = max(1, config.steps(count) // LOOKS)

    def watch(step: int, now: FactoredConvNet) -> None:
        if step % every:
            return
        steps.append(step)
        for name, value in domain.score(now).items():
            curve.setdefault(name, []).append(value)
        log.info("%s, step %d: %s", domain.name, step, {k: round(v[-1], 3) for k, v in curve.items()})

    fine_tune(domain.net, domain.features, labels, config, watch)
    return steps, curve


def agreement(curve: Curve, main: str) -> str:
    """Whether the rise is there and smooth, from the figures alone."""
    values = curve[main]
    falls = [b - a for a, b in pairwise(values) if b < a]
    rose = values[-1] - values[0]
    verdict = "agrees" if rose > 0.02 * values[0] else "does not agree"
    return (
        f"{main[0].upper()}{main[1:]} goes from {values[0]:.3f} to {values[-1]:.3f} without a part"
        f" label: **{verdict}**. Of {len(values) - 1} stretches {len(falls)} fall, by"
        f" {-min(falls, default=0):.3f} at most."
    )
