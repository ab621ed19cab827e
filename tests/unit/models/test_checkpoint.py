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
    starting_weights,
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
    path = tmp_path / "deep" / "down" / "net.safetensors"
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
        {"architecture": "factored", "activation": "relu", "classes": 64},
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
    save_file({"w": torch.zeros(1)}, path, metadata={"xfactor": "{"})
    with pytest.raises(
        CheckpointError, match=r"project \(Expecting.*\)\. Pickled \.pt/\.pth files are never"
    ):
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


def test_weights_to_start_from_are_a_checkpoints_or_a_plain_files(saved: Path, tmp_path: Path) -> None:
    averaged = starting_weights(saved)
    assert averaged.keys() == FactoredConvNet().state_dict().keys()
    plain = tmp_path / "plain.safetensors"
    save_file({"conv1.weight": torch.ones(2)}, plain)
    assert {k: v.tolist() for k, v in starting_weights(plain).items()} == {"conv1.weight": [1, 1]}
    save_file({"conv1.weight": torch.ones(2)}, plain, metadata={"format": "pt"})
    assert starting_weights(plain).keys() == {"conv1.weight"}
    plain.write_bytes(b"no tensors")
    with pytest.raises(CheckpointError, match="not a checkpoint of this project"):
        starting_weights(plain)
    with pytest.raises(CheckpointError, match=r"no such file\. Give the path of a \.safetensors checkpoint"):
        starting_weights(tmp_path / "none.safetensors")
    save_checkpoint(plain, {"net": {"w": torch.zeros(1)}}, {})
    with pytest.raises(
        CheckpointError, match=r"it holds no averaged weights\. Use the checkpoint of a whole"
    ):
        starting_weights(plain)


def test_groups_and_facts_come_back_whatever_memory_tensors_share(tmp_path: Path) -> None:
    path, whole = tmp_path / "a.safetensors", torch.arange(6.0)
    groups = {"net": {"a.b": whole[:3], "c": whole.view(2, 3).T}, "ema": {"a.b": whole[:3]}}
    save_checkpoint(path, groups, {"step": 3, "names": ["x"]})
    found, meta = load_checkpoint(path)
    assert meta == {"step": 3, "names": ["x"]}
    assert {g: {k: t.tolist() for k, t in ts.items()} for g, ts in found.items()} == {
        g: {k: t.tolist() for k, t in ts.items()} for g, ts in groups.items()
    }


def test_another_stride_is_the_networks_to_refuse(saved: Path) -> None:
    assert load_network(saved, 8)[1]["step"] == 7
    with pytest.raises(ValueError, match="factored-s31 has output stride 8"):
        load_network(saved, 16)


def test_what_does_not_fit_is_counted_and_named() -> None:
    net = FactoredConvNet()
    good, first = net.state_dict(), "factor.classify.bias"
    fewer = {k: v for k, v in good.items() if k != first} | {"z": torch.zeros(1), "y": torch.zeros(1)}
    with pytest.raises(CheckpointError) as refused:
        load_weights(net, fewer, Path("x"))
    assert str(refused.value) == (
        "x: a checkpoint of another architecture (1 tensors missing, 2 unknown, e.g. factor.classify.bias)."
        " Use the architecture it was trained as."
    )
    with pytest.raises(CheckpointError, match=r"x: factor\.classify\.bias is torch\.float32 \(3,\), expected"
                       r" torch\.float32 \(2,\)\. Use the architecture"):  # fmt: skip
        load_weights(net, good | {first: torch.zeros(3)}, Path("x"))
    for wrong in (torch.zeros(1), torch.zeros(2, dtype=torch.float64), torch.zeros(2, dtype=torch.float16)):
        with pytest.raises(CheckpointError, match=r"^x: factor\.classify\.bias is "):
            load_weights(net, good | {first: wrong}, Path("x"))
    with pytest.raises(
        CheckpointError, match=r"not known here \(hourglass, factored, relu\)\. Known: factored-s31,"
    ):
        row_of({"row": "hourglass", "architecture": "factored", "activation": "relu"}, Path("x"))
    with pytest.raises(CheckpointError, match=r"not known here \(it names none\)"):
        row_of({"step": 1}, Path("x"))


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
