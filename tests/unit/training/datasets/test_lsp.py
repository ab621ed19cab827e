"""LSP stores 3x14xN with 1 for occluded, LSPET 14x3xN with 1 for visible; both become 0, 1, 2."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from models.labels import LSP14
from tests.unit.training.datasets import made
from training.datasets import lsp
from training.datasets.problems import Problems
from training.photos import DataError


def people(n: int) -> np.ndarray:
    """(n, 14, 3): joint j of person i at (j + i, 2j); the third joint's flag is 1, the others' 0."""
    rows = np.zeros((n, 14, 3))
    rows[..., 0] = np.arange(14) + np.arange(n)[:, None]
    rows[..., 1] = 2 * np.arange(14)
    rows[:, 2, 2] = 1
    return rows


def folder(root: Path, form: str, n: int) -> None:
    for i in range(n):
        made.picture(root / "images" / form.format(i + 1), seed=i)


def test_lsp_flags_say_occluded(tmp_path: Path) -> None:
    folder(tmp_path, "im{:04d}.jpg", 3)
    made.mat(tmp_path / "joints.mat", joints=people(3).transpose(2, 1, 0))
    samples = made.read("lsp", tmp_path, "train", Problems(strict=True))
    assert [s.name for s in samples] == ["im0001", "im0002", "im0003"]
    (p,) = samples[2].people
    assert p.joints is LSP14
    assert p.xy[5].tolist() == [7, 10]
    assert p.visible.tolist() == [2, 2, 1] + [2] * 11
    assert samples[0].codes().any()


def test_a_network_learns_limbs_from_it(tmp_path: Path) -> None:
    folder(tmp_path, "im{:04d}.jpg", 3)
    made.mat(tmp_path / "joints.mat", joints=people(3).transpose(2, 1, 0))
    assert len(made.taught("lsp", tmp_path)) > 2


def test_lsp_halves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lsp, "LSP_TRAIN", 2)
    folder(tmp_path, "im{:04d}.jpg", 3)
    made.mat(tmp_path / "joints.mat", joints=people(3).transpose(2, 1, 0))
    assert [s.name for s in made.read("lsp", tmp_path, "train")] == ["im0001", "im0002"]
    assert [s.name for s in made.read("lsp", tmp_path, "test")] == ["im0003"]


def test_a_converted_copy_is_noticed(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    folder(tmp_path, "im{:04d}.jpg", 1)
    rows = people(1)
    rows[..., 2] = 1 - rows[..., 2]
    made.mat(tmp_path / "joints.mat", joints=rows.transpose(2, 1, 0))
    (s,) = made.read("lsp", tmp_path, "train", Problems(strict=True))
    assert s.people[0].visible.tolist() == [2, 2, 1] + [2] * 11
    assert "1 is taken as visible" in caplog.text


def test_lspet_flags_say_visible(tmp_path: Path) -> None:
    folder(tmp_path, "im{:05d}.jpg", 2)
    made.mat(tmp_path / "joints.mat", joints=people(2).transpose(1, 2, 0))
    samples = made.read("lspet", tmp_path, "train", Problems(strict=True))
    assert [s.name for s in samples] == ["im00001", "im00002"]
    (p,) = samples[1].people
    assert p.visible.tolist() == [0, 0, 2] + [0] * 11
    assert p.xy[2].tolist() == [3, 4]


def test_pictures_and_joints_that_do_not_match(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder(tmp_path, "im{:05d}.jpg", 3)
    (tmp_path / "images" / "im00002.jpg").unlink()
    rows = people(2)
    rows[0, 0] = (np.nan, 4, 1)
    made.mat(tmp_path / "joints.mat", joints=rows.transpose(1, 2, 0))
    problems = Problems()
    (s,) = made.read("lspet", tmp_path, "train", problems)
    assert s.people[0].visible[0] == 0
    assert problems.count == 2
    assert "im00002.jpg is missing" in made.said(caplog)
    assert "im00003.jpg: a picture without joints" in made.said(caplog)


@pytest.mark.parametrize(("name", "axes"), [("lspet", (1, 2, 0)), ("lsp", (2, 1, 0))])
@pytest.mark.parametrize("flag", [7, 3, 2, 0.5, -1, -2, -3])
def test_flags_that_are_none(flag: float, name: str, axes: tuple[int, ...], tmp_path: Path) -> None:
    folder(tmp_path, "im{:05d}.jpg" if name == "lspet" else "im{:04d}.jpg", 1)
    rows = people(1)
    rows[0, 0, 2] = flag
    made.mat(tmp_path / "joints.mat", joints=rows.transpose(axes))
    problems = Problems()
    assert made.read(name, tmp_path, "train", problems) == []
    assert problems.count == 1


def test_the_file_of_the_other_set_is_refused(tmp_path: Path) -> None:
    folder(tmp_path, "im{:05d}.jpg", 2)
    made.mat(tmp_path / "joints.mat", joints=people(2).transpose(1, 2, 0))
    with pytest.raises(DataError, match="Take the file of the other of the two sets"):
        made.read("lsp", tmp_path, "train")
    with pytest.raises(DataError, match="Point at the folder of the release"):
        made.read("lsp", tmp_path / "images", "train")
