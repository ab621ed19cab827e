"""A factor from its ONNX file and back: the weights that learn are those of the very file that runs.

Exported graphs have their norms folded into the convolutions (`export.rewrite`), so a factor learns in that
form, with half the operations and no statistics that could drift; and the file that comes out is the one that
went in, with other weights.
"""

from __future__ import annotations

from copy import deepcopy

import onnx
import torch
from onnx import numpy_helper
from torch import Tensor

from export import parity
from export.graphs import with_spec
from export.rewrite import FastFactor, rewrite
from export.stages import refuse_unfit
from models.factored import Factor, FactorStage
from models.families import Activation
from models.spec import ModelSpec


class FactorError(ValueError):
    """A factor file whose weights cannot be learned on; the text says why."""


def load(data: bytes) -> FastFactor:
    """The factor of an ONNX file, as a module that learns.

    Raises:
        FactorError: it is not a factor as `export` writes them.
    """
    weights = {
        i.name: torch.from_numpy(numpy_helper.to_array(i).copy())
        for i in onnx.load_from_string(data).graph.initializer
    }
    act: Activation = "prelu" if any(".rectified." in name for name in weights) else "relu"
    fast = rewrite(FactorStage(Factor(act).eval()))
    assert isinstance(fast, FastFactor)
    own = fast.state_dict()
    if own.keys() != weights.keys() or any(own[k].shape != weights[k].shape for k in own):
        raise FactorError("its weights do not stand where this version expects them")
    if not all(bool(torch.isfinite(w).all()) for w in weights.values()):
        raise FactorError("it holds NaN or infinite weights")
    fast.load_state_dict(weights)
    trained: FastFactor = fast.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return trained


def between(before: FastFactor, after: FastFactor, share: float) -> FastFactor:
    """The factor that stands `share` of the way from one to the other: between two fine-tunings of the same
    weights the loss is nearly convex, so half the way keeps more than half of both (Wortsman et al. 2022).
    """
    mixed = deepcopy(after)
    ends = zip(before.state_dict().items(), after.state_dict().values(), strict=True)
    mixed.load_state_dict({name: a.lerp(b, share) for (name, a), b in ends})
    return mixed.eval()


def logits(factor: FastFactor, features: Tensor) -> Tensor:
    """(b, 128, h, w) → log-odds of person (b, h, w)."""
    odds: Tensor = factor.classify(factor.blocks(features))[:, 0]
    return odds


def store(factor: FastFactor, graph: bytes, spec: ModelSpec) -> bytes:
    """The ONNX file of a factor: the graph it was loaded from, with other weights and another description.

    Args:
        factor: what has learned.
        graph: the file that `load` was given.
        spec: the new description.

    Raises:
        ExportError: a weight is not finite, or the file does not say what the module says.
    """
    refuse_unfit(factor.eval(), spec.name)
    model = onnx.load_from_string(graph)
    learned = factor.state_dict()
    for initializer in model.graph.initializer:
        values = learned[initializer.name].contiguous().numpy()
        initializer.CopyFrom(numpy_helper.from_array(values, initializer.name))
    data = with_spec(model, spec)
    parity.check({"factor": data}, {"factor": factor}, spec.stages)
    return data


def described(data: bytes, spec: ModelSpec) -> bytes:
    """The same file with another description."""
    return with_spec(onnx.load_from_string(data), spec)
