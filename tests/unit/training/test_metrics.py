"""Measures on cases whose answer is known by hand."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from models.labels import IGNORE, LSP14, S31
from runtime.engine.engine import load_engine
from runtime.engine.letterbox import NetworkSize
from runtime.system import paths
from training.__main__ import main as train
from training.evaluate import by_engine, score_folder, score_synthetic
from training.evaluate import main as evaluate
from training.metrics import (
    Confusion,
    HitRates,
    boundary_f,
    has_known_edge,
    pose_report,
    probe_garments,
    probe_pose,
    silhouette_iou,
)
from training.photos import GARMENTS
from training.prediction import Prediction, open_network, predict
from training.scribbles import Skeleton


def square(shift: int = 0, size: int = 200) -> np.ndarray:
    mask = np.zeros((size, size), np.uint8)
    mask[50:150, 50 + shift : 150 + shift] = 1
    return mask


def test_silhouette_iou_leaves_the_unknown_out() -> None:
    truth = square()
    truth[:, :100] = IGNORE
    prediction = square().astype(bool)
    prediction[:, :100] = False  # wrong, but nobody knows
    assert silhouette_iou(prediction, truth) == 1.0
    prediction[:, :100] = True  # as wrong the other way
    assert silhouette_iou(prediction, truth) == 1.0
    assert silhouette_iou(square(50).astype(bool), square()) == pytest.approx(50 / 150)
    assert silhouette_iou(np.zeros((4, 4), bool), np.zeros((4, 4), np.uint8)) == 1.0


def test_boundary_f_forgives_the_tolerance_and_no_more() -> None:
    near, far = square(2).astype(bool), square(8).astype(bool)  # the tolerance is 0.8 % of 283 px, 2.3 px
    assert boundary_f(square().astype(bool), square()) == 1.0
    assert boundary_f(near, square()) == 1.0
    # of 396 pixels either way two horizontal edges of 94 match, and 4 of an end
    assert boundary_f(far, square()) == pytest.approx(192 / 396)
    nothing = np.zeros((200, 200), np.uint8)
    assert boundary_f(nothing > 0, square()) == boundary_f(square() > 0, nothing) == 0.0
    assert boundary_f(nothing > 0, nothing) == 1.0
    dot = nothing.copy()
    dot[10, 10] = 1
    assert boundary_f(dot > 0, square()) == 0.0


def neighbours(mask: np.ndarray) -> np.ndarray:
    """(9, h, w) the pixel and those round it; beyond the border nothing is outside a mask."""
    h, w = mask.shape
    wide = np.pad(mask, 1, constant_values=True)
    return np.stack([wide[y : y + h, x : x + w] for y in range(3) for x in range(3)])


@pytest.mark.parametrize("seed", range(6))
def test_boundary_f_by_its_definition(seed: int) -> None:
    """Small pictures: edges match within one pixel; those that touch an unknown pixel are left out."""
    rng = np.random.default_rng(seed)
    mask, truth = rng.random((9, 12)) < 0.8, (rng.random((9, 12)) < 0.7).astype(np.uint8)
    truth[rng.random((9, 12)) < 0.04] = IGNORE
    beside = ~neighbours(truth != IGNORE).all(axis=0)
    edges = [m & ~neighbours(m).all(axis=0) & ~beside for m in (mask, truth == 1)]
    a, b = (np.argwhere(e) for e in edges)
    near = np.linalg.norm(a[:, None] - b, axis=2) <= 1
    precision, recall = near.any(axis=1).mean(), near.any(axis=0).mean()
    assert boundary_f(mask, truth) == pytest.approx(2 * precision * recall / (precision + recall))
    assert has_known_edge(truth) == edges[1].any()


def test_no_edge_counts_where_nobody_knows_it() -> None:
    """A wrong right half costs nothing under 255, and a half of the recall or precision elsewhere."""
    wrong = square().astype(bool)
    wrong[:, 120:] = False
    truth = square()
    truth[:, 96:] = IGNORE
    assert boundary_f(wrong, square()) < 0.8
    assert boundary_f(wrong, truth) == 1.0
    assert has_known_edge(truth)
    assert not has_known_edge(np.where(square(), IGNORE, 0).astype(np.uint8))
    assert has_known_edge(np.zeros((3, 3), np.uint8)), "nobody is there, as everybody knows"


@given(st.integers(0, 1000))
def test_confusion_accumulates_over_pictures(seed: int) -> None:
    rng = np.random.default_rng(seed)
    truth, predicted = rng.integers(0, 4, (2, 3, 20), dtype=np.uint8)
    truth[0, 0] = IGNORE
    parts, whole = Confusion(4), Confusion(4)
    for t, p in zip(truth, predicted, strict=True):
        parts.add(t, p)
    whole.add(truth, predicted)
    assert (parts.counts == whole.counts).all()
    for c in range(4):
        known = truth != IGNORE
        a, b = (truth == c) & known, (predicted == c) & known
        expected = (a & b).sum() / (a | b).sum() if (a | b).any() else np.nan
        assert whole.iou()[c] == pytest.approx(expected, nan_ok=True)


def test_a_class_that_is_nowhere_is_left_out_and_not_zero() -> None:
    c = Confusion(3)
    c.add(np.array([0, 1], np.uint8), np.array([0, 0], np.uint8))
    assert c.iou()[1] == 0.0
    assert np.isnan(c.iou()[2])
    c.add(np.array([0], np.uint8), np.array([2], np.uint8))
    assert c.accuracy().tolist() == [0.5, 0.0, pytest.approx(float("nan"), nan_ok=True)]
    assert c.iou().tolist() == [pytest.approx(1 / 3), 0, 0]
    assert c.summary() == {
        "pixel accuracy": pytest.approx(1 / 3), "mean accuracy": 0.25, "mean IoU": pytest.approx(1 / 9),
        "frequency-weighted IoU": pytest.approx(2 / 9),
    }  # fmt: skip
    empty = Confusion(3).summary()
    assert (empty["pixel accuracy"], empty["frequency-weighted IoU"]) == (0, 0)
    assert np.isnan([empty["mean accuracy"], empty["mean IoU"]]).all()


def upright() -> tuple[np.ndarray, Skeleton]:
    """A person of nothing but a right lower leg, and labels that are right or mirrored on it."""
    xy = np.zeros((14, 2), np.float32)
    visible = np.zeros(14, np.int8)
    for name, point in (("r_knee", (50, 20)), ("r_ankle", (50, 80))):
        xy[LSP14.id(name)] = point
        visible[LSP14.id(name)] = 2
    return np.zeros((100, 100), np.uint8), Skeleton(xy, visible)


def test_the_limb_probe_tells_left_from_right_and_the_agnostic_one_does_not() -> None:
    labels, skeleton = upright()
    for part, probe, coarse, agnostic in (
        ("rlleg", 1, 1, 1),
        ("llleg", 0, 0, 1),
        ("rknee", 0, 1, 1),
        ("rfoot", 0, 0, 0),
    ):
        labels[:, 45:55] = S31.id(part)
        tally = HitRates()
        probe_pose(labels, skeleton, tally)
        found = [tally.rate(n) for n in ("limb", "limb coarse", "limb coarse agnostic")]
        assert found == [probe, coarse, agnostic], part


def test_fat_limbs_pay_in_the_background_probe() -> None:
    points = {
        "neck": (100, 60),
        "head_top": (100, 20),
        "shoulder": (20, 70),
        "elbow": (40, 110),
        "wrist": (45, 150),
    }
    points |= {"hip": (12, 150), "knee": (15, 205), "ankle": (18, 260)}
    xy = np.zeros((14, 2), np.float32)
    for i, name in enumerate(LSP14.names):
        x, y = points[name.split("_")[-1] if name[:2] in ("r_", "l_") else name]
        xy[i] = (100 - x, y) if name[:2] == "r_" else (100 + x, y) if name[:2] == "l_" else (x, y)
    skeleton = Skeleton(xy, np.full(14, 2, np.int8))
    reports = []
    for fill in (0, S31.id("luleg")):
        tally = HitRates()
        probe_pose(np.full((300, 200), fill, np.uint8), skeleton, tally)
        reports.append(pose_report(tally))
    empty, full = reports
    assert (empty["background probe"], empty["limb probe"], empty["probe F"]) == (1.0, 0.0, 0.0)
    assert full["background probe"] == 0.0
    assert full["probe F"] == 0.0


@pytest.mark.parametrize(("away", "hit"), [(0, 1.0), (19, 1.0), (20, 1.0), (21, 0.0)])
def test_a_centroid_is_right_within_a_fifth_of_the_torso(away: int, hit: float) -> None:
    """A torso of 100 px; the wrists' pixels stand to the right of the true wrists."""
    xy = np.full((14, 2), 150, np.float32)
    for name, point in (("shoulder", (60, 50)), ("hip", (60, 150)), ("wrist", (40, 100))):
        for side, shift in (("r_", 0), ("l_", 100)):
            xy[LSP14.id(side + name)] = (point[0] + shift, point[1])
    labels = np.zeros((200, 240), np.uint8)
    for part, x in (("rwrist", 40), ("lwrist", 140)):
        labels[98:103, x + away - 2 : x + away + 3] = S31.id(part)
    tally = HitRates()
    probe_pose(labels, Skeleton(xy, np.full(14, 2, np.int8)), tally)
    assert tally.rate("pck wrist") == hit
    assert tally.rate("pck elbow") == 0.0, "a part that nobody found is wrong"


