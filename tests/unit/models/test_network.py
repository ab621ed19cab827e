"""The same weights give the same maps in every release: checkpoints and model files outlive the code.

`python -m tests.unit.models.test_network` writes the table again, for new rows.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from zlib import crc32

import numpy as np
import pytest
import torch

from models.families import ZOO
from models.network import Network, build

TABLE = Path(__file__).parent / "network_numbers.json"
#: built and run in a second; the larger ones are compared layer by layer
MOST_WEIGHTS = 11_000_000
ROWS = [name for name, row in ZOO.items() if row.parameters < MOST_WEIGHTS]
LARGE = ("mula-vgg16", "paf-fcn-vgg16", "pil-vgg16")


def with_known_weights(network: Network) -> Network:
    """Weights by their names alone, of the size that keeps maps alive through the layers."""
    for name, tensor in network.state_dict().items():
        if not tensor.is_floating_point():
            continue
        chance = np.random.Generator(np.random.PCG64(crc32(name.encode())))
        wave = torch.from_numpy(2 * chance.random(tensor.shape, dtype=np.float32) - 1)
        if tensor.ndim == 4:
            wave = wave * 1.9 / tensor[0].numel() ** 0.5
        elif name.endswith("running_var"):
            wave = 1 + wave / 2
        elif name.endswith("weight"):  # of a norm, or the slopes of a PReLU
            wave = 0.5 + wave / 3
        else:
            wave = wave / 5
        tensor.copy_(wave)
    return network.eval()


def numbers(name: str) -> dict[str, list[float]]:
    """Shape, mean, deviation and two projections of every map of a row's stages."""
    network = with_known_weights(build(ZOO[name]))
    y, x = np.mgrid[:64, :64]
    picture = np.stack([(x * 3 + y) % 256, (y * 5) % 256, (x * y) % 256], axis=-1).astype(np.uint8)
    maps = {"image": torch.from_numpy(picture)[None]}
    modules, found = network.stages(), {}
    for stage in ZOO[name].stages:
        given = modules[stage.name](*(maps[i] for i in stage.inputs))
        for output, value in zip(stage.outputs, given if isinstance(given, tuple) else (given,), strict=True):
            maps[output.name] = value
            if value.dtype == torch.uint8:  # the most probable parts
                continue
            flat = value.double().flatten()
            waves = [torch.cos(torch.arange(len(flat), dtype=torch.float64) * f) for f in (0.37, 1.9)]
            found[f"{stage.name}.{output.name}"] = [
                *value.shape,
                *(float(f"{v:.6g}") for v in (flat.mean(), flat.std(), *((flat * w).mean() for w in waves))),
            ]
    return found


@pytest.mark.parametrize("name", ROWS)
def test_known_weights_give_the_maps_they_gave_before(name: str) -> None:
    with torch.no_grad():
        found = numbers(name)
    expected = json.loads(TABLE.read_text("utf-8"))[name]
    del expected["start"]
    assert found.keys() == expected.keys()
    for key, before in expected.items():
        now = found[key]
        assert now[:-4] == before[:-4], f"{key}: another shape"
        np.testing.assert_allclose(now[-4:], before[-4:], rtol=2e-3, atol=2e-3 * before[-3], err_msg=key)


def size_at_the_start(name: str) -> float:
    """Sum of the deviations of all layers' random weights."""
    torch.manual_seed(0)
    layers = [p for p in build(ZOO[name]).parameters() if p.ndim == 4]
    return float(f"{sum(float(p.detach().std()) for p in layers):.4g}")


@pytest.mark.parametrize("name", ROWS)
def test_a_new_network_starts_with_weights_as_large_as_before(name: str) -> None:
    assert size_at_the_start(name) == pytest.approx(
        json.loads(TABLE.read_text("utf-8"))[name]["start"], rel=0.01
    )


@pytest.mark.parametrize("name", LARGE)
def test_a_large_network_has_the_layers_it_had_before(name: str) -> None:
    assert layers_of(name) == json.loads(TABLE.read_text("utf-8"))[name]["layers"]


def layers_of(name: str) -> str:
    """A checksum of every layer's name, shape, steps and padding."""
    with torch.device("meta"):
        network = build(ZOO[name])
    shapes = [(n, tuple(t.shape)) for n, t in network.state_dict().items()]
    return f"{crc32(repr((network, shapes)).encode()):08x}"


def write() -> None:
    """The table, of every row."""
    with torch.no_grad():
        table: dict[str, dict[str, object]] = {
            name: {**numbers(name), "start": size_at_the_start(name)} for name in ROWS
        }
        table |= {name: {"layers": layers_of(name)} for name in LARGE}
    rows = ",\n".join(f'  "{name}": {json.dumps(row)}' for name, row in table.items())
    TABLE.write_text("{\n" + rows + "\n}\n", "utf-8")


def test_what_is_frozen_keeps_weights_and_statistics_while_the_rest_learns() -> None:
    network = build(ZOO["factored-s31"])
    with pytest.raises(ValueError, match=r"^the network has no layers 'tail'; it has trunk, factor, head$"):
        network.freeze("tail")
    network.train()
    network.freeze("trunk", "head")
    for _ in range(2):  # also when training begins again
        modes = {name: module.training for name, module in network.named_children()}
        assert modes == {"trunk": False, "factor": True, "head": False}
        learning = {
            name.split(".")[0] for name, weights in network.named_parameters() if weights.requires_grad
        }
        assert learning == {"factor"}
        network.train()


def test_kept_statistics_are_those_of_norms_and_weights_go_on_learning() -> None:
    network = build(ZOO["factored-s31"]).train()
    network.keep_statistics()
    norms = [m for m in network.modules() if isinstance(m, torch.nn.BatchNorm2d)]
    network.train()
    assert norms
    assert not any(norm.training for norm in norms)
    assert network.training
    assert all(weights.requires_grad for weights in network.parameters())


@pytest.mark.parametrize("name", ["pil-small", "mula-small", "gpn-small", "personlab-small"])
def test_weights_of_another_shape_are_no_start(name: str) -> None:
    """Neither smaller nor larger ones of as many axes, and none of another name."""
    network = build(ZOO[name])
    own = network.state_dict()
    *others, small, large = (k for k, v in own.items() if v.ndim == 1 and k.endswith("bias"))
    given = {k: torch.full_like(own[k], 7) for k in others}
    odd = {small: own[small][1:] + 9, large: torch.cat((own[large], own[large])) + 9, "tail": torch.zeros(1)}
    started = network.start(given | odd)
    assert started.keys() == own.keys()
    for key, value in started.items():
        assert torch.equal(value, given.get(key, own[key])), key


def test_weights_that_fit_take_the_place_of_ones_own() -> None:
    network = build(ZOO["enet-relu"])
    own = network.state_dict()
    first, second, *_ = (k for k, v in own.items() if v.ndim == 1)
    for count in (len(own[second]) - 1, len(own[second]) + 1):
        given = {first: own[first] + 7, second: torch.ones(count), "tail": torch.ones(2)}
        found = network.fitting(given)
        assert found.keys() == own.keys()
        for key, value in found.items():
            assert torch.equal(value, given[first] if key == first else own[key]), key


if __name__ == "__main__":
    sys.exit(write())
