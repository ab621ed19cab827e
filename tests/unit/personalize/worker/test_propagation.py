"""From seeds and strokes to P(person) of every frame in use, and from there to codes; without a network."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from personalize.chosen_person import BESIDE, NOBODY, OTHER, OWN
from personalize.correspondence import Correspondence
from personalize.job import Correction, PersonChoice
from personalize.messages import FrameSilhouette, PhaseProgress, WorkerNotice
from personalize.propagation import PropagationConfig, propagate, with_stroke
from personalize.worker import cuts, propagation, reporter
from personalize.worker.context import Context
from personalize.worker.propagation import probability_preview, stroke_mask
from runtime.system.errors import Refusal
from tests.personalising import context_of, job_for, told

SIZE = (64, 40)  #: of the pictures; 8 x 5 cells of a grid of 8 x 8
SMALL = (5, 8)
EVERY = [(1, 3), (2, 3), (3, 3)]  #: progress
LEFT = np.tile(np.arange(8) < 4, (5, 1))


def stroke(frame: int, x: float, *, person: bool) -> Correction:
    """A dot of three cells by three, in the third row."""
    return Correction(frame, ((8 * x + 3.5, 19.5),), 9.0, person)


def dot(x: int) -> np.ndarray:
    mask = np.zeros(SMALL, bool)
    mask[1:4, x], mask[2, x - 1 : x + 2] = True, True
    return mask


@pytest.fixture
def clip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Call with the changes of a job: of frames 10 to 14 those from 11 to 13 are in use."""
    every: list[Context] = []
    monkeypatch.setattr(reporter, "PAUSE_S", 0.0)

    def context(**changes) -> Context:
        job = job_for(tmp_path / "clip.mp4", **changes)
        reading = {"first": 10, "frames": 5, "studied": [0, 2, 4]}
        made = context_of(job, tmp_path, SIZE, reading=reading, seeds={"nobody": ""}, links={"span": [1, 4]})
        chance = np.random.default_rng(0)
        made.results.keep("small", chance.integers(0, 255, (5, *SMALL, 3)).astype(np.uint8))
        made.results.keep("person", chance.random((5, 8, 8)).astype(np.float32))
        made.results.keep("unaries", chance.uniform(0.01, 0.99, (5, *SMALL)).astype(np.float32))
        made.results.keep("earlier", np.tile(np.arange(40, dtype=np.int32), (2, 1)))
        made.results.keep("later", np.tile(np.arange(40, dtype=np.int32)[::-1], (2, 1)))
        every.append(made)
        return made

    yield context
    for made in every:
        made.reporter.close()


def pictures(context: Context) -> dict[int, np.ndarray]:
    """Silhouettes that were shown."""
    folder = context.folder / "silhouettes"
    return {int(p.stem): cv2.imread(str(p), cv2.IMREAD_UNCHANGED) for p in folder.iterdir()}


def test_seeds_are_propagated_between_the_frames_in_use(clip) -> None:
    context = clip()
    assert propagation.needs(context) == ["tree", []]
    assert propagation.run(context) == {}
    links = Correspondence(SMALL, [np.arange(40)] * 2, [np.arange(40)[::-1]] * 2)
    unaries, small = (context.results.array(name)[1:4] for name in ("unaries", "small"))
    expected = propagate(links, list(unaries), PropagationConfig(0.9, 2.0), frames=list(small))
    carried = context.results.array("carried")
    np.testing.assert_array_equal(carried, expected)
    shown = pictures(context)
    assert sorted(shown) == [11, 12, 13]
    for k, person in enumerate(carried):
        np.testing.assert_array_equal(shown[11 + k], probability_preview(person))
    events = told(context)
    assert [e.frame for e in events if isinstance(e, FrameSilhouette)] == [13, 12, 11]
    assert [(e.done, e.total) for e in events if isinstance(e, PhaseProgress)] == EVERY


