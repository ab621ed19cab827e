"""Instances: colours that stay, tints that mix, outlines that follow the mask, and who is at a point."""

from __future__ import annotations

from itertools import combinations

import cv2
import numpy as np
import pytest

from models.labels import COCO17, S31
from models.results import Parsing, PersonResult, Pose, Result
from runtime.output.instances import FINER, instances, outlines, parts_of, people_at, tinted
from runtime.output.overlay import painted
from runtime.output.palettes import NOBODYS, person_colour, person_numbers

SIZE = (160, 120)  # of the picture, px
GRID = (40, 30)  # of the masks


def somebody(
    left: int, right: int, *, score: float = 0.9, track: int | None = None, masked: bool = True
) -> PersonResult:
    """A person who fills columns of the grid from top to bottom."""
    mask = np.zeros(GRID[::-1], np.uint8)
    mask[:, left:right] = 1
    box = (4.0 * left, 0.0, 4.0 * (right - left), 120.0)
    return PersonResult(box, score, mask=mask if masked else None, track_id=track)


def lab(rgb: tuple[int, int, int]) -> np.ndarray:
    return cv2.cvtColor(np.float32([[rgb]]) / 255, cv2.COLOR_RGB2Lab)[0, 0]


@pytest.mark.parametrize(("colour_blind", "least"), [(False, 50.0), (True, 25.0)])
def test_the_first_eight_people_have_colours_far_apart(colour_blind: bool, least: float) -> None:
    colours = [person_colour(n, colour_blind=colour_blind) for n in range(1, 9)]
    for a, b in combinations(colours, 2):
        assert np.linalg.norm(lab(a) - lab(b)) > least


def test_colour_blind_people_can_tell_the_first_six_apart() -> None:
    """Seen by protanopes and deuteranopes (Viénot, Brettel, Mollon 1999)."""
    blind = (
        [[0.11238, 0.88762, 0], [0.11238, 0.88762, 0], [0.00401, -0.00401, 1]],
        [[0.29275, 0.70725, 0], [0.29275, 0.70725, 0], [-0.02234, 0.02234, 1]],
    )
    nearest = {}
    for safe in (False, True):
        rgb = np.array([person_colour(n, colour_blind=safe) for n in range(1, 7)]) / 255
        seen = [((rgb**2.2) @ np.array(m).T).clip(0, 1) ** (1 / 2.2) * 255 for m in blind]
        nearest[safe] = min(
            np.linalg.norm(lab(tuple(s[i])) - lab(tuple(s[j])))
            for s in seen
            for i, j in combinations(range(6), 2)
        )
    assert nearest[True] > 25 > nearest[False]


def test_a_colour_belongs_to_the_track_and_not_to_the_order() -> None:
    first, second = somebody(0, 10, track=7), somebody(20, 30, track=2)
    assert person_numbers((first, second)) == (7, 2)
    assert instances((first, second))[0].colour == instances((second, first))[1].colour == person_colour(7)
    assert person_numbers((somebody(0, 1), somebody(2, 3))) == (1, 2)
    assert person_numbers((first, somebody(2, 3))) == (7, 0), "a number of nobody else"
    assert person_colour(0) == NOBODYS
    assert person_numbers(()) == ()


def test_where_people_overlap_the_surer_one_prevails_and_the_picture_stays_seen() -> None:
    sure, unsure = somebody(0, 20, score=0.9), somebody(10, 30, score=0.3)
    tint = tinted(instances((sure, unsure)), 0.5)
    assert tint is not None
    both, first, second = (tint[45, FINER * x].astype(float) for x in (15, 5, 25))
    assert both[3] == first[3] == second[3] == 128, "no darker where two are"
    assert np.linalg.norm(both - first) < np.linalg.norm(both - second) / 3
    assert (tint[45, FINER * 35] == 0).all()
    assert (tint[45, FINER * 20 - 3 : FINER * 20 + 3, 3] > 200).any(), "an outline"
    assert tinted(instances((somebody(0, 5, masked=False),)), 0.5) is None
    assert tinted([], 0.5) is None


