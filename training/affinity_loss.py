"""Loss of heat maps and part affinity fields of a stage (Cao et al., CVPR 2017; methods §7.2)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from torch import Tensor

from models.outputs import AffinityFields, Heatmaps

Mask = Literal["valid", "positive"]
Scale = Literal["support", "batch"]
SUPPORT = 0.02  # of a true value, from which it counts as there


def affinity_loss(
    maps: Mapping[str, Tensor],
    targets: Mapping[str, Tensor],
    mask: Mask = "valid",
    scale: Scale = "support",
) -> dict[str, Tensor]:
    """Terms to be summed, by the names of the maps: squared errors summed where they count.

    Args:
        maps: heat maps (b, joints + 1, h, w) and fields (b, 2·bones, h, w).
        targets: the same, and `heatmaps_known` and `affinity_fields_known` of the same shapes, 1 where the
            truth is known.
        mask: errors count where the truth is known, or only where it is not 0 either, which leaves peaks
            elsewhere free (the report's W).
        scale: divided by the number of true values of joints and limbs that are not 0, so that these terms
            are as large as a mean cross-entropy; or by twice the batch (Cao's).
    """
    terms = {}
    for kind in (Heatmaps.type, AffinityFields.type):
        truth, known = targets[kind], targets[f"{kind}_known"]
        support = known * (truth.abs() > SUPPORT)
        joints = support[:, :-1] if kind == Heatmaps.type else support  # the background is nearly everywhere
        share = 2 * len(truth) if scale == "batch" else joints.sum().clamp(min=1)
        counted = support if mask == "positive" else known
        terms[kind] = ((maps[kind].float() - truth) ** 2 * counted).sum() / share
    return terms
