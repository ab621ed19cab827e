"""Experiment 5: semi-supervised transfer. The factor learns from its own silhouettes, cut by GrabCut."""

from __future__ import annotations

import argparse
import logging
from functools import partial

import cv2
import numpy as np
from numpy.typing import NDArray

from experiments import networks
from experiments.bootstrap import Interval, draw_counts
from experiments.domains import Arrays, Domain, counted, domains, each_seed
from experiments.options import command
from experiments.pages import Page, filled
from personalize.cuts import grab_cut
from training.markdown import Row, table
from training.metrics import silhouette_iou
from training.transfer import TransferConfig, fine_tune, own_silhouettes, targets

log = logging.getLogger(__name__)
CONFIG = TransferConfig(epochs=1)
CUT = 256  # long side of the pictures that are cut, px
INIT, GRAB = "Tran-Init", "Tran-Grab"
Image = NDArray[np.uint8]
PAPER = (
    ("Orig", 96.5, 22.8, 8.2, 41.5, 41.3, 47.3, 48.3, 59.9, 58.3, 54.7, 47.9, 49.1, 28.5, 16.7),
    (INIT, 96.6, 24.8, 9.0, 43.1, 42.7, 49.3, 49.6, 61.2, 57.6, 54.5, 46.3, 46.0, 26.0, 13.7),
    (GRAB, 93.3, 36.0, 9.0, 46.9, 45.9, 51.1, 53.4, 63.8, 60.6, 57.3, 50.8, 52.0, 29.0, 23.6),
)
PAPER_HEAD = ("paper: accuracy, %", "background", "hands", "wrists", "lower arms", "elbows", "upper arms",
              "shoulders", "chest", "pelvis", "thighs", "knees", "shins", "ankles", "feet")  # fmt: skip


def run(a: argparse.Namespace) -> None:
    """Teach the factor both ways on every domain with every seed, and write the page."""
    page = Page(a.out, "5-semi-supervised-transfer")
    found = "\n\n".join(text for domain in domains(a) if (text := _domain(page, domain, a)))
    page.write(
        command=command(a), cut=CUT, batch=CONFIG.batch, lr=CONFIG.lr, domains=found,
        paper=table(PAPER_HEAD, PAPER, 1), budget=networks.budget_words(a), intervals=filled("intervals"),
    )  # fmt: skip


def _domain(page: Page, domain: Domain, a: argparse.Namespace) -> str:
    made = each_seed(a, f"five-{domain.name}", partial(taught, domain))
    if not made:
        return ""
    before, init, grab = ([domain.values(m, key) for m in made] for key in ("Orig", INIT, GRAB))
    rows: list[Row] = []
    for measure in (*domain.shown, "background"):
        pairs = ((init, before), (grab, before), (grab, init))
        gains = [Interval.of([x[measure] - y[measure] for x, y in zip(*p, strict=True)]) for p in pairs]
        mean = 100 * float(np.mean([v[measure][0] for v in before]))
        rows.append((measure, mean, *(g.words(2) for g in gains), *(g.verdict() for g in gains[1:])))
    names = {"Orig": before, INIT: init, GRAB: grab}
    shown = {k: {m: Interval.of([v[m] for v in values]) for m in domain.shown} for k, values in names.items()}
    times = draw_counts(len(made[0]["own J"]))
    own, cut = ([times @ m[f"{of} J"] / times.shape[1] for m in made] for of in ("own", "cut"))
    gap = Interval.of([c - o for c, o in zip(cut, own, strict=True)])
    head = ("%", "Orig", INIT, GRAB, f"{GRAB} against {INIT}", "above Orig", f"above {INIT}")
    return filled(
        "5-domain", title=domain.title, words=domain.words, seeds=len(made), scores=table(head, rows, 2),
        own=Interval.of(own).mean, cut=Interval.of(cut).mean, gap=gap.words(2), verdict=gap.verdict(),
        bars=page.bars(domain.name, shown, ""),
    )  # fmt: skip


def taught(domain: Domain, seed: int) -> Arrays:
    """Scores before, after learning the own silhouettes, and after learning them cut; J of both."""
    net = domain.of(seed)
    learnt, scored = domain.features(net)
    images, cells = list(domain.learnt.images), domain.test.cells()
    probable = own_silhouettes(net, learnt, [(im.shape[0], im.shape[1]) for im in images])
    labels = {
        INIT: [(p >= 128).astype(np.uint8) for p in probable],
        GRAB: [cut_silhouette(im, p) for im, p in zip(images, probable, strict=True)],
    }
    counts = counted(net, scored, cells, "Orig")
    config = TransferConfig(epochs=CONFIG.epochs, seed=seed)
    for name, own in labels.items():
        log.info("%s, seed %d: %s", domain.name, seed, name)
        counts |= counted(fine_tune(net, learnt, targets(learnt, own), config), scored, cells, name)
    truths = domain.silhouettes()
    for of, own in zip(("own", "cut"), labels.values(), strict=True):
        counts[f"{of} J"] = np.array([silhouette_iou(m > 0, t) for m, t in zip(own, truths, strict=True)])
    return counts


def cut_silhouette(image: Image, person: Image) -> Image:
    """GrabCut started from P(person) (h, w) uint8 of 0..255: 1 person, 0 background."""
    h, w = person.shape
    k = min(1.0, CUT / max(h, w))
    size = max(1, round(w * k)), max(1, round(h * k))
    small, p = (cv2.resize(x, size, interpolation=cv2.INTER_AREA) for x in (image, person))
    cut = grab_cut(small.astype(np.uint8), p.astype(np.float32) / np.float32(255)).person
    return np.asarray(cv2.resize(cut.astype(np.uint8), (w, h), interpolation=cv2.INTER_NEAREST), np.uint8)
