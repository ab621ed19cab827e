"""What the code imports is what pyproject.toml declares: it must run without the development tools."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib import metadata

import pytest
from packaging.requirements import Requirement

from tests.architecture.sources import PRODUCT, ROOT, Source, product

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]
#: Top-level folder → the extras that whoever runs it has installed.
INSTALLED = {
    "app": ("cpu", "download", "cluster", "virtualcam"),
    "models": ("personalize",),  # its networks; that the app reaches none of them is another test
    "personalize": ("personalize", "train"),
    "runtime": ("cpu",),
    "synthetic": ("personalize", "train"),
    "experiments": ("cpu", "personalize", "train"),
    "training": ("personalize", "train"),  # `train` brings `personalize`
    "export": ("cpu", "personalize"),
    "benchmarks": ("cpu", "personalize", "train", "dev"),
}

#: run by the interpreter of an environment of their own, which has what they import
ELSEWHERE = {"training/mediapipe_pose.py"}


def distribution(requirement: str) -> str:
    return re.split(r"[<>=!~\[ ;]", requirement, maxsplit=1)[0].lower().replace("_", "-")


def imported(source: Source) -> Iterator[str]:
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import):
            yield from (a.name.split(".")[0] for a in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.split(".")[0]


@pytest.mark.parametrize("folder", PRODUCT)
def test_every_import_is_declared(folder: str) -> None:
    declared = {distribution(r) for r in PROJECT["dependencies"]}
    declared |= {distribution(r) for extra in INSTALLED[folder] for r in EXTRAS[extra]}
    provides = metadata.packages_distributions()
    undeclared = {
        f"{source.name} imports {name}"
        for source in product()
        if source.module.split(".")[0] == folder and source.name not in ELSEWHERE
        for name in imported(source)
        if name not in sys.stdlib_module_names
        and name not in PRODUCT
        and not {d.lower().replace("_", "-") for d in provides.get(name, [name])} & declared
    }
    assert undeclared == set()


def test_cpu_and_gpu_are_never_asked_for_together() -> None:
    with_cpu = {extra for extra, needs in EXTRAS.items() if "onnxruntime" in {distribution(n) for n in needs}}
    with_gpu = {
        extra for extra, needs in EXTRAS.items() if "onnxruntime-gpu" in {distribution(n) for n in needs}
    }
    assert (with_cpu, with_gpu) == ({"cpu"}, {"gpu"})


def test_pins_that_were_learnt_the_hard_way() -> None:
    assert "torch==2.13.0" in EXTRAS["dev"], "a looser range takes gigabytes of CUDA packages"
    assert any(r.startswith("PyQt6>=6.7,<6.12") for r in PROJECT["dependencies"])
    assert not any(distribution(r) == "opencv-python" for r in PROJECT["dependencies"])


def test_the_pinned_versions_are_what_is_declared_and_leave_what_reads_sites_free() -> None:
    lines = (ROOT / "constraints.txt").read_text("utf-8").splitlines()
    pinned = dict(line.split("==") for line in lines if not line.startswith("#"))
    versions = {distribution(name): version for name, version in pinned.items()}
    declared = [r for extra in ("cpu", "personalize", "train", "dev") for r in EXTRAS[extra]]
    declared = [r for r in (*PROJECT["dependencies"], *declared) if not r.startswith(PROJECT["name"])]
    assert {r for r in declared if versions[distribution(r)] not in Requirement(r).specifier} == set()
    assert not versions.keys() & {"yt-dlp", "yt-dlp-ejs", "certifi"}
