"""Settings of PersonLab's decoder: ours, the paper's, and those that its ablations change (Table 6, §4.4)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class Decoding:
    """Settings; left out, ours.

    Attributes:
        scoring: of a joint: its disk probability times the expected similarity of the votes around, or the
            density of votes at its place.
        nms: people scored by joints that no better one has at the same place, or by all joints, and those
            alike to a better one dropped.
        refinement: mid- and long-range offsets are refined by the short-range ones.
        masks: a cell is a person's when most joints, weighted by their disk probability, lie where its
            vectors lead, and not clearly more of somebody else's; or when the mean distance is small
            (Eq. 6, not exclusive). Held-out scenes, networks half trained, mask AP50: .562 and .500.
        keep: the most people of a picture.
        least_score: of a person; below are chance meetings of votes.
    """

    scoring: Literal["expected-oks", "hough"] = "expected-oks"
    nms: Literal["soft", "hard"] = "soft"
    refinement: bool = True
    masks: Literal["votes", "distance"] = "votes"
    keep: int = 20
    least_score: float = 0.05


OURS = Decoding()
PAPER = Decoding(masks="distance")
