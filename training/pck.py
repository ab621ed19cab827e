"""PCK of one person's joints as LIP and MPII score it (methods §9.1, §9.2), percent.

Both order their sixteen joints alike: r ankle, knee, hip, l hip, knee, ankle, pelvis, thorax, neck, head,
r wrist, elbow, shoulder, l shoulder, elbow, wrist.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

#: rows of the tables, each the mean of its joints' rates
ROWS: Final = {
    "Head": (8, 9), "Sho": (12, 13), "Elb": (11, 14), "Wri": (10, 15), "Hip": (2, 3), "Knee": (1, 4),
    "Ank": (0, 5),
}  # fmt: skip
UPPER_BODY: Final = tuple(range(8, 16))
SCORED: Final = (*range(6), *range(8, 16))  # without pelvis and thorax
NEAR = 0.5  # of the reference
HEAD_SHARE = 0.6  # of the diagonal of MPII's head box
Points = NDArray[np.floating]


def lip_pck(truth: Points, found: Points) -> dict[str, float]:
    """PCK on LIP, which its authors' code calls PCKh@0.5: the reference reaches from neck to head.

    Args:
        truth: (people, 16, 2) px; NaN where a joint is not annotated. Who has no neck or head is left out.
        found: the same; cut to whole numbers, as the authors write them, and 1 where they are missing or
            negative.
    """
    whole = np.trunc(np.nan_to_num(found, nan=1.0))
    whole = np.where(whole < 0, 1, whole)
    reference = np.linalg.norm(truth[:, 8] - truth[:, 9], axis=1)
    usable = np.isfinite(reference)
    hits, there = _hits(truth[usable], whole[usable], reference[usable], NEAR)
    upper, every = list(UPPER_BODY), list(SCORED)
    return {
        **_rows(hits, there),
        "U.Body": _rate(hits[:, upper], there[:, upper]),
        "overall": _rate(hits[:, every], there[:, every]),
    }


def mpii_pckh(truth: Points, found: Points, head_boxes: Points) -> dict[str, float]:
    """PCKh@0.5 on MPII, pooled over fourteen joints by their numbers of annotations, and its area (AUC).

    Args:
        truth: (people, 16, 2) px; NaN where a joint is not annotated.
        found: the same; NaN where a joint was not found.
        head_boxes: (people, 4) x1, y1, x2, y2 px.
    """
    reference = head_reference(head_boxes)
    hits, there = _hits(truth, found, reference, NEAR)
    every = list(SCORED)
    area = []
    for threshold in np.arange(51) / 100:
        at, _ = _hits(truth, found, reference, threshold)
        area.append(_rate(at[:, every], there[:, every]))
    total = _rate(hits[:, every], there[:, every])
    return {**_rows(hits, there), "overall": total, "AUC": float(np.mean(area))}


def head_reference(boxes: Points) -> NDArray[np.float64]:
    """(people,) 0.6 of the diagonals of head boxes (people, 4), px."""
    return np.asarray(HEAD_SHARE * np.hypot(boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]), np.float64)


def _hits(
    truth: Points, found: Points, reference: Points, threshold: float
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """(people, joints) found near enough, and annotated."""
    there = np.isfinite(truth).all(axis=2)
    away = np.linalg.norm(truth - found, axis=2)  # NaN is never near
    return np.asarray(there & (away <= threshold * reference[:, None])), np.asarray(there)


def _rows(hits: NDArray[np.bool_], there: NDArray[np.bool_]) -> dict[str, float]:
    return {
        row: float(np.mean([_rate(hits[:, j], there[:, j]) for j in joints])) for row, joints in ROWS.items()
    }


def _rate(hits: NDArray[np.bool_], there: NDArray[np.bool_]) -> float:
    return 100 * float(hits.sum()) / float(there.sum()) if there.any() else float("nan")
