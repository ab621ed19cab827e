"""Pose Partition Network: branches in each stage, where it starts from, and the loss that teaches both."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from models.codecs.personlab import AnnotatedPerson
from models.families import ZOO
from models.gpn import UNIT_PX, GpnNet
from models.network import build
from models.outputs import CentreOffsets, Heatmaps
from tests.networks import seasoned
from training.centre_loss import centre_loss
from training.crowd_batches import centre_targets
from training.crowds import Crowd
from training.objectives import terms_of


def test_the_papers_size_predicts_and_is_taught_in_all_eight_stages() -> None:
    with torch.device("meta"):
        net = build(ZOO["gpn-hg8"]).train()
        maps = net(torch.zeros(2, 3, 64, 96))
    assert len(maps) == 16
    assert all(m.shape == (2, 32 if n.endswith("centres") else 17, 16, 24) for n, m in maps.items())
    values = {n: torch.full(m.shape, float(len(n) > 8)) for n, m in maps.items()}
    targets = {n: torch.zeros(2, c, 16, 24) for n, c in (("heatmaps", 17), ("centres", 32))}
    targets |= {"heatmaps_known": torch.ones(2, 17, 16, 24), "centres_known": torch.ones(2, 16, 16, 24)}
    terms = terms_of([CentreOffsets(joints="LIP-16", stride=4)], values, targets)
    assert len(terms) == 16
    assert terms["joints"] == 0
    assert all(terms[f"stage{i}_joints"] == 1 for i in range(1, 8)), "maps of the same stage belong together"


def test_it_starts_from_a_parsers_trunk_and_head() -> None:
    theirs, net = build(ZOO["factored-s31"]).state_dict(), build(ZOO["gpn-small"])
    started = net.start(theirs)
    for own, parsers in (
        ("stem.7.0.main.0", "trunk.7.0.main.0"),
        ("pipeline.0.encode.3.0.main.0", "head.stage.0.main.0"),
    ):
        assert torch.equal(started[f"{own}.weight"], theirs[f"{parsers}.weight"])
    kernel = theirs["head.concat.0.weight"]
    assert torch.equal(started["pipeline.0.encode.0.weight"], kernel[:, :128])


@torch.no_grad()
def test_vectors_are_told_in_units_of_128_px_and_maps_shown_as_probabilities() -> None:
    assert UNIT_PX == 128
    net = seasoned(build(ZOO["gpn-small"]))
    torch.nn.init.uniform_(net.get_parameter("pipeline.0.classify.0.bias"), -2, 3)  # beyond 0 and 1
    image = torch.randint(0, 256, (1, 64, 64, 3), dtype=torch.uint8)
    x = (image.permute(0, 3, 1, 2) / 255 - 0.5) / 0.25
    (heatmaps, vectors), _ = net.get_submodule("pipeline.0")(net.get_submodule("stem")(x))
    maps = net(x)
    torch.testing.assert_close(maps["centres"], vectors * 128)
    torch.testing.assert_close(maps["heatmaps"], heatmaps)
    assert heatmaps.min() < 0
    assert heatmaps.max() > 1
    (stage,) = net.stages().values()
    shown, ways = stage(image)
    torch.testing.assert_close(shown, heatmaps.clamp(0, 1), atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(ways, maps["centres"], atol=1e-2, rtol=1e-3)


@torch.no_grad()
def test_a_stage_is_shown_the_last_ones_input_features_and_maps() -> None:
    """Both branches add theirs; in use the last stage alone predicts."""
    torch.manual_seed(0)
    net = GpnNet(torch.nn.Conv2d(3, 8, 1), [torch.nn.Identity] * 2, 8, 3).eval()
    x = torch.randn(1, 3, 4, 4)
    first, second = (net.get_submodule(f"pipeline.{i}") for i in (0, 1))
    maps, onward = first(net.stem(x))
    assert [m.shape[1] for m in maps] == [4, 6]
    expected = net.stem(x)
    for i in (0, 1):
        features = first.get_submodule(f"branches.{i}")(net.stem(x))
        expected += first.get_submodule(f"onward.{i}.from_features")(features)
        expected += first.get_submodule(f"onward.{i}.from_predictions.0")(maps[i])
    torch.testing.assert_close(onward, expected)
    (heatmaps, vectors), unchanged = second(onward)
    assert unchanged is onward
    found = net(x)
    assert set(found) == {"heatmaps", "centres"}
    torch.testing.assert_close(found["heatmaps"], heatmaps)
    torch.testing.assert_close(found["centres"], vectors * 128)
    assert set(net.train()(x)) == {"heatmaps", "centres", "stage1_heatmaps", "stage1_centres"}


def test_the_small_network_begins_with_faint_maps_and_takes_what_fits_of_another() -> None:
    net = build(ZOO["gpn-small"])
    for i in (0, 1):
        assert net.state_dict()[f"pipeline.0.classify.{i}.weight"].std().item() == pytest.approx(
            0.01, rel=0.2
        )
    assert net.state_dict()["pipeline.0.branches.0.0.weight"].std().item() == pytest.approx(0.125, rel=0.1)
    theirs = {k: torch.full_like(v, 3) for k, v in net.state_dict().items()}
    theirs["stem.0.conv.weight"] = torch.zeros(1)
    started = net.start(theirs)
    assert torch.equal(started["stem.0.conv.weight"], net.state_dict()["stem.0.conv.weight"])
    assert all((v == 3).all() for k, v in started.items() if k != "stem.0.conv.weight")


@pytest.mark.parametrize("name", ["heatmaps", "centres"])
def test_cells_that_nobody_knows_teach_nothing(name: str) -> None:
    maps = {"heatmaps": torch.rand(2, 4, 5, 6), "centres": 50 * torch.randn(2, 6, 5, 6)}
    targets = {n: torch.rand_like(m) for n, m in maps.items()}
    targets |= {f"{n}_known": torch.zeros(2, 4 if n == "heatmaps" else 3, 5, 6) for n in maps}
    targets[f"{name}_known"][1, 2, 3, 4] = 1
    given = {n: m.requires_grad_() for n, m in maps.items()}
    torch.autograd.backward(sum(centre_loss(given, targets).values(), torch.zeros(())))
    channels = {"heatmaps": {2}, "centres": {4, 5}}
    for n, m in given.items():
        assert m.grad is not None
        taught = {tuple(i) for i in m.grad.nonzero().tolist()}
        assert taught == ({(1, c, 3, 4) for c in channels[n]} if n == name else set())


def test_the_loss_is_that_of_the_release() -> None:
    """One vector off by half a unit: smooth L1 ½·½², in the mean of all cells."""
    maps = {n: torch.zeros(1, 2, 4, 4) for n in ("heatmaps", "centres")}
    targets = {n: m.clone() for n, m in maps.items()}
    targets |= {"heatmaps_known": torch.ones(1, 2, 4, 4), "centres_known": torch.ones(1, 1, 4, 4)}
    targets["centres"][0, 0, 1, 1] = UNIT_PX / 2
    targets["heatmaps"][0, 0, 2, 2] = 1
    terms = centre_loss(maps, targets)
    assert terms["centres"].item() == pytest.approx(0.125 / 32)
    assert terms["joints"].item() == pytest.approx(1 / 32)


def test_targets_of_a_scene_are_unknown_where_nobody_said_and_centres_are_known_near_joints() -> None:
    points = np.full((17, 2), 20, np.float32)
    points[5:] = 44
    unknown = np.zeros((17, 64, 64), bool)
    unknown[3, :32] = True
    crowd = Crowd(
        np.zeros((64, 64, 3), np.uint8), np.zeros((64, 64), np.uint8),
        (AnnotatedPerson(points, np.ones(17, bool)),), unknown, unknown[0],
    )  # fmt: skip
    heat, centres = Heatmaps(joints="COCO-17", background=True), CentreOffsets(joints="COCO-17")
    maps = centre_targets(crowd, heat, centres)
    known = maps["heatmaps_known"]
    assert not known[[3, 17], :4].any()
    assert known[[3, 17], 4:].all()
    assert known[[0, 1, 2, *range(4, 17)]].all()
    assert {tuple(i) for i in np.argwhere(maps["centres_known"][0])} >= {(2, 2), (1, 2), (2, 4)}
    assert not maps["centres_known"][0, 6, 6]
    centre = (5 * 20 + 12 * 44) / 17
    np.testing.assert_allclose(maps["centres"][:2, 2, 2], centre - (8 * 2 + 3.5), atol=1e-3)


@pytest.mark.parametrize("name", ["enet", "vgg16"])
def test_encoders_that_nobody_knows_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match=name):
        build(replace(ZOO["gpn-small"], encoders=(name,)))


def test_networks_have_the_weights_that_their_rows_say() -> None:
    with torch.device("meta"):
        for name in ("gpn-small", "gpn-hg8"):
            assert sum(p.numel() for p in build(ZOO[name]).parameters()) == ZOO[name].parameters
