"""Every loss by its formula, on a few cells with numbers that can be followed."""

from __future__ import annotations

import math

import pytest
import torch
from torch.nn.functional import cross_entropy

from models.labels import IGNORE, S31
from training.affinity_loss import affinity_loss
from training.heatmap_loss import heatmap_loss
from training.losses import PartLoss, balanced_mean, factor_loss, person_from_codes, to_grid
from training.noise import gaussian_noise, swap_noise
from training.personlab_loss import personlab_loss


def logistic(logit: float, truth: float) -> float:
    """Cross-entropy of one cell."""
    p = 1 / (1 + math.exp(-logit))
    return -truth * math.log(p) - (1 - truth) * math.log(1 - p)


def test_presence_is_summed_over_cells_and_place_is_a_choice_among_them() -> None:
    """Of three joints one lies outside the picture and one is not known."""
    logits = torch.tensor([[2.0, -1.0], [0.5, 1.0], [3.0, 3.0]])
    truth = torch.tensor([[0.6, 0.2], [0.0, 0.0], [1.0, 0.0]])
    terms = heatmap_loss(logits[None, :, None], truth[None, :, None], torch.tensor([[True, True, False]]))
    cells = [(x, y) for i in (0, 1) for x, y in zip(logits[i].tolist(), truth[i].tolist(), strict=True)]
    assert terms["presence"].item() == pytest.approx(0.1 * sum(logistic(x, y) for x, y in cells) / 2)
    a, b = (1 / (1 + math.exp(-x)) for x in (2.0, -1.0))
    chosen = -0.75 * math.log(a / (a + b)) - 0.25 * math.log(b / (a + b))
    assert terms["place"].item() == pytest.approx(chosen, rel=1e-5)
    none = heatmap_loss(logits[None, :, None], truth[None, :, None], torch.zeros(1, 3, dtype=torch.bool))
    assert [v.item() for v in none.values()] == [0, 0]


