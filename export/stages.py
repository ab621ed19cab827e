"""Requirements on a network before it is exported."""

from __future__ import annotations

import torch
from torch import nn


class ExportError(ValueError):
    """A model cannot be exported; the message names the object, the reason and the remedy."""


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
