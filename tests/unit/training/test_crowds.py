"""Scenes of several people: who stands where, and what annotators would tell of them."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, replace

import numpy as np
import pytest

from models.labels import COCO17, IGNORE, S31
from models.outputs import JointDisks
from tests.unit.training.test_augment import UNCHANGED, Chance
from training.augment import Ranges, affine, warp
from training.crowds import (
    Crowd,
    Placed,
    _hidden,
    _paste,
    annotated_scene,
    draw_crowd,
    grown,
    places,
)
from training.person_cutouts import PersonCutout
from training.targets import SET_CODES

OUTPUT = JointDisks(joints="COCO-17", radius_px=16)
SIDE = 240
FAR_AWAY = (30, 30)


def cutout(colour: tuple[int, int, int] = (200, 200, 200), h: int = 81, w: int = 41) -> PersonCutout:
    points = np.stack((np.linspace(0, w - 1, 17), np.linspace(0, h - 1, 17) ** 1.01), axis=1)
    image = np.full((h, w, 3), colour, np.uint8)
    return PersonCutout(
        "x", image, np.full((h, w), 255, np.uint8), points.astype(np.float32), np.ones(17, bool)
    )


def scene(*placed: tuple[np.ndarray, float], known: bool = True) -> Crowd:
    """Three people beside each other: the first left above, the second right of it, the third below it."""
    owners = np.zeros((SIDE, SIDE), np.uint8)
    owners[20:80, 20:80], owners[20:80, 80:140], owners[80:140, 20:80] = 1, 2, 3
    people = [Placed(p.astype(np.float32), np.full(17, known), area) for p, area in placed]
    return annotated_scene(np.zeros((SIDE, SIDE, 3), np.uint8), owners, people, OUTPUT)


def joints(*rows: tuple[float, float]) -> np.ndarray:
    return np.array([*rows, *[FAR_AWAY] * (17 - len(rows))], float)


@pytest.mark.parametrize(("area", "told"), [(7200, True), (7300, False)])
def test_a_hidden_joint_is_told_where_half_of_the_person_is_seen(area: float, told: bool) -> None:
    """3600 px of the first are seen; a joint 3 px from what is seen of somebody is not hidden."""
    first = joints((82, 50), (83, 50), (50, 82), (50, 83), (40, 40))
    crowd = scene((first, area))
    (person,) = crowd.people
    assert np.flatnonzero(~person.labelled).tolist() == ([] if told else [1, 3])
    assert (person.points == first.astype(np.float32)).all()
    assert (crowd.owners == 1).sum() == 3600
    unknown = crowd.unknown.any(axis=(1, 2))
    assert np.flatnonzero(unknown).tolist() == ([] if told else [1, 3])
    if not told:
        ys, xs = np.indices((SIDE, SIDE))
        assert (crowd.unknown[1] == (np.hypot(xs - 83, ys - 50) <= 16)).all()
    assert not crowd.unsure.any()


def test_the_others_joints_are_hidden_by_the_first_as_well() -> None:
    here = joints(FAR_AWAY)
    second, third = joints((77, 50), (76, 50)), joints((50, 77), (50, 76))
    second[2:], third[2:] = (100, 50), (50, 100)
    crowd = scene((here, 3600), (second, 9999), (third, 9999))
    assert [np.flatnonzero(~p.labelled).tolist() for p in crowd.people] == [[], [1], [1]]
    assert sorted(np.unique(crowd.owners)) == [0, 1, 2, 3]


def test_joints_far_outside_the_picture_are_not_told_and_nowhere_in_it() -> None:
    rows = [
        (-96, 9),
        (-97, 9),
        (9, -96),
        (9, -97),
        (SIDE + 96, 9),
        (SIDE + 97, 9),
        (9, SIDE + 96),
        (9, SIDE + 97),
    ]
    crowd = scene((joints(*rows), 3600))
    assert np.flatnonzero(~crowd.people[0].labelled).tolist() == [1, 3, 5, 7]
    assert not crowd.unknown.any()
    owners, known = crowd.owners, np.arange(17) != 1
    placed = [Placed(joints(*rows).astype(np.float32), known, 3600)]
    assert not annotated_scene(crowd.picture, owners, placed, OUTPUT).unknown.any(), "nor of one nobody knows"


@pytest.mark.parametrize(("area", "there"), [(60_000, True), (61_000, False)])
def test_of_whom_a_sixteenth_is_seen_is_neither_there_nor_not(area: float, there: bool) -> None:
    crowd = scene((joints(), area), (joints((100, 50)), 3600))
    assert len(crowd.people) == 1 + there
    first = np.zeros((SIDE, SIDE), bool)
    first[20:80, 20:80] = True
    assert (crowd.unsure == (first & (not there))).all()
    assert (crowd.unknown == (grown(first, 16) & (not there))).all()
    assert crowd.owners[50, 100] == 1 + there, "numbered in the order of people"


@pytest.mark.parametrize(("pixels", "there"), [(24, 1), (23, 0)])
def test_fewer_than_24_px_are_nobody(pixels: int, there: int) -> None:
    owners = np.zeros((SIDE, SIDE), np.uint8)
    owners[50, 50 : 50 + pixels] = 1
    placed = [Placed(joints((55, 50)).astype(np.float32), np.ones(17, bool), 1)]
    crowd = annotated_scene(np.zeros((SIDE, SIDE, 3), np.uint8), owners, placed, OUTPUT)
    assert len(crowd.people) == there
    assert crowd.unsure.sum() == pixels * (1 - there)


def test_whose_joints_nobody_knows_may_have_them_anywhere_near() -> None:
    crowd = scene((joints(), 3600), known=False)
    seen = np.zeros((SIDE, SIDE), bool)
    seen[20:80, 20:80] = True
    assert crowd.people == ()
    assert (crowd.unsure == seen).all()
    assert (crowd.unknown == grown(seen, 16)).all()
    assert not crowd.owners.any()
    nobody = [Placed(joints().astype(np.float32), np.ones(17, bool), 0)]
    empty = annotated_scene(crowd.picture, crowd.owners, nobody, OUTPUT)
    assert (empty.people, empty.unsure.any(), empty.unknown.any()) == ((), False, False)


def test_a_mask_grows_by_its_radius() -> None:
    mask = np.zeros((120, 100), bool)
    mask[40:60, 40:60] = True
    big = grown(mask, 16)
    assert big.shape == mask.shape
    assert big[50, 40 - 14 : 60 + 14].all()
    assert big[40 - 14 : 60 + 14, 50].all()
    assert not big[50, : 40 - 20].any()
    assert not big[:, 60 + 20 :].any()
    assert not big[27, 27], "a corner is round"
    for radius_px, px in ((16, 16), (12.1, 16), (12, 12), (4, 4)):  # at a quarter of the size
        big = grown(mask, radius_px)
        assert (
            np.flatnonzero(big[50]).tolist()
            == np.flatnonzero(big[:, 50]).tolist()
            == [*range(40 - px, 60 + px)]
        )


def test_scenes_have_as_many_people_as_their_shares_say_and_show_them_where_they_are() -> None:
    rng, black = np.random.default_rng(4), np.zeros((90, 90, 3), np.uint8)
    drawn = [draw_crowd(rng, [cutout()], [black], OUTPUT, 64) for _ in range(250)]
    empty = np.mean([not c.people and not c.unsure.any() for c in drawn])
    assert empty == pytest.approx(0.07, abs=0.035)
    assert max(len(c.people) for c in drawn) in {5, 6}
    bright = np.concatenate([c.picture.min(axis=2)[c.owners > 0] for c in drawn]).astype(float)
    dark = np.concatenate([c.picture.max(axis=2)[c.covered == 0] for c in drawn]).astype(float)
    assert np.median(bright) > 120
    assert np.median(dark) < 60
    for c in drawn:
        for p in c.people:
            x, y = np.rint(p.points[8]).astype(int)
            if 2 < x < 61 and 2 < y < 61:
                assert c.covered[y, x] or c.unsure[y, x]
        assert c.codes is not None


def test_a_small_person_in_a_large_cutout_is_told() -> None:
    """Three hundredths of the cut-out are the person, and all of these are seen."""
    whole = cutout(h=100, w=100)
    alpha = np.zeros((100, 100), np.uint8)
    alpha[40:70, 45:55] = 255
    points = np.full((17, 2), (50, 55), np.float32)
    small = replace(whole, alpha=alpha, points=points)
    rng, black = np.random.default_rng(4), np.zeros((90, 90, 3), np.uint8)
    drawn = [draw_crowd(rng, [small], [black], OUTPUT, 128) for _ in range(40)]
    assert np.mean([len(c.people) for c in drawn]) > 1.3


def laid(scale: float, degrees: float, centre: tuple[float, float], mirrored: bool) -> np.ndarray:
    """The map of the cut-out of 81 by 41 px whose middle, at (20, 40), goes to a place."""
    c, s = (f(np.radians(degrees)) * scale for f in (np.cos, np.sin))
    turned = np.array([[c, s], [-s, c]]) @ np.diag((-1 if mirrored else 1, 1))
    return np.c_[turned, np.array(centre) - turned @ (20, 40)]


def test_people_stand_beside_or_apart_turned_a_little_or_wildly_small_ones_first_or_not() -> None:
    """At three quarters of each range: the first one deviation more, the second one less."""
    below, size = np.nextafter, 100 * 0.88 * 0.22 * (1.2 / 0.22) ** 0.75
    large, small = size * np.exp(0.22), size * np.exp(-0.22)
    apart, beside = (75, 36.25), (75 + 0.35 * large, 36.25 - 0.12 * large)
    for told, wanted in (
        ((0.7, 0.06, 0.5, 0.06, 0.5, 0.5),
         [laid(large / 81, 10, apart, False), laid(small / 81, 10, apart, False)]),
        ((below(0.7, 0), below(0.06, 0), below(0.5, 0), 0.06, below(0.5, 0), 0.5),
         [laid(small / 81, 90, apart, True), laid(large / 81, 10, beside, False)]),
    ):  # fmt: skip
        rng = Chance(*told, share=0.75)
        assert np.allclose(places(rng, [cutout()] * 2, 100), wanted)
        assert rng.told == []
    alone = places(Chance(0.9, 0.9, 0.9, share=0), [cutout()], 100)
    assert np.allclose(alone, [laid(22 * np.exp(-0.44) / 81, -20, (0, 85), False)])
    assert places(Chance(), [], 100) == []


@pytest.mark.parametrize(("share", "tone"), [(0, (0.752, 0.848, 0.752)), (1, (1.272, 1.128, 1.272))])
def test_a_person_is_laid_over_in_its_own_light(share: float, tone: tuple[float, ...]) -> None:
    person, m = cutout((100, 150, 50), 8, 8), np.array([[-1.0, 0, 7], [0, 1, 0]])
    alpha = np.zeros((8, 8), np.uint8)
    alpha[:, 4:], alpha[:, 3] = 255, 127
    alpha[0, 3] = 128
    picture, owners = np.full((8, 8, 3), 40, np.float32), np.zeros((8, 8), np.uint8)
    known = np.arange(17) != COCO17.id("l_eye")
    made = _paste(
        Chance(share=share), picture, owners, replace(person, alpha=alpha, known=known), m, 3, COCO17
    )
    there = alpha[:, ::-1, None] / 255
    assert picture == pytest.approx(40 * (1 - there) + there * np.array((100, 150, 50)) * tone, abs=1e-3)
    assert np.array_equal(owners, 3 * (alpha[:, ::-1] >= 128))
    assert made.area == 33
    assert np.flatnonzero(~made.known).tolist() == [COCO17.id("r_eye")]
    order = list(COCO17.mirror_ids)
    assert made.points == pytest.approx((person.points * (-1, 1) + (7, 0))[order], abs=1e-4)
    turned = np.array([[0, 2.0, 0], [-2.0, 0, 9]])
    assert _paste(Chance(), picture, owners, person, turned, 1, COCO17).area == 4 * 64


@pytest.mark.parametrize("own", [(0, 0), (1, 0), (0, 4), (15, 30), (30, 15), (39, 39), (36, 39), (39, 35)])
def test_a_joint_is_hidden_by_somebody_when_nothing_of_its_person_is_within_three_px(
    own: tuple[int, int],
) -> None:
    """On a picture of 40 px, all but two pixels of which are another's; outside nobody hides."""
    owners = np.full((40, 40), 2, np.uint8)
    owners[own[1], own[0]], owners[20, 20] = 1, 0
    at = np.stack(np.meshgrid(np.arange(-5, 46), np.arange(-5, 46)), axis=2).reshape(-1, 2)
    inside = ((at >= 0) & (at < 40)).all(axis=1) & ~(at == 20).all(axis=1)
    near = np.abs(at - own).max(axis=1) <= 3
    assert np.array_equal(_hidden(at + 0.3, owners, 1), inside & ~near)