def test_people_by_the_weights_of_their_maps() -> None:
    """One cell of each map is known, another is not; vectors are off by 3 and 4 px of a radius of 10."""
    maps, targets = {}, {}
    for name, channels in (("disks", 2), ("person", 1), ("short", 4), ("mid", 4), ("long", 4)):
        vectors = name not in {"disks", "person"}
        maps[name] = torch.full((1, channels, 1, 3), 5.0)
        targets[name] = torch.full_like(maps[name], 1 - 5.0 * vectors)
        targets[f"{name}_known"] = torch.zeros(1, channels // (1 + vectors), 1, 3)
        targets[f"{name}_known"][0, -1, 0, :2] = 1
        maps[name][0, -1, 0, :2] = torch.tensor([2.0, -1.0])
        if vectors:
            targets[name][0, -2:] = 0
            maps[name][0, -2, 0], maps[name][0, -1, 0] = (
                torch.tensor([3.0, -3, 90]),
                torch.tensor([-4.0, 0, 90]),
            )
    found = {n: v.item() for n, v in personlab_loss(maps, targets, 10.0).items()}
    cells, away = (logistic(2, 1) + logistic(-1, 1)) / 2, (0.7 + 0.3) / 2
    assert found == pytest.approx(
        {"disks": 4 * cells, "person": 2 * cells, "short": away, "mid": away / 4, "long": away / 8}
    )
    for name in maps:
        targets[f"{name}_known"][..., 1:] = 0
    one = {n: v.item() for n, v in personlab_loss(maps, targets, 10.0).items()}
    assert one == pytest.approx(
        {
            "disks": 4 * logistic(2, 1),
            "person": 2 * logistic(2, 1),
            "short": 0.7,
            "mid": 0.175,
            "long": 0.0875,
        }
    )
    for name in maps:
        targets[f"{name}_known"][:] = 0
    assert [v.item() for v in personlab_loss(maps, targets, 10.0).values()] == [0] * 5


def test_limbs_and_joints_count_from_a_fiftieth_on() -> None:
    """Of three pictures; a value of 0.02 is not there yet, 0.03 is, and one below nothing as well."""
    heat, fields = torch.zeros(3, 2, 1, 2), torch.zeros(3, 2, 1, 2)
    heat[0, 0, 0] = torch.tensor([0.02, 0.03])
    fields[1, 0, 0] = torch.tensor([-0.5, 0.5])
    targets = {"heatmaps": heat, "affinity_fields": fields}
    targets |= {f"{n}_known": torch.ones_like(m) for n, m in targets.items()}
    maps = {"heatmaps": heat + 2, "affinity_fields": fields - 1}
    assert {n: v.item() for n, v in affinity_loss(maps, targets).items()} == pytest.approx(
        {"heatmaps": 12 * 4, "affinity_fields": 12 / 2}
    )
    assert {n: v.item() for n, v in affinity_loss(maps, targets, scale="batch").items()} == pytest.approx(
        {"heatmaps": 12 * 4 / 6, "affinity_fields": 12 / 6}
    )
    assert {n: v.item() for n, v in affinity_loss(maps, targets, mask="positive").items()} == pytest.approx(
        {"heatmaps": 4, "affinity_fields": 1}
    )
    targets |= {"heatmaps": torch.zeros_like(heat), "affinity_fields": torch.zeros_like(fields)}
    nothing = affinity_loss({n: m * 0 + 1 for n, m in maps.items()}, targets)
    assert [v.item() for v in nothing.values()] == [12, 12]


@pytest.mark.parametrize(
    ("people", "background", "expected"),
    [
        (10, 10, 0.5),  # less than the cap
        (10, 20, 1 / 3),  # as much
        (10, 40, 1 / 3),  # held back
        (0, 40, 0.0),
        (50, 0, 1.0),
        (1, 1, 0.25),  # two pixels are half of what counts as a whole picture
    ],
)
def test_a_background_is_held_to_twice_its_people(people: int, background: int, expected: float) -> None:
    """Pixels of people cost 1, of the background nothing; 4 of 100 pixels are a whole picture."""
    place = torch.arange(100)
    person, known = (place < people)[None], (place < people + background)[None]
    found = balanced_mean(person.float(), known.float(), person, 2.0)
    assert found.item() == pytest.approx(expected)
    empty = balanced_mean((known & ~person).float(), known.float(), person, 2.0).item()
    assert empty == pytest.approx(1.0 if not people else 0.25 if people == 1 else 1 - expected)


def test_the_same_seed_gives_the_same_noise_in_every_release() -> None:
    """A training that is continued after an update sees what it would have seen."""
    swapped = swap_noise(torch.zeros(6, 1, 40, 30), torch.Generator().manual_seed(2))[:, 0]
    assert swapped.sum(dim=(1, 2)).int().tolist() == [381, 343, 38, 90, 231, 547]
    assert [int((m.sum(1) * torch.arange(40)).sum()) for m in swapped] == [7407, 5130, 714, 1613, 3003, 10479]
    low = swap_noise(torch.zeros(6, 1, 1, 9), torch.Generator().manual_seed(9))[:, 0, 0]
    rows = ["".join(map(str, row)) for row in low.int().tolist()]
    assert rows == ["000010000", "100000000", "001111100", "111111111", "100001001", "001000001"]
    noise = gaussian_noise(torch.zeros(2, 3, 2, 2), torch.Generator().manual_seed(4))
    assert noise.flatten()[[0, 1, 22, 23]].tolist() == pytest.approx(
        [-13.150583, 10.770207, -49.677349, -94.279083], rel=1e-4
    )


@pytest.mark.parametrize(
    ("people", "background", "expected"),
    [(0.1, 0.5, 0.1 / 0.3), (0.1, 0.2, 0.1 / 0.3), (0.1, 0.15, 0.1 / 0.25), (0.3, 0, 1)],
)
def test_weights_below_one_are_held_back_alike(people: float, background: float, expected: float) -> None:
    """Of two pixels, which are no picture of more than two."""
    weights, person = torch.tensor([[people, background]]), torch.tensor([[True, False]])
    assert balanced_mean(person.float(), weights, person, 2.0).item() == pytest.approx(expected)


@pytest.mark.parametrize("balanced", [True, False])
@pytest.mark.parametrize("loss", ["parts", "factor"])
def test_a_picture_of_which_nothing_is_known_costs_nothing_and_a_pixel_counts(
    loss: str, balanced: bool
) -> None:
    """What is known of one pixel of sixteen, a neck, is its cross-entropy."""
    codes = torch.full((1, 4, 4), IGNORE, dtype=torch.uint8)
    torch.manual_seed(0)
    logits = torch.randn(1, 32 if loss == "parts" else 2, 4, 4)

    def cost() -> float:
        if loss == "parts":
            return float(PartLoss(balanced=balanced)(logits, codes))
        return float(factor_loss(logits, codes, balanced=balanced))

    assert cost() == 0
    neck = S31.id("neck")
    codes[0, 1, 2] = neck
    label = torch.tensor([neck if loss == "parts" else 1])
    assert cost() == pytest.approx(cross_entropy(logits[:, :, 1, 2], label).item(), rel=1e-5)
    codes[0, 3, 3] = 0
    background = cross_entropy(logits[:, :, 3, 3], torch.tensor([0])).item()
    assert cost() == pytest.approx(
        (cross_entropy(logits[:, :, 1, 2], label).item() + background) / 2, rel=1e-5
    )


def test_a_silhouette_on_finer_codes_counts_where_it_is_known() -> None:
    """Two cells with logits for somebody of 0 and 4 become four columns with 0, 1, 3 and 4."""
    logits = torch.stack((torch.zeros(1, 2), torch.tensor([[0.0, 4.0]])))[None]
    codes = torch.tensor([[[0, IGNORE, 5, 5]]], dtype=torch.uint8)
    cells = (logistic(0, 0) + logistic(3, 1) + logistic(4, 1)) / 3
    for balanced in (True, False):
        assert factor_loss(logits, codes, balanced=balanced).item() == pytest.approx(cells)


def test_logits_of_finer_cells_are_resized_to_the_codes_as_well() -> None:
    assert to_grid(torch.zeros(1, 3, 4, 8), torch.zeros(1, 4, 2)).shape == (1, 3, 4, 2)
    assert to_grid(torch.zeros(1, 3, 8, 4), torch.zeros(1, 2, 4)).shape == (1, 3, 2, 4)


def test_a_silhouette_that_is_known_nowhere_is_the_factors_own() -> None:
    own = torch.tensor([0.1, 0.2]).view(1, 1, 1, 2)
    shown = person_from_codes(torch.tensor([[[IGNORE, IGNORE, 0, 9]]], dtype=torch.uint8), (1, 2), own)
    assert shown.flatten().tolist() == pytest.approx([0.1, 0.5])
