"""Checks of an ONNX graph: operators, sizes, external data; before any runtime reads it."""

from __future__ import annotations

import io
from collections.abc import Iterator

from runtime.model_files.protobuf import Field, MalformedError, Reader

# Field numbers of onnx.proto.
MODEL_GRAPH, MODEL_TRAINING, MODEL_FUNCTIONS = 7, 20, 25
GRAPH_NODE, GRAPH_INITIALIZER, GRAPH_SPARSE = 1, 5, 15
NODE_OP, NODE_ATTRIBUTE, NODE_DOMAIN = 4, 5, 7
ATTRIBUTE_TENSOR, ATTRIBUTE_GRAPH, ATTRIBUTE_TENSORS, ATTRIBUTE_GRAPHS = 5, 6, 10, 11
TENSOR_DIMS, TENSOR_RAW, TENSOR_EXTERNAL, TENSOR_LOCATION = 1, 9, 13, 14

STANDARD_DOMAINS = frozenset({"", "ai.onnx"})
#: A graph for live video needs no loop; a loop's trip count can keep a core busy for ever.
REFUSED_OPS = frozenset({"Loop", "Scan", "SequenceMap"})
MAX_NODES = 20_000
MAX_DEPTH = 4  # of graphs in attributes
MAX_ELEMENTS = 1 << 28  # of one tensor


class StructureError(ValueError):
    """The graph holds something that is not accepted; the text is the reason."""


def check_structure(data: bytes) -> None:
    """Walk a model's graph.

    Raises:
        StructureError: functions, foreign operators, loops, external data, impossible tensors, or not ONNX.
    """
    reader = Reader(io.BytesIO(data))
    try:
        for field in reader.fields(reader.whole()):
            if field.number == MODEL_FUNCTIONS:
                raise StructureError("it defines functions of its own; only plain graphs are accepted")
            if field.number == MODEL_TRAINING:
                raise StructureError("it holds a training graph")
            if field.number == MODEL_GRAPH:
                _check_graph(reader, field)
    except MalformedError as e:
        raise StructureError(f"the model is malformed ({e})") from e


def _check_graph(reader: Reader, graph: Field) -> None:
    nodes = 0
    pending = [(graph, 0)]
    while pending:
        message, depth = pending.pop()
        if depth > MAX_DEPTH:
            raise StructureError("its graphs are nested too deep")
        for field in reader.fields(message):
            if field.number == GRAPH_SPARSE:
                raise StructureError("it holds sparse weights")
            if field.number == GRAPH_INITIALIZER:
                _check_tensor(reader, field)
            if field.number == GRAPH_NODE:
                nodes += 1
                pending.extend((inner, depth + 1) for inner in _check_node(reader, field))
        if nodes > MAX_NODES:
            raise StructureError(f"it has more than {MAX_NODES} operators")


def _check_node(reader: Reader, node: Field) -> Iterator[Field]:
    """Check one operator; its inner graphs come back."""
    op = domain = ""
    for field in reader.fields(node):
        if field.number == NODE_OP:
            op = reader.text(field)
        elif field.number == NODE_DOMAIN:
            domain = reader.text(field)
        elif field.number == NODE_ATTRIBUTE:
            for inner in reader.fields(field):
                if inner.number in (ATTRIBUTE_TENSOR, ATTRIBUTE_TENSORS) and inner.is_span:
                    _check_tensor(reader, inner)
                if inner.number in (ATTRIBUTE_GRAPH, ATTRIBUTE_GRAPHS) and inner.is_span:
                    yield inner
    if domain not in STANDARD_DOMAINS:
        raise StructureError(f"its operator {op[:40]} is from {domain[:60]!r}, not a standard one")
    if op in REFUSED_OPS:
        raise StructureError(f"it uses the operator {op}, which can run for ever")


def _check_tensor(reader: Reader, tensor: Field) -> None:
    elements, raw = 1, 0
    for field in reader.fields(tensor):
        if field.number == TENSOR_EXTERNAL or (field.number == TENSOR_LOCATION and field.value):
            raise StructureError("its weights lie in another file; only single-file models are accepted")
        if field.number == TENSOR_DIMS:
            for side in reader.integers(field):
                if side < 0:
                    raise StructureError("a tensor has a negative size")
                elements *= side
        if field.number == TENSOR_RAW:
            raw = field.length
        if elements > MAX_ELEMENTS or (raw and elements > 8 * raw):
            raise StructureError(f"a tensor claims {elements} values, more than the file holds or is allowed")