@pytest.mark.parametrize(
    ("share", "count"),
    [(0.069, 0), (0.071, 1), (0.369, 1), (0.371, 2), (0.609, 2), (0.611, 3), (0.759, 3), (0.761, 4),
     (0.879, 4), (0.881, 5), (0.949, 5), (0.951, 6), (1, 6)],
)  # fmt: skip
def test_a_scene_has_up_to_six_people_with_what_is_known_of_their_parts(share: float, count: int) -> None:
    """The last one stands before the others; whose parts nobody told is somebody."""
    ground = np.random.default_rng(0).integers(0, 255, (90, 60, 3), dtype=np.uint8)
    parts = np.where(np.arange(41) < 20, 0, S31.id("neck")).astype(np.uint8)[None].repeat(81, axis=0)
    told = [0.9] * 101
    for codes, wanted in ((None, {SET_CODES["person"]}), (parts, {IGNORE, S31.id("neck")})):
        rng = Chance(*told, share=share)
        crowd = draw_crowd(rng, [replace(cutout(), codes=codes)], [ground], OUTPUT, 64)
        assert crowd.codes is not None
        assert (crowd.codes[crowd.owners > 0] > 0).all()
        assert set(np.unique(crowd.codes[crowd.owners > 0])) <= wanted
        assert 101 - len(rng.told) == 10 + max(0, 3 * count - 1), (
            "all but the first of a person stand beside it or not"
        )
        assert not crowd.codes[~crowd.covered & ~crowd.unsure].any()
    quiet = Chance(0.9, 0.9, share=0)
    m = affine(quiet, (60, 90), 64, Ranges(scale=(1.3, 2.5), angle=4, shift=0.3))
    still = Chance(0.9, 0.9, 0.9, *UNCHANGED, share=0)
    assert np.array_equal(draw_crowd(still, [cutout()], [ground], OUTPUT, 64).picture, warp(ground, m, 64))


def test_what_is_brighter_than_white_is_white() -> None:
    chances = (*[0.9] * 3, 0.9, 0.9, *[0.9] * 15, *UNCHANGED)
    ground = np.zeros((90, 90, 3), np.uint8)
    crowd = draw_crowd(Chance(*chances, share=1), [cutout((250, 250, 250))], [ground], OUTPUT, 64)
    inside = crowd.owners > 0
    inside[1:-1, 1:-1] &= inside[:-2, 1:-1] & inside[2:, 1:-1] & inside[1:-1, :-2] & inside[1:-1, 2:]
    assert inside.sum() > 50
    assert (crowd.picture[inside] == 255).mean() > 0.9


def test_scenes_and_their_people_cannot_be_changed() -> None:
    crowd = scene((joints(), 3600))
    placed = Placed(crowd.people[0].points, crowd.people[0].labelled, 1)
    for held, name in ((crowd, "owners"), (placed, "area"), (cutout(), "alpha")):
        with pytest.raises(FrozenInstanceError):
            setattr(held, name, None)
