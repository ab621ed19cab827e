from __future__ import annotations

import errno
import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from models.checkpoint import (
    CheckpointError,
    load_checkpoint,
    load_network,
    load_weights,
    row_of,
    save_checkpoint,
    save_network,
    with_slopes,
)
from models.factored import FactoredConvNet
from models.families import ZOO
from models.network import build
from tests.networks import LIGHT
from tests.unit.app.fault_injection import failing_call


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("checkpoint") / "net.safetensors"
    save_network(path, ZOO["factored-s31"], FactoredConvNet(), {"step": 7})
    return path


@pytest.mark.parametrize("name", LIGHT)
def test_round_trip(name: str, tmp_path: Path) -> None:
    network = build(ZOO[name])
    path = tmp_path / "deep" / "net.safetensors"
    save_network(path, ZOO[name], network, {"step": 7})
    again, meta = load_network(path)
    assert type(again) is type(network)
    assert meta["step"] == 7
    assert not again.training
    assert row_of(meta, path).name == name
    for key, value in network.state_dict().items():
        assert torch.equal(value, again.state_dict()[key])
    assert [p.name for p in path.parent.iterdir()] == ["net.safetensors"], "a temporary file was left"


@pytest.mark.parametrize(
    ("meta", "name"),
    [
        ({"architecture": "factored", "activation": "relu", "classes": 32}, "factored-s31"),
        ({"architecture": "factored", "activation": "prelu"}, "factored-s31-paper"),
        ({"architecture": "baseline", "activation": "relu", "classes": 32}, "baseline-relu"),
        ({"architecture": "enet", "activation": "prelu", "classes": 32}, "enet"),
    ],
)
def test_checkpoints_from_before_rows_had_names_are_loaded(
    meta: dict[str, object], name: str, tmp_path: Path
) -> None:
    path = tmp_path / "old.safetensors"
    network = build(ZOO[name])
    save_checkpoint(path, {"ema": network.state_dict()}, meta)
    again, facts = load_network(path)
    assert row_of(facts, path) is ZOO[name]
    assert torch.equal(
        again.state_dict()["net.0.conv.weight" if "factored" not in name else "trunk.0.conv.weight"],
        next(iter(network.parameters())),
    )


@pytest.mark.parametrize("name", ["factored-s31", "factored-s31-paper"])
def test_the_shipped_checkpoints_are_loaded(name: str) -> None:
    path = Path(__file__).parents[3] / "assets" / "checkpoints" / f"{name}.safetensors"
    network, meta = load_network(path)
    assert row_of(meta, path) is ZOO[name]
    assert sum(p.numel() for p in network.parameters()) == ZOO[name].parameters


def test_the_averaged_weights_of_a_training_are_taken(tmp_path: Path) -> None:
    net, ema = FactoredConvNet(), FactoredConvNet()
    path = tmp_path / "last.safetensors"
    meta = {"architecture": "factored", "activation": "relu"}
    save_checkpoint(path, {"net": net.state_dict(), "ema": ema.state_dict()}, meta)
    got, _ = load_network(path)
    assert torch.equal(got.state_dict()["trunk.0.conv.weight"], ema.state_dict()["trunk.0.conv.weight"])


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "not a checkpoint"),
        (b"\x80\x04\x95", "never loaded"),
        (b"PK\x03\x04" + bytes(100), "never loaded"),
        (b"<!DOCTYPE html>", "not a checkpoint"),
        (b"\xff" * 64, "not a checkpoint"),
    ],
)
def test_other_files_are_refused_in_words(content: bytes, words: str, tmp_path: Path) -> None:
    path = tmp_path / "model.pt"
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match=words):
        load_network(path)
    assert path.read_bytes() == content


def test_truncated_and_missing_files_are_refused(saved: Path, tmp_path: Path) -> None:
    path = tmp_path / "cut.safetensors"
    path.write_bytes(saved.read_bytes()[:-100])
    with pytest.raises(CheckpointError, match=r"cut\.safetensors"):
        load_network(path)
    with pytest.raises(CheckpointError, match="no such file"):
        load_network(tmp_path / "none.safetensors")
    with pytest.raises(CheckpointError, match=tmp_path.name):
        load_network(tmp_path)


