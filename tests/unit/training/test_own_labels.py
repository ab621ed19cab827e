"""Labels of one's own, value by value: joints of several people, silhouettes, names, sizes."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from models.labels import COCO17, IGNORE, LSP14, S31
from tests.unit.training.test_own_photos import JOINTS, drawn, rows, save
from training.datasets.files import BrokenError
from training.datasets.samples import Sample, person
from training.joint_photos import FEWEST
from training.own_photos import OwnLabels, code_table, photo_of, photos_in, read_own, shrunk, taught_by_joints
from training.photos import DataError, Photo
from training.scribbles import Skeleton
from training.targets import SET_CODES


def test_landmarks_complete_the_joints_of_one_person_alone(tmp_path: Path) -> None:
    """Knees are annotated, the rest is the teacher's; of two people nobody knows whose they are."""
    save(tmp_path / "a.png", drawn()[0])
    save(tmp_path / "b.png", drawn()[0])
    names = [*[""] * 11, *COCO17.names[5:11], *[""] * 6, *COCO17.names[11:], *[""] * 4]
    table = [[*JOINTS.get(n, (0, 0)), 0.95] for n in names]
    held = {"images": {stem: {"landmarks": table} for stem in "ab"}}
    (tmp_path / "landmarks.json").write_text(json.dumps(held))
    one = [
        [x + 3, y, v if "knee" in n else 0]
        for n, (x, y, v) in zip(LSP14.names, rows(LSP14.names), strict=True)
    ]
    other = rows(LSP14.names, dx=4)
    (tmp_path / "keypoints.json").write_text(json.dumps({"keypoints": {"a": [one], "b": [other, other]}}))
    single, several = read_own([tmp_path])
    assert single.skeleton is not None
    assert single.skeleton.at("l_knee") == pytest.approx((73, 125))
    assert single.skeleton.at("l_hip") == pytest.approx((72, 98))
    assert several.skeleton is None
    assert several.codes[137, 54] == S31.id("rlleg")


def test_labels_and_silhouette_agree_by_half_of_both(tmp_path: Path) -> None:
    """A silhouette of 100 rows, labels of the same and of 199 or 201 rows: J of 0.5025 and 0.4975."""
    for count, used in ((199, True), (201, False)):
        root = tmp_path / str(count)
        save(root / "images/a.png", np.zeros((220, 20, 3), np.uint8))
        mask, labels = np.zeros((220, 20), np.uint8), np.zeros((220, 20), np.uint8)
        mask[:100], labels[:count] = 255, 9
        save(root / "silhouettes/a.png", mask)
        save(root / "labels/a.png", labels)
        (root / "labels.json").write_text(json.dumps({"labels": [{"name": n} for n in S31.class_names]}))
        if used:
            (photo,) = read_own([root])
            assert (photo.codes[:100] == 9).all()
            assert (photo.codes[100:] == 0).all(), "the silhouette says who is person"
        else:
            with pytest.raises(DataError, match=r"contradict each other \(J 0\.50\)"):
                read_own([root], strict=True)


def test_of_several_people_the_first_drawn_wins_and_far_away_is_nobodys_ground(tmp_path: Path) -> None:
    save(tmp_path / "a.png", np.zeros((160, 400, 3), np.uint8))
    first, second = rows(LSP14.names), [[x, y, v] for x, y, v in rows(LSP14.names, dx=8)]
    few = [[x, y, v if i < FEWEST - 1 else 0] for i, (x, y, v) in enumerate(rows(LSP14.names, dx=200))]
    for people, far in (([first, second], IGNORE), ([first], 0), ([first, few], 0)):
        (tmp_path / "keypoints.json").write_text(json.dumps({"keypoints": {"a": people}}))
        (photo,) = read_own([tmp_path])
        assert photo.codes[137, 50] == S31.id("rlleg")
        assert photo.codes[80, 390] == far
        if len(people) == 2 and far == IGNORE:
            assert photo.codes[137, 58] == S31.id("rlleg"), "the second's, where the first says nothing"
            assert photo.codes[125, 50] == S31.id("rknee"), "not the second's margin"
        assert (photo.skeleton is None) == (far == IGNORE)


