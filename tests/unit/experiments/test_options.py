"""The command that a page shows."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from experiments.options import command, parser


def test_the_command_on_a_page_makes_it_again(tmp_path: Path) -> None:
    """What it says is read back as it was given; what is as usual is not said."""
    given = [
        "one",
        "--data",
        "my data",
        "--limit",
        "3",
        "--rows",
        "factored",
        "enet",
        "--size",
        "64",
        "--cold",
    ]
    given += ["--runs", str(tmp_path), "--seeds", "1", "2", "--shipped", "x", "--tried", "a", "b"]
    a = parser().parse_args([*given, "--finished", "--steps", "5000"])
    words = shlex.split(command(a).strip("`"))
    assert words[:3] == ["python", "-m", "experiments"]
    assert vars(parser().parse_args(words[3:])) == {**vars(a), "finished": False}
    assert command(parser().parse_args(["six", "--finished"])) == "`python -m experiments six`"
    assert "steps" not in words


def test_what_is_quoted_of_the_shorter_pages_stands_on_both() -> None:
    """Of each claim the difference and the verdict, after the short training and after the long one."""
    docs = Path(__file__).resolve().parents[3] / "docs" / "experiments"
    short, long = (
        "\n".join(p.read_text("utf-8") for p in sorted(folder.glob("[123]-*.md")))
        for folder in (docs / "shorter", docs)
    )
    quoted = re.findall(
        r"^\| .*? \| ([-+.\d]+): \**(\w+ ?\w*)\** \| ([-+.\d]+): \**(\w+ ?\w*)\** \|$",
        (docs / "shorter" / "README.md").read_text("utf-8"),
        re.MULTILINE,
    )
    assert len(quoted) == 16
    for before, verdict_before, after, verdict_after in quoted:
        assert re.search(rf"\| {re.escape(before)} \(.*\*\*{verdict_before}\*\*", short)
        assert re.search(rf"\| {re.escape(after)} \(.*\*\*{verdict_after}\*\*", long)
