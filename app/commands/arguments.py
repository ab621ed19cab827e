"""Arguments that commands share; what an unset shell variable leaves empty is refused.

An empty path would mean the current folder.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

EMPTY = "it is empty. Give a path; a shell variable in it may not be set"


def named(text: str) -> str:
    """An argument that names something.

    Raises:
        typer.BadParameter: it is empty.
    """
    if not text.strip():
        raise typer.BadParameter(EMPTY)
    return text


def all_named(texts: list[str]) -> list[str]:
    """Arguments that each name something.

    Raises:
        typer.BadParameter: one is empty.
    """
    return [named(text) for text in texts]


def named_path(text: str | Path) -> Path:
    """A path that is not empty.

    Raises:
        typer.BadParameter: it is empty.
    """
    return Path(named(str(text)))


class ParseCommand(TyperCommand):
    """`xfactor parse`: reads the table of products, which loads what writes them, only to list them."""

    def format_help(self, *where: Any) -> None:  # noqa: ANN401 - typer's own types are private
        from runtime.output.products import DEFAULTS, PRODUCTS  # noqa: PLC0415 - only for this

        save: Any = next(p for p in self.params if p.name == "save")
        save.help = f"What to write, of {','.join(PRODUCTS)}.  [default: {','.join(DEFAULTS)}]"
        super().format_help(*where)


Sources = Annotated[
    list[str], typer.Argument(metavar="SOURCE", help="Clips, pictures, folders, links.", callback=all_named)
]
ResultFolder = Annotated[
    Path, typer.Option("--out", metavar="DIR", help="Where the results go.", parser=named_path)
]
Model = Annotated[str, typer.Option("--model", metavar="NAME|DIR", help="The model.")]
OverlayStyle = Annotated[
    str,
    typer.Option("--style", metavar="LIST", help="Of overlays: view=cut-out,opacity=0.4,hide=3+4."),
]
LinkMinutes = Annotated[float, typer.Option(metavar="N", help="Longest video that a link may name.")]
LinkMegabytes = Annotated[float, typer.Option(metavar="N", help="Largest download of a link.")]
MaskFolder = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR", help="Masks in the factor's place: PNG of 0/1, 0/255, grey, or 0/1 and 255 = ignore."
    ),
]
