"""LOSSES: how each type of output is taught. A row asks the batch for its targets by name.

OBJECTIVES are other choices, by name: their rows take the place of those of LOSSES; None teaches nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from itertools import count, takewhile

import torch
from torch import Tensor

from models.codecs.registry import CODECS
from models.families import AUXILIARY, early_name
from models.labels import S31, PartSet
from models.outputs import AffinityFields, CentreOffsets, Heatmaps, JointDisks, Output, PartProbabilities
from training.affinity_loss import Mask, Scale, affinity_loss
from training.centre_loss import centre_loss
from training.heatmap_loss import heatmap_loss, squared_loss
from training.losses import PartLoss, factor_loss
from training.personlab_loss import personlab_loss

Targets = Mapping[str, Tensor]
Maps = Mapping[str, Tensor]  # what a network gives in training, by the names of its outputs
Loss = Callable[[Output, Maps, Targets], dict[str, Tensor]]


#: an objective: every known pixel alike, as in the Factored ConvNet paper (methods §1.4)
MEAN = "mean"


def factor_terms(logits: Tensor, targets: Targets, *, balanced: bool = True) -> dict[str, Tensor]:
    """`factor`, of logits (b, 2, h, w) and `codes` (targets.py)."""
    return {"factor": factor_loss(logits, targets["codes"], balanced=balanced)}


def part_terms(
    maps: Maps, targets: Targets, part_set: PartSet = S31, *, balanced: bool = True
) -> dict[str, Tensor]:
    """`parts`, of logits (b, classes, h, w) of a part set and `codes` (targets.py)."""
    logits = maps["parts"]
    return {"parts": _part_loss(logits.device, part_set, balanced=balanced)(logits, targets["codes"])}


def heatmap_terms(output: Output, maps: Maps, targets: Targets) -> dict[str, Tensor]:
    """Terms of `heatmaps` (b, channels, h, w) and `known` (b, joints): with a background, regressed."""
    assert isinstance(output, Heatmaps)  # the row of LOSSES
    loss = squared_loss if output.background else heatmap_loss
    return loss(maps["heatmaps"], targets["heatmaps"], targets["known"])


def people_terms(output: Output, maps: Maps, targets: Targets) -> dict[str, Tensor]:
    """The terms of `personlab_loss`, and the same of maps from the middle of a network if it gives some."""
    assert isinstance(output, JointDisks)  # the row of LOSSES
    terms = personlab_loss(maps, targets, output.radius_px)
    middle = {n.removeprefix(AUXILIARY): m for n, m in maps.items() if n.startswith(AUXILIARY)}
    early = personlab_loss(middle, targets, output.radius_px) if middle else {}
    return terms | {AUXILIARY + n: term for n, term in early.items()}


def affinity_terms(
    _: Output, maps: Maps, targets: Targets, mask: Mask = "valid", scale: Scale = "support"
) -> dict[str, Tensor]:
    """The terms of `affinity_loss`, which teaches the heat maps, too."""
    return affinity_loss(maps, targets, mask, scale)


def centre_terms(_: Output, maps: Maps, targets: Targets) -> dict[str, Tensor]:
    """The terms of `centre_loss`, which teaches the heat maps, too."""
    return centre_loss(maps, targets)


def _described_part_terms(output: Output, maps: Maps, targets: Targets) -> dict[str, Tensor]:
    assert isinstance(output, PartProbabilities)  # the row of LOSSES
    return part_terms(maps, targets, output.part_set)


def mean_part_terms(output: Output, maps: Maps, targets: Targets, scale: float = 1.0) -> dict[str, Tensor]:
    """`parts`, the mean over all known pixels; a hundredth of it beside squares of maps (methods §5.4)."""
    assert isinstance(output, PartProbabilities)
    return {"parts": scale * part_terms(maps, targets, output.part_set, balanced=False)["parts"]}


@cache
def _part_loss(device: torch.device, part_set: PartSet, *, balanced: bool) -> PartLoss:
    return PartLoss(part_set, balanced=balanced).to(device)


LOSSES: dict[type[Output], Loss] = {
    PartProbabilities: _described_part_terms,
    Heatmaps: heatmap_terms,
    JointDisks: people_terms,
    AffinityFields: affinity_terms,
    CentreOffsets: centre_terms,
}
OBJECTIVES: dict[str, Mapping[type[Output], Loss | None]] = {
    "": {},
    "parts alone": {AffinityFields: None},
    "limbs alone": {PartProbabilities: None},
    "positive": {AffinityFields: partial(affinity_terms, mask="positive")},
    MEAN: {PartProbabilities: mean_part_terms},
    "nie": {PartProbabilities: partial(mean_part_terms, scale=0.01)},
    "cao": {AffinityFields: partial(affinity_terms, scale="batch")},
}


def losses_of(objective: str) -> dict[type[Output], Loss]:
    """The losses of an objective by its name; empty: `LOSSES`."""
    return {kind: loss for kind, loss in {**LOSSES, **OBJECTIVES[objective]}.items() if loss is not None}


def terms_of(
    outputs: Sequence[Output], maps: Maps, targets: Targets, losses: Mapping[type[Output], Loss] = LOSSES
) -> dict[str, Tensor]:
    """Terms of every output that is there, and of its predictions by earlier stages (`early_name`).

    What its codec reads beside is of the same stage.
    """
    terms: dict[str, Tensor] = {}
    for output in outputs:
        earlier = (early_name(stage, output.name) for stage in count(1))
        for name in (output.name, *takewhile(maps.__contains__, earlier)):
            if name in maps:
                prefix = name.removesuffix(output.name)
                beside = (output.name, *CODECS[type(output)].needs)
                own = {n: maps[prefix + n] for n in beside if prefix + n in maps}
                found = losses[type(output)](output, {**maps, **own}, targets)
                terms |= {prefix + term: loss for term, loss in found.items()}
    return terms
