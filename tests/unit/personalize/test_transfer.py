"""`xfactor transfer`: a checkpoint whose factor has moved, or a refusal that names the file."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from models.checkpoint import load_network, save_network
from models.factored import FactoredConvNet
from models.families import ZOO
from models.labels import IGNORE
from personalize import transfer
from personalize.transfer import main, read_pictures, read_silhouettes


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    for folder in ("images", "masks"):
        (tmp_path / folder).mkdir()
    for i in range(4):
        mask = np.zeros((64, 48 + 16 * (i % 2)), np.uint8)
        mask[10:55, 12:40] = 255
        noise = rng.integers(0, 90, (*mask.shape, 3))
        cv2.imwrite(str(tmp_path / "images" / f"{i}.jpg"), np.where(mask[..., None] > 0, 220, noise))
        cv2.imwrite(str(tmp_path / "masks" / f"{i}.png"), mask)
    torch.manual_seed(0)
    save_network(tmp_path / "start.safetensors", ZOO["factored-s31"], FactoredConvNet(), {"step": 7})
    return tmp_path


def words(folder: Path, *more: str) -> list[str]:
    return [str(folder / "start.safetensors"), "--images", str(folder / "images"), "--out",
            str(folder / "moved.safetensors"), "--size", "64", *more]  # fmt: skip


@pytest.mark.parametrize("labels", ["silhouettes", "own", "grabcut"])
def test_only_the_factor_of_the_written_checkpoint_differs(pictures: Path, labels: str) -> None:
    how = ("--silhouettes", str(pictures / "masks")) if labels == "silhouettes" else ("--labels", labels)
    assert main(words(pictures, *how)) == 0
    (before, _), (after, meta) = (load_network(pictures / f"{n}.safetensors") for n in ("start", "moved"))
    changed = {k for k, v in after.state_dict().items() if not torch.equal(v, before.state_dict()[k])}
    assert changed
    assert all(k.startswith("factor.") for k in changed)
    assert meta["transfer"] == {"from": "start.safetensors", "pictures": 4}
    assert meta["step"] == 7


def test_a_broken_picture_is_named_and_left_out(pictures: Path, caplog: pytest.LogCaptureFixture) -> None:
    (pictures / "images" / "x.jpg").write_bytes(b"no picture")
    assert main(words(pictures, "--labels", "own")) == 0
    assert "x.jpg: not a readable picture; left out" in caplog.text


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda f: (f / "masks" / "2.png").unlink(), "2.png: there is no such file"),
        (
            lambda f: cv2.imwrite(str(f / "masks" / "1.png"), np.zeros((4, 5), np.uint8)),
            "1.png: (5, 4) px for a picture of (64, 64). Make them equal.",
        ),
        (lambda f: [p.unlink() for p in (f / "images").iterdir()], "images: no readable"),
        (lambda f: (f / "start.safetensors").write_bytes(b"junk"), "not a checkpoint"),
    ],
)
def test_what_cannot_be_used_is_refused_by_name(pictures: Path, capsys, spoil, told) -> None:  # type: ignore[no-untyped-def]
    spoil(pictures)
    assert main(words(pictures, "--silhouettes", str(pictures / "masks"))) == 2
    assert told in capsys.readouterr().err
    assert not (pictures / "moved.safetensors").exists()


def test_what_was_begun_and_cannot_be_written_ends_otherwise_than_what_was_not(pictures: Path) -> None:
    (pictures / "moved.safetensors" / "in the way").mkdir(parents=True)
    assert main(words(pictures, "--silhouettes", str(pictures / "masks"))) == 1


def test_what_has_to_be_given_is_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main([])
    assert "required: checkpoint, --images, --out\n" in capsys.readouterr().err
    given = transfer._arguments().parse_args(["c", "--images", "i", "--out", "o"])
    assert given == Namespace(
        checkpoint=Path("c"), images=Path("i"), silhouettes=None, labels="grabcut", out=Path("o"),
        size=256, epochs=1.0, lr=5e-4, seed=0,
    )  # fmt: skip


def test_without_silhouettes_its_own_are_learned_as_they_are_or_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    rows, columns = np.indices((72, 96))
    disc = (rows - 36) ** 2 + (columns - 48) ** 2 < 20**2
    image = np.where(disc[..., None], np.uint8((190, 90, 60)), np.uint8((60, 110, 120)))
    image += np.random.default_rng(0).integers(0, 20, image.shape, np.uint8)
    own = np.where(np.roll(disc, 4, 1), 200, 40).astype(np.uint8)
    own[:2, :2] = [[127, 128], [129, 255]]
    monkeypatch.setattr(
        transfer, "own_silhouettes", lambda net, features, sizes: {((72, 96),): [own]}[tuple(sizes)]
    )
    taken, cut = (
        transfer._labels(Namespace(labels=labels), None, None, ["a"], [image])  # type: ignore[arg-type]
        for labels in ("own", "grabcut")
    )
    np.testing.assert_array_equal(taken, [np.where(own > 127, 1, 0)])
    assert cut[0].dtype == np.uint8
    assert (cut[0] != disc)[4:].mean() < 0.005


def test_what_is_too_little_to_cut_is_learned_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    own = np.full((20, 30), 127, np.uint8)
    own[3, :8] = 128
    monkeypatch.setattr(transfer, "own_silhouettes", lambda *_: [own])
    image = np.zeros((20, 30, 3), np.uint8)
    (made,) = transfer._labels(Namespace(labels="grabcut"), None, None, ["a"], [image])  # type: ignore[arg-type]
    np.testing.assert_array_equal(made, own == 128)


def test_before_and_after_are_held_against_what_was_learned_from(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Of one picture a quarter is found and then a half, of the other half and then all."""
    said = {
        "net": ([200, 127, 0, 0], [128, 255, 128, 128]),
        "moved": ([128, 255, 127, 0], [255, 255, 127, 0]),
    }
    labels = [np.uint8([[1, 1, 1, 1]]), np.uint8([[1, 1, 0, 0]])]
    monkeypatch.setattr(transfer, "own_silhouettes", lambda net, *_: [np.uint8([mask]) for mask in said[net]])
    with caplog.at_level("INFO"):
        transfer._report("net", "moved", None, labels)  # type: ignore[arg-type]
    assert caplog.messages == ["2 pictures; J with what was learnt from: 0.375 before, 0.750 after"]


