"""Losses of PersonLab (§3.1 to 3.3 of the paper), applied to refined maps."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

#: of heat maps, segmentation, short-, mid- and long-range offsets
WEIGHTS = {"disks": 4.0, "person": 2.0, "short": 1.0, "mid": 0.25, "long": 0.125}


def personlab_loss(
    maps: Mapping[str, Tensor], targets: Mapping[str, Tensor], radius_px: float
) -> dict[str, Tensor]:
    """Weighted terms to be summed.

    `disks` and `person` are mean logistic losses over the cells that are `known`; vectors have the mean
    absolute error, x and y summed, over the cells where they are defined, divided by the disks' radius.
    """
    terms: dict[str, Tensor] = {}
    for name in ("disks", "person"):
        known = targets[f"{name}_known"]
        loss = binary_cross_entropy_with_logits(maps[name].float(), targets[name], reduction="none")
        terms[name] = WEIGHTS[name] * (loss * known).sum() / known.sum().clamp(min=1)
    for name in ("short", "mid", "long"):
        known = targets[f"{name}_known"]
        away = (maps[name].float() - targets[name]).abs()
        error = (away[:, 0::2] + away[:, 1::2]) / radius_px
        terms[name] = WEIGHTS[name] * (error * known).sum() / known.sum().clamp(min=1)
    return terms
