"""Ablations: from one checkpoint, some hundred steps with every term of the training, then with one left out.

A short continuation shows what a term holds in place, not what it would be worth from the start. Every score
is kept beside its checkpoint, so a stopped run goes on with the variants that are missing.
"""

from __future__ import annotations

import argparse
import copy
import hashlib
import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np
import torch

from experiments.pages import Page
from models.checkpoint import load_network, row_of
from models.families import ZooRow
from models.labels import IGNORE
from models.network import Network
from training.batches import sources
from training.evaluate import report
from training.loop import LAST, TrainConfig, new_state, train
from training.markdown import Row, table
from training.photos import Photo
from training.step import StepConfig
from training.stream import BatchShape, Mixture, Sources, Stream, make_batch
from training.targets import SET_CODES

log = logging.getLogger(__name__)
BATCH, CROP, LR, SEED = 24, 192, 5e-4, 5
MIXTURE = Mixture(0.34, 0.20, 0.36, 0.10)
SHARES = (0.05, 0.05, 0.85, 0.05)
COLUMNS = (
    ("ccp J", "ccp", "J"),
    ("ccp parts J", "ccp", "parts J"),
    ("hair", "ccp", "hair"),
    ("shoes", "ccp", "shoes"),
    ("trousers", "ccp", "trousers"),
    ("lsp limb", "lsp", "limb probe"),
    ("lsp background", "lsp", "background probe"),
    ("lsp probe F", "lsp", "probe F"),
    ("lsp PCK", "lsp", "centroid PCK"),
    ("synthetic mIoU", "synthetic", "mean IoU of 31 parts"),
    ("parts J, factor zeroed", "injection", "parts J, factor zeroed"),
    ("own", "injection", "parts J, factor own"),
    ("true", "injection", "parts J, factor true"),
)
Scores = dict[str, dict[str, float]]


@dataclass(frozen=True)
class Variant:
    """The data and the settings of one continuation."""

    sources: Sources
    step: StepConfig
    plain: Sources  #: the same photos with what their own labels say, and no more
    optimiser: Literal["muon", "adamw"] = "muon"


def _recoded(photos: Sequence[Photo], change: Callable[[Photo], np.ndarray]) -> list[Photo]:
    return [replace(p, codes=change(p).astype(np.uint8)) for p in photos]


def _without_scribbles(v: Variant) -> Variant:
    return replace(v, sources=replace(v.sources, sport=()))


def _without_far_background(v: Variant) -> Variant:
    sport = _recoded(v.sources.sport, lambda p: np.where(p.codes == 0, IGNORE, p.codes))
    return replace(v, sources=replace(v.sources, sport=sport))


def _without_garments(v: Variant) -> Variant:
    def plain(p: Photo) -> np.ndarray:
        return np.where((p.codes > 0) & (p.codes != IGNORE), SET_CODES["person"], p.codes)

    return replace(v, sources=replace(v.sources, silhouettes=_recoded(v.sources.silhouettes, plain)))


#: name → the change; "without" takes away what it names and nothing else
VARIANTS: dict[str, Callable[[Variant], Variant]] = {
    "all terms": lambda v: v,
    "without noise settings and injection": lambda v: replace(
        v, step=replace(v.step, setting_shares=(0.0, 0.0, 1.0, 0.0), inject=0.0)
    ),
    "without lsp scribbles": _without_scribbles,
    "without background far from skeletons": _without_far_background,
    "without ccp garments": _without_garments,
    "without composites and backgrounds": lambda v: replace(
        v, sources=replace(v.sources, cutouts=(), backgrounds=())
    ),
    "without dense labels of a teacher": lambda v: replace(v, sources=v.plain),
    "AdamW alone": lambda v: replace(v, optimiser="adamw"),
}


def run(a: argparse.Namespace) -> None:
    """Train and score what is missing, rewriting the page after each."""
    net, meta = load_network(a.shipped)  # once: the file may be replaced while this runs
    digest = hashlib.sha256(a.shipped.read_bytes()).hexdigest()[:8]
    folder: Path = a.runs / f"exp-ablations-{a.ablation_steps}-{digest}"
    scores = {"as it was": _scored(folder / "start.json", a.shipped, a)}
    everything: Variant | None = None
    for name, change in VARIANTS.items():
        out = folder / name.replace(" ", "-")
        if not (out / "score.json").exists():
            if everything is None:
                step = StepConfig(setting_shares=SHARES)
                plain = sources(a.data, a.synthetic, silhouettes=a.silhouettes)
                whole = sources(a.data, a.synthetic, silhouettes=a.silhouettes, pseudolabels=a.pseudolabels)
                everything = Variant(whole, step, plain)
            log.info("%s: %d steps", name, a.ablation_steps)
            _continue(row_of(meta, a.shipped), a, net, change(everything), out)
        scores[name] = _scored(out / "score.json", out / LAST, a)
        write(a, scores)


def _continue(row: ZooRow, a: argparse.Namespace, start: Network, variant: Variant, out: Path) -> None:
    net = copy.deepcopy(start)
    steps = a.ablation_steps
    config = TrainConfig(
        steps=steps, decay_steps=steps // 2, batch=BATCH, lr=LR, warmup_steps=steps // 10, seed=SEED,
        step=variant.step, optimiser=variant.optimiser,
    )  # fmt: skip
    device = torch.device("cpu")
    make = partial(make_batch, variant.sources, MIXTURE, BatchShape(BATCH, CROP, 4), seed=SEED)
    stream = Stream(make, start=0)
    try:
        train(new_state(config, row, net, device), config, stream, out, {}, device)
    finally:
        stream.close()


def _scored(kept: Path, checkpoint: Path, a: argparse.Namespace) -> Scores:
    """The measures of a checkpoint, from the file that keeps them where it is there."""
    if not kept.exists():
        scores = report(checkpoint, a.data, synthetic=a.test, injection=True)
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_text(json.dumps(scores), encoding="utf-8")
    found: Scores = json.loads(kept.read_text(encoding="utf-8"))
    return found


def write(a: argparse.Namespace, scores: dict[str, Scores]) -> None:
    """The page, with what there is so far."""
    rows: list[Row] = [(n, *(s[group][key] for _, group, key in COLUMNS)) for n, s in scores.items()]
    missing = ", ".join(n for n in VARIANTS if n not in scores)
    Page(a.out, "ablations").write(
        command=f"`python -m experiments ablations --ablation-steps {a.ablation_steps} --shipped"
        f" {a.shipped} --silhouettes {a.silhouettes} --pseudolabels {a.pseudolabels} --out {a.out}`",
        steps=a.ablation_steps,
        batch=BATCH,
        crop=CROP,
        lr=LR,
        seed=SEED,
        scores=table(("", *(c for c, _, _ in COLUMNS)), rows),
        losses=losses(scores),
        missing=f"Not run: {missing}." if missing else "",
    )


def losses(scores: dict[str, Scores]) -> str:
    """The measures that lose most without each term."""
    whole = scores.get("all terms")
    parts = []
    for name, s in scores.items():
        if whole is None or name in ("as it was", "all terms"):
            continue
        changes = {c: s[g][k] - whole[g][k] for c, g, k in COLUMNS[:10]}
        worst = sorted(changes, key=lambda c: changes[c])[:2]
        parts.append(f"{name}: " + ", ".join(f"{c} {changes[c]:+.3f}" for c in worst))
    return "Against all terms, the two measures that lose most. " + "; ".join(parts) + "." if parts else ""
