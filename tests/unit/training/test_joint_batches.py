"""Photos with joints as batches of heat maps: what is known, what is not there, and what a mirror does."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from models.codecs.heatmaps import peaks
from models.labels import COCO17, IGNORE, S31
from models.outputs import Heatmaps, JointDisks, PartLabels, PartProbabilities
from tests.unit.training.test_augment import UNCHANGED, Chance
from training.augment import Ranges, affine, mirrors, occlude, warp, warp_codes
from training.batches import DataFolders, batches_for
from training.heatmap_loss import heatmap_loss
from training.joint_batches import JointSources, _draw, make_joint_batch
from training.joint_photos import JointPhoto
from training.photos import DataError
from training.stream import Batch, BatchShape, Packed

OUTPUT = Heatmaps(joints="COCO-17")
SHAPE = BatchShape(24, 128, 8)


SPOTS = {"l_wrist": (90, 40), "r_wrist": (40, 80), "nose": (90, 90)}  # red, green and blue


def spotted() -> JointPhoto:
    """A photo in which three joints are spots of one colour each; the left ear is not known."""
    image = np.full((128, 128, 3), 30, np.uint8)
    points, known = np.full((17, 2), 64, np.float32), np.ones(17, np.bool_)
    for channel, (name, (x, y)) in enumerate(SPOTS.items()):
        image[y - 5 : y + 6, x - 5 : x + 6, channel] = 255
        points[COCO17.id(name)] = x, y
    known[COCO17.id("l_ear")] = False
    return JointPhoto("spots", image, points, known)


def batch(step: int = 0) -> Batch:
    """Pictures of the spots on black."""
    sources = JointSources(OUTPUT, [spotted()], [np.zeros((200, 200, 3), np.uint8)])
    return make_joint_batch(sources, SHAPE, seed=1, step=step)


def spots(image: NDArray[np.uint8]) -> NDArray[np.float64] | None:
    """Centres (3, 2) px of the red, the green and the blue spot; None where one is not to be seen."""
    centres = []
    for channel in range(3):
        others = np.delete(image.astype(int), channel, axis=2).max(axis=2)
        pure = image[..., channel] - others
        if pure.max() < 80:  # outside, or the picture is grey
            return None
        ys, xs = np.nonzero(pure > 0.6 * pure.max())
        centres.append((xs.mean(), ys.mean()))
    return np.array(centres)


def turn(points: NDArray[np.float64]) -> float:
    """Positive when three points follow one another clockwise, as in the photo, negative mirrored."""
    a, b = points[1] - points[0], points[2] - points[0]
    return float(np.sign(a[0] * b[1] - a[1] * b[0]))


def test_heat_maps_peak_where_the_augmented_picture_shows_the_joint() -> None:
    upright = turn(np.array(list(SPOTS.values()), np.float64))
    seen = {1.0: 0, -1.0: 0}
    for made in (batch(0), batch(1)):
        for image, maps in zip(made.images, made.targets["heatmaps"], strict=True):
            centres = spots(image)
            if centres is None:
                continue
            side = turn(centres) * upright
            names = SPOTS if side > 0 else ("r_wrist", "l_wrist", "nose")
            cells, _ = peaks(maps[[COCO17.id(n) for n in names]])
            assert np.abs(OUTPUT.grid.to_pixel(cells, 8) - centres).max() < 5
            seen[side] += 1
    assert min(seen.values()) >= 4


def test_joints_that_nobody_annotated_are_not_known_and_those_of_nobody_are_known_absent() -> None:
    made = batch()
    ears = [COCO17.id("l_ear"), COCO17.id("r_ear")]
    known, maps = made.targets["known"], made.targets["heatmaps"]
    nobody = known[:, ears].all(axis=1)  # only a scene without anybody says that there is no left ear
    assert 0 < nobody.sum() < 8
    assert not maps[nobody].any()
    assert known[~nobody].sum(1).tolist() == [16] * int((~nobody).sum())


def test_a_batch_follows_from_its_seed_and_step() -> None:
    a, b, other = batch(3), batch(3), batch(4)
    assert (a.images == b.images).all()
    assert (a.targets["heatmaps"] == b.targets["heatmaps"]).all()
    assert (a.images != other.images).any()


def test_the_loss_is_least_at_the_targets_own_maps_and_blind_to_unknown_joints() -> None:
    made = batch()
    maps, known = (torch.from_numpy(made.targets[k]) for k in ("heatmaps", "known"))
    inner = maps.clamp(1e-6, 1 - 1e-6)
    logits = (inner / (1 - inner)).log().requires_grad_()
    terms = heatmap_loss(logits, maps, known)
    sum(terms.values(), torch.zeros(())).backward()
    assert logits.grad is not None
    assert logits.grad.abs().max() < 1e-4
    shifted = heatmap_loss(logits.detach().roll(2, dims=3), maps, known)
    assert all(shifted[k] > terms[k] + 0.1 for k in ("place", "presence"))
    wild = torch.where(known[..., None, None], logits.detach(), 50.0)
    for name, value in heatmap_loss(wild, maps, known).items():
        assert value == pytest.approx(terms[name].item())


def striped() -> JointPhoto:
    """The spots with codes: a right lower arm round the red spot, the left wrist; the rest unknown."""
    photo = spotted()
    codes = np.full(photo.image.shape[:2], IGNORE, np.uint8)
    x, y = SPOTS["l_wrist"]
    codes[y - 5 : y + 6, x - 5 : x + 6] = S31.id("llarm")
    return replace(photo, codes=codes)


def both(step: int = 0, **given: object) -> Batch:
    """Codes and heat maps of the spots on black."""
    dark = [np.zeros((200, 200, 3), np.uint8)]
    sources = JointSources(OUTPUT, [striped()], dark, parts=S31, **given)  # type: ignore[arg-type]
    return make_joint_batch(sources, BatchShape(24, 128, 4), seed=1, step=step)


def test_codes_lie_where_the_joints_are_and_change_sides_with_them() -> None:
    made = both()
    assert made.targets["codes"].shape == (24, 32, 32)
    assert made.targets["heatmaps"].shape == (24, 17, 16, 16)
    sides = {"llarm": 0, "rlarm": 0}
    for codes, maps in zip(made.targets["codes"], made.targets["heatmaps"], strict=True):
        for part, joint in (("llarm", "l_wrist"), ("rlarm", "r_wrist")):
            rows, columns = np.nonzero(codes == S31.id(part))
            if len(rows) < 4:
                continue
            centre = 4 * np.array((columns.mean(), rows.mean())) + 1.5
            (cell,), (height,) = peaks(maps[[COCO17.id(joint)]])
            if height > 0.5 and centre.min() > 12 and centre.max() < 115:
                assert np.abs(OUTPUT.grid.to_pixel(cell, 8) - centre).max() < 6
                sides[part] += 1
    assert min(sides.values()) >= 2


def test_batches_of_both_follow_from_seed_and_step() -> None:
    a, again, other = both(0), both(0), both(1)
    for name, values in a.targets.items():
        assert np.array_equal(values, again.targets[name])
    assert np.array_equal(a.images, again.images)
    assert not np.array_equal(a.images, other.images)


def test_nobody_is_background_and_rendered_people_without_joints_teach_parts_alone() -> None:
    images = np.full((2, 64, 64, 3), 90, np.uint8)
    labels = np.full((2, 64, 64), S31.id("neck"), np.uint8)
    joints = np.zeros((2, 17, 3), np.float32)
    joints[1, COCO17.id("nose")] = 30, 20, 2
    made = both(rendered=[Packed(images, labels, joints)])
    codes, known = made.targets["codes"], made.targets["known"]
    nobody = known.all(axis=1)
    assert nobody.any()
    assert not codes[nobody].any()
    rendered = (codes == S31.id("neck")).any(axis=(1, 2))
    assert {int(n) for n in known[rendered].sum(1)} == {0, 1}
    assert set(np.unique(codes)) <= {0, IGNORE, S31.id("neck"), S31.id("llarm"), S31.id("rlarm")}


def test_a_network_gets_the_batches_of_most_of_its_outputs(tmp_path: Path) -> None:
    parts, joints = PartProbabilities(parts="PASCAL-7"), Heatmaps(joints="COCO-17")
    shape, folders = BatchShape(2, 64, 4), DataFolders()
    with pytest.raises(DataError, match=r"parts and joints need photos"):
        batches_for((parts, joints), folders, shape, 0)
    with pytest.raises(DataError, match=r"^joints need photos"):
        batches_for((joints,), folders, shape, 0)
    with pytest.raises(DataError, match=r"^people need photos"):
        batches_for((parts, JointDisks(joints="COCO-17")), folders, shape, 0)
    with pytest.raises(DataError, match="learns joints"):
        batches_for((parts, joints), replace(folders, own=(tmp_path,)), shape, 0)
    with pytest.raises(ValueError, match=r"^no training data"):
        batches_for((parts, PartLabels(parts="PASCAL-7")), folders, shape, 0)


@pytest.mark.parametrize(("edge", "there"), [(0.4, True), (0.5, True), (0.6, False)])
def test_a_joint_is_there_up_to_half_a_pixel_outside(edge: float, there: bool, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    """A photo as large as the crop, laid as it is: joints beyond a side in each of four photos."""
    still = Ranges(scale=(1, 1), angle=0, shift=0, flip=0)
    monkeypatch.setattr("training.joint_batches.PHOTO_RANGES", still)
    monkeypatch.setattr("training.joint_batches.CLOSE", 0)
    for x, y in ((-edge, 30), (63 + edge, 30), (30, -edge), (30, 63 + edge)):
        points = np.full((17, 2), (x, y), np.float32)
        photo = JointPhoto("edge", np.full((64, 64, 3), 90, np.uint8), points, np.ones(17, np.bool_))
        made = make_joint_batch(JointSources(OUTPUT, [photo], []), BatchShape(1, 64, 8), seed=0, step=0)
        assert (made.targets["heatmaps"].max() > 0.1) == there
        assert made.targets["known"].all()


GROUND = np.random.default_rng(0).integers(0, 255, (90, 60, 3), dtype=np.uint8)
SCENE_RANGES = Ranges(scale=(1.3, 2.5), angle=4, shift=0.3)


def sloped(side: int = 81) -> JointPhoto:
    """A photo whose levels grow to the right and downwards, with two joints and codes in stripes."""
    y, x = np.indices((side, side)).astype(np.uint8)
    points, known = np.random.default_rng(1).uniform(9, 70, (17, 2)).astype(np.float32), np.zeros(17, bool)
    known[[5, 8]] = True
    return JointPhoto("s", np.stack((x, y, x + y), axis=2), points, known, x // 9 + 1)


def drawn(
    *told: float, share: float, parts: bool = True, scene: bool = True, photo: JointPhoto | None = None
):  # type: ignore[no-untyped-def]
    """What is drawn at these chances, all of which are asked for."""
    rng = Chance(*told, *UNCHANGED, share=share)
    sources = JointSources(OUTPUT, [photo or sloped()], [GROUND] if scene else [], S31 if parts else None)
    made = _draw(rng, sources, BatchShape(1, 64, 4))
    assert rng.told == []
    return made


@pytest.mark.parametrize("share", [0, 0.3, 1])
def test_below_eight_in_a_hundred_a_scene_shows_nobody(share: float) -> None:
    made = drawn(0.0799, 0.9, 0.9, share=share)
    m = affine(Chance(0.9, 0.9, share=share), (60, 90), 64, SCENE_RANGES)
    assert np.array_equal(made.picture, warp(GROUND, m, 64))
    assert (made.codes.shape, made.codes.any()) == ((16, 16), False)
    assert (made.there.any(), made.known.all()) == (False, True)


@pytest.mark.parametrize("share", [0, 0.3, 1])
@pytest.mark.parametrize("close", [0.3, 0.2999])
@pytest.mark.parametrize("wild", [0.08, 0.0799])
def test_a_photo_alone_is_moved_and_lies_on_its_own_mean_colour(
    share: float, close: float, wild: float
) -> None:
    photo, ranges = sloped(), Ranges(scale=(0.5, 1.8), angle=20, wild_angle=0.08, shift=0.15)
    made = drawn(close, wild, 0.4, share=share, scene=False)
    centre = None if close == 0.3 else photo.points[5 if share < 1 else 8]
    m = affine(Chance(wild, 0.4, share=share), (81, 81), 64, ranges, centre)
    assert mirrors(m)
    order = list(COCO17.mirror_ids)
    points = (photo.points @ m[:, :2].T + m[:, 2])[order]
    assert np.allclose(made.points, points, atol=1e-3)
    assert np.array_equal(made.known, photo.known[order])
    assert np.array_equal(made.there, made.known & ((points >= -0.5) & (points <= 63.5)).all(axis=1))
    assert photo.codes is not None
    assert np.array_equal(made.codes, warp_codes(photo.codes, m, 64, 4, IGNORE))
    laid = warp(np.dstack((photo.image, np.full((81, 81), 255, np.uint8))), m, 64).astype(float)
    rest = 1 - laid[..., 3:] / 255
    assert np.abs(made.picture - (laid[..., :3] + rest * (40, 40, 80))).max() < 1.01
    unknown = drawn(
        close, wild, 0.4, share=share, scene=False, photo=replace(photo, known=photo.known & False)
    )
    assert not unknown.known.any()


@pytest.mark.parametrize(("elsewhere", "replaced"), [(0.7, False), (0.6999, True)])
@pytest.mark.parametrize("covered", [None, 0.12, 0.1199])
def test_a_small_photo_lies_on_another_scene_and_something_before_it(
    elsewhere: float, replaced: bool, covered: float | None
) -> None:
    """Nothing is laid before people whose parts are not taught."""
    asked = (0.08, 0.3, 0.9, 0.9, elsewhere, *([0.9, 0.9] if replaced else []))
    made = drawn(*asked, *([] if covered is None else [covered]), share=0.3, parts=covered is not None)
    rng, photo = Chance(share=0.3), sloped()
    m = affine(Chance(0.9, 0.9, share=0.3), (81, 81), 64, Ranges(scale=(0.5, 1.8), angle=20, shift=0.15))
    laid = warp(np.dstack((photo.image, np.full((81, 81), 255, np.uint8))), m, 64).astype(float)
    rest, codes = 1 - laid[..., 3:] / 255, warp_codes(photo.codes, m, 64, 4, IGNORE)  # type: ignore[arg-type]
    around: np.ndarray = np.array((40, 40, 80))
    if replaced:
        around = warp(GROUND, affine(Chance(0.9, 0.9, share=0.3), (60, 90), 64, SCENE_RANGES), 64)
        codes = np.where(rest[2::4, 2::4, 0] == 1, 0, codes).astype(np.uint8)
    picture = (laid[..., :3] + rest * around).astype(np.uint8)
    if covered == 0.1199:
        occlude(rng, picture, codes, GROUND)
    assert np.abs(made.picture - picture.astype(int)).max() <= 1
    assert np.array_equal(made.codes, codes)


def test_a_photo_that_fills_its_picture_asks_for_no_other_scene() -> None:
    made = drawn(0.08, 0.3, 0.0799, 0.9, 0.9, share=1)
    assert made.picture[..., 2].max() <= 160
    assert (made.codes != IGNORE).all()


@pytest.mark.parametrize(("chance", "rendered"), [(0.35, False), (0.3499, True)])
def test_rendered_people_have_a_third_where_nothing_else_is_said(chance: float, rendered: bool) -> None:
    images = np.full((3, 40, 40, 3), 7, np.uint8)
    sets = [Packed(images, np.full((3, 40, 40), k, np.uint8)) for k in (18, 2)]
    sources = JointSources(OUTPUT, [filled(9)], [], S31, sets)
    codes = _draw(Chance(chance, 0.9, 0.9, 0.9, *UNCHANGED, share=0), sources, BatchShape(1, 64, 4)).codes
    assert ((codes == 18).any(), (codes == 9).any()) == (rendered, not rendered)


@pytest.mark.parametrize(("share", "code"), [(0.49, 18), (0.51, 9), (0.74, 9), (0.76, 2)])
def test_published_people_are_drawn_by_their_weights(share: float, code: int) -> None:
    published = [([filled(18)], 2.0), ([filled(9)], 1.0)]
    sources = JointSources(OUTPUT, [filled(2)], [], S31, published=published)
    codes = _draw(Chance(0.9, 0.9, 0.9, *UNCHANGED, share=share), sources, BatchShape(1, 64, 4)).codes
    assert (codes == code).any()
    alone = replace(sources, photos=[])
    codes = _draw(Chance(0.9, 0.9, 0.9, *UNCHANGED, share=share), alone, BatchShape(1, 64, 4)).codes
    assert (codes == (18 if share < 2 / 3 else 9)).any()


def filled(code: int, side: int = 64) -> JointPhoto:
    image, known = np.full((side, side, 3), 90, np.uint8), np.ones(17, np.bool_)
    points = np.full((17, 2), side / 2, np.float32)
    return JointPhoto("f", image, points, known, np.full((side, side), code, np.uint8))


def test_photos_and_what_holds_them_cannot_be_changed() -> None:
    for held, name in ((spotted(), "codes"), (JointSources(OUTPUT, [], []), "photos")):
        with pytest.raises(FrozenInstanceError):
            setattr(held, name, None)
