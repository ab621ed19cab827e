"""The three networks that are compared: the same trunk to begin with, the same people, the same budget."""

from __future__ import annotations

import argparse
import logging
from dataclasses import asdict, dataclass
from pathlib import Path

import torch

from experiments.people import HeldOut
from models.checkpoint import (
    CheckpointError,
    load_checkpoint,
    load_network,
    save_network,
)
from models.factored import BaselineConvNet, FactoredConvNet
from models.families import ZooRow, find_row
from models.network import Network, build
from training import __main__ as training
from training.loop import LAST
from training.photos import DataError

log = logging.getLogger(__name__)
TRUNK = Path("assets/checkpoints/factored-s31.safetensors")
NAMES = {"baseline": "Baseline", "enet": "ENet", "factored": "Factored"}
SHARES = (".05", ".05", ".85", ".05")  # of settings 1 to 4; the paper draws them evenly


@dataclass(frozen=True)
class Budget:
    """The training budget of every network; one seed."""

    steps: int = 3000
    decay_steps: int = 1000
    batch: int = 16
    crop: int = 128
    lr: float = 1.5e-3
    seed: int = 1


@dataclass(frozen=True)
class Trained:
    """One network in eval mode and where it came from."""

    title: str
    net: Network
    passes: int

    @property
    def parameters(self) -> int:
        """Their number."""
        return sum(p.numel() for p in self.net.parameters())


def add_arguments(p: argparse.ArgumentParser) -> None:
    """Add the options of every experiment on the three networks."""
    p.add_argument("--runs", type=Path, default=Path("runs"), help="folder of exp-NAME/last.safetensors")
    people = [Path("runs/synthetic/third"), Path("runs/synthetic/fourth")]
    p.add_argument("--synthetic", type=Path, nargs="+", default=people, help="packed people to train on")
    p.add_argument(
        "--test", type=Path, default=Path("runs/synthetic/heldout3"), help="packed held-out people: STEM"
    )
    p.add_argument("--size", type=int, default=128, help="long side of the networks' input, px")
    p.add_argument("--shipped-size", type=int, default=256, help="the same for the shipped checkpoint, px")
    p.add_argument("--steps", type=int, default=Budget.steps, help="length of each training")
    p.add_argument(
        "--trunk",
        type=Path,
        default=TRUNK,
        help="checkpoint of a Factored ConvNet whose trunk all begin with",
    )
    p.add_argument("--shipped", type=Path, default=TRUNK, help="the checkpoint they are compared with")


def command(a: argparse.Namespace, name: str) -> str:
    """The command that makes a page again."""
    trunk = "" if a.trunk == a.shipped else f" --trunk {a.trunk}"
    return f"`python -m experiments {name} --out {a.out}{trunk}`"


def common_values(a: argparse.Namespace, name: str, people: HeldOut) -> dict[str, object]:
    """Command, count, input size and budget for the pages on held-out people."""
    return {
        "command": command(a, name), "count": len(people.images), "size": a.size, "budget": budget_words(a)
    }  # fmt: skip


def budget_words(a: argparse.Namespace) -> str:
    """The training of every network, in a sentence."""
    budget = Budget(steps=a.steps)
    whose = "the shipped checkpoint" if a.trunk == a.shipped else f"an earlier checkpoint ({a.trunk.name})"
    return (
        f"{budget.steps * budget.batch} passes each over synthetic people ({budget.steps} steps of"
        f" {budget.batch} pictures of {budget.crop} px, Muon at {budget.lr:g}, cosine over the last"
        f" {budget.decay_steps}, settings 1 to 4 drawn with {', '.join(SHARES)}), ReLU, one seed"
        f" ({budget.seed}); all three begin with the trunk of {whose}, the rest is new"
    )


def trained(a: argparse.Namespace, name: str) -> Trained:
    """The network of this name from the folder of runs; trained first, or to its end, where it is not.

    Raises:
        DataError: it could not be trained.
        CheckpointError: what stands there is another network.
    """
    path = a.runs / f"exp-{name}" / LAST
    budget = Budget(steps=a.steps)
    if not path.exists() or int(load_checkpoint(path)[1]["step"]) < budget.steps:
        log.info("%s: training it first, %s", path, budget_words(a))
        _train(name, budget, path.parent, a)
    net, meta = load_network(path)
    return Trained(NAMES[name], net, int(meta["images"]))


def shipped(a: argparse.Namespace) -> Trained:
    """The shipped network, which has had a long training."""
    net, meta = load_network(a.shipped)
    return Trained("shipped checkpoint", net, int(meta["images"]))


def begin(name: str, trunk: Path, seed: int, out: Path) -> ZooRow:
    """Write a checkpoint of a new network that begins with another's trunk, and give its row.

    Raises:
        CheckpointError: `trunk` is no Factored ConvNet's checkpoint.
    """
    teacher, _ = load_network(trunk)
    if not isinstance(teacher, FactoredConvNet):
        raise CheckpointError(f"{trunk}: not a Factored ConvNet. Give a checkpoint trained as factored.")
    torch.manual_seed(seed)
    row = find_row(name, teacher.act)
    assert row is not None  # every family has a row of this activation
    net = build(row)
    # trunk and first layers of the others are the same modules in the same order
    assert isinstance(net, FactoredConvNet | BaselineConvNet)
    stem = net.trunk if isinstance(net, FactoredConvNet) else net.net[: len(teacher.trunk)]
    stem.load_state_dict(teacher.trunk.state_dict())
    save_network(out, row, net, {"trunk": trunk.name, "seed": seed})
    return row


def _train(name: str, budget: Budget, out: Path, a: argparse.Namespace) -> None:
    start = out / "start.safetensors"
    row = begin(name, a.trunk, budget.seed, start)
    words = [row.name, "--out", str(out), "--init", str(start), "--setting-shares", *SHARES]
    for option, value in asdict(budget).items():
        words += [f"--{option.replace('_', '-')}", str(value)]
    if training.main([*words, "--synthetic", *map(str, a.synthetic)]) != 0:
        raise DataError(f"{out}: the training of {NAMES[name]} stopped; the reason stands above.")