@pytest.mark.parametrize(("side", "shown"), [(640, 640), (641, 640), (1280, 640), (100, 100)])
def test_photos_are_at_most_640_px_long(side: int, shown: int) -> None:
    image, codes = np.zeros((side, side // 2, 3), np.uint8), np.full((side, side // 2), 5, np.uint8)
    xy = np.full((14, 2), side / 2, np.float32)
    tips = {"r_toes": np.array((side / 4, side), np.float32)}
    found = shrunk(Photo("a", image, codes, Skeleton(xy, np.full(14, 2, np.int8), tips)))
    assert found.image.shape == (shown, round(shown * (side // 2) / side), 3)
    assert found.codes.shape == found.image.shape[:2]
    assert (found.codes == 5).all()
    assert found.skeleton is not None
    assert found.skeleton.xy == pytest.approx(xy * shown / side)
    assert found.skeleton.tips["r_toes"] == pytest.approx((shown / 4, shown))
    assert shrunk(Photo("a", image, codes)).skeleton is None


@pytest.mark.parametrize(
    ("values", "read"),
    [((0, 1, 255), (0, 1, IGNORE)), ((0, 150, 149), (0, 1, IGNORE)), ((80, 255, 81), (0, 1, IGNORE))],
)
def test_a_silhouette_is_soft_or_says_it_in_so_many_values(
    values: tuple[int, int, int], read: tuple[int, int, int], tmp_path: Path
) -> None:
    given = np.zeros((30, 30), np.uint8)
    for i, value in enumerate(values):
        given[10 * i : 10 * i + 10] = value
    save(tmp_path / "silhouettes/a.png", given)
    found = OwnLabels(tmp_path).silhouette("a", (30, 30))
    assert found is not None
    assert found[::10, 0].tolist() == list(read)


def test_names_of_labels_tell_parts_garments_and_people() -> None:
    table = code_table(["background", "neck", "hat", "left-shoe", "gloves", "trousers", "sofa cover"])
    wanted = [
        0,
        S31.id("neck"),
        *(SET_CODES[n] for n in ("head", "foot", "hand", "trousers", "person", "person")),
    ]
    assert table[:8].tolist() == wanted
    assert table[254:].tolist() == [SET_CODES["person"], IGNORE]


def test_photos_lie_in_the_folder_or_its_images_in_order_of_names(tmp_path: Path) -> None:
    for name in ("b.PNG", "a.jpeg", "c.bmp", "d.txt"):
        (tmp_path / name).write_bytes(b"")
    assert [p.name for p in photos_in(tmp_path)] == ["a.jpeg", "b.PNG", "c.bmp"]
    (tmp_path / "images").mkdir()
    with pytest.raises(DataError, match=r"no photos in it\. Give a folder of \.jpg, \.jpeg, \.png, \.bmp "):
        photos_in(tmp_path)
    with pytest.raises(DataError, match=r"none: there is no such folder\. Give a folder of photos\."):
        photos_in(tmp_path / "none")


@pytest.mark.parametrize(
    ("file", "held"),
    [
        ("labels.json", "{"), ("labels.json", "{}"), ("labels.json", '{"labels": 5}'),
        ("keypoints.json", "[]"), ("keypoints.json", '{"images": {"a": [[]]}}'),
        ("coco.json", '{"images": [{"id": 1}], "annotations": []}'),
    ],
)  # fmt: skip
def test_lists_that_are_none_are_refused_in_words(file: str, held: str, tmp_path: Path) -> None:
    save(tmp_path / "labels/a.png", np.zeros((3, 4), np.uint8))
    (tmp_path / "labels.json").write_text('["background"]')
    (tmp_path / file).write_text(held)
    with pytest.raises(
        DataError, match=r"joints are not readable \(.*\)\. Write what docs/training\.md shows, or "
    ):
        OwnLabels(tmp_path)
    with pytest.raises(
        DataError, match=r"none: there is no such folder\. Give folders that are there to --own\.$"
    ):
        OwnLabels(tmp_path / "none")


@pytest.mark.parametrize(
    "held",
    [
        ["bg", "neck"],
        [{"name": "bg"}, {"name": "neck"}],
        {"names": ["bg", "neck"]},
        {"labels": ["bg", "neck"]},
    ],
)
def test_names_are_a_list_or_in_one(held: object, tmp_path: Path) -> None:
    save(tmp_path / "labels/a.png", np.array([[0, 1, 2, 255]], np.uint8))
    (tmp_path / "labels.json").write_text(json.dumps(held))
    own = OwnLabels(tmp_path)
    codes = own.codes("a", (1, 4))
    assert codes is not None
    assert codes.tolist() == [[0, S31.id("neck"), SET_CODES["person"], IGNORE]]
    assert own.codes("b", (1, 4)) is own.silhouette("a", (1, 4)) is own.people("a") is None
    with pytest.raises(BrokenError, match=r"^labels/a\.png is not of the photo's size$"):
        own.codes("a", (4, 1))


def test_joints_of_nobody_of_one_and_of_two(tmp_path: Path) -> None:
    """COCO's people without keypoints are left out; of another number of joints none is known."""
    one = rows(LSP14.names)
    (tmp_path / "keypoints.json").write_text(
        json.dumps({"images": {"a": one, "b": [one, one], "c": [], "d": [one[1:]]}})
    )
    own = OwnLabels(tmp_path)
    assert [len(own.people(stem) or ()) for stem in "abc"] == [1, 2, 0]
    assert own.people("c") == []
    with pytest.raises(BrokenError, match=r"^13 joints of a person, not 14, 16, 17$"):
        own.people("d")
    (tmp_path / "keypoints.json").unlink()
    points = np.ravel(rows(COCO17.names)).tolist()
    people = [{"image_id": 3}, {"image_id": 3, "keypoints": []}, *[{"image_id": 3, "keypoints": points}] * 2]
    held = {"images": [{"id": 3, "file_name": "a.jpg"}], "annotations": people}
    (tmp_path / "coco.json").write_text(json.dumps(held))
    assert len(OwnLabels(tmp_path).people("a") or ()) == 2


@pytest.mark.parametrize("count", [FEWEST - 1, FEWEST])
def test_a_person_of_four_joints_is_somebody(count: int, tmp_path: Path) -> None:
    xy, visible = np.full((14, 2), 9, np.float32), np.zeros(14, np.int8)
    xy[:, 1] = np.arange(14)
    visible[:count] = 2
    photo = Photo("a", np.zeros((20, 20, 3), np.uint8), np.full((20, 20), IGNORE, np.uint8))
    if count < FEWEST:
        with pytest.raises(BrokenError, match=r"^nobody is in its labels$"):
            taught_by_joints(photo, [Skeleton(xy, visible)])
    else:
        found = taught_by_joints(photo, [Skeleton(xy, visible)])
        assert found.skeleton is not None
        assert S31.id("rknee") in found.codes
    ground = replace(photo, codes=np.zeros((20, 20), np.uint8))
    with pytest.raises(BrokenError, match=r"^nobody is in its labels$"):
        taught_by_joints(ground, [])


def test_a_published_picture_may_have_joints_alone(tmp_path: Path) -> None:
    save(tmp_path / "a.png", drawn()[0])
    table = np.array(rows(LSP14.names))
    one = person(LSP14, table[:, :2], table[:, 2])
    found = photo_of(Sample("a", "train", tmp_path / "a.png", (one,)))
    assert found.codes[137, 50] == S31.id("rlleg")
    assert found.codes.shape == (160, 120)


def test_a_strip_is_a_pixel_wide_at_least() -> None:
    thin = shrunk(Photo("a", np.zeros((1, 6400, 3), np.uint8), np.zeros((1, 6400), np.uint8)))
    assert thin.image.shape == (1, 640, 3)
    kept = Photo("a", np.zeros((640, 2, 3), np.uint8), np.zeros((640, 2), np.uint8))
    assert shrunk(kept) is kept
