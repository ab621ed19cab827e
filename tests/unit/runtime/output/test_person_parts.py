"""Masks of people as run lengths, and the parts of each person."""

from __future__ import annotations

import time
from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pycocotools import mask as rle

from models.labels import COCO17, S31
from models.results import Parsing, PersonResult, Result
from runtime.output import coco
from runtime.output.person_parts import owners, part_areas
from tests.unit.runtime.tracking.scenes import SIZE, person


def with_mask(mask: np.ndarray) -> PersonResult:
    return replace(person(100), mask=mask)


@given(
    st.tuples(st.integers(1, 9), st.integers(1, 9)),
    st.tuples(st.integers(1, 30), st.integers(1, 30)),
    st.sampled_from([0.0, 0.2, 0.6, 1.0]),
    st.integers(0, 99),
)
def test_run_lengths_are_those_of_pycocotools(cells, size, filled, seed) -> None:  # type: ignore[no-untyped-def]
    mask = (np.random.default_rng(seed).random(cells) < filled).astype(np.uint8)
    (found,) = coco.annotate(Result(None, (with_mask(mask),)), 1, size)
    full = cv2.resize(mask, size, interpolation=cv2.INTER_NEAREST_EXACT).reshape(size[::-1])
    expected = rle.encode(np.asfortranarray(full))
    assert found["segmentation"] == {"size": list(size[::-1]), "counts": expected["counts"].decode()}
    assert found["area"] == full.sum()


def test_many_people_at_full_hd_take_a_bounded_time() -> None:
    people = tuple(person(20 + 6 * n) for n in range(100))
    began_s = time.thread_time()
    found = coco.annotate(Result(None, people), 1, (1920, 1080))
    assert time.thread_time() - began_s < 1
    assert len(found) == 100


def parsing() -> Parsing:
    """Left half of the picture one part, right half another."""
    labels = np.full((SIZE[1], SIZE[0]), 1, np.uint8)
    labels[:, 320:] = 2
    return Parsing(S31, SIZE, labels, labels.copy(), labels.copy())


def test_each_has_the_parts_under_their_own_mask_and_a_shared_place_is_of_the_nearer() -> None:
    people = person(300), person(320), person(600)
    whose = owners(people, SIZE)
    masks = [p.mask > 0 for p in people if p.mask is not None]
    assert np.array_equal(whose > 0, masks[0] | masks[1] | masks[2])
    assert all((masks[i - 1] | (whose != i)).all() for i in (1, 2, 3))
    for i, one in enumerate(people[:2], start=1):
        assert one.pose is not None
        x, y = (one.pose.points / 2).astype(int).T
        shared = masks[0][y, x] & masks[1][y, x]
        assert shared.sum() >= 2
        assert (whose[y, x][shared] == i).all()
    areas = part_areas(parsing(), people)
    assert sum(sum(a.values()) for a in areas) == 4 * np.count_nonzero(whose)
    assert list(areas[2]) == [S31.names[1]]
    assert areas[0][S31.names[0]] > areas[1][S31.names[0]]


def test_people_without_mask_or_joints_are_no_error() -> None:
    whole = person(300)
    bare = replace(whole, mask=None)
    jointless = replace(person(310), pose=None)
    areas = part_areas(parsing(), (bare, whole, jointless))
    assert areas[0] == {}
    assert sum(areas[1].values()) == 4 * np.count_nonzero(whole.mask)
    assert part_areas(parsing(), ()) == []
    assert part_areas(parsing(), (bare,)) == [{}]


def test_a_double_without_a_number_takes_no_part_from_somebody_with_one() -> None:
    tracked, double = replace(person(300), track_id=1), person(310)
    areas = part_areas(parsing(), (double, tracked))
    assert areas == [{}, *part_areas(parsing(), (tracked,))]


@pytest.mark.parametrize("joint_set", [None, COCO17])
def test_where_people_are_told_apart_nobody_is_nobody(joint_set) -> None:  # type: ignore[no-untyped-def]
    assert bool(coco.annotate(Result(parsing()), 1, SIZE, joint_set)) == (joint_set is None)


def test_the_annotation_has_the_areas_of_the_parts() -> None:
    (found,) = coco.annotate(Result(parsing(), (person(100),)), 1, SIZE, COCO17)
    assert found["parts"] == {S31.names[0]: found["area"]}
