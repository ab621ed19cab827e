"""Checkpoints: safetensors with JSON beside the tensors in the same file. Never a pickle.

A checkpoint is written to a temporary file, flushed to the disk and renamed, so a kill or a full disk at any moment
leaves the one before it whole.
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

Meta = dict[str, Any]
META_KEY = "xfactor"


class CheckpointError(ValueError):
    """A checkpoint cannot be used; names the file, the reason and the remedy."""


def save_checkpoint(path: Path, groups: dict[str, dict[str, Tensor]], meta: Meta) -> None:
    """Write tensors by group (`net`, `ema`, `optimiser`, …) and JSON-able facts, atomically."""
    # a copy for each: safetensors refuses tensors that share memory
    flat = {f"{g}.{k}": t.detach().cpu().contiguous().clone() for g, ts in groups.items() for k, t in ts.items()}
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
    return groups, meta


def load_weights(module: nn.Module, tensors: dict[str, Tensor], path: Path) -> None:
    """Strictly load weights.

    Raises:
        CheckpointError: when names, shapes or finiteness do not fit, in words.
    """
    own = module.state_dict()
    missing, extra = sorted(set(own) - set(tensors)), sorted(set(tensors) - set(own))
    if missing or extra:
        raise CheckpointError(
            f"{path}: a checkpoint of another architecture ({len(missing)} tensors missing, {len(extra)} unknown,"
            f" e.g. {(missing + extra)[0]}). Use the --model it was trained as."
        )
    for name, tensor in tensors.items():
        if tensor.shape != own[name].shape:
            raise CheckpointError(
                f"{path}: {name} has shape {tuple(tensor.shape)}, expected {tuple(own[name].shape)}."
                " Use the --model it was trained as."
            )
        if tensor.is_floating_point() and not torch.isfinite(tensor).all():
            raise CheckpointError(f"{path}: {name} holds NaN or infinite weights. Use an earlier checkpoint.")
    module.load_state_dict(tensors, strict=True)
