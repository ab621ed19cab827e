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
from experiments.pages import Page, table
from personalize.cuts import grab_cut
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
    page = Page(a.out, "5-semi-supervised-transfer", "Experiment 5: semi-supervised transfer")
    blocks = [
        command(a, "five"),
        "No label of the new domain is used. Orig: the network as trained. Tran-Init: one epoch of factor"
        " fine-tuning on the factor's own silhouettes, P(person) >= 0.5. Tran-Grab: the same on those"
        f" silhouettes cut by GrabCut, which starts from P(person), at {CUT} px."
        f" Steps of {CONFIG.batch} pictures, AdamW at {CONFIG.lr:g}, the factor's loss of our training (the"
        " background of a picture counts for at most three times its people; the paper counts pixels).",
        "Paper (UP-S31, one epoch over the test pictures; its columns of head and neck are misprinted):",
        table(PAPER_HEAD, PAPER, 1),
    ]
    for domain in domains(a):
        blocks += _domain(domain)
    page.write(*blocks)


def _domain(domain: Domain) -> list[str]:
    net = domain.net
    sizes = [(im.shape[0], im.shape[1]) for im in domain.images]
    probable = own_silhouettes(net, domain.features, sizes)
    own = [(p >= 128).astype(np.uint8) for p in probable]
    cut = [cut_silhouette(im, p) for im, p in zip(domain.images, probable, strict=True)]
    rows = {"Orig": domain.score(net)}
    for name, labels in (("Tran-Init", own), ("Tran-Grab", cut)):
        rows[name] = domain.score(fine_tune(net, domain.features, targets(domain.features, labels), CONFIG))
        log.info("%s %s: %s", domain.name, name, {k: round(v, 3) for k, v in rows[name].items()})
    measures = list(rows["Orig"])
    j = {name: _mean_j(labels, domain.silhouettes) for name, labels in (("own", own), ("cut", cut))}
    return [
        f"## {domain.title}",
        domain.words,
        table(("%", *rows), [(m, *(100 * r[m] for r in rows.values())) for m in measures], 1),
        f"The silhouettes learnt from have J {j['own']:.3f} (the factor's own) and {j['cut']:.3f} (cut) with"
        " the true ones, which were not used. " + agreement(rows, domain.main),
    ]


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


def agreement(rows: dict[str, dict[str, float]], main: Sequence[str]) -> str:
    """What agrees with the paper, from the figures alone."""
    gains = {
        m: [100 * (rows[k][m] - rows["Orig"][m]) for k in ("Tran-Init", "Tran-Grab")] for m in rows["Orig"]
    }
    said = []
    for measure in ("factor accuracy", *main):
        init, grab = gains[measure]
        verdict = "agrees" if grab > max(init, 0.0) + 0.2 else "does not agree"
        said.append(
            f"{measure[0].upper()}{measure[1:]}: Tran-Init {init:+.1f} points, Tran-Grab {grab:+.1f}; that"
            f" GrabCut's silhouettes help, and more than the factor's own, **{verdict}** with the paper."
        )
    said.append(
        f"Background accuracy changes by {gains['background'][1]:+.1f} points under Tran-Grab (paper: -3.2)."
    )
    return " ".join(said)