@pytest.mark.parametrize(("torso", "rate"), [(3, 0.5), (16, 1.0), (24, 0.0)])
def test_the_background_is_probed_every_eighth_of_a_torso_and_every_pixel_at_least(
    torso: int, rate: float
) -> None:
    """Labels in every odd column, or in every third from the first: steps of 1, 2 and 3 px."""
    xy = np.full((14, 2), (400, 30), np.float32)
    for name in ("r_shoulder", "l_shoulder"):
        xy[LSP14.id(name)] = 400, 30 - torso
    labels = np.zeros((60, 420), np.uint8)
    labels[:, 1::2] = 1
    if torso == 24:
        labels[:] = 0
        labels[::3, ::3] = 1
    tally = HitRates()
    probe_pose(labels, Skeleton(xy, np.full(14, 2, np.int8)), tally)
    assert tally.rate("background") == pytest.approx(rate, abs=0.01)


def test_garments_are_scored_where_they_are() -> None:
    names = ["null", "hair", "shoes", "pants", "jeans", *(f"x{i}" for i in range(4))]
    names += ["flats", "heels", "loafers", "pumps", "sandals", "sneakers", "wedges", "clogs"]
    garments = np.array([[1, 1, 3, 0]], np.uint8)
    labels = np.array([[S31.id("luhead"), 0, S31.id("rknee"), 5]], np.uint8)
    tally = HitRates()
    probe_garments(labels, garments, names, tally)
    assert (tally.rate("hair"), tally.rate("trousers")) == (0.5, 1.0)
    assert np.isnan(tally.rate("shoes"))


