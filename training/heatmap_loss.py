"""Losses of heat maps: presence cell by cell and place among the cells, or squared differences."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, logsigmoid

PRESENCE = 0.1  # weight beside the place, which is a single choice per joint


def heatmap_loss(logits: Tensor, maps: Tensor, known: Tensor) -> dict[str, Tensor]:
    """Terms to be summed, of logits and Gaussian targets (b, joints, h, w).

    `presence` is the binary cross-entropy, summed over a map's cells. `place` is the cross-entropy of the
    share a cell has of its map, for joints in the picture; both have their optimum at the same logits.
    Maps that are not `known` (b, joints) teach nothing.
    """
    logits, weight = logits.float(), known.float()
    presence = binary_cross_entropy_with_logits(logits, maps, reduction="none").sum((2, 3))
    mass = maps.sum((2, 3))
    there = weight * (mass > 0)
    log_share = logsigmoid(logits).flatten(2)
    log_share = log_share - torch.logsumexp(log_share, dim=2, keepdim=True)
    share = maps.flatten(2) / mass.clamp(min=1e-6)[..., None]
    place = -(share * log_share).sum(2)
    return {
        "presence": PRESENCE * (presence * weight).sum() / weight.sum().clamp(min=1),
        "place": (place * there).sum() / there.sum().clamp(min=1),
    }


def squared_loss(maps: Tensor, targets: Tensor, known: Tensor) -> dict[str, Tensor]:
    """`squared`, the mean over pictures, channels and cells (PIL §3.4), of (b, joints and background, h, w).

    Maps of joints that are not `known` (b, joints) teach nothing; nor does the background beside them.
    """
    weight = torch.cat((known.float(), known.float().amin(dim=1, keepdim=True)), dim=1)
    squares = (maps.float() - targets).square().mean((2, 3))
    return {"squared": (squares * weight).mean()}
