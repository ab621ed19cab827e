"""The pages: links and anchors lead somewhere, the site shows every page, the notebook runs."""

from __future__ import annotations

import ast
import contextlib
import io
import json
import re

import pytest

from docs.cross_references import ELSEWHERE, LINK, notebook_page, origin_of, outside, place, relinked
from tests.architecture.sources import ROOT, tracked

NOTEBOOK = ROOT / "docs" / "notebooks" / "ten-lines.ipynb"
PAGES = {
    name: p.read_text("utf-8")
    for p in tracked()
    if p.suffix == ".md"
    and ((name := p.relative_to(ROOT).as_posix()).startswith("docs/") or name in outside())
}
PICTURES = {".webp", ".png", ".jpg", ".svg"}
NAVIGATION = set(re.findall(r"[\w./-]+\.md", (ROOT / "mkdocs.yml").read_text("utf-8").partition("\nnav:")[2]))


def prose(page: str) -> str:
    """The page without its code, in which brackets mean something else."""
    return re.sub(r"`[^`\n]*`", "", re.sub(r"^```.*?^```", "", page, flags=re.MULTILINE | re.DOTALL))


def anchors(page: str) -> set[str]:
    """Anchors of its headings, as Git hosts and the site make them."""
    headings = re.findall(
        r"^#+ +(.+)$", re.sub(r"^```.*?^```", "", page, flags=re.MULTILINE | re.DOTALL), flags=re.MULTILINE
    )
    return {re.sub(r"[^\w\- ]", "", h.strip().lower()).replace(" ", "-") for h in headings}


def dead(name: str, page: str) -> list[str]:
    """Links of a page to files that are not there, and to headings that no page has."""
    found = []
    for _, target in LINK.findall(prose(page)):
        if ELSEWHERE.match(target) and not target.startswith("#"):
            continue
        path, _, anchor = target.partition("#")
        file = (ROOT / name).parent / path if path else ROOT / name
        text = file.read_text("utf-8") if file.suffix == ".md" and file.is_file() else ""
        if not file.exists() or (anchor and anchor not in anchors(text)):
            found.append(f"{name}: {target}")
    return found


def test_no_link_is_dead() -> None:
    assert len(PAGES) > 30
    assert [link for name, page in PAGES.items() for link in dead(name, page)] == []


def test_every_picture_of_the_pages_is_on_one_and_every_scene_is_a_picture() -> None:
    used = {
        ((ROOT / name).parent / target).resolve()
        for name, page in PAGES.items()
        for _, target in LINK.findall(page)
        if not ELSEWHERE.match(target)
    }
    pictures = {p for p in tracked() if p.is_relative_to(ROOT / "docs") and p.suffix in PICTURES}
    assert {p.relative_to(ROOT).as_posix() for p in pictures - used} == set()
    source = ast.parse((ROOT / "benchmarks" / "screenshots.py").read_text("utf-8"))
    calls = [n for n in ast.walk(source) if isinstance(n, ast.Call) and ast.unparse(n.func) == "Scene"]
    scenes = {c.args[0].value for c in calls if isinstance(c.args[0], ast.Constant)} - {""}
    taken = {p.stem for p in pictures if p.parent.name == "screenshots"}
    assert scenes - taken == set()
    assert taken - {n.value for n in ast.walk(source) if isinstance(n, ast.Constant)} == set()


@pytest.mark.parametrize(
    "link", ["[a](gone.md)", "![a](docs/gone.png)", "[a](CONTRIBUTING.md#gone)", "[a](#gone)"]
)
def test_a_dead_link_is_seen(link: str) -> None:
    assert len(dead("README.md", link)) == 1


@pytest.mark.parametrize(
    "link", ["`[a](gone.md)`", "[a](https://gone)", "[a](docs/datasets.md#the-folder-of-photos)"]
)
def test_what_is_no_dead_link_passes(link: str) -> None:
    assert dead("README.md", link) == []


def test_every_page_stands_in_the_navigation_once() -> None:
    pages = {place(p) for p in PAGES if p.startswith("docs/")} | {
        place("README.md"),
        "notebooks/ten-lines.md",
    }
    assert pages - NAVIGATION == set()
    assert {p for p in NAVIGATION - pages if origin_of(p) not in PAGES} == set()


def test_links_out_of_a_page_lead_to_the_places_of_the_site() -> None:
    assert relinked("[a](../assets/models/x/CARD.md#b)", "docs/training.md") == "[a](models/x/index.md#b)"
    assert relinked("[a](docs/links.md)", "README.md") == "[a](links.md)"
    assert (
        relinked("[a](../factored-s31/CARD.md)", "assets/models/x/CARD.md") == "[a](../factored-s31/index.md)"
    )
    assert relinked("[a](../training/muon.py)", "docs/training.md") == "[a](files/training/muon.py)"
    assert "training/muon.py" in outside()


def test_lists_begin_after_an_empty_line() -> None:
    """MkDocs takes a list for a part of the paragraph above it, where Git hosts see a list."""
    blocks = [
        (n, b)
        for n, p in PAGES.items()
        for b in re.split(r"\n\s*\n|^#[^\n]*\n", prose(p), flags=re.MULTILINE)
    ]
    assert [
        (n, b) for n, b in blocks if not re.match(r"\s|[-*] |1\. ", b) and re.search(r"\n(?:- |1\. )", b)
    ] == []


def test_the_notebook_runs_and_is_a_page() -> None:
    notebook = json.loads(NOTEBOOK.read_text("utf-8"))
    assert (notebook["nbformat"], len({c["id"] for c in notebook["cells"]})) == (4, len(notebook["cells"]))
    codes = ["".join(c["source"]) for c in notebook["cells"] if c["cell_type"] == "code"]
    assert len(codes[0].replace("\n\n", "\n").splitlines()) <= 10
    written, space = io.StringIO(), {}
    with contextlib.redirect_stdout(written):
        for code in codes:
            exec(compile(code, str(NOTEBOOK), "exec"), space)
    assert "102 4.08 s" in written.getvalue()
    assert "own factor -> chroma key" in written.getvalue()
    assert codes[0] in notebook_page(notebook)
