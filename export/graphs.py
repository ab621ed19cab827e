"""torch → one ONNX graph: dynamic sizes, readable names, nothing of the machine it was made on."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence

import onnx
import torch
from torch import Tensor, nn

from export.stages import ExportError
from models.outputs import Output
from models.spec import IMAGE, METADATA_KEY, ModelSpec, StageSpec, outputs_by_name

OPSET = 20
SIZE_MULTIPLE = 32
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
    known = outputs_by_name(stages)
    examples = tuple(_example(name, known, fixed) for name in described.inputs)
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
                dynamic_shapes=None if fixed else tuple(_dynamic(name, known) for name in described.inputs),
                opset_version=OPSET,
                verbose=False,
            )
    finally:
        registration.setLevel(level)
    if program is None:
        raise ExportError(f"{stage}: the exporter returned nothing. Update torch")
    model: onnx.ModelProto = program.model_proto
    _tidy(model, max(o.stride for o in known.values()))
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


def _example(name: str, known: Mapping[str, Output], fixed: tuple[int, int] | None) -> Tensor:
    """An input of two pictures (a batch of one would fix the batch size in the trace), or of one if fixed."""
    batch = 1 if fixed else 2
    h, w = fixed or (2 * SIZE_MULTIPLE, 3 * SIZE_MULTIPLE)
    if name == IMAGE:
        return torch.zeros(batch, h, w, 3, dtype=torch.uint8)
    given = known[name]
    return torch.zeros(batch, given.channels, h // given.stride, w // given.stride)


def _dynamic(name: str, known: Mapping[str, Output]) -> dict[int, object]:
    batch, rows, columns = (torch.export.Dim(d, min=1) for d in ("batch", "rows", "columns"))
    if name == IMAGE:
        return {0: batch, 1: SIZE_MULTIPLE * rows, 2: SIZE_MULTIPLE * columns}
    cells = SIZE_MULTIPLE // known[name].stride
    return {0: batch, 2: cells * rows, 3: cells * columns}


def _tidy(model: onnx.ModelProto, stride: int) -> None:
    """Name the axes, and drop what the tracer noted of source files; `rows` and `columns` have `stride`.

    Inner values keep their axes: by equal names ONNX Runtime knows that both sides of a sum have one size,
    and adds them inside the convolution, in its blocked layout.
    """
    graph = model.graph
    inner = [v for v in graph.value_info if any(d.dim_param for d in v.type.tensor_type.shape.dim)]
    del model.metadata_props[:], graph.metadata_props[:], graph.value_info[:]
    graph.value_info.extend(inner)
    for item in (*graph.node, *graph.input, *graph.output, *graph.value_info, *graph.initializer):
        item.doc_string = ""
        del item.metadata_props[:]
    for value in (*graph.input, *graph.output, *graph.value_info):
        axes = [d for d in value.type.tensor_type.shape.dim if d.dim_param]
        for axis, pair in zip(axes[1:], (("height", "rows"), ("width", "columns")), strict=False):
            axis.dim_param = _axis_name(axis.dim_param, *pair, stride)


def _axis_name(traced: str, pixels: str, cells: str, stride: int) -> str:
    """The tracer's `32*x` → `height`, `16*x` → `height/2`, `4*x` → `rows`."""
    reduction = SIZE_MULTIPLE // int(traced.partition("*")[0])
    return {1: pixels, stride: cells}.get(reduction, f"{pixels}/{reduction}")
