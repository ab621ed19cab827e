"""Experiment 3: a black rectangle over the body, without and with the true silhouettes."""

from __future__ import annotations

import argparse

import numpy as np
from numpy.typing import NDArray

from experiments.direct_injection import Injection, aside
from experiments.networks import common_values, shipped, trained
from experiments.pages import Page, agrees
from experiments.people import GRID, HeldOut, parsings
from training.markdown import table

SIDES = (64 / 512, 192 / 512)  # of the picture's side: 64 to 192 px of the paper's 512
SEED = 3
SHOWN = 4


def black_out(
    rng: np.random.Generator, image: NDArray[np.uint8], labels: NDArray[np.uint8]
) -> NDArray[np.uint8]:
    """The picture (h, w, 3) with a black rectangle centred on a random pixel of a person."""
    out = image.copy()
    ys, xs = np.nonzero((labels > 0) & (labels < 255))
    if not len(ys):
        return out
    i = int(rng.integers(len(ys)))
    h, w = (int(v) for v in np.round(rng.uniform(*SIDES, 2) * image.shape[0]))
    top, left = int(ys[i]) - h // 2, int(xs[i]) - w // 2
    out[max(0, top) : top + h, max(0, left) : left + w] = 0
    return out


def run(a: argparse.Namespace) -> None:
    """Score whole and hidden people and write the page."""
    people = HeldOut.read(a.test, a.limit)
    hidden = people.changed(black_out, SEED)
    baseline, factored = trained(a, "baseline").net, trained(a, "factored").net
    before, after = (Injection.of(baseline, factored, p, a.size) for p in (people, hidden))
    page = Page(a.out, "3-occlusion")
    changes = [
        (k, s.iou, after.columns[k].iou, after.columns[k].iou - s.iou) for k, s in before.columns.items()
    ]
    apart = after.factored.iou - after.baseline.iou
    gain, baseline_gain = after.injected.iou - after.factored.iou, after.constrained.iou - after.baseline.iou
    page.write(
        **common_values(a, "three", people),
        **after.values(),
        low=100 * SIDES[0],
        high=100 * SIDES[1],
        apart=apart,
        alike=agrees(abs(apart) <= 0.03),
        more=agrees(gain > baseline_gain + 0.01),
        wider=after.injected.iou - after.constrained.iou - before.injected.iou + before.constrained.iou,
        changes=table(("mean IoU", "whole people", "with the rectangle", "change"), changes),
        bars=page.bars("iou", {k: s.by_class() for k, s in after.columns.items()}, "IoU under occlusion"),
        aside=aside(a, hidden),
        maps=_maps(a, page, people, hidden),
    )


def _maps(a: argparse.Namespace, page: Page, people: HeldOut, hidden: HeldOut) -> str:
    """Label maps of the people of whom the rectangle hides most, by the shipped network."""
    covered = np.stack([_box(x, y) for x, y in zip(people.images, hidden.images, strict=True)])
    pick = np.sort(np.argsort(-(covered & (hidden.labels > 0)).mean((1, 2)))[:SHOWN])
    some = HeldOut(hidden.images[pick], hidden.labels[pick])
    net, size = shipped(a).net, a.shipped_size
    columns = {
        "truth": list(some.cells()),
        "own factor": list(parsings(net, some, size)),
        "hard constraint": list(parsings(net, some, size, given=True, forced=True)),
        "injected": list(parsings(net, some, size, given=True)),
    }
    step = some.labels.shape[1] // GRID
    return page.maps("maps", columns, shaded=list(covered[pick][:, ::step, ::step]))


def _box(before: NDArray[np.uint8], after: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """The upright rectangle round all pixels (h, w) that differ."""
    different = (before != after).any(2)
    box = different.any(1)[:, None] & different.any(0)[None]
    return np.asarray(box, np.bool_)
