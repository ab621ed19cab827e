"""Size, names and the map of the code."""

from __future__ import annotations

import ast
import re

import pytest

from tests.architecture import tree
from tests.architecture.sources import ROOT, everything, product, tracked

LONGEST_FILE_LINES = 350
LONGEST_FUNCTION_LINES = 59
LARGEST_FILE_BYTES = 16_000_000  # of a model
FILES_AT_THE_TOP = {
    ".gitignore", ".pre-commit-config.yaml", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "Makefile",
    "README.md", "constraints.txt", "mkdocs.yml", "pyproject.toml",
}  # fmt: skip
BANNED_NAMES = {"utils", "util", "helpers", "helper", "misc", "common", "base", "manager", "types"}


def test_there_is_something_to_check() -> None:
    names = {s.name for s in product()}
    assert {"runtime/system/paths.py", "models/labels.py", "training/loop.py"} <= names
    assert len(names) > 50


def test_files_are_short() -> None:
    lengths = {s.name: s.text.count("\n") for s in everything()}
    assert {n: v for n, v in lengths.items() if v > LONGEST_FILE_LINES} == {}


def test_functions_are_short() -> None:
    long = {
        f"{s.name}:{node.lineno} {node.name}": lines
        for s in everything()
        for node in ast.walk(s.tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (lines := (node.end_lineno or 0) - node.lineno + 1) > LONGEST_FUNCTION_LINES
    }
    assert long == {}


def test_no_module_is_a_drawer() -> None:
    parts = {part for s in everything() for part in s.module.split(".")}
    assert parts & BANNED_NAMES == set()


def test_packages_say_what_they_are() -> None:
    silent = [s.name for s in product() if s.path.name == "__init__.py" and not ast.get_docstring(s.tree)]
    assert silent == []


def test_the_map_shows_exactly_what_exists() -> None:
    stated = (ROOT / "docs" / "ARCHITECTURE.md").read_text(encoding="utf-8")
    assert tree.section(stated) == tree.drawn(), f"run: {tree.COMMAND}"


@pytest.mark.parametrize("page", ["docs/ARCHITECTURE.md", "CONTRIBUTING.md", "docs/experiments/README.md"])
def test_modules_named_on_a_page_exist(page: str) -> None:
    folders = "app|runtime|personalize|models|training|synthetic|export|experiments|tests|benchmarks"
    named = set(
        re.findall(rf"(?<![\w./-])((?:{folders})/[a-z_0-9/]*[a-z0-9](?:\.py)?)\b", (ROOT / page).read_text())
    )
    assert named
    assert {n for n in named if not ((ROOT / n).exists() or (ROOT / f"{n}.py").exists())} == set()


def test_nothing_stray_lies_at_the_top() -> None:
    assert {p.name for p in tracked() if p.parent == ROOT} == FILES_AT_THE_TOP


def test_no_large_file_is_tracked() -> None:
    assert {p.name: p.stat().st_size for p in tracked() if p.stat().st_size > LARGEST_FILE_BYTES} == {}
