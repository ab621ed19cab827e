"""Commands on the pages: the program takes each, and what they read is there or made by another."""

from __future__ import annotations

import re

import pytest

from tests.pages import ROOT, CommandError, PageCommand, commands, pages

FOUND = [command for page in pages() for command in commands(page)]


@pytest.mark.parametrize("page", sorted({c.page for c in FOUND}))
def test_the_commands_of_a_page_are_taken_as_they_are_printed(page: str) -> None:
    refused = []
    for command in (c for c in FOUND if c.page == page):
        try:
            command.check()
        except CommandError as e:
            refused.append(str(e))
    assert refused == []


@pytest.mark.parametrize("page", sorted({c.page for c in FOUND}))
def test_what_a_page_reads_is_in_the_repository_or_made_by_a_command(page: str) -> None:
    made = {path for c in FOUND for path in c.made}
    lacking = [
        word
        for c in FOUND
        if c.page == page
        for word in c.words
        if re.match(r"(\.\./|runs/|assets/|docs/)", word)
        and not (ROOT / word).exists()
        and not any(word == path or word.startswith(f"{path}/") for path in made)
    ]
    assert lacking == []


@pytest.mark.parametrize(
    "line",
    [
        "xfactor parse CLIP --out DIR --no-such-option",
        "xfactor nonsense --out DIR",
        "xfactor train no-such-network --out DIR",
        "xfactor train factored-s31 --steps many --out DIR",
        "python -m training.no_such_module",
        "python -m training.pose_scores MODEL",
        "make no-such-target",
    ],
)
def test_a_command_that_is_none_is_seen(line: str) -> None:
    with pytest.raises(CommandError):
        PageCommand("page.md", tuple(line.split()), mention=False).check()


def test_the_commands_are_found() -> None:
    """Blocks, sentences, alternatives, and comments that are none of it."""
    assert len(FOUND) > 100
    shown = {" ".join(c.words) for c in FOUND if c.page == "README.md"}
    assert {
        "make run LIGHT=1",
        "xfactor factors",
        "xfactor synth",
        "xfactor bench",
        "xfactor doctor --clean",
    } <= shown
