"""Random networks that behave like trained ones: norms that have seen pictures, slopes off their defaults."""

from __future__ import annotations

from typing import TypeVar

import torch
from torch import nn

from export.graphs import to_onnx, with_spec
from export.rewrite import rewrite
from models.families import ZOO
from models.spec import ModelSpec

#: rows that run through every contract; larger networks, of the same code, are built without weights only
LIGHT = tuple(
    name
    for name, row in ZOO.items()
    if row.parameters < 30_000_000 and set(row.encoders) <= {"factored"} and not row.variant
)
N = TypeVar("N", bound=nn.Module)


def seasoned(network: N, *, seed: int = 0) -> N:
    """The network in eval mode with logits of the size that training gives."""
    torch.manual_seed(seed)
    for m in network.modules():
        if isinstance(m, nn.BatchNorm2d):
            nn.init.uniform_(m.weight, 0.5, 1.0)
            nn.init.normal_(m.bias, 0.0, 0.2)
        if isinstance(m, nn.PReLU):
            nn.init.uniform_(m.weight, -0.1, 0.6)
    network.train()
    with torch.no_grad():
        for _ in range(12):
            soft = nn.functional.interpolate(torch.rand(2, 3, 6, 6), (64, 96), mode="bilinear")
            network((4 * soft - 2 + 0.2 * torch.randn(2, 3, 64, 96)).clamp(-2, 2))
        last = [m for m in network.modules() if isinstance(m, nn.Conv2d)][-1]
        for name, parameter in network.named_parameters():
            if "classify" in name or parameter is last.weight:
                parameter.mul_(0.1)
    return network.eval()


def stage_bytes(plain: nn.Module, spec: ModelSpec) -> bytes:
    """One plain stage, rewritten for speed, as the content of an ONNX file."""
    plain.eval()
    return with_spec(to_onnx(rewrite(plain), spec.stages, spec.stage), spec)
