"""Steps of the phases that need no network: which labels, what is kept and what is told."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from models.spec import ModelSpec
from personalize import factor as factors
from personalize.evidence import Agreement
from personalize.gate import GateScore, Judgement, figures, score
from personalize.job import PersonalizationJob, PersonChoice
from personalize.messages import PhaseProgress
from personalize.worker import candidate, reporter
from personalize.worker.augmentation import AveragedViews
from personalize.worker.candidate import FACTOR, REPORT
from personalize.worker.context import person
from personalize.worker.cuts import silhouette
from personalize.worker.evidence import judged_frames
from personalize.worker.links import shot_in_use
from personalize.worker.person import _region, area_alone, refuse_outside
from runtime.engine.providers import Provider
from runtime.engine.sessions import Session
from runtime.model_files.metadata import describe
from runtime.system.errors import Refusal
from tests.personalising import context_of, job_for, small_network, told


def job(**changes: object) -> PersonalizationJob:
    return PersonalizationJob(Path("clip.mp4"), "ann", Path("model"), **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("judged", "count", "frames"),
    [
        (range(5, 85, 10), 100, [5, 15, 25, 35, 45, 55, 65, 75]),
        (range(5, 95, 10), 100, [5, 9, 25, 45, 65, 85]),
        ([1], 3, [0, 1, 2]),
        ([2], 12, [1, 2, 3, 5, 7, 9]),
        ([5], 100, [5, 9, 27, 45, 63, 81]),
    ],
)
def test_frames_that_are_judged_are_few_and_spread(judged: list[int], count: int, frames: list[int]) -> None:
    assert judged_frames([*judged], count) == frames


def test_a_region_has_the_colours_of_its_thirds() -> None:
    image = np.zeros((9, 4, 3), np.uint8)
    image[:3], image[3:6], image[6:] = (10, 0, 0), (0, 20, 0), (0, 0, 30)
    mask = np.zeros((9, 4), bool)
    mask[:, 1:] = True
    seen = _region(image, mask)
    np.testing.assert_array_equal(seen.colours, [(10, 0, 0), (0, 20, 0), (0, 0, 30)])
    np.testing.assert_array_equal(seen.points, [(2, 4)])
    assert (seen.size, seen.score) == (np.sqrt(27), 1.0)


@pytest.mark.parametrize(
    ("choice", "around", "refused"),
    [
        (None, None, ""),
        (PersonChoice(), None, ""),
        (PersonChoice((0, 0), 10), None, ""),
        (PersonChoice((319.5, 179.5), 19), None, ""),
        (PersonChoice((1, 1)), None, ""),
        (PersonChoice((1, 1)), 99, ""),
        (PersonChoice((1, 1), 9), None, "frame 9: frames 10 to 19 are learned from, and it is none of them"),
        (PersonChoice((1, 1), 20), None, "frame 20: frames 10 to 19 are learned from"),
        (PersonChoice((320, 1), 10), None, "point 320,1: the picture has 320x180 pixels"),
        (
            PersonChoice((1, 180)),
            0,
            "point 1,180: the picture has 320x180 pixels. Give a point from 0,0 to 319,179",
        ),
        (PersonChoice((-0.5, 1)), None, "point -0.5,1: the picture has 320x180 pixels"),
        (PersonChoice((1, -0.5)), None, "point 1,-0.5: the picture has 320x180 pixels"),
    ],
)
def test_a_point_has_to_be_in_a_frame_that_is_read(
    choice: PersonChoice | None, around: int | None, refused: str
) -> None:
    reading = {"first": 10, "size": (320, 180)}
    context = SimpleNamespace(job=job(person=choice, around=around), facts={"reading": reading}, frames=10)
    if not refused:
        refuse_outside(context)  # type: ignore[arg-type]
    else:
        with pytest.raises(Refusal) as e:
            refuse_outside(context)  # type: ignore[arg-type]
        assert str(e.value).startswith(refused)


def test_only_what_is_nearly_sure_is_learned_from_where_nothing_is_cut() -> None:
    person = np.array([[0.1, 0.21, 0.5, 0.79, 0.9]], np.float32)
    codes, notice = silhouette(np.zeros((1, 5, 3), np.uint8), person, "none")
    assert (codes.tolist(), notice) == ([[0, 255, 255, 255, 1]], "")


def test_where_what_was_propagated_contradicts_the_cut_or_says_nothing_is_doubt() -> None:
    """A white half is the person: by their colours a cut takes the patches with it."""
    image = np.zeros((60, 80, 3), np.uint8)
    image[:, 40:] = 255
    person = np.where(image[..., 0] > 0, 0.95, 0.05).astype(np.float32)
    patches = [np.s_[8 + 12 * i : 12 + 12 * i] for i in range(4)]
    for rows, odds in zip(patches, (0.25, 0.35, 0.46, 0.54), strict=True):
        person[rows, 50:54], person[rows, 20:24] = odds, 1 - odds
    cut = (image[..., 0] > 0).astype(np.uint8)
    for method in ("graphcut", "grabcut"):
        codes, notice = silhouette(image, person, method)
        assert notice == ""
        np.testing.assert_array_equal(codes, cut)
    codes, _ = silhouette(image, person, "tree")
    assert [set(codes[rows, 50:54].ravel().tolist()) for rows in patches] == [{255}, {1}, {255}, {255}]
    assert [set(codes[rows, 20:24].ravel().tolist()) for rows in patches] == [{255}, {0}, {255}, {255}]
    assert (codes == 255).sum() == 6 * 16


@pytest.mark.parametrize("person", [None, {"words": "at 3,4"}])
def test_the_report_names_the_frames_in_use_and_what_was_measured(tmp_path: Path, person: object) -> None:
    took = {"wall_s": 2.5, "cpu_s": 1.5}
    facts: dict[str, dict[str, object]] = {
        "seeds": {"person": person, **took},
        "learning": {"epoch": 3, "losses": [0.5, 0.25], **took},
        "checking": {"sha256": "ab", "accepted": False, "reason": "Worse.", "regression": 0.5, **took},
    }
    context = SimpleNamespace(facts=facts, first_frame=40, span=slice(10, 25), folder=tmp_path)
    finished = candidate.done(context)  # type: ignore[arg-type]
    assert (finished.path, finished.sha256, finished.accepted) == (str(tmp_path / FACTOR), "ab", False)
    assert finished.report == {
        "reason": "Worse.",
        "regression": 0.5,
        "accepted": False,
        "frames": 15,
        "window": [40, 54],
        **({"person": person} if person else {}),
        "epoch": 3,
        "losses": [0.5, 0.25],
        "seconds": dict.fromkeys(facts, 2.5),
        "cpu_seconds": dict.fromkeys(facts, 1.5),
    }
    assert json.loads((tmp_path / REPORT).read_bytes()) == finished.report


@pytest.mark.parametrize(
    ("changes", "shot"),
    [
        ({}, (10, 40)),
        ({"around": 109}, (0, 10)),
        ({"around": 110}, (10, 40)),
        ({"around": 3}, (0, 10)),
        ({"around": 999}, (40, 60)),
        ({"first": 100, "last": 159}, (10, 40)),
    ],
)
def test_one_shot_is_learned_from(changes: dict[str, int], shot: tuple[int, int]) -> None:
    """Frames 100 to 159 of a clip, cut before 110 and 140."""
    assert shot_in_use(job(**changes), 100, 60, [10, 40]) == shot


@pytest.fixture
def measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A context before checking, by the shipped network: the last three of four frames are in use."""
    monkeypatch.setattr(reporter, "PAUSE_S", 0.0)
    facts = {
        "reading": {"clip_sha256": "cafe", "first": 20, "frames": 4},
        "links": {"span": [1, 4]},
        "seeds": {"person": {}},
        "learning": {"judged": [0, 2]},
    }
    context = context_of(job_for(tmp_path / "clip.mp4"), tmp_path, (64, 40), **facts)
    context.network, chance = small_network(), np.random.default_rng(0)
    features = chance.normal(0, 1, (4, 128, 8, 8)).astype(np.float16)
    context.results.keep("features", features)
    context.results.keep("person", np.stack([person(context.network.factor, f) for f in features]))
    context.results.keep("canvas", chance.integers(0, 255, (4, 64, 64, 3)).astype(np.uint8))
    context.results.keep("small", chance.integers(0, 255, (4, 20, 32, 3)).astype(np.uint8))
    context.results.keep("codes", chance.integers(0, 2, (3, 20, 32)).astype(np.uint8))
    context.results.keep("whose", chance.choice([1, 2], (4, 20, 32)).astype(np.uint8))
    context.results.keep("judging_features", chance.normal(0, 1, (3, 128, 4, 4)).astype(np.float16))
    context.results.keep("judging_silhouettes", chance.integers(0, 2, (3, 32, 32)).astype(np.uint8))
    yield context
    context.reporter.close()


