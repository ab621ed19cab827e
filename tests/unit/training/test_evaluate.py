"""Scores of checkpoints, models and parsed folders on drawn photos, by hand or by another way to them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch

from models.checkpoint import save_network
from models.families import ZOO
from models.labels import IGNORE, LSP14, MERGED16, S31
from models.network import build
from runtime.engine.augmentation import chosen
from runtime.engine.engine import load_engine
from tests.unit.training.test_own_photos import SHIPPED, own
from training import card
from training.evaluate import (
    StreetPhotos,
    by_engine,
    main,
    parsed_files,
    report,
    score_folder,
    score_poses,
    score_product,
    score_silhouettes,
    score_synthetic,
)
from training.metrics import boundary_f
from training.own_photos import read_own
from training.own_scores import score_own
from training.photos import GARMENTS, read_lsp
from training.pose_scores import scored
from training.prediction import Prediction, open_network, predict

SIDE = 64
HEAD, NECK, HAND = S31.id("ruhead"), S31.id("neck"), S31.id("rhand")
MODELS = Path("assets/models")


def noise(seed: int, side: int = SIDE) -> np.ndarray[Any, Any]:
    return np.random.default_rng(seed).integers(0, 255, (side, side, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two photos of noise in `ccp`, somebody in the left half of each, and one with joints in `lsp`."""
    data = tmp_path_factory.mktemp("data")
    for folder in ("ccp/images", "ccp/silhouettes", "ccp/labels", "lsp/images"):
        (data / folder).mkdir(parents=True)
    (data / "ccp/labels.json").write_text(json.dumps(["null", *GARMENTS]))
    mask = np.zeros((SIDE // 2, SIDE), np.uint8)
    mask[:, : SIDE // 2] = 1
    for i in range(2):
        cv2.imwrite(str(data / f"ccp/images/{i}.jpg"), noise(i)[: SIDE // 2])
        for kind in ("silhouettes", "labels"):
            cv2.imwrite(str(data / f"ccp/{kind}/{i}.png"), mask)
        unknown = mask.copy()
        unknown[:, -4:] = IGNORE
        cv2.imwrite(str(data / f"ccp/silhouettes/{i}.png"), unknown)
    cv2.imwrite(str(data / "lsp/images/p.jpg"), noise(2))
    rows = [[4 + 4 * i, 60 - 4 * i if i % 2 else 4 * i, 2] for i in range(14)]
    (data / "lsp/keypoints.json").write_text(json.dumps({"images": {"p": rows}}))
    return data


def packed_noise(stem: Path) -> Path:
    np.save(f"{stem}.images.npy", np.stack([noise(7), noise(8)]))
    np.save(f"{stem}.labels.npy", np.random.default_rng(9).integers(0, 32, (2, SIDE, SIDE), dtype=np.uint8))
    return stem


def test_street_photos_by_hand() -> None:
    """One photo found as it is; of the other a half too little, a part too much and a hair as a neck."""
    truth = np.zeros((40, 40), np.uint8)
    truth[:, :20], truth[:, 38:] = 1, IGNORE
    garments = np.zeros_like(truth)
    garments[:2, :20], garments[30:, :20] = 1, 3
    names = ["null", "hair", "shoes", "pants", "jeans", "flats", "heels", "loafers", "pumps", "sandals",
             "sneakers", "wedges", "clogs"]  # fmt: skip
    right = np.where(truth == 1, HEAD, 0).astype(np.uint8)
    right[30:, :20] = S31.id("rknee")
    wrong = right.copy()
    wrong[0, :20], wrong[20:30, 20:30] = NECK, HAND
    person = (truth == 1).astype(np.float32) * np.float32(0.5)
    half = person.copy()
    half[:, :10] = 0.49
    found = [Prediction(right, person), Prediction(wrong, half)]
    scores = StreetPhotos([], [truth, truth], [garments, garments], names).score(lambda i: found[i])
    assert scores["J"] == pytest.approx((1 + 0.5) / 2)
    assert scores["parts J"] == pytest.approx((1 + 800 / 900) / 2)
    assert scores["factor accuracy"] == pytest.approx(1 - 400 / (2 * 40 * 38))
    assert scores["background"] == pytest.approx(1 - 100 / (2 * 40 * 18))
    assert (scores["hair"], scores["trousers"]) == (pytest.approx(60 / 80), 1)
    edges = [boundary_f(mask, truth) for mask in (half >= 0.5, wrong > 0)]
    assert scores["boundary F"] == pytest.approx((1 + edges[0]) / 2)
    assert scores["parts boundary F"] == pytest.approx((1 + edges[1]) / 2)


def test_rendered_parts_by_hand(tmp_path: Path) -> None:
    """Of ground, hand, right and left head, the right head is taken for the left, the left for ground."""
    other = S31.id("luhead")
    np.save(tmp_path / "set.images.npy", np.zeros((1, 1, 5, 3), np.uint8))
    np.save(tmp_path / "set.labels.npy", np.array([[[0, HAND, HAND, HEAD, other]]], np.uint8))
    found = Prediction(np.array([[0, HAND, other, other, 0]], np.uint8), np.ones((1, 5), np.float32))
    scores = score_synthetic(lambda _: found, tmp_path / "set")
    merged = {
        f"IoU {n}": 1 / 2 if "hand" in n else 1 / 3 for n in MERGED16.names if n in {"hands", "upper head"}
    }
    assert scores["mean IoU of 31 parts"] == pytest.approx((1 / 2 + 0 + 0) / 3)
    assert scores["mean accuracy of 31 parts"] == pytest.approx((1 / 2 + 0 + 0) / 3)
    assert scores["parts>0 IoU"] == pytest.approx(3 / 4)
    assert {k: v for k, v in scores.items() if k.startswith("IoU") and np.isfinite(v)} == pytest.approx(
        merged
    )
    assert scores["mean IoU of 16 merged parts"] == pytest.approx(sum(merged.values()) / len(merged))


def test_a_checkpoint_is_scored_at_a_size_of_each_set(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    torch.manual_seed(4)  # a network that says something about noise
    save_network(tmp_path / "net.safetensors", ZOO["factored-s31"], build(ZOO["factored-s31"]), {})
    stem, net = packed_noise(tmp_path / "set"), open_network(tmp_path / "net.safetensors")
    asked = [str(tmp_path / "net.safetensors"), "--data", str(root), "--synthetic", str(stem), "--injection"]
    assert main([*asked, "--ccp-size", "64", "--lsp-size", "32"]) == 0
    scores = json.loads(capsys.readouterr().out)
    assert list(scores) == ["ccp", "lsp", "synthetic", "injection"]
    wanted = {
        "ccp": score_silhouettes(lambda photo: predict(net, photo.image, 64), root),
        "lsp": score_poses(lambda photo: predict(net, photo.image, 32), root),
        "synthetic": score_synthetic(lambda image: predict(net, image, 64), stem),
    }
    for name, values in wanted.items():
        assert scores[name] == pytest.approx(values, nan_ok=True), name
    assert scores["lsp"] != pytest.approx(score_poses(lambda p: predict(net, p.image, 64), root), nan_ok=True)
    usual = report(SHIPPED, root, sizes=(384, 256))
    assert list(usual) == ["ccp", "lsp"]
    assert main([str(SHIPPED), "--data", str(root)]) == 0
    for found in (json.loads(capsys.readouterr().out), report(SHIPPED, root)):
        for name, values in usual.items():
            assert found[name] == pytest.approx(values, nan_ok=True), name
    assert torch.get_num_threads() == 1


def test_the_head_is_shown_no_factor_its_own_and_the_true_one(root: Path) -> None:
    net, street = open_network(SHIPPED), StreetPhotos.read(root)
    left = torch.zeros(1, 1, 4, 8)
    left[..., :4] = 1
    scores = report(SHIPPED, root, sizes=(SIDE, SIDE // 2), injection=True)["injection"]
    for name, inject in (("zeroed", torch.zeros_like), ("own", None), ("true", lambda _: left)):

        def run(photo: Any, inject: Any = inject) -> Prediction:
            return predict(net, photo.image, SIDE, inject)

        wanted = street.score(lambda i, run=run: run(street.photos[i]))["parts J"]  # type: ignore[misc]
        assert scores[f"parts J, factor {name}"] == pytest.approx(wanted)
    assert scores["parts J, factor true"] > 0.9 > scores["parts J, factor zeroed"]


@pytest.mark.parametrize("views", ["1", "2"])
def test_a_model_is_scored_as_it_ships(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], views: str
) -> None:
    stem = packed_noise(tmp_path / "set")
    asked = ["--data", str(root), "--views", views, "--synthetic", str(stem)]
    assert main([str(MODELS / "factored-s31"), *asked]) == 0
    scores = json.loads(capsys.readouterr().out)
    engine = load_engine(MODELS / "factored-s31", device="cpu").with_views(chosen(views, video=False))
    run = by_engine(engine)
    assert scores["ccp"] == pytest.approx(score_silhouettes(lambda p: run(p.image), root), nan_ok=True)
    assert scores["lsp"] == pytest.approx(score_poses(lambda p: run(p.image), root), nan_ok=True)
    assert scores["synthetic"] == pytest.approx(score_synthetic(run, stem), nan_ok=True)
    person = run(noise(3)).person * 255
    assert np.abs(person - person.round()).max() < 1e-3, "255 steps from nobody to a person"
    assert len(np.unique(person.round())) > 20


def test_a_model_of_other_parts_is_scored_on_what_it_gives(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle = MODELS / "pil-small"
    engine = load_engine(bundle, device="cpu").with_views(chosen("1", video=False))
    assert main([str(bundle), "--data", str(root), "--views", "1"]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "lsp joints": scored(engine, read_lsp(root / "lsp", "test"))
    }
    stem = packed_noise(tmp_path / "set")
    assert main([str(bundle), "--data", str(root), "--views", "1", "--synthetic", str(stem)]) == 0
    scores = json.loads(capsys.readouterr().out)
    assert list(scores) == ["synthetic", "lsp joints"]
    assert "mean IoU of 6 parts" in scores["synthetic"]


def test_a_model_without_parts_is_scored_on_its_joints(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle, stem = MODELS / "personlab-small", packed_noise(tmp_path / "set")
    assert main([str(bundle), "--data", str(root), "--views", "1", "--synthetic", str(stem)]) == 0
    engine = load_engine(bundle, device="cpu").with_views(chosen("1", video=False))
    wanted = {"lsp joints": scored(engine, read_lsp(root / "lsp", "test"))}
    assert json.loads(capsys.readouterr().out) == wanted


def test_a_parsed_folder_is_scored_by_its_files(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A silhouette of 128 of 255 is a person, of 127 nobody."""
    for kind in ("labels", "silhouettes"):
        (tmp_path / kind).mkdir()
    shown = np.full((SIDE // 2, SIDE), 127, np.uint8)
    shown[:, : SIDE // 2] = 128
    for name in ("0", "1"):
        cv2.imwrite(str(tmp_path / f"silhouettes/{name}.png"), shown)
        cv2.imwrite(str(tmp_path / f"labels/{name}.png"), (shown == 128) * np.uint8(HEAD))
    assert main([str(tmp_path), "--set", "ccp", "--data", str(root)]) == 0
    scores = json.loads(capsys.readouterr().out)["ccp"]
    assert (scores["J"], scores["parts J"], scores["factor accuracy"]) == (1, 1, 1)
    person = parsed_files(tmp_path)(StreetPhotos.read(root).photos[0]).person
    assert np.array_equal(person, shown / np.float32(255))
    for kind in ("silhouettes", "labels"):
        cv2.imwrite(str(tmp_path / f"{kind}/p.png"), np.zeros((SIDE, SIDE), np.uint8))
    assert score_folder(tmp_path, "lsp", root)["limb probe"] == 0
    (tmp_path / "labels/p.png").write_bytes(b"no picture")
    assert main([str(tmp_path), "--set", "lsp", "--data", str(root)]) == 2
    assert "cannot identify image file" in capsys.readouterr().err
    (tmp_path / "labels/p.png").unlink()
    assert main([str(tmp_path), "--set", "lsp", "--data", str(root)]) == 2
    said = capsys.readouterr().err
    assert said == (
        f"{tmp_path / 'labels/p.png'}: not there, so {tmp_path} cannot be scored."
        " Parse the last 100 photos of lsp into it with xfactor parse.\n"
    )
    assert main([str(tmp_path), "--data", str(root)]) == 2
    words = "a folder of parsed pictures. Say with --set which test set it was parsed from."
    assert capsys.readouterr().err == f"{tmp_path}: {words}\n"


@pytest.mark.parametrize("given", [[], ["--data", "d", "--own", "o"]])
def test_one_kind_of_photos_is_asked_for(given: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["model", *given])
    assert ended.value.code == 2
    words = "error: give --own DIR or --data DIR, and not both\n"
    assert capsys.readouterr().err.endswith(words)


def test_what_cannot_be_scored_is_refused_in_words(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """No checkpoint, no model in the folder, and photos that are not there."""
    (tmp_path / "model").mkdir()
    (tmp_path / "model/head.onnx").touch()
    (tmp_path / "net.safetensors").write_bytes(b"short")
    for model, data, reason in (
        (tmp_path / "net.safetensors", root, str(tmp_path / "net.safetensors")),
        (tmp_path / "model", root, "head.onnx: it is empty"),
        (tmp_path / "none.safetensors", root, "none.safetensors"),
        (SHIPPED, tmp_path / "nowhere", "nowhere"),
    ):
        assert main([str(model), "--data", str(data)]) == 2
        assert reason in capsys.readouterr().err


def test_own_photos_are_scored_at_their_size_and_no_larger_than_512(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A photo of 160 px is predicted at 160, one of 640 at 512, as `main` prints."""
    small, net = own(tmp_path / "small", 1), open_network(SHIPPED)
    large = own(tmp_path / "large", 1)
    for file in large.rglob("p0.png"):
        pixels = cv2.imread(str(file), cv2.IMREAD_UNCHANGED)
        assert pixels is not None
        pixels = np.kron(pixels, np.ones((4, 4, 1)[: pixels.ndim], np.uint8))
        cv2.imwrite(str(file), pixels)
    for folder, side in ((small, 160), (large, 512)):
        wanted = score_own(lambda image, side=side: predict(net, image, side), read_own([folder]))  # type: ignore[misc]
        assert main_of(SHIPPED, folder)["own"] == pytest.approx(wanted)
    assert main([str(SHIPPED), "--own", str(small)]) == 0
    assert json.loads(capsys.readouterr().out)["own"] == pytest.approx(main_of(SHIPPED, small)["own"])


def main_of(model: Path, folder: Path, *words: str) -> dict[str, dict[str, float]]:
    from training.evaluate import report_own

    return report_own(model, [folder], *(words or ("1",)))


def test_joints_of_own_photos_are_scored_where_model_and_photos_have_some(tmp_path: Path) -> None:
    folder = own(tmp_path, 1)
    rows = [[50 + 2 * i, 20 + 9 * i, 2] for i in range(len(LSP14.names))]
    (folder / "keypoints.json").write_text(json.dumps({"images": {"p0": rows}}))
    assert list(main_of(MODELS / "pil-small", folder)) == ["own", "own joints"]
    assert list(main_of(MODELS / "factored-s31", folder)) == ["own"]
    assert list(main_of(MODELS / "personlab-small", folder)) == ["own joints"]
    one, two = (main_of(MODELS / "factored-s31", folder, views)["own"] for views in ("1", "6"))
    assert one != two
    engine = load_engine(MODELS / "factored-s31", device="cpu").with_views(chosen("6", video=False))
    assert two == pytest.approx(score_own(by_engine(engine), read_own([folder])))


def test_a_card_says_what_file_and_checkpoint_reach_and_how_it_was_trained(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    checkpoint, bundle, name = "assets/checkpoints/factored-s31.safetensors", MODELS / "factored-s31", "ann"
    history = tmp_path / "history.json"
    history.write_text(json.dumps(["of photos", "of people"]))
    words = [checkpoint, "--bundle", str(bundle), "--data", str(root), "--name", name]
    assert (
        card.main([*words, "--history", str(history), "--synthetic", str(packed_noise(tmp_path / "p"))]) == 0
    )
    text = capsys.readouterr().out
    lines = text.split("\n")
    assert lines[0] == "# ann"
    assert "activation\nrelu. " in text
    assert "\n- of photos\n- of people\n" in text
    assert "--bundle assets/models/ann --data DATA --synthetic HELDOUT`" in text
    titles = [line for line in lines if line.startswith("### ")]
    sets = ("ccp", "lsp")
    shipped = [f"### {s} as it ships, {v}" for v in ("6 views", "1 view") for s in sets]
    assert titles[: len(shipped)] == shipped
    assert "### synthetic, network alone" in titles
    by_view = score_product(bundle, root, "1")["ccp"]
    at = lines.index("### ccp as it ships, 1 view")
    first, value = next(iter(by_view.items()))
    assert lines[at + 2 : at + 4] == ["| measure | value |", "|---|--:|"]
    assert lines[at + 4].startswith(f"| {first} | {value:.3f}")


def test_no_card_is_written_of_what_cannot_be_scored(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert card.main(["none.safetensors", "--bundle", "none", "--data", str(root)]) == 1
    assert "none.safetensors" in capsys.readouterr().err
