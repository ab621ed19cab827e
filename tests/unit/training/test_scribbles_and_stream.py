"""Weak labels and batches."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from models.labels import IGNORE, LSP14, S31
from training.augment import Ranges, affine, warp, warp_codes
from training.metrics import HitRates, pose_report, probe_pose
from training.photos import DataError, Photo, read_ccp, read_lsp
from training.scribbles import Skeleton, scribble
from training.stream import BatchShape, Mixture, Packed, Sources, Stream, make_batch
from training.targets import SET_CODES
from training.workers import WorkerStream

# a person facing the camera: their right side is on the left of the picture
STANDING = {
    "head_top": (100, 20),
    "neck": (100, 60),
    "r_shoulder": (75, 70),
    "l_shoulder": (125, 70),
    "r_elbow": (55, 110),
    "l_elbow": (145, 110),
    "r_wrist": (45, 150),
    "l_wrist": (155, 150),
    "r_hip": (85, 150),
    "l_hip": (115, 150),
    "r_knee": (80, 205),
    "l_knee": (120, 205),
    "r_ankle": (78, 260),
    "l_ankle": (122, 260),
}


def standing(visible: int = 2) -> Skeleton:
    xy = np.array([STANDING[n] for n in LSP14.names], dtype=np.float32)
    return Skeleton(xy, np.full(14, visible, dtype=np.int8))


def test_a_scribble_scores_fully_on_the_measures_it_is_meant_for() -> None:
    """The weak labels and the measures must agree on where a limb, a joint and the background are."""
    codes = scribble(standing(), (200, 300))
    labels = np.where(codes == IGNORE, 0, codes).astype(np.uint8)
    labels[labels == SET_CODES["head"]] = S31.id("ruhead")
    tally = HitRates()
    probe_pose(labels, standing(), tally)
    report = pose_report(tally)
    assert report["limb probe"] == 1.0
    assert report["background probe"] == 1.0
    assert report["head"] == 1.0
    assert report["centroid PCK"] == 1.0


def test_right_is_the_persons_own() -> None:
    codes = scribble(standing(), (200, 300))
    assert codes[132, 50] == S31.id("rlarm")
    assert codes[132, 150] == S31.id("llarm")
    assert codes[90, 88] == S31.id("rubody")


def test_occluded_joints_teach_nothing_but_still_keep_the_background_away() -> None:
    codes = scribble(standing(visible=1), (200, 300))
    assert set(np.unique(codes)) == {0, IGNORE}
    assert codes[132, 50] == IGNORE


def test_few_joints_teach_nothing() -> None:
    s = standing()
    s.visible[3:] = 0
    assert (scribble(s, (200, 300)) == IGNORE).all()


def test_flip_swaps_sides_in_picture_and_labels_together() -> None:
    image = np.zeros((64, 64, 3), dtype=np.uint8)
    image[:, :32] = 255
    codes = np.full((64, 64), S31.id("lhand"), dtype=np.uint8)
    codes[:, :32] = S31.id("rhand")
    still = Ranges(scale=(1, 1), angle=0, shift=0, flip=1.0)
    m = affine(np.random.default_rng(0), (64, 64), 64, still)
    picture, target = warp(image, m, 64), warp_codes(codes, m, 64, 4, IGNORE)
    assert picture[32, 48].tolist() == [255] * 3
    assert target[8, 12] == S31.id("lhand"), "what was the right hand is the left one in the mirror"
    assert target[8, 4] == S31.id("rhand")


def test_labels_stay_under_their_pixels() -> None:
    """A label and its pixel go through the same map: the white square's cells carry its label."""
    rng = np.random.default_rng(3)
    image = np.zeros((200, 150, 3), dtype=np.uint8)
    codes = np.zeros((200, 150), dtype=np.uint8)
    image[60:120, 40:110] = 255
    codes[60:120, 40:110] = S31.id("neck")
    ranges = Ranges(scale=(0.4, 1.6), angle=40, wild_angle=0.3)
    for _ in range(20):
        m = affine(rng, (150, 200), 128, ranges)
        picture, target = warp(image, m, 128), warp_codes(codes, m, 128, 4, 0)
        coarse = picture[..., 0].reshape(32, 4, 32, 4).mean((1, 3)) > 127
        disagree = (coarse != (target == S31.id("neck"))).sum()
        assert disagree <= 0.12 * max(20, coarse.sum() + 60)


def _sources() -> Sources:
    rng = np.random.default_rng(0)
    image = rng.integers(0, 255, (90, 60, 3), dtype=np.uint8)
    photo = Photo("a", image, np.full((90, 60), 5, dtype=np.uint8))
    people = [
        Packed(rng.integers(0, 255, (n, 64, 64, 3), dtype=np.uint8), np.full((n, 64, 64), 7, np.uint8))
        for n in (1, 3)
    ]
    cutout = Photo("c", np.dstack((image, image[..., :1])), photo.codes)
    return Sources(people, [photo], [photo], [cutout], [image])


