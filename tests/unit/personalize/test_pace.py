"""Pace: what a personalisation took is what the next one is said to take."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from personalize.client import pace
from personalize.messages import PhaseProgress
from personalize.phases import PHASES, USUAL_FRAMES, fraction, step, usual_s, words
from runtime.system import paths


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "user_data_dir", lambda: tmp_path)
    return tmp_path


def run(learning: pace.LearningPace, monkeypatch, seconds: float, **different: object) -> None:
    task = SimpleNamespace(**{"span": (10, 310), "started": 1, "stopping_early": False, **different})
    now = [100.0]
    monkeypatch.setattr(pace.time, "monotonic", lambda: now[0])
    learning.begin(task)
    now[0] += seconds
    learning.end(task)


def test_it_is_kept_for_the_next_run(home, monkeypatch) -> None:
    learning = pace.LearningPace()
    assert learning.value == 0
    run(learning, monkeypatch, 3 * usual_s(301))
    assert learning.value == pytest.approx(3)
    assert pace.LearningPace().value == pytest.approx(3, abs=1e-3)


@pytest.mark.parametrize("different", [{"started": 2}, {"stopping_early": True}, {"span": None}])
def test_what_was_not_whole_says_nothing(home, monkeypatch, different) -> None:
    learning = pace.LearningPace()
    run(learning, monkeypatch, 50, **different)
    assert learning.value == 0


@pytest.mark.parametrize(
    ("text", "value"), [("nan?", 0), ("nan", 0), ("-1", 0), ("100.1", 0), ("0.5", 0.5), ("100", 100)]
)
def test_a_damaged_file_is_as_none(home, text: str, value: float) -> None:
    (home / "learning-pace").write_text(text)
    assert pace.LearningPace().value == value


@pytest.mark.parametrize(("seconds", "kept"), [(1e9, "100.0000"), (1e-9, "0.0100")])
def test_what_cannot_be_is_not_kept(home, monkeypatch, seconds: float, kept: str) -> None:
    run(pace.LearningPace(), monkeypatch, seconds)
    assert (home / "learning-pace").read_text() == kept


def test_another_task_than_the_one_that_began_says_nothing(home, monkeypatch) -> None:
    learning, first = pace.LearningPace(), SimpleNamespace(span=(0, 9), started=1, stopping_early=False)
    learning.begin(SimpleNamespace(**vars(first)))
    learning.end(first)
    assert learning.value == 0
    learning.begin(first)
    learning.end(first)
    assert learning.value > 0


def test_twice_the_frames_take_less_than_twice_the_time() -> None:
    usual = sum(p.usual_s for p in PHASES.values())
    assert usual_s(USUAL_FRAMES) == pytest.approx(usual)
    assert usual < usual_s(2 * USUAL_FRAMES) < 2 * usual
    assert usual_s(0) == pytest.approx(0.8 + 15 + 0.2 + 0.9), "what does not depend on the clip"
    assert usual_s(602) - usual_s(301) == pytest.approx(2 + 9.5 + 6.6 + 2.3 + 5)


@pytest.mark.parametrize(
    ("progress", "seconds", "at"),
    [
        (None, 0, ("Starting", "")),
        (PhaseProgress("reading", 0, 9), 0, ("Reading the frames", "step 1 of 9")),
        (PhaseProgress("seeds", 3, 4), 2 + 9.5 * 3 / 4, ("Finding what is the person", "step 2 of 9")),
        (PhaseProgress("seeds", 5, 4), 2 + 9.5, ("Finding what is the person", "step 2 of 9")),
        (PhaseProgress("seeds", -1, 4), 2, ("Finding what is the person", "step 2 of 9")),
        (PhaseProgress("seeds", 1, 0), 2, ("Finding what is the person", "step 2 of 9")),
        (PhaseProgress("seeds", 1, 1), 2 + 9.5, ("Finding what is the person", "step 2 of 9")),
        (PhaseProgress("checking", 2, 2), 42.3, ("Checking: is it really better?", "step 9 of 9")),
        (PhaseProgress("a newer phase" * 9, 1, 2), 0, (("a newer phase" * 9)[:60], "")),
    ],
)
def test_a_phase_is_shown_by_its_words_its_place_and_its_share_of_the_usual_seconds(progress, seconds, at):
    assert fraction(progress) == pytest.approx(seconds / 42.3)
    assert (words(progress), step(progress)) == at
