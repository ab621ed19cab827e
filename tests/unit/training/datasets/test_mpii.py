"""MPII in two shapes; both count from 1."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from models.labels import S31
from tests.unit.training.datasets import made
from training.datasets.problems import Problems
from training.datasets.registry import DATA_SETS
from training.datasets.sets import MPII16
from training.photos import DataError

XY = np.stack([np.arange(1, 17), np.arange(2, 18)], axis=1).astype(float)  # joint i at (i+1, i+2), from 1


@pytest.fixture
def mpii(tmp_path: Path) -> Path:
    for name in ("a.jpg", "b.jpg"):
        made.picture(tmp_path / "images" / name)
    return tmp_path


def hrnet(image: str = "a.jpg", **more: object) -> dict[str, object]:
    vis = [1] * 15 + [0]
    return {"image": image, "center": [11, 21], "scale": 0.5, "joints": XY.tolist(), "joints_vis": vis} | more


def written(root: Path, name: str, held: object) -> None:
    (root / "annot").mkdir(exist_ok=True)
    (root / "annot" / name).write_text(json.dumps(held))


def test_hrnets_rows_are_put_together_by_picture(mpii: Path) -> None:
    bare = {"image": "b.jpg", "center": [1, 1], "scale": 1}
    written(mpii, "train.json", [hrnet(), bare, hrnet()])
    a, b = made.read("mpii", mpii, "train", Problems(strict=True))
    assert len(a.people) == 2
    p = a.people[0]
    assert p.joints is MPII16
    assert p.xy[0].tolist() == [0, 1], "counted from 0"
    assert p.visible.tolist() == [2] * 15 + [0]
    assert p.centre == (10, 20)
    assert p.height == 100
    assert not b.people[0].visible.any(), "test rows carry no joints"
    assert (b.people[0].centre, b.people[0].height) == ((0, 0), 200)


def test_pictures_and_annotations_may_lie_in_the_folder_itself(tmp_path: Path) -> None:
    made.picture(tmp_path / "a.jpg")
    written(tmp_path, "valid.json", [hrnet(center=None, scale=None), hrnet(center=[float("nan"), 1])])
    (tmp_path / "test.json").write_text(json.dumps([{"image": "a.jpg"}]))
    release(tmp_path, [{"image": {"name": "a.jpg"}, "annorect": np.zeros((0, 0))}], [1.0], [])
    assert DATA_SETS["mpii"].splits(tmp_path, Problems()) == ("test", "valid", "mat-train", "mat-test")
    people = [p for split in ("test", "valid") for s in made.read("mpii", tmp_path, split) for p in s.people]
    assert [(p.centre, p.height) for p in people] == [(None, None), (None, None), (None, 100)]


@pytest.mark.parametrize("held", ["text", made.struct_row([{"annolist": 1.0}, {"annolist": 2.0}])])
def test_a_release_is_one_struct(held: object, mpii: Path) -> None:
    made.mat(mpii / "mpii_human_pose_v1.mat", RELEASE=held)
    with pytest.raises(DataError, match=r"RELEASE is not one struct\. Take the released file\."):
        made.read("mpii", mpii, "mat-train")


def test_a_network_learns_limbs_from_it(mpii: Path) -> None:
    long = (XY * [2, 1.5]).tolist()
    written(mpii, "train.json", [hrnet(joints=long)])
    limbs = {S31.id(n) for n in ("ruleg", "rlleg", "luleg", "llleg", "ruarm", "luarm")}
    assert limbs & made.taught("mpii", mpii)


def test_hrnets_bad_rows_are_named(mpii: Path, caplog: pytest.LogCaptureFixture) -> None:
    bad = [hrnet("../a.jpg"), hrnet("c.jpg"), hrnet(joints=[[1, 2]]), 5, {}, hrnet(joints_vis=None)]
    written(mpii, "valid.json", [*bad, hrnet(scale="x"), hrnet()])
    problems = Problems()
    assert len(made.read("mpii", mpii, "valid", problems)) == 1
    assert problems.count == 7
    assert "valid.json row 2: numbers of shape (16, 2) are expected" in made.said(caplog)


def test_other_jsons_are_refused(mpii: Path) -> None:
    written(mpii, "MPI.json", {"root": []})
    with pytest.raises(DataError, match="It is not HRNet's"):
        made.read("mpii", mpii, "MPI")


def point(joint: int, x: float, y: float, visible: object) -> dict[str, object]:
    return {"x": x, "y": y, "id": float(joint), "is_visible": visible}


def rect(points: object, **more: object) -> dict[str, object]:
    return {"x1": 3.0, "y1": 4.0, "x2": 13.0, "y2": 14.0, "annopoints": points, "scale": 2.0,
            "objpos": {"x": 11.0, "y": 21.0}} | more  # fmt: skip


def release(
    root: Path, annolist: list[dict[str, object]], img_train: list[float], alone: list[object]
) -> None:
    made.mat(
        root / "mpii_human_pose_v1_u12_1.mat",
        RELEASE={
            "annolist": made.struct_row(annolist),
            "img_train": np.array(img_train),
            "single_person": made.cells(alone).T,
        },
    )


def test_the_released_struct(mpii: Path) -> None:
    points = {"point": made.struct_row([
        point(0, 5, 6, 1.0), point(1, 7, 8, 0.0), point(2, 9, 10, "0"), point(3, 1, 2, "1"),
        point(15, 3, 4, np.zeros((0, 0))),
    ])}  # fmt: skip
    empty = np.zeros((0, 0))
    people = made.struct_row([rect(points), rect(empty, x1=empty, scale=empty, objpos=empty)])
    release(
        mpii,
        [{"image": {"name": "a.jpg"}, "annorect": people}, {"image": {"name": "b.jpg"}, "annorect": empty}],
        [1.0, 0.0],
        [np.array([1.0]), empty],
    )
    (a,) = made.read("mpii", mpii, "mat-train", Problems(strict=True))
    (b,) = made.read("mpii", mpii, "mat-test", Problems(strict=True))
    first, second = a.people
    assert first.visible.tolist() == [2, 1, 1, 2] + [0] * 11 + [2], (
        "numbers, characters, and empty for visible"
    )
    assert first.xy[0].tolist() == [4, 5]
    assert first.head_box == (2, 3, 12, 13)
    assert (first.centre, first.height) == ((10, 20), 400)
    assert (first.separate, second.separate) == (True, False)
    assert not second.visible.any()
    assert (second.head_box, second.centre, second.height) == (None, None, None)
    assert b.people == ()


def test_a_point_without_visibility(mpii: Path) -> None:
    points = {"point": made.struct_row([{"x": 5.0, "y": 6.0, "id": 3.0}])}
    people = made.struct_row([{"annopoints": points}])
    release(mpii, [{"image": {"name": "a.jpg"}, "annorect": people}], [1.0], [np.array([])])
    (s,) = made.read("mpii", mpii, "mat-train", Problems(strict=True))
    assert s.people[0].visible[3] == 2


@pytest.mark.parametrize("gone", ["id", "x", "y"])
def test_what_is_not_told_in_the_struct_is_absent_alone(gone: str, mpii: Path) -> None:
    """A point, a head's box or a centre without one of their numbers; `single_person` of another length."""
    empty = np.zeros((0, 0))
    lacking = point(4, 5, 6, 1.0) | {gone: empty}
    points = {"point": made.struct_row([lacking, point(5, 7, 8, 1.0)])}
    people = [rect(points, **{side: empty}) for side in ("x1", "y1", "x2", "y2")]
    people += [rect(points, objpos={"x": 11.0, "y": 21.0} | {side: empty}) for side in ("x", "y")]
    rows = [{"image": {"name": "a.jpg"}, "annorect": made.struct_row(people)}]
    release(mpii, rows, [1.0], [np.array([1.0]), np.array([1.0])])
    (s,) = made.read("mpii", mpii, "mat-train", Problems(strict=True))
    assert [p.visible.nonzero()[0].tolist() for p in s.people] == [[5]] * 6
    assert [p.head_box for p in s.people] == [None] * 4 + [(2, 3, 12, 13)] * 2
    assert [p.centre for p in s.people] == [(10, 20)] * 4 + [None] * 2
    assert not any(p.separate for p in s.people)


