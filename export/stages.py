"""What is exported: normalisation in front of the trunk, probabilities and labels behind factor and head.

These are the plain modules, one per ONNX file. `export.rewrite` turns each into an equal, faster one; parity
compares the two.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from models.factored import BaselineConvNet, Factor, FactoredConvNet, Head, normalise, person_probability


class ExportError(ValueError):
    """A model cannot be exported; the message names the object, the reason and the remedy."""


class TrunkStage(nn.Module):
    """`image` → `features`."""

    def __init__(self, trunk: nn.Sequential) -> None:
        super().__init__()
        self.trunk = trunk

    def forward(self, image: Tensor) -> Tensor:
        """(b, h, w, 3) uint8 RGB → (b, 128, h/8, w/8)."""
        features: Tensor = self.trunk(normalise(channels_first(image, precision(self))))
        return features


class FactorStage(nn.Module):
    """`features` → `person`."""

    def __init__(self, factor: Factor) -> None:
        super().__init__()
        self.factor = factor

    def forward(self, features: Tensor) -> Tensor:
        """(b, 128, h/8, w/8) → P(person) (b, 1, h/8, w/8)."""
        return person_probability(self.factor(features))


class HeadStage(nn.Module):
    """`features`, `person` → `parts`, `labels`."""

    def __init__(self, head: Head) -> None:
        super().__init__()
        self.head = head

    def forward(self, features: Tensor, person: Tensor) -> tuple[Tensor, Tensor]:
        """(b, 128, h, w), P(person) (b, 1, h, w) → parts (b, classes, h, w) and uint8 labels (b, h, w)."""
        return probabilities_and_labels(self.head(features, person))


class NetworkStage(nn.Module):
    """`image` → `parts`, `labels`, for a network without a factor."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """(b, h, w, 3) uint8 RGB → probabilities (b, classes, h/8, w/8), uint8 labels (b, h/8, w/8)."""
        return probabilities_and_labels(self.network(normalise(channels_first(image, precision(self)))))


def channels_first(image: Tensor, dtype: torch.dtype = torch.float32) -> Tensor:
    """(b, h, w, 3) uint8 → (b, 3, h, w) floating point, still 0..255."""
    return image.permute(0, 3, 1, 2).to(dtype)


def precision(module: nn.Module) -> torch.dtype:
    """The type of a module's weights: float32, or float64 where parity asks how far float32 rounds."""
    return next(module.parameters()).dtype


def probabilities_and_labels(logits: Tensor) -> tuple[Tensor, Tensor]:
    """Logits (b, classes, h, w) → their softmax, and its argmax: the two outputs can never disagree."""
    parts = logits.softmax(dim=1)
    return parts, parts.argmax(dim=1).to(torch.uint8)


def plain_stages(net: FactoredConvNet | BaselineConvNet) -> dict[str, nn.Module]:
    """The stages of a model by the name of their file."""
    if isinstance(net, FactoredConvNet):
        return {
            "trunk": TrunkStage(net.trunk),
            "factor": FactorStage(net.factor),
            "head": HeadStage(net.head),
        }
    return {"network": NetworkStage(net)}


def refuse_unfit(module: nn.Module, what: str) -> None:
    """Raise for a module whose weights or mode make no model.

    Raises:
        ExportError: when a weight or a statistic is not finite, or the module is in training mode.
    """
    for name, value in module.state_dict().items():
        if value.is_floating_point() and not bool(torch.isfinite(value).all()):
            raise ExportError(
                f"{what}: the weight {name} holds NaN or infinity. Export an earlier checkpoint"
            )
    if any(m.training for m in module.modules()):
        raise ExportError(
            f"{what}: it is in training mode, dropout would stay in the graph. Call .eval() first"
        )
