"""Assignment: the pairs of rows and columns with the highest total affinity (Jonker and Volgenant, 1987)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Affinity = NDArray[np.floating]


def assign(affinity: Affinity, least: float) -> list[tuple[int, int]]:
    """Pairs (row, column), each row and column at most once, of the highest sum.

    Args:
        affinity: (rows, columns); finite.
        least: pairs below it are never made.
    """
    if not affinity.size:
        return []
    allowed = np.where(affinity >= least, affinity, 0)
    best = allowed.argmax(axis=1)
    rows = np.flatnonzero(allowed.max(axis=1) > 0)
    if len(np.unique(best[rows])) == len(rows):  # everybody has the first choice
        return [(int(r), int(best[r])) for r in rows]
    tall = allowed.shape[0] > allowed.shape[1]
    pairs = [(r, c) for c, r in _shortest_paths(allowed.T)] if tall else _shortest_paths(allowed)
    return [(r, c) for r, c in pairs if affinity[r, c] >= least]


def _shortest_paths(affinity: Affinity) -> list[tuple[int, int]]:
    """A column for every row, by shortest augmenting paths over reduced costs; rows ≤ columns."""
    rows, columns = affinity.shape
    cost = (affinity.max() - affinity).astype(np.float64)
    of_row, of_column = np.zeros(rows), np.zeros(columns + 1)  # dual variables; the last column is virtual
    row_of = np.full(columns + 1, -1)
    for row in range(rows):
        row_of[columns] = row
        at = columns
        least, before = np.full(columns, np.inf), np.full(columns, columns)
        done = np.zeros(columns + 1, bool)
        while row_of[at] >= 0:
            done[at] = True
            reduced = cost[row_of[at]] - of_row[row_of[at]] - of_column[:columns]
            better = ~done[:columns] & (reduced < least)
            least[better], before[better] = reduced[better], at
            following = int(np.where(done[:columns], np.inf, least).argmin())
            step = least[following]
            of_row[row_of[done]] += step
            of_column[done] -= step
            least[~done[:columns]] -= step
            at = following
        while at != columns:
            row_of[at] = row_of[before[at]]
            at = int(before[at])
    return sorted((int(row_of[c]), c) for c in range(columns) if row_of[c] >= 0)