@pytest.mark.onnx
@pytest.mark.parametrize("alone", [False, True])
def test_both_factors_are_measured_on_held_out_frames_and_on_other_people(measured, alone: bool) -> None:
    """The new one is the old one, whose last weight is another."""
    context, network = measured, measured.network
    context.job = replace(context.job, person=PersonChoice() if alone else None)
    made = factors.load(network.factor.data)
    with torch.no_grad():
        made.classify.bias += 1.0
    new = factors.store(made, network.factor.data, network.spec)
    asked = SimpleNamespace(agreement=lambda factor: factor.data)
    clip, people, evidence = candidate._measured(context, new, asked)  # type: ignore[arg-type]
    averaged = AveragedViews(network, (64, 40))
    features, canvas, small = (context.array(name) for name in ("features", "canvas", "small"))
    for i, factor in enumerate((network.factor, Session("factor", new, Provider.CPU, threads=1))):
        shown = [averaged.along_edges(person(factor, features[k])[:5], canvas[k], small[k]) for k in (0, 2)]
        expected = score(zip(shown, context.results.array("codes")[[0, 2]], strict=True))
        if alone and i == 0:
            expected = replace(expected, area=area_alone(context, [0, 2]))
        assert clip[i] == expected
        others = [person(factor, f) for f in context.results.array("judging_features")]
        assert people[i] == score(zip(others, context.results.array("judging_silhouettes"), strict=True))
    assert evidence == new
    assert told(context) == [PhaseProgress("", k, 10) for k in range(1, 11)]


