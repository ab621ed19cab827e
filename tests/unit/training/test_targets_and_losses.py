"""Losses and noise settings: each fact here is one a wrong training run would hide."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from models.factored import FactoredConvNet, normalise, person_probability
from models.families import ZOO
from models.labels import IGNORE, LIP20, PASCAL7, PASCAL_PARTS, S31
from models.network import build
from models.outputs import PartProbabilities, PersonProbability
from training.loop import TrainConfig, new_state
from training.losses import PartLoss, balanced_mean, code_weights, factor_loss, person_from_codes, to_grid
from training.noise import RECTANGLE, gaussian_noise, swap_noise
from training.step import StepConfig, losses
from training.targets import CLASSES, SET_CODES, SETS

OUTPUTS = (PersonProbability(), PartProbabilities(parts=S31.name))


def only(setting: int) -> tuple[float, float, float, float]:
    """Shares with which this setting is always drawn."""
    one, two, three, four = (float(i == setting) for i in (1, 2, 3, 4))
    return one, two, three, four


def test_loss_of_exact_codes_is_weighted_cross_entropy_of_each_picture() -> None:
    torch.manual_seed(0)
    logits = torch.randn(2, CLASSES, 4, 4)
    codes = torch.randint(1, CLASSES, (2, 4, 4), dtype=torch.uint8)
    part_loss = PartLoss()
    w = part_loss.weights[:CLASSES]
    each = [
        torch.nn.functional.cross_entropy(logits[i : i + 1], codes[i : i + 1].long(), weight=w)
        for i in (0, 1)
    ]
    assert part_loss(logits, codes).item() == pytest.approx(torch.stack(each).mean().item(), rel=1e-5)


def test_a_large_background_does_not_drown_a_scribble() -> None:
    """Ten times more background must not change how much a limb's pixels weigh against it."""
    loss = torch.zeros(2, 1100)
    loss[:, :100] = 1.0
    person = torch.zeros(2, 1100, dtype=torch.bool)
    person[:, :100] = True
    weights = torch.ones(2, 1100)
    weights[0, 300:] = 0  # the first picture knows 200 background pixels, the second 1000
    for i in (0, 1):
        share = balanced_mean(loss[i : i + 1], weights[i : i + 1], person[i : i + 1], 1.5).item()
        assert share == pytest.approx(1 / 2.5, rel=1e-5)


def test_a_handful_of_pixels_is_not_a_whole_picture() -> None:
    loss = torch.ones(1, 1000)
    weights = torch.zeros(1, 1000)
    weights[0, :4] = 1
    assert balanced_mean(loss, weights, weights > 0, 1.5).item() == pytest.approx(0.1)


def test_a_set_costs_nothing_when_all_mass_is_inside() -> None:
    logits = torch.full((1, CLASSES, 1, 1), -30.0)
    logits[0, SETS["head"][0]] = 30.0
    inside = torch.full((1, 1, 1), SET_CODES["head"], dtype=torch.uint8)
    outside = torch.full((1, 1, 1), SET_CODES["trousers"], dtype=torch.uint8)
    assert PartLoss()(logits, inside).item() < 1e-4
    assert PartLoss()(logits, outside).item() > 10


def test_unknown_pixels_carry_no_gradient() -> None:
    logits = torch.randn(1, CLASSES, 2, 2, requires_grad=True)
    codes = torch.tensor([[[3, IGNORE], [IGNORE, IGNORE]]], dtype=torch.uint8)
    PartLoss()(logits, codes).backward()
    assert logits.grad is not None
    touched = logits.grad.abs().sum(1)[0] > 0
    assert touched.tolist() == [[True, False], [False, False]]
    assert torch.isfinite(PartLoss()(logits, torch.full_like(codes, IGNORE)))


def test_factor_loss_reads_sets_as_person() -> None:
    person = torch.tensor([-9.0, 9.0]).view(1, 2, 1, 1)
    assert factor_loss(person, torch.full((1, 1, 1), SET_CODES["person"], dtype=torch.uint8)).item() < 1e-3
    assert factor_loss(person, torch.zeros(1, 1, 1, dtype=torch.uint8)).item() > 5


