"""A silhouette from elsewhere: shown to the head of a Factored ConvNet, forced upon other networks."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d, interpolate

from models.factored import STRIDE, FactoredConvNet
from models.network import Network


def on_head_grid(silhouettes: Tensor, cells: tuple[int, int]) -> Tensor:
    """True silhouettes (b, H, W) bool as P(person) (b, 1, h, w) on a coarser grid, by area averaging."""
    shares: Tensor = adaptive_avg_pool2d(silhouettes[:, None].float(), cells)
    return shares


def hard_constraint(logits: Tensor, silhouettes: Tensor) -> Tensor:
    """The best part inside the silhouette, background outside: all that remains without a factor.

    Args:
        logits: (b, classes, h, w), the background first.
        silhouettes: (b, h, w) bool.

    Returns:
        (b, h, w) labels.
    """
    return torch.where(silhouettes, logits[:, 1:].argmax(1) + 1, 0)


@torch.no_grad()
def parse(
    net: Network, x: Tensor, grid: tuple[int, int], silhouettes: Tensor | None = None, *, inject: bool = True
) -> Tensor:
    """Labels (b, h, w) uint8 on a grid of the caller's choice.

    Args:
        net: any network of the project, in eval mode.
        x: (b, 3, H, W) normalised.
        grid: (h, w); logits are brought to it bilinearly.
        silhouettes: (b, H', W') bool, true in place of the network's own idea: injected into a Factored
            ConvNet, a hard constraint for the others.
        inject: False makes them a hard constraint for every network.
    """
    if silhouettes is not None and inject and isinstance(net, FactoredConvNet):
        cells = (x.shape[2] // STRIDE, x.shape[3] // STRIDE)
        logits = net(x, on_head_grid(silhouettes, cells))[1]
        silhouettes = None  # the head has seen it; nothing is forced afterwards
    else:
        logits = net(x)[1] if isinstance(net, FactoredConvNet) else net(x)
    logits = interpolate(logits, grid, mode="bilinear", align_corners=False)
    if silhouettes is None:
        return logits.argmax(1).to(torch.uint8)
    return hard_constraint(logits, on_head_grid(silhouettes, grid)[:, 0] >= 0.5).to(torch.uint8)
