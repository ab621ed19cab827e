"""What the head of a Factored ConvNet is shown in a step, and which outputs are taught together."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from models.factored import normalise
from models.families import ZOO
from models.labels import S31
from models.network import build
from models.outputs import JointDisks, PartProbabilities
from training.objectives import OBJECTIVES, losses_of, terms_of
from training.personlab_loss import personlab_loss
from training.step import StepConfig, draw_setting, losses, shown_to_head

CLEAN = StepConfig(setting_shares=(0, 0, 1, 0), bf16=False)


def shown(config: StepConfig, count: int = 400) -> tuple[Tensor, Tensor, Tensor]:
    """Features, and what of them and of P(person), which is 0.5, the head sees where all is truly person."""
    features, person = torch.ones(count, 8, 8, 8), torch.full((count, 1, 8, 8), 0.5)
    codes = torch.full((count, 64, 64), S31.id("neck"), dtype=torch.uint8)
    torch.manual_seed(0)
    given, seen, told = shown_to_head(features, person, codes, config, torch.Generator().manual_seed(1))
    cells = (told > 0).float().view(count, 8, 8, 8, 8).mean(dim=(2, 4))
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
    """Cells of 8 px, 8 a side; a box may reach beyond the picture, and is a rectangle of nobody."""
    _, _, person = shown(replace(CLEAN, inject=1.0, leave_out=1.0, hide=0.0), 200)
    sides, corners = [], []
    for p in person:
        rows, columns = (p < 1).any(1), (p < 1).any(0)
        assert torch.equal(p < 1, rows[:, None] & columns[None, :]), "one rectangle"
        gone = 1 - p
        sides += [gone.max(1).values.sum().item() / 8, gone.max(0).values.sum().item() / 8]
        corners += [rows[0].item(), rows[-1].item(), columns[0].item(), columns[-1].item()]
    inside = [s for s in sides if s > 0.29]
    assert len(inside) / len(sides) > 0.75, "most are not cut off by the edge"
    assert max(sides) > 0.9
    assert min(sides) > 0.1
    assert sum(sides) / len(sides) == pytest.approx(0.52, abs=0.05)
    assert 0.2 < sum(corners) / len(corners) < 0.6


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
