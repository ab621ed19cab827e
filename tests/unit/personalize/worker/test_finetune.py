"""What is learned from, beside whom, and until when; with the shipped network on tiny pictures."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from personalize import factor as factors
from personalize.edges import ColourGuides
from personalize.finetune import FinetuneResult, held_out
from personalize.messages import PhaseProgress, WorkerNotice
from personalize.replay import BundledPeople, PeopleError
from personalize.worker import finetune, replay, reporter
from personalize.worker.context import Context, person
from personalize.worker.finetune import grid_labels, useful_frames
from runtime.system.errors import Refusal
from tests.personalising import context_of, job_for, small_network, told

pytestmark = pytest.mark.onnx


def test_frames_are_useful_with_enough_of_both() -> None:
    codes = np.zeros((5, 40, 50), np.uint8)
    for code, pixels in zip(codes, (9, 10, 1800, 1801, 0), strict=True):
        code.ravel()[:pixels] = 1
        code.ravel()[-20:] = 255
    assert useful_frames(codes) == [1, 2]


def test_a_sample_is_what_most_of_its_known_part_is() -> None:
    codes = np.zeros((1, 16, 16), np.uint8)  # 2 x 2 pixels a sample, of a grid of 2 x 2 cells
    codes[0, :2, :8] = [[1, 1, 1, 1, 1, 0, 255, 255], [1, 1, 1, 0, 1, 0, 1, 0]]
    codes[0, 2:4, :4] = [[255, 1, 255, 255], [1, 0, 1, 255]]
    expected = np.zeros((1, 8, 8), np.uint8)
    expected[0, 0, :4], expected[0, 1, :2] = [1, 1, 0, 255], [1, 255]
    np.testing.assert_array_equal(grid_labels(codes, (2, 2)), expected)
    assert grid_labels(np.zeros((3, 8, 8), np.uint8), (3, 2)).shape == (3, 8, 12)


@pytest.fixture
def ready(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A context before learning: twelve frames in use of 14, of which the second shows nobody."""
    monkeypatch.setattr(reporter, "PAUSE_S", 0.0)
    reading = {"first": 0, "frames": 14, "studied": [0, 2, 5, 6, 8, 10, 12]}
    facts = {"reading": reading, "links": {"span": [1, 13]}}
    context = context_of(job_for(tmp_path / "clip.mp4", seed=7), tmp_path, (64, 40), **facts)
    context.network, chance = small_network(), np.random.default_rng(0)
    context.results.keep("features", chance.normal(0, 1, (14, 128, 8, 8)).astype(np.float16))
    context.results.keep("canvas", chance.integers(0, 255, (14, 64, 64, 3)).astype(np.uint8))
    codes = chance.integers(0, 2, (12, 40, 64)).astype(np.uint8)
    codes[1] = 0
    context.results.keep("codes", codes)
    context.results.keep("replayed_features", chance.normal(0, 1, (2, 128, 4, 4)).astype(np.float16))
    context.results.keep("replayed_person", chance.random((2, 4, 4)).astype(np.float32))
    yield context
    context.reporter.close()


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> list[SimpleNamespace]:
    """What `learn` was given; it answers with another bias."""
    calls: list[SimpleNamespace] = []

    def learn(base, data, config, **named):
        calls.append(SimpleNamespace(base=base, data=data, config=config, **named))
        made = factors.load(small_network().factor.data)
        with torch.no_grad():
            made.classify.bias += 1.0
        return FinetuneResult(made, [0.5, 0.125, 0.25], "enough" if len(calls) == 1 else "")

    monkeypatch.setattr(finetune, "learn", learn)
    return calls


