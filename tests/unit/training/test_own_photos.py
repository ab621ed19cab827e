"""Photos of one's own: every kind of label alone and together, other layouts, from a folder to a model."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from export.__main__ import main as export
from models.labels import COCO17, IGNORE, LSP14, S31
from training.__main__ import main as train
from training.batches import DataFolders, sources
from training.own_photos import LONGEST_PX, read_own
from training.photos import DataError, Photo
from training.prediction import open_network, predict
from training.stream import BatchShape, Mixture, Sources, make_batch
from training.targets import SET_CODES

SIZE = (120, 160)  # w, h
SHIPPED = Path("assets/checkpoints/factored-s31.safetensors")
JOINTS = {
    "r_shoulder": (42, 52), "l_shoulder": (78, 52), "r_hip": (48, 98), "l_hip": (72, 98), "r_elbow": (36, 76),
    "l_elbow": (84, 76), "r_wrist": (34, 98), "l_wrist": (86, 98), "r_knee": (50, 125), "l_knee": (70, 125),
    "r_ankle": (50, 150), "l_ankle": (70, 150), "neck": (60, 46), "head_top": (60, 16),
}  # fmt: skip


def drawn(seed: int = 0) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """A photo of somebody in green before noise, and part labels."""
    rng = np.random.default_rng(seed)
    image = rng.integers(60, 110, (SIZE[1], SIZE[0], 3), dtype=np.uint8)
    labels = np.zeros((SIZE[1], SIZE[0]), np.uint8)
    cv2.ellipse(labels, (60, 30), (13, 16), 0, 0, 360, S31.id("ruhead"), -1)
    cv2.rectangle(labels, (30, 46), (90, 102), S31.id("rubody"), -1)
    cv2.rectangle(labels, (46, 100), (74, 156), S31.id("ruleg"), -1)
    image[labels > 0] = (20, 200, 40)
    return image, labels


def rows(names: tuple[str, ...], dx: float = 0) -> list[list[float]]:
    return [[JOINTS[n][0] + dx, JOINTS[n][1], 2] if n in JOINTS else [0, 0, 0] for n in names]


def save(path: Path, pixels: np.ndarray[Any, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


def own(root: Path, count: int = 2) -> Path:
    """Photos with labels in the palette PNGs and names that `xfactor parse` writes, and soft silhouettes."""
    for i in range(count):
        image, labels = drawn(i)
        save(root / f"images/p{i}.png", image)
        indexed = Image.fromarray(labels)
        indexed.putpalette(S31.palette().tobytes(), "RGB")
        (root / "labels").mkdir(exist_ok=True)
        indexed.save(root / f"labels/p{i}.png")
        save(root / f"silhouettes/p{i}.png", np.where(labels > 0, 250, 3).astype(np.uint8))
    named = [{"id": i, "name": n} for i, n in enumerate(S31.class_names)]
    (root / "labels.json").write_text(json.dumps({"part_set": "S31", "labels": named}))
    return root


def test_labels_win_and_the_silhouette_says_who_is_person(tmp_path: Path) -> None:
    root = own(tmp_path, 1)
    mask = cv2.imread(str(root / "silhouettes/p0.png"), cv2.IMREAD_UNCHANGED)
    assert mask is not None
    mask[60:70, 90:110], mask[0:5] = 255, 120  # a sleeve that the labels lack, and doubt
    mask[150:, 46:75] = 0
    save(root / "silhouettes/p0.png", mask)
    (photo,) = read_own([root])
    assert photo.codes[30, 60] == S31.id("ruhead")
    assert photo.codes[65, 100] == SET_CODES["person"]
    assert (photo.codes[2, 60], photo.codes[155, 60], photo.codes[80, 5]) == (IGNORE, 0, 0)


def test_joints_tell_parts_where_only_a_silhouette_is_known(tmp_path: Path) -> None:
    image, labels = drawn()
    save(tmp_path / "a.jpg", image)  # photos in the folder itself
    save(tmp_path / "silhouettes/a.png", np.minimum(labels, 1))  # 0 and 1
    (tmp_path / "keypoints.json").write_text(json.dumps({"images": {"a": rows(LSP14.names)}}))
    (photo,) = read_own([tmp_path])
    assert photo.codes[112, 49] == S31.id("ruleg")
    assert photo.codes[112, 71] == S31.id("luleg")
    assert photo.codes[60, 89] == SET_CODES["person"]
    assert photo.skeleton is not None


@pytest.mark.parametrize("file", ["keypoints.json", "coco.json", "landmarks.json"])
def test_every_program_of_ours_that_writes_joints_is_understood(tmp_path: Path, file: str) -> None:
    photos, labels = tmp_path / "photos", tmp_path / "labels"
    save(photos / "a.png", drawn()[0])
    labels.mkdir()
    people = rows(COCO17.names)
    landmarks = [[*JOINTS.get(n, (0, 0)), 0.95] for n in ["", *[""] * 10, *COCO17.names[5:11], *[""] * 6,
                                                          *COCO17.names[11:], *[""] * 4]]  # fmt: skip
    held = {
        "keypoints.json": {"keypoints": {"a": [people]}},
        "coco.json": {"images": [{"id": 7, "file_name": "b/a.png"}],
                      "annotations": [{"image_id": 7, "keypoints": np.ravel(people).tolist()}]},
        "landmarks.json": {"images": {"a": {"landmarks": landmarks}}},
    }[file]  # fmt: skip
    (labels / file).write_text(json.dumps(held))
    (photo,) = read_own([photos, labels])
    assert photo.skeleton is not None
    assert photo.skeleton.at("l_knee") == pytest.approx((70, 125))
    drawn_by_landmarks = file == "landmarks.json"  # which are known, not seen
    assert (photo.codes[137, 50] == S31.id("rlleg")) != drawn_by_landmarks


def test_garments_tell_where_they_are(tmp_path: Path) -> None:
    image, labels = drawn()
    save(tmp_path / "images/a.png", image)
    save(
        tmp_path / "labels/a.png",
        np.where(labels == S31.id("ruhead"), 2, np.minimum(labels, 1)).astype(np.uint8),
    )
    (tmp_path / "labels.json").write_text(json.dumps(["null", "coat", "hair"]))
    (photo,) = read_own([tmp_path])
    assert (photo.codes[30, 60], photo.codes[80, 60]) == (SET_CODES["head"], SET_CODES["person"])


def test_what_cannot_be_used_is_named_and_counted(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    root = own(tmp_path, 5)
    save(root / "silhouettes/p1.png", np.zeros((10, 10), np.uint8))
    (root / "labels/p2.png").write_bytes(b"no picture")
    flipped = np.where(drawn()[1] > 0, 0, 255).astype(np.uint8)
    save(root / "silhouettes/p3.png", flipped)
    (root / "images/p5.jpg").write_bytes(b"no picture")
    save(root / "images/p6.png", drawn()[0])
    save(root / "images/p7.png", drawn()[0])
    save(root / "silhouettes/p7.png", np.zeros_like(flipped))
    save(root / "labels/p8.png", flipped)
    (root / "keypoints.json").write_text(
        json.dumps({"images": {"p4": rows(LSP14.names, dx=95), "p6": [[1, 2, 3]]}})
    )
    used = {p.name: p.codes for p in read_own([root])}
    assert set(used) == {"p0.png", "p1.png", "p2.png"}  # what else is known of p1 and p2 stays
    assert used["p1.png"][30, 60] == S31.id("ruhead")
    assert used["p2.png"][30, 60] == SET_CODES["person"]
    for said in (
        "p1.png is not of the photo's size", "p2.png is not a usable picture",
        "p3.png: its labels and its silhouette contradict each other (J 0.00)",
        "p4.png: its joints lie outside its silhouette", "p5.jpg: not a readable picture",
        "p6.png: 1 joints of a person", "p7.png: nobody is in its labels",
        "p6.png: it has no labels, silhouette or joints that can be used",
        "p8.png: there is no photo of this name", "3 photos used, 9 things left out",
    ):  # fmt: skip
        assert said in caplog.text
    with pytest.raises(DataError, match="without --strict"):
        read_own([root], strict=True)
    (root / "labels.json").write_text("{}")
    with pytest.raises(DataError, match=r"labels\.json"):
        read_own([root])


def test_a_folder_without_labels_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    save(tmp_path / "photos/a.png", drawn()[0])
    arguments = ["--own", str(tmp_path / "photos"), "--out", str(tmp_path / "run")]
    assert train(arguments) == 2
    assert "no photo with labels" in capsys.readouterr().err
    assert train([*arguments, "--own", str(tmp_path / "photos"), str(tmp_path / "typo")]) == 2
    assert "typo: there is no such folder" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        train([*arguments, "--own-share", "-1"])
    assert "--own-share takes a weight above 0" in capsys.readouterr().err
    assert train(["joints-s31", *arguments, "--data", str(tmp_path)]) == 2
    assert "--own" in capsys.readouterr().err


def test_a_large_photo_is_shrunk_with_its_labels(tmp_path: Path) -> None:
    image, labels = (cv2.resize(a, None, fx=6, fy=6, interpolation=cv2.INTER_NEAREST) for a in drawn())
    save(tmp_path / "a.png", np.asarray(image))
    save(tmp_path / "silhouettes/a.png", np.minimum(labels, 1))
    large = [[6 * x, 6 * y, v] for x, y, v in rows(LSP14.names)]
    (tmp_path / "keypoints.json").write_text(json.dumps({"images": {"a": large}}))
    (photo,) = read_own([tmp_path])
    assert max(photo.codes.shape) == LONGEST_PX == max(photo.image.shape)
    assert photo.skeleton is not None
    x, y = photo.skeleton.at("r_knee")
    assert photo.codes[round(float(y)), round(float(x))] == S31.id("rknee")


def test_lips_layout_is_read_by_its_own_reader(tmp_path: Path) -> None:
    image, labels = drawn()
    save(tmp_path / "TrainVal_images/train_images/a.jpg", image)
    lip = np.where(labels == S31.id("ruhead"), 2, np.where(labels > 0, 5, 0)).astype(np.uint8)
    save(tmp_path / "TrainVal_parsing_annotations/train_segmentations/a.png", lip)
    (tmp_path / "TrainVal_images/train_id.txt").write_text("a\n")
    (photo,) = read_own([tmp_path])
    assert (photo.codes[30, 60], photo.codes[80, 60]) == (SET_CODES["head"], SET_CODES["person"])


def test_cocos_layout_is_read_by_its_own_reader(tmp_path: Path) -> None:
    save(tmp_path / "train/a.png", drawn()[0])
    box = [30, 14, 90, 14, 90, 156, 30, 156]
    people = [{"id": 1, "image_id": 1, "category_id": 1, "iscrowd": 0, "segmentation": [box],
               "keypoints": np.ravel(rows(COCO17.names)).tolist(), "num_keypoints": 12}]  # fmt: skip
    held = {"images": [{"id": 1, "file_name": "a.png", "width": 120, "height": 160}], "annotations": people}
    (tmp_path / "annotations").mkdir()
    (tmp_path / "annotations/person_keypoints_train.json").write_text(json.dumps(held))
    (photo,) = read_own([tmp_path])
    assert (photo.codes[137, 50], photo.codes[20, 35]) == (S31.id("rlleg"), SET_CODES["person"])


def test_own_photos_have_their_share_beside_the_standard_data(tmp_path: Path) -> None:
    mine = read_own([own(tmp_path)])
    assert sources(None, (), own=[tmp_path]).own
    grey = Photo("g", np.full((64, 64, 3), 128, np.uint8), np.full((64, 64), IGNORE, np.uint8))
    shape = BatchShape(10, 64, 8)
    alone = make_batch(Sources(silhouettes=[grey]), Mixture(), shape, seed=1, step=2)
    unmixed = make_batch(Sources(silhouettes=[grey]), Mixture(own=0.9), shape, seed=1, step=2)
    assert (alone.images == unmixed.images).all()
    mixed = make_batch(Sources(silhouettes=[grey], own=mine), Mixture(own=0.2), shape, seed=1, step=2)
    taught = (mixed.targets["codes"] != IGNORE).any(axis=(1, 2))
    assert taught.sum() == 5  # as many as silhouettes, whose share is .2 too
    assert DataFolders().own == ()


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_from_a_folder_to_a_model(tmp_path: Path) -> None:
    """Eight drawn people, a few steps from the shipped weights: better silhouettes, and a model folder."""
    root, run = own(tmp_path / "mine", 8), tmp_path / "run"
    recipe = ["--steps", "24", "--decay-steps", "12", "--batch", "4", "--crop", "96", "--lr", "1e-3"]
    arguments = ["--own", str(root), "--init", str(SHIPPED), "--out", str(run), "--ema", "0.9"]
    assert train([*arguments, *recipe]) == 0
    before, after = (silhouette_j(path) for path in (SHIPPED, run / "last.safetensors"))
    assert after > 0.6
    assert after > before + 0.05
    assert export([str(run / "last.safetensors"), "--out", str(tmp_path / "model")]) == 0
    assert (tmp_path / "model/factor.onnx").is_file()


def silhouette_j(checkpoint: Path) -> float:
    image, labels = drawn(99)
    found = predict(open_network(checkpoint), image, 128).person >= 0.5
    return float((found & (labels > 0)).sum() / (found | (labels > 0)).sum())
