"""Losses of the Factored ConvNet (methods §1.4), for exact labels and for sets of parts alike."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from models.labels import IGNORE, S31, PartSet, merges_s31
from training.targets import CODES, SET_CODES, allowed

#: weights of parts that are thin at stride 8 or that photos scribble with few pixels; unnamed parts weigh 1
PART_WEIGHTS = {
    "elbow": 3.5,
    "wrist": 4.0,
    "knee": 2.5,
    "ankle": 2.5,
    "larm": 2.5,
    "uarm": 2.5,
    "shoulder": 2.0,
    "hand": 2.0,
    "foot": 3.5,
    "uhead": 3.0,
    "lhead": 3.0,
    "lleg": 1.5,
    "uleg": 1.5,
}
#: a pixel that is person and no more: there are so many that beside them a scribbled limb would not count
ANY_PART = 0.3
#: the background of a picture weighs at most this many times its people: a scribbled limb has a hundred
#: pixels, the background round it thousands
PART_BACKGROUND = 1.5
FACTOR_BACKGROUND = 3.0
#: a picture counts fully from this share of known weight on: a handful of pixels is not a whole picture
FULL_SHARE = 0.04
_MINUS_INFINITY = -1e4  # finite: a masked logit must not turn into NaN


def code_weights(part_set: PartSet = S31) -> Tensor:
    """(256,) weight of a pixel by its code; 0 for unknown."""
    weights = torch.zeros(256)
    if not merges_s31(part_set):  # whose codes are its own ids
        weights[: part_set.classes] = 1.0
        return weights
    weights[:CODES] = 1.0
    for i, name in enumerate(S31.names, start=1):
        weights[i] = PART_WEIGHTS.get(name[1:], 1.0)
    weights[SET_CODES["person"]] = ANY_PART
    for name in ("right head", "left head"):  # small, and the place that tells front from back
        weights[SET_CODES[name]] = 2.5
    for name in ("head", "foot"):  # hair and shoes: as their parts
        weights[SET_CODES[name]] = PART_WEIGHTS[{"head": "uhead"}.get(name, name)]
    return weights


def balanced_mean(loss: Tensor, weights: Tensor, person: Tensor, background_cap: float) -> Tensor:
    """Mean over pictures of each picture's weighted mean, its background held to a multiple of its people.

    Args:
        loss: (b, n) of each pixel.
        weights: (b, n), 0 where nothing is known.
        person: (b, n) bool.
        background_cap: the multiple.
    """
    people = (weights * person).sum(1, keepdim=True)
    background = (weights * ~person).sum(1, keepdim=True)
    scale = torch.where(people > 0, (background_cap * people / background).clamp(max=1.0), 1.0)
    w = torch.where(person, weights, weights * scale)
    per_picture = (loss * w).sum(1) / w.sum(1).clamp(min=FULL_SHARE * loss.shape[1])
    return per_picture.mean()


class PartLoss(torch.nn.Module):
    """−log of the probability the head gives to what a pixel's code allows; cross-entropy for exact codes.

    `balanced`: parts by their weights, each picture's background held back; else all known pixels alike.
    """

    allowed: Tensor
    weights: Tensor

    def __init__(self, part_set: PartSet = S31, *, balanced: bool = True) -> None:
        super().__init__()
        table = torch.from_numpy(allowed(part_set))
        self.register_buffer("allowed", torch.cat((table, table.new_ones(1, part_set.classes))))  # unknown
        self.register_buffer("weights", code_weights(part_set))
        self.balanced = balanced

    def forward(self, logits: Tensor, codes: Tensor) -> Tensor:
        """Mean over known pixels.

        Args:
            logits: (b, classes, h, w) part logits, resized to the codes' grid when that is finer.
            codes: (b, H, W) uint8 (targets.py).
        """
        logits = to_grid(logits, codes)
        flat = logits.permute(0, 2, 3, 1).reshape(-1, self.allowed.shape[1]).float()
        index = codes.reshape(-1).long()
        log_allowed = flat.masked_fill(~self.allowed[index.clamp(max=CODES)], _MINUS_INFINITY).logsumexp(1)
        loss = (flat.logsumexp(1) - log_allowed).view(len(codes), -1)
        if not self.balanced:
            known = index.view_as(loss) != IGNORE
            return (loss * known).sum() / known.sum().clamp(min=1)
        index = index.view(len(codes), -1)
        return balanced_mean(loss, self.weights[index], index > 0, PART_BACKGROUND)


def factor_loss(logits: Tensor, codes: Tensor, *, balanced: bool = True) -> Tensor:
    """Cross-entropy of the factor, mean over known pixels.

    Args:
        logits: (b, 2, h, w) background/foreground.
        codes: (b, H, W) uint8.
        balanced: each picture's background held back, as that of parts.
    """
    logits = to_grid(logits, codes).float()
    known = (codes != IGNORE).flatten(1)
    loss = torch.nn.functional.cross_entropy(logits, codes.clamp(max=1).long(), reduction="none").flatten(1)
    if not balanced:
        return (loss * known).sum() / known.sum().clamp(min=1)
    return balanced_mean(loss, known.float(), (codes > 0).flatten(1), FACTOR_BACKGROUND)


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
    s = torch.nn.functional.adaptive_avg_pool2d(inside, cells) / share
    return torch.where(share > 0.5, s, own)
