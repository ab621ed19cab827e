"""Tables and filled templates, letter by letter."""

from __future__ import annotations

from pathlib import Path

from training.markdown import filled, table


def test_numbers_stand_right_with_their_digits() -> None:
    rows = [["one", 0.12349, 1234567, "x"], ["two", float("nan"), 7, 1.0]]
    assert table(["name", "a", "b", "c"], rows).splitlines() == [
        "| name | a | b | c |",
        "|---|--:|--:|--:|",
        "| one | 0.123 | 1 234 567 | x |",
        "| two | – | 7 | 1.000 |",
    ]
    assert table(["name", "a"], [["one", 2.25]], digits=1).splitlines()[2] == "| one | 2.2 |"


def test_places_are_filled_and_empty_paragraphs_go(tmp_path: Path) -> None:
    template = tmp_path / "page.md"
    template.write_text("\n# {name}\n\n{nothing}\n\nend {n}\n\nlast\n", "utf-8")
    assert filled(template, name="Table", nothing="", n=3) == "# Table\n\nend 3\n\nlast"
