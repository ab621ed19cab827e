"""PAF+FCN: where it starts from, its parts on the grid of its limbs, and the recipes that teach it."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from models.families import ZOO
from models.labels import S31
from models.network import build
from models.outputs import AffinityFields
from models.paf_fcn import on_grid, parts_and_limbs
from training.objectives import losses_of
from training.recipes import NAMED, recipe_of


def test_the_small_network_starts_as_the_parser_and_sees_its_parts() -> None:
    """Trunk, segmentation and first stage are the parser's; the parts' logits are means of those merged."""
    torch.manual_seed(0)
    parser, network = build(ZOO["factored-s31"]).eval(), build(ZOO["paf-fcn-small"]).eval()
    network.load_state_dict(network.start(parser.state_dict()))
    x = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        fine = parser(x, torch.ones(1, 1, 8, 8))[1]
        maps = network(x)
    arms = [S31.id(n) for n in ("ruarm", "relbow", "luarm", "lelbow")]
    np.testing.assert_allclose(maps["parts"][:, 3], fine[:, arms].mean(1), rtol=1e-3, atol=1e-4)
    other = network.start(network.state_dict())
    assert all(torch.equal(v, other[k]) for k, v in network.state_dict().items())


def test_vgg16_takes_imagenets_layers_and_parts_come_to_the_grid() -> None:
    with torch.device("meta"):
        network = build(ZOO["paf-fcn-vgg16"])
        shapes = {"features.0.weight": (64, 3, 3, 3), "classifier.0.weight": (4096, 25088)}
        theirs = {name: torch.zeros(shape) for name, shape in shapes.items()}
        started = network.start(theirs)
    assert started["segmentation.8.weight"].shape == (4096, 512, 7, 7)
    assert started.keys() == network.state_dict().keys()
    maps = {"parts": torch.randn(1, 7, 2, 3), "heatmaps": torch.full((1, 15, 8, 12), 1.5),
            "affinity_fields": torch.randn(1, 26, 8, 12)}  # fmt: skip
    parts, labels, heat, fields = parts_and_limbs(maps)
    assert parts.shape[2:] == labels.shape[1:] == fields.shape[2:]
    assert heat.max() == 1
    assert torch.equal(on_grid(fields, fields), fields)


def test_every_layer_of_vgg16_has_its_place() -> None:
    """Ten convolutions of the trunk, three behind it, and the dense layers."""
    with torch.device("meta"):
        network = build(ZOO["paf-fcn-vgg16"])
    places = {f"features.{i}": f"trunk.{i}" for i in (0, 2, 5, 7, 10, 12, 14, 17, 19, 21)}
    behind = ("features.24", "features.26", "features.28", "classifier.0", "classifier.3")
    places |= {old: f"segmentation.{i}" for old, i in zip(behind, (1, 3, 5, 8, 11), strict=True)}
    own = network.state_dict()
    theirs = {f"{old}.{kind}": torch.tensor(float(i)).expand(own[f"{new}.{kind}"].shape)
              for i, (old, new) in enumerate(places.items()) for kind in ("weight", "bias")}  # fmt: skip
    started = network.start(theirs)
    for i, new in enumerate(places.values()):
        for kind in ("weight", "bias"):
            assert started[f"{new}.{kind}"].flatten()[:1].tolist() == [i]
    assert sum(v.device.type == "cpu" for v in started.values()) == 2 * len(places)


def test_branches_end_in_faint_layers_and_earlier_stages_have_names_of_their_own() -> None:
    torch.manual_seed(0)
    network = build(ZOO["paf-fcn-small"]).eval()
    for stage in (0, 1):
        for branch, channels in (("heatmaps", 18), ("fields", 32)):
            *others, last = [m for m in network.get_submodule(f"pose.{stage}.{branch}").modules()
                             if isinstance(m, torch.nn.Conv2d)]  # fmt: skip
            assert last.weight.shape[0] == channels
            assert last.weight.std().item() == pytest.approx(0.01, rel=0.1)
            assert all(m.weight.std() > 0.05 for m in others)
    with torch.no_grad():
        maps = network(torch.randn(1, 3, 64, 96))
    assert {n: tuple(m.shape[1:]) for n, m in maps.items()} == {
        "parts": (7, 8, 12), "stage1_heatmaps": (18, 8, 12), "stage1_affinity_fields": (32, 8, 12),
        "heatmaps": (18, 8, 12), "affinity_fields": (32, 8, 12),
    }  # fmt: skip
    other = {"x": torch.zeros(1)}
    assert network.start(other) is other


def test_a_later_stage_sees_31_cells_each_way() -> None:
    """As far as five convolutions of 7 by 7."""
    torch.manual_seed(0)
    stage = build(ZOO["paf-fcn-small"]).eval().get_submodule("pose.1.shared.stage")
    x = torch.randn(1, 128, 41, 41, requires_grad=True)
    stage(x)[0, :, 20, 20].square().sum().backward()
    assert x.grad is not None
    seen = x.grad[0].abs().sum(0).nonzero()
    assert seen.min(0).values.tolist() == [5, 5]
    assert seen.max(0).values.tolist() == [35, 35]


def test_maps_come_to_a_finer_grid_between_the_middles_of_cells() -> None:
    coarse = torch.tensor([[[[0.0, 4.0]]]])
    assert on_grid(coarse, torch.zeros(1, 1, 1, 4)).flatten().tolist() == [0, 1, 3, 4]
    assert on_grid(torch.tensor([[[[0.0, 2, 4, 6]]]]), coarse).flatten().tolist() == [1, 5]
    parts = torch.randn(1, 7, 2, 2)
    maps = {"parts": parts, "heatmaps": torch.tensor([-1.0, 0.5, 2]).view(1, 3, 1, 1).expand(1, 3, 2, 2),
            "affinity_fields": torch.full((1, 4, 2, 2), -3.0)}  # fmt: skip
    probabilities, labels, heat, fields = parts_and_limbs(maps)
    torch.testing.assert_close(probabilities, parts.softmax(1))
    assert torch.equal(labels, parts.argmax(1).to(torch.uint8))
    assert heat[0, :, 0, 0].tolist() == [0, 0.5, 1]
    assert (fields == -3).all()


def test_recipes_by_name_change_the_objective() -> None:
    row = ZOO["paf-fcn-small"]
    assert recipe_of(row).objective == ""
    assert recipe_of(row, "paf_fcn_report", steps=3).steps == 3
    kinds = {name: set(losses_of(recipe.objective)) for name, recipe in NAMED.items()}
    assert AffinityFields not in kinds["paf_fcn_parts"]
    assert AffinityFields in kinds["paf_fcn_limbs"]
    assert kinds["paf_fcn_limbs"] != kinds["paf_fcn_report"]


@pytest.mark.parametrize("name", [n for n, row in ZOO.items() if row.family.startswith("paf-fcn")])
def test_rows_have_the_weights_and_the_maps_that_they_say(name: str) -> None:
    """VGG's parts are at stride 32, as FCN-32s has them; all else is at stride 8."""
    row = ZOO[name]
    with torch.device("meta"):
        network = build(row)
        maps = network(torch.zeros(1, 3, 64, 96))
    assert sum(p.numel() for p in network.parameters()) == row.parameters
    joints, limbs = (o.channels for o in row.stages[0].outputs[2:])
    expected = {"parts": (7, 2, 3) if "vgg16" in name else (7, 8, 12)}
    for stage in range(1, row.pose_stages + 1):
        before = f"stage{stage}_" if stage != row.pose_stages else ""
        expected |= {f"{before}heatmaps": (joints, 8, 12), f"{before}affinity_fields": (limbs, 8, 12)}
    assert {n: tuple(m.shape[1:]) for n, m in maps.items()} == expected
