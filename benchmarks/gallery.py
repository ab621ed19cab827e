"""Gallery of the documentation: the same rendered people by every model that is shipped.

`python -m benchmarks.gallery PAGE`
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from PIL import Image

from app.desktop import Desktop
from benchmarks.screenshots import Scene, caught_up, photograph, save_pictures, seek
from models.results import Result
from runtime.library.models import list_models
from runtime.output.style import ViewMode
from runtime.system import paths

CELLS = ((6, 7), (6, 10), (4, 0), (2, 13))  # rows and columns of the sheet of rendered people
CELL_PX = 256
TILE_PX = 320
SEPARATOR = "@"  # between a model and a view, in the name of a scene
WORDS = {
    ViewMode.OVERLAY: "overlay",
    ViewMode.PARTS: "parts only",
    ViewMode.SKELETON: "skeleton",
    ViewMode.INSTANCES: "instances",
}


def write_people(folder: Path) -> None:
    """Rendered people of the bundled sheet as pictures of their own."""
    with Image.open(paths.assets_dir() / "regression" / "people.jpg") as sheet:
        for number, (row, column) in enumerate(CELLS):
            left, top = column * CELL_PX, row * CELL_PX
            person = sheet.crop((left, top, left + CELL_PX, top + CELL_PX))
            person.save(folder / f"{number:03d}.png")


def views_of(result: Result | None) -> tuple[ViewMode, ...]:
    """Views in which there is something to see of a result."""
    if result is None:
        return ()
    parts = (ViewMode.OVERLAY, ViewMode.PARTS) if result.parsing is not None else ()
    joints = (ViewMode.SKELETON,) if any(p.pose is not None for p in result.people) else ()
    masks = (ViewMode.INSTANCES,) if any(p.mask is not None for p in result.people) else ()
    return (*parts, *joints, *masks)


def scenes(desktop: Desktop, models: Sequence[str]) -> Iterator[Scene]:
    """Every model of these, in every view that it fills, on every picture."""
    workspace, canvas, display = desktop.workspace, desktop.window.canvas, desktop.window.display

    def loaded(name: str) -> bool:
        return workspace.engine is not None and workspace.engine.name == name and caught_up(desktop)

    for name in models:
        seek(desktop, 0)
        choice, views = replace(workspace.choice, model=name), set[ViewMode]()
        for number in range(len(CELLS)):
            go = partial(seek, desktop, number / len(CELLS)) if number else partial(workspace.load, choice)
            yield Scene(f"{name}{SEPARATOR}", go, partial(loaded, name), subject=lambda: canvas)
            views |= set(views_of(canvas.parsed.result if canvas.parsed is not None else None))
            for view in views:
                show = partial(display.choose_view, view)
                yield Scene(f"{name}{SEPARATOR}{view}", show, partial(loaded, name), subject=lambda: canvas)


def strip(pictures: list[Image.Image]) -> Image.Image:
    """The square in the middle of every picture, beside each other."""
    row = Image.new("RGB", (TILE_PX * len(pictures), TILE_PX))
    for place, picture in enumerate(pictures):
        side = min(picture.size)
        left, top = (picture.width - side) // 2, (picture.height - side) // 2
        square = picture.crop((left, top, left + side, top + side))
        row.paste(square.resize((TILE_PX, TILE_PX), Image.Resampling.LANCZOS), (place * TILE_PX, 0))
    return row


def page(folder: Path) -> str:
    """The page in Markdown, of the pictures in its folder: a section for each model, a row for each view."""
    lines = [
        "# Gallery",
        "",
        "The same four rendered pictures by every model of the program, as the window shows them. The bodies",
        "were not trained on, and no picture was chosen by its result.",
        f"Written by `python -m benchmarks.gallery docs/{folder.name}.md`.",
    ]
    for name in (b.name for b in list_models()):
        rows = [(v, f"{name}-{v}.webp") for v in WORDS if (folder / f"{name}-{v}.webp").is_file()]
        if rows:
            lines += ["", f"## {name}", "", f"[Its card](../assets/models/{name}/CARD.md)."]
            lines += [
                line for v, file in rows for line in ("", f"![{name}: {WORDS[v]}]({folder.name}/{file})")
            ]
    return "\n".join(lines) + "\n"


def main(file: Path, models: Sequence[str] = ()) -> int:
    """Write the page and its pictures, in a folder of its name; 1 when no model gave anything.

    Args:
        file: the page.
        models: those whose pictures are made again; all when empty.
    """
    folder = file.with_suffix("")
    folder.mkdir(parents=True, exist_ok=True)
    taken: dict[str, list[Image.Image]] = {}

    def save(scene: Scene, pictures: list[Image.Image]) -> None:
        name, _, view = scene.name.partition(SEPARATOR)
        if view:
            row = taken.setdefault(f"{name}-{view}", [])
            row.extend(pictures)
            save_pictures([strip(row)], folder / f"{name}-{view}.webp", 0)
            file.write_text(page(folder), encoding="utf-8")

    chosen = models or [b.name for b in list_models()]
    with tempfile.TemporaryDirectory() as people:
        write_people(Path(people))
        photograph(Path(people), partial(scenes, models=chosen), save)
    return 0 if taken else 1


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.gallery", description="Gallery of all models on rendered people."
    )
    parser.add_argument("page", type=Path, help="the page in Markdown; pictures go into a folder beside it")
    parser.add_argument("models", nargs="*", help="whose pictures are made again; all when left out")
    arguments = parser.parse_args()
    sys.exit(main(arguments.page, arguments.models))
