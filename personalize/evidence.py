"""Evidence of the gate that does not come from the seeds: references for the frames that are judged.

A reference is P(person) of every pixel, said without what was propagated: six views of the factor before,
and the parts that the head then sees. Its agreement with a silhouette is the intersection over union to be
expected if every pixel were a person as often as the reference says. The gate compares the agreement of the
factor before with that of the new one, and of what it learned from: what a reference misses in all of them
does not count.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Map = NDArray[np.float32]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Agreement:
    """Expected intersection over union with the references, mean over frames.

    Attributes:
        before: of the factor that was started from.
        after: of the new one.
        taught: of the silhouettes learned from, less that of the factor before, where these are sure.
        one_view: J of the new factor's silhouettes with those propagated, on the same frames.
        six_views: that of six views of the factor before.
    """

    before: float
    after: float
    taught: float
    one_view: float = 1.0
    six_views: float = 0.0

    @property
    def gain(self) -> float:
        """Positive where the references side with the new factor."""
        return self.after - self.before


def agreement(silhouettes: Sequence[Mask], references: Sequence[Map], known: Sequence[Mask]) -> float:
    """Expected intersection over union of silhouettes with P(person), mean over frames.

    Args:
        silhouettes: (h, w) of each frame.
        references: P(person) (h, w) of each.
        known: False on what does not count, such as other people.
    """
    return float(np.mean([_expected(*frame) for frame in zip(silhouettes, references, known, strict=True)]))


def _expected(silhouette: Mask, reference: Map, known: Mask) -> float:
    """Of one frame; 1 where both are empty."""
    inside, outside = silhouette & known, ~silhouette & known
    union = float(np.count_nonzero(inside)) + float(reference[outside].sum())
    return float(reference[inside].sum()) / union if union else 1.0
