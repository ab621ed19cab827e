"""LIP: single and doubled folders, rows without header, nan triples, v 0 for visible."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from models.families import ZOO
from models.labels import IGNORE, LIP16, LIP20
from models.network import build
from tests.unit.training.datasets import made
from training.batches import DataFolders, batches_for
from training.datasets.problems import Problems
from training.datasets.registry import DATA_SETS
from training.loop import TrainConfig, new_state, train
from training.photos import DataError
from training.published import PublishedSet
from training.step import StepConfig
from training.stream import BatchShape
from training.targets import SET_CODES

CPU = torch.device("cpu")


def row(name: str, *, v: str = "0") -> str:
    """Joint i at (i, 2i); the last is not annotated."""
    return ",".join([name, *(f"{i},{2 * i},{v}" for i in range(15)), "nan,nan,nan"])


@pytest.fixture(params=[False, True], ids=["single", "doubled"])
def lip(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    def folder(name: str) -> Path:
        return tmp_path / name / name if request.param else tmp_path / name

    for split, names in (("train", ("1_0", "1_1")), ("val", ("2_0",))):
        for i, name in enumerate(names):
            made.picture(folder("TrainVal_images") / f"{split}_images" / f"{name}.jpg")
            labels = made.blank()
            labels[3:9, 3:9], labels[10:20, 3:9] = 13, 5
            labels = np.repeat(labels[..., None], 3, axis=2) if i else labels
            made.stored(
                folder("TrainVal_parsing_annotations") / f"{split}_segmentations" / f"{name}.png", labels
            )
        made.text(tmp_path / "TrainVal_images" / f"{split}_id.txt", *names)
    made.text(folder("TrainVal_pose_annotations") / "lip_train_set.csv", row("1_0.jpg"))
    made.text(folder("TrainVal_pose_annotations") / "lip_val_set.csv", row("2_0.jpg", v="1"))
    made.picture(folder("Testing_images") / "testing_images" / "3_0.jpg")
    made.text(folder("Testing_images") / "test_id.txt", "3_0")
    return tmp_path


def test_a_network_learns_persons_and_faces_from_it(lip: Path) -> None:
    assert {0, SET_CODES["head"], SET_CODES["person"]} <= made.taught("lip", lip)


def test_parts_and_joints_are_taught_as_the_papers_do(tmp_path: Path) -> None:
    """Codes are LIP's own ids; where a picture is mirrored, arms and wrists change sides together."""
    labels = np.full((64, 64), 15, np.uint8)
    labels[:, 32:] = 14
    places = [(32, 40)] * 10 + [(16, 20)] + [(32, 20)] * 4 + [(48, 44)]
    made.picture(tmp_path / "TrainVal_images" / "train_images" / "1_0.jpg", (64, 64))
    made.text(tmp_path / "TrainVal_images" / "train_id.txt", "1_0")
    made.stored(tmp_path / "TrainVal_parsing_annotations" / "train_segmentations" / "1_0.png", labels)
    made.text(
        tmp_path / "TrainVal_pose_annotations" / "lip_train_set.csv",
        ",".join(["1_0.jpg", *(f"{x},{y},0" for x, y in places)]),
    )
    folders = DataFolders(published=(PublishedSet("lip", tmp_path),))
    outputs = ZOO["pil-hg2-lip"].stages[0].outputs
    targets = batches_for(outputs, folders, BatchShape(48, 64, 4), 0)(step=0).targets
    assert targets["known"].all(), "pelvis and thorax, too"
    assert set(np.unique(targets["codes"])) == {14, 15, IGNORE}
    turned = []
    for codes, maps in zip(targets["codes"], targets["heatmaps"], strict=True):
        peaks = [np.unravel_index(maps[i].argmax(), codes.shape) for i in (10, 15) if maps[i].max() > 0.9]
        if len(peaks) == 2:
            right, left = peaks
            assert (codes[right], codes[left]) == (15, 14)
            turned.append(right[0] > left[0])  # the right wrist was the upper one
    assert 5 < sum(turned) < len(turned) - 5


