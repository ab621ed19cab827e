"""Factor fine-tuning: a new domain is learnt from silhouettes alone, by the factor alone (methods §1.7).

Trunk and head stay as they are, to the bit: their weights are frozen and their batch statistics too. So the
trunk runs once over every picture, and only its features are kept.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from models.factored import FEATURES, STRIDE, FactoredConvNet, normalise, person_probability
from models.labels import IGNORE
from models.resize import resize
from runtime.engine.letterbox import Letterbox
from training.losses import factor_loss
from training.prediction import NetworkInput

Image = NDArray[np.uint8]
TARGET_STRIDE = 4  # px per label cell, twice finer than the factor, as in training


@dataclass(frozen=True)
class TransferConfig:
    """Settings of factor fine-tuning; the paper's learning rate, the optimiser of our training."""

    epochs: float = 10.0
    batch: int = 8
    lr: float = 5e-4
    weight_decay: float = 2e-4
    seed: int = 0

    def steps(self, pictures: int) -> int:
        """Steps that show every picture `epochs` times, at least one."""
        return max(1, round(self.epochs * pictures / self.batch))


@dataclass(frozen=True)
class TrunkFeatures:
    """The frozen trunk's features of some pictures.

    Attributes:
        maps: (n, 128, h, w) float16, all padded with grey to the largest picture.
        letterboxes: of the pictures; the rest is padding.
    """

    maps: Tensor
    letterboxes: tuple[Letterbox, ...]

    def __len__(self) -> int:
        return len(self.letterboxes)

    def of(self, i: int) -> Tensor:
        """(1, 128, h, w) of one picture."""
        return self.maps[i : i + 1].float()


@torch.no_grad()
def extract(net: FactoredConvNet, images: Sequence[Image], long_side: int) -> TrunkFeatures:
    """Run the trunk over (h, w, 3) RGB pictures brought to `long_side` px."""
    net.trunk.eval()
    boxed = [NetworkInput.of(image, long_side) for image in images]
    h, w = (max(b.x.shape[d] for b in boxed) for d in (2, 3))
    maps = torch.empty(len(boxed), FEATURES, h // STRIDE, w // STRIDE, dtype=torch.float16)
    grey = float(normalise(torch.tensor(128.0)))
    for i, b in enumerate(boxed):
        x = nn.functional.pad(b.x, (0, w - b.x.shape[3], 0, h - b.x.shape[2]), value=grey)
        maps[i] = net.trunk(x)[0].half()
    return TrunkFeatures(maps, tuple(b.letterbox for b in boxed))


@torch.no_grad()
def own_silhouettes(
    net: FactoredConvNet, features: TrunkFeatures, sizes: Sequence[tuple[int, int]]
) -> list[Image]:
    """The factor's own P(person) of every picture at its (height, width), (h, w) uint8 of 0..255."""
    net.factor.eval()
    out: list[Image] = []
    for i, (height, width) in enumerate(sizes):
        across, down = features.letterboxes[i].cells
        p = person_probability(net.factor(features.of(i)))[0, 0, :down, :across]
        full = resize(np.ascontiguousarray(p.numpy(), np.float32), (width, height))
        out.append(np.round(255 * full).astype(np.uint8))
    return out


def targets(features: TrunkFeatures, silhouettes: Sequence[Image]) -> Tensor:
    """Silhouettes 0/1/255 of any size as (n, h, w) uint8 on the factor's label grid; padding 255."""
    cells = [v * STRIDE // TARGET_STRIDE for v in features.maps.shape[2:]]
    out = np.full((len(features), *cells), IGNORE, np.uint8)
    for i, box in enumerate(features.letterboxes):
        cw, ch = (v // TARGET_STRIDE for v in box.content)
        out[i, :ch, :cw] = cv2.resize(silhouettes[i], (cw, ch), interpolation=cv2.INTER_NEAREST)
    return torch.from_numpy(out)


Watch = Callable[[int, FactoredConvNet], None]


def fine_tune(
    net: FactoredConvNet,
    features: TrunkFeatures,
    labels: Tensor,
    config: TransferConfig,
    watch: Watch | None = None,
) -> FactoredConvNet:
    """A copy of the network whose factor has learnt the silhouettes; everything else is the same to the bit.

    Args:
        net: where to start from; not changed.
        features: of the target pictures, by this network's trunk.
        labels: (n, H, W) uint8, 0 background, 1 person, 255 unknown (`targets`).
        config: how long and how fast.
        watch: called before the first step and after every one with the number of steps done and the network
            in eval mode.

    Raises:
        ValueError: pictures and labels differ in number, or no label says anything.
    """
    if len(labels) != len(features) or not (labels != IGNORE).any():
        raise ValueError(
            f"{len(features)} pictures and {len(labels)} silhouettes; one with known pixels for each"
        )
    moved = copy.deepcopy(net).eval()
    for name, p in moved.named_parameters():
        p.requires_grad = name.startswith("factor.")
    for module in moved.factor.modules():
        if isinstance(module, nn.Dropout2d):
            module.p = 0.0
    optimiser = torch.optim.AdamW(moved.factor.parameters(), lr=config.lr, weight_decay=config.weight_decay)
    if watch is not None:
        watch(0, moved)
    for step, pick in enumerate(_batches(len(features), config), start=1):
        moved.factor.train()
        loss = factor_loss(moved.factor(features.maps[pick].float()), labels[pick])
        optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        moved.factor.eval()
        if watch is not None:
            watch(step, moved)
    return moved


def _batches(count: int, config: TransferConfig) -> Iterator[Tensor]:
    """Indices of each step; every picture once before any is drawn again."""
    generator = torch.Generator().manual_seed(config.seed)
    size = min(config.batch, count)
    waiting = torch.empty(0, dtype=torch.long)
    for _ in range(config.steps(count)):
        if len(waiting) < size:
            waiting = torch.cat((waiting, torch.randperm(count, generator=generator)))
        yield waiting[:size]
        waiting = waiting[size:]
