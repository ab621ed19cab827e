"""Scores, intervals and verdicts of the experiment on adaptation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.adaptation import CLAIMS, NETWORKS, Scores, interval, verdict
from models.families import ZOO

PHOTOS = 40


def scores(rate: float, seed: int) -> Scores:
    """Joints found with a probability; two classes, the same share of cells right."""
    rng = np.random.default_rng(seed)
    joints = np.full((PHOTOS, 5, 2), 2)
    joints[..., 0] = rng.binomial(2, rate, (PHOTOS, 5))
    right = rng.binomial(50, rate, (PHOTOS, 2))
    confusions = np.zeros((PHOTOS, 2, 2), np.int64)
    confusions[:, [0, 1], [0, 1]], confusions[:, [0, 1], [1, 0]] = right, 50 - right
    return Scores(joints, confusions)


def test_rows_and_claims_are_of_networks_that_exist() -> None:
    assert set(NETWORKS.values()) <= set(ZOO)
    assert {name for c in CLAIMS for name in (c.better, c.worse)} <= set(NETWORKS.values())


def test_pck_is_the_mean_of_joints_not_of_all_hits() -> None:
    joints = np.zeros((2, 5, 2), np.int64)
    joints[:, :, 1] = [[2, 2, 2, 2, 0], [2, 2, 2, 2, 1]]
    joints[:, :, 0] = [[2, 0, 0, 0, 0], [2, 0, 0, 0, 1]]
    found = Scores(joints, np.zeros((1, 2, 2), np.int64))
    assert found.pck() == pytest.approx((1 + 0 + 0 + 0 + 1) / 5)
    assert found.pck(np.array([0])) == pytest.approx(1 / 5)


def test_mean_iou_leaves_the_background_out() -> None:
    confusions = np.array([[[90, 10], [0, 20]], [[100, 0], [10, 0]]])
    found = Scores(np.ones((1, 5, 2), np.int64), confusions)
    assert found.iou(np.array([0])) == pytest.approx(20 / 30)
    assert found.iou() == pytest.approx(20 / 40)


@pytest.mark.parametrize("measure", ["pck", "iou"])
def test_a_large_difference_is_sure_and_none_is_not(measure: str) -> None:
    low, high = [[scores(rate, seed) for seed in range(3)] for rate in (0.4, 0.8)]
    mean, *bounds = interval(high, low, measure)
    assert bounds[0] < mean < bounds[1]
    assert verdict(*bounds) == "agrees"
    assert verdict(*interval(low, high, measure)[1:]) == "disagrees"
    assert verdict(*interval(low, [scores(0.4, s) for s in range(3, 6)], measure)[1:]) == "cannot say"


@given(st.floats(0.1, 0.9))
def test_a_network_does_not_differ_from_itself(rate: float) -> None:
    same = [scores(rate, 1)]
    assert interval(same, same, "pck", draws=20) == (0, 0, 0)