@pytest.mark.onnx
def test_what_was_learned_is_written_into_the_graph_it_came_from(measured, monkeypatch) -> None:
    context, network = measured, measured.network
    made = factors.load(network.factor.data)
    with torch.no_grad():
        made.classify.bias += 1.0
    monkeypatch.setattr(candidate, "learned", lambda _: made)
    assert candidate.needs_of_writing(context) == [network.spec.to_json()]
    assert candidate.write(context) == {}
    data = (context.results.folder / candidate.CANDIDATE).read_bytes()
    assert torch.equal(factors.load(data).classify.bias, made.classify.bias)
    spec = describe("factor.onnx", data)
    assert (spec.stage, spec.card, spec.siblings) == ("factor", None, {"trunk": network.trunk_sha256})
    half = candidate._part_of_the_way(context, made, 0.5)
    assert torch.allclose(half.classify.bias, made.classify.bias - 0.5)
    assert told(context) == [PhaseProgress("", 0, 1), PhaseProgress("", 1, 1)]


ONE = GateScore(0.5, 0.25, 0.125, 4), GateScore(0.75, 0.5, 0.25, 4)
OTHERS = GateScore(0.9, None, 0.1, 8), GateScore(0.8, None, 0.1, 8)
BETTER = Judgement(accepted=True, reason="Better.")
CLOSE = Judgement(accepted=True, reason="Near.", close=True)
WORSE = Judgement(accepted=False, reason="Worse.")
FORGOT = Judgement(accepted=False, reason="Forgot.", forgot=True)
HALF = "Other people would be found worse: half of what was learned is taken."
AGAIN = "The gain is small: it is learned once more, to see whether it was chance."
TWICE = "Not believed: seen once, and not again with another seed."


