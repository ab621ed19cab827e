"""Muon for convolutions: momentum made orthogonal (Jordan et al. 2024, scaled as in Liu et al. 2025).

torch's own takes matrices only and one at a time; a small network has some hundred small kernels, and those
of one shape are made orthogonal together here. What is no large kernel (biases, normalisation, the first and
the factor's last convolution) is AdamW's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

MOMENTUM = 0.95
ROUNDS = 5
COEFFICIENTS = (3.4445, -4.7750, 2.0315)  # the quintic of Jordan et al., steepest at zero
#: a step's root mean square, as large as AdamW's usually is: both can share a learning rate (Liu et al.)
STEP = 0.2
LEAST_SIDE = 16  # a kernel with fewer rows or columns has no directions to balance


class Muon(torch.optim.AdamW):
    """AdamW whose large kernels, (out, in, h, w) as (out, in·h·w) matrices, step by orthogonal momentum.

    Args:
        net: the network; everything in it that needs a gradient is optimised.
        lr: learning rate of both.
        weight_decay: of AdamW's kernels. Muon's have none: normalisation follows nearly all of them.
        orthogonal: off, everything is AdamW's (to compare).
    """

    def __init__(self, net: nn.Module, lr: float, weight_decay: float, *, orthogonal: bool = True) -> None:
        parameters = [p for p in net.parameters() if p.requires_grad]
        large = [p for p in parameters if orthogonal and _is_large(p)]
        large_ids = {id(p) for p in large}
        small = [p for p in parameters if p.ndim > 1 and id(p) not in large_ids]
        groups = [
            {"params": small, "weight_decay": weight_decay, "orthogonal": False},
            {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0, "orthogonal": False},
            {"params": large, "weight_decay": 0.0, "orthogonal": True},
        ]
        super().__init__([g for g in groups if g["params"]], lr=lr, betas=(0.9, 0.99))

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        """One step; a parameter without a gradient stays as it is, its momentum too."""
        groups = [g for g in self.param_groups if g["orthogonal"]]
        gradients = {p: p.grad for g in groups for p in g["params"] if p.grad is not None}
        for p in gradients:
            p.grad = None  # AdamW passes over it
        loss: float | None = super().step(closure)
        rate = self.param_groups[-1]["lr"]
        updates: dict[tuple[int, int], list[tuple[Tensor, Tensor]]] = {}
        for p, gradient in gradients.items():
            p.grad = gradient
            state: dict[str, Any] = self.state[p]
            if "momentum" not in state:
                state["momentum"] = torch.zeros_like(p)
                state["step"] = torch.zeros(())  # AdamW looks for one when a state is loaded
            momentum = state["momentum"].lerp_(gradient, 1 - MOMENTUM)
            matrix = torch.lerp(p.grad, momentum, MOMENTUM).flatten(1)  # Nesterov's look ahead
            updates.setdefault((matrix.shape[0], matrix.shape[1]), []).append((p, matrix))
        for shape, some in updates.items():
            turned = orthogonal(torch.stack([m for _, m in some]))
            for (p, _), update in zip(some, turned, strict=True):
                p.sub_(update.to(p.dtype).view(p.shape), alpha=rate * STEP * max(shape) ** 0.5)
        return loss


def _is_large(p: Tensor) -> bool:
    return p.ndim == 4 and min(p.shape[0], p[0].numel()) >= LEAST_SIDE


def orthogonal(matrices: Tensor) -> Tensor:
    """(n, rows, columns) → bfloat16 with all singular values near one (0.7 to 1.2), by Newton–Schulz."""
    x = matrices.bfloat16()
    tall = x.shape[1] > x.shape[2]
    if tall:
        x = x.mT
    x = x / x.norm(dim=(1, 2), keepdim=True).clamp(min=1e-7)
    a, b, c = COEFFICIENTS
    for _ in range(ROUNDS):
        gram = x @ x.mT
        x = a * x + (b * gram + c * gram @ gram) @ x
    turned: Tensor = x.mT if tall else x
    return turned
