"""Experiment 3: a black rectangle over the body, without and with the true silhouettes."""

from __future__ import annotations

import argparse

import numpy as np
from numpy.typing import NDArray

from experiments import networks
from experiments.claims import PartClaim, bars, by_class, scores, tried, unfinished, verdicts
from experiments.direct_injection import EVEN, MEASURES, all_ways, aside
from experiments.networks import factored
from experiments.pages import Page
from experiments.part_scores import SEED, FinishedNetworks, Use
from experiments.people import SIDES, HeldOut, black_out, parsings

SHOWN = 4
OWN, INJECTED = ("factored", "hidden own"), ("factored", "hidden injected")
BASELINE, FORCED = ("baseline", "hidden own"), ("baseline", "hidden forced")
CLAIMS = (
    PartClaim("(a) without silhouettes both fall alike (within 5 %)", "equal",
              (OWN, ("baseline", "own")), (BASELINE, ("factored", "own")), alike=0.05),
    PartClaim("(b) with them Factored is above the Baseline's hard constraint", "large gain", (INJECTED,),
              (FORCED,)),
    PartClaim("(b) they give Factored more than the Baseline", "Factored alone gains", (INJECTED, BASELINE),
              (OWN, FORCED)),
    PartClaim("(b) the same with the paper's settings", "Factored alone gains",
              ((EVEN, "hidden injected"), BASELINE), ((EVEN, "hidden own"), FORCED)),
    PartClaim("injection is worth more under occlusion than on whole people", "implied",
              (INJECTED, ("factored", "own")), (OWN, ("factored", "injected"))),
)  # fmt: skip


def run(a: argparse.Namespace) -> None:
    """Train and score what is missing, and write the page."""
    networks.run(a)
    found = FinishedNetworks(networks.folder(a), a.seeds)
    page = Page(a.out, "3-occlusion")
    classes, counts = by_class(INJECTED, FORCED, found)
    shown: dict[str, Use] = {
        "Baseline": BASELINE, "Baseline, hard constraint": FORCED,
        "Factored": OWN, "Factored, injected": INJECTED,
    }  # fmt: skip
    page.write(
        **networks.common_values(a),
        low=100 * SIDES[0],
        high=100 * SIDES[1],
        means=scores(all_ways("hidden "), MEASURES, found),
        claims=verdicts(CLAIMS, found),
        tried=tried(CLAIMS, found, a),
        counts=counts,
        classes=classes,
        bars=bars(page, "iou", shown, "IoU under occlusion", found),
        aside=aside(a, "hidden "),
        maps=_maps(a, page),
        missing=unfinished(found, a.seeds),
    )


def _maps(a: argparse.Namespace, page: Page) -> str:
    """Label maps of the people of whom the rectangle hides most, by the shipped network."""
    people = HeldOut.read(a.test, a.limit)
    hidden = people.changed(black_out, SEED)
    covered = np.stack([_box(x, y) for x, y in zip(people.images, hidden.images, strict=True)])
    pick = np.sort(np.argsort(-(covered & (hidden.labels > 0)).mean((1, 2)))[:SHOWN])
    some = HeldOut(hidden.images[pick], hidden.labels[pick])
    net, size = factored(a.shipped), a.shipped_size
    columns = {
        "truth": list(some.cells()),
        "own factor": list(parsings(net, some, size)),
        "hard constraint": list(parsings(net, some, size, given=True, forced=True)),
        "injected": list(parsings(net, some, size, given=True)),
    }
    shaded = HeldOut(some.images, covered[pick].astype(np.uint8)).cells() > 0
    return page.maps("maps", columns, shaded=list(shaded))


def _box(before: NDArray[np.uint8], after: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """The upright rectangle round all pixels (h, w) that differ."""
    different = (before != after).any(2)
    box = different.any(1)[:, None] & different.any(0)[None]
    return np.asarray(box, np.bool_)