def test_true_silhouette_is_averaged_by_area_and_unknown_cells_keep_their_own() -> None:
    codes = torch.full((1, 4, 4), IGNORE, dtype=torch.uint8)
    codes[0, :2, :2] = torch.tensor([[0, 5], [0, 5]])
    own = torch.full((1, 1, 2, 2), 0.3)
    assert person_from_codes(codes, (2, 2), own)[0, 0].tolist() == [
        [0.5, pytest.approx(0.3)],
        [pytest.approx(0.3)] * 2,
    ]


@given(st.integers(0, 10_000))
def test_swap_noise_swaps_and_never_more_than_stated(seed: int) -> None:
    person = torch.full((3, 1, 64, 64), 0.25)
    noisy = swap_noise(person, torch.Generator().manual_seed(seed))
    assert set(noisy.unique().tolist()) <= {0.25, 0.75}, "a swapped cell is one minus what it was"
    largest = (RECTANGLE[1] / 64) ** 2  # the last rectangle may go beyond the rate
    assert 0 < float((noisy == 0.75).float().mean(dim=(1, 2, 3)).max()) <= 0.5 + largest < 0.65
    assert (person == 0.25).all(), "the given map must stay as it was"


def test_swap_noise_is_drawn_anew_and_swaps_a_quarter_of_the_cells_on_average() -> None:
    """Methods §1.6: the rate is even between 0 and a half; half of the pictures swap rectangles."""
    swapped = swap_noise(torch.zeros(400, 1, 64, 64), torch.Generator().manual_seed(0))[:, 0]
    rates = swapped.mean(dim=(1, 2))
    assert 0.22 < float(rates.mean()) < 0.30  # rectangles go a little beyond the rate
    assert float(rates.min()) < 0.02
    assert float(rates.std()) > 0.12
    edges = (swapped[:, :, 1:] != swapped[:, :, :-1]).float().mean(dim=(1, 2))
    scattered = edges > rates  # independent cells: 2ρ(1 - ρ) of the neighbours differ
    assert 0.4 < float(scattered.float().mean()) < 0.6


def test_gaussian_noise_has_the_stated_spread() -> None:
    noise = gaussian_noise(torch.full((400, 3, 24, 24), 100.0), torch.Generator().manual_seed(0)) - 100
    spread = noise.std(dim=(1, 2, 3))
    assert 8 < float(spread.min()) < 14
    assert 116 < float(spread.max()) < 125
    assert 60 < float(spread.mean()) < 70
    assert float(noise.mean(dim=(1, 2, 3)).abs().max()) < 15, "around nothing"


@pytest.mark.parametrize(("setting", "swap", "gaussian"), [
    (1, True, False), (2, False, True), (3, False, False), (4, True, True),
])  # fmt: skip
def test_each_setting_has_its_noise_and_the_factor_never_sees_any(
    setting: int, swap: bool, gaussian: bool
) -> None:
    """The table of methods §1.6; two streams: the factor sees the clean picture, the head the noisy one."""
    torch.manual_seed(0)
    net = FactoredConvNet().train()
    for module in net.modules():
        if isinstance(module, torch.nn.Dropout2d):
            module.p = 0.0
    seen: dict[str, tuple[torch.Tensor, ...]] = {}
    net.factor.register_forward_hook(lambda _, x, y: seen.update(factor=(x[0], y)))
    net.head.register_forward_hook(lambda _, x, _y: seen.update(head=x))
    rgb = torch.rand(2, 3, 64, 64) * 255
    targets = {"codes": torch.randint(0, CLASSES, (2, 16, 16), dtype=torch.uint8)}
    config = StepConfig(setting_shares=only(setting), inject=0.0, bf16=False)
    net.trunk.train(setting == 3)
    with torch.no_grad():
        clean = net.trunk(normalise(rgb))
    net.trunk.train()
    losses(net, OUTPUTS, rgb, targets, config, torch.Generator().manual_seed(1))
    (features, answer), (shown, person) = seen["factor"], seen["head"]
    assert torch.allclose(features, clean, atol=1e-4)
    assert torch.allclose(shown, clean, atol=1e-4) is not gaussian
    assert torch.equal(person, person_probability(answer)) is not swap


