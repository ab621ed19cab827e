from __future__ import annotations

import pytest
import torch
from torch import nn

from models.blocks import Bottleneck
from models.enet import ENet
from models.factored import (
    BaselineConvNet,
    FactoredConvNet,
    Head,
    PlainHead,
    build_baseline,
    build_enet,
    build_factored,
    normalise,
    person_probability,
)
from models.families import ZOO
from tests.networks import seasoned


def count(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


@pytest.fixture(scope="module")
def net() -> FactoredConvNet:
    return seasoned(FactoredConvNet())


@pytest.fixture(scope="module")
def image() -> torch.Tensor:
    return torch.rand(1, 3, 64, 96, generator=torch.Generator().manual_seed(1)) * 4 - 2


@torch.no_grad()
def test_output_sizes_at_512() -> None:
    fb, parts = FactoredConvNet().eval()(torch.zeros(1, 3, 512, 512))
    assert fb.shape == (1, 2, 64, 64)
    assert parts.shape == (1, 32, 64, 64)


def test_parameters_of_every_module_with_prelu() -> None:
    """The table of the specification, row by row."""
    net = FactoredConvNet(act="prelu")
    assert count(net.trunk[0]) == 412
    assert count(net.trunk[1]) == 4_656
    assert [count(b) for b in net.trunk[2:6]] == [4_656] * 4
    assert count(net.trunk[6]) == 22_112
    stage = [18_016, 18_016, 19_040, 18_016, 18_016, 18_016, 19_040, 18_016]
    for s in (net.trunk[7], net.factor.stage, net.head.stage):
        assert isinstance(s, nn.Sequential)
        assert [count(b) for b in s] == stage
        assert count(s) == 146_176
    assert count(net.trunk) - 412 == 191_568
    assert count(net.factor.classify) == 258
    assert count(net.head.concat) == 17_024
    assert count(net.head.classify) == 4_128
    assert count(net) == 505_742


@torch.no_grad()
def test_the_part_classifier_cannot_change_the_silhouette(net: FactoredConvNet, image: torch.Tensor) -> None:
    fb, parts = net(image)
    kept = net.head.classify.weight.clone()
    try:
        net.head.classify.weight.add_(1.0)
        fb2, parts2 = net(image)
    finally:
        net.head.classify.weight.copy_(kept)
    assert torch.equal(fb, fb2)
    assert not torch.equal(parts, parts2)


@torch.no_grad()
def test_injecting_a_silhouette_changes_the_parts_alone(net: FactoredConvNet, image: torch.Tensor) -> None:
    fb, parts = net(image)
    own = person_probability(fb)
    fb2, same = net(image, own)
    assert torch.equal(parts, same)
    fb3, other = net(image, 1 - own)
    assert torch.equal(fb, fb2)
    assert torch.equal(fb, fb3)
    assert not torch.allclose(parts, other)


def test_the_head_can_teach_the_factor_only_through_its_own_silhouette(
    net: FactoredConvNet, image: torch.Tensor
) -> None:
    weight = net.factor.classify.weight
    _, parts = net(image)
    (grad,) = torch.autograd.grad(parts.sum(), weight, allow_unused=True)
    assert grad is not None
    assert grad.abs().sum() > 0
    _, parts = net(image, torch.rand(1, 1, 8, 12))
    (grad,) = torch.autograd.grad(parts.sum(), weight, allow_unused=True)
    assert grad is None


def test_probability_and_normalisation() -> None:
    p = person_probability(torch.tensor([0.0, 2.0]).view(1, 2, 1, 1))
    assert p.item() == pytest.approx(1 / (1 + torch.e**-2), abs=1e-6)
    assert normalise(torch.tensor([0.0, 127.5, 255.0])).tolist() == [-2.0, 0.0, 2.0]


def test_a_bottleneck_that_changes_channels_must_go_down() -> None:
    with pytest.raises(ValueError, match=r"^a regular bottleneck keeps its channels, got 16 → 64$"):
        Bottleneck(16, 64, "regular", act="relu")
    with pytest.raises(ValueError, match=r"^unknown bottleneck kind 'wide'$"):
        Bottleneck(64, 64, "wide", act="relu")  # type: ignore[arg-type]


def test_slopes_begin_at_a_quarter_and_biases_at_nothing() -> None:
    for net in (FactoredConvNet(act="prelu"), ENet()):
        slopes = [m.weight for m in net.modules() if isinstance(m, nn.PReLU)]
        assert {v for s in slopes for v in s.tolist()} == {0.25}
        biases = [m.bias for m in net.modules() if isinstance(m, nn.Conv2d) and m.bias is not None]
        assert slopes
        assert biases
        assert not any(b.any() for b in biases)


@torch.no_grad()
def test_enet_goes_down_as_the_encoder_does_and_up_by_the_places_of_the_largest() -> None:
    net, x = seasoned(ENet()), torch.randn(1, 64, 8, 12)
    down, indices = net.down2(x)
    torch.testing.assert_close(down, net.down2.block(x))
    up = net.up2
    placed = torch.zeros(1, 64, 8 * 12)
    placed.scatter_(2, indices.flatten(2), up.skip(down).flatten(2))
    expected = up.act(placed.view(1, 64, 8, 12) + up.extension(down))
    torch.testing.assert_close(up(down, indices), expected)


@torch.no_grad()
def test_the_whole_enet_has_the_published_size_and_answers_at_full_size() -> None:
    net = ENet().eval()
    assert count(net) == 365_492  # paper: 0.37 M
    assert net(torch.zeros(2, 3, 64, 96)).shape == (2, 32, 64, 96)
    assert count(net) - count(ENet(classes=12)) == 20 * (16 * 4 + 1)


@torch.no_grad()
def test_both_heads_are_shown_features_person_and_background() -> None:
    features, person = torch.randn(1, 128, 4, 5), torch.rand(1, 1, 4, 5)
    joined = torch.cat((features, person, 1 - person), dim=1)
    block, plain = (seasoned(FactoredConvNet(act="prelu", concat=c)).head for c in ("block", "plain"))
    assert (type(block), type(plain)) == (Head, PlainHead)
    torch.testing.assert_close(block(features, person), block.classify(block.stage(block.concat(joined))))
    torch.testing.assert_close(plain(features, person), plain.classify(plain.stage(joined)))
    assert [count(layer) for layer in plain.stage[:2]] == [260, 130], "a norm and slopes of all 130"
    assert len(plain.stage) == 2 + len(block.stage)


@torch.no_grad()
def test_stages_are_the_network_on_pictures() -> None:
    """Sides that differ: rows and columns are not exchanged."""
    image = torch.randint(0, 256, (2, 64, 96, 3), dtype=torch.uint8)
    x = torch.stack([(image[..., c].float() / 255 - 0.5) / 0.25 for c in range(3)], dim=1)
    for concat in ("block", "plain"):
        net = seasoned(FactoredConvNet(concat=concat))
        fb, logits = net(x)
        stages = net.stages()
        assert list(stages) == ["trunk", "factor", "head"]
        features = stages["trunk"](image)
        person = stages["factor"](features)
        torch.testing.assert_close(person[:, 0], fb.softmax(1)[:, 1], atol=1e-5, rtol=1e-4)
        parts, labels = stages["head"](features, person)
        torch.testing.assert_close(parts, logits.softmax(1), atol=1e-5, rtol=1e-4)
        assert torch.equal(labels, parts.argmax(1).to(torch.uint8))
        assert not any(stage.training for stage in stages.values())
        assert all(stage.training for stage in net.train().stages().values())
    baseline = seasoned(BaselineConvNet())
    parts, labels = baseline.stages()["network"](image)
    torch.testing.assert_close(parts, baseline(x).softmax(1), atol=1e-5, rtol=1e-4)
    assert (parts.shape, labels.dtype) == ((2, 32, 8, 12), torch.uint8)


def test_rows_build_networks_of_their_size() -> None:
    sizes = {"factored-s31-paper-plain": 489_172, "factored-s31": 500_318, "baseline": 488_460,
             "baseline-relu": 483_164, "enet": 342_284}  # fmt: skip
    for name, size in sizes.items():
        row = ZOO[name]
        new = {"factored": build_factored, "baseline": build_baseline, "enet": build_enet}[row.family]
        assert count(new(row)) == size, name
