"""Row A14: time stamps that repeat, run backwards or are missing."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.media.clock import LONGEST_GAP_S, Clock

raw = st.none() | st.floats(-1e7, 1e7) | st.sampled_from([0.0, 1.0, 1.0, 2.0, 95443.7])


@given(st.lists(raw, max_size=40), st.sampled_from([0.001, 0.04, 1.0]))
def test_time_always_rises(stamps: list[float | None], step_s: float) -> None:
    clock = Clock(step_s)
    times = [clock.tick(s) for s in stamps]
    assert all(math.isfinite(t) for t in times)
    assert all(a < b for a, b in pairwise(times))
    assert all(b - a <= LONGEST_GAP_S for a, b in pairwise(times))


@given(st.lists(st.floats(0.001, 100), min_size=1, max_size=40))
def test_sound_times_are_left_alone(gaps: list[float]) -> None:
    times = [sum(gaps[:n]) for n in range(len(gaps))]
    clock = Clock(0.04)
    assert [clock.tick(t) for t in times] == times


def test_a_wrapped_clock_goes_on() -> None:
    clock = Clock(0.04)
    assert [clock.tick(t) for t in (10.0, 10.04, 0.0, 0.04)] == pytest.approx([10.0, 10.04, 10.08, 10.12])


def test_a_repeated_stamp_does_not_shift_what_follows() -> None:
    clock = Clock(0.04)
    assert [clock.tick(t) for t in (0.0, 0.0, 0.04)] == pytest.approx([0.0, 0.01, 0.04])
