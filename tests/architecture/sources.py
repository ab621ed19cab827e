"""The Python files of the repository, parsed once for all architecture tests."""

from __future__ import annotations

import ast
import functools
import subprocess
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PRODUCT = (
    "app",
    "benchmarks",
    "experiments",
    "export",
    "models",
    "personalize",
    "runtime",
    "synthetic",
    "training",
)
LEFT_OUT = {".venv", ".git", "build", "dist", "out", "runs", "__pycache__"}


@dataclass(frozen=True)
class Source:
    path: Path
    text: str
    tree: ast.Module

    @property
    def name(self) -> str:
        """Path from the root, with slashes."""
        return self.path.relative_to(ROOT).as_posix()

    @property
    def module(self) -> str:
        return self.name.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def _read(path: Path) -> Source:
    text = path.read_text(encoding="utf-8")
    return Source(path, text, ast.parse(text))


@functools.cache
def product() -> tuple[Source, ...]:
    """What is shipped."""
    return tuple(_read(p) for folder in PRODUCT for p in sorted((ROOT / folder).rglob("*.py")))


@functools.cache
def everything() -> tuple[Source, ...]:
    """What is shipped, and its tests."""
    return (*product(), *(_read(p) for p in sorted((ROOT / "tests").rglob("*.py"))))


@functools.cache
def tracked() -> tuple[Path, ...]:
    """Every file of the repository; without git (an unpacked archive), every file that lies here."""
    done = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if done.returncode == 0 and done.stdout:
        return tuple(p for n in done.stdout.decode().split("\0") if n and (p := ROOT / n).is_file())
    return tuple(p for p in ROOT.rglob("*") if p.is_file() and not LEFT_OUT & set(p.relative_to(ROOT).parts))
