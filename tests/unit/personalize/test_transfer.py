"""`xfactor transfer`: a checkpoint whose factor has moved, or a refusal that names the file."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from models.checkpoint import load_network, save_network
from models.factored import FactoredConvNet
from models.families import ZOO
from models.labels import IGNORE
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
        (lambda f: cv2.imwrite(str(f / "masks" / "1.png"), np.zeros((5, 5), np.uint8)), "1.png: (5, 5) px"),
        (lambda f: [p.unlink() for p in (f / "images").iterdir()], "images: no readable"),
        (lambda f: (f / "start.safetensors").write_bytes(b"junk"), "not a checkpoint"),
    ],
)
def test_what_cannot_be_used_is_refused_by_name(pictures: Path, capsys, spoil, told) -> None:  # type: ignore[no-untyped-def]
    spoil(pictures)
    assert main(words(pictures, "--silhouettes", str(pictures / "masks"))) == 2
    assert told in capsys.readouterr().err
    assert not (pictures / "moved.safetensors").exists()


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
