"""The experiments on tiny data: what is scored, what is hidden, and that every command writes its page."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from experiments import __main__ as experiments
from experiments import pages
from experiments.networks import NAMES, TRUNK, begin
from experiments.occlusion import SIDES, black_out
from experiments.pages import Page
from experiments.people import HeldOut, PartScore
from models.checkpoint import load_checkpoint, load_network
from models.factored import FactoredConvNet
from models.labels import MERGED16, S31
from training.markdown import table
from training.photos import GARMENTS


@pytest.fixture
def packed(tmp_path: Path) -> Path:
    """Six drawn people of 64 px with all 31 parts as stripes."""
    rng = np.random.default_rng(0)
    labels = np.zeros((6, 64, 64), np.uint8)
    for i in range(6):
        for part in range(1, S31.classes):
            labels[i, 2 * part : 2 * part + 2, 10 + i : 50] = part
    images = S31.palette()[labels] // 2 + rng.integers(0, 60, (6, 64, 64, 3), dtype=np.uint8)
    stem = tmp_path / "people"
    np.save(f"{stem}.images.npy", images.astype(np.uint8))
    np.save(f"{stem}.labels.npy", labels)
    return stem


@pytest.fixture
def street(tmp_path: Path) -> Path:
    """A data folder with `ccp` of 103 small photos: 100 to test on, 3 to learn from."""
    rng = np.random.default_rng(1)
    root = tmp_path / "data" / "ccp"
    for kind in ("images", "labels", "silhouettes"):
        (root / kind).mkdir(parents=True)
    (root / "labels.json").write_text(json.dumps(["null", *GARMENTS]))
    for i in range(103):
        mask = np.zeros((48, 32), np.uint8)
        mask[4:44, 8:24] = 1
        garments = mask.copy()
        garments[30:, 8:24] = 1 + list(GARMENTS).index("pants")
        noise = rng.integers(0, 90, (48, 32, 3))
        for kind, picture, ending in (
            ("images", np.where(mask[..., None] > 0, 200, noise), "jpg"),
            ("labels", garments, "png"),
            ("silhouettes", mask, "png"),
        ):
            cv2.imwrite(str(root / kind / f"{i:03d}.{ending}"), picture)
    return root.parent


def test_left_and_right_are_averaged_not_pooled() -> None:
    score = PartScore()
    right, left = S31.id("rhand"), S31.id("lhand")
    truth = np.array([right] * 10 + [left] * 2, np.uint8)
    score.confusion.add(truth, np.array([right] * 10 + [0, 0], np.uint8))
    assert score.by_class("accuracy")["hands"] == pytest.approx(0.5)  # pooled it would be 10/12
    assert list(score.by_class()) == list(MERGED16.names)


def test_the_rectangle_is_black_and_covers_a_pixel_of_the_person() -> None:
    image = np.full((128, 128, 3), 200, np.uint8)
    labels = np.zeros((128, 128), np.uint8)
    labels[60:70, 20:110] = 7
    for seed in range(20):
        made = black_out(np.random.default_rng(seed), image, labels)
        hidden = (made == 0).all(2)
        assert (hidden & (labels > 0)).any()
        h, w = (int(np.count_nonzero(hidden.any(axis))) for axis in (1, 0))
        assert max(h, w) <= round(SIDES[1] * 128)
        assert (made[~hidden] == 200).all()
    assert (image == 200).all()
    empty = black_out(np.random.default_rng(0), image, np.zeros_like(labels))
    assert (empty == image).all()


def test_cells_are_sampled_at_their_centres(packed: Path) -> None:
    """Each cell is 6 x 6 px, of which the rim is another part."""
    people = HeldOut.read(packed)
    big = np.kron(people.labels, np.ones((6, 6), np.uint8)).astype(np.uint8)
    inside = np.zeros((6, 6), bool)
    inside[2:4, 2:4] = True
    rimmed = np.where(np.tile(inside, (64, 64)), big, 31).astype(np.uint8)
    assert (HeldOut(people.images, rimmed).cells() == people.labels).all()


def test_a_table_says_where_nothing_was_measured() -> None:
    assert table(("a", "b"), [("x", float("nan")), ("y", 12345)]).splitlines()[2:] == [
        "| x | – |",
        "| y | 12 345 |",
    ]


def test_a_page_shows_what_stands_beside_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "TEMPLATES", tmp_path)
    (tmp_path / "0-name.md").write_text("# Title\n\n{bars}\n\n{nothing}\n\n{lines}\n\n{maps}\n")
    page = Page(tmp_path / "new", "0-name")
    bars = page.bars("iou", {"a": {"x": 0.1, "y": 0.2}, "b": {"x": 0.3, "y": 0.1}}, "IoU")
    maps = page.maps("maps", {"truth": [np.full((8, 8), 3, np.uint8)]}, [np.eye(8, dtype=bool)])
    lines = page.lines("rise", [0, 1], {"a": [0.1, 0.2]}, ("steps", ""))
    page.write(bars=bars, lines=lines, maps=maps, nothing="")
    text = (tmp_path / "new" / "0-name.md").read_text()
    assert "\n\n\n" not in text
    for picture in ("iou", "rise", "maps"):
        assert f"0-name-{picture}.png" in text
        assert (tmp_path / "new" / f"0-name-{picture}.png").stat().st_size > 100


def test_the_commands_train_what_is_missing_once_and_write_their_pages(
    packed: Path, street: Path, tmp_path: Path
) -> None:
    out, runs = tmp_path / "docs", tmp_path / "runs"
    common = ["--out", str(out), "--runs", str(runs), "--synthetic", str(packed), "--test", str(packed),
              "--size", "64", "--shipped-size", "64", "--steps", "1", "--limit", "3",
              "--data", str(street)]  # fmt: skip
    assert experiments.main(["one", *common]) == 0
    made = {p: p.stat().st_mtime_ns for p in runs.rglob("last.safetensors")}
    assert len(made) == 3
    for path in made:
        settings = load_checkpoint(path)[1]["config"]["step"]["setting_shares"]
        assert all(share > 0 for share in settings), "noise and injection are what the experiments are about"
    for name in ("two", "three", "four", "five"):
        assert experiments.main([name, *common]) == 0
    assert {p: p.stat().st_mtime_ns for p in runs.rglob("last.safetensors")} == made
    for page, words in (
        ("1-state-of-the-art", "ENet against the better"),
        ("2-direct-injection", "hard constraint"),
        ("3-occlusion", "under occlusion"),
        ("4-supervised-transfer", "without a part label"),
        ("5-semi-supervised-transfer", "Tran-Grab"),
    ):
        text = (out / f"{page}.md").read_text()
        assert words in text
        assert "16 passes each" in text


def test_all_networks_begin_with_the_same_trunk(tmp_path: Path) -> None:
    nets = []
    for name in NAMES:
        begin(name, TRUNK, 1, tmp_path / f"{name}.safetensors")
        nets.append(load_network(tmp_path / f"{name}.safetensors")[0])
    x = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        features = [n.trunk(x) if isinstance(n, FactoredConvNet) else n.net[:8](x) for n in nets]
    assert all(torch.equal(f, features[0]) for f in features)


def test_missing_people_are_refused_in_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert experiments.main(["one", "--test", str(tmp_path / "nobody"), "--out", str(tmp_path)]) == 1
    assert "nobody: not a packed synthetic set" in capsys.readouterr().err
