"""Photos with joints as batches of heat maps: what is known, what is not there, and what a mirror does."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from models.codecs.heatmaps import peaks
from models.labels import COCO17, IGNORE, LSP14, S31
from models.outputs import Heatmaps, JointDisks, PartLabels, PartProbabilities
from training.augment import Ranges
from training.batches import DataFolders, batches_for
from training.heatmap_loss import heatmap_loss
from training.joint_batches import JointSources, make_joint_batch
from training.joint_photos import (
    LANDMARKS,
    JointPhoto,
    annotated,
    read_joint_photos,
    with_landmarks,
)
from training.photos import DEVELOPMENT_TEST, GARMENTS, DataError, Photo
from training.scribbles import Skeleton
from training.stream import Batch, BatchShape, Packed
from training.targets import SET_CODES
from training.teacher_labels import read_landmarks

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


def test_annotators_come_before_the_teacher(tmp_path: Path) -> None:
    xy = np.tile(np.arange(14, dtype=np.float32)[:, None] * 4, (1, 2))
    visible = np.full(14, 2, np.int8)
    visible[LSP14.id("l_knee")] = 0
    image = np.zeros((90, 90, 3), np.uint8)
    photo = annotated(Photo("a.jpg", image, image[..., 0], Skeleton(xy, visible)), COCO17)
    assert not photo.known[[COCO17.id("l_knee"), COCO17.id("nose")]].any()
    rows = [[7.0, 8.0, 0.9] for _ in range(33)]
    rows[2][2] = 0.1  # the left eye is hidden
    file = tmp_path / "landmarks.json"
    file.write_text(json.dumps({"images": {"a": {"landmarks": rows}}}))
    (whole,) = with_landmarks([photo], read_landmarks(tmp_path), COCO17)
    assert whole.points[COCO17.id("r_ankle")].tolist() == [0, 0]
    assert whole.points[COCO17.id("l_knee")].tolist() == whole.points[COCO17.id("nose")].tolist() == [7, 8]
    assert np.flatnonzero(~whole.known).tolist() == [COCO17.id("l_eye")]


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
    assert batches_for((parts, PartLabels(parts="PASCAL-7")), folders, shape, 0)


def joint_folders(root: Path, annotated_joints: int) -> Path:
    """One picture of each source, the teacher's landmarks of all, so many joints annotated in LSP's."""
    picture = np.full((30, 40, 3), 90, np.uint8)
    rows = [[5 + k, 20, 1 if k < annotated_joints else 0] for k in range(14)]
    names = [f"{i:03d}" for i in range(DEVELOPMENT_TEST + 1)]
    for folder, stems in (("lsp/images", names), ("lspet/images", names[:1]), ("ccp/images", names),
                          ("ccp_unlabelled", names[:1])):  # fmt: skip
        (root / folder).mkdir(parents=True)
        for stem in stems:
            cv2.imwrite(str(root / folder / f"{stem}.jpg"), picture)
    for name in ("lsp", "lspet"):
        (root / name / "keypoints.json").write_text(json.dumps({"images": dict.fromkeys(names, rows)}))
    (root / "ccp" / "labels.json").write_text(json.dumps(list(GARMENTS)))
    for kind in ("silhouettes", "labels"):
        (root / "ccp" / kind).mkdir()
        cv2.imwrite(str(root / "ccp" / kind / f"{names[0]}.png"), picture[..., 0] * 0)
    return root


@pytest.mark.parametrize("annotated_joints", [0, 2, 3, 4])
def test_photos_with_enough_joints_are_read_and_precise_ones_drawn_more_often(
    annotated_joints: int, tmp_path: Path
) -> None:
    """Ankles, knees and hips of LSP are in COCO; the nose is told by a teacher who saw it."""
    root = joint_folders(tmp_path, annotated_joints)
    seen = np.zeros((33, 3))
    seen[LANDMARKS["nose"]] = 7, 8, 1
    for name, table in (("lsp", seen), ("lspet", seen * 0), ("ccp", seen * 0 + 1), ("ccp_unlabelled", seen)):
        (root / "teacher" / name).mkdir(parents=True)
        held = {"images": {"000": {"landmarks": table.tolist()}}}
        (root / "teacher" / name / "landmarks.json").write_text(json.dumps(held))
    photos = read_joint_photos(root)
    told = [int(p.known.sum()) for p in photos]
    precise = [annotated_joints + 1] * 3 if annotated_joints >= 3 else []
    assert told == [*precise, *([annotated_joints] if annotated_joints == 4 else []), len(LANDMARKS)]
    if precise:
        assert photos[0].points[COCO17.id("nose")].tolist() == [7, 8]
    assert {p.name for p in photos} == {"000.jpg"}, "the last ones by name are for testing"


def test_a_photo_is_moved_within_its_ranges_and_a_third_looks_at_a_joint() -> None:
    """The distance of two joints tells the scale, 0.5 to 1.8; the middle is 0.15 of the crop about."""
    image, points = np.full((200, 200, 3), 90, np.uint8), np.full((17, 2), 190, np.float32)
    points[COCO17.id("nose")] = 10, 10
    known = np.zeros(17, np.bool_)
    known[COCO17.id("nose")] = True
    sources = JointSources(OUTPUT, [JointPhoto("corner", image, points, known)], [])
    batch = make_joint_batch(sources, BatchShape(400, 64, 8), seed=3, step=0)
    cells, heights = peaks(batch.targets["heatmaps"][:, COCO17.id("nose")])
    there = heights > 0.3
    middle = np.abs(OUTPUT.grid.to_pixel(cells, 8) - 31.5).max(axis=1) < 0.15 * 64 + 4
    assert np.mean(there & middle) == pytest.approx(0.3 + 0.05, abs=0.08)
    assert (batch.targets["known"].sum(axis=1) == 1).all()
    assert "codes" not in batch.targets


@pytest.mark.parametrize(("edge", "there"), [(0.4, True), (0.6, False)])
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


def shares(sources: JointSources, count: int = 300) -> dict[int, float]:
    """How many pictures have which codes in them."""
    codes = make_joint_batch(sources, BatchShape(count, 64, 4), seed=5, step=1).targets["codes"]
    return {int(c): float((codes == c).any(axis=(1, 2)).mean()) for c in np.unique(codes)}


def filled(code: int, side: int = 64) -> JointPhoto:
    image, known = np.full((side, side, 3), 90, np.uint8), np.ones(17, np.bool_)
    points = np.full((17, 2), side / 2, np.float32)
    return JointPhoto("f", image, points, known, np.full((side, side), code, np.uint8))


def test_people_come_from_their_sources_by_their_shares() -> None:
    neck, spine, hat = (filled(c) for c in (S31.id("neck"), SET_CODES["person"], SET_CODES["head"]))
    made = Packed(np.full((3, 64, 64, 3), 90, np.uint8), np.full((3, 64, 64), S31.id("neck"), np.uint8))
    some = JointSources(OUTPUT, [spine], [], S31, [made], 0.3)
    found = shares(some)
    assert found[S31.id("neck")] == pytest.approx(0.3, abs=0.07)
    assert found[SET_CODES["person"]] == pytest.approx(0.7, abs=0.07)
    others = JointSources(OUTPUT, [spine], [], S31, published=[([neck], 2.0), ([hat], 1.0)])
    found = shares(others)
    assert found[S31.id("neck")] == pytest.approx(0.5, abs=0.08)
    assert found[SET_CODES["head"]] == pytest.approx(0.25, abs=0.08)
    alone = shares(JointSources(OUTPUT, [], [], S31, published=[([neck], 2.0), ([hat], 1.0)]))
    assert alone[S31.id("neck")] == pytest.approx(2 / 3, abs=0.08)
    assert shares(JointSources(OUTPUT, [spine], [], S31, [made], 1))[S31.id("neck")] == 1


def test_scenes_without_anybody_patches_and_other_surroundings_have_their_shares() -> None:
    """Without backgrounds, beside a photo nothing is known; with them, mostly a scene is."""
    neck, scene = S31.id("neck"), np.full((90, 90, 3), (250, 0, 0), np.uint8)
    plain = JointSources(OUTPUT, [filled(neck)], [], S31)
    assert set(shares(plain)) == {neck, IGNORE}
    sources = JointSources(OUTPUT, [filled(neck)], [scene], S31)
    made = make_joint_batch(sources, BatchShape(400, 64, 4), seed=5, step=1)
    codes, red = made.targets["codes"], np.ptp(made.images.astype(int), axis=3) > 40
    nobody = ~(codes == neck).any(axis=(1, 2))
    assert nobody.mean() == pytest.approx(0.08, abs=0.04)
    assert not codes[nobody].any()
    assert not made.targets["heatmaps"][nobody].any()
    assert made.targets["known"].all()
    ground, unknown = ((codes == code).sum(axis=(1, 2)) for code in (0, IGNORE))
    small = ~nobody & (ground + unknown > 60)
    elsewhere = small & (ground > unknown)
    assert elsewhere.sum() / small.sum() == pytest.approx(0.7, abs=0.12)
    coloured = red.mean(axis=(1, 2)) > 0.02
    assert coloured[elsewhere].mean() > 0.8, "the scene is seen where it is said to be"
    whole = ~nobody & (codes == neck).all(axis=(1, 2))
    assert coloured[whole].mean() < 0.1
