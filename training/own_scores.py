"""Scores on labelled photos of one's own: parts and silhouettes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from models.labels import IGNORE, S31, PartSet, from_s31
from training.metrics import Confusion, boundary_f, silhouette_iou
from training.photos import Image, Photo
from training.prediction import Prediction
from training.targets import CLASSES


def score_own(
    run: Callable[[Image], Prediction], photos: Sequence[Photo], part_set: PartSet = S31
) -> dict[str, float]:
    """Parts over all pixels whose exact part is known, silhouettes as means over photos.

    Of joints without labels the known pixels are those of the drawn limbs. What no photo tells is left out.
    """
    confusion, table = Confusion(part_set.classes), from_s31(part_set)
    silhouettes: list[tuple[float, float]] = []
    for photo in photos:
        found, codes = run(photo.image), photo.codes
        confusion.add(table[np.where(codes < CLASSES, codes, IGNORE)], found.labels)
        truth = np.where(codes == IGNORE, IGNORE, codes > 0).astype(np.uint8)
        mask = found.person >= 0.5
        silhouettes.append((silhouette_iou(mask, truth), boundary_f(mask, truth)))
    inside, edge = np.mean(silhouettes, axis=0).tolist()
    means = {"J": inside, "boundary F": edge}
    there = np.flatnonzero(confusion.counts[1:].sum(1))
    if not len(there):
        return {"photos": len(photos), **means}
    iou, accuracy = confusion.iou()[1:], confusion.accuracy()[1:]
    means |= {
        "parts": len(there),
        "mean IoU": iou[there].mean().item(),
        "mean accuracy": accuracy[there].mean().item(),
    }
    each = {f"IoU {part_set.names[i]}": float(iou[i]) for i in there}
    return {"photos": len(photos), **means, **each}
