"""The chosen person among coloured regions of P(person), followed without any network."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from models.labels import COCO17
from models.results import PersonResult, Pose
from personalize.chosen_person import NOBODY, OTHER, OWN, PeopleInFrame
from personalize.job import Correction, PersonChoice
from personalize.messages import WorkerNotice
from personalize.worker import person
from personalize.worker.context import Context
from runtime.frames import Frame
from runtime.system.errors import Refusal
from tests.personalising import context_of, job_for, told

RED, BLUE = (200, 30, 30), (20, 40, 210)
INSTANCES = person._instances
Place = tuple[int, tuple[int, int, int]]  #: first of two columns of 8 cells; colour


@pytest.fixture
def people(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Call with who stands where in each frame, from frame 100: the context, and P(person) on 8 x 8 cells,
    8 x 5 of which are the picture. At the working size a cell is 10 px; in the clip 40.
    """
    every: list[Context] = []
    monkeypatch.setattr(person, "_instances", lambda *_: [])

    def make(*frames: list[Place], **changes) -> tuple[Context, np.ndarray]:
        job = job_for(tmp_path / "clip.mp4", **changes)
        context = context_of(job, tmp_path, (320, 200), reading={"first": 100, "frames": len(frames)})
        persons, small = np.zeros((len(frames), 8, 8), np.float32), np.full((len(frames), 50, 80, 3), 99)
        persons[:, 5:] = 1  # padding, which shows nobody
        for k, places in enumerate(frames):
            for column, colour in places:
                persons[k, :5, column : column + 2] = 1
                small[k, :, 10 * column : 10 * column + 20] = colour
        context.results.keep("small", small.astype(np.uint8))
        every.append(context)
        return context, persons

    yield make
    for context in every:
        context.reporter.close()


def box(column: int) -> np.ndarray:
    """The region of who stands at this column."""
    mask = np.zeros((50, 80), bool)
    mask[:, 10 * column : 10 * column + 20] = True
    return mask


def test_regions_keep_their_numbers_while_they_overlap(people) -> None:
    places = [(0, 4), (1, 5), (6,), (1, 6), (3, 6), ()]
    context, persons = people(*([(c, RED) for c in columns] for columns in places))
    found = person._regions(context, persons)
    assert [at.frame for at in found] == [0, 1, 2, 3, 4, 5]
    numbers = [{1: 0, 2: 4}, {1: 1, 2: 5}, {2: 6}, {3: 1, 2: 6}, {4: 3, 2: 6}, {}]
    for at, expected in zip(found, numbers, strict=True):
        assert at.seen.keys() == at.masks.keys() == expected.keys()
        for number, column in expected.items():
            np.testing.assert_array_equal(at.masks[number], box(column))
            np.testing.assert_array_equal(at.seen[number].colours, [RED] * 3)


def test_the_person_at_a_point_is_followed_and_others_are_background(people) -> None:
    context, persons = people(
        [(0, RED), (4, BLUE)], [(1, RED), (5, BLUE)], [], person=PersonChoice((100.0, 100.0), 101)
    )
    whose, facts = person.follow_chosen(context, persons)
    words = "at 78,98 in frame 101, found by its connected region"
    assert facts == {"words": words, "frame": 101, "seen": 2, "searched": 3, "others": 1}
    for k, column in enumerate((0, 1)):
        assert (whose[k][box(column)] == OWN).all()
        assert (whose[k][box(column + 4)] == OTHER).all()
    assert whose[2, 0, 79] == NOBODY
    assert [e.text for e in told(context) if isinstance(e, WorkerNotice)] == [
        f"The person {words}, is learned alone: surely seen in 2 of 3 frames searched;"
        " 1 others count as background."
    ]


def test_someone_in_the_same_colours_is_told_of_and_no_background(people) -> None:
    context, persons = people([(0, RED), (4, RED)], [(0, RED), (5, RED)], person=PersonChoice())
    whose, facts = person.follow_chosen(context, persons)
    words = "the largest who moves, at 238,98 in frame 101, found by its connected region"
    assert facts == {"words": words, "frame": 101, "seen": 2, "searched": 2, "others": 0}
    assert not (whose == OTHER).any()
    first, second = [e.text for e in told(context) if isinstance(e, WorkerNotice)]
    assert first == (
        "Somebody beside the chosen person looks the same (a mirror image, or dressed alike): a factor"
        " cannot tell the two apart, and that one is left as it was."
    )
    assert second.endswith("surely seen in 2 of 2 frames searched; 0 others count as background.")