def test_a_stroke_on_a_frame_in_use_is_propagated_and_another_is_told_of(clip) -> None:
    strokes = (stroke(10, 2, person=True), stroke(12, 4, person=True), stroke(14, 2, person=False))
    context = clip(strokes=strokes)
    (method, said) = propagation.needs(context)
    assert (method, [s["frame"] for s in said]) == ("tree", [10, 12, 14])
    propagation.run(context)
    links = Correspondence(SMALL, [np.arange(40)] * 2, [np.arange(40)[::-1]] * 2)
    unaries, small = (context.results.array(name)[1:4] for name in ("unaries", "small"))
    seeds = with_stroke(links, list(unaries), 1, dot(4), person=True)
    expected = propagate(links, seeds, PropagationConfig(0.9, 2.0), frames=list(small))
    np.testing.assert_array_equal(context.results.array("carried"), expected)
    words = "What was drawn on frame {} is outside the frames in use."
    assert [e.text for e in told(context) if isinstance(e, WorkerNotice)] == [
        words.format(10),
        words.format(14),
    ]


def test_seeds_of_nobody_are_refused_unless_someone_is_drawn(clip) -> None:
    context = clip()
    context.results.keep("unaries", np.full((5, *SMALL), 0.5, np.float32))
    with pytest.raises(Refusal) as refused:
        propagation.run(context)
    assert str(refused.value) == (
        "the shot in use: nothing in it is surely the person. Choose a range in which it is in sight"
    )
    context.job = job_for(Path("clip.mp4"), strokes=(stroke(12, 4, person=False),))
    with pytest.raises(Refusal):
        propagation.run(context)
    context.facts["seeds"]["nobody"] = "No person is found. Choose another range."
    with pytest.raises(Refusal) as refused:
        propagation.run(context)
    assert str(refused.value) == "the chosen range: no person is found. Choose another range"
    context.job = job_for(Path("clip.mp4"), strokes=(stroke(12, 4, person=True),))
    propagation.run(context)
    assert (context.results.array("carried")[1][dot(4)] > 0.9).all()


def test_without_propagation_every_frame_is_its_own_but_for_strokes(clip) -> None:
    strokes = (stroke(11, 2, person=True), stroke(13, 5, person=False), stroke(10, 2, person=True))
    context = clip(method="graphcut", strokes=strokes)
    propagation.run(context)
    expected = np.array(context.results.array("person")[1:4, :5])
    expected[0][dot(2)], expected[2][dot(5)] = 1 - 1e-4, 1e-4
    carried = context.results.array("carried")
    np.testing.assert_array_equal(carried, expected)
    np.testing.assert_array_equal(pictures(context)[12], probability_preview(carried[1]))
    events = told(context)
    assert [e.frame for e in events if isinstance(e, FrameSilhouette)] == [11, 12, 13]
    assert [(e.done, e.total) for e in events if isinstance(e, PhaseProgress)] == EVERY
    assert "frame 10 is outside" in next(e.text for e in events if isinstance(e, WorkerNotice))


def test_without_propagation_others_than_the_chosen_person_are_background(clip) -> None:
    context = clip(method="none", person=PersonChoice())
    whose = np.full((5, *SMALL), OWN, np.uint8)
    whose[:, 0], whose[:, 1], whose[:, 2] = OTHER, NOBODY, BESIDE
    context.results.keep("whose", whose)
    propagation.run(context)
    expected = np.array(context.results.array("person")[1:4, :5])
    expected[:, 0] = 1e-4
    expected[:, 1] = np.minimum(expected[:, 1], 0.5)
    unsure = (expected[:, 2] > 0.5) & (expected[:, 2] < 0.8)
    expected[:, 2][unsure] = 0.5
    np.testing.assert_array_equal(context.results.array("carried"), expected)


