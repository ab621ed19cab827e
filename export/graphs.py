"""torch → one ONNX graph: dynamic sizes, readable names, nothing of the machine it was made on."""

from __future__ import annotations

import logging
import re
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence

import onnx
import torch
from torch import Tensor, nn

from export.stages import ExportError
from models.grid import Grid, Sides
from models.outputs import Output
from models.spec import IMAGE, METADATA_KEY, ModelSpec, StageSpec, outputs_by_name, sides_of

OPSET = 20
RANDOM_OPS = frozenset(("Dropout", "Bernoulli", "Multinomial"))  # beside every Random…


def to_onnx(
    module: nn.Module, stages: Sequence[StageSpec], stage: str, *, fixed: tuple[int, int] | None = None
) -> onnx.ModelProto:
    """Trace a stage with dynamic batch, height and width, and check the graph.

    Args:
        module: the stage, in eval mode.
        stages: of the whole model, which give the names and shapes of inputs and outputs.
        stage: which one it is.
        fixed: (height, width) of single pictures, for a module that cannot be traced for every size.

    Raises:
        ExportError: when dropout, random numbers or a batch norm in training mode are left in the graph.
    """
    described = next(s for s in stages if s.name == stage)
    known, sides = outputs_by_name(stages), sides_of(stages)
    size = fixed or (sides.up(2 * sides.multiple), sides.up(3 * sides.multiple))
    examples = tuple(_example(name, known, size, 1 if fixed else 2) for name in described.inputs)
    registration = logging.getLogger("torch.onnx._internal.exporter._registration")
    level = registration.level
    registration.setLevel(logging.ERROR)  # four lines about torchvision, which is not needed
    try:
        with warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter("ignore")  # deprecations inside the exporter
            program = torch.onnx.export(
                module,
                examples,
                dynamo=True,
                input_names=list(described.inputs),
                output_names=[o.name for o in described.outputs],
                dynamic_shapes=None if fixed else tuple(_dynamic(i, known, sides) for i in described.inputs),
                opset_version=OPSET,
                verbose=False,
            )
    finally:
        registration.setLevel(level)
    if program is None:
        raise ExportError(f"{stage}: the exporter returned nothing. Update torch")
    model: onnx.ModelProto = program.model_proto
    _tidy(model, max(o.stride for o in known.values()), sides.multiple)
    refuse_training_graph(model, stage)
    return model


def with_spec(model: onnx.ModelProto, spec: ModelSpec) -> bytes:
    """The checked bytes of a graph with its description in `metadata_props`."""
    del model.metadata_props[:]
    entry = model.metadata_props.add()
    entry.key, entry.value = METADATA_KEY, spec.to_json()
    onnx.checker.check_model(model, full_check=True)
    data: bytes = model.SerializeToString(deterministic=True)
    return data


def refuse_training_graph(model: onnx.ModelProto, stage: str) -> None:
    """Raise when a graph would answer differently each time, or normalise by the batch.

    Raises:
        ExportError: naming the node.
    """
    for node in _nodes(model):
        training = any(a.name == "training_mode" and a.i for a in node.attribute)
        if training or node.op_type in RANDOM_OPS or node.op_type.startswith("Random"):
            raise ExportError(
                f"{stage}: {node.op_type} for training is left in the graph. Call .eval() first"
            )


def _nodes(model: onnx.ModelProto) -> Iterator[onnx.NodeProto]:
    for body in (model.graph, *model.functions):
        yield from _nodes_below(body.node)


def _nodes_below(nodes: Iterable[onnx.NodeProto]) -> Iterator[onnx.NodeProto]:
    for node in nodes:
        yield node
        for attribute in node.attribute:
            for graph in (attribute.g, *attribute.graphs):
                yield from _nodes_below(graph.node)


def _example(name: str, known: Mapping[str, Output], size: tuple[int, int], batch: int) -> Tensor:
    """An input of pictures of (height, width); a batch of one would fix the batch size in the trace."""
    h, w = size
    if name == IMAGE:
        return torch.zeros(batch, h, w, 3, dtype=torch.uint8)
    given = known[name]
    rows, columns = (given.grid.cells(side, given.stride) for side in size)
    return torch.zeros(batch, given.channels, rows, columns)


def _dynamic(name: str, known: Mapping[str, Output], sides: Sides) -> dict[int, object]:
    batch, rows, columns = (torch.export.Dim(d, min=1) for d in ("batch", "rows", "columns"))
    of_image = name == IMAGE
    each = sides.multiple // (1 if of_image else known[name].stride)
    first = 1 if of_image else 2
    axes = (each * n + 1 if sides.grid is Grid.CORNER else each * n for n in (rows, columns))
    return {0: batch, **dict(enumerate(axes, first))}


def _tidy(model: onnx.ModelProto, stride: int, multiple: int) -> None:
    """Name the axes, and drop what the tracer noted of source files; `rows` and `columns` have `stride`.

    Inner values keep their axes: by equal names ONNX Runtime knows that both sides of a sum have one size,
    and adds them inside the convolution, in its blocked layout. An axis that is no plain fraction of the
    picture has no name, and its value none either: the runtime would take two sizes for one.
    """
    graph = model.graph
    symbols = {"rows": ("height", "rows"), "columns": ("width", "columns")}
    for output in graph.output:
        sides = zip(output.type.tensor_type.shape.dim[-2:], list(symbols.values())[:2], strict=True)
        symbols |= {m[2]: names for d, names in sides if (m := _SCALED.fullmatch(d.dim_param))}
    inner = []
    for value in graph.value_info:
        axes = value.type.tensor_type.shape.dim
        named = [_axis_name(d.dim_param, symbols, stride, multiple) for d in axes if d.dim_param]
        if named and all(named):
            inner.append(value)
    del model.metadata_props[:], graph.metadata_props[:], graph.value_info[:]
    graph.value_info.extend(inner)
    for item in (*graph.node, *graph.input, *graph.output, *graph.value_info, *graph.initializer):
        item.doc_string = ""
        del item.metadata_props[:]
    for value in (*graph.input, *graph.output, *graph.value_info):
        for axis in value.type.tensor_type.shape.dim:
            if axis.dim_param:
                axis.dim_param = _axis_name(axis.dim_param, symbols, stride, multiple)


_SCALED = re.compile(r"(?:(\d+)\*)?(\w+)(?: \+ 1)?")  # the tracer's `32*x`, and `16*x + 1` of corners


def _axis_name(traced: str, symbols: Mapping[str, tuple[str, str]], stride: int, multiple: int) -> str:
    """The tracer's `32*x` → `height`, `16*x` → `height/2`, `4*x` → `rows`; empty for any other size."""
    found = _SCALED.fullmatch(traced)
    if traced == "batch" or found is None or found[2] not in symbols:
        return "batch" if traced == "batch" else ""
    pixels, cells = symbols[found[2]]
    reduction = multiple // int(found[1] or 1)
    return {1: pixels, stride: cells}.get(reduction, f"{pixels}/{reduction}")
