"""Published sets on the command line, which of their splits teach, and pictures read when they are drawn."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from models.labels import COCO17, IGNORE, LIP16, LIP20, LSP14
from tests.unit.training.datasets import made
from tests.unit.training.datasets.test_coco import annotation, coco
from training.datasets.files import BrokenError
from training.datasets.registry import DATA_SETS
from training.datasets.samples import Sample, person
from training.photos import DataError
from training.published import (
    PublishedPhotos,
    PublishedSet,
    parse_data,
    person_of,
    published_people,
    training_splits,
)


@pytest.mark.parametrize(
    ("texts", "folder", "sets"),
    [
        ([], None, []),
        (["own"], "own", []),
        (["coco=a"], None, [("coco", "a", 0.3)]),
        (["coco=a:2"], None, [("coco", "a", 2)]),
        (["own,coco=C:/a:.5,lip=b,c:1.5"], "own", [("coco", "C:/a", 0.5), ("lip", "b,c", 1.5)]),
        (["coco=a,b=c"], None, [("coco", "a,b=c", 0.3)]),
        (["coco=a", "lip=b"], None, [("coco", "a", 0.3), ("lip", "b", 0.3)]),
        (["coc=a"], "coc=a", []),
    ],
)
def test_data_is_a_folder_and_sets_by_name(
    texts: list[str], folder: str | None, sets: list[tuple[str, str, float]]
) -> None:
    found = parse_data(texts)
    assert found == (folder and Path(folder), [PublishedSet(n, Path(root), w) for n, root, w in sets])
    assert PublishedSet("coco", Path()).weight == 0.3


@pytest.mark.parametrize(
    ("texts", "reason"),
    [
        (
            ["a", "b", "c"],
            f"--data b: one folder only. Published sets are NAME=ROOT, of {', '.join(DATA_SETS)}.",
        ),
        (
            ["lip=a,coco=b", "lip=c,coco=d", "a"],
            "--data coco=… stands there twice. Give each published set once.",
        ),
        (
            ["coco=a:0.0"],
            "--data NAME=ROOT:WEIGHT takes a weight above 0. Leave the set out instead.",
        ),
    ],
)
def test_what_cannot_be_trained_on_together_is_refused(texts: list[str], reason: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(reason)}$"):
        parse_data(texts)


@pytest.mark.parametrize(
    ("found", "taught"),
    [
        (("train", "val", "test", "trainval"), ["train"]),
        (("paper-train", "paper-test", "train"), ["paper-train"]),
        (("mat-train", "mat-val"), ["mat-train"]),
        (("train2014", "train2017", "train2017_imputed", "val2017"), ["train2014", "train2017_imputed"]),
        (("val", "test"), []),
    ],
)
def test_splits_to_train_on(found: tuple[str, ...], taught: list[str]) -> None:
    assert training_splits(found) == taught


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Five pictures of one person each, then one of two people and one of nobody."""
    size = {"width": made.WIDTH, "height": made.HEIGHT}
    images = [{"id": i, "file_name": f"{i}.png", **size} for i in range(7)]
    for row in images:
        made.picture(tmp_path / "train2017" / row["file_name"])
    rows = [annotation(i) for i in (0, 1, 2, 3, 4, 5)] + [annotation(5, bbox=[1, 1, 9, 9])]
    coco(tmp_path, rows, images)
    held = tmp_path / "annotations" / "person_keypoints_val2017.json"
    held.rename(held.with_name("person_keypoints_train2017.json"))
    return tmp_path


def name_of(sample: Sample) -> str:
    if sample.name in ("1", "2"):
        raise BrokenError("broken for this test")
    return sample.name


def test_a_broken_picture_gives_way_to_the_next(root: Path) -> None:
    photos = PublishedPhotos(PublishedSet("coco", root), name_of)
    assert [photos[i] for i in range(6)] == ["0", "3", "3", "3", "4", "5"]
    assert list(photos) == photos[:] == ["0", "3", "3", "3", "4", "5"]
    assert (photos[-1], photos[-6], photos[4:], photos[::-3]) == ("5", "0", ["4", "5"], ["5", "3"])
    for index in (6, -7):
        with pytest.raises(IndexError, match=f"coco in .*: picture {index} of 6$"):
            photos[index]
    alone = PublishedPhotos(PublishedSet("coco", root), name_of, alone=True)
    assert (len(photos), len(alone)) == (6, 5)
    with pytest.raises(DataError, match="broken for this test"):
        PublishedPhotos(PublishedSet("coco", root), name_of, strict=True)


def test_after_the_last_picture_comes_the_first(root: Path) -> None:
    def read(sample: Sample) -> str:
        if sample.name == "5":
            raise BrokenError("broken for this test")
        return sample.name

    assert PublishedPhotos(PublishedSet("coco", root), read)[5] == "0"


