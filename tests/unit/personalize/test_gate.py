"""When a factor is accepted, and what is said when it is not (rows H02 and H03)."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from export.rewrite import FastFactor, rewrite
from models.factored import Factor, FactorStage
from personalize.factor import between
from personalize.gate import GateScore, figures, judge, on_card, score

CLIP = GateScore(0.70, 0.80, 0.06, 15)
PEOPLE = GateScore(0.65, 0.70, 0.20, 60)


def after(j=0.0, edge=0.0, area=1.0):
    return GateScore(CLIP.j + j, CLIP.boundary_f + edge, CLIP.area * area, CLIP.pictures)


def people_after(j):
    return GateScore(PEOPLE.j + j, PEOPLE.boundary_f, PEOPLE.area, PEOPLE.pictures)


def test_better_here_and_no_worse_elsewhere_is_accepted():
    judgement = judge((CLIP, after(0.1)), (PEOPLE, people_after(-0.009)))
    assert judgement.accepted
    assert "0.700 before, 0.800 after" in judgement.reason
    assert not judgement.close


@pytest.mark.parametrize(
    ("clip", "people", "words"),
    [
        (after(0.0), 0.0, "No gain"),
        (after(0.004), 0.0, "No gain"),
        (after(-0.3), 0.1, "No gain"),
        (after(0.1, edge=-0.02), 0.0, "edges fit worse"),
        (after(0.1, area=2.5), 0.0, "change their size"),
        (after(0.1, area=0.3), 0.0, "change their size"),
        (after(0.1), -0.02, "other people would be found worse"),
        (GateScore(0, 0, 0, 0), 0.0, "No gain"),
    ],
)
def test_h02_contradictory_or_poisoned_corrections_do_not_pass(clip, people, words):
    judgement = judge((CLIP, clip), (PEOPLE, people_after(people)))
    assert not judgement.accepted
    assert words in judgement.reason
    assert judgement.reason.endswith(".")


def test_nothing_to_compare_on_is_not_accepted():
    nothing = GateScore(0, 0, 0, 0)
    judgement = judge((nothing, nothing), (PEOPLE, PEOPLE))
    assert not judgement.accepted
    assert "too short" in judgement.reason


def test_h03_a_small_gain_has_to_show_twice():
    assert judge((CLIP, after(0.008)), (PEOPLE, PEOPLE)).close
    assert judge((CLIP, CLIP), (PEOPLE, PEOPLE)).accepted is False  # a tie keeps the old one


def test_numbers_that_are_none_never_pass():
    bad = GateScore(float("nan"), 0.9, 0.06, 15)
    assert not judge((CLIP, bad), (PEOPLE, PEOPLE)).accepted
    assert not judge((CLIP, after(0.1)), (PEOPLE, bad)).accepted


def test_score_of_a_perfect_a_missing_and_an_unknown_silhouette():
    truth = np.zeros((40, 60), np.uint8)
    truth[8:32, 16:40] = 1
    grid = truth[::4, ::4].astype(np.float32)
    perfect = score([(grid, truth)])
    assert perfect.j > 0.8
    assert perfect.pictures == 1
    assert score([(np.zeros_like(grid), truth)]).j == 0
    assert score([(np.full_like(grid, np.nan), truth)]).j == 0
    truth[8:32, 28:40] = 255
    half = grid.copy()
    half[:, 7:] = 0
    assert score([(half, truth)]).j > 0.8
    assert score([]).pictures == 0


def test_the_report_has_the_agreed_keys():
    report = figures((CLIP, after(0.1)), (PEOPLE, PEOPLE))
    assert set(report) == {"held_out_J", "boundary_F", "area_drift", "regression", "held_out_frames"}
    assert set(report["regression"]) == {"before", "after", "margin"}
    assert all(isinstance(v, float) for v in on_card(CLIP, PEOPLE).values())


def test_between_two_factors_lie_all_shares_of_the_way() -> None:
    one, other = (rewrite(FactorStage(Factor("relu").eval())) for _ in range(2))
    assert isinstance(one, FastFactor)
    assert isinstance(other, FastFactor)
    for share, end in ((0.0, one), (1.0, other)):
        mixed = between(one, other, share).state_dict()
        assert all(torch.equal(mixed[k], v) for k, v in end.state_dict().items())
    half = between(one, other, 0.5).state_dict()
    assert all(torch.allclose(half[k], (v + other.state_dict()[k]) / 2) for k, v in one.state_dict().items())


def test_a_little_forgetting_is_told_from_no_gain_and_from_a_wrong_lesson() -> None:
    assert judge((CLIP, after(0.1)), (PEOPLE, people_after(-0.012))).forgot
    assert not judge((CLIP, after(0.1)), (PEOPLE, people_after(-0.02))).forgot
    assert not judge((CLIP, after(-0.1)), (PEOPLE, people_after(-0.012))).forgot
    assert not judge((CLIP, after(0.1)), (PEOPLE, people_after(0.0))).forgot
