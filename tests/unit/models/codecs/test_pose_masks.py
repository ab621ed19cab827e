"""Masks from poses against the distance of every place to every bone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.codecs.pose_masks import REACH, with_masks, with_own_masks
from models.labels import COCO17, S31
from models.outputs import AffinityFields, Heatmaps
from models.results import Parsing, PersonResult, Pose, Result
from runtime.frames import Frame
from runtime.tracking.tracker import Tracker
from tests.drawn_people import STANDING

SIZE, SHAPE = (200, 150), (75, 100)  # px (w, h) and cells (h, w): 2 px a cell


def standing(x: float, y: float, scale: float, *, found: int = 17) -> PersonResult:
    points = (STANDING * scale + (x, y)).astype(np.float32)
    scores = (np.arange(17) < found).astype(np.float32)
    return PersonResult((0.0, 0.0, 9.0, 9.0), 0.9, Pose(COCO17, points, scores))


def parsing(labels: np.ndarray | None = None) -> Parsing:
    labels = np.ones(SHAPE, np.uint8) if labels is None else labels
    return Parsing(S31, SIZE, labels, np.full_like(labels, 255), np.full_like(labels, 255))


def to_bones(person: PersonResult) -> np.ndarray:
    """(h, w) px from the middle of each cell to the nearest bone, sampled densely."""
    assert person.pose is not None
    points = person.pose.points + 0.5
    along = np.linspace(0, 1, 24)[:, None]
    seen = [(1 - along) * points[a] + along * points[b] for a, b in COCO17.bones]
    v, u = np.indices(SHAPE)
    middles = np.stack((u + 0.5, v + 0.5), axis=-1)[:, :, None] * 2
    return np.min([np.linalg.norm(middles - s, axis=-1).min(axis=-1) for s in seen], axis=0)


@settings(max_examples=8)
@given(
    st.lists(st.tuples(st.integers(30, 170), st.integers(50, 100), st.integers(3, 5)), min_size=2, max_size=3)
)
def test_a_place_is_whose_bone_is_nearest(places: list[tuple[int, int, int]]) -> None:
    people = [standing(*p) for p in places]
    found = with_masks(parsing(), people)
    masks = np.stack([p.mask for p in found])
    away = np.stack([to_bones(p) for p in people])
    assert masks.sum(axis=0).max() <= 1, "nobody shares a place"
    others = np.stack([np.delete(away, i, axis=0).min(axis=0) for i in range(len(people))])
    extent = np.stack([np.ptp(p.pose.points, axis=0) for p in people])
    reach = REACH * np.sqrt(extent.prod(axis=1))[:, None, None]
    slack = 5.0  # px: two cells, for lines are drawn on the grid
    assert masks[(away + slack < others) & (away + slack < reach)].all()
    assert not masks[(away > others + slack) | (away > reach + slack)].any()


def test_where_bones_cross_the_surer_ones_count() -> None:
    first, second, alone = with_masks(parsing(), [standing(100, 75, 4), standing(100, 75, 4)]) + with_masks(
        parsing(), [standing(100, 75, 4)]
    )
    np.testing.assert_array_equal(first.mask, alone.mask)
    assert second.mask is not None
    assert not second.mask.any()


def test_of_one_joint_places_within_half_the_least_size_are_somebodys() -> None:
    """4 px, two cells, each way from the cell of the nose."""
    x, y = np.array((60.9, 41.2)) - 4 * STANDING[0]
    (found,) = with_masks(parsing(), [standing(x, y, 4, found=1)])
    v, u = np.indices(SHAPE)
    np.testing.assert_array_equal(found.mask, np.hypot(v - 20, u - 30) <= 2)


def test_where_there_is_no_part_there_is_nobody() -> None:
    labels = np.zeros(SHAPE, np.uint8)
    labels[:, 40:60] = 7
    (person,) = with_masks(parsing(labels), [standing(100, 75, 4)])
    assert person.mask is not None
    assert (labels[person.mask > 0] == 7).all()
    assert person.mask[20:50, 45:55].all()


def test_masks_that_a_model_gives_stay_and_a_pose_without_joints_has_an_empty_one() -> None:
    own = replace(standing(50, 75, 4), mask=np.ones((3, 4), np.uint8))
    box = replace(own, pose=None, mask=None)
    first, second, third = with_masks(parsing(), [own, box, standing(120, 75, 4, found=0)])
    assert first is own
    assert second is box
    assert third.mask is not None
    assert not third.mask.any()


@pytest.mark.parametrize("count", [0, 1])
def test_nobody_and_somebody_far_outside(count: int) -> None:
    people = [standing(9e6, -9e6, 4)] * count
    assert all(not p.mask.any() for p in with_masks(parsing(), people))


def test_people_whose_masks_are_made_have_numbers_that_stay() -> None:
    tracker, numbers = Tracker(), []
    for index in range(8):
        people = (standing(50 + 2 * index, 75, 4), standing(140 - 2 * index, 80, 4))
        image = np.full((SIZE[1], SIZE[0], 3), 90, np.uint8)
        frame = Frame(image, index, index / 25, 0.0)
        result = tracker.track(frame, Result(parsing(), with_masks(parsing(), people)))
        numbers.append([p.track_id for p in result.people])
    assert numbers == [[1, 2]] * 8


def test_a_large_parsing_has_coarser_masks() -> None:
    fine = Parsing(S31, SIZE, *(np.full((600, 800), v, np.uint8) for v in (1, 255, 255)))
    (person,) = with_masks(fine, [standing(100, 75, 4)])
    assert person.mask is not None
    assert person.mask.shape == (192, 256)
    assert person.mask[96, 128]


def test_only_outputs_of_several_people_have_masks_made() -> None:
    people = (standing(50, 75, 4), standing(120, 75, 4))
    maps, fields = Heatmaps(joints=COCO17.name), AffinityFields(joints=COCO17.name)
    assert with_own_masks((maps,), parsing(), people) is people, "of one person"
    assert with_own_masks((fields,), None, people) is people, "there are no parts to share out"
    assert all(p.mask is not None for p in with_own_masks((fields,), parsing(), people))
