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


def class_accuracy(page: Path) -> dict[str, float]:
    """Means over the seeds, in %, by the network, of the first table of a page."""
    table = page.read_text("utf-8").split("## Rendered people")[1].split("\n\n")[1]
    return {
        name: float(mean) for name, mean in re.findall(r"^\| (\w.*?) \| \d \| ([\d.]+) ", table, re.MULTILINE)
    }


def test_scores_that_the_overview_quotes_stand_in_the_tables() -> None:
    docs = Path(__file__).resolve().parents[3] / "docs" / "experiments"
    words = " ".join((docs / "README.md").read_text("utf-8").split())
    short, long = (class_accuracy(d / "1-state-of-the-art.md") for d in (docs / "shorter", docs))
    even, alone, ahead = "Factored, the paper's settings", "Factored, setting 3 alone", long["Baseline"]
    below, below_even = ahead - long["Factored"], ahead - long[even]
    dearer = long["Factored, taught without true silhouettes"] - long["Factored"]
    for quoted in (
        f"our mixture of settings it is {below:.2f} and with the paper's {below_even:.2f} points below",
        f"They score {long[even]} % then; setting 3 alone scores {short[alone]} % after 20 000 passes,",
        f"after 20 000 passes, and {long[alone]} % after 80 000",
        f"the paper's settings score {long[even + ', PReLU']} % with its PReLU",
        f"without one it scores {dearer:.2f} points more",
    ):
        assert quoted in words
