"""Several processes, one run: start with `torchrun --nproc-per-node N -m training …`.

Gradients are averaged by hand: the settings that freeze the trunk leave parameters without gradient, which is
one line here and a special mode in DistributedDataParallel. Statistics, averages and checkpoints are those of
rank 0.
"""

from __future__ import annotations

import os
from collections.abc import Iterable

import torch
from torch import distributed as dist
from torch import nn


def start() -> tuple[int, int]:
    """Join the processes torchrun started; (rank, world size), (0, 1) when alone."""
    world = int(os.environ.get("WORLD_SIZE", "1"))
    if world == 1:
        return 0, 1
    dist.init_process_group("nccl" if torch.cuda.is_available() else "gloo")
    return dist.get_rank(), world


def stop() -> None:
    """Leave; nothing to do when alone."""
    if dist.is_initialized():
        dist.destroy_process_group()


def same_start(module: nn.Module) -> None:
    """Every process begins with the weights of rank 0."""
    if dist.is_initialized():
        for t in module.state_dict().values():
            dist.broadcast(t, 0)


def average_gradients(parameters: Iterable[nn.Parameter]) -> None:
    """Replace each gradient by its mean over the processes, in one message."""
    if not dist.is_initialized():
        return
    grads = [p.grad for p in parameters if p.grad is not None]
    flat = torch.cat([g.reshape(-1) for g in grads])
    dist.all_reduce(flat)
    flat /= dist.get_world_size()
    for g, mean in zip(grads, torch.split(flat, [g.numel() for g in grads]), strict=True):
        g.copy_(mean.view_as(g))
