"""The table of demands names tests and pages that exist."""

from __future__ import annotations

import re

from tests.architecture.sources import ROOT

TABLE = (ROOT / "docs" / "demands.md").read_text("utf-8")
ROWS = [line.split("|")[1:-1] for line in TABLE.splitlines() if re.match(r"\| D\d+ \|", line)]


def missing(table: str) -> list[str]:
    """Named tests and pages that are not there."""
    named = re.findall(r"`((?:tests|docs)/[\w./-]+?)(?:::(\w+))?`", table)
    return [
        f"{path}::{test}"
        for path, test in named
        if not (ROOT / path).is_file() or (test and f"def {test}(" not in (ROOT / path).read_text("utf-8"))
    ]


def test_every_demand_is_answered_by_a_test_or_a_page_or_said_to_be_open() -> None:
    assert [row[0].strip() for row in ROWS] == [f"D{n}" for n in range(1, 26)]
    assert [
        row[0] for row in ROWS if not re.search("`(tests|docs)/", row[3]) and "Not met" not in row[2]
    ] == []
    assert missing(TABLE) == []


def test_a_test_that_was_renamed_is_found() -> None:
    changed = TABLE.replace("test_choices_are_remembered`", "test_choices_are_forgotten`")
    assert missing(changed) == ["tests/qt/test_window.py::test_choices_are_forgotten"]
