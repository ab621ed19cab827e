"""`python -m training NAME`: train a network from its row in the zoo; one command, resumable.

python -m training factored-s31 --data DATA --synthetic runs/synthetic --out runs/first --steps 8000
"""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import get_args

import torch
from torch import Tensor

from models.checkpoint import CheckpointError, load_weights, starting_weights, with_slopes
from models.families import ZOO, ZooRow
from models.network import build
from models.spec import sides_of
from training import distributed
from training.augment import Labels
from training.batches import DataFolders, batches_for, draws_a_mixture
from training.joint_batches import RENDERED
from training.loop import LAST, DivergedError, State, TrainConfig, new_state, resume, train
from training.objectives import OBJECTIVES
from training.photos import DataError
from training.published import parse_data
from training.recipes import NAMED, PAPERS, Optimiser, TrainingRecipe, fits, recipe_of
from training.stream import Augmentation, BatchShape, Mixture, Stream
from training.workers import WorkerStream

log = logging.getLogger(__name__)


def _arguments(row: ZooRow) -> argparse.ArgumentParser:
    p = argparse.ArgumentParser(prog="xfactor train", description="Train a network from its row; resumable.")
    papers = ", ".join(f"{recipe} ({name} by its paper)" for recipe, name in PAPERS.items())
    p.add_argument(
        "name", nargs="?", choices=(*ZOO, *PAPERS), default="factored-s31", metavar="NAME",
        help=f"{', '.join(ZOO)}; {papers}",
    )  # fmt: skip
    p.add_argument("--out", type=Path, required=True, help="folder for checkpoints and the log")
    p.add_argument("--coco", type=Path, help="COCO's folder, for networks that find everybody's joints")
    p.add_argument(
        "--data", action="append", default=[], metavar="DIR|NAME=ROOT[:WEIGHT],…",
        help="folder with ccp/, lsp/, lspet/, cutouts/, backgrounds/, needed where joints are learned; to"
        " teach parts, or them and one person's joints, published sets (docs/datasets.md): lip=LIP",
    )  # fmt: skip
    p.add_argument(
        "--synthetic",
        type=Path,
        nargs="+",
        default=[],
        help="packed synthetic people (synth --packed): STEM…; for everybody's joints, folders (synth --out)",
    )
    share_help = "share of --synthetic where people with joints and parts are taught; 1: no photos"
    p.add_argument("--rendered-share", type=float, default=RENDERED, help=share_help)
    own_help = "photos of one's own, and folders with labels of them (docs/training.md)"
    p.add_argument("--own", type=Path, nargs="+", default=[], metavar="DIR", help=own_help)
    p.add_argument("--own-share", type=float, default=Mixture.own, help="weight beside the mixture's others")
    p.add_argument("--silhouettes", type=Path, help="cuts of photos (python -m training.silhouettes)")
    p.add_argument("--pseudolabels", type=Path, help="dense labels (python -m training.pseudolabels)")
    p.add_argument(
        "--init",
        type=Path,
        nargs="+",
        default=[],
        help="checkpoint whose averaged weights to start from, or a ResNet's (safetensors); of several, the"
        " later ones go over the earlier",
    )
    p.add_argument(
        "--keep", nargs="+", default=[], metavar="LAYERS",
        help="take only these layers of --init and leave them as they are: parsing_encoder fusion.adapter",
    )  # fmt: skip
    p.add_argument(
        "--only", nargs="+", default=[], metavar="LAYERS", help="the same, but they go on learning"
    )
    kept = "norms keep the statistics of --init: for few photos, whose own would mislead"
    p.add_argument("--keep-statistics", action="store_true", help=kept)
    _add_recipe(p, row)
    p.add_argument("--seed", type=int, default=0)
    p.add_argument("--threads", type=int, default=1)
    p.add_argument("--workers", type=int, default=0, help="processes that make batches; 0: a thread (a CPU)")
    p.add_argument("--mixture", type=float, nargs=4, default=None, metavar=("SYNTH", "SILH", "SPORT", "COMP"))
    p.add_argument(
        "--strict", action="store_true", help="refuse a data folder with bad files instead of skipping them"
    )
    return p


