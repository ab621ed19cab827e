"""Commands on the pages: the program takes each, and what they read is there or made by another."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from app.__main__ import app
from docs.cross_references import links
from tests.pages import ROOT, CommandError, PageCommand, commands, pages

FOUND = [command for page in pages() for command in commands(page)]
PYTHON = {
    p.relative_to(ROOT).as_posix(): blocks
    for p in pages()
    if p.name != "CONTRIBUTING.md"
    and (blocks := re.findall(r"^```python\n(.*?)^```", p.read_text("utf-8"), re.MULTILINE | re.DOTALL))
}
BRIEF = ["--frames", "96:104", "--device", "cpu"]


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
def test_what_a_page_reads_is_there_or_made_before_or_on_a_page_it_links_to(page: str) -> None:
    first = (ROOT / page).with_name("README.md")  # a folder is entered by it
    linked = {*links((ROOT / page).read_text("utf-8"), page), first.relative_to(ROOT).as_posix()} - {page}
    assert lacking([c for c in FOUND if c.page == page], linked) == []


def lacking(of_page: list[PageCommand], linked: set[str]) -> list[str]:
    """Paths that commands of a page read and nobody has made by then."""
    elsewhere = [c for c in FOUND if c.page in linked]
    return [
        path
        for i, command in enumerate(of_page)
        for path in command.read
        if not (ROOT / path).exists() and not any(c.makes(path) for c in (*of_page[:i], *elsewhere))
    ]


def test_what_nobody_makes_is_seen() -> None:
    """A checkpoint before its training, and a folder where a packed set is two files."""
    lines = ["xfactor export runs/x/last.safetensors --out runs/m", "xfactor train --out runs/x"]
    lines += ["xfactor synth --count 1 --packed runs/p", "xfactor export A --int8 runs/p/images --out B"]
    found = [PageCommand("page.md", tuple(line.split()), mention=False) for line in lines]
    assert lacking(found, set()) == ["runs/x/last.safetensors", "runs/p/images"]
    assert lacking(found[1::-1], set()) == []


@pytest.mark.slow
@pytest.mark.parametrize("page", sorted(PYTHON))
def test_python_on_a_page_reads_what_its_commands_wrote(
    page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    code = "\n".join(PYTHON[page])
    for command in (c for c in FOUND if c.page == page):
        if any(f'"{out}/' in code for out in command.made):
            words = [str(ROOT / "assets/clips/sample.mp4") if w == "CLIP" else w for w in command.words[1:]]
            with pytest.raises(SystemExit) as ended:
                app([*words, *BRIEF], prog_name="xfactor")
            assert ended.value.code in {0, None}
    capsys.readouterr()
    exec(compile(code, page, "exec"), {})
    assert capsys.readouterr().out


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