def test_missing_data_and_unparsed_folders_are_refused_in_words(tmp_path, shared_data, capsys) -> None:  # type: ignore[no-untyped-def]
    assert train(["--data", str(tmp_path / "none"), "--out", str(tmp_path / "run")]) == 2
    assert evaluate([str(tmp_path), "--set", "lsp", "--data", str(shared_data)]) == 2
    words = capsys.readouterr().err
    assert ".json: not there" in words
    assert "--data" in words
    assert "xfactor parse" in words
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("name", "told"), [("none.safetensors", "none"), ("", "--set"), ("damaged", "network.onnx")]
)
def test_where_nothing_can_be_scored_nothing_was_begun(tmp_path, capsys, name, told) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "damaged").mkdir()
    (tmp_path / "damaged" / "network.onnx").write_bytes(b"junk")
    assert evaluate([str(tmp_path / name), "--data", str(tmp_path)]) == 2
    said = capsys.readouterr()
    assert told in said.err
    assert not said.out


def test_a_parsed_folder_is_scored_like_a_network(tmp_path, shared_data) -> None:  # type: ignore[no-untyped-def]
    """Files that copy the true silhouettes score 1 on them."""
    for kind in ("labels", "silhouettes"):
        (tmp_path / kind).mkdir()
    truths = sorted((shared_data / "ccp" / "silhouettes").iterdir())[-100:]
    for path in truths:
        truth = np.asarray(Image.open(path))
        Image.fromarray((truth == 1).astype(np.uint8) * 255).save(tmp_path / "silhouettes" / path.name)
        Image.fromarray((truth == 1).astype(np.uint8) * 7).save(tmp_path / "labels" / path.name)
    scores = score_folder(tmp_path, "ccp", shared_data)
    assert scores["J"] == scores["parts J"] == scores["boundary F"] == 1.0
    assert scores["hair"] == 0.0


