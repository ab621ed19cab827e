"""FSP through `fsp.toml`: values or colours, subjects by regular expression."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from models.labels import IGNORE
from tests.unit.training.datasets import made
from training.datasets.fsp import read_layout, read_mapped
from training.datasets.problems import Problems
from training.datasets.sets import FSP_PARTS
from training.photos import DataError
from training.targets import SET_CODES

COLOURS = '"0,0,0" = 0\n"255,4,2" = 1\n"3,2,9" = 255'
VALUES = "0 = 0\n7 = 1\n9 = 255"
CONFIG = """images = "images/*.png"
labels = "labels/*.png"
subject = '^(s\\d+)_'
[subjects]
train = ["s1"]
test = ["s2", "s3"]
[label_map]
"""


@pytest.fixture(params=["values", "colours"])
def fsp(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    coloured = request.param == "colours"
    for name in ("s1_1", "s2_1", "s3_1"):
        made.picture(tmp_path / "images" / f"{name}.png")
        if coloured:
            labels = np.zeros((made.HEIGHT, made.WIDTH, 3), dtype=np.uint8)
            labels[2:5], labels[8:9] = (255, 4, 2), (3, 2, 9)
        else:
            labels = made.blank()
            labels[2:5], labels[8:9] = 7, 9
        made.stored(tmp_path / "labels" / f"{name}.png", labels)
    made.text(tmp_path / "fsp.toml", CONFIG + (COLOURS if coloured else VALUES))
    return tmp_path


def test_a_network_learns_heads_from_the_subjects_to_train_on(fsp: Path) -> None:
    assert {0, SET_CODES["head"]} <= made.taught("fsp", fsp)


def test_parts_and_subjects(fsp: Path) -> None:
    test = made.read("fsp", fsp, "test", Problems(strict=True))
    assert [(s.name, s.group) for s in test] == [("s2_1", "s2"), ("s3_1", "s3")]
    assert test[0].label_set is FSP_PARTS
    labels = test[0].labels()
    assert (labels[2:5] == 1).all()
    assert (labels[8] == IGNORE).all()
    assert not labels[20:].any()
    assert len(made.read("fsp", fsp, "train")) == 1


def test_what_does_not_match_is_named(fsp: Path, caplog: pytest.LogCaptureFixture) -> None:
    made.picture(fsp / "images" / "s9_1.png")
    made.picture(fsp / "images" / "s2_2.png")
    made.picture(fsp / "images" / "0.png")
    (fsp / "images" / "s2_0.png").mkdir()
    strange = np.full((made.HEIGHT, made.WIDTH, 3), 3, dtype=np.uint8)
    strange[0, 0] = 4
    made.stored(fsp / "labels" / "s3_1.png", strange)
    problems = Problems()
    samples = made.read("fsp", fsp, "test", problems)
    assert [s.name for s in samples] == ["s2_1", "s3_1"]
    assert problems.count == 3
    assert "0.png: its subject is in none of the lists" in made.said(caplog)
    assert "s9_1.png: its subject is in none of the lists" in made.said(caplog)
    assert "s2_2.png: no label picture" in made.said(caplog)
    with pytest.raises(ValueError, match="which label_map does not have"):
        samples[1].labels()


def test_pairs_by_a_number(fsp: Path) -> None:
    for path in (fsp / "labels").iterdir():
        path.rename(path.with_name(f"mask-{path.stem[1]}.png"))
    config = (fsp / "fsp.toml").read_text()
    (fsp / "fsp.toml").write_text("pair = '^(?:s|mask-)(\\d)'\n" + config)
    assert len(made.read("fsp", fsp, "test", Problems(strict=True))) == 2
    (fsp / "fsp.toml").write_text("pair = '([a-z])'\n" + config)
    problems = Problems()
    assert made.read("fsp", fsp, "test", problems) == []
    assert problems.count == 4, "two label pictures more of one key, and two pictures without one"


def test_a_value_that_is_not_described_is_named_the_smallest_first(tmp_path: Path) -> None:
    made.text(tmp_path / "fsp.toml", CONFIG + COLOURS + "\n0 = 0")
    layout = read_layout(tmp_path)
    seen_through = np.full((2, 3, 4), (255, 4, 2, 77), dtype=np.uint8)
    assert (read_mapped(made.stored(tmp_path / "a.png", seen_through), layout) == 1).all()
    seen_through[1, 1, :3] = 255
    seen_through[0, 1, :3] = 1, 2, 3
    for labels, value in ((seen_through, "0x10203"), (np.uint8([[0, 31], [17, 200]]), "0x11")):
        made.stored(tmp_path / "b.png", labels)
        with pytest.raises(
            ValueError, match=rf"b\.png holds the value {value}, which label_map does not have"
        ):
            read_mapped(tmp_path / "b.png", layout)


@pytest.mark.parametrize("odd", [0, 1, 2])
def test_grey_labels_may_be_stored_with_channels_and_colours_may_not(odd: int, tmp_path: Path) -> None:
    made.text(tmp_path / "fsp.toml", CONFIG + VALUES)
    layout = read_layout(tmp_path)
    grey = np.full((4, 5, 4), 7, dtype=np.uint8)
    grey[..., 3] = 200  # not opaque
    assert (read_mapped(made.stored(tmp_path / "a.png", grey), layout) == 1).all()
    grey[2, 2, odd] = 9
    with pytest.raises(ValueError, match=r"b\.png is a colour picture, but label_map has no colours"):
        read_mapped(made.stored(tmp_path / "b.png", grey), layout)


def test_labels_and_colours_of_a_description(tmp_path: Path) -> None:
    colours = '"1,2,3" = 14\n"255,255,255" = 0\n0 = 2\n255 = 255'
    made.text(tmp_path / "fsp.toml", CONFIG + colours)
    layout = read_layout(tmp_path)
    assert layout.colours == {0x010203: 14, 0xFFFFFF: 0}
    assert layout.values == {0: 2, 255: 255}
    assert layout.subjects == {"train": ("s1",), "test": ("s2", "s3")}
    for wrong in ('"1,2" = 1', '"1,2,256" = 1', "256 = 1", '"-1" = 1', "0 = -1", '0 = "1"', "0 = 254"):
        made.text(tmp_path / "fsp.toml", CONFIG + wrong)
        with pytest.raises(DataError, match="label_map: "):
            read_layout(tmp_path)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("images/*.png", "../*.png", "outside the data set"),
        ("^(s", "^((s", "no regular expression"),
        ("^(s\\d+)_", "^s", "one group"),
        ("[label_map]", "[other]", r"\[label_map\] is missing"),
        ('labels = "labels/*.png"', "", "`labels` is missing"),
        (" = 255", " = 15", "parts are 0 to 14"),
        ("[subjects]", "[subjects", "Write it as docs/datasets.md shows"),
        ('["s1"]', "5", "fsp.toml"),
    ],
)
def test_a_description_that_cannot_be_followed(fsp: Path, old: str, new: str, words: str) -> None:
    config = (fsp / "fsp.toml").read_text()
    assert old in config
    (fsp / "fsp.toml").write_text(config.replace(old, new))
    with pytest.raises(DataError, match=words):
        made.read("fsp", fsp, "test")


def test_a_folder_without_a_description(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"fsp\.toml is missing"):
        made.read("fsp", tmp_path, "test")
    made.text(tmp_path / "fsp.toml", CONFIG + VALUES)
    with pytest.raises(DataError, match="no picture matches"):
        made.read("fsp", tmp_path, "test")
