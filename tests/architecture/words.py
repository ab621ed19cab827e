"""Words and names of the house: what offends against CONTRIBUTING."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterable, Iterator

from tests.architecture.sources import ROOT, Source, product

DEFINITIONS = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
QUESTIONS = re.compile(r"(What|Whether|How|Where|Who)\b")
PIECES = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
#: Names in which a refused word has its plain meaning.
MEANT = {
    "cut_faces",  # triangles of a mesh
    "limit_memory",  # bytes
    "looks_like",
    "looks_like_link",
}


def refused_words() -> dict[str, str]:
    """Refused word → the term to use, from the table in CONTRIBUTING."""
    page = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    rows = [line.strip("|").split("|") for line in page.splitlines() if line.startswith("|")]
    return {
        word: term.strip() for term, _, refused in (row for row in rows if len(row) == 3)
        for word in re.findall(r"`(\w+)`", refused)
    }  # fmt: skip


def words_of(name: str) -> set[str]:
    """`keepFace_of` → keep, face, of."""
    return {piece.lower() for piece in PIECES.findall(name)}


def names_in(source: Source) -> Iterator[str]:
    """Names that others read: of the module, and of its classes and public functions."""
    yield source.path.parent.name if source.path.name == "__init__.py" else source.path.stem
    yield from (
        node.name
        for node in ast.walk(source.tree)
        if isinstance(node, ast.ClassDef) or (isinstance(node, DEFINITIONS) and node.name[:1] != "_")
    )


def refused_names(sources: Iterable[Source], refused: Iterable[str]) -> set[str]:
    words = set(refused)
    return {f"name {n}" for s in sources for n in names_in(s) if n not in MEANT and words_of(n) & words}


def repeated_classes(sources: Iterable[Source]) -> set[str]:
    classes = Counter(n.name for s in sources for n in ast.walk(s.tree) if isinstance(n, ast.ClassDef))
    return {f"class {name}" for name, times in classes.items() if times > 1}


def riddles(sources: Iterable[Source]) -> set[str]:
    """First lines of docstrings that begin as a question."""
    texts = (
        ast.get_docstring(n) or ""
        for s in sources
        for n in ast.walk(s.tree)
        if isinstance(n, (*DEFINITIONS, ast.Module))
    )
    return {f"docstring {text.splitlines()[0]}" for text in texts if QUESTIONS.match(text)}


def offences(sources: Iterable[Source]) -> set[str]:
    sources = tuple(sources)
    return repeated_classes(sources) | refused_names(sources, refused_words()) | riddles(sources)


def places(offence: str) -> list[str]:
    """Files in which an offence of `offences` stands."""
    kind, _, what = offence.partition(" ")
    marks = {"class": f"class {what}\\b", "name": rf"\b{what}\b", "docstring": re.escape(what)}
    return [s.name for s in product() if re.search(marks[kind], s.text) or s.path.stem == what]
