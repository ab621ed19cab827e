"""PersonLab on ResNets: atrous convolution, published weights, and the corner grid."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from models.families import AUXILIARY, ZOO
from models.grid import Grid, Sides
from models.network import build
from models.outputs import JointDisks
from models.resnet import ResNet
from models.spec import sides_of

SMALLEST = ZOO["personlab-resnet50"]
#: of torchvision's ResNets without their 2 049 000 weights of `fc`
PUBLISHED = {50: 23_508_032, 101: 42_500_160, 152: 58_143_808}


@pytest.mark.parametrize("depth", PUBLISHED)
def test_the_backbone_has_as_many_weights_as_published(depth: int) -> None:
    with torch.device("meta"):
        assert sum(p.numel() for p in ResNet(depth, 32).parameters()) == PUBLISHED[depth]


@pytest.mark.parametrize(
    ("name", "stride"),
    [(SMALLEST.name, 8), (SMALLEST.name, 16), (SMALLEST.name, 32), ("personlab-resnet152", 8)],
)
def test_the_heads_give_150_channels_on_the_corner_grid(name: str, stride: int) -> None:
    row = ZOO[name].at_stride(stride)
    with torch.device("meta"):
        maps = build(row).eval()(torch.zeros(1, 3, 801, 545))
    assert sum(m.shape[1] for m in maps.values()) == 17 + 34 + 64 + 1 + 34
    assert {tuple(m.shape[2:]) for m in maps.values()} == {(800 // stride + 1, 544 // stride + 1)}
    (disks,) = (o for s in row.stages for o in s.outputs if isinstance(o, JointDisks))
    assert (disks.radius_px, disks.stride, disks.grid) == (32, stride, Grid.CORNER)
    assert sides_of(row.stages) == Sides(stride, Grid.CORNER)


@pytest.mark.parametrize("stride", [8, 16])
def test_cells_of_stride_32_are_found_again_among_finer_ones(stride: int) -> None:
    coarse = ResNet(50, 32).double().eval()
    for m in coarse.modules():
        if isinstance(m, nn.BatchNorm2d):
            nn.init.uniform_(m.weight, 0.5, 1.0)
            nn.init.normal_(m.running_mean, 0.0, 0.2)
    fine = ResNet(50, stride).double().eval()
    fine.load_state_dict(coarse.state_dict())
    picture = torch.randn(1, 3, 97, 65, dtype=torch.float64)
    with torch.no_grad():
        expected, found = coarse(picture), fine(picture)
    step = 32 // stride
    assert found[1].shape[2:] == (96 // stride + 1, 64 // stride + 1)
    torch.testing.assert_close(found[1][:, :, ::step, ::step], expected[1])
    torch.testing.assert_close(
        found[0][:, :, :: 16 // min(16, stride), :: 16 // min(16, stride)], expected[0]
    )


def test_a_cell_sees_the_pixels_around_its_corner() -> None:
    """The gradient of a cell of stride 16 is symmetric about its pixel when every weight is one."""
    net = ResNet(50, 16).double().eval()
    for p in net.parameters():
        p.data.fill_(0.01 if p.ndim > 1 else 1)
    picture = torch.rand(1, 1, 97, 97, dtype=torch.float64)
    picture = (picture + picture.flip(2) + picture.flip(3) + picture.flip(2, 3)).repeat(1, 3, 1, 1)
    given = net(picture)[1]
    torch.testing.assert_close(given, given.flip(3))
    torch.testing.assert_close(given, given.flip(2))


def test_norms_keep_their_statistics_in_training() -> None:
    net = build(SMALLEST).train()
    before = {k: v.clone() for k, v in net.state_dict().items() if "running" in k}
    net(torch.randn(1, 3, 65, 65))
    assert before
    assert all(torch.equal(v, net.state_dict()[k]) for k, v in before.items())


@pytest.mark.parametrize("stride", [8, 16, 32])
def test_the_middle_is_taught_on_the_same_cells_and_dropped_outside_training(stride: int) -> None:
    net = build(SMALLEST.at_stride(stride))
    x = torch.randn(1, 3, 65, 97)
    taught = net.train()(x)
    assert {n for n in taught if n.startswith(AUXILIARY)} == {AUXILIARY + n for n in net.eval()(x)}
    assert all(m.shape == taught[n.removeprefix(AUXILIARY)].shape for n, m in taught.items())


def published(depth: int) -> dict[str, Tensor]:
    """A state dict as torchvision's older files have one: no count of batches, and a classifier."""
    own = ResNet(depth, 32).state_dict()
    weights = {k: torch.rand_like(v) for k, v in own.items() if not k.endswith("num_batches_tracked")}
    return {**weights, "fc.weight": torch.zeros(1000, 2048), "fc.bias": torch.zeros(1000)}


def test_published_weights_are_taken_whole() -> None:
    weights = published(50)
    assert {"conv1.weight", "layer1.0.downsample.1.running_var", "layer4.2.bn3.bias"} <= set(weights)
    net = build(SMALLEST)
    net.load_state_dict(net.start(weights))
    own = net.state_dict()
    assert all(torch.equal(own[f"backbone.{k}"], v) for k, v in weights.items() if not k.startswith("fc."))


def test_pictures_reach_published_weights_as_they_were_trained() -> None:
    net = build(SMALLEST).eval()
    seen: list[Tensor] = []
    net.get_submodule("backbone").register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    rgb = np.full((1, 3, 33, 33), 255, np.float32)
    with torch.no_grad():
        net(torch.from_numpy((rgb / 255 - 0.5) / 0.25))
    mean, std = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # torchvision's ImageNet transforms
    np.testing.assert_allclose(
        seen[0][0, :, 5, 5], [(1 - m) / s for m, s in zip(mean, std, strict=True)], rtol=1e-5
    )


def test_only_networks_on_a_resnet_have_other_strides() -> None:
    with pytest.raises(ValueError, match="only ResNets"):
        ZOO["personlab-small"].at_stride(16)
    with pytest.raises(ValueError, match="strides"):
        build(replace(SMALLEST, stride=64))
    for depth, stride in ((18, 8), (50, 4)):
        with pytest.raises(
            ValueError, match=rf"^ResNet-{depth} at stride {stride}: depths \(50, 101, 152\), strides"
        ):
            ResNet(depth, stride)


def test_blocks_begin_as_little_more_than_their_shortcuts() -> None:
    net = ResNet(50, 32)
    for name, scale in net.named_parameters():
        if name.endswith(("bn1.weight", "bn2.weight", "bn3.weight")):
            assert (scale == (0.2 if "bn3" in name else 1)).all()
    assert net.state_dict()["layer2.1.conv2.weight"].std().item() == pytest.approx(
        (2 / (128 * 9)) ** 0.5, rel=0.02
    )
