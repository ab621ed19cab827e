"""PersonLab's networks: how they begin, what their vectors are told in, and whose weights they start from."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from models.factored import FactoredConvNet
from models.families import ZOO
from models.labels import COCO17
from models.network import build
from models.personlab import (
    PeopleOnParser,
    PersonLabNet,
    Refinement,
    build_people,
    build_personlab,
    in_pixels,
)
from tests.networks import seasoned

VECTORS = ("short", "mid", "long")


def small() -> PersonLabNet:
    torch.manual_seed(0)
    return build_personlab(ZOO["personlab-small"])


def people() -> PeopleOnParser:
    torch.manual_seed(0)
    return build_people(ZOO["people-s31"])


def test_nobody_is_anywhere_and_vectors_are_nothing_at_the_start() -> None:
    for maps in (small().head.maps, people().people.maps):
        assert {n: layer.weight.shape[0] for n, layer in maps.items()} == {
            "disks": 17, "short": 34, "mid": 64, "person": 1, "long": 34
        }  # fmt: skip
        for name, layer in maps.items():
            assert set(layer.bias.tolist()) == {-4.0 if name == "disks" else 0.0}
            assert layer.weight.std().item() == pytest.approx(0.01, rel=0.2)


@torch.no_grad()
def test_vectors_are_network_pixels_and_maps_of_the_stage_are_shown_as_probabilities() -> None:
    net = seasoned(small())
    features = torch.randn(1, 128, 4, 5)
    maps = in_pixels(net.head.maps, features)
    for name, layer in net.head.maps.items():
        torch.testing.assert_close(maps[name], layer(features) * (32 if name in VECTORS else 1))
    image = torch.randint(0, 256, (1, 64, 96, 3), dtype=torch.uint8)
    raw = net.raw((image.permute(0, 3, 1, 2) / 255 - 0.5) / 0.25)
    (stage,) = net.stages().values()
    given = stage(image)
    expected = [raw["disks"].sigmoid(), *(raw[n] for n in VECTORS), raw["person"].sigmoid()]
    for ours, theirs in zip(given, expected, strict=True):
        torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("stride", [8, 16])
def test_vectors_are_refined_twice_by_those_where_they_end(stride: int) -> None:
    """Everywhere the same: mid + 2 short, and three times long + 2 short."""
    alike = (("short", 17, (3.0, -2.0)), ("mid", 32, (10.0, 1.0)), ("long", 17, (8.0, 6.0)))
    maps = {n: torch.tensor(v).repeat(c)[None, :, None, None].repeat(1, 1, 20, 20) for n, c, v in alike}
    maps["disks"] = torch.ones(1, 17, 20, 20)
    found = Refinement(COCO17, stride)(maps)
    assert found["mid"][0, :4, 9, 9].tolist() == pytest.approx([16, -3, 16, -3])
    assert found["long"][0, :4, 9, 9].tolist() == pytest.approx([30, 14, 30, 14])
    assert torch.equal(found["short"], maps["short"])
    assert torch.equal(found["disks"], maps["disks"])
    # beyond the border a vector ends where the nearest cell points: from its middle, 3 px right and 2 up
    assert float(found["mid"][0, 0, 9, 19]) == pytest.approx(3, abs=1e-4)
    left = {**maps, "mid": torch.tensor((-10.0, -10)).repeat(32)[None, :, None, None].repeat(1, 1, 20, 20)}
    mid = Refinement(COCO17, stride)(left)["mid"][0]
    assert (float(mid[0, 9, 0]), float(mid[1, 0, 9])) == pytest.approx((6, -2), abs=1e-4)
    down = Refinement(COCO17, stride)({**left, "mid": -left["mid"]})["mid"][0]
    assert (float(down[0, 9, 19]), float(down[1, 19, 9])) == pytest.approx((3, -4), abs=1e-4)
    ramp = {**maps, "short": torch.zeros_like(maps["short"])}
    ramp["short"][:, 0::2] = torch.arange(20.0)  # px across: one more in each column
    mid = Refinement(COCO17, stride)(ramp)["mid"][0, 0, 9]
    first = 10 + (5 + 10 / stride)
    assert float(mid[5]) == pytest.approx(first + 5 + first / stride, rel=1e-4)


def test_a_network_of_its_own_starts_from_a_parser_or_from_one_on_a_parser() -> None:
    own, parser = small(), seasoned(FactoredConvNet(), seed=1).state_dict()
    started = own.start(parser)
    assert started.keys() == own.state_dict().keys()
    for key in ("trunk.0.conv.weight", "trunk.7.7.main.0.weight", "head.stage.3.main.0.weight"):
        assert torch.equal(started[key], parser[key])
    for key in ("head.project.0.weight", "head.maps.mid.weight"):
        assert torch.equal(started[key], own.state_dict()[key])
    both = people().state_dict()
    started = own.start(both)
    assert torch.equal(started["trunk.3.main.0.weight"], both["parser.trunk.3.main.0.weight"])
    assert torch.equal(started["head.stage.2.main.0.weight"], both["people.stage.2.main.0.weight"])
    assert torch.equal(started["head.maps.mid.weight"], both["people.maps.mid.weight"])
    assert torch.equal(started["head.project.0.weight"], both["people.project.0.weight"][:, :128])


def test_one_on_a_parser_keeps_it_and_starts_as_its_head() -> None:
    net, parser = people(), seasoned(FactoredConvNet(), seed=1).state_dict()
    own, started = net.state_dict(), net.start(parser)
    assert all(torch.equal(started[f"parser.{k}"], v) for k, v in parser.items())
    seen, kernel = started["people.project.0.weight"], parser["head.concat.0.weight"]
    assert torch.equal(seen[:, :128], kernel[:, :128])
    torch.testing.assert_close(seen[:, 128:], own["people.project.0.weight"][:, 128:] * 0.1)
    assert torch.equal(
        started["people.project.1.running_mean"], parser["head.concat.1.running_mean"] - kernel[:, 128, 0, 0]
    )
    assert torch.equal(started["people.project.1.weight"], parser["head.concat.1.weight"])
    assert torch.equal(started["people.stage.2.main.0.weight"], parser["head.stage.2.main.0.weight"])
    assert torch.equal(started["people.maps.long.weight"], own["people.maps.long.weight"])
    assert net.start(own) is own
    learned = {n.split(".")[0] for n, p in net.named_parameters() if p.requires_grad}
    assert learned == {"people"}


@torch.no_grad()
def test_people_are_found_from_features_and_probabilities_of_parts() -> None:
    net = seasoned(people())
    image = torch.randint(0, 256, (1, 64, 64, 3), dtype=torch.uint8)
    stages = net.stages()
    features = stages["trunk"](image)
    parts = stages["head"](features, stages["factor"](features))[0]
    disks, short, mid, long = stages["people"](features, parts)
    whole = net((image.permute(0, 3, 1, 2) / 255 - 0.5) / 0.25)
    torch.testing.assert_close(whole["disks"].sigmoid(), disks, atol=1e-4, rtol=1e-4)
    refined = net.refinement({"short": short, "mid": mid, "long": long})
    for name in VECTORS:
        torch.testing.assert_close(whole[name], refined[name], atol=1e-2, rtol=1e-3)


def test_rows_build_their_networks() -> None:
    assert isinstance(build(ZOO["personlab-small"]), PersonLabNet)
    assert isinstance(build(ZOO["people-s31"]), PeopleOnParser)
    assert not any(isinstance(m, nn.PReLU) for m in small().modules())
