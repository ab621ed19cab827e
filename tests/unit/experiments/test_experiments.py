"""The experiments on tiny data: what is scored, what is hidden, and that every command writes its page."""

from __future__ import annotations

import io
import json
from argparse import Namespace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from experiments import __main__ as experiments
from experiments import pages
from experiments.claims import PartClaim, tried
from experiments.domains import before_a_wall, each_seed
from experiments.networks import NETWORKS, begin
from experiments.options import SHIPPED, parser
from experiments.pages import Page
from experiments.part_scores import KEPT, FinishedNetworks, confusions, keep, measures
from experiments.people import SIDES, HeldOut, black_out
from experiments.setting import SETTING
from models.checkpoint import load_checkpoint, load_network, save_network
from models.factored import FactoredConvNet
from models.families import ZOO
from models.labels import IGNORE, MERGED16, S31
from models.network import build
from training.markdown import table
from training.photos import GARMENTS
from training.targets import CODES, SET_CODES


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


def counts_of(truth: list[int], found: list[int]) -> np.ndarray:
    return confusions(np.array([truth], np.uint8), np.array([found], np.uint8)).astype(float)


def test_left_and_right_are_averaged_not_pooled() -> None:
    right, left = S31.id("rhand"), S31.id("lhand")
    foot = [S31.id("rfoot")] * 3
    counts = counts_of(foot + [right] * 10 + [left] * 2 + [IGNORE], foot + [right] * 10 + [0, 0, left])
    found = measures(counts, photos=False)
    assert found["hands"] == pytest.approx(0.5)  # pooled it would be 10/12
    assert found["feet"] == pytest.approx(1)
    assert found["class accuracy"] == pytest.approx(2 / 3)
    assert found["person IoU"] == pytest.approx(13 / 15)
    assert set(MERGED16.names) <= set(found)


def test_garments_of_photos_are_the_parts_they_may_be() -> None:
    hair, shoe, person = (SET_CODES[name] for name in ("head", "foot", "person"))
    truth = [hair, hair, shoe, shoe, shoe, shoe, person, 0]
    found = [S31.id("ruhead"), S31.id("rhand"), S31.id("lfoot"), 0, 0, 0, S31.id("neck"), S31.id("neck")]
    rates = measures(counts_of(truth, found), photos=True)
    assert (rates["head"], rates["foot"]) == (pytest.approx(1 / 2), pytest.approx(1 / 4))
    assert rates["garments"] == pytest.approx(3 / 8), "trousers are nowhere"
    assert rates["person IoU"] == pytest.approx(4 / 8)
    assert rates["background"] == 0


def test_scores_of_a_network_are_those_of_its_conditions(packed: Path, tmp_path: Path) -> None:
    """Forced silhouettes are followed to the cell; a hidden person is another; only a factor is injected."""
    people = HeldOut.read(packed)
    a = Namespace(data=tmp_path, limit=None)
    for row, ways in (("factored-s31", {"own", "forced", "injected"}), ("enet-relu", {"own", "forced"})):
        keep(build(ZOO[row]).eval(), people, a, tmp_path / f"{row}.npz", 64)
        with np.load(tmp_path / f"{row}.npz") as found:
            assert set(found) == ways | {f"hidden {way}" for way in ways}
            forced = measures(found["forced"].astype(float), photos=False)
            assert (forced["person IoU"] == 1).all()
            assert (forced["background"] == 1).all()
            assert (found["own"] != found["hidden own"]).any()


def keep_right(folder: Path, right: dict[str, int]) -> None:
    """Scores of networks that find so many of ten cells."""
    truth = np.full((8, 10), 5, np.uint8)
    for name, cells in right.items():
        (folder / name).mkdir(parents=True)
        np.savez(folder / name / KEPT, own=confusions(truth, np.where(np.arange(10) < cells, truth, 6)))


def test_only_seeds_that_both_networks_have_are_compared(tmp_path: Path) -> None:
    """Factored finds every cell with seeds 1 and 2 and none with 3, the Baseline half of them."""
    right = {"factored-1": 10, "factored-2": 10, "factored-3": 0, "baseline-1": 5, "baseline-2": 4}
    keep_right(tmp_path, right)
    scores = FinishedNetworks(tmp_path, (1, 2, 3))
    uses = (("factored", "own"),), (("baseline", "own"),)
    apart = scores.interval("class accuracy", *uses)
    assert apart is not None
    assert (apart.seeds, apart.mean) == (2, pytest.approx(0.55))
    assert (apart.low, apart.high) == (pytest.approx(0.5), pytest.approx(0.6)), (
        "pictures are alike, seeds not"
    )
    assert PartClaim("", "", *uses, "class accuracy").row(scores)[-1] == "**agrees**"
    assert PartClaim("", "", *reversed(uses), "class accuracy").row(scores)[-1] == "**disagrees**"
    assert PartClaim("", "", *uses, "class accuracy", alike=0.05).row(scores)[-1] == "**disagrees**"
    assert PartClaim("", "", *uses, "class accuracy", alike=2.0).row(scores)[-1] == "**agrees**"
    assert PartClaim("", "", *uses, "class accuracy", alike=1.2).row(scores)[-1] == "**cannot say**"
    assert PartClaim("", "", uses[0], (("enet", "own"),)).row(scores) is None


