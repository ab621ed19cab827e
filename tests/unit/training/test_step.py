"""What the head of a Factored ConvNet is shown in a step, and which outputs are taught together."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from models.factored import FactoredConvNet, normalise, person_probability
from models.families import ZOO
from models.labels import S31
from models.network import build
from models.outputs import Heatmaps, JointDisks, PartProbabilities
from training.objectives import OBJECTIVES, losses_of, terms_of
from training.personlab_loss import personlab_loss
from training.step import StepConfig, draw_setting, losses, shown_to_head

JOINTS = Heatmaps(joints="COCO-17")
CLEAN = StepConfig(setting_shares=(0, 0, 1, 0), bf16=False)


def shown(config: StepConfig, count: int = 400) -> tuple[Tensor, Tensor, Tensor]:
    """Features, and what of them and of P(person), which is 0.5, the head sees where all is truly person."""
    features, person = torch.ones(count, 8, 8, 10), torch.full((count, 1, 8, 10), 0.5)
    codes = torch.full((count, 64, 80), S31.id("neck"), dtype=torch.uint8)
    torch.manual_seed(0)
    given, seen, told = shown_to_head(features, person, codes, config, torch.Generator().manual_seed(1))
    cells = (told > 0).float().view(count, 8, 8, 10, 8).mean(dim=(2, 4))
    picked = (seen[:, 0] != 0.5).any(2).any(1)
    assert torch.allclose(seen[picked, 0], cells[picked]), "parts follow what the head is shown"
    assert (told[~picked] > 0).all()
    return features, given, seen[:, 0]


def test_shares_of_what_the_head_is_shown_are_the_configurations() -> None:
    """Three tenths see the true silhouette, two fifths of these without a box, half without features."""
    features, given, person = shown(CLEAN)
    true = (person != 0.5).any(2).any(1)
    whole = (person == 1).all(2).all(1)
    assert true.float().mean() == pytest.approx(0.3, abs=0.06)
    assert whole.sum() / true.sum() == pytest.approx(0.6, abs=0.12)
    hidden = (given != features).flatten(1).any(1)
    assert not hidden[~true].any()
    assert hidden.sum() / true.sum() == pytest.approx(0.5, abs=0.12)
    dropped = (given[hidden] == 0).flatten(2).all(2).float()
    assert dropped.mean() == pytest.approx(0.5, abs=0.06), "whole channels"


def test_without_injection_the_head_sees_the_factors_own() -> None:
    features, given, person = shown(replace(CLEAN, inject=0.0), 8)
    assert torch.equal(given, features)
    assert (person == 0.5).all()


def test_a_box_that_is_left_out_is_a_third_to_all_of_a_side() -> None:
    """Cells of 8 px, 8 by 10; a box may reach beyond the picture, and is a rectangle of nobody."""
    _, _, person = shown(replace(CLEAN, inject=1.0, leave_out=1.0, hide=0.0), 200)
    sides, corners = [], []
    for p in person:
        rows, columns = (p < 1).any(1), (p < 1).any(0)
        assert torch.equal(p < 1, rows[:, None] & columns[None, :]), "one rectangle"
        gone = 1 - p
        sides += [gone.max(1).values.sum().item() / 8, gone.max(0).values.sum().item() / 10]
        corners += [rows[0].item(), rows[-1].item(), columns[0].item(), columns[-1].item()]
    inside = [s for s in sides if s > 0.29]
    assert len(inside) / len(sides) > 0.75, "most are not cut off by the edge"
    assert max(sides) > 0.9
    assert min(sides) > 0.1
    assert sum(sides) / len(sides) == pytest.approx(0.52, abs=0.05)
    assert 0.2 < sum(corners) / len(corners) < 0.6


def test_a_left_out_box_has_its_middle_anywhere_to_the_pixel() -> None:
    """Middles, then halves of sides, of all pictures, down first: as shares of the picture's side."""
    codes = torch.ones(50, 64, 48, dtype=torch.uint8)
    person, config = torch.full((50, 1, 16, 12), 0.5), replace(CLEAN, inject=1.0, leave_out=1.0)
    _, _, told = shown_to_head(person, person, codes, config, torch.Generator().manual_seed(3))
    draw = torch.Generator().manual_seed(3)
    for _ in range(3):  # who is shown, without features, without everybody
        torch.rand(50, generator=draw)
    wanted = torch.ones(50, 64, 48, dtype=torch.uint8)
    sides = [(torch.rand(50, generator=draw), torch.rand(50, generator=draw)) for _ in range(2)]
    for picture in range(50):
        (y, tall), (x, wide) = ([float(v[picture]) for v in side] for side in sides)
        rows = [i for i in range(64) if abs((i + 0.5) / 64 - y) < 0.15 + 0.35 * tall]
        columns = [i for i in range(48) if abs((i + 0.5) / 48 - x) < 0.15 + 0.35 * wide]
        wanted[picture, rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] = 0
    assert torch.equal(told, wanted)