def _add_recipe(p: argparse.ArgumentParser, row: ZooRow) -> None:
    """Options of the recipe, with a row's defaults in their help."""
    usual = recipe_of(row)
    own = p.add_argument_group("recipe", f"defaults are those of {row.name}: training/recipes.py")
    own.add_argument("--recipe", choices=tuple(NAMED), metavar="RECIPE", help=", ".join(NAMED))
    own.add_argument("--steps", type=int, help=f"default {usual.steps}")
    own.add_argument(
        "--decay-steps",
        type=int,
        help=f"the learning rate falls over the last ones; default {usual.decay_steps}",
    )
    own.add_argument("--batch", type=int, help=f"default {usual.batch}")
    own.add_argument("--crop", type=int, help=f"side of the training pictures, px; default {usual.crop}")
    own.add_argument("--lr", type=float, help=f"default {usual.lr:g}")
    own.add_argument("--optimiser", choices=get_args(Optimiser), help=f"default {usual.optimiser}")
    own.add_argument("--ema", type=float, help=f"decay of the averaged weights; default {usual.ema:g}")
    own.add_argument("--weight-decay", type=float, help=f"default {usual.weight_decay:g}")
    own.add_argument("--target-stride", type=int, choices=(1, 2, 4, 8), help="pixels per label cell")
    own.add_argument("--labels", choices=get_args(Labels), help="which pixel of a cell tells its label")
    own.add_argument("--augmentation", choices=get_args(Augmentation), help="of parts; paper: one affine")
    own.add_argument("--objective", choices=tuple(OBJECTIVES), help="mean: all known pixels alike")
    own.add_argument("--setting-shares", type=float, nargs=4, help="of the four noise settings (factored-…)")
    own.add_argument("--true-silhouettes", type=float, help="share of setting 3 that is shown the truth")
    own.add_argument("--dropout", type=float, help="of every bottleneck")
    own.add_argument("--clip", type=float, help="longest gradient; 0: any")
    own.add_argument("--no-bf16", dest="bf16", action="store_false", default=None)
    own.add_argument(
        "--agg-bn-recalibrate", type=int, metavar="BATCHES",
        help="batches that measure the normalisation of factored-…'s head anew after training; default 0",
    )  # fmt: skip


def only(layers: tuple[str, ...], given: dict[str, Tensor], own: dict[str, Tensor]) -> dict[str, Tensor]:
    """The `given` weights whose names begin as the layers do, and `own` ones for the rest."""
    return {name: given[name] if name.startswith(layers) else value for name, value in own.items()}


def _start(state: State, last: Path, paths: Sequence[Path], keep: Sequence[str]) -> None:
    """Go on from the `last` checkpoint where there is one, or start from others' weights in turn."""
    if last.exists():
        resume(state, last)
        unread = f"; {', '.join(map(str, paths))} is not read: --init starts new runs" if paths else ""
        log.info("%s: goes on from step %d%s", last, state.step, unread)
        return
    for path in paths:
        own = state.net.state_dict()
        weights = state.net.start(with_slopes(starting_weights(path), state.net))
        if keep:
            weights = only(tuple(f"{layer}." for layer in keep), weights, own)
        taken = [name for name, value in own.items() if not torch.equal(weights.get(name, value), value)]
        for wanted in keep or ("",):
            if not any(name.startswith(wanted) for name in taken):
                raise CheckpointError(
                    f"{path}: no weight of it fits {wanted or 'this network'}."
                    f" Give a checkpoint that has {wanted or 'some of its layers'}."
                )
        log.info("%s: %d of %d tensors start from it", path, len(taken), len(own))
        load_weights(state.net, weights, path)
        load_weights(state.ema, weights, path)


