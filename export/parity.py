"""The exported graphs against the plain torch modules in ONNX Runtime: stage by stage, then composed."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from export.stages import ExportError
from models.outputs import Output, PartLabels, PartProbabilities
from models.spec import IMAGE, StageSpec, outputs_by_name, sides_of

os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # read once, when the library loads
import onnxruntime as ort

COMPOSED = "composed"  # in a report: the last stage, fed by the exported ones before it
ROUNDING = 4  # where the plain module itself rounds further than that, this many times its own rounding
CASES = ((1, 32, 32), (3, 64, 96), (2, 160, 64), (1, 288, 512))  # batch, height, width
Array = NDArray[Any]  # float32 or uint8
Values = dict[str, Array]  # by the name of the graph's input or output
Run = Callable[..., tuple[Array, ...]]


@dataclass(frozen=True)
class Parity:
    """The largest difference seen in one output between an exported stage and its torch module."""

    stage: str  #: its name, or `COMPOSED`
    output: Output
    max_error: float  #: absolute on probabilities, else relative to the largest value; for labels, how many
    rounding: float = 0.0  #: the same of the plain module in float32 against itself in float64

    @property
    def passed(self) -> bool:
        """True when nothing but rounding differs; NaN never passes."""
        if isinstance(self.output, PartLabels):
            return self.max_error == 0
        return self.max_error <= max(self.output.tolerance, ROUNDING * self.rounding)


def check(
    models: Mapping[str, bytes], modules: Mapping[str, nn.Module], stages: Sequence[StageSpec]
) -> tuple[Parity, ...]:
    """Compare exported stages with plain ones over several batch sizes, sizes and kinds of picture.

    Args:
        models: stage name → ONNX file content.
        modules: stage name → the plain module, in eval mode, as `Network.stages` gives them.
        stages: of the whole model, which describe the outputs.

    Raises:
        ExportError: when a stage, or the stages composed, differ by more than rounding can explain.
    """
    results = measure(models, modules, stages)
    for r in results:
        if not r.passed:
            labels = isinstance(r.output, PartLabels)
            far = f"in {r.max_error:.0f} labels" if labels else f"by {r.max_error:.2g}"
            raise ExportError(
                f"{r.stage}: {r.output.name} of the exported graph differs from the torch module {far} "
                f"(allowed {0 if labels else r.output.tolerance:.0e}). Nothing was written"
            )
    return results


def measure(
    models: Mapping[str, bytes], modules: Mapping[str, nn.Module], stages: Sequence[StageSpec]
) -> tuple[Parity, ...]:
    """As `check`, without judging."""
    chain = [s for s in stages if s.name in models]
    exported = {name: session_run(session(data)) for name, data in models.items()}
    plain = {name: _torch_run(module) for name, module in modules.items()}
    precise = {name: _torch_run(deepcopy(module).double()) for name, module in modules.items()}
    found: dict[tuple[str, str], Parity] = {}
    up = sides_of(stages).up
    for seed, (batch, height, width) in enumerate(CASES):
        case = batch, up(height), up(width)
        inputs = _inputs(chain, outputs_by_name(stages), case, seed)
        reference, exact, own = (walk(chain, runs, inputs) for runs in (plain, precise, exported))
        for stage in chain:
            alone = _outputs(stage, exported[stage.name], reference)
            _merge(found, _compare(stage.name, stage, alone, reference, exact))
        _merge(found, _compare(COMPOSED, chain[-1], own, reference, exact))
    return tuple(found.values())


def session(data: bytes) -> ort.InferenceSession:
    """A CPU session of an ONNX file's content."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
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


def _inputs(
    chain: Sequence[StageSpec], known: Mapping[str, Output], case: tuple[int, int, int], seed: int
) -> Values:
    """Inputs that no stage of the chain gives: pictures, or rectified noise like earlier outputs."""
    batch, height, width = case
    rng = np.random.default_rng(seed)
    values: Values = {}
    for name in dict.fromkeys(i for s in chain for i in s.inputs if i not in outputs_by_name(chain)):
        if name == IMAGE:
            values[name] = pictures(*case, seed)
            continue
        given = known[name]
        cells = (given.grid.cells(side, given.stride) for side in (height, width))
        shape = (batch, given.channels, *cells)
        noise = np.maximum(rng.standard_normal(shape, dtype=np.float32), 0)
        values[name] = np.minimum(noise, 1) if given.probability else noise
    return values


def walk(chain: Sequence[StageSpec], runs: Mapping[str, Run], inputs: Values) -> Values:
    """Every value on the way through the stages, each fed with what the ones before gave."""
    values = dict(inputs)
    for stage in chain:
        values |= _outputs(stage, runs[stage.name], values)
    return values


def _outputs(stage: StageSpec, run: Run, values: Values) -> Values:
    names = [o.name for o in stage.outputs]
    return dict(zip(names, run(*(values[i] for i in stage.inputs)), strict=True))


def session_run(sess: ort.InferenceSession) -> Run:
    """A stage as a function of its inputs, in their order."""
    names = [i.name for i in sess.get_inputs()]
    return lambda *arrays: tuple(sess.run(None, dict(zip(names, arrays, strict=True))))


def _torch_run(module: nn.Module) -> Run:
    weights = next(module.parameters()).dtype

    def run(*arrays: Array) -> tuple[Array, ...]:
        inputs = (torch.from_numpy(a) for a in arrays)
        with torch.no_grad():
            y: Tensor | tuple[Tensor, ...] = module(
                *(t.to(weights) if t.is_floating_point() else t for t in inputs)
            )
        return tuple(t.numpy() for t in (y if isinstance(y, tuple) else (y,)))

    return run


def _compare(name: str, stage: StageSpec, got: Values, reference: Values, exact: Values) -> Iterator[Parity]:
    parts = next((o for o in stage.outputs if isinstance(o, PartProbabilities)), None)
    for output in stage.outputs:
        a, b = got[output.name], reference[output.name]
        if a.shape != b.shape or a.dtype != b.dtype:
            raise ExportError(
                f"{name}: {output.name} should be {b.dtype} {b.shape}, the exported graph gives"
                f" {a.dtype} {a.shape}. Nothing was written"
            )
        if isinstance(output, PartLabels) and parts is not None:
            yield Parity(name, output, _changed(a, reference[parts.name], parts.tolerance))
            continue
        scale = 1.0 if output.probability else max(1.0, float(np.abs(b).max()))
        error, rounding = (float(np.abs(x - b).max()) / scale for x in (a, exact[output.name]))
        yield Parity(name, output, error, rounding)


def _changed(labels: Array, parts: Array, tolerance: float) -> int:
    """Cells whose label differs although their two best parts are no tie."""
    chosen = np.take_along_axis(parts, labels.astype(np.int64)[:, None], axis=1)[:, 0]
    return int((chosen < parts.max(axis=1) - 2 * tolerance).sum())


def _merge(found: dict[tuple[str, str], Parity], news: Iterator[Parity]) -> None:
    for new in news:
        key = new.stage, new.output.name
        old = found.get(key, replace(new, max_error=0.0, rounding=0.0))
        found[key] = replace(
            new,
            max_error=float(np.maximum(old.max_error, new.max_error)),  # keeps a NaN
            rounding=float(np.maximum(old.rounding, new.rounding)),
        )