def test_the_background_weighs_one_and_a_half_times_its_parts_and_thrice_its_people() -> None:
    """A scribbled limb beside thousands of background pixels: what either adds to the gradient."""
    codes = torch.zeros(1, 40, 40, dtype=torch.uint8)
    codes[0, 10:14, 10:20] = S31.id("neck")  # a part of weight 1; 40 times as much background
    parts = torch.zeros(1, CLASSES, 40, 40, requires_grad=True)
    PartLoss()(parts, codes).backward()
    silhouette = torch.zeros(1, 2, 40, 40, requires_grad=True)
    factor_loss(silhouette, codes).backward()
    for logits, times in ((parts, 1.5), (silhouette, 3.0)):
        assert logits.grad is not None
        pull = logits.grad.abs().sum(1)[0]
        ratio = float(pull[codes[0] == 0].sum() / pull[codes[0] > 0].sum())
        assert ratio == pytest.approx(times, rel=1e-4)


@pytest.mark.parametrize(
    ("name", "setting"),
    [*(("factored-s31", i) for i in (1, 2, 3, 4)), ("baseline", 3), ("joints-s31", 3)],
)
def test_the_whole_step_runs_where_the_pictures_are(name: str, setting: int) -> None:
    """On a second kind of device: a tensor made on the CPU meets one of another device and torch refuses."""
    device = torch.device("meta")
    net = build(ZOO[name]).train().to(device)
    state = new_state(TrainConfig(steps=1, decay_steps=1), ZOO[name], net, device)
    config = StepConfig(setting_shares=only(setting), bf16=False)
    targets = {
        "codes": torch.empty(2, 16, 16, dtype=torch.uint8, device=device),
        "heatmaps": torch.empty(2, 17, 8, 8, device=device),
        "known": torch.empty(2, 17, dtype=torch.bool, device=device),
    }
    rgb = torch.empty(2, 3, 64, 64, device=device)
    terms = losses(net, state.outputs, rgb, targets, config, torch.Generator().manual_seed(1))
    total = sum(terms.values(), torch.zeros((), device=device))
    total.backward()
    torch.nn.utils.clip_grad_norm_(net.parameters(), 5.0)
    state.optimiser.step()
    kept = [t for moments in state.optimiser.state.values() for t in moments.values() if t.ndim]
    assert kept
    assert all(t.device == device for t in kept)


@pytest.mark.parametrize("setting", [1, 2, 3, 4])
def test_settings_train_what_they_say(setting: int) -> None:
    """Methods §1.6: settings 1, 2 and 4 leave trunk and factor without gradient, statistics untouched."""
    torch.manual_seed(0)
    net = FactoredConvNet().train()
    before = {k: v.clone() for k, v in net.state_dict().items() if "running" in k}
    rgb = torch.rand(2, 3, 64, 64) * 255
    codes = torch.randint(0, CLASSES, (2, 16, 16), dtype=torch.uint8)
    config = StepConfig(setting_shares=only(setting), bf16=False)
    terms = losses(net, OUTPUTS, rgb, {"codes": codes}, config, torch.Generator().manual_seed(1))
    sum(terms.values(), torch.zeros(())).backward()
    trunk_moved = any(p.grad is not None for p in net.trunk.parameters())
    factor_moved = any(p.grad is not None for p in net.factor.parameters())
    statistics_moved = any(
        (net.state_dict()[k] != v).any() for k, v in before.items() if not k.startswith("head")
    )
    assert (trunk_moved, factor_moved, statistics_moved) == ((True,) * 3 if setting == 3 else (False,) * 3)
    assert set(terms) == ({"factor", "parts"} if setting == 3 else {"parts"})
    assert all(p.grad is not None for p in net.head.parameters())
    assert net.trunk.training
    assert net.factor.training


@pytest.mark.parametrize("setting", [1, 3])
def test_statistics_that_are_kept_stay_while_weights_learn(setting: int) -> None:
    net = FactoredConvNet()
    net.keep_statistics()
    net.train()
    before = {k: v.clone() for k, v in net.state_dict().items() if "running" in k}
    config = StepConfig(setting_shares=only(setting), bf16=False)
    for seed in (1, 2):  # a setting must not wake what is kept
        codes = torch.randint(0, CLASSES, (2, 16, 16), dtype=torch.uint8)
        terms = losses(
            net,
            OUTPUTS,
            torch.rand(2, 3, 64, 64),
            {"codes": codes},
            config,
            torch.Generator().manual_seed(seed),
        )
        sum(terms.values(), torch.zeros(())).backward()
    assert not any(m.training for m in net.modules() if isinstance(m, torch.nn.BatchNorm2d))
    assert all(torch.equal(v, net.state_dict()[k]) for k, v in before.items())
    assert all(p.grad is not None for p in net.head.parameters())


