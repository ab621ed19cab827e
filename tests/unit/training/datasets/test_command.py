"""`python -m training.datasets`: counts, names of what is wrong, 0 or 1."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from models.checkpoint import save_network
from models.factored import FactoredConvNet
from models.families import ZOO
from tests.unit.training.datasets import made
from training.datasets.__main__ import main
from training.datasets.registry import DATA_SETS

FOLDER = "31/500/s"


@pytest.fixture
def up(tmp_path: Path) -> Path:
    root = tmp_path / "up"
    lines = []
    for i in range(5):
        made.picture(root / FOLDER / f"{i:05d}_image.png", seed=i)
        labels = made.blank()
        labels[:20] = 5
        made.stored(root / FOLDER / f"{i:05d}_ann.png", labels)
        lines.append(f"/{FOLDER}/{i:05d}_image.png /{FOLDER}/{i:05d}_ann.png 1.0")
    made.text(root / "train_31_500_s.txt", *lines[:3])
    made.text(root / "test_31_500_s.txt", *lines[3:])
    return root


def rows(out: str) -> dict[str, list[int]]:
    return {line.split()[0]: [int(v) for v in line.split()[1:]] for line in out.splitlines()[2:]}


def test_counts_of_a_whole_set(up: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["up-s31", str(up), "--check"]) == 0
    out, err = capsys.readouterr()
    assert rows(out) == {
        "train": [3, 0, 3, 3], "test": [2, 0, 2, 2], "paper-train": [4, 0, 4, 4], "paper-test": [1, 0, 1, 1],
    }  # fmt: skip
    assert err == ""


def test_broken_and_mismatched_files_are_found_by_reading(
    up: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (up / FOLDER / "00000_image.png").write_bytes(b"\x89PNG\r\n\x1a\nbroken")
    made.stored(up / FOLDER / "00001_ann.png", np.zeros((7, 9), np.uint8))
    made.stored(up / FOLDER / "00002_ann.png", made.blank(40))
    assert main(["up-s31", str(up), "--split", "train"]) == 0, "lists alone show nothing of it"
    capsys.readouterr()
    assert main(["up-s31", str(up), "--split", "train", "--check"]) == 1
    out, err = capsys.readouterr()
    assert rows(out) == {"train": [0, 0, 0, 0]}
    assert "00000_image.png" in err
    assert "its labels are 9x7 pixels, its picture 40x30" in err
    assert "holds label 40; 31 is the highest" in err
    assert err.splitlines()[-1] == "3 left out"


def test_the_same_missing_file_counts_once(up: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (up / FOLDER / "00000_image.png").unlink()
    assert main(["up-s31", str(up)]) == 1
    err = capsys.readouterr().err
    assert err.count("00000_image.png is missing") == 1
    assert err.endswith("1 left out\n")


def test_strict_stops_at_the_first(up: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (up / FOLDER / "00000_image.png").unlink()
    (up / FOLDER / "00001_image.png").unlink()
    assert main(["up-s31", str(up), "--strict"]) == 1
    err = capsys.readouterr().err
    assert "00000_image.png is missing. Repair or remove it" in err
    assert "00001" not in err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["up-s31", "nothing/here"], "no such folder"),
        (["up-3d", "00000_body.pkl"], "a Python pickle, which runs code when opened"),
        (["up-s31", "UP", "--split", "val"], "it has no split val. It has train, test"),
        *((["up-s31", "UP", "--size", n], f"--size {n}: it must be a multiple") for n in ("100", "0", "-32")),
        *((["up-s31", "UP", "--limit", n], f"--limit {n}: it must be 1 or more") for n in ("-1", "0")),
        (["up-s31", "UP", "--impute", "x"], "--impute: only coco has people without keypoints"),
        (["up-s31", "UP", "--joints", "x"], "up-s31: --joints scores lip, mpii, pascal-person-part"),
        (["up-3d", "UP"], "no train.txt"),
        (["up-s31", "UP", "--score", "nothing.safetensors"], "no such file"),
        (["lip", "UP"], "Point at the folder that holds TrainVal_images"),
    ],
)
def test_refusals(up: Path, arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(up) if a == "UP" else a for a in arguments]) == 1
    assert words in capsys.readouterr().err


def test_a_broken_list_is_a_refusal(up: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (up / "train_31_500_s.txt").write_bytes(b"\xff\xff")
    assert main(["up-s31", str(up)]) == 1
    assert "Unpack or download it again." in capsys.readouterr().err


def test_joints_outside_the_picture(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made.picture(tmp_path / "images" / "im00001.jpg")
    joints = np.ones((14, 3, 1))
    joints[:, 0] = 500
    made.mat(tmp_path / "joints.mat", joints=joints)
    assert main(["lspet", str(tmp_path)]) == 0
    assert main(["lspet", str(tmp_path), "--check"]) == 1
    assert "all joints of person 1 lie outside the picture of 40x30" in capsys.readouterr().err


def test_a_score_is_one_json_object(up: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    save_network(tmp_path / "n.safetensors", ZOO["factored-s31"], FactoredConvNet(), {})
    more = ["--size", "128", "--split", "test"]
    assert main(["up-s31", str(up), "--score", str(tmp_path / "n.safetensors"), *more]) == 0
    own = json.loads(capsys.readouterr().out)
    assert (own["split"], own["size"]) == ("test", 128)
    assert 0 <= own["mean accuracy of 16"] <= 1
    paper = ["--size", "64", "--limit", "1", "--show-silhouettes"]
    assert main(["up-s31", str(up), "--score", str(tmp_path / "n.safetensors"), *paper]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert (shown.pop("split"), shown.pop("size")) == ("paper-test", 64)
    assert shown.keys() == own.keys() - {"split", "size"}


def test_only_the_first_pictures_are_counted(up: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["up-s31", str(up), "--split", "train", "--limit", "1"]) == 0
    out, _ = capsys.readouterr()
    assert out.splitlines() == [
        "UP-S31, 31 parts, prepared; CC BY-NC 4.0, and SMPL's",
        "split           pictures    people     parts  silhouettes",
        "train                  1         0         1            1",
    ]


def test_counting_needs_no_torch() -> None:
    code = "import sys, training.datasets.__main__; sys.exit('torch' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], check=False, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_every_data_set_is_in_the_documentation(repository: Path) -> None:
    text = (repository / "docs" / "datasets.md").read_text(encoding="utf-8")
    assert [n for n in DATA_SETS if f"`{n}`" not in text] == []
