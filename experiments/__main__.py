"""`python -m experiments NAME --out docs/experiments`: run one experiment and write its page."""

from __future__ import annotations

import argparse
import importlib
import logging
import sys
from pathlib import Path

import cv2
import torch

from experiments import networks
from models.checkpoint import CheckpointError
from runtime.system.errors import Refusal
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


def _arguments() -> argparse.ArgumentParser:
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
    networks.add_arguments(p)
    return p


def main(argv: list[str] | None = None) -> int:
    """Run it; 0 done, 1 stopped with a reason."""
    a = _arguments().parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    torch.set_num_threads(a.threads)
    cv2.setNumThreads(1)
    try:
        importlib.import_module(f"experiments.{EXPERIMENTS[a.name][0]}").run(a)
    except (DataError, CheckpointError, OSError, Refusal) as e:
        sys.stderr.write(f"{e}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
