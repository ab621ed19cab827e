"""The chosen one of two rendered people, found and followed by the shipped networks."""

from __future__ import annotations

import io
import json

import numpy as np
import pytest

from models.labels import COCO17
from models.results import PersonResult, Pose
from personalize.chosen_person import OTHER, OWN, PeopleInFrame
from personalize.job import Correction, PersonChoice
from personalize.worker import frames, person, seeds
from personalize.worker.context import BaseNetwork, Context
from personalize.worker.reporter import Orders, Reporter
from personalize.worker.results import Results
from runtime.frames import Frame
from runtime.system.errors import Refusal
from tests.person_clip import person_frames, write_clip
from tests.personalising import job_for

pytestmark = [pytest.mark.slow, pytest.mark.onnx]
HALF = (192, 108)


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    """The person of the sample clip, and beside them another one: mirrored, and in the opposite colours."""
    one = person_frames(9, HALF)
    two = [np.ascontiguousarray(255 - f[:, ::-1]) for f in one]
    pictures = [np.hstack(pair) for pair in zip(one, two, strict=True)]
    return write_clip(tmp_path_factory.mktemp("two") / "two.mp4", pictures)


@pytest.fixture
def found(clip, tmp_path):
    """Call with the changes of a job: its context after reading and seeds, and what was told."""

    def find(**changes):
        told = io.StringIO()
        reporter = Reporter(tmp_path, told, Orders(None), 1e4)
        job = job_for(clip, **changes)
        context = Context(tmp_path, job, BaseNetwork.of(job), Results(tmp_path), reporter)
        try:
            context.facts["reading"] = frames.run(context)
            context.facts["seeds"] = seeds.run(context)
        finally:
            reporter.close()
        return context, " ".join(json.loads(line).get("text", "") for line in told.getvalue().splitlines())

    return find


def middle(whose, value):
    """Mean x of the pixels of a kind in all frames, as a share of the width."""
    return float(np.nonzero(whose == value)[2].mean() / whose.shape[2])


def test_without_a_choice_everybody_is_learned(found):
    context, told = found()
    likely = context.results.array("unaries") > 0.5
    assert likely[:, :, :128].any()
    assert context.facts["seeds"]["person"] == {}
    assert "alone" not in told
    assert not (context.results.folder / "whose.npy").exists()


@pytest.mark.parametrize("by", ["instances", "its connected region"])
def test_seeds_come_from_the_chosen_person_alone(found, monkeypatch, by):
    if by != "instances":
        monkeypatch.setattr(person, "NETWORK", "not-installed")
    context, told = found(person=PersonChoice((139, 64), 4))
    chosen, whose = context.facts["seeds"]["person"], context.results.array("whose")
    assert f"found by {by}" in chosen["words"]
    assert "in frame 4" in chosen["words"]
    assert "is learned alone" in told
    assert middle(whose, OWN) < 0.5
    likely = context.results.array("unaries") > 0.5
    assert likely[:, :, :128].any()
    assert not likely[:, :, 128:].any()


def test_the_other_one_is_sure_background_in_all_frames(found):
    context, _ = found(person=PersonChoice((139, 64), 4))
    whose = context.results.array("whose")
    assert middle(whose, OTHER) > 0.5
    assert ((whose == OTHER).sum(axis=(1, 2)) > 100).all()
    assert (context.results.array("unaries")[whose == OTHER] < 0.02).all()


def test_auto_takes_one_of_them(found):
    context, _ = found(person=PersonChoice())
    assert context.facts["seeds"]["person"]["words"].startswith("the largest who moves, at ")
    assert abs(middle(context.results.array("whose"), OWN) - 0.5) > 0.1


def test_a_click_on_nobody_names_the_people_it_could_mean(found):
    with pytest.raises(
        Refusal, match=r"point 5,5 of frame 4: nobody is found there\. Choose somebody who is: at \d"
    ) as refused:
        found(person=PersonChoice((5, 5), 4))
    x, y = refused.value.remedy.rsplit(" at ", 1)[1].split(";")[0].split(",")
    found(person=PersonChoice((float(x), float(y)), 4))  # and there somebody is


def test_of_many_people_some_are_named_and_the_rest_counted(found):
    context, _ = found(person=PersonChoice((139, 64), 4))
    masks = {n: np.eye(72, 256, 5 * n) > 0 for n in range(1, person.LISTED + 4)}
    with pytest.raises(Refusal, match=r"Choose somebody who is: at (\d+,\d+; ){7}\d+,\d+ and 3 more"):
        person._refuse(context, [PeopleInFrame(4, {}, masks)], 4)


def test_noise_is_not_among_the_people_of_a_frame(found):
    context, _ = found(person=PersonChoice((139, 64), 4))
    mask = np.ones((20, 20), np.uint8)
    pose = Pose(COCO17, np.full((17, 2), 5, np.float32), np.ones(17, np.float32))
    people = tuple(PersonResult((0, 0, 9, 9), score, pose, mask) for score in (0.8, 0.1))
    picture = Frame(person._picture(context, 4), 4, 0.0, 0.0)
    assert len(person._in_frame(context, 4, picture, people[:1], unnumbered=True).seen) == 1
    assert len(person._in_frame(context, 4, picture, people, unnumbered=True).seen) == 1


def test_a_click_on_nobody_counts_when_the_brush_says_who_it_is(found):
    stroke = Correction(4, ((139.0, 64.0),), 8.0, person=True)
    context, _ = found(person=PersonChoice((5, 5), 4), strokes=(stroke,))
    assert context.facts["seeds"]["person"] == {"words": "drawn with the brush"}
    assert not (context.results.array("unaries") > 0.5).any()


@pytest.mark.parametrize(
    ("choice", "words"),
    [
        (PersonChoice((139, 64), 99), "frame 99: frames 0 to 8 are learned from, and it is none of them"),
        (
            PersonChoice((384, 60), 4),
            "point 384,60: the picture has 384x108 pixels. Give a point from 0,0 to 383,107",
        ),
    ],
)
def test_a_frame_or_point_that_is_not_there(found, choice, words):
    with pytest.raises(Refusal) as refused:
        found(person=choice)
    assert words in str(refused.value)