def test_a_hundred_broken_pictures_in_turn_are_the_most(tmp_path: Path) -> None:
    """One is read at once, to see that the set can be used."""
    labels = made.blank(3)
    for i in range(130):
        made.stored(tmp_path / f"31/{i:03d}_ann.png", labels)
        made.picture(tmp_path / f"31/{i:03d}_image.png", (4, 3))
    lines = [f"/31/{i:03d}_image.png /31/{i:03d}_ann.png 0.5" for i in range(130)]
    made.text(tmp_path / "train_31_500_pkg_dorder.txt", *lines)
    for split in ("val", "test"):
        made.text(tmp_path / f"{split}_31_500_pkg_dorder.txt")
    read: list[str] = []

    def broken_later(sample: Sample) -> str:
        read.append(sample.name)
        if len(read) > 1:
            raise BrokenError("broken for this test")
        return sample.name

    photos = PublishedPhotos(PublishedSet("up-s31", tmp_path), broken_later)
    assert (len(photos), len(read)) == (104, 1), "labels without people, too"
    with pytest.raises(DataError, match="its pictures teach nothing"):
        photos[103]
    assert len(read) == 1 + 100
    with pytest.raises(DataError, match="no picture to train on"):
        PublishedPhotos(PublishedSet("up-s31", tmp_path), broken_later, alone=True)


def test_sets_that_teach_nothing_are_refused(root: Path) -> None:
    def nothing(sample: Sample) -> str:
        raise BrokenError(f"{sample.name} is broken for this test")

    with pytest.raises(
        DataError, match=r"^coco in .*: its pictures teach nothing\. See what was said above\.$"
    ):
        PublishedPhotos(PublishedSet("coco", root), nothing)
    held = root / "annotations" / "person_keypoints_train2017.json"
    held.rename(held.with_name("person_keypoints_val2017.json"))
    with pytest.raises(DataError, match=r"no picture to train on\. See: python -m training\.datasets$"):
        PublishedPhotos(PublishedSet("coco", root), name_of)


def test_people_alone_with_the_weight_of_their_set(root: Path) -> None:
    given = [PublishedSet("coco", root, 0.7)]
    ((people, weight),) = published_people(given, COCO17, LIP20, strict=False)
    assert (len(people), weight) == (5, 0.7)
    assert people[2].known.sum() == 16
    assert people[2].points[3].tolist() == [3, 6]
    (root / "train2017/3.png").write_bytes(b"no picture")
    assert len(published_people(given, COCO17, LIP20, strict=False)) == 1
    with pytest.raises(DataError, match=r"3\.png"):
        published_people(given, COCO17, LIP20, strict=True)


def sample(tmp_path: Path, size: tuple[int, int], visible: list[int], **more: object) -> Sample:
    xy = np.stack((np.arange(16.0) * 8, np.arange(16.0) * 16), axis=1)
    path = made.picture(tmp_path / "p.png", size)
    return Sample("p", "train", path, (person(LIP16, xy, visible),), **more)  # type: ignore[arg-type]


def test_a_person_of_other_parts_brings_the_joints_or_the_labels_of_the_same_set(tmp_path: Path) -> None:
    """1280 px are halved, with the joints; a joint of LSP that LIP has not is not known."""
    labels = np.full((320, 1280), 13, np.uint8)
    whole = sample(tmp_path, (1280, 320), [2, 1, 0] + [2] * 13, label_set=LIP20, read_labels=lambda: labels)
    found = person_of(whole, LIP16, LIP20)
    assert (found.name, found.image.shape, found.codes.shape) == ("p", (160, 640, 3), (160, 640))
    assert (found.codes == 13).all()
    assert found.known.tolist() == [True, True, False] + [True] * 13
    assert found.points[3].tolist() == [12, 24]
    other = person_of(sample(tmp_path, (40, 30), [2] * 16), LSP14, LIP20)
    assert other.codes.tolist() == [[IGNORE] * 40] * 30
    assert other.known.tolist() == [n in LIP16.names for n in LSP14.names]
    assert other.points[LSP14.id("r_knee")].tolist() == [8, 16]


def test_a_person_of_whom_nothing_is_known_teaches_nothing(tmp_path: Path) -> None:
    with pytest.raises(BrokenError, match=r"^none of its parts and joints is known$"):
        person_of(sample(tmp_path, (40, 30), [0] * 16), LIP16, LIP20)
    alike = sample(tmp_path, (40, 30), [0] * 16, label_set=LIP20, read_labels=lambda: made.blank(2))
    assert (person_of(alike, LIP16, LIP20).codes == 2).all()
