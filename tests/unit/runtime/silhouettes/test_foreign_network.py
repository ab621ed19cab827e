"""Networks of other programs: read as the user says, tried first, refused in words."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from runtime.model_files.metadata import is_foreign
from runtime.silhouettes.foreign_network import ForeignNetwork, NetworkReading, load_foreign
from runtime.system.errors import Refusal
from tests.unit.runtime.model_files import crafted

IMAGENET = NetworkReading((64, 64), (123.675, 116.28, 103.53), (58.395, 57.12, 57.375))


def red_network(
    *, last: bool = False, labels: bool = False, sides: tuple[object, object] = (64, 64)
) -> bytes:
    """Logits (nothing, what its first channel shows): the person is what is red, and channel 1."""
    axis = 3 if last else 1
    nodes = [helper.make_node("Split", ["x"], ["first", "b", "c"], axis=axis, num_outputs=3)]
    nodes += [helper.make_node("Mul", ["first", "gain"], ["red"]), helper.make_node("Neg", ["red"], ["rest"])]
    nodes += [helper.make_node("Concat", ["rest", "red"], ["logits"], axis=axis)]
    if labels:
        nodes += [helper.make_node("ArgMax", ["logits"], ["labels"], axis=axis, keepdims=0)]
    shape = [1, *sides, 3] if last else [1, 3, *sides]
    out = (
        ("labels", TensorProto.INT64, [1, *sides])
        if labels
        else ("logits", TensorProto.FLOAT, [1, "a", "b", "c"])
    )
    graph = helper.make_graph(
        nodes,
        "red",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info(*out)],
        [helper.make_tensor("gain", TensorProto.FLOAT, [1], [9.0])],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.checker.check_model(made)
    return made.SerializeToString()


def half_red(first: int = 0) -> np.ndarray:
    picture = np.zeros((90, 160, 3), np.uint8)
    picture[:, 80:, first] = 255
    return picture


@pytest.mark.parametrize("last", [False, True])
@pytest.mark.parametrize("labels", [False, True])
@pytest.mark.parametrize("bgr", [False, True])
def test_the_person_is_where_its_channel_says(last: bool, labels: bool, bgr: bool) -> None:
    reading = NetworkReading((48, 80), IMAGENET.mean, IMAGENET.deviation, bgr, person=1)
    network = ForeignNetwork("red", red_network(last=last, labels=labels, sides=("h", "w")), reading)
    mask = network.mask(half_red(2 if bgr else 0))
    assert mask.shape == (48, 80)
    assert mask[:, :36].max() < 5
    assert mask[:, 44:].min() > 250


def test_a_size_in_the_file_counts_and_the_file_is_tried_and_known_again(tmp_path: Path) -> None:
    path = tmp_path / "red.onnx"
    path.write_bytes(red_network())
    assert is_foreign(path)
    network = load_foreign(path, NetworkReading((500, 500), *_numbers(), person=1))
    assert network.name == "red"
    assert network.mask(half_red()).shape == (64, 64)


def _numbers() -> tuple[tuple[float, ...], tuple[float, ...]]:
    return IMAGENET.mean, IMAGENET.deviation


@pytest.mark.parametrize("what", ["channel", "input", "garbage"])
def test_what_cannot_be_is_refused_in_words(tmp_path: Path, what: str) -> None:
    path = tmp_path / "other.onnx"
    data = {"channel": red_network(), "input": crafted.head(crafted.trunk()), "garbage": b"no model"}[what]
    path.write_bytes(data)
    reading = NetworkReading((64, 64), *_numbers(), person=7)
    words = {"channel": "2 channels", "input": "several inputs", "garbage": "malformed"}[what]
    with pytest.raises(Refusal, match=words):
        load_foreign(path, reading)


def test_our_own_files_and_garbage_are_not_foreign(tmp_path: Path) -> None:
    for name, data in (("own", crafted.network("person")), ("garbage", b"no model")):
        (tmp_path / name).write_bytes(data)
        assert not is_foreign(tmp_path / name)
