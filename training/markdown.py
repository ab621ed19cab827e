"""Markdown pages: templates with places in braces, and tables."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

Row = Sequence[str | float | int]


def filled(template: Path, **values: object) -> str:
    """The text of a template file, its places in braces filled; empty paragraphs go."""
    text = template.read_text(encoding="utf-8").format_map(values)
    return re.sub("\n{3,}", "\n\n", text).strip()


def table(head: Sequence[str], rows: Sequence[Row], digits: int = 3) -> str:
    """A Markdown table; numbers are aligned right, the highest is not marked."""
    rule = ["---", *["--:"] * (len(head) - 1)]
    lines = ["| " + " | ".join(head) + " |", "|" + "|".join(rule) + "|"]
    lines += ["| " + " | ".join(_cell(v, digits) for v in row) + " |" for row in rows]
    return "\n".join(lines)


def _cell(value: str | float, digits: int) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, int):
        return f"{value:,}".replace(",", " ")
    return "–" if np.isnan(value) else f"{value:.{digits}f}"