def test_doubles_and_chance_meetings_of_votes_are_not_shown() -> None:
    """A double of somebody has no number; in a single photo nobody has one, and the score decides."""
    first, double = somebody(0, 20, track=1), somebody(1, 21, score=0.4)
    assert [i.person for i in instances((first, double))] == [first]
    assert [i.number for i in instances((somebody(0, 20), somebody(1, 21, score=0.2)))] == [1]
    assert instances((somebody(0, 20, score=0.2),)) == []
    image = np.full((120, 160, 3), 90, np.uint8)
    alone, both = (painted(image, Result(people=p)) for p in ((first,), (first, double)))
    assert np.array_equal(alone, both)
    assert len(instances((somebody(0, 20, score=0.2, masked=False),))) == 1, (
        "one person, of a network of joints"
    )


def test_masks_of_different_sizes_are_tinted_together() -> None:
    wide = PersonResult((0, 0, 160, 120), 0.5, mask=np.ones((7, 9), np.uint8))
    tint = tinted(instances((somebody(0, 20), wide)), 0.5)
    assert tint is not None
    assert (tint[..., 3] > 0).all()


def test_an_outline_runs_along_the_mask_also_at_the_borders() -> None:
    mask = np.zeros(GRID[::-1], np.uint8)
    mask[8:24, 10:30] = 1
    (line,) = outlines(mask, SIZE)
    assert np.abs(line.min(axis=0) - (40, 32)).max() < 2, "half a cell is 2 px"
    assert np.abs(line.max(axis=0) - (120, 96)).max() < 2
    assert 265 < cv2.arcLength(line, closed=True) < 300
    (whole,) = outlines(np.ones(GRID[::-1], np.uint8), SIZE)
    assert whole.min() >= 0
    assert (whole.max(axis=0) <= SIZE).all()
    assert np.abs(whole.max(axis=0) - SIZE).max() < 2, "somebody fills the frame"
    assert outlines(np.zeros(GRID[::-1], np.uint8), SIZE) == []


def test_who_is_at_a_point() -> None:
    shown = instances((somebody(0, 20), somebody(10, 30), somebody(25, 40, masked=False)))
    assert people_at(shown, 8, 60, SIZE) == [1]
    assert people_at(shown, 60, 60, SIZE) == [1, 2], "the surest first"
    assert people_at(shown, 110, 60, SIZE) == [2], "a mask counts before a box"
    assert people_at(shown, 150, 60, SIZE) == [3]
    assert people_at(shown, -1, -1, SIZE) == []
    assert people_at(instances((somebody(0, 9, track=1), somebody(10, 19))), 50, 5, SIZE) == []


def test_parts_go_with_their_people() -> None:
    labels = np.full(GRID[::-1], 3, np.uint8)
    parsing = Parsing(S31, SIZE, labels, labels * 80, labels * 70)
    first, second = instances((somebody(0, 20), somebody(10, 30)))
    without = parts_of(parsing, [first], [second], alone=False)
    assert without.labels[0].tolist() == [3] * 20 + [0] * 10 + [3] * 10
    assert (without.person > 0).tolist() == (without.labels > 0).tolist()
    assert parts_of(parsing, [first], [], alone=True).labels[0].tolist() == [3] * 20 + [0] * 20


def test_the_overlay_of_people_without_parts_is_their_instances() -> None:
    image = np.full((120, 160, 3), 90, np.uint8)
    points = np.full((17, 2), 300, np.float32)
    person = somebody(10, 20, track=3)
    pose = Pose(COCO17, points, np.zeros(17, np.float32))
    shown = painted(image, Result(people=(PersonResult(person.box, 0.9, pose, person.mask, 3),)))
    expected = 90 * 0.55 + np.array(person_colour(3)) * 0.45
    assert np.abs(shown[60, 60] - expected).max() < 3
    assert (shown[:, 100:] == 90).all()
    assert (image == 90).all()
    edge = np.linalg.norm(shown[60, 36:44].astype(float) - person_colour(3), axis=1)
    assert edge.min() < 60, "an outline in the person's colour"


@pytest.mark.parametrize("count", [0, 1, 100])
def test_nobody_and_a_hundred_people_are_painted(count: int) -> None:
    image = np.full((120, 160, 3), 90, np.uint8)
    people = tuple(somebody(i % 38, i % 38 + 2, score=0.5) for i in range(count))
    empty = PersonResult((-50.0, -50.0, 4.0, 4.0), 0.1, mask=np.zeros(GRID[::-1], np.uint8))
    shown = painted(image, Result(people=(*people, empty) if count else ()))
    assert shown.shape == image.shape
    assert (shown != image).any() == (count > 0)
