"""UP-S31 as prepared, and the raw UP-3D folder."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from models.labels import S31
from tests.unit.training.datasets import made
from training.datasets.problems import Problems
from training.datasets.registry import DATA_SETS
from training.photos import DataError

FOLDER = "31/500/pkg_dorder"


@pytest.fixture
def prepared(tmp_path: Path) -> Path:
    """Ten pictures: 0-5 train, 6-7 val, 8-9 test."""
    lines = []
    for i in range(10):
        made.picture(tmp_path / FOLDER / f"{i:05d}_image.png", seed=i)
        labels = made.blank()
        labels[5:20, 5:20] = 1 + i
        labels = np.repeat(labels[..., None], 3, axis=2) if i % 2 else labels
        made.stored(tmp_path / FOLDER / f"{i:05d}_ann.png", labels)
        lines.append(f"/{FOLDER}/{i:05d}_image.png /{FOLDER}/{i:05d}_ann.png 0.{i + 1}")
    for split, part in (
        ("train", lines[:6]),
        ("val", lines[6:8]),
        ("trainval", lines[:8]),
        ("test", lines[8:]),
    ):
        made.text(tmp_path / f"{split}_31_500_pkg_dorder.txt", *part)
    return tmp_path


def test_lists_labels_and_scale(prepared: Path) -> None:
    train = made.read("up-s31", prepared, "train", Problems(strict=True))
    assert [s.name for s in train] == [f"{i:05d}" for i in range(6)]
    assert [s.scale for s in train[:2]] == [0.1, 0.2]
    for i, s in enumerate(train):
        assert s.label_set is S31
        assert np.unique(s.labels()).tolist() == [0, 1 + i]
        assert s.image().shape == (made.HEIGHT, made.WIDTH, 3)
    assert len(made.read("up-s31", prepared, "trainval")) == 8


def test_lists_may_lie_in_the_inner_folder(prepared: Path) -> None:
    for path in prepared.glob("*.txt"):
        path.rename(prepared / "31" / "500" / path.name)
    assert len(made.read("up-s31", prepared, "test", Problems(strict=True))) == 2


def test_the_papers_split_is_four_fifths_and_always_the_same(prepared: Path) -> None:
    train, test = (
        [s.name for s in made.read("up-s31", prepared, f"paper-{p}", Problems(strict=True))]
        for p in ("train", "test")
    )
    assert sorted(train + test) == [f"{i:05d}" for i in range(10)]
    assert test == ["00000", "00006"], "another machine must choose the same pictures"


def test_a_stored_split_wins(prepared: Path, caplog: pytest.LogCaptureFixture) -> None:
    made.text(prepared / "splits" / "up_s31_test.txt", "00003", "09999")
    problems = Problems()
    assert [s.name for s in made.read("up-s31", prepared, "paper-test", problems)] == ["00003"]
    assert problems.count == 1
    assert "up_s31_test.txt: 09999: in none of the released lists" in made.said(caplog)


def test_two_releases_in_one_folder_are_told_apart(prepared: Path) -> None:
    (prepared / "test_31_500_other.txt").write_text((prepared / "test_31_500_pkg_dorder.txt").read_text())
    assert len(made.read("up-s31", prepared, "test@other")) == 2
    assert len(made.read("up-s31", prepared, "train@pkg_dorder")) == 6
    released = ("train", "val", "trainval", "test")
    assert DATA_SETS["up-s31"].splits(prepared, Problems()) == (
        "test@other", *(f"{s}@pkg_dorder" for s in released)
    )  # fmt: skip
    (prepared / "test_31_500_other.txt").unlink()
    made.text(prepared / "notes_31_500_x.txt", "no list")
    assert DATA_SETS["up-s31"].splits(prepared, Problems()) == (*released, "paper-train", "paper-test")


def test_an_outer_list_goes_before_an_inner_one(prepared: Path) -> None:
    line = (prepared / "test_31_500_pkg_dorder.txt").read_text().split("\n")
    for folder, kept in (("31/500", line[:1]), ("31", line[1:2])):
        made.text(prepared / folder / "test_31_500_pkg_dorder.txt", *kept)
    assert len(made.read("up-s31", prepared, "test")) == 2
    (prepared / "test_31_500_pkg_dorder.txt").unlink()
    assert [s.name for s in made.read("up-s31", prepared, "test")] == ["00009"]


def test_what_is_wrong_is_named_and_left_out(prepared: Path, caplog: pytest.LogCaptureFixture) -> None:
    (prepared / FOLDER / "00000_image.png").unlink()
    (prepared / FOLDER / "00001_ann.png").unlink()
    one = f"/{FOLDER}/00002_image.png /{FOLDER}/00002_ann.png 1.0"
    made.text(
        prepared / "val_31_500_pkg_dorder.txt",
        one, one, "only one field", one.replace("1.0", "-1"), one.replace("1.0", "x"),
        one.replace("1.0", "0"), one.replace("1.0", "inf"), one.replace("1.0", "nan"), f"{one} 1.0",
        f"/../../etc/passwd /{FOLDER}/00002_ann.png 1", one.replace("00002_ann", "00003_ann"),
    )  # fmt: skip
    problems = Problems()
    assert len(made.read("up-s31", prepared, "train", problems)) == 4
    assert problems.count == 2
    assert [s.name for s in made.read("up-s31", prepared, "val", problems)] == ["00002"]
    assert problems.count == 12
    for words in ("line 6: the scale 0.0 is not a positive number", "line 7: the scale inf is not",
                  "line 8: the scale nan is", "line 9: a picture, a label picture and a scale are expected",
                  "00000_image.png is missing", "00001_ann.png is missing", "line 2: 00002 is listed twice",
                  "not a positive number", "points outside", "not of one picture"):  # fmt: skip
        assert words in made.said(caplog)
    with pytest.raises(DataError, match="00000_image"):
        made.read("up-s31", prepared, "train", Problems(strict=True))


def test_a_network_learns_the_parts_of_the_papers_training_split(prepared: Path) -> None:
    train = {int(s.name[:5]) + 1 for s in made.read("up-s31", prepared, "paper-train")}
    learned = made.taught("up-s31", prepared) - {0}
    assert learned
    mirrored = {int(S31.mirror()[part]) for part in train}
    assert learned <= train | mirrored, "picture i has part i + 1 and no other"


def test_a_folder_without_lists_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="Point at the folder that holds 31/500/"):
        made.read("up-s31", tmp_path, "train")
    with pytest.raises(DataError, match="raw UP-3D folder"):
        made.read("up-3d", tmp_path, "train")


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    joints = np.arange(28.0).reshape(2, 14) + 1
    joints[:, 3] = 0
    joints[1, 5] = -1
    for i in range(2):
        made.picture(tmp_path / f"{i:05d}_image.png")
        np.save(tmp_path / f"{i:05d}_joints.npy", joints)
        made.text(tmp_path / f"{i:05d}_fit_crop_info.txt", "200 50 5 25 4 14")
        (tmp_path / f"{i:05d}_body.pkl").write_bytes(b"cos\nsystem\n(S'touch owned'\ntR.")
    made.text(tmp_path / "train.txt", "/00000_image.png", "/00001_image.png")
    return tmp_path


def test_raw_joints_and_crop(raw: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    samples = made.read("up-3d", raw, "train", Problems(strict=True))
    (p,) = samples[0].people
    assert p.visible.tolist() == [2, 2, 2, 0, 2, 0] + [2] * 8
    assert p.xy[0].tolist() == [1, 15]
    crop = samples[0].crop
    assert crop is not None
    assert crop.box == (4, 5, 14, 25)
    assert crop.scale == (5, 10)
    assert samples[1].name == "00001"
    assert "Python pickles, which run code when opened; they are never read" in caplog.text
    assert not (raw / "owned").exists()


@pytest.mark.parametrize(
    ("held", "words"),
    [
        *((row, "describes an empty crop") for row in ("2 1 5 5 4 14", "2 1 5 25 4 4", "2 1 5 25 14 4")),
        *((row, "describes an empty crop") for row in ("0 1 5 25 4 14", "2 0 5 25 4 14", "2 1 5 -25 4 14")),
        *((row, "does not hold height, width, y0, y1, x0, x1") for row in ("2 1 5 25 4", "2 1 5 25 4 nan")),
        ("2 1 5 25 4 inf", "does not hold height, width, y0, y1, x0, x1"),
    ],
)
def test_a_crop_of_nothing_is_named(
    held: str, words: str, raw: Path, caplog: pytest.LogCaptureFixture
) -> None:
    made.text(raw / "00000_fit_crop_info.txt", held)
    made.text(raw / "00001_fit_crop_info.txt", "1 1 5 6 4 5")
    assert [s.name for s in made.read("up-3d", raw, "train")] == ["00001"]
    assert f"00000_fit_crop_info.txt {words}" in made.said(caplog)


def test_raw_files_that_are_broken(raw: Path) -> None:
    np.save(raw / "00000_joints.npy", np.array([{}], dtype=object))
    made.text(raw / "00001_fit_crop_info.txt", "200 100 25 25 4 14")
    with (raw / "train.txt").open("a") as f:
        f.write("/../00000_image.png\n/00007_image.png\n")
    problems = Problems()
    assert made.read("up-3d", raw, "train", problems) == []
    assert problems.count == 4
