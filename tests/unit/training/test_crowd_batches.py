"""Photos as they are and scenes as batches: what is moved together, and targets on the networks' grids."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, replace

import cv2
import numpy as np
import pytest

from models.codecs.codec import Placement
from models.codecs.person_centres import PersonCentresCodec
from models.codecs.personlab import AnnotatedPerson
from models.grid import Grid
from models.labels import COCO17, IGNORE, S31
from models.outputs import AffinityFields, CentreOffsets, Heatmaps, JointDisks
from tests.unit.training.test_augment import UNCHANGED, Chance
from tests.unit.training.test_crowds import cutout, joints
from tests.unit.training.test_joint_batches import SPOTS, spots, spotted
from training.augment import Ranges, affine, mirrors
from training.crowd_batches import (
    CrowdSources,
    WholePhoto,
    _draw,
    affinity_targets,
    batch_of,
    centre_targets,
    crowd_targets,
    in_place,
    make_affinity_batch,
    make_centre_batch,
    make_crowd_batch,
    whole_photos,
)
from training.crowds import Crowd, Placed, annotated_scene, grown
from training.stream import BatchShape

OUTPUT = JointDisks(joints="COCO-17", radius_px=16)


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


def drawn_at(rng: Chance, alpha: np.ndarray, side: int = 128, *, known: bool = True) -> Crowd:
    whole = replace(photo(), alpha=alpha, known=np.full(17, known))
    return in_place(rng, whole, JointDisks(joints="COCO-17", radius_px=32), side)


@pytest.mark.parametrize(("chance", "joint"), [(0.3, None), (0.299, COCO17.id("l_eye"))])
@pytest.mark.parametrize("wild", [0.06, 0.0599])
def test_three_in_ten_look_at_a_joint_within_the_ranges(
    chance: float, joint: int | None, wild: float
) -> None:
    ranges, known = Ranges(scale=(0.5, 1.8), angle=15, wild_angle=0.06, shift=0.18), np.zeros(17, bool)
    known[[COCO17.id("l_eye"), 9]] = True
    points = np.random.default_rng(0).uniform(30, 90, (17, 2)).astype(np.float32)
    for share, mirror in ((0, 0.5), (0.3, 0.4), (1, 0.5)):
        rng = Chance(chance, wild, mirror, share=share)
        crowd = in_place(rng, replace(photo(), points=points, known=known), OUTPUT, 100)
        centre = None if joint is None else points[joint if share < 1 else 9]
        m = affine(Chance(wild, mirror, share=share), (128, 128), 100, ranges, centre)
        order = list(COCO17.mirror_ids) if mirrors(m) else list(range(17))
        assert mirrors(m) == (mirror < 0.5)
        wanted = (points @ m[:, :2].T + m[:, 2])[order]
        if crowd.people:
            assert np.allclose(crowd.people[0].points, wanted, atol=1e-3)
            assert np.array_equal(crowd.people[0].labelled, known[order])
    assert rng.told == []


def test_a_soft_silhouette_is_somebody_from_its_half_on_and_unsure_between(monkeypatch) -> None:  # type: ignore[no-untyped-def]
    """Stripes of each height in the middle of somebody; the photo is laid one px to the left."""
    monkeypatch.setattr("training.crowd_batches.affine", lambda *_: np.array([[1.0, 0, -1], [0, 1, 0]]))
    alpha = np.full((128, 128), 255, np.uint8)
    heights = (0, 60, 61, 127, 128, 189, 190)
    for i, height in enumerate(heights):
        alpha[:, 40 + 2 * i : 42 + 2 * i] = height
    crowd = drawn_at(Chance(0.9, *UNCHANGED), alpha)
    moved = np.c_[alpha[:, 1:], np.zeros((128, 1), np.uint8)]
    assert np.array_equal(crowd.owners, moved >= 128)
    assert np.array_equal(crowd.unsure, (moved > 60) & (moved < 190))
    assert not crowd.unknown.any(), "somebody is near everywhere, and beyond the photo it is known"
    assert np.array_equal(crowd.picture[:, :-1], photo().image[:, 1:])
    assert np.abs(crowd.picture[:, -1] - photo().image[::8, ::8].mean((0, 1))).max() <= 1
    narrow = np.zeros((128, 128), np.uint8)
    narrow[:, 41:61] = 255
    crowd = drawn_at(Chance(0.9, *UNCHANGED), narrow, known=False)
    columns = np.arange(128)
    far = ((columns < 24) | (columns >= 76)) & (columns < 127)
    assert np.array_equal(crowd.unsure, far[None].repeat(128, axis=0)), "16 px, in fours, around are told"
    assert not crowd.people[0].labelled.any()
    assert (crowd.owners.any(), crowd.unknown.all(axis=0)[:, :127].all()) == (True, True)
    empty = drawn_at(Chance(0.9, *UNCHANGED), np.zeros((128, 128), np.uint8))
    assert (empty.people, empty.owners.any(), empty.unsure[:, :127].all()) == ((), False, True)


def test_each_source_is_drawn_below_its_chance() -> None:
    whole = WholePhoto("r", np.full((80, 80, 3), 250, np.uint8), np.full((80, 80), 255, np.uint8),
                       cutout().points, np.ones(17, bool))  # fmt: skip
    ground = np.zeros((90, 90, 3), np.uint8)
    sources = CrowdSources(OUTPUT, [cutout((9, 99, 9))], [cutout((9, 9, 99))], [whole], [ground])
    for told, colour in (((0.249,), "photo"), ((0.25, 0.299), "rendered"), ((0.25, 0.3), "drawn")):
        crowd = _draw(Chance(*told, *[0.9] * 99, share=0.3), sources, 64)
        brightest = crowd.picture.reshape(-1, 3).max(axis=0) > 60
        assert brightest.tolist() == {"photo": [True] * 3, "rendered": [False, False, True],
                                      "drawn": [False, True, False]}[colour]  # fmt: skip
    for few in (replace(sources, photos=[]), replace(sources, photos=[], rendered=[])):
        crowd = _draw(Chance(*[0.0] * 3, *[0.9] * 99, share=0.3), few, 64)
        assert (crowd.picture.max(axis=(0, 1)) > 60).sum() <= 1


def simple(side: int = 64) -> Crowd:
    """Somebody everywhere, every joint somewhere on a slope; one is nowhere told, and one px is unsure."""
    placed = np.linspace((10, 12), (54, 50), 17).astype(np.float32)
    known = np.arange(17) != 5
    people = (AnnotatedPerson(placed, known),)
    unknown, unsure = np.zeros((17, side, side), bool), np.zeros((side, side), bool)
    unknown[5, 4, 4], unsure[9, 17] = True, True
    picture = np.full((side, side, 3), 9, np.uint8)
    return Crowd(picture, np.ones((side, side), np.uint8), people, unknown, unsure)


def test_vectors_point_to_centres_beside_heat_maps() -> None:
    heat, centres = Heatmaps(joints="COCO-17", background=True), CentreOffsets(joints="COCO-17")
    crowd = simple()
    maps = centre_targets(crowd, heat, centres)
    vectors, taught = PersonCentresCodec().encode(centres, crowd.people, Placement((64, 64), (64, 64), 8))
    assert np.array_equal(maps[centres.type], vectors)
    assert np.array_equal(maps[f"{centres.type}_known"], taught)
    assert maps[heat.type].shape == (18, 8, 8)
    assert np.argwhere(maps[f"{heat.type}_known"] == 0).tolist() == [[5, 0, 0], [17, 0, 0]]
    assert set(maps) == {centres.type, f"{centres.type}_known", heat.type, f"{heat.type}_known"}


@pytest.mark.parametrize(("grid", "side"), [(Grid.CENTRE, 64), (Grid.CORNER, 65)])
def test_a_cell_with_an_unsure_pixel_is_not_known_or_the_corner_alone(grid: Grid, side: int) -> None:
    output = JointDisks(joints="COCO-17", radius_px=16, stride=8, grid=grid)
    crowd = simple(side)
    known = crowd_targets(crowd, output, 8)["person_known"]
    assert np.argwhere(known == 0).tolist() == ([[0, 1, 2]] if grid is Grid.CENTRE else [])
    crowd.unsure[16, 24] = crowd.owners[16, 24] = True
    crowd.owners[:, 24:] = 0
    maps = crowd_targets(crowd, output, 8)
    wanted = [[0, 1, 2], [0, 2, 3]] if grid is Grid.CENTRE else [[0, 2, 3]]
    assert np.argwhere(maps["person_known"] == 0).tolist() == wanted
    assert maps["person"].shape == maps["person_known"].shape == (1, 8 + grid.extra_px, 8 + grid.extra_px)
    assert (maps["person"][0, :, :3] == 1).all()
    assert not maps["person"][0, :, 3:].any()


@pytest.mark.parametrize("turned", [1, -1])
def test_a_limb_whose_joint_may_be_anywhere_is_known_where_it_lies(turned: int) -> None:
    crowd, unknown = simple(), np.zeros((17, 64, 64), bool)
    unknown[7] = True
    people = (AnnotatedPerson(crowd.people[0].points[::turned], np.ones(17, bool)),)
    maps = affinity_targets(replace(crowd, people=people, unknown=unknown), OUTPUT, 4)
    fields, known = maps[AffinityFields.type], maps[f"{AffinityFields.type}_known"]
    for i, bone in enumerate(COCO17.bones):
        wanted = fields[2 * i : 2 * i + 2] != 0 if 7 in bone else np.ones((2, 8, 8), bool)
        assert np.array_equal(known[2 * i : 2 * i + 2], wanted)
    assert {float(np.sign(v)) for v in fields.ravel()} >= {0.0, float(turned)}


def test_a_batch_is_its_scenes_one_after_the_other_the_same_for_seed_and_step() -> None:
    whole = WholePhoto("r", np.full((80, 80, 3), 250, np.uint8), np.full((80, 80), 255, np.uint8),
                       cutout().points, np.ones(17, bool))  # fmt: skip
    sources = CrowdSources(OUTPUT, [cutout()], [cutout()], [whole], [np.zeros((90, 90, 3), np.uint8)])
    heat, centres = Heatmaps(joints="COCO-17"), CentreOffsets(joints="COCO-17")
    shape = BatchShape(3, 64, 4)

    def made(size: int, seed: int, step: int):  # type: ignore[no-untyped-def]
        of = replace(shape, size=size)
        return [make_crowd_batch(sources, of, seed=seed, step=step),
                make_affinity_batch(sources, of, seed=seed, step=step),
                make_centre_batch(sources, heat, centres, of, seed=seed, step=step)]  # fmt: skip

    for three, two, other, later in zip(
        made(3, 1, 2), made(2, 1, 2), made(3, 2, 2), made(3, 1, 3), strict=True
    ):
        assert three.images.shape == (3, 64, 64, 3)
        assert np.array_equal(three.images[:2], two.images)
        for name, values in two.targets.items():
            assert np.array_equal(three.targets[name][:2], values), name
        assert not np.array_equal(three.images, other.images)
        assert not np.array_equal(three.images, later.images)
        assert not np.array_equal(three.images[0], three.images[1])
    both = batch_of([simple(), simple()], OUTPUT, 8)
    alone = crowd_targets(simple(), OUTPUT, 8)
    assert all(np.array_equal(both.targets[name], [v, v]) for name, v in alone.items())


def test_photos_and_what_holds_them_cannot_be_changed() -> None:
    for held, name in ((photo(), "codes"), (CrowdSources(OUTPUT, [], [], [], []), "people")):
        with pytest.raises(FrozenInstanceError):
            setattr(held, name, None)
