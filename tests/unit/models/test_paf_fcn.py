"""PAF+FCN: where it starts from, its parts on the grid of its limbs, and the recipes that teach it."""

from __future__ import annotations

import numpy as np
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


def test_recipes_by_name_change_the_objective() -> None:
    row = ZOO["paf-fcn-small"]
    assert recipe_of(row).objective == ""
    assert recipe_of(row, "paf_fcn_report", steps=3).steps == 3
    kinds = {name: set(losses_of(recipe.objective)) for name, recipe in NAMED.items()}
    assert AffinityFields not in kinds["paf_fcn_parts"]
    assert AffinityFields in kinds["paf_fcn_limbs"]
    assert kinds["paf_fcn_limbs"] != kinds["paf_fcn_report"]
