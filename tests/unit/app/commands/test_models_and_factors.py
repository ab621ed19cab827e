"""The library from the command line."""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
import subprocess
import sys
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.__main__ import app
from app.commands import factors, models
from models.spec import FactorCard
from personalize.factor import described
from runtime.library import models as library_models
from runtime.library.models import find_model, list_models, load_bundle
from runtime.model_files.metadata import describe
from runtime.system import paths
from runtime.system.errors import Refusal
from runtime.system.files import make_private_dir
from tests.unit.app.fault_injection import DIE, FOLDER_CALLS, Died, failing_call
from tests.unit.runtime.model_files import crafted, hostile


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
    assert f"\n{' ' * 17}Leeds Sports Pose and extended (research, please cite)\n" in said  # whole in a file


def test_in_a_terminal_long_texts_are_wrapped_under_themselves(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")  # a terminal, to rich
    monkeypatch.setenv("COLUMNS", "60")
    models.show("pil-small")
    wrapped = capsys.readouterr().out.splitlines()
    assert max(len(line) for line in wrapped if "/" not in line) <= 60
    assert " " * 17 + "Leeds Sports Pose and extended (research," in wrapped
    assert " " * 17 + "please cite)" in wrapped


def test_every_file_of_every_shipped_model_names_its_licence() -> None:
    shipped = [model for model in list_models() if model.shipped]
    assert len(shipped) >= 9
    for model in shipped:
        for data in load_bundle(model).values():
            assert describe("a stage", data).licence.startswith("GPL-3.0-or-later"), model.name
        assert all(trained.licence for trained in model.spec.training_data), model.name


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


TWICE = """
import sys
from pathlib import Path
from app.commands import models
from runtime.system.errors import Refusal
print("ready", flush=True)
sys.stdin.readline()
try:
    models.add(Path(sys.argv[1]), "twin")
except Refusal as e:
    print(e)
"""


def test_e11_two_processes_add_one_model_at_once(tmp_path: Path, user_home: Path) -> None:
    source = crafted.bundle(tmp_path / "tiny")
    both = [
        subprocess.Popen(
            [sys.executable, "-c", TWICE, str(source)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        for _ in range(2)
    ]  # fmt: skip
    for one in both:
        assert one.stdout is not None
        assert one.stdout.readline() == "ready\n"
    for one in both:
        assert one.stdin is not None
        one.stdin.write("\n")
        one.stdin.flush()
    said = [one.communicate(timeout=60)[0] for one in both]
    assert [one.returncode for one in both] == [0, 0]
    assert any("twin is in" in words for words in said)
    assert all("twin is in" in words or "there is one of this name already" in words for words in said)
    assert [p.name for p in paths.user_models_dir().iterdir() if p.is_dir()] == ["twin"]
    library_models.load_bundle(find_model("twin"))  # whole: its sums are those of its files


def test_an_empty_library_and_a_file_that_is_no_factor_are_told_in_plain_words() -> None:
    for act in (factors.show, factors.remove):
        with pytest.raises(Refusal, match="Your library of factors is empty"):
            act("nobody")
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


def test_the_model_of_a_factor_is_named_and_not_the_factor(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Files of earlier versions describe themselves by the factor's own name; the trunk's hash tells."""
    data = (paths.models_dir() / "factored-s31" / "factor.onnx").read_bytes()
    spec = describe("factor.onnx", data)
    file = tmp_path / "tennis.factor.onnx"
    for name, trunk, model in (("Ann", spec.siblings["trunk"], "factored-s31"), ("Bo", "0" * 64, "trunk 0")):
        card = FactorCard(trunk, "", "2026-01-01", 31, {}, {}, accepted=True)
        file.write_bytes(described(data, replace(spec, name="tennis", card=card)))
        file.replace(make_private_dir(paths.user_factors_dir()) / f"{name}.factor.onnx")
        factors.show(name)
        shown = capsys.readouterr().out
        assert f"for model        {model}" in shown
    monkeypatch.setenv("COLUMNS", "100")
    factors.list_all()
    listed = capsys.readouterr().out
    assert "tennis" not in listed
    assert "factored-s31" in listed


@pytest.mark.parametrize("kind", ["nested", "escapes", "empty card", "folder", "pipe"])
def test_one_bad_file_hides_no_other_and_can_be_removed(kind: str, tmp_path: Path) -> None:
    folder = make_private_dir(paths.user_factors_dir())
    bad, good = folder / "bad.factor.onnx", crafted.personalised(crafted.trunk())
    (folder / "good.factor.onnx").write_bytes(good)
    text = describe("factor.onnx", good).to_json()
    if kind == "folder":
        bad.mkdir()
    elif kind == "pipe":
        os.mkfifo(bad)
    elif kind == "empty card":
        bad.write_bytes(
            hostile.described(json.dumps(json.loads(text) | {"card": None} | {"name": None}), good)
        )
    else:
        escapes = text.replace("2026-11-20", "\\u001b]0;owned\\u0007")
        bad.write_bytes(hostile.described("[" * 100_000 if kind == "nested" else escapes, good))
    done = CliRunner().invoke(app, ["factors"])
    assert done.exit_code == 0, done.output
    assert "good" in done.output
    assert re.search(r"bad +cannot be used:", done.output)
    assert "\x1b]0" not in done.output
    if kind != "folder":  # which may hold anything
        assert CliRunner().invoke(app, ["factors", "remove", "bad"]).exit_code == 0
        assert {p.name for p in folder.iterdir()} == {"good.factor.onnx"}


def test_a_library_that_cannot_be_read_is_not_called_empty() -> None:
    folder = paths.user_factors_dir()
    make_private_dir(folder.parent)
    folder.write_text("in the place of a folder")  # root, too, cannot list it
    with pytest.raises(Refusal, match="cannot be read"):
        factors.list_all()


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EROFS, DIE])
def test_a_model_is_added_whole_or_not_at_all(
    code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(library_models, "admit", lambda *_: None)
    source, target = crafted.bundle(tmp_path / "tiny"), paths.user_models_dir() / "tiny"
    (source / "CARD.md").symlink_to("/etc/passwd")
    for call in range(1, 200, 2):
        with suppress(Refusal, Died), failing_call(call, code, FOLDER_CALLS) as injected:
            models.add(source, "")
        assert {p.name for p in paths.user_models_dir().glob("[!.]*")} <= {"tiny"}
        if target.exists():
            assert {p.name for p in target.iterdir()} == {p.name for p in source.iterdir()} - {"CARD.md"}
            models.remove("tiny")
        if not injected.failed_in:
            break
    assert 10 < call < 199
    assert [p.name for p in paths.user_models_dir().iterdir()] == []


@pytest.mark.parametrize(("command", "word"), [("models", "factored-s31"), ("factors", "library is empty")])
def test_list_is_a_command_of_its_own_too(command: str, word: str) -> None:
    for arguments in ([command], [command, "list"]):
        done = CliRunner().invoke(app, arguments)
        assert done.exit_code == 0, done.output
        assert word in done.output