def test_what_does_not_reproduce_is_shown_in_another_setting(tmp_path: Path) -> None:
    here, other = tmp_path / "here", tmp_path / "other"
    keep_right(here, {"factored-1": 4, "factored-2": 4, "baseline-1": 5, "baseline-2": 5})
    keep_right(other, {"factored-1": 9, "factored-2": 9, "baseline-1": 8, "baseline-2": 8})
    (other / SETTING).write_text(json.dumps({"steps": 50, "crop": 64, "cold": False}))
    above = PartClaim("above", "", (("factored", "own"),), (("baseline", "own"),), "class accuracy")
    below = PartClaim("below", "", above.minus, above.plus, "class accuracy")
    a = Namespace(tried=[other], seeds=(1, 2), steps=50, crop=64, trunk=None)
    page = tried((above, below), FinishedNetworks(here, (1, 2)), a)
    assert "| above | class accuracy | encoders from the parser | 80.0 |" in page
    assert "**agrees**" in page
    assert "below" not in page, "that claim agrees already"
    a.tried = []
    assert not tried((above, below), FinishedNetworks(here, (1, 2)), a)


def test_a_wall_replaces_the_place_not_the_person(packed: Path) -> None:
    people = HeldOut.read(packed)
    made = people.changed(before_a_wall, 1)
    inside = cv2.erode((people.labels[0] > 0).astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
    outside = cv2.dilate((people.labels[0] > 0).astype(np.uint8), np.ones((9, 9), np.uint8)) == 0
    assert np.abs(made.images[0][inside].astype(int) - people.images[0][inside]).max() <= 1
    assert made.images[0][outside].std() != people.images[0][outside].std()


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


@pytest.fixture
def common(packed: Path, street: Path, tmp_path: Path) -> list[str]:
    """Options of all commands, on next to nothing."""
    return ["--out", str(tmp_path / "docs"), "--runs", str(tmp_path / "runs"), "--synthetic", str(packed),
            "--test", str(packed), "--size", "64", "--shipped-size", "64", "--steps", "1", "--limit", "3",
            "--crop", "64", "--data", str(street)]  # fmt: skip


def test_networks_are_trained_and_scored_once(
    common: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    once = ["networks", *common, "--seeds", "1", "--rows", "factored", "factored-uniform"]
    assert experiments.main(once) == 0
    folder = tmp_path / "runs" / "exp-1-64-cold"
    made = {p: p.stat().st_mtime_ns for p in folder.rglob("*.*") if p.suffix in (".safetensors", ".npz")}
    assert {str(p.relative_to(folder)) for p in made} == {
        f"{row}-1/{file}" for row in ("factored", "factored-uniform") for file in ("last.safetensors", KEPT)
    } | {f"shipped-0/{KEPT}"}
    ours, even = (load_checkpoint(folder / f"{n}-1" / "last.safetensors")[1]["config"]["step"]
                  for n in ("factored", "factored-uniform"))  # fmt: skip
    assert min(ours["setting_shares"]) > 0
    assert ours["inject"] > 0
    assert (even["setting_shares"], even["inject"]) == ([0.25] * 4, 0)
    assert experiments.main(once) == 0
    assert {p: p.stat().st_mtime_ns for p in made} == made
    assert experiments.main([*once, "--limit", "2"]) == 1, "its scores would stand beside those of three"
    told = f"{folder}: its scores were made with --limit 3, now it is 2. Give --runs another folder."
    assert told in capsys.readouterr().err
    assert experiments.main(["four", *common, "--size", "32", "--finished"]) == 1
    assert "--size 64, now it is 32" in capsys.readouterr().err


def test_only_what_their_names_say_differs_between_the_networks() -> None:
    words = {name: " ".join(n.words) for name, n in NETWORKS.items()}
    assert not any(words[name] for name in ("factored", "baseline", "enet"))
    assert words["factored-alone"] == "--setting-shares 0 0 1 0 --true-silhouettes 0"
    assert words["factored-no-injection"] == "--true-silhouettes 0"
    assert words["factored-prelu"] == words["factored-uniform"]
    assert {n.row for n in NETWORKS.values()} == {
        "factored-s31", "baseline-relu", "enet-relu", "factored-s31-paper"
    }  # fmt: skip


def test_pages_are_made_of_what_is_finished(common: list[str], tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for name in (*NETWORKS, "shipped"):
        for seed in (0,) if name == "shipped" else (1, 2) if name != "enet" else (2,):
            kept = tmp_path / "runs" / "exp-1-64-cold" / f"{name}-{seed}" / KEPT
            kept.parent.mkdir(parents=True)
            shape = (3, CODES, S31.classes)
            ways = ("own", "forced") if name in ("baseline", "enet") else ("own", "forced", "injected")
            np.savez(kept, **{f"{some}{way}": rng.integers(1, 9, shape).astype(np.uint16)
                              for some in ("", "hidden ", "ccp ") for way in ways})  # fmt: skip
    for name in ("one", "two", "three"):
        assert experiments.main([name, *common, "--seeds", "1", "2", "--finished"]) == 0
    for page, words in (
        ("1-state-of-the-art", "Not trained with every seed yet: enet."),
        ("2-direct-injection", "the settings teach the head"),
        ("3-occlusion", "without silhouettes both fall alike"),
    ):
        text = (tmp_path / "docs" / f"{page}.md").read_text()
        assert words in text
        assert "16 passes each" in text
        assert (tmp_path / "docs" / f"{page}-iou.png").exists()
    one = (tmp_path / "docs" / "1-state-of-the-art.md").read_text()
    above = [line for line in one.splitlines() if line.startswith("| Factored is above ENet")]
    assert "| 1 | **cannot say (one seed)** |" in above[0]


def test_a_factor_is_moved_with_every_seed_that_is_asked_for(common: list[str], tmp_path: Path) -> None:
    folder = tmp_path / "runs" / "exp-1-64-cold"
    for seed in (1, 2):
        torch.manual_seed(seed)
        (folder / f"factored-{seed}").mkdir(parents=True)
        row = ZOO["factored-s31"]
        save_network(folder / f"factored-{seed}" / "last.safetensors", row, build(row), {"images": 16})
        (folder / f"factored-{seed}" / KEPT).touch()
    for name in ("four", "five"):
        assert experiments.main([name, *common, "--seeds", "1", "2"]) == 0
    kept = {p: p.stat().st_mtime_ns for p in folder.glob("*.npz")}
    assert {p.stem for p in kept} == {
        f"{name}-{of}-{s}" for name in ("four", "five") for of in ("ccp", "studio", "camera") for s in (1, 2)
    }
    for name, page, words in (
        ("four", "4-supervised-transfer", "| person IoU |"),
        ("five", "5-semi-supervised-transfer", "![studio]("),
    ):
        assert experiments.main([name, *common, "--seeds", "1", "2", "3", "--finished"]) == 0
        text = (tmp_path / "docs" / f"{page}.md").read_text()
        assert text.count(" 2 seeds.") == 3
        assert words in text
    assert {p: p.stat().st_mtime_ns for p in kept} == kept


def test_scores_are_whole_or_absent(packed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed while they are written, a run finds none the next time, and makes them again."""

    def torn(file: Path | io.BytesIO, **_arrays: object) -> None:
        (file.open("wb") if isinstance(file, Path) else file).write(b"PK half")
        raise KeyboardInterrupt

    a = parser().parse_args(["four", "--data", str(tmp_path), "--seeds", "1", "--runs", str(tmp_path)])
    net, people = build(ZOO["factored-s31"]).eval(), HeldOut.read(packed, 1)
    with monkeypatch.context() as killed:
        killed.setattr(np, "savez_compressed", torn)
        with pytest.raises(KeyboardInterrupt):
            keep(net, people, a, tmp_path / KEPT, 64)
        with pytest.raises(KeyboardInterrupt):
            each_seed(a, "four-ccp", lambda _: {"3 parts": np.ones(2)})
    assert not [*tmp_path.rglob("*.npz")]
    (made,) = each_seed(a, "four-ccp", lambda _: {"3 parts": np.ones(2)})
    assert made["3 parts"].tolist() == [1, 1]


def test_all_networks_begin_with_the_same_trunk(tmp_path: Path) -> None:
    nets = []
    for name in ("baseline", "enet", "factored", "factored-alone"):
        begin(name, SHIPPED, 1, tmp_path / f"{name}.safetensors")
        nets.append(load_network(tmp_path / f"{name}.safetensors")[0])
    x = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        features = [n.trunk(x) if isinstance(n, FactoredConvNet) else n.net[:8](x) for n in nets]
    assert all(torch.equal(f, features[0]) for f in features)


def test_missing_people_are_refused_in_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert experiments.main(["one", "--test", str(tmp_path / "nobody"), "--runs", str(tmp_path)]) == 1
    assert "nobody: not a packed synthetic set" in capsys.readouterr().err