def test_a_step_of_a_small_network(lip: Path, tmp_path: Path) -> None:
    if (lip / "TrainVal_pose_annotations" / "TrainVal_pose_annotations").exists():
        pytest.skip("single folders are enough")
    row = replace(ZOO["pil-small"], parts="LIP-20", joints="LIP-16")
    config = TrainConfig(steps=1, decay_steps=0, warmup_steps=0, step=StepConfig(bf16=False))
    state = new_state(config, row, build(row), CPU)
    folders, shape = DataFolders(published=(PublishedSet("lip", lip),)), BatchShape(2, 64, 4)
    train(state, config, [batches_for(state.outputs, folders, shape, 0)(step=0)], tmp_path / "run", {}, CPU)
    assert state.step == 1
    for wrong in (DataFolders(data=tmp_path), replace(folders, synthetic=(tmp_path,))):
        with pytest.raises(DataError, match="LIP-20 is taught by its own labels"):
            batches_for(state.outputs, wrong, shape, 0)


def test_labels_joints_and_visibility(lip: Path) -> None:
    first, second = made.read("lip", lip, "train", Problems(strict=True))
    (p,) = first.people
    assert p.joints is LIP16
    assert p.visible.tolist() == [2] * 15 + [0], "v 0 is visible, nan is absent"
    assert p.xy[4].tolist() == [4, 8]
    assert not second.people[0].visible.any(), "a picture without a row has no joints"
    for s in (first, second):
        assert s.label_set is LIP20
        assert np.unique(s.labels()).tolist() == [0, 5, 13]
        assert np.unique(s.silhouette()).tolist() == [0, 1]
        assert np.unique(s.coarse_labels()).tolist() == [0, 1, IGNORE]
    (val,) = made.read("lip", lip, "val")
    assert val.people[0].visible.tolist() == [1] * 15 + [0], "v 1 is occluded"


def test_test_pictures_have_no_labels(lip: Path) -> None:
    (s,) = made.read("lip", lip, "test", Problems(strict=True))
    assert s.read_labels is None
    assert s.people == ()
    assert s.image().ndim == 3


def test_bad_rows_are_named(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    made.text(tmp_path / "TrainVal_images" / "train_id.txt", "1_0", "1_0", "../../x", "4_4")
    made.picture(tmp_path / "TrainVal_images" / "train_images" / "1_0.jpg")
    made.stored(tmp_path / "TrainVal_parsing_annotations" / "train_segmentations" / "1_0.png", made.blank())
    made.text(
        tmp_path / "TrainVal_pose_annotations" / "lip_train_set.csv",
        row("1_0.jpg"), row("1_0.jpg", v="1"), "5_0.jpg,1,2,3", row("6_0.jpg", v="2"), row("7_0.jpg"),
        row("8_0.jpg", v="a"),
    )  # fmt: skip
    problems = Problems()
    (first,) = made.read("lip", tmp_path, "train", problems)
    assert first.people[0].visible.tolist() == [2] * 15 + [0], "its first pose"
    for words in ("1_0 has a second pose", "48 numbers are expected, not 3", "neither 0, visible", "7_0",
                  "line 2: 1_0 is listed twice", "outside the data set", "4_4.jpg is missing",
                  "numbers are expected"):  # fmt: skip
        assert words in made.said(caplog)
    assert problems.count == 8


def test_no_poses_and_no_lists(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="Point at the folder that holds TrainVal_images"):
        made.read("lip", tmp_path, "train")
    made.text(tmp_path / "TrainVal_images" / "train_id.txt")
    problems = Problems()
    assert made.read("lip", tmp_path, "train", problems) == []
    assert problems.count == 1
    made.text(tmp_path / "TrainVal_images" / "val_id.txt")
    assert DATA_SETS["lip"].splits(tmp_path, Problems()) == ("train", "val")
