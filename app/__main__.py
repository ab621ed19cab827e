"""`xfactor …`: arguments only. Each command imports what it needs when it runs.

So `xfactor parse` never loads Qt, and `xfactor --help` loads nothing.
"""

# ruff: noqa: PLC0415 - see above

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from typer.core import TyperGroup

from app.commands.arguments import (
    LinkMegabytes,
    LinkMinutes,
    MaskFolder,
    Model,
    OverlayStyle,
    ParseCommand,
    ResultFolder,
    Sources,
    named,
)
from app.commands.entry import exit_code
from runtime.system import installation

PASS_ON = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}


class Commands(TyperGroup):
    """A first word that is no command is a source for the window."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401 - typer's own type is private
        own = {"--help", "-h", "--version", "--reset-config"}
        first = next((a for a in args if a not in own), None)
        if first not in self.commands and not own.intersection(args):
            if first is not None and not first.startswith("-"):
                from app.commands.window import check_word

                check_word(first)
            args = ["window", *args]
        rest: list[str] = super().parse_args(ctx, args)
        return rest

    def invoke(self, ctx: Any) -> Any:  # noqa: ANN401 - typer's own types are private
        try:
            return super().invoke(ctx)
        except typer.BadParameter as e:  # typer passes on the words of the library that checks values
            e.message = e.message.removeprefix("Value error, ").partition(", unable to parse")[0]
            raise


app = typer.Typer(
    name="xfactor",
    cls=Commands,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Live human parsing: `xfactor [SOURCE]` opens the window on a camera, file, folder or link.",
)
models_app = typer.Typer(help="List, add, show and remove models.", rich_markup_mode=None)
factors_app = typer.Typer(help="List, add, show and remove personalised factors.", rich_markup_mode=None)
app.add_typer(models_app, name="models", invoke_without_command=True)
app.add_typer(factors_app, name="factors", invoke_without_command=True)


@app.callback(invoke_without_command=True)
def options(
    *,
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
    reset_config: Annotated[bool, typer.Option("--reset-config", help="Put the settings aside.")] = False,
) -> None:
    """Live human parsing."""
    if version:
        typer.echo(f"xfactor {installation.version()}")
    if reset_config:
        from app.settings import SettingsFile

        kept = SettingsFile().reset()
        typer.echo(f"The settings are back to the defaults{f'; the old ones are in {kept}' if kept else ''}.")


@app.command(hidden=True)
def window(source: Annotated[str | None, typer.Argument(metavar="[SOURCE]")] = None) -> None:
    """Open the window on a camera index or name, a file, a folder or a link."""
    from app.commands.window import open_window

    raise typer.Exit(open_window(source))


@app.command()
def personalize(  # noqa: PLR0913 - typer takes options as arguments
    clip: Annotated[
        str,
        typer.Argument(metavar="CLIP", help="A clip, a folder of its frames, or a link.", callback=named),
    ],
    *,
    out: Annotated[
        str, typer.Option(metavar="NAME|FILE", help="A name in your library, or a file.", callback=named)
    ],
    model: Model = "factored-s31",
    frames: Annotated[str, typer.Option(metavar="A:B", help="Frames to learn from.")] = "",
    method: Annotated[
        Literal["tree", "grabcut", "graphcut", "none"], typer.Option(help="Where silhouettes come from.")
    ] = "tree",
    person: Annotated[
        str, typer.Option(metavar="X,Y[@FRAME]|auto", help="Learn only who is there, or the largest mover.")
    ] = "",
    progress: Annotated[Literal["rich", "json", "none"], typer.Option(help="What is told.")] = "rich",
    link_minutes: LinkMinutes = 60.0,
    link_megabytes: LinkMegabytes = 1000.0,
) -> None:
    """Make a factor that knows the person of a clip; a factor that is no better is not kept."""
    from app.batch.options import FrameSpan
    from app.commands.personalize import personalise
    from app.download.messages import DownloadLimits
    from app.download.sources import local_clip
    from personalize.job import PersonChoice

    try:
        span, chosen = FrameSpan.parse(frames), PersonChoice.parse(person) if person else None
    except ValueError as e:
        raise typer.BadParameter(str(e)) from e
    path = Path(local_clip(clip, DownloadLimits(minutes=link_minutes, megabytes=link_megabytes), progress))
    raise typer.Exit(
        personalise(path, out, chosen, model=model, frames=span, method=method, progress=progress)
    )


@app.command(cls=ParseCommand)
def parse(  # noqa: PLR0913 - typer takes options as arguments
    context: typer.Context,
    sources: Sources,
    *,
    out: ResultFolder,
    model: Model = "factored-s31",
    factor: Annotated[
        str,
        typer.Option(metavar="NAME|FILE", help="A personalised factor; people, or people:3 for one of them."),
    ] = "",
    silhouettes: MaskFolder = None,
    size: Annotated[str, typer.Option(metavar="WxH|N", help="Size of the network's input.")] = "",
    views: Annotated[
        Literal["auto", "1", "2", "6", "regions"],
        typer.Option(help="Passes over a picture, averaged. auto: 6, clips 1. regions: 1, near people."),
    ] = "auto",
    device: Annotated[Literal["auto", "cpu", "cuda"], typer.Option(help="`cuda` is strict.")] = "auto",
    save: Annotated[str | None, typer.Option(metavar="LIST", help="What to write.")] = None,
    alpha: Annotated[
        Literal["mov", "webm"], typer.Option("--alpha", help="ProRes 4444 or VP9, for --save alpha.")
    ] = "mov",
    style: OverlayStyle = "",
    resume: Annotated[bool, typer.Option("--resume", help="Finish what is missing.")] = False,
    smooth: Annotated[bool, typer.Option(help="Smooth the labels of clips over time.")] = True,
    frames: Annotated[str, typer.Option(metavar="A:B", help="Of clips only these, both included.")] = "",
    every: Annotated[int, typer.Option(metavar="N", help="Of clips only each N-th frame.")] = 1,
    recursive: Annotated[bool, typer.Option("--recursive", help="Enter folders in folders.")] = False,
    engine: Annotated[Literal["local", "ray"], typer.Option(help="Who does the work.")] = "local",
    workers: Annotated[
        int, typer.Option(metavar="N", min=1, help="Inputs at once; at most a core each.")
    ] = 1,
    progress: Annotated[Literal["rich", "json", "none"], typer.Option(help="What is told.")] = "rich",
    link_minutes: LinkMinutes = 60.0,
    link_megabytes: LinkMegabytes = 1000.0,
) -> None:
    """Parse clips and pictures into files."""
    from app.batch.worker_process import start_early

    context.call_on_close(start_early())
    from app.batch.options import FrameSpan
    from app.commands.parse import checked_saves, checked_size, checked_style, parse_all
    from app.download.messages import DownloadLimits

    if factor and silhouettes:
        raise typer.BadParameter("--factor and --silhouettes stand in the same place. Give one of them")
    try:
        wanted, network = () if save is None else checked_saves(save), checked_size(size)
        span, painted = FrameSpan.parse(frames, every), checked_style(style, model)
    except ValueError as e:
        raise typer.BadParameter(str(e)) from e
    job = {
        "model": model, "factor": factor, "silhouettes": silhouettes, "size": network, "views": views,
        "device": device, "save": wanted, "alpha": alpha, "resume": resume, "smooth": smooth,
        "span": span, "recursive": recursive, "style": painted,
    }  # fmt: skip
    limits = DownloadLimits(minutes=link_minutes, megabytes=link_megabytes)
    raise typer.Exit(
        parse_all(sources, out, job, engine=engine, workers=workers, progress=progress, limits=limits)
    )


@models_app.callback(invoke_without_command=True)
def models(context: typer.Context) -> None:
    """List, add, show and remove models."""
    if context.invoked_subcommand is None:
        list_models()


@models_app.command("list")
def list_models() -> None:
    """List models: name, parameters, size, speed, licence."""
    from app.commands.models import list_all

    list_all()


@models_app.command("show")
def show_model(name: str) -> None:
    """All metadata of a model."""
    from app.commands.models import show

    show(name)


@models_app.command("add")
def add_model(folder: Path, *, name: Annotated[str, typer.Option(help="Another name for it.")] = "") -> None:
    """Copy a model folder into your library, after a trial."""
    from app.commands.models import add

    add(folder, name)


@models_app.command("remove")
def remove_model(name: str) -> None:
    """Delete a model from your library; the shipped ones stay."""
    from app.commands.models import remove

    remove(name)


@factors_app.callback(invoke_without_command=True)
def factors(context: typer.Context) -> None:
    """List, add, show and remove personalised factors."""
    if context.invoked_subcommand is None:
        list_factors()


@factors_app.command("list")
def list_factors() -> None:
    """List the factors of your library."""
    from app.commands.factors import list_all

    list_all()


@factors_app.command("show")
def show_factor(name: str) -> None:
    """Origin of a factor, and the figures of its gate."""
    from app.commands.factors import show

    show(name)


@factors_app.command("add")
def add_factor(
    file: Path,
    *,
    name: Annotated[str, typer.Option(help="Another name for it.")] = "",
    model: Model = "factored-s31",
) -> None:
    """Copy a factor file into your library, after a trial on the model it was made for."""
    from app.commands.factors import add

    add(file, name, model)


@factors_app.command("undo")
def undo_factor(
    name: str, *, generation: Annotated[int | None, typer.Option(help="Its number; the last.")] = None
) -> None:
    """Use the generation before the last personalisation of this name again."""
    from app.commands.factors import undo

    undo(name, generation)


@factors_app.command("remove")
def remove_factor(name: str) -> None:
    """Delete a factor from your library."""
    from app.commands.factors import remove

    remove(name)


def _torch_command(module: str) -> Callable[[typer.Context], None]:
    def run(context: typer.Context) -> None:
        from app.commands.torch_process import run_module

        raise typer.Exit(run_module(module, context.args))

    return run


for _name, _module, _words in (
    ("export", "export", "CHECKPOINT --out DIR: make a model folder of a checkpoint."),
    ("train", "training", "Train a model."),
    ("eval", "training.evaluate", "NAME --data DIR: score a model."),
    ("transfer", "personalize.transfer",
     "CHECKPOINT --images DIR --out FILE: teach a model's factor another kind of pictures."),
    ("synth", "synthetic", "--count N --out DIR: make synthetic people with labels."),
):  # fmt: skip
    app.command(_name, context_settings=PASS_ON, help=_words)(_torch_command(_module))


@app.command()
def bench(
    *,
    clip: Annotated[Path | None, typer.Option(help="A clip; a drawn one when left out.")] = None,
    model: Model = "factored-s31",
    device: Annotated[Literal["auto", "cpu", "cuda"], typer.Option(help="`cuda` is strict.")] = "auto",
    as_json: Annotated[bool, typer.Option("--json", help="Numbers for a program.")] = False,
) -> None:
    """Time every step of a frame, beside a naive pipeline."""
    from app.commands.bench import bench as run_bench

    raise typer.Exit(run_bench(clip, model, device, as_json=as_json))


@app.command()
def doctor(
    *,
    as_json: Annotated[bool, typer.Option("--json", help="For a program.")] = False,
    clean: Annotated[bool, typer.Option("--clean", help="Delete what broken-off runs have left.")] = False,
) -> None:
    """Report what works here, and the line that mends the rest."""
    from app.commands.doctor import clean_up
    from app.commands.doctor import doctor as examine

    raise typer.Exit(clean_up() if clean else examine(as_json=as_json))


def main() -> None:
    """The entry point: refusals and wrong usage end with 2, in one or two lines and without a traceback."""
    command = typer.main.get_command(app)  # calling `app` would replace `sys.excepthook`
    words = [w for w in sys.argv[1:2] if w.isalpha()]  # a link may contain a password; this name is logged
    sys.exit(exit_code(lambda: command(prog_name="xfactor"), " ".join(["xfactor", *words])))


if __name__ == "__main__":
    main()