@pytest.mark.parametrize(
    "meta",
    [
        {"architecture": "hourglass", "activation": "relu"},
        {"architecture": "factored", "activation": "tanh"},
        {"architecture": "factored"},
        {"architecture": "factored", "activation": "relu", "classes": "many"},
        {"architecture": "factored", "activation": "relu", "classes": 7},
        {"row": "hourglass", "architecture": "factored", "activation": "relu"},
        {},
    ],
)
def test_another_architecture_is_refused_by_name(meta: dict[str, str], tmp_path: Path) -> None:
    path = tmp_path / "net.safetensors"
    save_checkpoint(path, {"ema": {"w": torch.zeros(1)}}, meta)
    with pytest.raises(CheckpointError, match="Known: factored"):
        load_network(path)


def test_metadata_that_is_no_object_or_absent_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "net.safetensors"
    save_file({"w": torch.zeros(1)}, path, metadata={"xfactor": json.dumps([1])})
    with pytest.raises(CheckpointError, match="not a JSON object"):
        load_checkpoint(path)
    save_file({"w": torch.zeros(1)}, path)
    with pytest.raises(CheckpointError, match="not a checkpoint of this project"):
        load_checkpoint(path)


def test_a_checkpoint_without_averaged_weights_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "net.safetensors"
    save_checkpoint(path, {"net": {"w": torch.zeros(1)}}, {"architecture": "factored", "activation": "relu"})
    with pytest.raises(CheckpointError, match="averaged"):
        load_network(path)


def test_weights_must_fit_in_name_shape_type_and_be_finite(tmp_path: Path) -> None:
    path = tmp_path / "x"
    net = FactoredConvNet()
    good = net.state_dict()
    name = "trunk.0.conv.weight"
    cases: list[tuple[dict[str, torch.Tensor], str]] = [
        ({k: v for k, v in good.items() if k != name}, "1 tensors missing"),
        (good | {"extra": torch.zeros(1)}, "another architecture"),
        (good | {name: torch.zeros(13, 3, 5, 5)}, "expected"),
        (good | {name: good[name].half()}, "float16"),
        (good | {name: torch.full_like(good[name], torch.nan)}, "NaN"),
        (good | {name: torch.full_like(good[name], torch.inf)}, "infinite"),
    ]
    for tensors, words in cases:
        with pytest.raises(CheckpointError, match=words):
            load_weights(net, tensors, path)


def test_a_write_that_fails_leaves_the_checkpoint_before_it(tmp_path: Path) -> None:
    path = tmp_path / "net.safetensors"
    save_checkpoint(path, {"ema": {"w": torch.zeros(1)}}, {})
    before = path.read_bytes()
    for call in (1, 2):  # flush to disk, rename
        with failing_call(call, errno.ENOSPC) as injected, pytest.raises(OSError, match="No space"):
            save_checkpoint(path, {"ema": {"w": torch.ones(1)}}, {})
        assert injected.failed_in in ("fsync", "replace")
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_a_relu_network_is_a_prelu_network_of_slope_zero() -> None:
    relu, prelu = FactoredConvNet(act="relu").eval(), FactoredConvNet(act="prelu").eval()
    load_weights(prelu, with_slopes(relu.state_dict(), prelu), Path("relu"))
    x = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        for a, b in zip(relu(x), prelu(x), strict=True):
            assert torch.equal(a, b)


def test_slopes_that_are_there_stay() -> None:
    prelu = FactoredConvNet(act="prelu")
    assert with_slopes(prelu.state_dict(), prelu).keys() == prelu.state_dict().keys()
    slopes = with_slopes(prelu.state_dict(), prelu)["trunk.0.act.weight"]
    assert (slopes == 0.25).all()
