"""The map of the code in docs/ARCHITECTURE.md, drawn from the docstrings of the packages.

`python -m tests.architecture.tree` writes it.
"""

from __future__ import annotations

import ast
import textwrap
from pathlib import Path

from tests.architecture.sources import PRODUCT, ROOT, tracked

COMMAND = "python -m tests.architecture.tree"
BEGIN = f"<!-- tree: written by `{COMMAND}` -->"
END = "<!-- end of tree -->"
PAGE = ROOT / "docs" / "ARCHITECTURE.md"


def drawn() -> str:
    """Every package with its sentence and its modules."""
    modules: dict[Path, list[str]] = {}
    for path in tracked():
        if path.suffix == ".py" and path.relative_to(ROOT).parts[0] in PRODUCT:
            modules.setdefault(path.parent, []).append(path.stem)
    lines = [line for folder in sorted(modules) for line in _package(folder, sorted(modules[folder]))]
    return "\n".join(["```", *lines, "```"])


def section(page: str) -> str:
    """What stands between the marks."""
    return page.partition(BEGIN)[2].partition(END)[0].strip()


def write() -> None:
    page = PAGE.read_text(encoding="utf-8")
    before, _, rest = page.partition(BEGIN)
    after = rest.partition(END)[2]
    PAGE.write_text(f"{before}{BEGIN}\n{drawn()}\n{END}{after}", encoding="utf-8")


def _package(folder: Path, stems: list[str]) -> list[str]:
    depth = len(folder.relative_to(ROOT).parts) - 1
    modules = " ".join(stem for stem in stems if stem != "__init__")
    docstring = ast.get_docstring(ast.parse((folder / "__init__.py").read_text(encoding="utf-8"))) or ""
    head = f"{'  ' * depth}{folder.name}/"
    indent = "  " * (depth + 1)
    listed = textwrap.wrap(modules, 108, initial_indent=indent, subsequent_indent=indent)
    return [f"{head:<18}{docstring.splitlines()[0] if docstring else ''}", *listed]


if __name__ == "__main__":
    write()
