"""Cross-references of the site: pages that lie elsewhere in the repository, and their links (for MkDocs)."""

from __future__ import annotations

import functools
import json
import os
import posixpath
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
LINK = re.compile(r"(?<!\\)(!?\[(?:[^\[\]]|\[[^\]]*\])*\])\(([^)\s]+)\)")
ELSEWHERE = re.compile(r"[a-z]+:|#|<")
PLACES = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "assets/LICENSES.md": "licences.md",
}
CARD = re.compile(r"assets/models/([^/]+)/CARD\.md")
NOTEBOOK = re.compile(r"docs/(.+)\.ipynb")


def place(path: str) -> str:
    """Place in the site of a file of the repository, both from their roots."""
    if path in PLACES:
        return PLACES[path]
    if card := CARD.fullmatch(path):
        return f"models/{card[1]}/index.md"
    return path.removeprefix("docs/") if path.startswith("docs/") else f"files/{path}"


def links(markdown: str, origin: str) -> Iterator[str]:
    """Files of the repository that a page links to, from the root; `origin` is the page's own."""
    for _, target in LINK.findall(markdown):
        if not ELSEWHERE.match(target):
            yield posixpath.normpath(posixpath.join(posixpath.dirname(origin), target.partition("#")[0]))


def relinked(markdown: str, origin: str) -> str:
    """The page with its links as they are in the site."""
    here = posixpath.dirname(place(origin))

    def moved(match: re.Match[str]) -> str:
        text, target = match.groups()
        if ELSEWHERE.match(target):
            return match[0]
        path, hash_, anchor = target.partition("#")
        file = posixpath.normpath(posixpath.join(posixpath.dirname(origin), path))
        return f"{text}({posixpath.relpath(place(file), here or '.')}{hash_}{anchor})"

    return LINK.sub(moved, markdown)


def notebook_page(notebook: dict[str, Any]) -> str:
    """A notebook as Markdown: its text, its code, and the text that the code wrote."""
    parts = []
    for cell in notebook["cells"]:
        text = "".join(cell["source"])
        parts.append(text if cell["cell_type"] == "markdown" else f"```python\n{text}\n```")
        outputs = ("".join(o["text"]) for o in cell.get("outputs", []))
        parts.extend(f"```text\n{written.rstrip()}\n```" for written in outputs)
    return "\n\n".join(parts) + "\n"


@functools.cache
def outside() -> tuple[str, ...]:
    """Files of the repository that the site shows and that do not lie in docs/."""
    cards = sorted(p.relative_to(ROOT).as_posix() for p in (ROOT / "assets/models").glob("*/CARD.md"))
    shown = [*PLACES, *cards]
    pages = [p for p in shown if p.endswith(".md")]
    pages += [p.relative_to(ROOT).as_posix() for p in (ROOT / "docs").rglob("*.md")]
    named = {f for p in pages for f in links((ROOT / p).read_text("utf-8"), p)}
    sources = sorted(f for f in named if not f.startswith("docs/") and (ROOT / f).is_file())
    return tuple(dict.fromkeys([*shown, *sources]))


def origin_of(page: str) -> str:
    """File of the repository at a place of the site."""
    return next((p for p in outside() if place(p) == page), f"docs/{page}")


def cards_nav(paths: Iterable[str]) -> list[dict[str, str]]:
    """Entries of the navigation, one for each model's card."""
    return [{card[1]: place(path)} for path in paths if (card := CARD.fullmatch(path))]


def on_config(config: Any) -> Any:  # noqa: ANN401 MkDocs' own type is not there when this is checked
    """MkDocs: cards of all models are in the navigation."""
    os.chdir(ROOT)  # mkdocstrings finds the packages here
    models = next(entry["Models"] for entry in config.nav if "Models" in entry)
    models[:0] = cards_nav(outside())
    return config


def on_files(files: Any, config: Any) -> Any:  # noqa: ANN401 as above
    """MkDocs: files from elsewhere are in the site."""
    from mkdocs.structure.files import File  # noqa: PLC0415 the tests read this module without MkDocs

    for path in outside():
        files.append(File.generated(config, place(path), abs_src_path=str(ROOT / path)))
    for file in sorted((ROOT / "docs").rglob("*.ipynb")):
        name = file.relative_to(ROOT / "docs").with_suffix(".md").as_posix()
        page = notebook_page(json.loads(file.read_text("utf-8")))
        files.append(File.generated(config, name, content=page))
    return files


def on_page_markdown(markdown: str, page: Any, **_: object) -> str:  # noqa: ANN401 as above
    """MkDocs: links go to the places in the site."""
    return relinked(markdown, origin_of(page.file.src_uri))