@pytest.mark.parametrize(
    ("most", "useful"), [(11, [0, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]), (10, [4, 5, 7, 9, 11])]
)
def test_frames_with_the_person_are_learned_from_and_some_held_out(
    ready: Context, given, monkeypatch, most: int, useful: list[int]
) -> None:
    monkeypatch.setattr(finetune, "MOST_STUDIED", most)
    made, judged = finetune.teach(ready, 9)
    (call,) = given
    watched, kept = held_out(len(useful))
    assert judged == [useful[k] for k in kept]
    assert (call.data.watched, call.seed, call.config) == (watched, 9, finetune.CONFIG)
    assert sorted([*call.data.learned, *watched, *kept]) == [*range(len(useful))]
    codes = grid_labels(ready.results.array("codes"), (8, 5))[useful]
    np.testing.assert_array_equal(call.data.clip.codes, codes)
    np.testing.assert_array_equal(call.data.clip.features, ready.array("features")[useful])
    pictures = [ready.array("canvas")[k][:40, :64] for k in useful]
    for name, part in vars(ColourGuides.of(pictures, (8, 5))).items():
        np.testing.assert_array_equal(getattr(call.data.clip.guides, name), part)
    np.testing.assert_array_equal(call.data.replay.features, ready.results.array("replayed_features"))
    np.testing.assert_array_equal(call.data.replay.person, ready.results.array("replayed_person"))
    call.on_step(3, 4)
    assert told(ready) == [PhaseProgress("", 3, 4)]
    assert made.best_epoch == 1


def test_learning_ends_when_it_is_asked_to_or_little_time_is_left(ready, given, monkeypatch) -> None:
    now = [ready.reporter.deadline_s - 30]
    finetune.teach(ready, 0)
    should_end = given[0].should_end
    monkeypatch.setattr(finetune, "time", SimpleNamespace(monotonic=lambda: now[0]))
    assert should_end() == ""
    now[0] += 0.1
    assert should_end() == "its time was up"
    ready.reporter._orders.stop.set()
    assert should_end() == "you asked for the best so far"


def test_what_was_learned_is_kept_with_the_frames_that_judge_it(ready, given) -> None:
    useful = [0, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]
    facts = finetune.run(ready)
    assert facts == {
        "judged": [useful[k] for k in held_out(11)[1]],
        "losses": [0.5, 0.125, 0.25],
        "epoch": 1,
    }
    assert given[0].seed == 7
    before, kept = factors.load(ready.network.factor.data).state_dict(), finetune.learned(ready)
    for name, weights in kept.state_dict().items():
        assert torch.equal(weights, before[name] + 1.0 * (name == "classify.bias"))
    assert not kept.training
    finetune.run(ready)
    assert [e.text for e in told(ready) if isinstance(e, WorkerNotice)] == ["Learning ended early: enough."]
    assert finetune.needs(ready) == [7, repr(finetune.CONFIG)]


def test_other_people_are_replayed_and_judge(ready, monkeypatch) -> None:
    """Sixteen a row of the sheet, and every other row judges."""
    chance = np.random.default_rng(1)
    pictures = chance.integers(0, 255, (18, 64, 96, 3)).astype(np.uint8)
    people = BundledPeople(pictures, chance.random((18, 64, 96)) < 0.5, "beef")
    monkeypatch.setattr(replay, "read_regression", lambda _: people)
    assert replay.needs(ready) == [ready.network.trunk_sha256, ready.network.factor.sha256, "beef"]
    replay.run(ready)
    for name, chosen in (("replayed", range(16)), ("judging", (16, 17))):
        features, answers, silhouettes = (
            ready.results.array(f"{name}_{what}") for what in ("features", "person", "silhouettes")
        )
        np.testing.assert_array_equal(silhouettes, people.silhouettes[[*chosen]].astype(np.uint8))
        assert (features.shape, features.dtype) == ((len(chosen), 128, 8, 12), np.float16)
        for k in (0, -1):
            seen = ready.network.features(pictures[chosen[k]]).astype(np.float16)
            np.testing.assert_array_equal(features[k], seen)
            np.testing.assert_array_equal(answers[k], person(ready.network.factor, seen))
    assert told(ready) == [PhaseProgress("", k, 18) for k in range(1, 19)]


def test_without_the_bundled_people_nothing_is_learned(ready, monkeypatch) -> None:
    def gone(_folder: Path) -> BundledPeople:
        raise PeopleError("people.jpg is damaged")

    monkeypatch.setattr(replay, "read_regression", gone)
    with pytest.raises(Refusal, match=r"^the bundled people: people.jpg is damaged. Install xfactor again$"):
        replay.run(ready)
