from __future__ import annotations

import pytest
import torch
from torch import nn

from export.fast_blocks import PIXEL_SCALE, DepthwisePReLU, FastBottleneck, FastInitial, fast_sequence
from export.rewrite import PIXEL_CENTRE, rewrite
from export.stages import ExportError
from models.blocks import Activation, Bottleneck, Initial, Kind
from models.factored import FactoredConvNet, normalise
from tests.networks import seasoned


@pytest.mark.parametrize("act", ["relu", "prelu"])
@torch.no_grad()
def test_the_initial_block_is_exact_up_to_the_border(act: Activation) -> None:
    """Zero padding stands behind the normalisation: a black border and a grey one must not be confused."""
    block = Initial(act)
    wrapped = seasoned(nn.Sequential(block))
    for value in (0, 255, None):
        image = torch.full((2, 3, 32, 48), float(value or 0))
        if value is None:
            image = torch.randint(0, 256, image.shape).float()
        expected = wrapped(normalise(image))
        got = FastInitial(block)(image - PIXEL_CENTRE)
        torch.testing.assert_close(got, expected, atol=1e-5, rtol=0)


def test_scale_and_centre_are_the_normalisation() -> None:
    x = torch.arange(256.0)
    torch.testing.assert_close((x - PIXEL_CENTRE) * PIXEL_SCALE, normalise(x), atol=1e-6, rtol=0)


@pytest.mark.parametrize("act", ["relu", "prelu"])
@pytest.mark.parametrize(
    ("kind", "ci", "co"), [("regular", 64, 64), ("dilated", 64, 64), ("asymmetric", 64, 64), ("down", 16, 64)]
)
@torch.no_grad()
def test_every_kind_of_bottleneck_is_exact(kind: Kind, ci: int, co: int, act: Activation) -> None:
    block = Bottleneck(ci, co, kind, act=act, dilation=2)
    for m in block.modules():
        if isinstance(m, nn.BatchNorm2d):
            nn.init.uniform_(m.running_var, 0.5, 2.0)
            nn.init.normal_(m.running_mean)
            nn.init.uniform_(m.weight, -1.5, 1.5)
            nn.init.normal_(m.bias)
        if isinstance(m, nn.PReLU):
            nn.init.uniform_(m.weight, -1, 2)
    x = torch.randn(2, ci, 20, 28)
    torch.testing.assert_close(FastBottleneck(block.eval())(x), block(x), atol=2e-5, rtol=1e-5)


@torch.no_grad()
def test_prelu_as_two_depthwise_convolutions() -> None:
    act = nn.PReLU(5)
    act.weight.copy_(torch.tensor([-1.0, 0.0, 0.25, 1.0, 3.0]))
    x = torch.randn(2, 5, 7, 9) * 10
    torch.testing.assert_close(DepthwisePReLU(act)(x), act(x), atol=1e-5, rtol=1e-6)


def test_the_rewrite_leaves_the_network_as_it_was() -> None:
    net = FactoredConvNet().eval()
    before = {k: v.clone() for k, v in net.state_dict().items()}
    for stage in net.stages().values():
        assert not any(isinstance(m, nn.BatchNorm2d | nn.Dropout2d) for m in rewrite(stage).modules())
    assert all(torch.equal(v, before[k]) for k, v in net.state_dict().items())


@pytest.mark.parametrize(
    "modules",
    [
        [nn.Conv2d(3, 3, 1), nn.GELU()],
        [nn.ReLU(), nn.BatchNorm2d(3)],
        [nn.Conv2d(3, 3, 1), nn.BatchNorm2d(3, track_running_stats=False)],
    ],
)
def test_what_has_no_exact_rewrite_is_refused(modules: list[nn.Module]) -> None:
    with pytest.raises(ExportError):
        fast_sequence(nn.Sequential(*modules))


def test_a_stage_without_a_row_is_exported_as_it_is() -> None:
    stage = nn.Sequential(nn.Conv2d(3, 3, 1), nn.GELU())
    assert rewrite(stage) is stage
