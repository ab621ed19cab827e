"""Checkpoints: safetensors with JSON beside the tensors in the same file. Never a pickle.

A checkpoint is written to a temporary file, flushed to the disk and renamed, so a kill or a full disk at any
moment leaves the one before it whole.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from models.families import ZOO, ZooRow, find_row
from models.network import Network, build

Meta = dict[str, Any]
META_KEY = "xfactor"
AVERAGED = "ema"  # the group of weights that is shipped
ROW = "row"  # in the facts: the name of the network's row in ZOO


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
        if not torch.isfinite(tensor).all():
            raise CheckpointError(f"{path}: {name} holds NaN or infinite weights. Use an earlier checkpoint.")
    module.load_state_dict(tensors)


def with_slopes(tensors: dict[str, Tensor], module: nn.Module) -> dict[str, Tensor]:
    """The weights of a ReLU network for a PReLU `module`: ReLU is PReLU of slope 0. Others are unchanged."""
    slopes = {
        f"{name}.weight": torch.zeros_like(m.weight)
        for name, m in module.named_modules()
        if isinstance(m, nn.PReLU) and f"{name}.weight" not in tensors
    }
    return {**tensors, **slopes}


def save_network(path: Path, row: ZooRow, network: Network, meta: Meta) -> None:
    """Write the weights alone, with the name of the row that builds the network again."""
    save_checkpoint(path, {AVERAGED: network.state_dict()}, {**meta, ROW: row.name})


def load_network(path: Path, stride: int | None = None) -> tuple[Network, Meta]:
    """The network of a checkpoint in eval mode, with its averaged weights, and the checkpoint's facts.

    Args:
        path: the checkpoint.
        stride: of the outputs, where another than the row's is wanted.

    Raises:
        CheckpointError: when the file is no checkpoint, or of a network that is not known here.
        ValueError: the network has no such stride.
    """
    groups, meta = load_checkpoint(path)
    row = row_of(meta, path)
    network = build(row if stride is None else row.at_stride(stride))
    load_weights(network, _averaged(groups, path), path)
    return network.eval(), meta


def starting_weights(path: Path) -> dict[str, Tensor]:
    """Weights to start a training from: the averaged ones of a checkpoint, or a plain file's of tensors.

    Raises:
        CheckpointError: when the file is missing or broken, a pickle, or holds no averaged weights.
    """
    try:
        with safe_open(path, framework="pt") as f:
            if META_KEY not in (f.metadata() or {}):
                return {key: f.get_tensor(key) for key in f.keys()}  # noqa: SIM118 - safe_open is not a mapping
    except (SafetensorError, OSError):
        pass  # in words below
    return _averaged(load_checkpoint(path)[0], path)


def _averaged(groups: dict[str, dict[str, Tensor]], path: Path) -> dict[str, Tensor]:
    if AVERAGED not in groups:
        raise CheckpointError(
            f"{path}: it holds no averaged weights. Use the checkpoint of a whole training."
        )
    return groups[AVERAGED]


def row_of(meta: Meta, path: Path) -> ZooRow:
    """The row of a checkpoint's network; older checkpoints name an architecture and an activation instead.

    Raises:
        CheckpointError: when the network is not known here.
    """
    if ROW in meta:
        row = ZOO.get(str(meta[ROW]))
    else:
        row = find_row(str(meta.get("architecture")), str(meta.get("activation")))
        if row and meta.get("classes", row.part_set.classes) != row.part_set.classes:
            row = None
    if row is None:
        named = ", ".join(str(meta[k]) for k in (ROW, "architecture", "activation", "classes") if k in meta)
        raise CheckpointError(
            f"{path}: a checkpoint of a network that is not known here ({named or 'it names none'})."
            f" Known: {', '.join(ZOO)}."
        )
    return row