@pytest.mark.parametrize(
    ("places", "choice", "refused"),
    [
        ([(0, RED), (4, BLUE)], PersonChoice((310, 9.5), 100),
         "point 310,9.5 of frame 100: nobody is found there. Choose somebody who is: at 38,98; 198,98"),
        ([], PersonChoice((310, 10), 100),
         "point 310,10 of frame 100: nobody is found there. Choose another frame"),
        ([], PersonChoice(),
         "the chosen range: no person is found in it. Choose one with a person in sight"),
    ],
)  # fmt: skip
def test_nobody_is_refused_unless_they_are_drawn(people, places, choice, refused: str) -> None:
    context, persons = people(places, [(4, RED)] * bool(places), person=choice)
    with pytest.raises(Refusal) as said:
        person.follow_chosen(context, persons)
    assert str(said.value) == refused
    strokes = [Correction(100, ((9.0, 9.0),), 3.0, person=kind) for kind in (False, True)]
    context.job = replace(context.job, strokes=(strokes[0],))
    with pytest.raises(Refusal):
        person.follow_chosen(context, persons)
    context.job = replace(context.job, strokes=tuple(strokes))
    whose, facts = person.follow_chosen(context, persons)
    assert (whose.shape, whose.dtype, whose.any()) == ((2, 50, 80), np.uint8, False)
    assert facts == {"words": "drawn with the brush"}
    assert [e for e in told(context) if isinstance(e, WorkerNotice)] == []


def test_people_found_by_a_network_come_first_and_are_those_who_are_named(people, monkeypatch) -> None:
    context, persons = people([(0, RED)], [(0, RED)], person=PersonChoice((300, 100), 101))
    blue = person._region(np.full((50, 80, 3), BLUE, np.uint8), box(4))
    masks = {7: np.zeros((50, 80), bool), 9: box(4)}
    masks[7][4, 4] = masks[7][4, 5] = True
    at = PeopleInFrame(1, {7: blue, 9: blue}, masks)
    monkeypatch.setattr(person, "_instances", lambda *_: [at])
    with pytest.raises(Refusal, match=r"point 300,100 of frame 101: .* who is: at 18,18; 198,98$"):
        person.follow_chosen(context, persons)
    context.job = replace(context.job, person=PersonChoice((190, 100), 101))
    assert person.follow_chosen(context, persons)[1]["words"] == "at 198,98 in frame 101, found by instances"
    context.job = replace(context.job, person=PersonChoice((190, 100), 100))  # searched in 101 alone
    with pytest.raises(Refusal, match=r"of frame 100: nobody is found there. Choose another frame$"):
        person.follow_chosen(context, persons)


def test_what_a_choice_depends_on(people) -> None:
    context, persons = people([])
    assert person.needs(context) == []
    assert person.follow_chosen(context, persons) == (None, {})
    context.job = replace(context.job, person=PersonChoice((3, 4), 101), around=101)
    assert person.needs(context) == [{"at": (3, 4), "frame": 101}, True, 101]


@pytest.mark.parametrize(
    ("choice", "around", "index"),
    [
        (PersonChoice(), 103, 0),
        (PersonChoice((1, 1), 103), 101, 3),
        (PersonChoice((1, 1)), None, 2),
        (PersonChoice((1, 1)), 101, 1),
        (PersonChoice((1, 1)), 99, 0),
        (PersonChoice((1, 1)), 105, 4),
    ],
)
def test_a_point_without_a_frame_is_meant_for_the_middle(people, choice, around, index) -> None:
    context, _ = people([], [], [], [], [], person=choice, around=around)
    assert person._frame(context) == index


