"""Experiment 4: supervised transfer. The factor learns the silhouettes of another domain."""

from __future__ import annotations

import argparse
import logging
from functools import partial
from itertools import pairwise

import numpy as np

from experiments import networks
from experiments.bootstrap import Interval
from experiments.domains import Arrays, Domain, counted, domains, each_seed
from experiments.options import command
from experiments.pages import Page, filled
from models.factored import FactoredConvNet
from training.markdown import Row, table
from training.transfer import TransferConfig, fine_tune, targets

log = logging.getLogger(__name__)
STEPS = 240
MEASUREMENTS = 6  # along the way


def run(a: argparse.Namespace) -> None:
    """Move the factor to each domain with every seed, measuring on the way, and write the page."""
    page = Page(a.out, "4-supervised-transfer")
    found = "\n\n".join(text for domain in domains(a) if (text := _domain(page, domain, a)))
    config = TransferConfig
    page.write(
        command=command(a), steps=STEPS, batch=config.batch, lr=config.lr, domains=found,
        budget=networks.budget_words(a), intervals=filled("intervals"),
    )  # fmt: skip


def _domain(page: Page, domain: Domain, a: argparse.Namespace) -> str:
    made = each_seed(a, f"four-{domain.name}", partial(followed, domain))
    if not made:
        return ""
    steps = sorted({int(key.split()[0]) for key in made[0]})
    values = [[domain.values(m, str(step)) for step in steps] for m in made]
    rows: list[Row] = []
    for measure in domain.shown:
        gain = Interval.of([v[-1][measure] - v[0][measure] for v in values])
        before, after = (100 * float(np.mean([v[i][measure][0] for v in values])) for i in (0, -1))
        rows.append((measure, before, after, gain.words(2), f"**{gain.verdict()}**"))
    curves = {
        m: [100 * float(np.mean([v[i][m][0] for v in values])) for i in range(len(steps))]
        for m in domain.shown
    }
    falls = [f"{m} {sum(b < a for a, b in pairwise(c))}" for m, c in curves.items()]
    return filled(
        "4-domain", title=domain.title, words=domain.words, seeds=len(made), stretches=len(steps) - 1,
        gains=table(("%", "before", "after", "gain, points (95 %)", "it rises"), rows, 2),
        falls=", ".join(falls),
        lines=page.lines(domain.name, steps, curves, ("steps of factor fine-tuning", "%")),
    )  # fmt: skip


def followed(domain: Domain, seed: int) -> Arrays:
    """Fine-tune and score along the way, by the number of steps done."""
    net = domain.of(seed)
    learnt, scored = domain.features(net)
    counts: Arrays = {}
    config = TransferConfig(epochs=min(STEPS / len(learnt), 2) * TransferConfig.batch, seed=seed)
    every = max(1, config.steps(len(learnt)) // MEASUREMENTS)

    def watch(step: int, now: FactoredConvNet) -> None:
        if step % every == 0:
            counts.update(counted(now, scored, domain.test.cells(), str(step)))
            log.info("%s, seed %d, step %d", domain.name, seed, step)

    fine_tune(net, learnt, targets(learnt, domain.silhouettes()), config, watch)
    return counts
