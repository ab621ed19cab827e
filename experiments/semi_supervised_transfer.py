"""Experiment 5: semi-supervised transfer. The factor learns from its own silhouettes, cut by GrabCut."""

from __future__ import annotations

import argparse
import logging
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from experiments.domains import Domain, domains
from experiments.networks import command
from experiments.pages import Page, agrees, filled
from personalize.cuts import grab_cut
from training.markdown import table
from training.metrics import silhouette_iou
from training.transfer import TransferConfig, fine_tune, own_silhouettes, targets

log = logging.getLogger(__name__)
CONFIG = TransferConfig(epochs=1)
CUT = 256  # long side of the pictures that are cut, px
Image = NDArray[np.uint8]
PAPER = (
    ("Orig", 96.5, 22.8, 8.2, 41.5, 41.3, 47.3, 48.3, 59.9, 58.3, 54.7, 47.9, 49.1, 28.5, 16.7),
    ("Tran-Init", 96.6, 24.8, 9.0, 43.1, 42.7, 49.3, 49.6, 61.2, 57.6, 54.5, 46.3, 46.0, 26.0, 13.7),
    ("Tran-Grab", 93.3, 36.0, 9.0, 46.9, 45.9, 51.1, 53.4, 63.8, 60.6, 57.3, 50.8, 52.0, 29.0, 23.6),
)
PAPER_HEAD = ("paper: accuracy, %", "background", "hands", "wrists", "lower arms", "elbows", "upper arms",
              "shoulders", "chest", "pelvis", "thighs", "knees", "shins", "ankles", "feet")  # fmt: skip


def run(a: argparse.Namespace) -> None:
    """Teach the factor both ways on both domains and write the page."""
    found = "\n\n".join(_domain(domain) for domain in domains(a))
    Page(a.out, "5-semi-supervised-transfer").write(
        command=command(a, "five"),
        cut=CUT,
        batch=CONFIG.batch,
        lr=CONFIG.lr,
        paper=table(PAPER_HEAD, PAPER, 1),
        domains=found,
    )


def _domain(domain: Domain) -> str:
    net = domain.net
    sizes = [(im.shape[0], im.shape[1]) for im in domain.images]
    probable = own_silhouettes(net, domain.features, sizes)
    learnt = {
        "Tran-Init": [(p >= 128).astype(np.uint8) for p in probable],
        "Tran-Grab": [cut_silhouette(im, p) for im, p in zip(domain.images, probable, strict=True)],
    }
    rows = {"Orig": domain.score(net)}
    for name, labels in learnt.items():
        rows[name] = domain.score(fine_tune(net, domain.features, targets(domain.features, labels), CONFIG))
        log.info("%s %s: %s", domain.name, name, {k: round(v, 3) for k, v in rows[name].items()})
    own, grab = (_mean_j(labels, domain.silhouettes) for labels in learnt.values())
    gains = {m: [100 * (rows[k][m] - rows["Orig"][m]) for k in learnt] for m in rows["Orig"]}
    return filled(
        "5-domain",
        title=domain.title,
        words=domain.words,
        scores=table(("%", *rows), [(m, *(100 * r[m] for r in rows.values())) for m in gains], 1),
        own=own,
        grab=grab,
        verdicts=" ".join(agreement(m, *gains[m]) for m in ("factor accuracy", *domain.main)),
        background=gains["background"][1],
    )


def cut_silhouette(image: Image, person: Image) -> Image:
    """GrabCut started from P(person) (h, w) uint8 of 0..255: 1 person, 0 background."""
    h, w = person.shape
    k = min(1.0, CUT / max(h, w))
    size = max(1, round(w * k)), max(1, round(h * k))
    small, p = (cv2.resize(x, size, interpolation=cv2.INTER_AREA) for x in (image, person))
    cut = grab_cut(small.astype(np.uint8), p.astype(np.float32) / np.float32(255)).person
    return np.asarray(cv2.resize(cut.astype(np.uint8), (w, h), interpolation=cv2.INTER_NEAREST), np.uint8)


def _mean_j(labels: Sequence[Image], truths: Sequence[Image]) -> float:
    return float(np.mean([silhouette_iou(m > 0, t) for m, t in zip(labels, truths, strict=True)]))


def agreement(measure: str, init: float, grab: float) -> str:
    """The verdict on a measure, from its gains in points."""
    return (
        f"{measure[0].upper()}{measure[1:]}: Tran-Init {init:+.1f} points, Tran-Grab {grab:+.1f}; that"
        " GrabCut's silhouettes help, and more than the factor's own,"
        f" **{agrees(grab > max(init, 0.0) + 0.2)}** with the paper."
    )
