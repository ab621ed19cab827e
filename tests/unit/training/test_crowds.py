"""Scenes of several people: who stands where, what annotators would tell of them, and photos as they are."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from models.grid import Grid
from models.labels import COCO17, IGNORE, S31
from models.outputs import AffinityFields, JointDisks
from tests.unit.training.test_joint_batches import SPOTS, spots, spotted
from training.crowd_batches import (
    CrowdSources,
    WholePhoto,
    affinity_targets,
    crowd_targets,
    in_place,
    make_crowd_batch,
    whole_photos,
)
from training.crowds import Crowd, Placed, annotated_scene, draw_crowd, grown, places
from training.person_cutouts import PersonCutout
from training.stream import BatchShape

OUTPUT = JointDisks(joints="COCO-17", radius_px=16)
SIDE = 240
FAR_AWAY = (30, 30)


def cutout(colour: tuple[int, int, int] = (200, 200, 200), h: int = 81, w: int = 41) -> PersonCutout:
    points = np.stack((np.linspace(0, w - 1, 17), np.linspace(0, h - 1, 17) ** 1.01), axis=1)
    image = np.full((h, w, 3), colour, np.uint8)
    return PersonCutout(
        "x", image, np.full((h, w), 255, np.uint8), points.astype(np.float32), np.ones(17, bool)
    )


def test_one_person_stands_anywhere_in_most_of_the_picture() -> None:
    """The middle evenly over the width and from 0.2 to 0.85 of the height; the long side 0.22 to 1.2."""
    rng, one = np.random.default_rng(0), cutout()
    maps = np.stack([places(rng, [one], 100)[0] for _ in range(3000)])
    x, y = (maps @ (20, 40, 1)).T
    for values, low, high in ((x, 0, 100), (y, 20, 85)):
        assert low <= values.min() < low + 0.5
        assert high - 0.5 < values.max() <= high
        assert values.mean() == pytest.approx((low + high) / 2, abs=1.5)
    size = np.log(np.hypot(maps[:, 0, 0], maps[:, 1, 0]) * 81 / 100)
    assert size.mean() == pytest.approx(np.log(0.22 * 1.2) / 2, abs=0.03)
    assert size.std() == pytest.approx(np.hypot(np.log(1.2 / 0.22) / 12**0.5, 0.22), abs=0.02)
    mirrored = np.linalg.det(maps[:, :, :2]) < 0
    assert mirrored.mean() == pytest.approx(0.5, abs=0.04)
    angle = np.degrees(np.arctan2(maps[:, 0, 1], maps[:, 1, 1]))
    assert np.mean(angle < -45) == pytest.approx(0.06 * 135 / 360, abs=0.012)
    assert np.mean(angle > 45) == pytest.approx(0.06 * 135 / 360, abs=0.012)
    assert angle[np.abs(angle) < 40].std() == pytest.approx(10, abs=1.5)


def test_several_are_smaller_the_more_stand_beside_each_other_and_mostly_by_size() -> None:
    rng, one = np.random.default_rng(1), cutout()
    sizes, near, ordered = [], [], []
    for _ in range(2000):
        maps = np.stack(places(rng, [one] * 4, 100))
        k = np.hypot(maps[:, 0, 0], maps[:, 1, 0]) * 81
        sizes.append(np.log(k / 100).mean())
        steps = np.diff(maps @ (20, 40, 1), axis=0) / k[1:, None]
        near.append(np.abs(steps[:, 1]) < 0.3)
        ordered.append((np.diff(k) >= 0).all())
    assert np.mean(sizes) == pytest.approx(np.log(0.22 * 1.2) / 2 + 3 * np.log(0.88), abs=0.04)
    assert np.mean(near) == pytest.approx(0.5 + 0.5 * 0.4, abs=0.1)
    assert np.mean(ordered) == pytest.approx(0.7 + 0.3 / 24, abs=0.04)


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


@pytest.mark.parametrize(("area", "there"), [(59_000, True), (61_000, False)])
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


def photo(*known: bool) -> WholePhoto:
    """The spots with somebody in the middle, soft at the right edge; the left half is a left arm."""
    spot, alpha = spotted(), np.zeros((128, 128), np.uint8)
    alpha[30:100, 30:100], alpha[30:100, 96:100] = 255, 125
    codes = np.full((128, 128), S31.id("luarm"), np.uint8)
    codes[:, 64:] = S31.id("ruarm")
    return WholePhoto("a", spot.image, alpha, spot.points, spot.known, codes)


def test_a_photo_in_its_place_moves_all_it_tells_together() -> None:
    mirrored_seen = set()
    whole = photo()
    for seed in range(60):
        crowd = in_place(np.random.default_rng(seed), whole, OUTPUT, 200)
        (person,) = crowd.people
        known = person.labelled
        hidden = int(np.flatnonzero(~known)[0])
        mirrored = COCO17.names[hidden] == "r_ear"
        order = list(COCO17.mirror_ids) if mirrored else list(range(17))
        source = np.c_[whole.points[order], np.ones(17)]
        m = np.linalg.lstsq(source, person.points, rcond=None)[0].T
        mirrored_seen.add(mirrored)
        assert (np.linalg.det(m[:, :2]) < 0) == mirrored
        shown = spots(crowd.picture)
        if shown is not None:
            names = ("r_wrist", "l_wrist", "nose") if mirrored else SPOTS
            points = person.points[[COCO17.id(n) for n in names]]
            if points.min() > 12 and points.max() < 188:  # whole spots
                assert np.abs(points - shown).max() < 4
        alpha = cv2.warpAffine(whole.alpha, m, (200, 200), flags=cv2.INTER_LINEAR)
        inside = cv2.warpAffine(np.full((128, 128), 255, np.uint8), m, (200, 200)) > 0
        seen, soft = alpha >= 128, (alpha > 60) & (alpha < 190)
        elsewhere = ~grown(seen, 8) & inside
        for got, wanted in (
            (crowd.owners == 1, seen),
            (crowd.unsure, elsewhere | soft),
            (crowd.unknown[COCO17.id("nose")], elsewhere),
            (crowd.unknown[hidden], elsewhere | grown(seen, 16)),
        ):
            assert np.mean(got != wanted) < 0.01
        assert crowd.codes is not None
        flat = cv2.warpAffine(whole.codes, m, (200, 200), flags=cv2.INTER_NEAREST, borderValue=(IGNORE,))
        told = S31.mirror()[flat] if mirrored else flat
        assert np.mean(crowd.codes != told) < 0.01
    assert mirrored_seen == {True, False}


def test_a_photo_is_moved_within_its_ranges_sometimes_to_a_joint() -> None:
    whole = photo()
    rows = []
    for seed in range(250):
        crowd = in_place(np.random.default_rng(seed), whole, OUTPUT, 100)
        if crowd.people:
            points = crowd.people[0].points
            rows.append(np.linalg.norm(points[COCO17.id("l_wrist")] - points[COCO17.id("r_wrist")]))
    scale = np.array(rows) / np.hypot(50, 40) * 128 / 100
    assert 0.49 < scale.min() < 0.54
    assert 1.65 < scale.max() < 1.81


def test_photos_people_and_rendered_ones_have_their_shares() -> None:
    """Photos are red, cut-outs green and rendered people blue; pictures without colour say nothing."""
    red = WholePhoto("r", np.full((80, 80, 3), (220, 40, 40), np.uint8), np.full((80, 80), 255, np.uint8),
                     cutout().points, np.ones(17, bool))  # fmt: skip
    green, blue = cutout((40, 220, 40)), cutout((40, 40, 220))
    sources = CrowdSources(OUTPUT, [green], [blue], [red], [np.full((90, 90, 3), 60, np.uint8)])
    images = make_crowd_batch(sources, BatchShape(250, 64, 8), seed=1, step=1).images.astype(int)
    spread = [
        [int((i[..., k] - np.delete(i, k, axis=2).max(axis=2)).max()) for k in range(3)] for i in images
    ]
    told = np.array([np.argmax(s) for s in spread if max(s) > 60])
    assert len(told) > 170
    assert [np.mean(told == k) for k in range(3)] == pytest.approx([0.28, 0.5, 0.22], abs=0.08)


def test_targets_are_sampled_at_the_middle_of_their_cells() -> None:
    """A limb is known where both its joints are or where it lies; codes are those at the middle of cells."""
    v, u = np.indices((64, 64))
    codes = (u % 16 + 16 * (v % 4)).astype(np.uint8)
    placed = joints()
    placed[:] = np.linspace((10, 12), (54, 50), 17)
    base = annotated_scene(
        np.zeros((64, 64, 3), np.uint8), np.ones((64, 64), np.uint8),
        [Placed(placed.astype(np.float32), np.ones(17, bool), 4096)], OUTPUT,
    )  # fmt: skip
    unknown = base.unknown.copy()
    unknown[5, 4, 4] = unknown[5, 20, 28] = True
    crowd = Crowd(base.picture, base.owners, base.people, unknown, base.unsure, codes=codes)
    maps = affinity_targets(crowd, OUTPUT, 4)
    assert (maps["codes"] == codes[2::4, 2::4]).all()
    heat = maps["heatmaps_known"]
    assert np.argwhere(heat == 0).tolist() == [[5, 0, 0], [5, 2, 3], [17, 0, 0], [17, 2, 3]]
    fields, known = maps[AffinityFields.type], maps[f"{AffinityFields.type}_known"]
    assert set(np.unique(known)) <= {0, 1}
    for i, bone in enumerate(COCO17.bones):
        for cell in ((0, 0), (2, 3)):
            for k in (2 * i, 2 * i + 1):
                assert known[k][cell] == (5 not in bone or fields[k][cell] != 0)
    assert known.sum() >= known.size - 2 * 2 * sum(5 in b for b in COCO17.bones)
    bare = affinity_targets(base, OUTPUT, 8)["codes"]
    assert bare.shape == (8, 8)
    assert (bare == IGNORE).all()
    assert crowd_targets(base, OUTPUT, 8)["person"].min() == 1


def test_photos_as_they_are_keep_all_they_have() -> None:
    spot = spotted()
    (whole,) = whole_photos([(spot, np.full((128, 128), 9, np.uint8))])
    assert (whole.name, whole.codes, whole.alpha[0, 0]) == ("spots", None, 9)
    assert whole.points is spot.points
    assert whole.known is spot.known
    assert whole.image is spot.image


@pytest.mark.parametrize(("grid", "at"), [(Grid.CENTRE, (12, 20)), (Grid.CORNER, (8, 16))])
def test_people_are_told_at_the_middle_of_cells_or_at_corners(grid: Grid, at: tuple[int, int]) -> None:
    """The cell in the second row and third column, where nobody knows one joint; outside its disk."""
    side = grid.side(9, 8)
    output = JointDisks(joints="COCO-17", radius_px=16, stride=8, grid=grid)
    points = np.full((1, 17, 2), side - 4, np.float32)
    people = [Placed(points[0], np.ones(17, bool), 1)]
    owners = np.ones((side, side), np.uint8)
    base = annotated_scene(np.zeros((side, side, 3), np.uint8), owners, people, output)
    unknown = base.unknown.copy()
    unknown[(5, *at)] = True
    known = crowd_targets(replace(base, unknown=unknown), output, 8)["disks_known"]
    assert np.argwhere(known == 0).tolist() == [[5, 1, 2]]
    assert known.shape == (17, 9, 9)


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
