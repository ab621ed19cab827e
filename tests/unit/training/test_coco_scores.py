"""COCO's scores of a model that finds people, by command; what cannot be used is left out and counted."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pycocotools import mask as rle

from tests import drawn_people
from training.coco_scores import complete, listed, main
from training.datasets.coco import AnnotatedPicture

SIDE = drawn_people.SIDE
FILE = "annotations/person_keypoints_val2017.json"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(drawn_people.bundle(tmp_path_factory.mktemp("models") / "drawn"))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return drawn_people.coco_folder(tmp_path / "coco")


def edited(root: Path, change: Callable[[dict[str, Any]], object]) -> None:
    held = json.loads((root / FILE).read_text())
    change(held)
    (root / FILE).write_text(json.dumps(held))


def crowd(image_id: int) -> dict[str, Any]:
    """The lower quarter of a picture, as run lengths by columns."""
    runs = [SIDE * 3 // 4, SIDE // 4] * SIDE
    return {"id": 90, "image_id": image_id, "category_id": 1, "iscrowd": 1, "num_keypoints": 0, "area": 99,
            "bbox": [0, 192, 256, 64], "keypoints": [0] * 51,
            "segmentation": {"size": [SIDE, SIDE], "counts": runs}}  # fmt: skip


def test_a_network_without_fault_scores_one(
    model: str, root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    edited(root, lambda held: held["annotations"].append(crowd(1)))
    saved = tmp_path / "results.json"
    assert main([model, "--coco", str(root), "--save", str(saved)]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["pictures"] == 3
    assert said["keypoints"]["AP"] > 0.95
    assert said["segm"]["AP50"] > 0.99
    assert {r["image_id"] for r in json.loads(saved.read_text())} == {1, 2}


def test_annotations_are_completed_from_their_outlines() -> None:
    record = AnnotatedPicture(5, "a.png", Path("a.png"), (40, 30), ())
    square = [[10.0, 5, 20, 5, 20, 15, 10, 15]]
    keypoints = [3, 4, 2, 5, 6, 1] + [0] * 45
    whole = complete({"segmentation": square, "keypoints": keypoints}, record)
    assert {k: v for k, v in whole.items() if k not in ("segmentation", "keypoints")} == {
        "image_id": 5, "category_id": 1, "iscrowd": 0, "bbox": [10, 5, 10, 10], "area": 100.0,
        "num_keypoints": 2,
    }  # fmt: skip
    assert whole["keypoints"] == keypoints
    assert rle.area(whole["segmentation"]) == 100
    told = complete({"segmentation": square, "bbox": [1, 2, 3, 4], "area": 77, "iscrowd": 1}, record)
    assert (told["bbox"], told["area"], told["iscrowd"]) == ([1, 2, 3, 4], 77, 1)
    bare = complete({}, record)
    assert (bare["area"], bare["num_keypoints"], bare["keypoints"]) == (0, 0, [0] * 51)


def test_a_list_names_pictures_by_id_file_or_stem(tmp_path: Path) -> None:
    records = [
        AnnotatedPicture(i, f"{n}.png", Path(n), (4, 4), ())
        for i, n in ((1, "a"), (2, "b"), (3, "c"), (4, "d"))
    ]
    wanted = tmp_path / "minival.txt"
    wanted.write_text("a\n2\n\nc.png\n")
    assert [r.image_id for r in listed(records, wanted)] == [1, 2, 3]


def test_the_first_pictures_only_and_what_is_printed(
    model: str, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([model, "--coco", str(root), "--limit", "1"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert {k: said[k] for k in ("model", "split", "pictures", "left_out")} == {
        "model": "drawn", "split": "val2017", "pictures": 1, "left_out": 0
    }  # fmt: skip
    assert set(said) == {"model", "split", "pictures", "left_out", "keypoints", "segm"}


def test_a_list_of_pictures_and_other_settings(
    model: str, root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    minival = tmp_path / "minival.txt"
    minival.write_text("2\n000000000003.png\n")
    settings = ["--scoring", "hough", "--nms", "hard", "--no-refinement", "--proposals", "1"]
    assert main([model, "--coco", str(root), "--images", str(minival), *settings]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["pictures"] == 2
    assert said["keypoints"]["AR"] == pytest.approx(0.5, abs=0.01), "one of two people is kept"


def test_what_cannot_be_used_is_named_left_out_and_counted(
    model: str, root: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    def change(held: dict[str, Any]) -> None:
        held["images"] += [held["images"][0], {**held["images"][1], "id": 9}, {**held["images"][1], "id": 8,
                           "file_name": "gone.png"}]  # fmt: skip
        held["annotations"].append({**held["annotations"][0], "image_id": 3, "num_keypoints": 4})
        held["annotations"].append(held["annotations"][1])

    edited(root, change)
    assert main([model, "--coco", str(root)]) == 1
    said = json.loads(capsys.readouterr().out)
    assert (said["pictures"], said["left_out"]) == (2, 5)
    assert said["keypoints"]["AP"] > 0.95
    for reason in ("listed twice", "gone.png is missing", "num_keypoints says 4", "annotated twice"):
        assert reason in caplog.text
    assert main([model, "--coco", str(root), "--strict"]) == 1
    assert "without --strict" in capsys.readouterr().err


def test_joints_outside_the_picture_and_people_without_keypoints(
    model: str, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def change(held: dict[str, Any]) -> None:
        held["annotations"][0]["keypoints"][45:48] = [-40, 300, 1]
        held["annotations"] += [
            {**held["annotations"][1], "keypoints": [], "num_keypoints": 0, "image_id": 3}
        ]

    edited(root, change)
    assert main([model, "--coco", str(root)]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["keypoints"]["AP50"] > 0.99, "who has no keypoints is not asked for"
    assert said["segm"]["AR50"] == pytest.approx(0.75), "but has a mask"


def test_a_test_set_has_no_scores_but_results(
    model: str, root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    held = json.loads((root / FILE).read_text())
    del held["annotations"]
    (root / "annotations/image_info_test-dev2017.json").write_text(json.dumps(held))
    (root / "val2017").rename(root / "test2017")
    saved = tmp_path / "results.json"
    asked = [model, "--coco", str(root), "--split", "test-dev2017"]
    assert main([*asked, "--save", str(saved)]) == 0
    row = json.loads(saved.read_text())[0]
    assert rle.area(row["segmentation"]) > 1000
    assert np.array(row["keypoints"]).shape == (51,)
    assert main(asked) == 1
    assert "nobody is annotated" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--split", "val2014"], "person_keypoints_val2014.json is missing"),
        (["--proposals", "0"], "at least one person"),
        (["--scales", "601,a"], "network size"),
    ],
)
def test_refused_in_words(
    model: str, root: Path, arguments: list[str], reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([model, "--coco", str(root), *arguments]) == 1
    assert reason in capsys.readouterr().err


def test_pictures_of_another_size_and_models_of_one_person(
    model: str, root: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    for i in (1, 2, 3):
        Image.new("RGB", (64, 48)).save(root / f"val2017/{i:012d}.png")
    assert main([model, "--coco", str(root)]) == 1
    assert "no picture can be used" in capsys.readouterr().err
    assert "the picture has 64x48 px, its annotations (256, 256)" in caplog.text
    assert main(["joints-s31", "--coco", str(root)]) == 1
    assert "does not tell people apart" in capsys.readouterr().err