def test_the_area_before_is_that_of_the_factor_without_the_others(people) -> None:
    context, persons = people([(0, RED), (4, BLUE)], [(1, RED)], [(0, RED), (4, BLUE)])
    context.facts["links"] = {"span": [1, 3]}
    whose = np.full((3, 50, 80), OWN, np.uint8)
    whose[:, :, 40:] = OTHER
    whose[:2, :, 15:] = OTHER
    context.results.keep("whose", whose)
    context.results.keep("person", persons)
    assert person.area_alone(context, [0]) == 50 * 5 / 4000
    assert person.area_alone(context, [0, 1]) == pytest.approx((50 * 5 + 50 * 20) / 2 / 4000)


def someone(column: int, *, number: int | None = None, score: float = 0.9, shape=(5, 8)) -> PersonResult:
    """With a mask of two cells from a column on; none before the first."""
    mask = np.zeros(shape, np.uint8)
    mask[:, max(column, 0) : column + 2] = 1
    pose = Pose(COCO17, np.full((17, 2), 5, np.float32), np.ones(17, np.float32))
    return PersonResult((0, 0, 9, 9), score, pose, mask, number)


def test_people_of_a_frame_are_those_with_a_number_and_a_mask(people) -> None:
    context, _ = people([])
    frame = Frame(np.zeros((40, 64, 3), np.uint8), 0, 0.0, 0.0)
    seen = (someone(0, number=7), someone(-2, number=8), someone(4), someone(6, number=9, shape=(50, 80)))
    for unnumbered in (False, True):
        at = person._in_frame(context, 3, frame, seen, unnumbered=unnumbered)
        assert (at.frame, list(at.seen), list(at.masks)) == (3, [7, 9], [7, 9])
        np.testing.assert_array_equal(at.masks[7], box(0))
        assert (at.masks[9].shape, at.masks[9].sum()) == ((50, 80), 100)
    untracked = (someone(-2), someone(4))
    assert person._in_frame(context, 3, frame, untracked, unnumbered=False).seen == {}
    at = person._in_frame(context, 3, frame, untracked, unnumbered=True)
    assert at.seen.keys() == {-2}
    np.testing.assert_array_equal(at.masks[-2], box(4))


@pytest.mark.parametrize(
    ("method", "separates", "tracked", "searched"),
    [
        ("tree", True, True, [2, 6, 10]),
        ("tree", False, True, [2, 6, 10]),
        ("none", True, True, [*range(12)]),
        ("tree", True, False, [2, 6, 10]),
    ],
)
def test_every_fourth_frame_is_searched_from_the_chosen_one_both_ways(
    people, monkeypatch, method, separates, tracked, searched
) -> None:
    """By the model in use where it tells people apart; numbers come from a tracker."""
    context, _ = people(*12 * [[]], method=method)
    context.results.keep("canvas", np.stack([np.full((64, 64, 3), k, np.uint8) for k in range(12)]))
    asked, loaded = [], []

    def parse(frame: Frame) -> object:
        assert frame.image.shape == (40, 64, 3)
        assert (int(frame.image[0, 0, 0]), frame.pts_s) == (frame.index, pytest.approx(frame.index / 25))
        asked.append(frame.index)
        return (someone(0, number=5 if tracked else None),)

    class Numbers:
        def track(self, _frame: Frame, found: object) -> object:
            return SimpleNamespace(people=found)

    def load(model: object, **_how: object) -> object:
        loaded.append(model)
        return SimpleNamespace(parse=parse)

    monkeypatch.setattr(person, "load_engine", load)
    monkeypatch.setattr(person, "separates_people", lambda _: separates)
    monkeypatch.setattr(person, "Tracker", Numbers)
    found = INSTANCES(context, 6)
    assert loaded == [context.job.model, *([] if separates else [person.NETWORK])]
    assert asked == [at.frame for at in found] == searched
    numbers = [[5]] * len(searched) if tracked else [[-1] if k == 6 else [] for k in searched]
    assert [list(at.seen) for at in found] == numbers


def test_where_nobody_is_told_apart_silhouettes_are(people, monkeypatch) -> None:
    context, _ = people([])

    def gone(*_args: object, **_how: object) -> object:
        raise Refusal("model people", "it is not installed", "Install it")

    monkeypatch.setattr(person, "load_engine", gone)
    assert INSTANCES(context, 0) == []
    assert [e.text for e in told(context) if isinstance(e, WorkerNotice)] == [
        "People are told apart by their silhouettes alone: model people: it is not installed. Install it."
    ]
