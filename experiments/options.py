"""Options of the experiments, and the command that makes a page again."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Collection
from pathlib import Path

from training.photos import DataError

#: name → module with `run(arguments)`, what it measures
EXPERIMENTS = {
    "networks": ("networks", "only train and score the networks of one to five; the rest then makes pages"),
    "one": ("state_of_the_art", "Baseline, ENet and Factored on people held out of training"),
    "two": ("direct_injection", "direct injection of the true silhouettes against a hard constraint"),
    "three": ("occlusion", "a black rectangle over the body, without and with true silhouettes"),
    "four": ("supervised_transfer", "the factor learns the silhouettes of another domain"),
    "five": ("semi_supervised_transfer", "the factor learns its own silhouettes, cut by GrabCut"),
    "six": (
        "personalization.runs",
        "joints and silhouettes before and after the factor has learned a person",
    ),
    "seven": ("adaptation", "PIL, MuLA and PAF+FCN beside the same networks without what joins them"),
}
SHIPPED = Path("assets/checkpoints/factored-s31.safetensors")
STEPS, CROP, SEEDS = 5000, 128, (1, 2, 3)


def parser() -> argparse.ArgumentParser:
    """The parser of `python -m experiments`."""
    p = argparse.ArgumentParser(
        prog="python -m experiments",
        description="\n".join(f"{name:10} {words}" for name, (_, words) in EXPERIMENTS.items()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    p.add_argument("name", choices=tuple(EXPERIMENTS))
    p.add_argument("--out", type=Path, default=Path("docs/experiments"), help="folder of the page")
    p.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder with ccp/ (and lsp/)")
    p.add_argument("--limit", type=int, help="take only so many pictures of every test set")
    p.add_argument("--threads", type=int, default=1)
    p.add_argument("--pseudolabels", type=Path, help="dense labels, as in training (seven)")
    tried_help = (
        "folders of other runs: settings tried where a claim does not reproduce (one to three, seven)"
    )
    p.add_argument("--tried", type=Path, nargs="+", default=[], metavar="DIR", help=tried_help)
    seven = p.add_argument_group("experiment seven")
    folder_help = "folders of synthetic people (python -m synthetic --out), for the scenes of PAF+FCN"
    seven.add_argument(
        "--synthetic-folder", type=Path, nargs="+", default=[], metavar="DIR", help=folder_help
    )
    seven.add_argument(
        "--cold", action="store_true", help="encoders begin with random weights, not --shipped"
    )
    transfer_help = "instead: PIL learns rendered people for --steps, then photos for these, partly frozen"
    seven.add_argument("--transfer", type=int, metavar="STEPS", help=transfer_help)
    p.add_argument("--frames", type=int, default=75, help="of each rendered clip, at most 75 (six)")
    p.add_argument("--finished", action="store_true", help="only write the page of what is finished")
    _add_networks(p)
    return p


def _add_networks(p: argparse.ArgumentParser) -> None:
    """Options of every experiment on trained networks."""
    p.add_argument("--runs", type=Path, default=Path("runs"), help="folder of exp-NAME")
    people = [Path("runs/synthetic/people")]
    p.add_argument("--synthetic", type=Path, nargs="+", default=people, help="packed people to train on")
    held_out = Path("runs/synthetic/heldout")
    p.add_argument("--test", type=Path, default=held_out, help="packed held-out people: STEM")
    p.add_argument("--size", type=int, default=128, help="long side of the networks' input, px")
    p.add_argument("--shipped-size", type=int, default=256, help="the same for the shipped checkpoint, px")
    p.add_argument("--steps", type=int, default=STEPS, help="length of each training")
    p.add_argument("--crop", type=int, default=CROP, help="side of the training pictures, px")
    p.add_argument("--seeds", type=int, nargs="+", default=list(SEEDS), help="of the trainings (one to five)")
    p.add_argument("--rows", nargs="+", metavar="ROW", help="train only these networks")
    trunk_help = "checkpoint of a Factored ConvNet whose trunk all begin with; else with random weights"
    p.add_argument("--trunk", type=Path, help=trunk_help)
    p.add_argument("--shipped", type=Path, default=SHIPPED, help="the checkpoint they are compared with")


def command(a: argparse.Namespace) -> str:
    """The command that makes a page again, in Markdown: every option that is not as usual.

    Without --finished: where nothing is missing, it is the same.
    """
    words = [a.name]
    for option in parser()._actions:  # noqa: SLF001 - argparse tells them nowhere else
        value = getattr(a, option.dest, option.default)
        if option.option_strings and option.dest != "finished" and value != option.default:
            words.append(option.option_strings[-1])
            words += map(str, value if isinstance(value, list) else [] if value is True else [value])
    return f"`python -m experiments {shlex.join(words)}`"


def chosen_rows(a: argparse.Namespace, known: Collection[str]) -> list[str]:
    """Those of the known networks that are to be trained.

    Raises:
        DataError: --rows names another.
    """
    if unknown := sorted({*(a.rows or ())} - {*known}):
        raise DataError(f"--rows {' '.join(unknown)}: no such network. Choose of {', '.join(known)}.")
    return [row for row in known if row in (a.rows or known)]
