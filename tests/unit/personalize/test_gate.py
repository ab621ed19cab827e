"""When a factor is accepted, and what is said when it is not (rows H02 and H03)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from export.rewrite import FastFactor, rewrite
from models.factored import Factor, FactorStage
from personalize.evidence import Agreement, agreement
from personalize.factor import between
from personalize.gate import LEAST_GAIN, MOST_DENIED, GateScore, figures, judge, on_card, score

CLIP = GateScore(0.70, 0.80, 0.06, 15)
PEOPLE = GateScore(0.65, 0.70, 0.20, 60)
AGREED = Agreement(0.80, 0.80, 0.0)


def after(j=0.0, edge=0.0, area=1.0):
    return GateScore(CLIP.j + j, CLIP.boundary_f + edge, CLIP.area * area, CLIP.pictures)


def people_after(j):
    return GateScore(PEOPLE.j + j, PEOPLE.boundary_f, PEOPLE.area, PEOPLE.pictures)


def test_better_here_and_no_worse_elsewhere_is_accepted():
    judgement = judge((CLIP, after(0.1)), (PEOPLE, people_after(-0.009)), AGREED)
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
    judgement = judge((CLIP, clip), (PEOPLE, people_after(people)), AGREED)
    assert not judgement.accepted
    assert words in judgement.reason
    assert judgement.reason.endswith(".")


def test_nothing_to_compare_on_is_not_accepted():
    nothing = GateScore(0, 0, 0, 0)
    judgement = judge((nothing, nothing), (PEOPLE, PEOPLE), AGREED)
    assert not judgement.accepted
    assert "too short" in judgement.reason


def test_h03_a_small_gain_has_to_show_twice():
    assert judge((CLIP, after(0.008)), (PEOPLE, PEOPLE), AGREED).close
    assert judge((CLIP, CLIP), (PEOPLE, PEOPLE), AGREED).accepted is False  # a tie keeps the old one


def test_numbers_that_are_none_never_pass():
    bad = GateScore(float("nan"), 0.9, 0.06, 15)
    assert not judge((CLIP, bad), (PEOPLE, PEOPLE), AGREED).accepted
    assert not judge((CLIP, after(0.1)), (PEOPLE, bad), AGREED).accepted


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


def test_an_edge_that_is_nowhere_known_is_neither_judged_nor_shown():
    truth = np.full((40, 60), 255, np.uint8)  # as the method none leaves it: only what is sure
    truth[:6], truth[12:28, 20:36] = 0, 1
    grid = np.ones((10, 15), np.float32)
    measured = score([(grid, truth)])
    assert (measured.boundary_f, measured.pictures) == (None, 1)
    better = replace(measured, j=measured.j + 0.1)
    assert judge((measured, better), (PEOPLE, PEOPLE), AGREED).accepted
    assert "boundary_F" not in figures((measured, better), (PEOPLE, PEOPLE), AGREED)
    assert "boundary_F" not in on_card(measured, PEOPLE, 0.8)


def test_the_report_has_the_agreed_keys():
    report = figures((CLIP, after(0.1)), (PEOPLE, PEOPLE), AGREED)
    pairs = {"held_out_J", "boundary_F", "evidence_J", "beside_six_views", "regression"}
    assert set(report) == {*pairs, "area_drift", "held_out_frames"}
    assert set(report["regression"]) == {"before", "after", "margin"}
    assert all(isinstance(v, float) for v in on_card(CLIP, PEOPLE, 0.8).values())


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
    assert judge((CLIP, after(0.1)), (PEOPLE, people_after(-0.012)), AGREED).forgot
    assert not judge((CLIP, after(0.1)), (PEOPLE, people_after(-0.02)), AGREED).forgot
    assert not judge((CLIP, after(-0.1)), (PEOPLE, people_after(-0.012)), AGREED).forgot
    assert not judge((CLIP, after(0.1)), (PEOPLE, people_after(0.0)), AGREED).forgot


def test_what_six_views_speak_against_is_not_believed() -> None:
    def judged(gain: float, taught: float, j: float = 0.1):
        return judge((CLIP, after(j)), (PEOPLE, PEOPLE), Agreement(0.80, 0.80 + gain, taught))

    denied = judged(-0.01, -1.1 * MOST_DENIED)
    assert not denied.accepted
    assert "speak against it (agreement 0.800 before, 0.790 after" in denied.reason
    assert judged(-0.01, -0.9 * MOST_DENIED).accepted
    assert judged(0.01, -1.1 * MOST_DENIED).accepted  # learned more from the rest of the clip
    assert not judged(float("nan"), float("nan")).accepted
    assert not judged(0.1, 0.1, 0.9 * LEAST_GAIN).accepted


def test_six_views_that_do_as_much_are_told_of_and_do_not_refuse() -> None:
    plain = judge((CLIP, after(0.1)), (PEOPLE, PEOPLE), Agreement(0.8, 0.8, 0.0, 0.9, 0.85))
    told = judge((CLIP, after(0.1)), (PEOPLE, PEOPLE), Agreement(0.8, 0.8, 0.0, 0.88, 0.9))
    assert plain.accepted
    assert told.accepted
    assert "compare with `--views 6`" in told.reason
    assert "Six views" not in plain.reason


FIGURES = st.tuples(*[st.floats(-0.2, 0.2)] * 5)
WORSE = st.tuples(*[st.floats(0, 0.2)] * 5)


@given(FIGURES, WORSE)
def test_more_against_a_factor_never_makes_it_pass(figures, worse) -> None:
    def passes(j, edge, others, agreed, taught):
        evidence = Agreement(0.5, 0.5 + agreed, taught)
        return judge((CLIP, after(j, edge)), (PEOPLE, people_after(others)), evidence).accepted

    assert passes(*figures) or not passes(*(f - w for f, w in zip(figures, worse, strict=True)))


@given(st.integers(0, 2**32 - 1), st.floats(0, 1))
def test_agreement_falls_with_every_pixel_that_the_reference_denies(seed, share) -> None:
    rng = np.random.default_rng(seed)
    truth = np.zeros((12, 16), bool)
    truth[2:10, 4:12] = True
    known = np.ones_like(truth)
    wrong = truth ^ (rng.random(truth.shape) < share / 4)
    worse = wrong ^ ((wrong == truth) & (rng.random(truth.shape) < share / 4))
    reference = truth.astype(np.float32)
    scores = [agreement([m], [reference], [known]) for m in (truth, wrong, worse)]
    assert scores[0] == 1
    assert scores == sorted(scores, reverse=True)
    assert agreement([wrong], [reference], [truth == wrong]) == 1  # what is not known does not count
    assert agreement([~known], [0 * reference], [known]) == 1