@pytest.mark.onnx
@pytest.mark.parametrize(
    ("judgements", "weighed", "accepted", "reason", "notices"),
    [
        ([WORSE], ["file"], False, "Worse.", []),
        ([BETTER], ["file"], True, "Better.", []),
        ([FORGOT, WORSE], ["file", "learned 0.5"], False, "Forgot.", []),
        ([FORGOT, BETTER, BETTER], ["file", "learned 0.5"], True, "Better.", [HALF]),
        ([CLOSE, BETTER], ["file", "seed 8 1.0"], True, "Near.", [AGAIN]),
        ([CLOSE, CLOSE], ["file", "seed 8 1.0"], True, "Near.", [AGAIN]),
        ([CLOSE, WORSE], ["file", "seed 8 1.0"], False, f"{TWICE} Near.", [AGAIN]),
        (
            [FORGOT, CLOSE, CLOSE, WORSE],
            ["file", "learned 0.5", "seed 8 0.5"],
            False,
            f"{TWICE} Near.",
            [HALF, AGAIN],
        ),
    ],
)
def test_what_forgot_others_is_taken_half_and_a_small_gain_must_show_twice(
    measured, monkeypatch, judgements, weighed, accepted, reason, notices
) -> None:
    """Of files that say how they were made."""
    context, seen = measured, []
    context.job = replace(context.job, seed=7)
    context.facts["seeds"]["person"] = {"words": "at 3,4"}
    (context.results.folder / candidate.CANDIDATE).write_bytes(b"file")

    def measure(_context: object, data: bytes, _references: object) -> object:
        seen.append(data.decode())
        return ONE, OTHERS, Agreement(len(seen), 2.0, 0.0)

    verdicts = iter(judgements)
    monkeypatch.setattr(candidate, "_measured", measure)
    monkeypatch.setattr(candidate, "judge", lambda *_: next(verdicts))
    monkeypatch.setattr(candidate, "References", lambda _context, judged: judged)
    monkeypatch.setattr(candidate, "learned", lambda _: "learned")
    monkeypatch.setattr(candidate, "teach", lambda _, seed: (SimpleNamespace(factor=f"seed {seed}"), []))
    monkeypatch.setattr(candidate, "_part_of_the_way", lambda _, made, share: f"{made} {share}")
    monkeypatch.setattr(candidate, "_file", lambda _, made: made.encode())
    monkeypatch.setattr(candidate.factors, "described", lambda data, spec: data + spec.to_json().encode())
    facts = candidate.check(context)
    assert seen == weighed
    assert list(verdicts) == []
    assert [e.text for e in told(context)] == notices
    file = (tmp := context.folder / FACTOR).read_bytes()
    taken = next(w for w in reversed(weighed) if not w.startswith("seed")) if HALF in notices else "file"
    assert file.startswith(taken.encode() + b"{"), tmp
    card = ModelSpec.from_json(file[len(taken) :].decode()).card
    first = 1 + weighed.index(taken)
    assert card is not None
    assert (card.base_trunk_sha256, card.clip_sha256) == (context.network.trunk_sha256, "cafe")
    assert (card.frames, card.accepted, card.person) == (3, accepted, "at 3,4")
    assert card.before == {
        "held_out_J": 0.5,
        "area": 0.125,
        "regression_J": 0.9,
        "evidence_J": first,
        "boundary_F": 0.25,
    }
    assert card.after == {
        "held_out_J": 0.75,
        "area": 0.25,
        "regression_J": 0.8,
        "evidence_J": 2.0,
        "boundary_F": 0.5,
    }
    assert facts == {
        "sha256": hashlib.sha256(file).hexdigest(),
        "accepted": accepted,
        "reason": reason,
        **figures(ONE, OTHERS, Agreement(first, 2.0, 0.0)),
    }
