"""The training loop: stateless randomness, averaged weights, checkpoints that resume to the same bits."""

from __future__ import annotations

import copy
import json
import logging
import math
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, fields
from itertools import islice
from pathlib import Path

import torch
from torch import Tensor, nn

from models.checkpoint import ROW, CheckpointError, load_checkpoint, load_weights, save_checkpoint
from models.families import ZooRow
from models.network import Network
from models.outputs import Output
from training.distributed import average_gradients
from training.muon import Muon
from training.recalibration import recalibrate
from training.recipes import Optimiser, TrainingRecipe
from training.step import StepConfig, losses
from training.stream import Batch

log = logging.getLogger(__name__)
LAST = "last.safetensors"
SGD_MOMENTUM = 0.9


class DivergedError(RuntimeError):
    """The loss is no longer a number; the last good checkpoint is kept and named."""


@dataclass(frozen=True)
class TrainConfig:
    """Everything that decides a run, stored in its checkpoints.

    Attributes:
        steps: total length; the learning rate falls over the last `decay_steps` (warm-up, constant, decay).
        ema: decay of the averaged weights, which are what is shipped.
        dropout: of every bottleneck; None: as the blocks are built. The paper's 0.1 is for a network that
            overfits; ours scores the same on photos it was trained on as on others.
    """

    steps: int
    decay_steps: int
    batch: int = 16
    lr: float = 1e-3
    weight_decay: float = 2e-4
    warmup_steps: int = 200
    ema: float = 0.998
    dropout: float | None = 0.0
    optimiser: Optimiser = "muon"
    milestones: tuple[tuple[float, float], ...] = ()  #: see `TrainingRecipe`
    seed: int = 0
    checkpoint_every: int = 250
    clip: float = 5.0  #: see `TrainingRecipe`, also for the next
    agg_bn_recalibrate: int = 0
    step: StepConfig = field(default_factory=StepConfig)

    @classmethod
    def of(cls, recipe: TrainingRecipe, seed: int = 0) -> TrainConfig:
        """The recipe's part of a run; its pictures are of `BatchShape`."""
        own = {f.name for f in fields(cls)} & {f.name for f in fields(recipe)}
        step = StepConfig(
            recipe.setting_shares, recipe.true_silhouettes, bf16=recipe.bf16, objective=recipe.objective
        )
        return cls(**{name: getattr(recipe, name) for name in own}, seed=seed, step=step)


def learning_rate(config: TrainConfig, step: int) -> float:
    """Warm-up, constant or by milestones, then cosine to 1 % over the last `decay_steps`."""
    warm = min(1.0, (step + 1) / max(1, config.warmup_steps))
    into = max(0, step - (config.steps - config.decay_steps))
    fall = 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * into / max(1, config.decay_steps)))
    factor = next((f for share, f in reversed(config.milestones) if step >= share * config.steps), 1.0)
    return config.lr * warm * fall * factor


@dataclass
class State:
    """A run in progress."""

    row: ZooRow
    net: Network
    ema: Network
    optimiser: torch.optim.Optimizer
    step: int = 0
    images: int = 0

    @property
    def outputs(self) -> tuple[Output, ...]:
        """Descriptions of the outputs of the network."""
        return tuple(o for stage in self.row.stages for o in stage.outputs)


def new_state(config: TrainConfig, row: ZooRow, net: Network, device: torch.device) -> State:
    """A fresh run from the given network of a row."""
    ema = copy.deepcopy(net).to(device)
    net = net.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    for module in net.modules():
        if isinstance(module, nn.Dropout2d) and config.dropout is not None:
            module.p = config.dropout
    return State(row, net, ema, _optimiser(config, net))


def _optimiser(config: TrainConfig, net: Network) -> torch.optim.Optimizer:
    learned = [p for p in net.parameters() if p.requires_grad]
    if config.optimiser == "rmsprop":  # torch's α and ε, without momentum
        return torch.optim.RMSprop(learned, config.lr, weight_decay=config.weight_decay)
    if config.optimiser == "sgd":
        return torch.optim.SGD(learned, config.lr, SGD_MOMENTUM, weight_decay=config.weight_decay)
    return Muon(net, config.lr, config.weight_decay, orthogonal=config.optimiser == "muon")


def resume(state: State, path: Path) -> None:
    """Continue from a checkpoint: weights, averages and optimiser, to the bit."""
    groups, meta = load_checkpoint(path)
    load_weights(state.net, groups["net"], path)
    load_weights(state.ema, groups["ema"], path)
    saved = state.optimiser.state_dict()
    by_index: dict[int, dict[str, Tensor]] = {}
    for key, tensor in groups.get("optimiser", {}).items():
        index, _, name = key.partition(".")
        by_index.setdefault(int(index), {})[name] = tensor
    parameters = [p for g in state.optimiser.param_groups for p in g["params"]]
    if any(parameters[i].shape != t.shape for i, e in by_index.items() for t in e.values() if t.ndim):
        raise CheckpointError(f"{path}: its optimiser is another. Start from its weights: --init {path}.")
    saved["state"] = by_index
    state.optimiser.load_state_dict(saved)
    state.step, state.images = int(meta["step"]), int(meta["images"])


