"""`python -m training`: train the Factored ConvNet or one it is compared with; one command, resumable.

python -m training --data ../shared/data --synthetic runs/synthetic --out runs/first --steps 8000
"""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path

import numpy as np
import torch

from models.checkpoint import CheckpointError, load_checkpoint, load_weights, with_slopes
from models.families import FAMILIES, find_row
from models.network import build
from training import distributed
from training.loop import LAST, DivergedError, TrainConfig, new_state, resume, train
from training.photos import DataError, read_backgrounds, read_ccp, read_cutouts, read_lsp, read_unlabelled
from training.pseudolabels import with_labels
from training.silhouettes import with_silhouettes
from training.step import StepConfig
from training.stream import BatchShape, Mixture, Packed, Sources, Stream, make_batch
from training.workers import WorkerStream

PRECISE_SPORT = 3  # lsp is drawn this often for once lspet, whose joints are noisy and poses extreme
FROM_BEHIND = (
    2  # people seen from behind are this often drawn on top: one in five, and the front is the easy guess
)


def _arguments() -> argparse.ArgumentParser:
    p = argparse.ArgumentParser(
        prog="xfactor train", description="Train the Factored ConvNet, or one it is compared with; resumable."
    )
    p.add_argument("--network", choices=tuple(FAMILIES), default="factored")
    p.add_argument("--out", type=Path, required=True, help="folder for checkpoints and the log")
    p.add_argument("--data", type=Path, help="folder with ccp/, lsp/, lspet/, cutouts/, backgrounds/")
    p.add_argument("--synthetic", type=Path, nargs="+", default=[], help="packed synthetic people: STEM…")
    p.add_argument("--silhouettes", type=Path, help="cuts of photos (python -m training.silhouettes)")
    p.add_argument("--pseudolabels", type=Path, help="dense labels (python -m training.pseudolabels)")
    p.add_argument("--init", type=Path, help="checkpoint whose averaged weights to start from")
    p.add_argument("--activation", choices=("relu", "prelu"), default="relu")
    p.add_argument("--steps", type=int, default=8000)
    p.add_argument("--decay-steps", type=int, default=2000, help="the learning rate falls over the last ones")
    p.add_argument("--batch", type=int, default=16)
    p.add_argument("--crop", type=int, default=256, help="side of the training pictures, px")
    p.add_argument("--target-stride", type=int, default=4, choices=(2, 4, 8), help="pixels per label cell")
    p.add_argument("--lr", type=float, default=1e-3)
    p.add_argument("--optimiser", choices=("muon", "adamw"), default=TrainConfig.optimiser)
    p.add_argument("--ema", type=float, default=0.998)
    p.add_argument("--dropout", type=float, default=TrainConfig.dropout)
    p.add_argument("--seed", type=int, default=0)
    p.add_argument("--threads", type=int, default=1)
    p.add_argument("--workers", type=int, default=0, help="processes that make batches; 0: a thread (a CPU)")
    p.add_argument("--setting-shares", type=float, nargs=4, default=StepConfig.setting_shares)
    p.add_argument("--mixture", type=float, nargs=4, default=None, metavar=("SYNTH", "SILH", "SPORT", "COMP"))
    p.add_argument("--no-bf16", action="store_true")
    p.add_argument(
        "--strict", action="store_true", help="refuse a data folder with bad files instead of skipping them"
    )
    return p


def packed(stem: Path) -> Packed:
    """Open a set that `python -m synthetic --packed` wrote, memory-mapped.

    Raises:
        DataError: there is none, or it is not whole.
    """
    try:
        images, labels = (np.load(f"{stem}.{kind}.npy", mmap_mode="r") for kind in ("images", "labels"))
    except (OSError, ValueError) as e:
        remedy = "Make it with python -m synthetic --packed."
        raise DataError(f"{stem}: not a packed synthetic set ({e}). {remedy}") from e
    return Packed(images, labels)


def sources(
    data: Path | None,
    synthetic: Sequence[Path],
    *,
    silhouettes: Path | None = None,
    pseudolabels: Path | None = None,
    strict: bool = False,
) -> Sources:
    """Read the training parts of every set that is there.

    `silhouettes` holds cuts of lsp/ and lspet/, `pseudolabels` dense labels of theirs and of ccp/ and
    ccp_unlabelled/.

    Raises:
        DataError: when a folder named by the user cannot be used.
    """
    people = [packed(stem) for stem in synthetic]
    if data is None:
        return Sources(people)
    folders = [data / "backgrounds" / k for k in ("indoor", "outdoor", "mixed")]
    precise = read_lsp(data / "lsp", "train", strict=strict)
    extreme = read_lsp(data / "lspet", "all", strict=strict)
    if silhouettes is not None:
        precise = with_silhouettes(precise, silhouettes / "lsp")
        extreme = with_silhouettes(extreme, silhouettes / "lspet")
    street = read_ccp(data / "ccp", "train", strict=strict)
    if pseudolabels is not None:
        precise = with_labels(precise, pseudolabels / "lsp")
        extreme = with_labels(extreme, pseudolabels / "lspet")
        street += read_unlabelled(data / "ccp_unlabelled", strict=strict)
        street = with_labels(with_labels(street, pseudolabels / "ccp"), pseudolabels / "ccp_unlabelled")
    return Sources(
        people,
        street,
        precise * PRECISE_SPORT
        + [p for p in precise if p.skeleton and p.skeleton.from_behind()] * FROM_BEHIND
        + extreme,
        read_cutouts(data / "cutouts", strict=strict),
        read_backgrounds(folders),
    )


def main(argv: list[str] | None = None) -> int:
    """Train; 0 done, 1 stopped with a reason."""
    a = _arguments().parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    torch.set_num_threads(a.threads)
    rank, world = distributed.start()
    device = torch.device("cuda", rank) if torch.cuda.is_available() else torch.device("cpu")
    config = TrainConfig(
        steps=a.steps, decay_steps=a.decay_steps, batch=a.batch, lr=a.lr, ema=a.ema,
        dropout=a.dropout, seed=a.seed, optimiser=a.optimiser,
        step=StepConfig(setting_shares=tuple(a.setting_shares), bf16=not a.no_bf16),
    )  # fmt: skip
    row = find_row(a.network, a.activation)
    assert row is not None  # argparse knows the families; each has a row of both activations
    try:
        torch.manual_seed(a.seed)  # the first weights follow from the seed as everything after them does
        state = new_state(config, row, build(row), device)
        if (a.out / LAST).exists():
            resume(state, a.out / LAST)
        elif a.init is not None:
            weights = with_slopes(load_checkpoint(a.init)[0]["ema"], state.net)
            load_weights(state.net, weights, a.init)
            load_weights(state.ema, weights, a.init)
        distributed.same_start(state.net)
        mixture = Mixture(*a.mixture) if a.mixture else Mixture()
        shape = BatchShape(a.batch, a.crop, a.target_stride)
        found = sources(
            a.data, a.synthetic, silhouettes=a.silhouettes, pseudolabels=a.pseudolabels, strict=a.strict
        )
        make = partial(make_batch, found, mixture, shape, seed=a.seed * world + rank)
        stream = (
            WorkerStream(make, start=state.step, steps=a.steps, workers=a.workers)
            if a.workers
            else Stream(make, start=state.step)
        )
        try:
            train(
                state,
                config,
                stream,
                a.out,
                {"mixture": asdict(mixture), "crop": a.crop},
                device,
                (rank, world),
            )
        finally:
            stream.close()
    except (DataError, CheckpointError, DivergedError, ValueError) as e:
        sys.stderr.write(f"{e}\n")
        return 1
    finally:
        distributed.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
