"""The tutorial: its commands run in order, as printed, with tiny budgets, to a model that parses."""

from __future__ import annotations

import importlib
import json
from functools import partial
from pathlib import Path

import pytest

import synthetic.dataset
from app.__main__ import app
from app.commands import torch_process
from runtime.engine.engine import load_engine
from runtime.library.models import list_models
from tests.pages import ROOT, commands

PAGE = ROOT / "docs" / "tutorial.md"
TINY = {"--count": "2", "--steps": "2", "--decay-steps": "1", "--batch": "2", "--crop": "64"}
ADDED = {
    "synth": ["--size", "96", "--workers", "1"],
    "parse": ["--frames", "0:1", "--size", "96", "--device", "cpu"],
}
WINDOW = "assets/clips/sample.mp4"


def shortened(words: list[str]) -> list[str]:
    """The arguments with a tiny budget."""
    pairs = zip([None, *words], words, strict=False)
    return [TINY.get(before or "", word) for before, word in pairs] + ADDED.get(words[0], [])


def in_this_process(module: str, arguments: list[str]) -> int:
    """As `run_module`, without a second start of torch."""
    name = module if module == "training.evaluate" else f"{module}.__main__"
    code: int = importlib.import_module(name).main(arguments)
    return code


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_its_commands_lead_to_a_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(torch_process, "run_module", in_this_process)
    monkeypatch.setattr(synthetic.dataset, "Recipe", partial(synthetic.dataset.Recipe, pool=10))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "assets").symlink_to(ROOT / "assets")
    printed = [list(c.words[1:]) for c in commands(PAGE) if not c.mention and c.words[0] == "xfactor"]
    assert [words[0] for words in printed] == [
        "synth", "synth", "eval", "train", "train", "eval", "export", "models", "parse"
    ]  # fmt: skip
    for words in printed:
        with pytest.raises(SystemExit) as ended:
            app(shortened(words), prog_name="xfactor")
        assert ended.value.code in {0, None}, (words, capsys.readouterr().err)
        if words[0] == "eval":
            assert json.loads(capsys.readouterr().out)["own"]["photos"] == 2
    assert "mine" in {bundle.name for bundle in list_models()}
    assert load_engine("mine", device="cpu").part_set is not None
    assert list((tmp_path / "runs/tutorial/parsed").rglob("overlay.mp4"))