@pytest.mark.parametrize("joint", [-1, 2.5, 16])
def test_a_joint_that_is_none_is_named(joint: float, mpii: Path, caplog: pytest.LogCaptureFixture) -> None:
    people = made.struct_row([rect({"point": made.struct_row([point(0, 1, 1, 1.0) | {"id": joint}])})])
    release(mpii, [{"image": {"name": "a.jpg"}, "annorect": people}], [1.0], [])
    assert made.read("mpii", mpii, "mat-train", Problems()) == []
    assert f"annolist(1): joint id {joint:g} is not one of 0 to 15" in made.said(caplog)


def test_a_struct_that_is_not_whole(mpii: Path, caplog: pytest.LogCaptureFixture) -> None:
    bad = made.struct_row([rect({"point": made.struct_row([point(99, 1, 1, 1.0)])})])
    rows = [{"image": {"name": "a.jpg"}, "annorect": bad}, {"image": {"name": "../b.jpg"}, "annorect": bad}]
    release(mpii, rows, [1.0, 1.0], [])
    problems = Problems()
    assert made.read("mpii", mpii, "mat-train", problems) == []
    assert problems.count == 2
    assert "annolist(1): joint id 99" in made.said(caplog)


def test_lengths_that_differ_are_refused(mpii: Path) -> None:
    release(mpii, [{"image": {"name": "a.jpg"}, "annorect": np.zeros((0, 0))}], [1.0, 0.0], [])
    with pytest.raises(DataError, match="img_train has 2"):
        made.read("mpii", mpii, "mat-train")
    with pytest.raises(DataError, match="Point at the folder"):
        made.read("mpii", mpii / "images", "train")
