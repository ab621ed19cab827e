"""Commands that stand on the project's pages, and their parsing as if a reader had typed them."""

from __future__ import annotations

import argparse
import re
import runpy
import shlex
import sys
import warnings
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from importlib.util import find_spec
from io import StringIO
from pathlib import Path
from typing import Any
from unittest.mock import patch

from typer.core import TyperCommand

from app.__main__ import app
from app.commands.torch_process import COMMANDS
from runtime.system.errors import Refusal

ROOT = Path(__file__).resolve().parent.parent
BLOCK = re.compile(r"^```\w*\n(.*?)^```", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"(?:\.venv/bin/)?(?:xfactor|python -m|make|git show)(?= |$)")
EARLIER = re.compile(r" of commit [0-9a-f]{7}")  # of another state of the code, and said so
ELLIPSES = ("…", "...")
NUMBERS = {"N": "3", "STEPS": "3", "SIZE": "256", "W:H": "9:16"}  # for words that stand for a number
MODULES = {name: module for module, name in COMMANDS.items()} | {
    "export": "export",
    "transfer": "personalize.transfer",
}
OUTPUTS = ("--out", "--packed", "--runs", ">")
LACKING = re.compile(r"Missing|required|expected|requires an argument")
STANDS_FOR = re.compile(r"invalid choice: '(NAME|<row>)'|^(SOURCE|LINK): no such command")


class CommandError(AssertionError):
    """A command that does not run as it is printed."""


class _ParsedError(Exception):
    """The arguments are fine, and nothing is to be done with them."""


@dataclass(frozen=True)
class PageCommand:
    """A command on a page.

    Attributes:
        page: relative to the root.
        words: as a shell gives them, `…` taken away.
        mention: arguments may lack: it stands in a sentence, or with an ellipsis.
    """

    page: str
    words: tuple[str, ...]
    mention: bool

    @property
    def made(self) -> list[str]:
        """Paths that it writes; in those of folders (`--out`) there are more."""
        return [after for word, after in zip(self.words, self.words[1:], strict=False) if word in OUTPUTS]

    @property
    def read(self) -> list[str]:
        """Paths that it takes for granted."""
        return [
            word for before, word in zip(self.words, self.words[1:], strict=False)
            if before not in OUTPUTS and re.match(r"(\.\./|runs/|assets/|docs/)", word)
        ]  # fmt: skip

    def makes(self, path: str) -> bool:
        """True when it writes this path, or into the folder that holds it."""
        folders = [m for m in self.made if f"--packed {m}" not in " ".join(self.words)]
        return path in self.made or any(path.startswith(f"{folder}/") for folder in folders)

    def check(self) -> None:
        """Parse its arguments.

        Raises:
            CommandError: they are refused, or there is no such command.
        """
        try:
            _check(list(self.words), whole=not self.mention)
        except CommandError as e:
            lacking = self.mention and LACKING.search(str(e))
            if not (lacking or STANDS_FOR.search(str(e))):
                raise CommandError(f"{self.page}: {shlex.join(self.words)}: {e}") from e


def pages() -> list[Path]:
    """All pages for readers; the changelog is about the past."""
    return [
        p for where in ("*.md", "docs/**/*.md", "assets/**/*.md") for p in sorted(ROOT.glob(where))
        if p.name != "CHANGELOG.md"
    ]  # fmt: skip


def commands(page: Path) -> Iterator[PageCommand]:
    """Commands of the blocks of code and of the sentences of a page."""
    name, text = str(page.relative_to(ROOT)), page.read_text("utf-8")
    for block in BLOCK.findall(text):
        for line in block.replace("\\\n", " ").splitlines():
            yield from _in_line(name, re.split(r"\s+#|\s{4,}(?=[^-\s])", line)[0], mention=False)
    sentences = BLOCK.sub("", text)
    for span in re.finditer(r"`([^`]+)`", sentences):
        if not EARLIER.match(sentences, span.end()):
            yield from _in_line(name, " ".join(span[1].split()), mention=True)


def _in_line(page: str, line: str, *, mention: bool) -> Iterator[PageCommand]:
    for part in line.split(" && "):
        if COMMAND.match(part):
            first, *others = part.split(" | ")  # xfactor models | factors
            for words in (first, *(f"{first.split()[0]} {other}" for other in others)):
                yield _command(page, words, mention=mention or bool(others))


def _command(page: str, line: str, *, mention: bool) -> PageCommand:
    words = shlex.split(re.sub(r"\[(?=[-A-Z])|(?<=\w)\]", "", line))  # with all that may be left out
    bare = [w.removesuffix("…").removesuffix("...").split("|")[0] for w in words]
    return PageCommand(
        page, tuple(NUMBERS.get(w, w) for w in bare if w), mention or any(w.endswith(ELLIPSES) for w in words)
    )


def _check(words: list[str], *, whole: bool) -> None:
    program = words.pop(0).removeprefix(".venv/bin/")
    if program == "make":
        rules = (ROOT / "Makefile").read_text()
        for word in words:
            variable, equals, _ = word.partition("=")
            if not re.search(rf"\b{variable}\b" if equals else rf"^{word}:", rules, re.MULTILINE):
                raise CommandError(f"Makefile has no {word}")
    elif program == "xfactor":
        _check_xfactor(words, whole=whole)
    elif program == "python":
        _check_module(words[1], words[2:], whole=whole)


def _check_xfactor(words: list[str], *, whole: bool) -> None:
    def reached(command: TyperCommand, context: Any) -> None:
        raise _ParsedError(command.name, context.args)

    def listed() -> None:
        raise _ParsedError("list", [])

    said = StringIO()
    try:
        with (
            patch.object(TyperCommand, "invoke", reached),
            patch.multiple("app.__main__", list_models=listed, list_factors=listed),
            redirect_stderr(said),
            redirect_stdout(said),
        ):
            app(words, prog_name="xfactor")
    except SystemExit as e:
        if e.code:
            raise CommandError(said.getvalue()) from e
    except Refusal as e:
        raise CommandError(str(e)) from e
    except _ParsedError as e:
        name, rest = e.args
        if name in MODULES:
            _check_module(MODULES[name], rest, whole=whole)


def _check_module(name: str, words: list[str], *, whole: bool) -> None:
    if name == "pip":
        return
    if find_spec(name) is None:
        raise CommandError("there is no such module")
    package = find_spec(f"{name}.__main__") if find_spec(name).submodule_search_locations else None  # type: ignore[union-attr]
    main = f"{name}.__main__" if package else name
    if "ArgumentParser" not in Path(find_spec(main).origin).read_text():  # type: ignore[union-attr,arg-type]
        return
    parse = argparse.ArgumentParser.parse_args

    def parsed(parser: argparse.ArgumentParser, argv: list[str] | None = None, _: object = None) -> None:
        for action in parser._actions:  # one that lacks would hide one that is wrong
            action.required &= whole
        raise _ParsedError(parse(parser, argv))

    def refuse(_: argparse.ArgumentParser, message: str) -> None:
        raise CommandError(message)

    with (
        patch.object(argparse.ArgumentParser, "parse_args", parsed),
        patch.object(argparse.ArgumentParser, "error", refuse),
        patch.object(sys, "argv", [name, *words]),
        redirect_stdout(StringIO()),
        warnings.catch_warnings(),
    ):
        try:
            warnings.simplefilter("ignore", RuntimeWarning)  # that it was imported before
            runpy.run_module(main, run_name="__main__")
        except _ParsedError:
            return
        except SystemExit as e:
            if e.code:
                raise CommandError(str(e)) from e
            return
    raise CommandError("it runs without reading its arguments")