def test_batches_are_the_same_for_the_same_seed_and_step() -> None:
    shape = BatchShape(8, 64, 4)
    a, b = (make_batch(_sources(), Mixture(), shape, seed=1, step=7) for _ in range(2))
    other = make_batch(_sources(), Mixture(), shape, seed=1, step=8)
    assert (a.images == b.images).all()
    assert (a.targets["codes"] == b.targets["codes"]).all()
    assert (a.images != other.images).any()
    assert a.images.shape == (8, 64, 64, 3)
    assert a.targets["codes"].shape == (8, 16, 16)


def test_stream_starts_where_it_is_told_and_ends() -> None:
    stream = Stream(partial(make_batch, _sources(), Mixture(), BatchShape(4, 32, 8), seed=1), start=5)
    try:
        first = next(iter(stream))
    finally:
        stream.close()
    assert (
        first.images == make_batch(_sources(), Mixture(), BatchShape(4, 32, 8), seed=1, step=5).images
    ).all()


def test_no_data_is_refused_in_words() -> None:
    with pytest.raises(ValueError, match="--data"):
        make_batch(Sources(), Mixture(), BatchShape(2, 32, 4), seed=0, step=0)


def test_readers_name_bad_files_and_go_on(shared_data, tmp_path, caplog) -> None:  # type: ignore[no-untyped-def]
    import shutil

    for sub in ("images", "silhouettes", "labels"):
        (tmp_path / sub).mkdir()
    shutil.copy(shared_data / "ccp" / "labels.json", tmp_path)
    stems = sorted(p.stem for p in (shared_data / "ccp" / "images").iterdir())[:3]
    for stem in stems:
        shutil.copy(shared_data / "ccp" / "images" / f"{stem}.jpg", tmp_path / "images")
        for sub in ("silhouettes", "labels"):
            shutil.copy(shared_data / "ccp" / sub / f"{stem}.png", tmp_path / sub)
    (tmp_path / "images" / f"{stems[0]}.jpg").write_bytes(b"not a picture")
    (tmp_path / "silhouettes" / f"{stems[1]}.png").unlink()
    photos = read_ccp(tmp_path, "test")
    assert [p.name for p in photos] == [f"{stems[2]}.jpg"]
    for words in (*stems[:2], "2 of 3"):
        assert words in caplog.text
    with pytest.raises(DataError, match=stems[0]):
        read_ccp(tmp_path, "test", strict=True)
    with pytest.raises(DataError, match="images"):
        read_lsp(_empty_lsp(tmp_path / "none"), "all")


def _empty_lsp(folder):  # type: ignore[no-untyped-def]
    (folder / "images").mkdir(parents=True)
    (folder / "keypoints.json").write_text('{"images": {}}')
    return folder


def _standing(right_x: float, left_x: float) -> Skeleton:
    """A person upright, arms and legs straight down, broadside."""
    rows = {"hip": 120, "knee": 170, "ankle": 220, "wrist": 130, "elbow": 95, "shoulder": 60}
    xy = np.zeros((14, 2), np.float32)
    for name, y in rows.items():
        for side, x in (("r_", right_x), ("l_", left_x)):
            xy[LSP14.id(side + name)] = (x, y)
    xy[LSP14.id("neck")], xy[LSP14.id("head_top")] = (100, 50), (100, 15)
    return Skeleton(xy, np.full(14, 2, np.int8))


def test_a_broadside_persons_head_has_two_halves() -> None:
    front, back = (scribble(_standing(*x), (200, 240)) for x in ((80, 120), (120, 80)))
    xs = {name: np.nonzero(front == SET_CODES[f"{name} head"])[1] for name in ("right", "left")}
    assert xs["right"].mean() < 98
    assert xs["left"].mean() > 102
    assert np.nonzero(back == SET_CODES["right head"])[1].mean() > 102


def test_who_is_seen_from_behind() -> None:
    assert _standing(120, 80).from_behind()
    assert not _standing(80, 120).from_behind()
    assert not _standing(98, 102).from_behind()


def test_worker_processes_give_the_same_batches_in_order() -> None:
    people = Packed(
        np.random.default_rng(0).integers(0, 255, (4, 32, 32, 3), dtype=np.uint8),
        np.ones((4, 32, 32), np.uint8),
    )
    sources, shape = Sources((people,)), BatchShape(2, 32, 4)
    made = WorkerStream(partial(make_batch, sources, Mixture(), shape, seed=3), start=5, steps=9, workers=2)
    for step, batch in zip(range(5, 9), made, strict=True):
        expected = make_batch(sources, Mixture(), shape, seed=3, step=step)
        assert (batch.images == expected.images).all()
        assert (batch.targets["codes"] == expected.targets["codes"]).all()
    made.close()
