"""Adapters and convolutions by predicted kernels, against loops, gradients and ONNX Runtime."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d

from export.fast_blocks import composed
from export.graphs import to_onnx
from export.parity import session
from models.outputs import SharedFeatures
from models.parameter_adapter import (
    AdaptiveConvolution,
    AdaptiveMaxPool,
    BlockDiagonalDepthwise,
    ParameterAdapter,
    PerSampleDepthwise,
    begin_as_averages,
)
from models.spec import IMAGE, StageSpec


class Adapted(nn.Module):
    """Features, adapted by kernels of their own."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.adapter, self.convolve = ParameterAdapter(16, size), AdaptiveConvolution(16, norm=True)

    def forward(self, features: Tensor) -> Tensor:
        y: Tensor = self.convolve(features, self.adapter(features))
        return y


@pytest.mark.parametrize("form", [PerSampleDepthwise(), BlockDiagonalDepthwise()])
@pytest.mark.parametrize("side", [3, 7])
def test_depthwise_is_a_loop_over_pictures_and_channels(form: nn.Module, side: int) -> None:
    x, kernels = torch.randn(3, 4, 9, 12), torch.randn(3, 4, side, side)
    expected = torch.stack([
        torch.stack([conv2d(x[b, c][None, None], kernels[b, c][None, None], padding=side // 2)[0, 0]
                     for c in range(4)])
        for b in range(3)
    ])  # fmt: skip
    torch.testing.assert_close(form(x, kernels), expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("form", [PerSampleDepthwise(), BlockDiagonalDepthwise()])
def test_depthwise_gradients_to_both_arguments(form: nn.Module) -> None:
    x = torch.randn(2, 3, 5, 4, dtype=torch.float64, requires_grad=True)
    kernels = torch.randn(2, 3, 3, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(form, (x, kernels))


def test_the_papers_sizes_and_parameters() -> None:
    """64 cells of an hourglass give 7x7 kernels, 32 of VGG 3x3 (methods §5.2)."""
    with torch.device("meta"):
        adapter, convolve = ParameterAdapter(256), AdaptiveConvolution(256, norm=False)
        assert adapter(torch.zeros(2, 256, 64, 64)).shape == (2, 256, 7, 7)
        assert adapter(torch.zeros(1, 256, 32, 32)).shape == (1, 256, 3, 3)
        assert ParameterAdapter(256, 7)(torch.zeros(1, 256, 32, 64)).shape == (1, 256, 7, 7)
    assert sum(p.numel() for p in adapter.parameters()) == 1_770_240
    assert sum(p.numel() for p in convolve.parameters()) == 131_584


@pytest.mark.parametrize("size", [3, 7])
@pytest.mark.parametrize("cells", [(4, 4), (8, 12), (20, 8), (36, 64)])
def test_adaptive_pooling_finds_a_broad_hill_where_it_is(size: int, cells: tuple[int, int]) -> None:
    rows, columns = (torch.linspace(-1, 1, n) for n in cells)
    hill = -((rows[:, None] - 0.5) ** 2) - (columns + 0.5) ** 2
    pooled = AdaptiveMaxPool(size)(hill[None, None])
    assert pooled.shape == (1, 1, size, size)
    row, column = divmod(int(pooled.argmax()), size)
    assert abs((row + 0.5) / size - 0.75) < 0.6 / size + 0.1
    assert abs((column + 0.5) / size - 0.25) < 0.6 / size + 0.1
    whole = torch.randn(2, 3, 2 * size, 2 * size)
    torch.testing.assert_close(AdaptiveMaxPool(size)(whole), nn.functional.max_pool2d(whole, 2))


@pytest.mark.onnx
@torch.no_grad()
def test_a_graph_adapts_any_batch_and_size() -> None:
    shared = SharedFeatures(count=16)
    stages = (
        StageSpec("before", (IMAGE,), (shared,)),
        StageSpec("adapted", ("features",), (SharedFeatures(name="after", count=16),)),
    )
    net = Adapted(7)
    for m in net.modules():
        if isinstance(m, nn.BatchNorm2d):
            m.running_var.fill_(4.0)
    net.eval()
    runs = session(to_onnx(composed(net), stages, "adapted").SerializeToString())
    for shape in ((1, 4, 4), (3, 8, 12), (2, 20, 8), (1, 36, 64)):
        x = torch.randn(shape[0], 16, *shape[1:])
        expected = net(x).numpy()
        got = runs.run(None, {"features": x.numpy()})[0]
        np.testing.assert_allclose(got, expected, atol=1e-5 * float(np.abs(expected).max()))


def test_kernels_begin_as_averages_of_the_cells_around() -> None:
    torch.manual_seed(0)
    net = Adapted(5)
    begin_as_averages(net, 5)
    kernels = net.adapter(torch.randn(2, 16, 16, 16))
    torch.testing.assert_close(kernels, torch.full_like(kernels, 1 / 25), atol=1e-3, rtol=0)
    assert net.adapter.leave.weight.std().item() == pytest.approx(1e-6, rel=0.1)


def test_what_is_added_to_features_is_never_negative() -> None:
    """V, the kernels, U, a norm where there is one, and a ReLU."""
    x, kernels = torch.randn(2, 4, 6, 5), torch.randn(2, 4, 3, 3)
    for norm in (True, False):
        convolve = AdaptiveConvolution(4, norm=norm).eval()
        assert [type(m) for m in convolve.u][1:] == [nn.BatchNorm2d, nn.ReLU][1 - norm :]
        given = convolve(x, kernels)
        expected = convolve.u[0](PerSampleDepthwise()(convolve.v(x), kernels))
        torch.testing.assert_close(given, expected.clamp(min=0), atol=1e-4, rtol=1e-4)


def test_kernels_are_of_their_own_picture() -> None:
    """A picture's result does not depend on its neighbours in the batch."""
    net = Adapted(3).eval()
    x = torch.randn(2, 16, 8, 8)
    with torch.no_grad():
        both, alone = net(x), net(x[:1])
    torch.testing.assert_close(both[:1], alone, atol=1e-5, rtol=1e-5)