def save(state: State, config: TrainConfig, path: Path, extra: dict[str, object]) -> None:
    """Write the whole state of a run."""
    optimiser = {
        f"{i}.{name}": value
        for i, entry in state.optimiser.state_dict()["state"].items()
        for name, value in entry.items()
        if isinstance(value, Tensor)
    }
    facts = {"step": state.step, "images": state.images, "config": asdict(config)}
    meta = {ROW: state.row.name, **facts, **extra}
    save_checkpoint(
        path, {"net": state.net.state_dict(), "ema": state.ema.state_dict(), "optimiser": optimiser}, meta
    )


def train(
    state: State, config: TrainConfig, batches: Iterable[Batch], out: Path, extra: dict[str, object],
    device: torch.device, processes: tuple[int, int] = (0, 1),
) -> None:  # fmt: skip
    """Run until `config.steps`, writing `last.safetensors` and `log.jsonl` into `out`.

    `processes` is (rank, count); rank 0 writes.

    Raises:
        DivergedError: when a loss is NaN or infinite; the last checkpoint stays as it was.
    """
    state.net.train()
    rank, world = processes
    meter = _Meter(out / "log.jsonl", config.steps) if rank == 0 else None
    following = iter(batches)
    for batch in following:
        if state.step >= config.steps:
            break
        torch.manual_seed(
            (config.seed * 1_000_003 + state.step) * world + rank
        )  # dropout, too, follows from (seed, step)
        generator = torch.Generator().manual_seed(config.seed * 7_919 + state.step)
        for group in state.optimiser.param_groups:
            group["lr"] = learning_rate(config, state.step)
        terms = _step(state, config, batch, generator, device)
        if not all(math.isfinite(v) for v in terms.values()):
            last = out / LAST
            kept = f"The last good checkpoint is {last}; resume from it" if last.exists() else "Start"
            raise DivergedError(f"step {state.step}: the loss is {terms}. {kept} with a lower --lr.")
        state.step += 1
        state.images += len(batch.images) * world
        if meter is None:
            continue
        b, *size = batch.images.shape
        meter.add(terms, (b * world, *size), state, learning_rate(config, state.step - 1))
        if state.step % config.checkpoint_every == 0 or state.step == config.steps:
            save(state, config, out / LAST, extra)
    if config.agg_bn_recalibrate and state.step >= config.steps:
        clean = islice(following, config.agg_bn_recalibrate)
        recalibrate(state.ema, (_pictures(batch, device) for batch in clean))
        if rank == 0:
            save(state, config, out / LAST, extra)


def _pictures(batch: Batch, device: torch.device) -> Tensor:
    """(b, 3, h, w) in 0..255, channels last in memory."""
    rgb = torch.from_numpy(batch.images).to(device).permute(0, 3, 1, 2).float()
    return rgb.contiguous(memory_format=torch.channels_last)


def _step(
    state: State, config: TrainConfig, batch: Batch, generator: torch.Generator, device: torch.device
) -> dict[str, float]:
    rgb = _pictures(batch, device)
    targets = {k: torch.from_numpy(v).to(device) for k, v in batch.targets.items()}
    terms = losses(state.net, state.outputs, rgb, targets, config.step, generator)
    total: Tensor = sum(terms.values(), torch.zeros((), device=device))
    state.optimiser.zero_grad(
        set_to_none=True
    )  # None, not zero: a frozen weight must not decay (methods §1.6)
    if torch.isfinite(total):
        total.backward()  # type: ignore[no-untyped-call]
        average_gradients(state.net.parameters())
        if config.clip:
            nn.utils.clip_grad_norm_(state.net.parameters(), config.clip)
        state.optimiser.step()
        _average(state.ema, state.net, min(config.ema, (1 + state.step) / (10 + state.step)))
    return {k: v.item() for k, v in terms.items()}


def _average(ema: nn.Module, net: nn.Module, decay: float) -> None:
    for a, b in zip(ema.state_dict().values(), net.state_dict().values(), strict=True):
        if a.is_floating_point():
            a.lerp_(b, 1 - decay)
        else:
            a.copy_(b)


class _Meter:
    """Mean losses and throughput every 50 steps and at the end, to the log and to a file.

    `of_ceiling` compares with what two quiet CPU cores reached at 256 px without making any batches.
    """

    EVERY = 50
    CEILING = 29.0 * 256**2  # pixels a second

    def __init__(self, path: Path, last: int) -> None:
        self._last = last
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._sums: dict[str, list[float]] = {}
        self._images = 0
        self._since = time.monotonic()

    def add(self, terms: dict[str, float], shape: tuple[int, ...], state: State, lr: float) -> None:
        """Count a step on pictures (b, h, w, 3) in all processes together."""
        images, height, width = shape[:3]
        for k, v in terms.items():
            self._sums.setdefault(k, []).append(v)
        self._images += images
        if state.step % self.EVERY and state.step != self._last:
            return
        rate = self._images / (time.monotonic() - self._since)
        row = {"step": state.step, "images": state.images, "images_per_s": round(rate, 1),
               "of_ceiling": round(rate * height * width / self.CEILING, 2), "lr": lr,
               **{k: round(sum(v) / len(v), 4) for k, v in self._sums.items()}}  # fmt: skip
        log.info("%s", row)
        with self._path.open("a") as f:
            f.write(json.dumps(row) + "\n")
        self._sums, self._images, self._since = {}, 0, time.monotonic()
