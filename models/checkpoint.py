"""Checkpoints: safetensors with JSON beside the tensors in the same file. Never a pickle.

A checkpoint is written to a temporary file, flushed to the disk and renamed, so a kill or a full disk at any
moment leaves the one before it whole.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from models.blocks import Activation
from models.factored import BaselineConvNet, FactoredConvNet, enet

Meta = dict[str, Any]
Network = FactoredConvNet | BaselineConvNet
META_KEY = "xfactor"
AVERAGED = "ema"  # the group of weights that is shipped
ARCHITECTURES: dict[str, Callable[[int, Activation], Network]] = {
    "factored": FactoredConvNet,
    "baseline": BaselineConvNet,
    "enet": enet,
}


class CheckpointError(ValueError):
    """A checkpoint cannot be used; names the file, the reason and the remedy."""


def save_checkpoint(path: Path, groups: dict[str, dict[str, Tensor]], meta: Meta) -> None:
    """Write tensors by group (`net`, `ema`, `optimiser`, …) and JSON-able facts, atomically."""
    # a copy for each: safetensors refuses tensors that share memory
    flat = {
        f"{g}.{k}": t.detach().cpu().contiguous().clone() for g, ts in groups.items() for k, t in ts.items()
    }
    data = save(flat, metadata={META_KEY: json.dumps(meta)})
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    try:
        with part.open("wb") as f:
            f.write(data)
            f.flush()
            os.fsync(f.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def load_checkpoint(path: Path) -> tuple[dict[str, dict[str, Tensor]], Meta]:
    """Read what `save_checkpoint` wrote.

    Raises:
        CheckpointError: when the file is missing, broken, a pickle, or not a checkpoint of this project.
    """
    groups: dict[str, dict[str, Tensor]] = {}
    try:
        with safe_open(path, framework="pt") as f:
            meta = json.loads((f.metadata() or {})[META_KEY])
            for key in f.keys():  # noqa: SIM118 - safe_open is not a mapping
                group, _, name = key.partition(".")
                groups.setdefault(group, {})[name] = f.get_tensor(key)
    except FileNotFoundError as e:
        raise CheckpointError(f"{path}: no such file. Give the path of a .safetensors checkpoint.") from e
    except (SafetensorError, KeyError, json.JSONDecodeError, OSError) as e:
        reason = "not a checkpoint of this project"
        raise CheckpointError(f"{path}: {reason} ({e}). Pickled .pt/.pth files are never loaded.") from e
    if not isinstance(meta, dict):
        raise CheckpointError(f"{path}: its description is not a JSON object. Save it again.")
    return groups, meta


def load_weights(module: nn.Module, tensors: dict[str, Tensor], path: Path) -> None:
    """Strictly load weights.

    Raises:
        CheckpointError: when names, shapes, types or finiteness do not fit, in words.
    """
    own = module.state_dict()
    missing, extra = sorted(set(own) - set(tensors)), sorted(set(tensors) - set(own))
    if missing or extra:
        raise CheckpointError(
            f"{path}: a checkpoint of another architecture ({len(missing)} tensors missing, {len(extra)}"
            f" unknown, e.g. {(missing + extra)[0]}). Use the architecture it was trained as."
        )
    for name, tensor in tensors.items():
        if (tensor.shape, tensor.dtype) != (own[name].shape, own[name].dtype):
            raise CheckpointError(
                f"{path}: {name} is {tensor.dtype} {tuple(tensor.shape)}, expected {own[name].dtype}"
                f" {tuple(own[name].shape)}. Use the architecture it was trained as."
            )
        if tensor.is_floating_point() and not torch.isfinite(tensor).all():
            raise CheckpointError(f"{path}: {name} holds NaN or infinite weights. Use an earlier checkpoint.")
    module.load_state_dict(tensors, strict=True)


def with_slopes(tensors: dict[str, Tensor], module: nn.Module) -> dict[str, Tensor]:
    """The weights of a ReLU network for a PReLU `module`: ReLU is PReLU of slope 0. Others are unchanged."""
    slopes = {
        f"{name}.weight": torch.zeros_like(m.weight)
        for name, m in module.named_modules()
        if isinstance(m, nn.PReLU) and f"{name}.weight" not in tensors
    }
    return {**tensors, **slopes}


def save_network(path: Path, network: Network, meta: Meta) -> None:
    """Write the weights alone, with what is needed to build the network again."""
    save_checkpoint(path, {AVERAGED: network.state_dict()}, {**meta, **architecture(network)})


def load_network(path: Path) -> tuple[Network, Meta]:
    """The network of a checkpoint in eval mode, with its averaged weights, and the checkpoint's facts.

    Raises:
        CheckpointError: when the file is no checkpoint, or of an architecture that is not known here.
    """
    groups, meta = load_checkpoint(path)
    name, kind, classes = meta.get("architecture"), meta.get("activation"), meta.get("classes", 32)
    act: Activation | None = next((a for a in get_args(Activation) if a == kind), None)
    if name not in ARCHITECTURES or act is None or not isinstance(classes, int):
        raise CheckpointError(
            f"{path}: a checkpoint of the architecture {name!r} with activation {kind!r}, not known here."
            f" Known: {', '.join(ARCHITECTURES)} with {' or '.join(get_args(Activation))}."
        )
    if AVERAGED not in groups:
        raise CheckpointError(
            f"{path}: it holds no averaged weights. Use the checkpoint of a whole training."
        )
    network = ARCHITECTURES[name](classes, act)
    load_weights(network, groups[AVERAGED], path)
    return network.eval(), meta


def architecture(network: Network) -> Meta:
    """What `load_network` needs to build a network of the same shape."""
    act = "prelu" if any(isinstance(m, nn.PReLU) for m in network.modules()) else "relu"
    if isinstance(network, FactoredConvNet):
        return {"architecture": "factored", "activation": act, "classes": network.head.classify.out_channels}
    stages = sum(isinstance(m, nn.Sequential) for m in network.net)
    name = "baseline" if stages == 3 else "enet"
    return {"architecture": name, "activation": act, "classes": network.net[-1].out_channels}
