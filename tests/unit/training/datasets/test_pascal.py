"""PASCAL-Person-Part: palette labels with void, several people in a .mat or its json mirror."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from models.labels import IGNORE, PASCAL_PARTS
from tests.unit.training.datasets import made
from training.datasets.pascal import read_people
from training.datasets.problems import Problems
from training.datasets.sets import PASCAL14
from training.photos import DataError
from training.targets import SET_CODES


def joints(*, flag: float = 1.0) -> np.ndarray:
    rows = np.stack([np.arange(14.0), 2 * np.arange(14.0), np.full(14, flag)], axis=1)
    rows[13] = np.nan
    rows[12, 2] = 0
    rows[11, 2] = 2.1
    return rows


@pytest.fixture
def pascal(tmp_path: Path) -> Path:
    labels = made.blank()
    labels[4:8, 4:8], labels[8:12, 4:8], labels[12:14, 4:8] = 1, 6, IGNORE
    for name in ("2008_000001", "2008_000002"):
        made.picture(tmp_path / "JPEGImages" / f"{name}.jpg")
        made.palette(tmp_path / "pascal_person_part_gt" / f"{name}.png", labels)
    people = made.cells([joints(), joints(flag=0.9)])
    boxes = made.cells([np.array([1.0, 2, 30, 40])] * 2)
    made.mat(tmp_path / "pose_annotations" / "2008_000001.mat", joints=people, boxes=boxes)
    mirror = {
        "image": "2008_000002",
        "persons": [{"joints": np.nan_to_num(joints()).tolist(), "box": [1, 2, 3, 4]}],
    }
    (tmp_path / "pose_annotations" / "2008_000002.json").write_text(json.dumps(mirror))
    made.text(tmp_path / "pascal_person_part_trainval_list" / "train.txt", "2008_000001", "2008_000002")
    made.text(tmp_path / "val_id.txt", "2008_000002")
    return tmp_path


def test_a_network_learns_persons_and_heads_from_it(pascal: Path) -> None:
    assert {0, SET_CODES["head"], SET_CODES["person"]} <= made.taught("pascal-person-part", pascal)


def test_labels_void_and_people(pascal: Path) -> None:
    first, second = made.read("pascal-person-part", pascal, "train", Problems(strict=True))
    assert first.label_set is PASCAL_PARTS
    assert np.unique(first.labels()).tolist() == [0, 1, 6, IGNORE]
    assert np.unique(first.silhouette()).tolist() == [0, 1, IGNORE]
    assert set(np.unique(first.codes())) == {0, SET_CODES["head"], SET_CODES["person"], IGNORE}
    assert len(first.people) == 2
    for p in (*first.people, *second.people):
        assert p.joints is PASCAL14
        assert p.visible.tolist() == [2] * 11 + [1, 0, 0], "near 1 visible, near 2 occluded, 0 and NaN absent"
        assert p.xy[5].tolist() == [5, 10]
    assert first.people[0].box == (1, 2, 30, 40)
    assert len(made.read("pascal-person-part", pascal, "val")) == 1, "the other name of the list"


def test_the_flip_of_an_annotation(pascal: Path) -> None:
    (p, _) = read_people(pascal / "pose_annotations" / "2008_000001")
    flipped = p.mirrored(made.WIDTH)
    for a, b in ((2, 8), (3, 9), (4, 10), (5, 11)):
        assert flipped.xy[a].tolist() == [made.WIDTH - 1 - p.xy[b, 0], p.xy[b, 1]]
        assert flipped.visible[b] == p.visible[a]


def test_broken_annotations(pascal: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder = pascal / "pose_annotations"
    (folder / "2008_000002.json").write_text('{"persons": [{"joints": [[1, 2]]}]}')
    made.mat(folder / "2008_000001.mat", joints=made.cells([joints(flag=7)]), boxes=made.cells([]))
    made.text(pascal / "train_id.txt", "ignored: the folder's list comes first")
    with (pascal / "pascal_person_part_trainval_list" / "train.txt").open("a") as f:
        f.write("2008_000001\n../JPEGImages/2008_000001\n2008_000009\n")
    problems = Problems()
    assert made.read("pascal-person-part", pascal, "train", problems) == []
    for words in (
        "(14, 3) are expected",
        "flag is not near",
        "listed twice",
        "outside",
        "2008_000009.jpg is missing",
    ):
        assert words in made.said(caplog)
    assert problems.count == 5
    made.mat(folder / "2008_000001.mat", joints=made.cells([joints()]), boxes=made.cells([np.zeros(4)] * 2))
    with pytest.raises(DataError, match="1 people and 2 boxes"):
        made.read("pascal-person-part", pascal, "train", Problems(strict=True))


def test_nobody_is_an_empty_matrix_and_other_matrices_are_no_people(tmp_path: Path) -> None:
    made.mat(tmp_path / "none.mat", joints=np.zeros((0, 0)), boxes=np.zeros((0, 0)))
    assert read_people(tmp_path / "none") == ()
    made.mat(tmp_path / "one.mat", joints=made.cells([joints()]), boxes=np.zeros((0, 0)))
    assert [p.box for p in read_people(tmp_path / "one")] == [None]
    made.mat(tmp_path / "flat.mat", joints=joints(), boxes=np.zeros((0, 0)))
    with pytest.raises(ValueError, match=r"^`joints` in flat\.mat is not a cell array$"):
        read_people(tmp_path / "flat")
    for held in ("[]", '{"people": []}', '{"persons": [5]}'):
        made.text(tmp_path / "mirror.json", held)
        with pytest.raises(ValueError, match=r"^mirror\.json does not hold a list `persons`$"):
            read_people(tmp_path / "mirror")


def test_without_poses_the_labels_are_read(pascal: Path) -> None:
    (pascal / "pose_annotations").rename(pascal / "elsewhere")
    assert all(
        s.people == () for s in made.read("pascal-person-part", pascal, "train", Problems(strict=True))
    )
    with pytest.raises(DataError, match="JPEGImages"):
        made.read("pascal-person-part", pascal / "elsewhere", "train")
