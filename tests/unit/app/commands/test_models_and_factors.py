"""The library from the command line."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from app.commands import factors, models
from runtime.library.models import find_model
from runtime.system import paths
from runtime.system.errors import Refusal


def test_models_are_listed_with_their_numbers(capsys: pytest.CaptureFixture[str]) -> None:
    models.list_all()
    said = capsys.readouterr().out
    assert "factored-s31" in said
    assert f"{find_model('factored-s31').spec.parameters:,}" in said
    assert "ms" in said


def test_a_model_says_where_it_comes_from(capsys: pytest.CaptureFixture[str]) -> None:
    models.show("factored-s31")
    said = capsys.readouterr().out
    for word in ("S31", "licence", "trained on", "stride 8"):
        assert word in said


@pytest.mark.slow
def test_a_model_is_added_and_removed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "mine"
    shutil.copytree(paths.models_dir() / "factored-s31", folder)
    models.add(folder, "")
    assert (paths.user_models_dir() / "mine" / "trunk.onnx").is_file()
    with pytest.raises(Refusal, match="already"):
        models.add(folder, "")
    with pytest.raises(Refusal, match="already"):
        models.add(folder, "factored-s31")
    with pytest.raises(Refusal, match="folder name"):
        models.add(folder, "../evil")
    models.remove("mine")
    assert list(paths.user_models_dir().iterdir()) == []
    with pytest.raises(Refusal, match="shipped models cannot be removed"):
        models.remove("factored-s31")
    with pytest.raises(Refusal, match="none of this name"):
        models.remove("../../etc")
    assert "mine is removed" in capsys.readouterr().out


def test_an_empty_library_and_a_file_that_is_no_factor_are_told_in_plain_words() -> None:
    for act in (factors.show, factors.remove):
        with pytest.raises(Refusal, match="your library of factors is empty"):
            act("x")
    with pytest.raises(Refusal, match=r"a \.factor\.onnx file made for this model"):
        factors.show(str(paths.models_dir() / "factored-s31" / "trunk.onnx"))


@pytest.mark.slow
def test_a_factor_is_added_shown_and_removed(capsys: pytest.CaptureFixture[str]) -> None:
    factors.list_all()
    assert "empty" in capsys.readouterr().out
    factors.add(paths.models_dir() / "factored-s31" / "factor.onnx", "me", "factored-s31")
    factors.list_all()
    factors.show("me")
    said = capsys.readouterr().out
    assert "me" in said
    assert "factored-s31" in said
    factors.remove("me")
    with pytest.raises(Refusal):
        factors.show("me")