def test_one_broken_photo_shifts_no_score(street_photos: Path, tmp_path: Path) -> None:
    """The files belong to photos by name: with a broken photo among them the others score as before."""
    for kind in ("labels", "silhouettes"):
        (tmp_path / kind).mkdir()
    for path in (street_photos / "ccp" / "silhouettes").iterdir():
        truth = np.asarray(Image.open(path))
        for kind, value in (("silhouettes", 255), ("labels", 7)):
            Image.fromarray(truth * np.uint8(value)).save(tmp_path / kind / path.name)
    assert score_folder(tmp_path, "ccp", street_photos)["J"] == 1.0
    (street_photos / "ccp" / "images" / "050.jpg").write_bytes(b"broken")
    assert score_folder(tmp_path, "ccp", street_photos)["J"] == 1.0


@pytest.fixture
def street_photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with 101 small photos in `ccp`, each with its own silhouette."""
    root = tmp_path_factory.mktemp("data")
    for kind in ("images", "labels", "silhouettes"):
        (root / "ccp" / kind).mkdir(parents=True)
    (root / "ccp" / "labels.json").write_text(json.dumps(["null", *GARMENTS]))
    for i in range(101):
        mask = np.zeros((24, 24), np.uint8)
        mask[4:20, i % 12 : i % 12 + 8] = 1
        Image.fromarray(np.dstack([mask * np.uint8(200)] * 3)).save(root / "ccp" / "images" / f"{i:03d}.jpg")
        for kind in ("labels", "silhouettes"):
            Image.fromarray(mask).save(root / "ccp" / kind / f"{i:03d}.png")
    return root


def test_a_model_and_its_checkpoint_are_scored_by_one_geometry(street_photos: Path) -> None:
    """The engine of the shipped bundle and the torch network of its checkpoint predict the same picture."""
    rng = np.random.default_rng(3)
    picture = np.asarray(rng.integers(0, 255, (90, 70, 3)), np.uint8)
    name = "factored-s31"
    engine = load_engine(paths.models_dir() / name, device="cpu", size=NetworkSize(96))
    net = open_network(paths.assets_dir() / "checkpoints" / f"{name}.safetensors")
    shipped, torched = by_engine(engine)(picture), predict(net, picture, 96)
    assert shipped.labels.shape == torched.labels.shape == (90, 70)
    assert np.abs(shipped.person - torched.person).max() < 0.02
    assert (shipped.labels == torched.labels).mean() > 0.99


def test_rendered_people_are_scored_over_the_whole_set(tmp_path: Path) -> None:
    """Half of the first picture is a neck, a quarter of the second; half of both is said to be."""
    neck = S31.id("neck")
    labels = np.zeros((2, 8, 8), np.uint8)
    labels[0, :4], labels[1, :2] = neck, neck
    np.save(tmp_path / "set.images.npy", np.zeros((2, 8, 8, 3), np.uint8))
    np.save(tmp_path / "set.labels.npy", labels)

    def halves(_: np.ndarray) -> Prediction:
        return Prediction(labels[0], (labels[0] > 0).astype(np.float32))

    scores = score_synthetic(halves, tmp_path / "set")
    for name in ("mean IoU of 31 parts", "mean IoU of 16 merged parts", "parts>0 IoU"):
        assert scores[name] == pytest.approx((32 + 16) / (32 + 32)), name
    assert scores["mean accuracy of 31 parts"] == 1
