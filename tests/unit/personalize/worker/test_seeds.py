"""Features and seeds of frames, by the shipped network on tiny pictures."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from personalize.chosen_person import OTHER, alone
from personalize.job import Correction, PersonChoice
from personalize.messages import PhaseProgress
from personalize.seeds import evidence
from personalize.worker import person as chosen
from personalize.worker import reporter, seeds
from personalize.worker.augmentation import AveragedViews
from personalize.worker.context import Context, person
from runtime.system.errors import Refusal
from tests.person_clip import person_frames
from tests.personalising import context_of, job_for, small_network, told

pytestmark = pytest.mark.onnx
SIZE = (64, 40)


@pytest.fixture
def read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Call with pictures: a context after reading, of which the first and third were read larger as well."""
    every: list[Context] = []
    monkeypatch.setattr(reporter, "PAUSE_S", 0.0)
    monkeypatch.setattr(chosen, "_instances", lambda *_: [])

    def context(pictures: list[np.ndarray]) -> Context:
        reading = {"first": 5, "frames": len(pictures), "studied": [0, 2]}
        made = context_of(job_for(tmp_path / "clip.mp4"), tmp_path, SIZE, reading=reading)
        network = made.network = small_network()
        larger = network.letterbox(SIZE, 1.2)
        made.results.keep("small", np.stack(pictures))
        made.results.keep("canvas", np.stack([network.letterbox(SIZE).apply(p)[0] for p in pictures]))
        made.results.keep("large", np.stack([larger.apply(p)[0] for p in pictures[::2]]))
        every.append(made)
        return made

    yield context
    for made in every:
        made.reporter.close()


def test_seeds_are_what_several_views_of_some_frames_say(read) -> None:
    context = read(person_frames(4, SIZE))
    network, canvas = context.network, context.results.array("canvas")
    assert seeds.run(context) == {"nobody": "", "person": {}}
    averaged, maps = AveragedViews(network, SIZE), []
    for k, picture in enumerate(context.results.array("small")):
        seen = network.features(canvas[k])
        np.testing.assert_array_equal(context.results.array("features")[k], seen.astype(np.float16))
        upright = person(network.factor, seen)
        np.testing.assert_array_equal(context.results.array("person")[k], upright)
        large = context.results.array("large")[k // 2]
        cells = averaged.person((large, canvas[k]), upright) if k in {0, 2} else upright[:5]
        maps.append(averaged.along_edges(cells, canvas[k], np.asarray(picture)))
    unaries = context.results.array("unaries")
    np.testing.assert_array_equal(unaries, evidence(maps, SIZE))
    assert (unaries > 0.5).any()
    assert told(context) == [PhaseProgress("", k, 4) for k in range(1, 5)]
    assert seeds.needs(context) == [network.trunk_sha256, network.factor.sha256]


def test_seeds_of_a_chosen_person_are_theirs_alone(read) -> None:
    pictures = [np.hstack([p[:, 16:48], 255 - p[:, 16:48]]) for p in person_frames(3, SIZE)]
    context = read(pictures)
    seeds.run(context)
    before = np.array(context.results.array("unaries"))
    assert not (context.results.folder / "whose.npy").exists()
    context.job = replace(context.job, person=PersonChoice())
    facts = seeds.run(context)
    assert facts["person"]["words"].startswith("the largest who moves, at ")
    assert seeds.needs(context)[2:] == [{"at": None, "frame": None}, True, None]
    whose = context.results.array("whose")
    np.testing.assert_array_equal(context.results.array("unaries"), alone(before, np.asarray(whose), 0.01))
    assert (whose != OTHER).any()


def test_without_anybody_nothing_is_known(read) -> None:
    context = read(3 * [np.zeros((40, 64, 3), np.uint8)])
    assert seeds.run(context) == {
        "nobody": "No person is found in this range. Choose a range in which the person is in sight.",
        "person": {},
    }
    assert (context.results.array("unaries") == np.full((3, 40, 64), 0.5, np.float32)).all()
    context.job = replace(context.job, person=PersonChoice((1, 1), 99))
    with pytest.raises(Refusal, match=r"^frame 99: "):
        seeds.run(context)


@pytest.mark.parametrize(
    ("why", "drawn", "refused"),
    [
        ("", [], ""),
        ("Nobody is there. Choose another.", [], "the chosen range: nobody is there. Choose another"),
        ("Nobody is there. Choose another.", [False], "the chosen range: nobody is there. Choose another"),
        ("Nobody is there. Choose another.", [False, True], ""),
    ],
)
def test_nobody_is_refused_unless_someone_is_drawn(read, why: str, drawn: list[bool], refused: str) -> None:
    context = read(3 * [np.zeros((40, 64, 3), np.uint8)])
    context.facts["seeds"] = {"nobody": why}
    strokes = tuple(Correction(0, ((1.0, 1.0),), 2.0, person=kind) for kind in drawn)
    context.job = replace(context.job, strokes=strokes)
    if not refused:
        seeds.refuse_nobody(context)
    else:
        with pytest.raises(Refusal) as said:
            seeds.refuse_nobody(context)
        assert str(said.value) == refused
