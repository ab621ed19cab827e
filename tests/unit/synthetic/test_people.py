"""Synthetic people: what every picture must satisfy, and what a picture of a known pose must show."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("anny", reason="synthetic people need anny (extra `train`)")
pytest.importorskip("numba", reason="synthetic people need numba (extra `train`)")

from models.labels import COCO17, S31
from synthetic import scene
from synthetic.dataset import Recipe, write_dataset, write_packed
from synthetic.generate import Generator
from synthetic.rendering import render
from synthetic.skeleton import transforms

POOL = 10  # bodies: a pool of them is built in a second once anny has its own cache
SHARED = Path(__file__).resolve().parents[4] / "shared" / "data"
# The first construction of anny and the first compilation take most of a minute on a bare machine.
pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def generator():
    return Generator(size=128, pool=POOL)


@pytest.fixture(scope="module")
def samples(generator):
    return [generator.sample(i) for i in range(24)]


@pytest.fixture(scope="module")
def frontal(generator):
    """(labels, joints in pixels (17, 3)) of a clothed person in the rest pose facing the camera."""
    rng = np.random.default_rng(4)
    person = upright(generator, rng)
    low, high = person.vertices.min(axis=0), person.vertices.max(axis=0)
    middle, height = (low + high) / 2, float(high[2] - low[2])
    size = generator.size
    camera = scene.PinholeCamera(
        turn=np.asarray([[1, 0, 0], [0, 0, -1], [0, 1, 0]], np.float32),
        place=(middle - [0, 2 * 1.15 * height, 0]).astype(np.float32),
        focal_px=2.0 * size,
        centre=np.full(2, (size - 1) / 2, np.float32),
    )
    mesh, layer = scene.join([person.pieces], camera)
    light = scene.light(rng, np.full(3, 0.5, np.float32))
    labels = render(mesh, layer, camera, light, generator.tables, (size, size)).labels
    return labels, camera.project(camera.see(person.joints))


def upright(generator, rng):
    """A person in the rest pose, as ``_person`` makes one, without its random turn."""
    figure = generator.dresser.person(rng)
    pose = generator.skeleton.rest_pose()
    rotations, offsets = transforms(pose, figure.heads, generator.bodies.parents)
    return generator._posed(figure, rotations, offsets)


def test_same_index_same_picture(generator, samples):
    again = generator.sample(3)
    for name in ("image", "labels", "instances", "keypoints"):
        assert np.array_equal(getattr(again, name), getattr(samples[3], name)), name
    assert not np.array_equal(samples[3].image, samples[4].image)


def test_order_of_calls_does_not_matter(generator, samples):
    fresh = Generator(size=128, pool=POOL)
    assert np.array_equal(fresh.sample(7).image, samples[7].image)


def test_shapes_and_ranges(samples):
    for s in samples:
        assert s.image.shape == (128, 128, 3)
        assert s.image.dtype == s.labels.dtype == s.instances.dtype == np.uint8
        assert s.labels.max() < S31.classes
        assert s.keypoints.shape[1:] == (17, 3)
        assert set(np.unique(s.keypoints[..., 2])) <= {0, 1, 2}


def test_silhouette_labels_and_instances_agree(samples):
    for s in samples:
        assert np.array_equal(s.silhouette, s.labels > 0)
        assert np.array_equal(s.silhouette, s.instances > 0)
        assert s.instances.max() <= len(s.keypoints)


def test_every_part_occurs(samples):
    seen = np.bincount(np.concatenate([s.labels.ravel() for s in samples]), minlength=S31.classes)
    missing = [S31.class_names[i] for i in np.nonzero(seen == 0)[0]]
    assert not missing


def test_left_is_on_the_right_of_a_person_who_faces_us(frontal):
    labels, _ = frontal
    middle = {}
    for i, name in enumerate(S31.names, start=1):
        columns = np.nonzero(labels == i)[1]
        assert len(columns), f"{name} is not visible"
        middle[name] = columns.mean()
    for name in S31.names:
        if name.startswith("l"):
            assert middle[name] > middle["r" + name[1:]], name


def test_a_frontal_person_is_symmetric(frontal):
    labels, _ = frontal
    mirrored = S31.mirror()[labels[:, ::-1]]
    both = (labels > 0) & (mirrored > 0)
    assert both.sum() > 0.8 * (labels > 0).sum()
    assert (labels == mirrored)[both].mean() > 0.75


def test_parts_lie_in_order_down_the_body(frontal):
    labels, _ = frontal
    rows = [np.nonzero(labels == S31.id("l" + n))[0].mean() for n in
            ("uhead", "lhead", "ubody", "lbody", "uleg", "knee", "lleg", "ankle", "foot")]  # fmt: skip
    assert rows == sorted(rows)


@pytest.mark.parametrize(
    ("joint", "parts"),
    [("wrist", "wrist larm hand"), ("elbow", "elbow uarm larm"), ("shoulder", "shoulder uarm ubody"),
     ("knee", "knee uleg lleg"), ("ankle", "ankle lleg foot"), ("hip", "lbody uleg")],
)  # fmt: skip
def test_joints_lie_on_their_parts(frontal, joint, parts):
    labels, joints = frontal
    for side in "lr":
        x, y, _ = joints[COCO17.id(f"{side}_{joint}")]
        allowed = np.isin(labels, [S31.id(side + p) for p in parts.split()])
        rows, columns = np.nonzero(allowed)
        assert np.hypot(rows - y, columns - x).min() < 2.0, f"{side}_{joint}"


def test_visible_joints_of_any_picture_lie_on_their_person(samples):
    wrists = 0
    for s in samples:
        for i, person in enumerate(s.keypoints):
            for x, y, v in person:
                assert v == 0 or (-0.5 <= x < 127.5 and -0.5 <= y < 127.5)
                if v == 2:
                    assert s.instances[round(float(y)), round(float(x))] == i + 1
            for side in "lr":
                x, y, v = person[COCO17.id(f"{side}_wrist")]
                if v == 2:
                    wrists += 1
                    label = s.labels[round(float(y)), round(float(x))]
                    assert S31.class_names[label] in {side + p for p in ("wrist", "larm", "hand")}
    assert wrists > 5


def test_splits_share_no_body(generator):
    held_out = Generator(size=64, pool=POOL, split="test")
    assert not set(generator.dresser.pool) & set(held_out.dresser.pool)
    assert not np.array_equal(generator.sample(0).image[:64, :64], held_out.sample(0).image)


def test_backgrounds_are_split_without_overlap(tmp_path):
    from synthetic.backgrounds import Backgrounds

    for i in range(20):
        (tmp_path / f"{i:02d}.jpg").touch()
    train, test = (Backgrounds([tmp_path], test=t) for t in (False, True))
    assert not set(train.paths) & set(test.paths)
    assert len(train.paths) + len(test.paths) == 20


def test_an_unreadable_background_is_named(tmp_path):
    (tmp_path / "broken.jpg").write_bytes(b"no picture")
    with pytest.raises(ValueError, match=r"broken\.jpg: not a readable picture"):
        Generator(size=64, pool=POOL, backgrounds=[tmp_path])


def test_a_missing_folder_is_named(tmp_path, capsys):
    from synthetic.__main__ import main

    absent = str(tmp_path / "absent")
    assert main(["--count", "1", "--out", str(tmp_path), "--workers", "1", "--assets", absent]) == 1
    assert f"{absent}: no such folder" in capsys.readouterr().err


@pytest.mark.parametrize("wrong", [("--count", "0"), ("--count", "x"), ("--count", "1", "--size", "0")])
def test_what_is_no_count_is_wrong_usage(tmp_path, capsys, wrong):
    from synthetic.__main__ import main

    with pytest.raises(SystemExit) as ended:
        main([*wrong, "--out", str(tmp_path / "out")])
    assert ended.value.code == 2
    assert "give a number from 1 on" in capsys.readouterr().err


def test_nothing_to_write_is_refused(tmp_path):
    with pytest.raises(ValueError, match="at least 1"):
        write_packed(tmp_path / "none", 0)


def test_written_files_match_the_samples(tmp_path):
    recipe = Recipe(size=96, seed=5, pool=POOL)
    write_dataset(tmp_path / "set", 3, recipe, workers=1)
    images, labels = write_packed(tmp_path / "pack", 3, recipe, workers=1)
    assert np.load(images, mmap_mode="r").shape == (3, 96, 96, 3)
    expected = recipe.generator().sample(2)
    assert np.array_equal(np.load(labels)[2], expected.labels)
    assert np.array_equal(np.load(images)[2], expected.image)
    keypoints = json.loads((tmp_path / "set" / "keypoints.json").read_text())["keypoints"]
    assert sorted(keypoints) == ["000000", "000001", "000002"]
    assert np.allclose(keypoints["000002"], expected.keypoints, atol=0.01)
    assert (tmp_path / "set" / "contact_sheet.jpg").stat().st_size > 1000
    assert json.loads((tmp_path / "set" / "labels.json").read_text())["names"] == list(S31.class_names)
    for i in range(3):
        silhouette, written, instances = (
            cv2.imread(str(tmp_path / "set" / folder / f"{i:06d}.png"), cv2.IMREAD_UNCHANGED)
            for folder in ("silhouettes", "labels", "instances")
        )
        assert np.array_equal(silhouette, np.where(written > 0, 255, 0))
        assert np.array_equal(silhouette > 0, instances > 0)
    packed_files = ["pack.images.npy", "pack.keypoints.npy", "pack.labels.npy", "set"]
    assert sorted(p.name for p in tmp_path.iterdir()) == packed_files
    alone = {int(i): people[0] for i, people in keypoints.items() if len(people) == 1}
    packed = np.load(tmp_path / "pack.keypoints.npy")
    assert alone
    assert all(np.allclose(packed[i], alone.get(i, 0), atol=0.01) for i in range(3))


@pytest.mark.skipif(not (SHARED / "makehuman").is_dir(), reason="no MakeHuman assets beside the checkout")
def test_splits_share_no_garment_no_hair_and_no_pose(generator):
    train, test = (
        Generator(SHARED / "makehuman", SHARED / "poses", size=64, pool=POOL, split=s)
        for s in ("train", "test")
    )
    for kind in ("suits", "shoes", "hairs"):
        learned, held_out = ({item.name for item in getattr(g.dresser.wardrobe, kind)} for g in (train, test))
        assert learned
        assert held_out
        assert not learned & held_out
    assert {s.name.split("_")[0] for s in test.dresser.wardrobe.suits} == {"female", "male"}
    learned, held_out = ({pose.tobytes() for pose in g.motions} for g in (train, test))
    assert held_out
    assert not learned & held_out
    assert (test.sample(1).labels > 0).any()


def test_every_nth_is_held_out_and_none_of_a_few():
    from synthetic.splits import of_split

    assert of_split("abcdefghi", test=True) == ["a", "e", "i"]
    assert of_split("abcdefghi", test=False) == list("bcdfgh")
    assert of_split("abc", test=True) == []
    assert of_split("abc", test=False) == list("abc")


@pytest.mark.skipif(not (SHARED / "makehuman").is_dir(), reason="no MakeHuman assets beside the checkout")
def test_clothes_and_poses_from_files():
    generator = Generator(SHARED / "makehuman", SHARED / "poses", size=96, pool=POOL)
    assert len(generator.motions) > 1000
    wardrobe = generator.dresser.wardrobe
    assert all((wardrobe.suits, wardrobe.shoes, wardrobe.hairs))
    rest = generator.bodies.rest[0]
    for item in (*wardrobe.suits, *wardrobe.shoes, *wardrobe.hairs):
        points = item.placed(rest)
        assert np.isfinite(points).all()
        # A garment that was read or scaled wrongly lies far from the body.
        inside = (points > rest.min(axis=0) - 0.25) & (points < rest.max(axis=0) + 0.25)
        assert inside.all(), item.name
    for pose in generator.motions[::97]:
        assert np.allclose(pose @ pose.transpose(0, 2, 1), np.eye(3), atol=1e-3)
    assert (generator.sample(1).labels > 0).any()


def test_a_folder_that_cannot_be_written_is_named(tmp_path, capsys):
    from synthetic.__main__ import main

    (tmp_path / "set").write_text("a file where the folder should be")
    assert main(["--count", "1", "--out", str(tmp_path / "set")]) == 1
    assert str(tmp_path / "set") in capsys.readouterr().err
