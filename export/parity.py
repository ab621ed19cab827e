"""The exported graphs against the plain torch modules in ONNX Runtime: stage by stage, then composed."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from export.graphs import INPUTS, OUTPUTS
from export.stages import ExportError
from models.factored import FEATURES, STRIDE

os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # read once, when the library loads
import onnxruntime as ort

TOLERANCE = 1e-5  # absolute on probabilities; on features relative to the largest
ROUNDING = 4  # where the plain module itself rounds further than that, this many times its own rounding
CASES = ((1, 32, 32), (3, 64, 96), (2, 160, 64), (1, 288, 512))  # batch, height, width
Array = NDArray[Any]  # float32 or uint8
Values = dict[str, Array]  # by the name of the graph's input or output
Stage = Callable[..., tuple[Array, ...]]


@dataclass(frozen=True)
class Parity:
    """The largest difference seen between an exported stage and its torch module."""

    stage: str
    max_error: float  #: on probabilities absolute, on features relative to the largest
    rounding: float  #: the same of the plain module in float32 against itself in float64
    changed_labels: int  #: cells whose label differs although their two best parts are no tie

    @property
    def passed(self) -> bool:
        """Whether nothing but rounding differs; NaN never passes."""
        return self.max_error <= max(TOLERANCE, ROUNDING * self.rounding) and not self.changed_labels


def check(models: Mapping[str, bytes], stages: Mapping[str, nn.Module]) -> tuple[Parity, ...]:
    """Compare exported stages with plain ones over several batch sizes, sizes and kinds of picture.

    Args:
        models: stage name → ONNX file content.
        stages: stage name → the plain module, in eval mode, as `export.stages.plain_stages` gives them.

    Raises:
        ExportError: when a stage, or the stages composed, differ by more than rounding can explain.
    """
    results = measure(models, stages)
    for r in results:
        if not r.passed:
            raise ExportError(
                f"{r.stage}: the exported graph differs from the torch module by {r.max_error:.2g} "
                f"(allowed {TOLERANCE:.0e}) and in {r.changed_labels} labels. Nothing was written"
            )
    return results


def measure(models: Mapping[str, bytes], stages: Mapping[str, nn.Module]) -> tuple[Parity, ...]:
    """As `check`, without judging."""
    exported = {name: _session_stage(session(data)) for name, data in models.items()}
    plain = {name: _torch_stage(stage) for name, stage in stages.items()}
    precise = {name: _torch_stage(deepcopy(stage).double()) for name, stage in stages.items()}
    found: dict[str, Parity] = {}
    for seed, case in enumerate(CASES):
        inputs = _inputs(stages, case, seed)
        reference, exact, own = _walk(plain, inputs), _walk(precise, inputs), _walk(exported, inputs)
        for name, stage in exported.items():
            alone = zip(OUTPUTS[name], stage(*(reference[i] for i in INPUTS[name])), strict=True)
            _merge(found, name, _compare(name, dict(alone), reference, exact))
        last = tuple(exported)[-1]
        _merge(found, "composed", _compare(last, own, reference, exact))
    return tuple(found.values())


def session(data: bytes, *, threads: int = 1) -> ort.InferenceSession:
    """A CPU session of an ONNX file's content."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    return ort.InferenceSession(data, options, providers=["CPUExecutionProvider"])


def pictures(batch: int, height: int, width: int, seed: int) -> NDArray[np.uint8]:
    """Pictures (b, h, w, 3): a single one has soft blobs; more are blobs, noise, black and white in turn."""
    rng = np.random.default_rng(seed)
    out = np.empty((batch, height, width, 3), dtype=np.uint8)
    for i in range(batch):
        coarse = torch.from_numpy(rng.uniform(0, 255, (1, 3, 4, 4)))
        soft = nn.functional.interpolate(coarse, (height, width), mode="bicubic").clamp(0, 255)
        kinds = (
            soft[0].permute(1, 2, 0).numpy(),
            rng.integers(0, 256, (height, width, 3)),
            np.zeros((height, width, 3)),
            np.full((height, width, 3), 255),
        )
        out[i] = kinds[(seed + i) % 4 if batch > 1 else 0]
    return out


def _inputs(stages: Mapping[str, nn.Module], case: tuple[int, int, int], seed: int) -> Values:
    """Pictures; for a factor that comes without its trunk, rectified noise like features."""
    if "factor" in stages and "trunk" not in stages:
        batch, height, width = case
        shape = (batch, FEATURES, height // STRIDE, width // STRIDE)
        noise = np.random.default_rng(seed).standard_normal(shape, dtype=np.float32)
        return {"features": np.maximum(noise, 0)}
    return {"image": pictures(*case, seed)}


def _walk(stages: Mapping[str, Stage], inputs: Values) -> Values:
    """Every value on the way through the stages, each fed with what the ones before gave."""
    values = dict(inputs)
    for name, stage in stages.items():
        values |= zip(OUTPUTS[name], stage(*(values[i] for i in INPUTS[name])), strict=True)
    return values


def _session_stage(sess: ort.InferenceSession) -> Stage:
    names = [i.name for i in sess.get_inputs()]
    return lambda *arrays: tuple(sess.run(None, dict(zip(names, arrays, strict=True))))


def _torch_stage(module: nn.Module) -> Stage:
    weights = next(module.parameters()).dtype

    def run(*arrays: Array) -> tuple[Array, ...]:
        inputs = (torch.from_numpy(a) for a in arrays)
        with torch.no_grad():
            y: Tensor | tuple[Tensor, ...] = module(
                *(t.to(weights) if t.is_floating_point() else t for t in inputs)
            )
        return tuple(t.numpy() for t in (y if isinstance(y, tuple) else (y,)))

    return run


def _compare(stage: str, got: Values, reference: Values, exact: Values) -> Parity:
    main, *labels = OUTPUTS[stage]
    for name in OUTPUTS[stage]:
        a, b = got[name], reference[name]
        if a.shape != b.shape or a.dtype != b.dtype:
            raise ExportError(
                f"{stage}: {name} should be {b.dtype} {b.shape}, the exported graph gives"
                f" {a.dtype} {a.shape}. Nothing was written"
            )
    plain = reference[main]
    scale = max(1.0, float(np.abs(plain).max())) if stage == "trunk" else 1.0
    changed = 0
    if labels:
        chosen = np.take_along_axis(plain, got[labels[0]].astype(np.int64)[:, None], axis=1)[:, 0]
        changed = int((chosen < plain.max(axis=1) - 2 * TOLERANCE).sum())
    return Parity(
        stage,
        float(np.abs(got[main] - plain).max()) / scale,
        float(np.abs(plain - exact[main]).max()) / scale,
        changed,
    )


def _merge(found: dict[str, Parity], name: str, new: Parity) -> None:
    old = found.get(name, Parity(name, 0.0, 0.0, 0))
    found[name] = Parity(
        name,
        float(np.maximum(old.max_error, new.max_error)),  # keeps a NaN
        float(np.maximum(old.rounding, new.rounding)),
        old.changed_labels + new.changed_labels,
    )
