"""Commands in a process of their own: what they lack is refused, their help needs nothing."""

from __future__ import annotations

import importlib.util
import subprocess
import sys

import pytest

from app.commands.torch_process import refuse_without, run_module
from runtime.system.errors import Refusal

BLOCKED = "import sys, runpy; sys.modules.update(numba=None, anny=None, torch=None, cv2=None); "


def test_synth_explains_itself_without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(Refusal, match="xfactor synth: it needs numba"):
        refuse_without("synthetic")
    with pytest.raises(Refusal):
        run_module("synthetic", ["--count", "1"])
    assert run_module("synthetic", ["--help"]) == 0
    code = BLOCKED + "sys.argv[1:] = ['--help']; runpy.run_module('synthetic', run_name='__main__')"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stderr
    assert "usage: xfactor synth" in told.stdout


def test_a_command_is_called_by_its_own_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    for module, name in (
        ("training", "train"),
        ("training.evaluate", "eval"),
        ("personalize.transfer", "transfer"),
    ):
        with pytest.raises(Refusal, match=f"xfactor {name}:"):
            refuse_without(module)
