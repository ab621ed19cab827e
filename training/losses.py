"""Losses of the Factored ConvNet (methods §1.4), for exact labels and for sets of parts alike."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from models.labels import IGNORE, S31
from training.targets import CLASSES, CODES, allowed

#: thin parts cover one or two cells of the stride-8 grid; without weight they are never the argmax
THIN = ("wrist", "elbow", "ankle", "knee", "shoulder", "hand")
THIN_WEIGHT = 2.0
BACKGROUND_WEIGHT = 0.5
_MINUS_INFINITY = -1e4  # finite: a masked logit in bf16 must not turn into NaN


def code_weights() -> Tensor:
    """(256,) weight of a pixel by its code; 0 for unknown."""
    weights = torch.zeros(256)
    weights[:CODES] = 1.0
    weights[0] = BACKGROUND_WEIGHT
    for i, name in enumerate(S31.names, start=1):
        if name[1:] in THIN:
            weights[i] = THIN_WEIGHT
    return weights


class PartLoss(torch.nn.Module):
    """−log of the probability the head gives to what a pixel's code allows; cross-entropy for exact codes."""

    allowed: Tensor
    weights: Tensor

    def __init__(self) -> None:
        super().__init__()
        table = torch.from_numpy(allowed())
        self.register_buffer("allowed", torch.cat((table, table.new_ones(256 - CODES, CLASSES))))
        self.register_buffer("weights", code_weights())

    def forward(self, logits: Tensor, codes: Tensor) -> Tensor:
        """Weighted mean over known pixels.

        Args:
            logits: (b, 32, h, w) part logits, resized to the codes' grid when that is finer.
            codes: (b, H, W) uint8 (targets.py).
        """
        logits = to_grid(logits, codes)
        flat = logits.permute(0, 2, 3, 1).reshape(-1, CLASSES).float()
        index = codes.reshape(-1).long()
        known = index != IGNORE
        flat, index = flat[known], index[known]
        log_all = flat.logsumexp(1)
        log_allowed = flat.masked_fill(~self.allowed[index], _MINUS_INFINITY).logsumexp(1)
        w = self.weights[index]
        return ((log_all - log_allowed) * w).sum() / w.sum().clamp(min=1.0)


def factor_loss(logits: Tensor, codes: Tensor) -> Tensor:
    """Cross-entropy of the factor, mean over known pixels.

    Args:
        logits: (b, 2, h, w) background/foreground.
        codes: (b, H, W) uint8.
    """
    logits = to_grid(logits, codes)
    target = torch.where(codes == IGNORE, -100, codes.clamp(max=1).long())
    return torch.nn.functional.cross_entropy(logits.float(), target, ignore_index=-100)


def to_grid(logits: Tensor, codes: Tensor) -> Tensor:
    """Bilinear resize to the codes' grid: trained this way, logits interpolate well between cells."""
    if logits.shape[2:] == codes.shape[1:]:
        return logits
    return interpolate(logits, size=codes.shape[1:], mode="bilinear", align_corners=False)


def person_from_codes(codes: Tensor, cells: tuple[int, int], own: Tensor) -> Tensor:
    """The true silhouette on the head's grid by area averaging; the factor's own where nothing is known.

    Args:
        codes: (b, H, W) uint8.
        cells: (h, w) of the head's grid.
        own: (b, 1, h, w) P(person), used for cells without a known pixel.

    Returns:
        (b, 1, h, w) in [0, 1].
    """
    known = (codes != IGNORE).float()[:, None]
    inside = ((codes > 0) & (codes != IGNORE)).float()[:, None]
    share = torch.nn.functional.adaptive_avg_pool2d(known, cells)
    s = torch.nn.functional.adaptive_avg_pool2d(inside, cells) / share.clamp(min=1e-6)
    return torch.where(share > 0.5, s, own)