def test_loss_of_merged_parts_is_that_of_the_31_when_each_class_is_spread_over_its_parts() -> None:
    torch.manual_seed(0)
    merged = torch.randn(1, PASCAL_PARTS.classes, 4, 4).log_softmax(1)
    ids = torch.from_numpy(PASCAL7.table()[:CLASSES].astype(np.int64))
    share = torch.bincount(ids)[ids].float().log()
    spread = merged[:, ids] - share[:, None, None]  # a class's probability, evenly over its parts
    person = torch.full((1, 4, 4), SET_CODES["person"], dtype=torch.uint8)
    assert PartLoss(PASCAL_PARTS)(merged, person).item() == pytest.approx(PartLoss()(spread, person).item())
    hand = torch.full((1, 4, 4), S31.id("rhand"), dtype=torch.uint8)
    outside = PartLoss(PASCAL_PARTS)(merged, hand)
    assert outside.item() == pytest.approx(
        (-merged[:, PASCAL_PARTS.id("lower arms")]).mean().item(), rel=1e-5
    )


def test_unbalanced_parts_are_the_mean_over_all_known_pixels() -> None:
    torch.manual_seed(0)
    logits = torch.randn(2, PASCAL_PARTS.classes, 3, 3)
    codes = torch.zeros(2, 3, 3, dtype=torch.uint8)
    codes[0, 0, 0], codes[0, 1], codes[1, 2] = S31.id("neck"), IGNORE, IGNORE
    labels = codes.long().masked_fill(codes == IGNORE, -100)
    labels[labels == S31.id("neck")] = PASCAL_PARTS.id("torso")
    expected = torch.nn.functional.cross_entropy(logits, labels).item()
    assert PartLoss(PASCAL_PARTS, balanced=False)(logits, codes).item() == pytest.approx(expected, rel=1e-5)


def test_thin_parts_weigh_more_and_what_says_little_less() -> None:
    """Weights of codes: parts of both sides, sets, the background; 0 where nothing is known."""
    wanted = {
        4.0: "wrist", 3.5: "elbow foot", 3.0: "uhead lhead", 2.5: "knee ankle larm uarm",
        2.0: "shoulder hand",        1.5: "lleg uleg", 1.0: "ubody lbody",
    }  # fmt: skip
    weights = code_weights()
    found = {S31.id(side + n): w for w, names in wanted.items() for n in names.split() for side in "rl"}
    found |= {0: 1.0, S31.id("neck"): 1.0}
    sets = {"person": 0.3, "head": 3.0, "foot": 3.5, "trousers": 1.0, "upper body": 1.0, "lower body": 1.0,
            "hand": 1.0, "right head": 2.5, "left head": 2.5}  # fmt: skip
    found |= {SET_CODES[name]: w for name, w in sets.items()}
    assert weights.shape == (256,)
    assert {i: w for i, w in enumerate(weights.tolist()) if w} == pytest.approx(found)
    assert code_weights(LIP20).tolist() == [1.0] * 20 + [0.0] * 236


@pytest.mark.parametrize(("known", "told"), [(3, True), (2, False), (1, False)])
def test_a_cell_shows_the_true_silhouette_where_more_than_half_is_known(known: int, told: bool) -> None:
    codes = torch.full((1, 2, 2), IGNORE, dtype=torch.uint8)
    codes.view(-1)[:known] = torch.tensor([0, 3, 7][:known], dtype=torch.uint8)
    shown = person_from_codes(codes, (1, 1), torch.full((1, 1, 1, 1), 0.3)).item()
    assert shown == pytest.approx(2 / 3 if told else 0.3)


def test_logits_of_coarser_cells_are_resized_to_the_codes_between_their_middles() -> None:
    logits = torch.tensor([0.0, 4.0]).view(1, 1, 1, 2)
    finer = to_grid(logits, torch.zeros(1, 1, 4, dtype=torch.uint8))
    assert finer.view(-1).tolist() == [0, 1, 3, 4]
    assert to_grid(logits, torch.zeros(1, 1, 2, dtype=torch.uint8)) is logits
