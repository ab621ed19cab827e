"""Loss of the Pose Partition Network (methods §6.6)."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor
from torch.nn.functional import smooth_l1_loss

from models.gpn import UNIT_PX


def centre_loss(maps: Mapping[str, Tensor], targets: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """`joints`, the mean square of heat maps' errors, and `centres`, smooth L1 of the vectors to centres.

    Heat maps (b, joints + 1, h, w) count where they are known; vectors (b, 2·joints, h, w), px, round joints
    alone, and the mean is of all cells, as released.
    """
    known = targets["heatmaps_known"]
    error = (maps["heatmaps"].float() - targets["heatmaps"]).square()
    taught = targets["centres_known"].repeat_interleave(2, dim=1) / UNIT_PX
    centres = smooth_l1_loss(maps["centres"].float() * taught, targets["centres"] * taught)
    return {"joints": (error * known).sum() / known.sum().clamp(min=1), "centres": centres}