@pytest.mark.parametrize(("setting", "swap", "gaussian"), [
    (1, True, False), (2, False, True), (3, False, False), (4, True, True),
])  # fmt: skip
def test_a_setting_trains_and_disturbs_what_it_says(setting: int, swap: bool, gaussian: bool) -> None:
    """Settings 1, 2 and 4 teach the head alone; 3 everything, with nothing disturbed."""
    torch.manual_seed(0)
    net = build(ZOO["factored-s31"]).train()
    assert isinstance(net, FactoredConvNet)
    for module in net.modules():
        if isinstance(module, torch.nn.Dropout2d):
            module.p = 0.0
    shares = [float(i == setting) for i in (1, 2, 3, 4)]
    config = replace(CLEAN, setting_shares=tuple(shares), inject=0.0)
    rgb, codes = torch.rand(2, 3, 64, 64) * 255, torch.randint(0, 32, (2, 16, 16), dtype=torch.uint8)
    before = {k: v.clone() for k, v in net.state_dict().items() if "running" in k and "head" not in k}
    seen: list[tuple[Tensor, ...]] = []
    net.factor.register_forward_hook(lambda _, x, y: seen.append((x[0], person_probability(y))))
    net.head.register_forward_hook(lambda _, x, _y: seen.append(x))
    terms = losses(net, (), rgb, {"codes": codes}, config, torch.Generator().manual_seed(1))
    sum(terms.values(), torch.zeros(())).backward()
    (features, own), (shown_features, person) = seen
    assert torch.equal(features, shown_features) is not gaussian
    assert torch.equal(own, person) is not swap
    learned = {name.split(".")[0] for name, p in net.named_parameters() if p.grad is not None}
    assert learned == ({"trunk", "factor", "head"} if setting == 3 else {"head"})
    assert set(terms) == ({"factor", "parts"} if setting == 3 else {"parts"})
    moved = any(not torch.equal(v, net.state_dict()[k]) for k, v in before.items())
    assert moved is (setting == 3)
    assert all(m.training for m in net.modules())


def test_usually_the_trunk_learns() -> None:
    generator = torch.Generator().manual_seed(0)
    drawn = [draw_setting(StepConfig(), generator) for _ in range(2000)]
    assert [drawn.count(s) / 2000 for s in (1, 2, 3, 4)] == pytest.approx([0.08, 0.08, 0.76, 0.08], abs=0.03)


def people_maps(seed: int, prefix: str = "") -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    sizes = {"disks": 17, "person": 1, "short": 34, "mid": 64, "long": 34}
    return {prefix + n: torch.rand(2, c, 4, 4, generator=generator) for n, c in sizes.items()}


def test_people_are_taught_in_the_middle_of_a_network_too_where_it_says_something() -> None:
    output, targets = JointDisks(joints="COCO-17", radius_px=10), people_maps(1)
    for name in tuple(targets):
        channels = targets[name].shape[1] // (1 if name in {"disks", "person"} else 2)
        targets[f"{name}_known"] = torch.ones(2, channels, 4, 4)
    last, middle = people_maps(2), people_maps(3)
    alone = terms_of([output], last, targets)
    wanted = personlab_loss(last, targets, 10)
    assert {k: v.item() for k, v in alone.items()} == pytest.approx({k: v.item() for k, v in wanted.items()})
    both = terms_of([output], last | people_maps(3, "conv4_"), targets)
    early = personlab_loss(middle, targets, 10)
    wanted |= {f"conv4_{k}": v for k, v in early.items()}
    assert {k: v.item() for k, v in both.items()} == pytest.approx({k: v.item() for k, v in wanted.items()})


@pytest.mark.parametrize(
    ("objective", "without"), [("parts alone", "AffinityFields"), ("limbs alone", "PartProbabilities")]
)
def test_an_objective_may_leave_an_output_untaught(objective: str, without: str) -> None:
    everything = {kind.__name__ for kind in losses_of("")}
    assert {kind.__name__ for kind in losses_of(objective)} == everything - {without}
    assert set(OBJECTIVES) == {"", "parts alone", "limbs alone", "positive", "mean", "nie", "cao"}


def test_other_networks_are_taught_by_their_last_output() -> None:
    """A baseline gives parts alone: the same loss as of its logits by hand, in either precision."""
    torch.manual_seed(0)
    net = build(ZOO["baseline"]).eval()
    outputs = tuple(o for stage in ZOO["baseline"].stages for o in stage.outputs)
    rgb, codes = torch.rand(2, 3, 64, 64) * 255, torch.randint(0, 32, (2, 16, 16), dtype=torch.uint8)
    with torch.no_grad():
        terms = losses(net, outputs, rgb, {"codes": codes}, CLEAN, torch.Generator())
        coarse = losses(net, outputs, rgb, {"codes": codes}, replace(CLEAN, bf16=True), torch.Generator())
        parts = PartProbabilities(parts="S31")
        wanted = terms_of([parts], {parts.name: net(normalise(rgb))}, {"codes": codes})
    assert terms["parts"].item() == pytest.approx(wanted["parts"].item(), rel=1e-5)
    assert coarse["parts"].item() == pytest.approx(terms["parts"].item(), rel=0.05)
    assert coarse["parts"].item() != terms["parts"].item()
    with torch.no_grad():
        several = losses(net, (JOINTS, *outputs), rgb, {"codes": codes}, CLEAN, torch.Generator())
        usual = losses(net, outputs, rgb, {"codes": codes}, StepConfig(), torch.Generator())
    assert several == terms
    assert usual == coarse, "bfloat16, unless told otherwise"
    with pytest.raises(KeyError):
        losses(net, (*outputs, JOINTS), rgb, {"codes": codes}, CLEAN, torch.Generator())
