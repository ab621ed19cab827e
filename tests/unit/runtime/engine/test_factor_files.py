"""Files of factors that are none: refused in words, and the factor in use stays (row E14)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import onnx
import pytest

from runtime.engine.engine import Engine
from runtime.system.errors import Refusal
from tests.unit.runtime.model_files import crafted, hostile

BROKEN: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda _: b"",
    "cut off": lambda trunk: crafted.personalised(trunk)[:-40],
    "safetensors": lambda _: b"\x02\0\0\0\0\0\0\0{}",
    "checkpoint": lambda _: b"PK\x03\x04archive/data.pkl",
    "not a number": lambda trunk: crafted.personalised(trunk, bias=float("nan")),
    "description": lambda trunk: hostile.described('{"format": 2}', crafted.personalised(trunk)),
    "shape": lambda trunk: hostile.edited(_one_channel_less, crafted.personalised(trunk)),
    "another network": lambda _: crafted.network("person"),
}


def _one_channel_less(model: onnx.ModelProto) -> None:
    weights = onnx.numpy_helper.to_array(model.graph.initializer[0])
    model.graph.initializer[0].CopyFrom(onnx.numpy_helper.from_array(weights[:, 1:], "w"))


@pytest.mark.parametrize("case", BROKEN)
def test_e14_a_malformed_factor_is_refused_and_the_one_in_use_stays(
    engine: Engine, tmp_path: Path, case: str
) -> None:
    trunk, frame = engine.stages.sessions[0].data, crafted.frame()
    before = engine.parsing(frame).person
    file = tmp_path / "bad.factor.onnx"
    file.write_bytes(BROKEN[case](trunk))
    with pytest.raises(Refusal, match="bad"):
        engine.load_factor(file)
    assert file.exists(), "nothing is deleted"
    assert (engine.parsing(frame).person == before).all()
