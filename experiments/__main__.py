"""`python -m experiments NAME --out docs/experiments`: run one experiment and write its page."""

from __future__ import annotations

import importlib
import logging
import sys

import cv2
import torch

from experiments.options import EXPERIMENTS, parser
from models.checkpoint import CheckpointError
from runtime.system.errors import Refusal
from training.photos import DataError


def main(argv: list[str] | None = None) -> int:
    """Run it; 0 done, 1 stopped with a reason."""
    a = parser().parse_args(argv)
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
