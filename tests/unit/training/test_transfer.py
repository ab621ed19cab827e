"""Silhouettes from elsewhere: shown to the head, forced upon other networks, learnt by the factor."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch

from models.factored import BaselineConvNet, FactoredConvNet, normalise
from models.labels import IGNORE
from training.injection import hard_constraint, on_head_grid, parse
from training.losses import factor_loss
from training.transfer import TransferConfig, extract, fine_tune, own_silhouettes, targets


@pytest.fixture(scope="module")
def net() -> FactoredConvNet:
    torch.manual_seed(0)
    return FactoredConvNet().eval()


def pictures(sizes: list[tuple[int, int]]) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Noise with a bright square, which is the person."""
    rng = np.random.default_rng(0)
    images, silhouettes = [], []
    for h, w in sizes:
        mask = np.zeros((h, w), np.uint8)
        mask[h // 4 : 3 * h // 4, w // 4 : 3 * w // 4] = 1
        images.append(np.where(mask[..., None], 220, rng.integers(0, 90, (h, w, 3))).astype(np.uint8))
        silhouettes.append(mask)
    return images, silhouettes


def test_only_the_factor_moves(net: FactoredConvNet) -> None:
    images, silhouettes = pictures([(64, 64)] * 4)
    features = extract(net, images, 64)
    before = {k: v.clone() for k, v in net.state_dict().items()}
    moved = fine_tune(net, features, targets(features, silhouettes), TransferConfig(epochs=4, batch=2))
    for name, value in net.state_dict().items():
        assert torch.equal(value, before[name]), f"{name}: the network given has changed"
    changed = {k for k, v in moved.state_dict().items() if not torch.equal(v, before[k])}
    assert changed
    assert all(k.startswith("factor.") for k in changed)
    assert "factor.classify.weight" in changed


def test_the_factor_learns_what_it_is_shown_and_says_so_on_the_way(net: FactoredConvNet) -> None:
    images, silhouettes = pictures([(64, 64), (64, 48)] * 2)
    features = extract(net, images, 64)
    seen: list[int] = []
    config = TransferConfig(epochs=50, batch=4, lr=3e-3)

    def watch(step: int, now: FactoredConvNet) -> None:
        assert not now.training
        assert not now.factor.training
        seen.append(step)

    moved = fine_tune(net, features, targets(features, silhouettes), config, watch)
    assert seen == list(range(51))
    for p, mask in zip(own_silhouettes(moved, features, [(64, 64), (64, 48)] * 2), silhouettes, strict=True):
        assert p.shape == mask.shape
        assert ((p >= 128) == (mask > 0)).mean() > 0.9


def test_a_transfer_is_the_same_twice(net: FactoredConvNet) -> None:
    images, silhouettes = pictures([(64, 64)] * 3)
    features = extract(net, images, 64)
    labels = targets(features, silhouettes)
    a, b = (fine_tune(net, features, labels, TransferConfig(epochs=2, batch=2)) for _ in range(2))
    assert all(torch.equal(v, b.state_dict()[k]) for k, v in a.state_dict().items())


def test_every_picture_is_shown_so_often_and_once_before_any_is_again(net: FactoredConvNet) -> None:
    plain = TransferConfig()
    assert (plain.epochs, plain.batch, plain.lr, plain.weight_decay, plain.seed) == (10, 8, 5e-4, 2e-4, 0)
    assert [plain.steps(n) for n in (1, 8, 10, 100)] == [1, 10, 12, 125]
    assert TransferConfig(epochs=0).steps(8) == TransferConfig(epochs=0.1).steps(8) == 1
    assert TransferConfig(epochs=3, batch=4).steps(10) == 8
    images, silhouettes = pictures([(64, 64)] * 3)
    features = extract(net, images, 64)
    labels = targets(features, silhouettes)
    few, many = (fine_tune(net, features, labels, TransferConfig(epochs=1, batch=n)) for n in (3, 8))
    by_seed = fine_tune(net, features, labels, TransferConfig(epochs=1, batch=1, seed=1))
    other = fine_tune(net, features, labels, TransferConfig(epochs=1, batch=1))
    weights = [n.factor.classify.weight for n in (few, many, by_seed, other)]
    assert torch.equal(weights[0], weights[1]), "no more than there are"
    assert not torch.equal(weights[2], weights[3])
    steps: list[int] = []
    fine_tune(net, features, labels, TransferConfig(epochs=1, batch=2), lambda step, _: steps.append(step))
    assert steps == [0, 1, 2]


def test_all_pictures_are_drawn_before_any_is_again(net: FactoredConvNet) -> None:
    """Six in steps of four: those left over begin the next step."""
    images = [np.full((32, 32, 3), 40 * i, np.uint8) for i in range(6)]
    features = extract(net, images, 32)
    labels = targets(features, [np.ones((32, 32), np.uint8)] * 6)
    seen: list[int] = []

    def see(_module: object, given: tuple[torch.Tensor]) -> None:
        seen.extend(int((features.maps.float() - x).abs().sum((1, 2, 3)).argmin()) for x in given[0])

    hook = net.factor.register_forward_pre_hook(see)
    fine_tune(net, features, labels, TransferConfig(epochs=2, batch=4))
    hook.remove()
    assert sorted(seen[:6]) == sorted(seen[6:]) == list(range(6))
    assert seen[:6] != seen[6:]


def test_the_first_step_is_adams_with_decay_and_without_dropout(net: FactoredConvNet) -> None:
    images, silhouettes = pictures([(64, 64)] * 2)
    features = extract(net, images, 64)
    labels = targets(features, silhouettes)
    config = TransferConfig(epochs=1, batch=2, lr=0.01, weight_decay=0.5)
    moved = fine_tune(net, features, labels, config).factor.classify.weight
    own = copy.deepcopy(net)
    own.factor.train()
    for module in own.factor.modules():
        if isinstance(module, torch.nn.Dropout2d):
            module.eval()
    factor_loss(own.factor(features.maps.float()), labels).backward()
    weight = own.factor.classify.weight
    assert weight.grad is not None
    large = weight.grad.abs() > 1e-4
    assert large.any()
    expected = weight * (1 - 0.01 * 0.5) - 0.01 * weight.grad.sign()
    torch.testing.assert_close(moved[large], expected[large], atol=1e-5, rtol=1e-3)


@torch.no_grad()
def test_features_are_the_trunks_of_pictures_padded_with_grey(net: FactoredConvNet) -> None:
    images, silhouettes = pictures([(64, 64), (32, 64), (128, 64)])
    features = extract(net, images, 64)
    assert features.maps.shape == (3, 128, 8, 8)
    assert (features.maps.dtype, features.of(1).dtype, len(features)) == (torch.float16, torch.float32, 3)
    assert [b.content for b in features.letterboxes] == [(64, 64), (64, 32), (32, 64)]
    wide = np.full((64, 64, 3), 128, np.uint8)
    wide[:32] = images[1]
    x = normalise(torch.from_numpy(wide).permute(2, 0, 1)[None].float())
    torch.testing.assert_close(features.of(1), net.trunk(x), atol=2e-3, rtol=2e-3)
    labels = targets(features, silhouettes)
    assert (labels.shape, labels.dtype) == ((3, 16, 16), torch.uint8)
    np.testing.assert_array_equal(labels[0], silhouettes[0][2::4, 2::4])
    assert (labels[1, 8:] == IGNORE).all()
    assert (labels[1, :8] != IGNORE).all()


@torch.no_grad()
def test_the_factors_own_silhouette_is_that_of_the_whole_network(net: FactoredConvNet) -> None:
    images, _ = pictures([(64, 64), (32, 64)])
    features = extract(net, images, 64)
    whole, half = own_silhouettes(net, features, [(8, 8), (4, 8)])
    x = normalise(torch.from_numpy(images[0]).permute(2, 0, 1)[None].float())
    expected = 255 * net(x)[0].softmax(1)[0, 1].numpy()
    assert (whole.shape, half.shape, whole.dtype) == ((8, 8), (4, 8), np.uint8)
    np.testing.assert_allclose(whole, expected, atol=1.01)
    assert np.abs(whole - expected).mean() < 0.4, "rounded, not cut"


def test_padding_and_unknown_pixels_teach_nothing(net: FactoredConvNet) -> None:
    images, silhouettes = pictures([(64, 64), (64, 32)])
    silhouettes[0][:, :8] = IGNORE
    features = extract(net, images, 64)
    labels = targets(features, silhouettes).numpy()
    assert (labels[0, :, :2] == IGNORE).all()
    assert (labels[0, :, 2:] != IGNORE).all()
    assert (labels[1, :, :8] != IGNORE).all()
    assert (labels[1, :, 8:] == IGNORE).all()


def test_silhouettes_that_say_nothing_or_are_missing_are_refused(net: FactoredConvNet) -> None:
    images, silhouettes = pictures([(64, 64)] * 2)
    features = extract(net, images, 64)
    nothing = [np.full_like(s, IGNORE) for s in silhouettes]
    with pytest.raises(ValueError, match="known pixels"):
        fine_tune(net, features, targets(features, nothing), TransferConfig())
    with pytest.raises(ValueError, match="2 pictures and 1"):
        fine_tune(net, features, targets(features, silhouettes)[:1], TransferConfig())


def test_a_hard_constraint_gives_the_best_part_inside_and_background_outside() -> None:
    torch.manual_seed(0)
    logits = torch.randn(2, 32, 8, 8)
    logits[:, 0] += 5  # the network itself sees background everywhere
    inside = torch.rand(2, 8, 8) < 0.5
    labels = hard_constraint(logits, inside)
    assert (labels[~inside] == 0).all()
    assert (labels[inside] == logits[:, 1:].argmax(1)[inside] + 1).all()


def test_an_injected_silhouette_is_what_the_head_sees(net: FactoredConvNet) -> None:
    torch.manual_seed(1)
    x = normalise(torch.rand(2, 3, 64, 64) * 255)
    silhouettes = torch.zeros(2, 128, 128, dtype=torch.bool)
    silhouettes[:, 32:100, 40:90] = True
    person = on_head_grid(silhouettes, (8, 8))
    assert person.shape == (2, 1, 8, 8)
    assert float(person.mean()) == pytest.approx(float(silhouettes.float().mean()))
    shown, own = (net(x, p)[1] for p in (person, None))
    assert not torch.equal(shown, own)
    assert torch.equal(parse(net, x, (8, 8), silhouettes).long(), shown.argmax(1))
    assert torch.equal(parse(net, x, (8, 8)).long(), own.argmax(1))


def test_a_network_without_a_factor_is_constrained() -> None:
    torch.manual_seed(0)
    net = BaselineConvNet().eval()
    x = normalise(torch.rand(1, 3, 64, 64) * 255)
    silhouettes = torch.zeros(1, 64, 64, dtype=torch.bool)
    silhouettes[:, :32] = True
    labels = parse(net, x, (16, 16), silhouettes)
    assert (labels[:, :8] > 0).all()
    assert (labels[:, 8:] == 0).all()