@pytest.mark.parametrize(
    ("displayed", "points", "radius", "middles", "reach"),
    [
        ((40, 20), [(12, 9)], 4.0, [(12, 9)], 4.0),
        ((80, 40), [(24.5, 18.5)], 9.0, [(12, 9)], 4.5),
        ((80, 20), [(24.5, 9)], 4.0, [(12, 9)], 3.0),  # the mean of both scales
        ((40, 20), [(12, 9), (20, 9)], 3.0, [(x, 9) for x in range(12, 21)], 3.0),
        ((40, 20), [(12, 9), (12, 15), (20, 15)], 0.1, [*((12, y) for y in range(9, 16)), (20, 15)], 1.0),
        ((40, 20), [(12, 9), (1e9, 9)], 2.0, [(x, 9) for x in range(12, 40)], 2.0),
        ((40, 20), [(12, 9), (-1e9, 9)], 2.0, [(x, 9) for x in range(13)], 2.0),
        ((40, 20), [(-12, 9)], 4.0, [(-12, 9)], 4.0),
    ],
)
def test_a_stroke_is_what_the_brush_went_over(displayed, points, radius, middles, reach) -> None:
    drawn = Correction(0, tuple(points), radius, person=True)
    mask = stroke_mask(drawn, displayed, (20, 40))
    v, u = np.mgrid[:20, :40]
    away = np.min([np.hypot(u - x, v - y) for x, y in middles], axis=0)
    assert mask[away <= reach - 0.5].all()
    inside = (u >= 12) | (len(points) == 1) | (points[-1][0] < 0)
    assert not mask[(away > reach + 0.8) & ((v != 15) | inside)][: 40 * 9].any()
    assert mask.dtype == np.bool_


def test_a_preview_shows_what_is_nearly_sure() -> None:
    person = np.array([[0, 0.19, 0.2, 0.5, 0.8, 0.81, 1]], np.float32)
    assert probability_preview(person).tolist() == [[0, 0, 128, 128, 128, 255, 255]]


@pytest.fixture
def carried(clip):
    """Call with the changes of a job: P(person) was propagated, the left half is the person."""

    def context(**changes) -> Context:
        made = clip(**changes)
        person = np.where(LEFT, 0.9, 0.1).astype(np.float32)
        person[0, 0], person[0, 7] = 0.75, 0.3
        made.results.keep("carried", np.stack([person] * 3))
        return made

    return context


def run_cuts(context: Context) -> tuple[np.ndarray, list[str]]:
    cuts.run(context)
    codes = np.asarray(context.results.array("codes"))
    for k, shown in pictures(context).items():
        expected = np.select([codes[k - 11] == 1, codes[k - 11] == 0], [255, 0], 128)
        np.testing.assert_array_equal(shown, expected)
    events = told(context)
    assert [(e.done, e.total) for e in events if isinstance(e, PhaseProgress)] == EVERY
    assert [e.frame for e in events if isinstance(e, FrameSilhouette)] == [11, 12, 13]
    return codes, [e.text for e in events if isinstance(e, WorkerNotice)]


def test_codes_are_what_is_nearly_sure_and_what_was_drawn(carried) -> None:
    strokes = (stroke(12, 6, person=True), stroke(13, 2, person=False), stroke(14, 2, person=False))
    context = carried(method="none", strokes=strokes)
    assert cuts.needs(context) == ["none"]
    codes, notices = run_cuts(context)
    expected = np.stack([LEFT.astype(np.uint8)] * 3)
    expected[:, 0, [0, 7]] = 255
    expected[1][dot(6)], expected[2][dot(2)] = 1, 0
    np.testing.assert_array_equal(codes, expected)
    assert notices == []


@pytest.mark.parametrize("method", ["tree", "graphcut"])
def test_frames_too_small_to_be_cut_are_counted_and_others_than_the_person_are_background(
    carried, method
) -> None:
    context = carried(method=method, person=PersonChoice())
    whose = np.full((5, *SMALL), OWN, np.uint8)
    whose[:, 3], whose[:, 4] = OTHER, NOBODY
    context.results.keep("whose", whose)
    codes, notices = run_cuts(context)
    expected = np.stack([LEFT.astype(np.uint8)] * 3)
    expected[:, 3] = 0
    if method != "tree":
        expected[:, 4, :4] = 255
    np.testing.assert_array_equal(codes, expected)
    assert notices == ["3 of 3 frames could not be cut along the picture's edges."]


@pytest.mark.parametrize(("most", "cut"), [(3, [0, 1, 2]), (2, [1])])
def test_of_many_frames_only_those_that_teach_are_cut(carried, monkeypatch, most, cut) -> None:
    """Of frames 11 to 13 only 12 was looked at several times."""
    monkeypatch.setattr(cuts, "MOST_STUDIED", most)
    context = carried(method="graphcut")
    codes, notices = run_cuts(context)
    assert [k for k in range(3) if codes[k, 0, 0] == 1] == cut
    assert notices == [f"{len(cut)} of 3 frames could not be cut along the picture's edges."]
