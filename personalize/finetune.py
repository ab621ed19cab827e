"""Fine-tuning of the factor on one person, from features that were computed once.

Trunk and head are not even loaded. Pictures of other people are replayed beside those of the clip, with what
the factor said of them before it learned: so one person is learned without forgetting people. With their true
silhouettes it would learn rendered people on the way, and photos would pay for it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, interpolate

from export.rewrite import FastFactor
from personalize.edges import FINE, ColourGuides
from personalize.factor import logits
from training.losses import balanced_mean

IGNORED = 255
HELD_OUT_EVERY = 10
JUDGED = 8  # pictures at a time, for the mean loss
#: times a picture's people that its background weighs at most; with training's 3 small people grow fat
BACKGROUND = 10.0
WRITTEN = 0.75  #: share of the loss that the written silhouette has
STEEPNESS = 16.0  #: log-odds of the written silhouette per unit of P(person)
DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")
OnStep = Callable[[int, int], None]  #: (steps done, steps in all); may raise to stop the work


class DatasetError(ValueError):
    """Data from which nothing can be learned; the text says why."""


@dataclass(frozen=True)
class FrameDataset:
    """Training frames: features of the trunk, and silhouettes.

    Attributes:
        features: (n, 128, gh, gw) of the whole grid, padding included; on disk as a rule.
        codes: (n, 4·rows, 4·columns) uint8, four samples per cell each way of the picture without its
            padding: 1 person, 0 background, 255 not known.
        guides: the pictures along whose edges the silhouette will be written; None leaves that out.
    """

    features: NDArray[np.floating]
    codes: NDArray[np.uint8]
    guides: ColourGuides | None = None

    def __post_init__(self) -> None:
        if self.features.ndim != 4 or self.codes.ndim != 3 or len(self.features) != len(self.codes):
            raise DatasetError(f"features {self.features.shape} do not fit labels {self.codes.shape}")
        if not np.isin(np.unique(self.codes), (0, 1, IGNORED)).all():
            raise DatasetError("labels must be 0, 1 or 255")


@dataclass(frozen=True)
class ReplayBuffer:
    """Replay buffer against forgetting: pictures of other people, and the factor's answers before.

    Attributes:
        features: (n, 128, gh, gw).
        person: (n, gh, gw) P(person).
    """

    features: NDArray[np.floating]
    person: NDArray[np.floating]


@dataclass(frozen=True)
class FinetuneData:
    """Data of one fine-tuning.

    Attributes:
        clip: the person's frames.
        learned: those of them that are learned from.
        watched: those whose loss says when to end.
        replay: other people.
    """

    clip: FrameDataset
    learned: Sequence[int]
    watched: Sequence[int] = ()
    replay: ReplayBuffer | None = None


@dataclass(frozen=True)
class FinetuneConfig:
    """Settings of the fine-tuning; chosen on clips with hand-made masks (docs/personalisation.md).

    Attributes:
        epochs: over the clip's frames, at most.
        rate: AdamW's, falling to nothing along a cosine.
        replayed: pictures of other people beside each batch.
        replay_weight: of their loss beside the clip's.
        patience: epochs without a better loss on held-out frames before it ends.
        most_steps: a long range is not seen `epochs` times.
    """

    epochs: int = 16
    rate: float = 5e-4
    batch: int = 8
    replayed: int = 2
    replay_weight: float = 0.3
    weight_decay: float = 2e-4
    patience: int = 4
    most_steps: int = 160
    longest_gradient: float = 5.0


@dataclass
class FinetuneResult:
    """Best factor of a fine-tuning, and its losses.

    Attributes:
        factor: the one it started from when nothing was better.
        losses: on held-out frames, before the first epoch and after each.
        ended: why before the end; empty when it went to the end.
    """

    factor: FastFactor
    losses: list[float] = field(default_factory=list)
    ended: str = ""

    @property
    def best_epoch(self) -> int:
        """0 is what it started from."""
        return int(np.argmin(self.losses)) if self.losses else 0


def held_out(count: int) -> tuple[list[int], list[int]]:
    """Held-out frames: those that end the training early, and those of the gate.

    Every tenth, from short clips more; one in turn for either purpose.
    """
    every = min(HELD_OUT_EVERY, max(2, count // 4))
    chosen = list(range(every // 2, count, every))
    return chosen[1::2], chosen[::2]


def learn(
    factor: FastFactor,
    data: FinetuneData,
    config: FinetuneConfig,
    *,
    seed: int = 0,
    on_step: OnStep | None = None,
    should_end: Callable[[], str] | None = None,
) -> FinetuneResult:
    """Fine-tune a factor; the one given is not changed.

    Args:
        factor: what is started from.
        data: what is learned from.
        config: how.
        seed: the same seed and data give the same factor, to the bit.
        on_step: called after each step.
        should_end: asked after each step; words end it with the best so far.

    Raises:
        DatasetError: there is nothing to learn from.
    """
    refuse_useless(data)
    torch.manual_seed(seed)
    learner = deepcopy(factor).to(DEVICE).train()
    optimiser = torch.optim.AdamW(
        learner.parameters(), lr=config.rate, weight_decay=config.weight_decay, foreach=False
    )
    best = FinetuneResult(factor, [loss_on(factor, data.clip, data.watched)] if data.watched else [])
    batches = draw(data, config, seed)
    waited = 0
    for step, (which, others, last_of_epoch) in enumerate(batches):
        _set_rate(optimiser, config.rate * 0.5 * (1 + math.cos(math.pi * step / len(batches))))
        loss = _loss(learner, data.clip, which)
        if data.replay is not None:
            loss = loss + config.replay_weight * _change(learner, data.replay, others)
        if not _step(learner, optimiser, loss, config.longest_gradient):
            best.ended = "the loss was no longer a number; the best so far is kept"
            break
        if on_step is not None:
            on_step(step + 1, len(batches))
        reason = should_end() if should_end is not None else ""
        if last_of_epoch or reason:
            waited = 0 if _better(best, learner, data) else waited + 1
            if reason or waited >= config.patience:
                best.ended = reason or "the held-out frames gained nothing more"
                break
    return best


Batch = tuple[NDArray[np.integer], NDArray[np.integer], bool]


def draw(data: FinetuneData, config: FinetuneConfig, seed: int) -> list[Batch]:
    """All batches of a config: frames, other people, and whether an epoch ends here."""
    random = np.random.default_rng(seed)
    people = 1 if data.replay is None else len(data.replay.person)
    batches: list[Batch] = []
    for _ in range(min(config.epochs, config.most_steps)):
        order = random.permutation(np.asarray(data.learned, np.intp))
        for at in range(0, len(order), config.batch):
            others = random.integers(0, people, config.replayed)
            batches.append((order[at : at + config.batch], others, at + config.batch >= len(order)))
    del batches[config.most_steps :]
    batches[-1] = (*batches[-1][:2], True)
    return batches


def refuse_useless(data: FinetuneData) -> None:
    """Refuse data from which nothing can be learned.

    Raises:
        DatasetError: in words.
    """
    codes = data.clip.codes[list(data.learned)]
    if not len(codes):
        raise DatasetError("no frame is left to learn from")
    if not (codes == 1).any():
        raise DatasetError("no pixel is surely the person")
    if not (codes == 0).any():
        raise DatasetError("no pixel is surely background")


@torch.no_grad()
def loss_on(factor: FastFactor, dataset: FrameDataset, which: Sequence[int]) -> float:
    """Mean loss over pictures, at least one."""
    factor = deepcopy(factor).to(DEVICE).eval()
    total = 0.0
    for at in range(0, len(which), JUDGED):
        part = which[at : at + JUDGED]
        total += float(_loss(factor, dataset, part)) * len(part)
    return total / len(which)


def _better(best: FinetuneResult, learner: FastFactor, data: FinetuneData) -> bool:
    """Record the loss on held-out frames, and keep the learner if it is the lowest; without any, always."""
    watched = data.watched
    loss = loss_on(learner, data.clip, watched) if watched else -float(len(best.losses))
    learner.train()
    lowest = min(best.losses, default=math.inf)
    best.losses.append(loss)
    if not loss < lowest:
        return False
    best.factor = deepcopy(learner).cpu().eval()
    return True


def _loss(factor: FastFactor, dataset: FrameDataset, which: Sequence[int] | NDArray[np.integer]) -> Tensor:
    """Cross-entropy, each picture's background held to a multiple of its people: of the
    factor's own answer, and three times as much of the silhouette that will be written.
    """
    order = np.asarray(which, np.intp)
    codes = torch.from_numpy(dataset.codes[order]).to(DEVICE)
    rows, columns = codes.shape[1] // FINE, codes.shape[2] // FINE
    odds = _odds(factor, dataset.features[order])[:, :rows, :columns]
    person = codes == 1
    answers = [interpolate(odds[:, None], size=codes.shape[1:], mode="bilinear", align_corners=False)[:, 0]]
    if dataset.guides is not None:
        answers.append(STEEPNESS * (dataset.guides.written(torch.sigmoid(odds), order) - 0.5))
    costs = [binary_cross_entropy_with_logits(a, person.float(), reduction="none") for a in answers]
    cost = costs[0] if len(costs) == 1 else torch.lerp(costs[0], costs[1], WRITTEN)
    known = (codes != IGNORED).flatten(1).float()
    return balanced_mean(cost.flatten(1), known, person.flatten(1), BACKGROUND)


def _change(factor: FastFactor, replay: ReplayBuffer, which: NDArray[np.integer]) -> Tensor:
    """Cross-entropy between the answers now and the answers before."""
    order = np.asarray(which, np.intp)
    before = torch.from_numpy(np.asarray(replay.person[order], np.float32)).to(DEVICE)
    return binary_cross_entropy_with_logits(_odds(factor, replay.features[order]), before)


def _odds(factor: FastFactor, features: NDArray[np.floating]) -> Tensor:
    dtype = torch.bfloat16 if has_bf16() else torch.float32
    dense = torch.from_numpy(np.ascontiguousarray(features))
    dense = dense.to(DEVICE, dtype, memory_format=torch.channels_last)
    with torch.autocast(DEVICE.type, dtype=torch.bfloat16, enabled=has_bf16()):
        return logits(factor, dense).float()


def _step(learner: FastFactor, optimiser: torch.optim.Optimizer, loss: Tensor, longest: float) -> bool:
    """One step, unless loss or gradient is no number."""
    optimiser.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    length = torch.nn.utils.clip_grad_norm_(learner.parameters(), longest)
    if not (math.isfinite(float(loss.detach())) and math.isfinite(float(length))):
        return False
    optimiser.step()
    return True


def _set_rate(optimiser: torch.optim.Optimizer, rate: float) -> None:
    for group in optimiser.param_groups:
        group["lr"] = rate


def has_bf16() -> bool:
    """True where the processor multiplies bf16 by itself; emulated it would be slower than float32."""
    return DEVICE.type == "cuda" or bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())  # noqa: SLF001 - there is no public question
