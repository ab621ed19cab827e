"""Paired bootstrap over pictures and seeds (Efron and Tibshirani 1993, ch. 13), and the verdict it allows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

DRAWS = 2000
SURE = 0.95  # of the intervals
Values = NDArray[np.float64]


def draw_counts(count: int, draws: int = DRAWS) -> NDArray[np.int64]:
    """Draws of each picture, (1 + draws, count): all once, then again and again with replacement.

    The same for every network and measure, so that differences are paired.
    """
    drawn = np.random.default_rng(0).multinomial(count, np.full(count, 1 / count), size=draws)
    return np.concatenate([np.ones((1, count), np.int64), drawn])


class Interval(NamedTuple):
    """The mean of a measure over the seeds, and where 95 % of the means of drawn pictures and seeds lie."""

    mean: float
    low: float
    high: float
    seeds: int

    @classmethod
    def of(cls, values: Sequence[Values]) -> Interval:
        """The interval of a measure, or of a difference, from its values (1 + draws,) of each seed.

        Every draw takes as many seeds as there are, with replacement, and the same pictures for all of them.
        """
        each = np.stack(list(values))
        drawn = each[:, 1:]
        seeds = np.random.default_rng(1).integers(len(each), size=drawn.shape)
        ends = ((1 - SURE) / 2, (1 + SURE) / 2)
        low, high = np.quantile(np.take_along_axis(drawn, seeds, 0).mean(0), ends)
        return cls(float(each[:, 0].mean()), float(low), float(high), len(each))

    def words(self, digits: int = 1, scale: float = 100) -> str:
        """The difference and its interval in points."""
        mean, low, high = (f"{scale * v:+.{digits}f}" for v in self[:3])
        return f"{mean} ({low} to {high})"

    def verdict(self, alike: float | None = None) -> str:
        """The verdict on "above 0", or on "at most `alike` from 0".

        One seed is one network, of which nothing follows for others.
        """
        if self.seeds < 2:
            return "cannot say (one seed)"
        if alike is None:
            return verdict(self.low, self.high)
        within = min(alike - self.high, alike + self.low)  # all of the interval lies inside: above 0
        beyond = min(alike - self.low, alike + self.high)  # all of it outside: below 0
        return verdict(within, beyond)


def verdict(low: float, high: float) -> str:
    """The verdict on "above 0" from an interval."""
    return "agrees" if low > 0 else "disagrees" if high < 0 else "cannot say"
