"""Checks of an ONNX graph: operators, sizes, external data; before any runtime reads it."""

from __future__ import annotations

import io

from runtime.model_files.protobuf import Field, MalformedError, Reader

# Field numbers of onnx.proto.
MODEL_GRAPH, MODEL_TRAINING, MODEL_FUNCTIONS = 7, 20, 25
GRAPH_NODE, GRAPH_INITIALIZER, GRAPH_SPARSE = 1, 5, 15
NODE_INPUT, NODE_OUTPUT, NODE_OP, NODE_ATTRIBUTE, NODE_DOMAIN = 1, 2, 4, 5, 7
ATTRIBUTE_TENSORS = 5, 10
TENSOR_DIMS, TENSOR_NAME, TENSOR_RAW, TENSOR_EXTERNAL, TENSOR_LOCATION = 1, 8, 9, 13, 14

STANDARD_DOMAINS = frozenset({"", "ai.onnx"})
_PLAIN = """
Abs Add And ArgMax ArgMin AveragePool BatchNormalization Cast Ceil Clip Concat Constant Conv ConvInteger
ConvTranspose Cos DepthToSpace DequantizeLinear Div Dropout Elu Equal Erf Exp EyeLike Flatten Floor Gather
Gelu Gemm GlobalAveragePool GlobalMaxPool Greater GreaterOrEqual GroupNormalization HardSigmoid HardSwish
Identity InstanceNormalization LRN LayerNormalization LeakyRelu Less LessOrEqual Log LogSoftmax MatMul
MatMulInteger Max MaxPool Mean Min Mish Mul Neg Not Or PRelu Pow QLinearConv QLinearMatMul QuantizeLinear
Reciprocal Relu Round Selu Sigmoid Sign Sin Softmax Softplus Softsign SpaceToDepth Sqrt Sub Sum Tanh
ThresholdedRelu Transpose Where Xor
"""
_SIZED = """
Expand Pad ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum
ReduceSumSquare Reshape Resize Slice Split Squeeze Tile TopK Unsqueeze Upsample
"""
#: Their cost follows from the sizes of their inputs: a trial at a large size tells of every smaller one.
PLAIN_OPS = frozenset(_PLAIN.split())
#: So does theirs, where what follows the first input is constant: sizes, axes, repetitions.
SIZED_OPS = frozenset(_SIZED.split())
MADE_OPS = frozenset({"ConstantOfShape", "Range"})  # all that they are given is a size
MAX_NODES = 20_000
MAX_ELEMENTS = 1 << 28  # of one tensor


class StructureError(ValueError):
    """The graph holds something that is not accepted; the text is the reason."""


def check_structure(data: bytes) -> None:
    """Walk a model's graph.

    Raises:
        StructureError: functions, operators whose work cannot be known before, external data, impossible
            tensors, or not ONNX.
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
    constants = {""}  # the name of an optional input that is left out
    nodes = []
    for field in reader.fields(graph):
        if field.number == GRAPH_SPARSE:
            raise StructureError("it holds sparse weights")
        if field.number == GRAPH_INITIALIZER:
            constants.add(_check_tensor(reader, field))
        if field.number == GRAPH_NODE:
            nodes.append(field)
    if len(nodes) > MAX_NODES:
        raise StructureError(f"it has more than {MAX_NODES} operators")
    for node in nodes:  # in the order of the data
        _check_node(reader, node, constants)


def _check_node(reader: Reader, node: Field, constants: set[str]) -> None:
    """Check one operator; what it gives joins the constants when it is one."""
    names: dict[int, list[str]] = {n: [] for n in (NODE_INPUT, NODE_OUTPUT, NODE_OP, NODE_DOMAIN)}
    for field in reader.fields(node):
        if field.number in names:
            names[field.number].append(reader.text(field))
        elif field.number == NODE_ATTRIBUTE:
            for inner in reader.fields(field):
                if inner.number in ATTRIBUTE_TENSORS and inner.is_span:
                    _check_tensor(reader, inner)
    op, domain = "".join(names[NODE_OP]), "".join(names[NODE_DOMAIN])
    if domain not in STANDARD_DOMAINS:
        raise StructureError(f"its operator {op[:40]} is from {domain[:60]!r}, not a standard one")
    if op not in PLAIN_OPS | SIZED_OPS | MADE_OPS:
        decided = f"what its operator {op[:40]} needs is decided while it runs"
        raise StructureError(f"{decided}, so its time and memory cannot be bounded")
    sizes = () if op in PLAIN_OPS else names[NODE_INPUT][op in SIZED_OPS :]
    if not constants.issuperset(sizes):
        raise StructureError(f"its operator {op} takes sizes that the graph computes, which may be anything")
    if op == "Constant":
        constants.update(names[NODE_OUTPUT])


def _check_tensor(reader: Reader, tensor: Field) -> str:
    """Check the sizes of one tensor; returns its name."""
    name, elements, raw = "", 1, 0
    for field in reader.fields(tensor):
        if field.number == TENSOR_NAME:
            name = reader.text(field)
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
    return name