def test_pictures_of_every_kind_are_read_in_order_and_grey_counts_from_the_middle(tmp_path: Path) -> None:
    picture = np.zeros((6, 9, 3), np.uint8)
    for name in ("b.JPG", "c.jpeg", "a.png", "d.bmp"):
        cv2.imwrite(str(tmp_path / name), picture)
    names, images = read_pictures(tmp_path)
    assert (names, [im.shape for im in images]) == (["a", "b", "c"], [(6, 9, 3)] * 3)
    grey = np.repeat(np.uint8([[0, 100, 127, 128, 129, 200]]), 6, 0)
    for name in names:
        cv2.imwrite(str(tmp_path / f"{name}.png"), np.pad(grey, ((0, 0), (0, 3))))
    for mask in read_silhouettes(tmp_path, names, images):
        np.testing.assert_array_equal(mask, [[0, 0, 0, 1, 1, 1, 0, 0, 0]] * 6)


@pytest.mark.parametrize(("person", "ignored"), [(1, None), (1, 255), (200, None)])
def test_masks_of_every_coding_teach_the_same(pictures: Path, person: int, ignored: int | None) -> None:
    images = read_pictures(pictures / "images")[1]
    names = [str(i) for i in range(4)]
    expected = read_silhouettes(pictures / "masks", names, images)
    for name, mask in zip(names, expected, strict=True):
        coded = mask * np.uint8(person)
        if ignored is not None:
            coded[:5] = ignored
        cv2.imwrite(str(pictures / "masks" / f"{name}.png"), coded)
    for mask, found in zip(expected, read_silhouettes(pictures / "masks", names, images), strict=True):
        np.testing.assert_array_equal(found[5:], mask[5:])
        assert (found[:5] == (IGNORE if ignored is not None else 0)).all()


@pytest.mark.parametrize(("value", "told"), [(0, "shows a person"), (7, "labels of parts")])
def test_masks_that_teach_nobody_or_are_ambiguous_are_refused(
    pictures: Path, capsys: pytest.CaptureFixture[str], value: int, told: str
) -> None:
    for path in (pictures / "masks").iterdir():
        cv2.imwrite(str(path), np.minimum(cv2.imread(str(path), cv2.IMREAD_GRAYSCALE), value))
    assert main(words(pictures, "--silhouettes", str(pictures / "masks"))) == 2
    assert told in capsys.readouterr().err
    assert not (pictures / "moved.safetensors").exists()
