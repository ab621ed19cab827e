"""COCO: 0-based joints, polygons and run lengths, crowds unscored."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from pycocotools import mask as rle

from models.labels import COCO17, IGNORE
from tests.unit.training.datasets import made
from training.__main__ import main as train
from training.batches import sources
from training.datasets.coco import annotated, encoded, filled, outline, records, run_lengths, samples, splits
from training.datasets.files import BrokenError
from training.datasets.problems import Problems
from training.photos import DataError
from training.published import parse_data
from training.stream import Mixture
from training.targets import SET_CODES

SQUARE = [[10.0, 5.0, 20.0, 5.0, 20.0, 15.0, 10.0, 15.0]]


def annotation(image_id: int = 1, **more: Any) -> dict[str, Any]:
    keypoints = [
        v for i in range(17) for v in ((i, 2 * i, 2) if i < 15 else (i, i, 1) if i < 16 else (0, 0, 0))
    ]
    return {"id": 1, "image_id": image_id, "category_id": 1, "keypoints": keypoints, "iscrowd": 0,
            "bbox": [10, 5, 10, 10], "segmentation": SQUARE} | more  # fmt: skip


def crowd(x0: int, x1: int) -> dict[str, Any]:
    """Columns x0..x1 of the picture, as uncompressed run lengths by columns."""
    h = made.HEIGHT
    runs = [x0 * h, (x1 - x0) * h, (made.WIDTH - x1) * h]
    return annotation(iscrowd=1, segmentation={"size": [h, made.WIDTH], "counts": runs}, keypoints=[0] * 51)


def coco(
    root: Path, annotations: list[Any], images: list[Any] | None = None, *, inner: str = "val2017"
) -> Path:
    for name in ("1.jpg", "2.jpg"):
        made.picture(root / inner / name)
    rows = [{"id": i, "file_name": f"{i}.jpg", "width": made.WIDTH, "height": made.HEIGHT} for i in (1, 2)]
    held = {"images": rows if images is None else images, "annotations": annotations}
    made.text(root / "annotations" / "person_keypoints_val2017.json", json.dumps(held))
    made.text(root / "annotations" / "instances_val2017.json", "{}")
    return root


@pytest.mark.parametrize("inner", ["val2017", "images/val2017"])
def test_joints_silhouettes_and_crowds(tmp_path: Path, inner: str) -> None:
    other = annotation(category_id=18, segmentation=[[0.0, 0, 5, 0, 5, 5]])
    root = coco(tmp_path, [crowd(15, 30), annotation(), other], inner=inner)
    first, second = made.read("coco", root, "val2017", Problems(strict=True))
    group, p = first.people
    assert p.joints is COCO17
    assert p.visible.tolist() == [2] * 15 + [1, 0]
    assert p.xy[3].tolist() == [3, 6], "counted from 0 already"
    assert p.box == (10, 5, 20, 15)
    assert (group.crowd, p.crowd) == (True, False)
    expected = made.blank()
    expected[:, 15:30] = IGNORE
    expected[5:15, 10:20] = 1
    assert (first.silhouette() == expected).all(), "a person in a crowd is a person"
    assert not second.silhouette().any()
    assert second.people == ()
    assert set(np.unique(first.codes())) == {0, 32, IGNORE}


@given(arrays(bool, st.tuples(st.integers(1, 40), st.integers(1, 40))))
def test_compressed_run_lengths_are_read_as_pycocotools_writes_them(mask: np.ndarray) -> None:
    counts = rle.encode(np.asfortranarray(mask, dtype=np.uint8))["counts"].decode()
    runs = run_lengths(counts)
    assert sum(runs) == mask.size
    assert (mask == np.repeat(np.arange(len(runs)) % 2 == 1, runs).reshape(mask.shape[::-1]).T).all()


def test_compressed_run_lengths_in_a_file(tmp_path: Path) -> None:
    mask = made.blank()
    mask[3:9, 4:30] = 1
    packed = rle.encode(np.asfortranarray(mask))
    root = coco(
        tmp_path, [annotation(segmentation={"size": packed["size"], "counts": packed["counts"].decode()})]
    )
    assert (made.read("coco", root, "val2017")[0].silhouette() == mask).all()


SIZE = [made.HEIGHT, made.WIDTH]
BROKEN: dict[str, Any] = {
    "polygon of two points": [[1, 2, 3, 4]],
    "odd polygon": [[1, 2, 3, 4, 5, 6, 7]],
    "polygon of pairs": [[[1, 2]] * 6],
    "parts of pixels": {"size": SIZE, "counts": [float(made.WIDTH * made.HEIGHT)]},
    "far away": [[1e30, 0, 5, 0, 5, 5]],
    "not a number": [[float("nan"), 0, 5, 0, 5, 5]],
    "words": [["a"] * 6],
    "nothing": None,
    "other size": {"size": [5, 5], "counts": [25]},
    "too few": {"size": SIZE, "counts": [3]},
    "too many": {"size": SIZE, "counts": [made.WIDTH * made.HEIGHT, 5]},
    "below nothing": {"size": SIZE, "counts": [-5, made.WIDTH * made.HEIGHT + 5]},
    "garbage": {"size": SIZE, "counts": "zzzz€"},
    "endless": {"size": SIZE, "counts": "o" * 100},
    "no counts": {"size": SIZE},
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_segmentation_leaves_the_picture_out(kind: str, tmp_path: Path) -> None:
    problems = Problems()
    root = coco(tmp_path, [annotation(segmentation=BROKEN[kind])])
    assert [s.name for s in made.read("coco", root, "val2017", problems)] == ["2"]
    assert problems.count == 1


def test_rows_that_do_not_fit_are_named(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    images = [
        {"id": 1, "file_name": "1.jpg", "width": made.WIDTH, "height": made.HEIGHT},
        {"id": 2, "file_name": "../2.jpg", "width": 4, "height": 4},
        {"id": 3, "file_name": "2.jpg", "width": 10**9, "height": 10**9},
        {"id": 4, "file_name": "4.jpg", "width": 4, "height": 4}, 5, {"id": [6], "file_name": "2.jpg"},
    ]  # fmt: skip
    root = coco(tmp_path, [annotation(9), {}, annotation(keypoints=[1, 2])], images)
    problems = Problems()
    assert made.read("coco", root, "val2017", problems) == []
    for words in (
        "annotation 1: an object",
        "numbers of shape (51,)",
        "outside the data set",
        "no size of a picture",
        "4.jpg is missing",
        "image 4: an object",
        "image_id 9: annotated, but not among the images",
    ):
        assert words in made.said(caplog)
    assert problems.count == 8


def test_pictures_of_64_million_pixels_at_most_and_of_a_split_given_joints(tmp_path: Path) -> None:
    """The pictures of a split whose name goes on behind `_` lie where they did."""
    made.picture(tmp_path / "val2017" / "1.jpg")
    for width, count in ((8000, 1), (8001, 0)):
        rows = [{"id": 1, "file_name": "1.jpg", "width": width, "height": 8000}]
        held = json.dumps({"images": rows, "annotations": []})
        made.text(tmp_path / "annotations" / "person_keypoints_val2017_imputed.json", held)
        found = list(records(tmp_path, "val2017_imputed", Problems()))
        assert [r.size for r in found] == [(8000, 8000)] * count


def test_a_person_without_a_box_has_none() -> None:
    assert annotated({"keypoints": [0] * 51}).box is None
    assert annotated({"keypoints": [0] * 51, "bbox": [1, 2, 30, 40]}).box == (1, 2, 31, 42)
    assert annotated({"bbox": [1, 2, float("inf"), 40]}).box is None


def test_a_person_may_have_no_keypoints_and_a_crowd_has_none() -> None:
    for a in (
        {},
        {"keypoints": []},
        {"keypoints": None},
        {"iscrowd": 1, "keypoints": "x", "num_keypoints": 3},
    ):
        found = annotated(a)
        assert (found.visible.tolist(), found.box, found.crowd) == ([0] * 17, None, "iscrowd" in a)
    assert annotated(annotation(num_keypoints=16)).visible.sum() == 31
    with pytest.raises(BrokenError, match=r"^num_keypoints says 15, its keypoints 16$"):
        annotated(annotation(num_keypoints=15))


def test_polygons_and_run_lengths_at_their_limits() -> None:
    far = [[-80.0, 0, 80, 0, 80, 30]]  # twice the longer side
    assert outline(far, (40, 30)) == far
    with pytest.raises(BrokenError, match=r"^a polygon of its segmentation is broken$"):
        outline([[-80.5, 0, 80, 0, 80, 30]], (40, 30))
    assert outline({"size": [30, 40], "counts": [0, 1200]}, (40, 30)) == [0, 1200]
    assert outline({"size": [30, 40], "counts": rle.frPyObjects(far, 30, 40)[0]["counts"].decode()}, (40, 30))
    assert run_lengths("0") == [0]
    assert run_lengths("oooooo0") == [2**30 - 1], "30 bits"
    for text, words in (
        ("o", "cut short"),
        ("/", "are broken"),
        ("p", "are broken"),
        ("o" * 7 + "0", "are broken"),
    ):
        with pytest.raises(
            BrokenError, match=f"run lengths of its segmentation {words}|segmentation are {words}"
        ):
            run_lengths(text)
    assert not filled([], (4, 3)).any()
    runs = [1, 4, 0, 2, 5]
    assert run_lengths(encoded(runs, (4, 3))["counts"].decode()) == runs
    assert filled(runs, (4, 3)).T.ravel().tolist() == [False, *[True] * 6, *[False] * 5]
    both = [[0.0, 0, 2, 0, 2, 3, 0, 3], [3.0, 0, 4, 0, 4, 3, 3, 3]]
    assert filled(both, (4, 3)).tolist() == [[True, True, False, True]] * 3
    assert run_lengths(encoded(both, (4, 3))["counts"].decode()) == [0, 6, 3, 3]


def test_a_set_without_annotations_shows_nobody_in_its_pictures(tmp_path: Path) -> None:
    """Test pictures have a list alone, and share a folder; those of 2014 are in that of their name."""
    made.picture(tmp_path / "test2017" / "1.jpg")
    made.picture(tmp_path / "val2014" / "COCO_val2014_000000000002.jpg")
    size = {"width": made.WIDTH, "height": made.HEIGHT}
    images = [{"id": 1, "file_name": "1.jpg", **size},
              {"id": 2, "file_name": "COCO_val2014_000000000002.jpg", **size}]  # fmt: skip
    folder = tmp_path / "annotations"
    made.text(folder / "image_info_test-dev2017.json", json.dumps({"images": images}))
    found = list(samples(tmp_path, "test-dev2017", Problems(strict=True)))
    assert [(s.name, s.people) for s in found] == [("1", ()), ("COCO_val2014_000000000002", ())]
    for name in ("val2017", "train2017"):
        made.text(folder / f"person_keypoints_{name}.json", json.dumps({"images": images}))
        with pytest.raises(DataError, match="has no lists `images` and `annotations`"):
            list(samples(tmp_path, name, Problems()))
    assert splits(tmp_path, Problems()) == ("train2017", "val2017")


def test_nobody_and_no_picture_counts_twice(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    size = {"width": made.WIDTH, "height": made.HEIGHT}
    images = [
        {"id": i, "file_name": n, **size} for i, n in ((1, "1.jpg"), (1, "2.jpg"), (2, "1.jpg"), (3, "2.jpg"))
    ]
    images.append({"id": 4, "file_name": "2.jpg", "width": 0, "height": 9})
    root = coco(tmp_path, [annotation(), annotation(), annotation(3)], images)
    problems = Problems()
    found = made.read("coco", root, "val2017", problems)
    assert [(s.name, len(s.people)) for s in found] == [("1", 1), ("2", 1)]
    said = made.said(caplog)
    for words in (
        "annotation 1: the same person is annotated twice",
        "image 1: 2.jpg or its id is listed twice",
        "image 2: 1.jpg or its id is listed twice",
        "its size 0x9 is no size of a picture",
    ):
        assert words in said
    assert problems.count == 4


def test_another_file_is_refused(tmp_path: Path) -> None:
    root = coco(tmp_path, [])
    (root / "annotations" / "person_keypoints_val2017.json").write_text("[]")
    with pytest.raises(DataError, match="It is not COCO's"):
        made.read("coco", root, "val2017")
    with pytest.raises(DataError, match="train2017"):
        made.read("coco", root / "annotations", "val2017")


def test_a_network_learns_silhouettes_from_it_and_the_weight_counts(tmp_path: Path) -> None:
    root = coco(tmp_path, [annotation(keypoints=[0] * 51)], inner="train2017")
    held = root / "annotations" / "person_keypoints_val2017.json"
    held.rename(held.with_name("person_keypoints_train2017.json"))
    assert {0, SET_CODES["person"]} <= made.taught("coco", root)
    folder, sets = parse_data([f"own,coco={root}:0.5,lip=a,b"])
    assert folder == Path("own")
    assert [(s.name, str(s.root), s.weight) for s in sets] == [("coco", str(root), 0.5), ("lip", "a,b", 0.3)]
    names, shares = sources(None, [], published=sets[:1]).shares(Mixture())
    assert dict(zip(names, shares.tolist(), strict=True))["coco"] == 1
    with pytest.raises(ValueError, match="one folder only"):
        parse_data(["own", "other"])
    with pytest.raises(ValueError, match="above 0"):
        parse_data([f"coco={root}:0"])
    with pytest.raises(ValueError, match="coco=… stands there twice"):
        parse_data([f"coco={root},coco={tmp_path}"])
    photos, _ = sources(None, [], published=sets[:1]).published["coco"]
    assert len(list(photos)) == len(photos) == len(list(reversed(photos))), "iteration ends"
    with pytest.raises(IndexError, match="picture -2 of 1"):
        photos[-2]


def test_training_takes_it_by_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """From the command to a checkpoint; a set without a training split, and networks of joints, in words."""
    root = coco(tmp_path, [annotation(keypoints=[0] * 51)], inner="train2017")
    held = root / "annotations" / "person_keypoints_val2017.json"
    held.rename(held.with_name("person_keypoints_train2017.json"))
    short = ["--steps", "1", "--batch", "2", "--crop", "64", "--out", str(tmp_path / "run")]
    assert train(["joints-s31", "--data", f"coco={root}", *short]) == 2
    assert "teaches silhouettes and parts" in capsys.readouterr().err
    assert train(["--data", f"coco={root}", *short]) == 0
    assert (tmp_path / "run" / "last.safetensors").is_file()
