"""Assignment: the best total, as trying every way finds it."""

from __future__ import annotations

import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from runtime.tracking.assignment import assign


@given(rows=st.integers(0, 5), columns=st.integers(0, 5), seed=st.integers(0, 1000), ties=st.booleans())
def test_total_is_that_of_the_best_of_all_ways(rows: int, columns: int, seed: int, ties: bool) -> None:
    affinity = np.random.default_rng(seed).random((rows, columns)).astype(np.float32)
    if ties:
        affinity = np.round(affinity * 3) / 3
    affinity[affinity < 0.2] = 0
    pairs = assign(affinity, 0.1)
    assert len({r for r, _ in pairs}) == len({c for _, c in pairs}) == len(pairs)
    assert all(affinity[p] >= 0.1 for p in pairs)
    wide = affinity if rows <= columns else affinity.T
    ways = itertools.permutations(range(wide.shape[1]), wide.shape[0])
    best = max((sum(wide[r, c] for r, c in enumerate(way)) for way in ways), default=0)
    assert np.isclose(sum(affinity[p] for p in pairs), best, atol=1e-5)
