"""What importing the program loads, seen in processes of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

from tests.architecture.sources import product

#: Prints what is loaded after importing all modules named; stops at an onnxruntime that could call home.
IMPORTER = """
import importlib, json, os, sys
from importlib.abc import MetaPathFinder

class Watch(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name == "onnxruntime" and os.environ.get("ORT_DISABLE_TELEMETRY") != "1":
            raise SystemExit("onnxruntime is imported while its telemetry is on")
        return None

sys.meta_path.insert(0, Watch())
for name in json.loads(sys.argv[1]):
    importlib.import_module(name)
print(json.dumps(sorted(sys.modules)))
"""
#: What `xfactor parse` and the other commands without a window are made of.
WITHOUT_QT = ("app.__main__", "app.batch", "app.commands", "app.live", "app.settings", "runtime")


def loaded_by(modules: list[str], repository: Path) -> set[str]:
    env = {k: v for k, v in os.environ.items() if k != "ORT_DISABLE_TELEMETRY"}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", IMPORTER, json.dumps(modules)],
        cwd=repository, env=env, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout))


@pytest.fixture(scope="module")
def app_modules() -> list[str]:
    names = [
        s.module
        for s in product()
        if s.module.split(".")[0] in ("app", "runtime") and not s.module.endswith("__main__")
    ]
    return [*names, "app.__main__"]


def test_the_app_never_loads_torch(app_modules: list[str], repository: Path) -> None:
    loaded = loaded_by(app_modules, repository)
    assert "runtime.engine.onnx" in loaded
    assert {"torch", "anny", "numba", "maxflow", "ray", "yt_dlp"} & loaded == set()


def test_commands_without_a_window_load_no_qt(app_modules: list[str], repository: Path) -> None:
    without = [n for n in app_modules if n.startswith(WITHOUT_QT)]
    loaded = loaded_by(without, repository)
    assert {n for n in loaded if n.startswith(("PyQt6", "app.ui", "app.desktop"))} == set()


def test_the_watch_works(repository: Path) -> None:
    with pytest.raises(AssertionError, match="telemetry is on"):
        loaded_by(["onnxruntime"], repository)


def test_one_opencv_and_one_runtime() -> None:
    names = {(d.metadata["Name"] or "").lower() for d in metadata.distributions()}
    assert {n for n in names if n.startswith("opencv")} == {"opencv-python-headless"}
    assert len({n for n in names if n in {"onnxruntime", "onnxruntime-gpu", "onnxruntime-openvino"}}) == 1