def _parsed(argv: list[str] | None) -> argparse.Namespace:
    """The arguments, those refused that do not go together."""
    words = sys.argv[1:] if argv is None else argv
    named = next((word for word in words if word in (*ZOO, *PAPERS)), "factored-s31")
    parser = _arguments(ZOO[PAPERS.get(named, named)])
    a = parser.parse_args(argv)
    if a.name in PAPERS:
        a.name, a.recipe = PAPERS[a.name], a.recipe or a.name
    if (a.keep or a.only) and not a.init:
        parser.error("--keep and --only take their layers from a checkpoint: give --init")
    if a.recipe and not fits(ZOO[a.name], a.recipe):
        parser.error(f"--recipe {a.recipe} is not of {a.name}'s family; leave it out for the usual one")
    if a.agg_bn_recalibrate and ZOO[a.name].family != "factored":
        parser.error(f"--agg-bn-recalibrate: {a.name} has no aggregation module; leave it out")
    if not 0 <= a.rendered_share <= 1:
        parser.error(f"--rendered-share takes a share from 0 to 1, not {a.rendered_share:g}")
    if not a.own_share > 0:
        parser.error(f"--own-share takes a weight above 0, not {a.own_share:g}")
    try:
        a.data, a.published = parse_data(a.data)
    except ValueError as e:
        parser.error(str(e))
    return a


def _mixture(a: argparse.Namespace) -> Mixture:
    """Weights of the sources."""
    return replace(Mixture(*a.mixture) if a.mixture else Mixture(), own=a.own_share)


def _begun(
    a: argparse.Namespace,
    config: TrainConfig,
    shape: BatchShape,
    processes: tuple[int, int],
    device: torch.device,
) -> tuple[State, Stream | WorkerStream]:
    """A run that can go on at once, and its batches.

    Raises:
        ValueError: weights or data cannot be used.
    """
    folders = DataFolders(
        a.data, tuple(a.synthetic), a.silhouettes, a.pseudolabels, a.strict, a.coco, _mixture(a),
        tuple(a.own), a.rendered_share, tuple(a.published),
    )  # fmt: skip
    row, (rank, world) = ZOO[a.name], processes
    torch.manual_seed(a.seed)  # the first weights follow from the seed as everything after them does
    net = build(row)
    net.freeze(*a.keep)
    if a.keep_statistics:
        net.keep_statistics()
    state = new_state(config, row, net, device)
    _start(state, a.out / LAST, a.init, [*a.keep, *a.only])
    distributed.same_start(state.net)
    make = batches_for(state.outputs, folders, shape, a.seed * world + rank)
    if a.workers:
        more = config.agg_bn_recalibrate
        last = config.steps + (more and 1 + more)  # one is drawn before the end is seen
        return state, WorkerStream(make, start=state.step, steps=last, workers=a.workers)
    return state, Stream(make, start=state.step)


def main(argv: list[str] | None = None) -> int:
    """Train; 0 done, 1 stopped with a reason, 2 nothing begun."""
    a = _parsed(argv)
    row = ZOO[a.name]
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    torch.set_num_threads(a.threads)
    rank, world = distributed.start()
    device = torch.device("cuda", rank) if torch.cuda.is_available() else torch.device("cpu")
    recipe = recipe_of(row, a.recipe, **{f.name: getattr(a, f.name, None) for f in fields(TrainingRecipe)})
    recipe = replace(recipe, warmup_steps=min(recipe.warmup_steps, recipe.steps // 10))  # of short runs
    config = TrainConfig.of(recipe, a.seed)
    shape = BatchShape(
        recipe.batch, sides_of(row.stages).up(recipe.crop), recipe.target_stride, recipe.augmentation,
        recipe.labels,
    )  # fmt: skip
    failed = 2
    try:
        state, stream = _begun(a, config, shape, (rank, world), device)
        failed = 1
        try:
            mixed = {"mixture": asdict(_mixture(a))} if draws_a_mixture(state.outputs) else {}
            facts = {"shape": asdict(shape), "crop": shape.crop, **mixed}
            train(state, config, stream, a.out, facts, device, (rank, world))
        finally:
            stream.close()
    except (DataError, CheckpointError, DivergedError, ValueError) as e:
        sys.stderr.write(f"{e}\n")
        return failed
    finally:
        distributed.stop()
    last = a.out / LAST
    if rank == 0:
        log.info("%s: %d steps. Next: xfactor export %s --out DIR", last, state.step, last)
    return 0


if __name__ == "__main__":
    sys.exit(main())
