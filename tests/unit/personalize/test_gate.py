"""When a factor is accepted, and what is said when it is not (rows H02 and H03)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import onnx
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from export.rewrite import FastFactor, rewrite
from models.factored import Factor, FactorStage
from personalize.evidence import Agreement, agreement
from personalize.factor import FactorError, between, load
from personalize.gate import LEAST_GAIN, MOST_DENIED, GateScore, beside_six, figures, judge, on_card, score
from runtime.system import paths

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


def test_an_edge_that_one_factor_alone_has_does_not_count():
    known, unknown = after(0.1), replace(after(0.1), boundary_f=None)
    for clip in ((CLIP, unknown), (replace(CLIP, boundary_f=None), known)):
        judged = judge(clip, (PEOPLE, PEOPLE), AGREED)
        assert judged.accepted
        assert "edges" not in judged.reason


def test_an_edge_that_is_nowhere_known_is_neither_judged_nor_shown():
    truth = np.full((40, 60), 255, np.uint8)  # as the method none leaves it: only what is sure
    truth[:6], truth[12:28, 20:36] = 0, 1
    grid = np.ones((10, 15), np.float32)
    measured = score([(grid, truth)])
    assert (measured.boundary_f, measured.pictures) == (None, 1)
    better = replace(measured, j=measured.j + 0.1)
    assert judge((measured, better), (PEOPLE, PEOPLE), AGREED).accepted
    assert "boundary_F" not in figures((measured, better), (PEOPLE, PEOPLE), AGREED)


@pytest.mark.parametrize("edges", [(None, 0.8), (0.8, None), (None, None)])
def test_an_edge_known_once_is_not_compared(edges):
    before, better = (replace(s, boundary_f=e) for s, e in zip((CLIP, after(0.1)), edges, strict=True))
    assert judge((before, better), (PEOPLE, PEOPLE), AGREED).accepted
    assert "boundary_F" not in figures((before, better), (PEOPLE, PEOPLE), AGREED)


def test_the_report_has_the_numbers_under_the_agreed_keys():
    old, new = GateScore(0.7, 0.8, 0.1, 15), GateScore(0.9, 0.85, 0.2, 15)
    others, kept = GateScore(0.6, 0.5, 0.3, 60), GateScore(0.59, 0.4, 0.4, 60)
    assert figures((old, new), (others, kept), Agreement(0.1, 0.2, 0.3, 0.4, 0.5)) == {
        "held_out_J": {"before": 0.7, "after": 0.9},
        "boundary_F": {"before": 0.8, "after": 0.85},
        "evidence_J": {"before": 0.1, "after": 0.2, "taught": 0.3},
        "beside_six_views": {"six_before": 0.5, "one_after": 0.4},
        "area_drift": 2.0,
        "regression": {"before": 0.6, "after": 0.59, "margin": 0.01},
        "held_out_frames": 15,
    }
    card = {"held_out_J": 0.7, "area": 0.1, "regression_J": 0.6, "evidence_J": 0.8}
    assert on_card(old, others, 0.8) == {**card, "boundary_F": 0.8}
    assert on_card(replace(old, boundary_f=None), others, 0.8) == card


def test_between_two_factors_lie_all_shares_of_the_way() -> None:
    one, other = (rewrite(FactorStage(Factor("relu").eval())) for _ in range(2))
    assert isinstance(one, FastFactor)
    assert isinstance(other, FastFactor)
    for share, end in ((0.0, one), (1.0, other)):
        mixed = between(one, other, share).state_dict()
        assert all(torch.equal(mixed[k], v) for k, v in end.state_dict().items())
    half = between(one, other, 0.5).state_dict()
    assert all(torch.allclose(half[k], (v + other.state_dict()[k]) / 2) for k, v in one.state_dict().items())


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda weight: weight * np.nan, "it holds NaN or infinite weights"),
        (lambda weight: weight[..., None], "its weights do not stand where this version expects them"),
    ],
)
def test_a_factor_file_with_other_weights_than_it_should_have_is_refused(spoil, told) -> None:
    model = onnx.load(paths.models_dir() / "factored-s31" / "factor.onnx")
    first = model.graph.initializer[0]
    first.CopyFrom(onnx.numpy_helper.from_array(spoil(onnx.numpy_helper.to_array(first)), first.name))
    with pytest.raises(FactorError, match=told):
        load(model.SerializeToString())


def test_a_factor_file_with_a_weight_more_or_fewer_is_refused() -> None:
    model = onnx.load(paths.models_dir() / "factored-s31" / "factor.onnx")
    model.graph.initializer.append(onnx.numpy_helper.from_array(np.zeros(3, np.float32), "more"))
    for _ in range(2):
        with pytest.raises(FactorError, match="do not stand where this version expects them"):
            load(model.SerializeToString())
        del model.graph.initializer[-2:]


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


def measured(j=0.0, edge=0.0, area=1.0):
    return GateScore(j, edge, area, 15)


@pytest.mark.parametrize(
    ("clip", "forgotten", "taught", "verdict"),
    [
        ((measured(), measured(0.005)), 0.0, 0.0, (True, True, False)),
        ((measured(), measured(0.00499)), 0.0, 0.0, (False, False, False)),
        ((measured(), measured(0.01)), 0.0, 0.0, (True, False, False)),
        ((measured(), measured(0.5)), 0.01, 0.0, (True, False, False)),
        ((measured(), measured(0.5)), 0.01001, 0.0, (False, False, True)),
        ((measured(), measured(0.5)), 0.015, 0.0, (False, False, True)),
        ((measured(), measured(0.5)), 0.01501, 0.0, (False, False, False)),
        ((measured(edge=0.01), measured(0.5)), 0.0, 0.0, (True, False, False)),
        ((measured(edge=0.01001), measured(0.5)), 0.0, 0.0, (False, False, False)),
        ((measured(), measured(0.5, area=2)), 0.0, 0.0, (True, False, False)),
        ((measured(), measured(0.5, area=2.01)), 0.0, 0.0, (False, False, False)),
        ((measured(), measured(0.5, area=0.5)), 0.0, 0.0, (True, False, False)),
        ((measured(), measured(0.5, area=0.49)), 0.0, 0.0, (False, False, False)),
        ((measured(area=0), measured(0.5, area=2e-4)), 0.0, 0.0, (True, False, False)),
        ((measured(area=0), measured(0.5, area=2.01e-4)), 0.0, 0.0, (False, False, False)),
        ((measured(), measured(0.5)), 0.0, -0.034, (True, False, False)),
        ((measured(), measured(0.5)), 0.0, -0.03401, (False, False, False)),
    ],
)
def test_each_limit_itself_still_passes(clip, forgotten, taught, verdict):
    found = judge(clip, (measured(forgotten), measured()), Agreement(0.01, 0.0, taught))
    assert (found.accepted, found.close, found.forgot) == verdict
    assert judge(clip, (measured(forgotten), measured()), Agreement(0.5, 0.5, -1)).accepted == (
        verdict[0] or taught < -0.034
    )


@pytest.mark.parametrize(
    ("clip", "people", "evidence", "reason"),
    [
        (after(0.1), 0, Agreement(0.8, 0.9, 0.05, 0.905, 0.9),
         "Better: silhouette J on held-out frames 0.700 before, 0.800 after."),
        (after(0.1), 0, Agreement(0.8, 0.9, 0.05, 0.9, 0.9),
         "Better: silhouette J on held-out frames 0.700 before, 0.800 after. On the frames judged, six views"
         " of the factor before come to 0.900, one of the new one to 0.900: for files, compare with"
         " `--views 6`."),
        (after(), 0, AGREED, "No gain: silhouette J on held-out frames 0.700 before, 0.700 after."),
        (after(0.1), 0, Agreement(0.8, 0.79, -0.05),
         "Not believed: silhouette J on held-out frames 0.700 before, 0.800 after, but six views and the body"
         " parts seen in them speak against it (agreement 0.800 before, 0.790 after, with what was learned"
         " from -0.050)."),
        (after(0.1, -0.1), 0, AGREED,
         "No gain: silhouette J on held-out frames 0.700 before, 0.800 after, but edges fit worse (0.800 to"
         " 0.700)."),
        (after(0.1, 0, 3), 0, AGREED,
         "Not believed: the silhouettes would change their size too much to be believed (3.00 times)."),
        (after(0.1), -0.1, AGREED,
         "Not accepted: other people would be found worse (0.650 to 0.550); silhouette J on held-out frames"
         " 0.700 before, 0.800 after."),
    ],
)  # fmt: skip
def test_the_reason_has_the_numbers_that_decided(clip, people, evidence, reason):
    assert judge((CLIP, clip), (PEOPLE, people_after(people)), evidence).reason == reason


@pytest.mark.parametrize(("one_view", "told"), [(0.005, False), (0.00499, True)])
def test_six_views_are_told_of_where_they_come_near(one_view, told):
    assert bool(beside_six(Agreement(0, 0, 0, one_view, 0.0))) is told


def test_what_is_drawn_exactly_is_scored_exactly():
    truth = np.zeros((8, 8), np.uint8)
    truth[:4, :4] = 1
    wide = np.zeros((8, 8), np.float32)
    wide[:4], wide[5, 5] = 0.5, np.nan
    assert score([(wide, truth), (truth.astype(np.float32), truth)]).j == 0.75
    assert score([(wide, truth), (truth.astype(np.float32), truth)]).area == 0.375
    assert score([(truth.astype(np.float32), truth)]) == GateScore(1.0, 1.0, 0.25, 1)
    assert score([]) == GateScore(0.0, None, 0.0, 0)


FIGURES = st.tuples(*[st.floats(-0.2, 0.2)] * 5)
WORSE = st.tuples(*[st.floats(0, 0.2)] * 5)


@given(FIGURES, WORSE)
def test_more_against_a_factor_never_makes_it_pass(figures, worse) -> None:
    def passes(j, edge, others, agreed, taught):
        evidence = Agreement(0.5, 0.5 + agreed, taught)
        return judge((CLIP, after(j, edge)), (PEOPLE, people_after(others)), evidence).accepted

    assert passes(*figures) or not passes(*(f - w for f, w in zip(figures, worse, strict=True)))


def test_agreement_of_two_frames_by_hand() -> None:
    silhouettes = np.array([[True, True, False, False], [True, False, False, False]])
    references = np.array([[0.5, 1, 0.25, 1], [0.25, 0.75, 0.5, 0.5]], np.float32)
    known = np.array([[True, True, True, False]] * 2)
    assert agreement(silhouettes, references, known) == pytest.approx((1.5 / 2.25 + 0.25 / 2.25) / 2)


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
