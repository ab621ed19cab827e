"""The networks that experiments 1 to 5 compare: the same people and budget, each with several seeds.

Finished networks and their scores are kept, so a stopped run goes on with what is missing: one seed of all
networks before the next.
"""

from __future__ import annotations

import argparse
import logging
from dataclasses import dataclass
from pathlib import Path

import torch

from experiments.options import chosen_rows, command
from experiments.pages import filled
from experiments.part_scores import KEPT, keep
from experiments.people import HeldOut
from experiments.setting import BATCH, LR, TrainingSetting, fit
from models.checkpoint import CheckpointError, load_network, save_network
from models.factored import BaselineConvNet, FactoredConvNet
from models.families import ZOO
from models.network import build
from training.loop import LAST
from training.step import StepConfig

log = logging.getLogger(__name__)
SHIPPED_NAME = "shipped"


@dataclass(frozen=True)
class Contender:
    """One of the networks, and how its training differs from our usual one."""

    title: str
    row: str  #: of the zoo
    words: tuple[str, ...] = ()

    @property
    def parameters(self) -> int:
        """Their number."""
        return ZOO[self.row].parameters


NO_TRUTH = ("--true-silhouettes", "0")
EVENLY = ("--setting-shares", ".25", ".25", ".25", ".25", *NO_TRUTH)
NETWORKS = {
    "factored": Contender("Factored", "factored-s31"),
    "baseline": Contender("Baseline", "baseline-relu"),
    "enet": Contender("ENet", "enet-relu"),
    "factored-uniform": Contender("Factored, the paper's settings", "factored-s31", EVENLY),
    "factored-alone": Contender(
        "Factored, setting 3 alone", "factored-s31", ("--setting-shares", "0", "0", "1", "0", *NO_TRUTH)
    ),
    "factored-no-injection": Contender("Factored, taught without true silhouettes", "factored-s31", NO_TRUTH),
    "factored-prelu": Contender("Factored, the paper's settings, PReLU", "factored-s31-paper", EVENLY),
}


def common_values(a: argparse.Namespace) -> dict[str, object]:
    """Command, people, budget and the words on intervals for the pages on held-out people."""
    count = filled("held-out", count=len(HeldOut.read(a.test, a.limit).images), size=a.size)
    intervals = filled("intervals")
    return {"command": command(a), "count": count, "budget": budget_words(a), "intervals": intervals}


def folder(a: argparse.Namespace) -> Path:
    """Folder of the networks of this budget."""
    return Path(a.runs / f"exp-{setting(a).name}")


def setting(a: argparse.Namespace) -> TrainingSetting:
    """The training setting of all networks."""
    return TrainingSetting(a.steps, a.crop, cold=a.trunk is None)


def run(a: argparse.Namespace) -> None:
    """Train and score what is missing; nothing where only the page of what is finished is wanted.

    Raises:
        DataError: it could not be trained, or what stands there was made with other options.
        CheckpointError: what stands there is another network.
    """
    names = chosen_rows(a, NETWORKS)
    setting(a).keep(folder(a), a)
    if a.finished:
        return
    people = HeldOut.read(a.test, a.limit)
    for seed in a.seeds:
        for name in names:
            _finish(name, seed, people, a)
    kept = folder(a) / f"{SHIPPED_NAME}-0" / KEPT
    if not kept.exists():
        kept.parent.mkdir(exist_ok=True)
        keep(factored(a.shipped), people, a, kept, a.shipped_size)


def _finish(name: str, seed: int, people: HeldOut, a: argparse.Namespace) -> None:
    kept = folder(a) / f"{name}-{seed}" / KEPT
    if not kept.exists():
        log.info("%s, seed %d: %d steps", name, seed, a.steps)
        _train(name, seed, kept.parent, a)
        keep(load_network(kept.parent / LAST)[0], people, a, kept, a.size)


def budget_words(a: argparse.Namespace) -> str:
    """The training of every network, in a sentence."""
    start = f"the trunk of {a.trunk.name}, the rest is new" if a.trunk else "random weights"
    shares = ", ".join(f"{100 * share:g}" for share in StepConfig.setting_shares)
    return (
        f"{a.steps * BATCH:,} passes each".replace(",", " ") + f" over synthetic people ({a.steps} steps of"
        f" {BATCH} pictures of {a.crop} px, Muon at {LR:g}, cosine over the second half); all begin with"
        f" {start}. Settings 1 to 4 are drawn with {shares} % unless a network's name says otherwise"
    )


def factored(checkpoint: Path) -> FactoredConvNet:
    """The Factored ConvNet of a checkpoint, in eval mode.

    Raises:
        CheckpointError: it is another network, or none.
    """
    net, _ = load_network(checkpoint)
    if not isinstance(net, FactoredConvNet):
        raise CheckpointError(f"{checkpoint}: not a Factored ConvNet. Give a checkpoint trained as factored.")
    return net


def trained_factored(a: argparse.Namespace, seed: int) -> FactoredConvNet:
    """The row `factored` of this seed; trained first where it is not there.

    Raises:
        DataError: it could not be trained.
        CheckpointError: what stands there is another network.
    """
    if not (folder(a) / f"factored-{seed}" / KEPT).exists():
        _finish("factored", seed, HeldOut.read(a.test, a.limit), a)
    return factored(folder(a) / f"factored-{seed}" / LAST)


def begin(name: str, trunk: Path, seed: int, out: Path) -> None:
    """Write a checkpoint of a new network that begins with another's trunk.

    Raises:
        CheckpointError: `trunk` is no Factored ConvNet's checkpoint.
    """
    teacher = factored(trunk)
    torch.manual_seed(seed)
    row = ZOO[NETWORKS[name].row]
    net = build(row)
    # trunk and first layers of the others are the same modules in the same order
    assert isinstance(net, FactoredConvNet | BaselineConvNet)
    stem = net.trunk if isinstance(net, FactoredConvNet) else net.net[: len(teacher.trunk)]
    stem.load_state_dict(teacher.trunk.state_dict(), strict=False)  # slopes may be missing
    save_network(out, row, net, {"trunk": trunk.name, "seed": seed})


def _train(name: str, seed: int, out: Path, a: argparse.Namespace) -> None:
    words = ["--seed", str(seed), *setting(a).words(), *NETWORKS[name].words]
    if a.trunk:
        start = out / "start.safetensors"
        begin(name, a.trunk, seed, start)
        words += ["--init", str(start)]
    fit(NETWORKS[name].row, out, words, a.synthetic)
