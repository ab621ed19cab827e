"""Experiment 4: supervised transfer. The factor learns the silhouettes of another domain."""

from __future__ import annotations

import argparse
import logging
from itertools import pairwise

from torch import Tensor

from experiments.domains import Domain, domains
from experiments.networks import command
from experiments.pages import Page, agrees, filled
from models.factored import FactoredConvNet
from training.markdown import table
from training.transfer import TransferConfig, fine_tune, targets

log = logging.getLogger(__name__)
STEPS = 300
MEASUREMENTS = 8  # along the way
Curve = dict[str, list[float]]


def run(a: argparse.Namespace) -> None:
    """Move the factor to each domain, measuring on the way, and write the page."""
    page = Page(a.out, "4-supervised-transfer")
    found = "\n\n".join(_domain(page, domain) for domain in domains(a))
    config = TransferConfig
    page.write(
        command=command(a, "four"), steps=STEPS, batch=config.batch, lr=config.lr, domains=found
    )  # fmt: skip


def _domain(page: Page, domain: Domain) -> str:
    steps, curve = followed(domain, targets(domain.features, domain.silhouettes))
    first, last = ({k: v[i] for k, v in curve.items()} for i in (0, -1))
    shown = {k: curve[k] for k in domain.shown}
    return filled(
        "4-domain",
        title=domain.title,
        words=domain.words,
        gains=table(
            ("", "before", "after", "gain"), [(k, first[k], last[k], last[k] - first[k]) for k in first]
        ),
        verdicts="\n\n".join(agreement(curve, measure) for measure in domain.main),
        lines=page.lines(domain.name, steps, shown, ("steps of factor fine-tuning", "")),
        steps=table(("steps", *shown), list(zip(steps, *shown.values(), strict=True))),
    )


def followed(domain: Domain, labels: Tensor) -> tuple[list[int], Curve]:
    """Fine-tune and measure along the way: (steps done, the measures there)."""
    steps: list[int] = []
    curve: Curve = {}
    count = len(domain.features)
    config = TransferConfig(epochs=min(STEPS, 2 * count) * TransferConfig.batch / count)
    every = max(1, config.steps(count) // MEASUREMENTS)

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
    """The verdict on the rise and its smoothness, from the figures alone."""
    values = curve[main]
    falls = [b - a for a, b in pairwise(values) if b < a]
    return (
        f"{main[0].upper()}{main[1:]} goes from {values[0]:.3f} to {values[-1]:.3f} without a part label:"
        f" **{agrees(values[-1] > 1.02 * values[0])}**. Of {len(values) - 1} stretches {len(falls)} fall, by"
        f" {-min(falls, default=0):.3f} at most."
    )
