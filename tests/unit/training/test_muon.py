"""Muon: orthogonal momentum for kernels, the same as torch's where torch has one."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from models.checkpoint import CheckpointError
from models.factored import FactoredConvNet
from models.families import ZOO
from training.loop import TrainConfig, new_state, resume, save
from training.muon import Muon, orthogonal


@settings(max_examples=15, deadline=None)
@given(st.integers(16, 40), st.integers(16, 200), st.integers(0, 99))
def test_directions_become_alike_and_stay_in_place(rows, columns, seed):
    generator = torch.Generator().manual_seed(seed)
    matrices = torch.randn(2, rows, columns, generator=generator)
    turned = orthogonal(matrices).float()
    assert turned.shape == matrices.shape
    u, s, v = torch.linalg.svd(matrices, full_matrices=False)
    along = torch.einsum("nij,nik,njk->nk", turned, u, v.mT)  # how far each direction now steps
    big = s > 0.2 * s[:, :1]
    assert along[big].min() > 0.4
    assert along[big].max() < 1.4


@pytest.mark.parametrize("shape", [(24, 64), (64, 24)])
def test_a_pointwise_kernel_steps_as_torch_steps_a_matrix(shape):
    rows, columns = shape
    torch.manual_seed(3)
    net = nn.Sequential(nn.Conv2d(columns, rows, 1, bias=False))
    matrix = nn.Parameter(net[0].weight.detach().clone().flatten(1))
    ours = Muon(net, 1e-2, 0.0)
    theirs = torch.optim.Muon([matrix], lr=1e-2, weight_decay=0.0, adjust_lr_fn="match_rms_adamw")
    for _ in range(4):
        gradient = torch.randn(rows, columns)
        net[0].weight.grad = gradient[..., None, None].clone()
        matrix.grad = gradient
        ours.step()
        theirs.step()
    moved = net[0].weight.detach().flatten(1)
    assert torch.allclose(moved, matrix.detach(), atol=2e-3)  # both in bfloat16, in another order of sums


def test_what_is_no_large_kernel_steps_as_adamw_and_what_is_frozen_stays():
    torch.manual_seed(4)
    net = nn.Sequential(
        nn.Conv2d(3, 15, 3), nn.Conv2d(15, 32, 3), nn.Conv2d(16, 16, 1)
    )  # fewer than 16 rows or columns are few
    small, frozen, large = (layer.weight for layer in net)
    twin = nn.Parameter(small.detach().clone())
    ours = Muon(net, 1e-2, 0.1)
    adamw = torch.optim.AdamW([twin], lr=1e-2, weight_decay=0.1, betas=(0.9, 0.99))
    before = frozen.detach().clone(), large.detach().clone()
    small.grad = torch.randn_like(small)
    twin.grad = small.grad.clone()
    large.grad = torch.randn_like(large)
    ours.step()
    adamw.step()
    assert torch.equal(small, twin)
    assert torch.equal(frozen, before[0])
    step = (large - before[1]).detach()
    assert step.square().mean().sqrt() == pytest.approx(0.2 * 1e-2, rel=0.25)


def test_without_a_gradient_large_kernels_and_biases_do_not_decay():
    net = nn.Sequential(nn.Conv2d(32, 32, 3), nn.Conv2d(32, 15, 3))
    before = [p.detach().clone() for p in net.parameters()]
    for p in net.parameters():
        p.grad = torch.zeros_like(p)
    assert Muon(net, 1e-2, 0.1).step(lambda: 1.5) == 1.5
    kernel, bias, few, other = (torch.equal(p, b) for p, b in zip(net.parameters(), before, strict=True))
    assert (kernel, bias, few, other) == (True, True, False, True)
    torch.testing.assert_close(net[1].weight, before[2] * (1 - 1e-3))


def test_directions_do_not_depend_on_the_size_of_the_momentum():
    matrices = torch.randn(2, 16, 40, generator=torch.Generator().manual_seed(6))
    small = orthogonal(matrices / 2**10)
    assert torch.equal(small, orthogonal(matrices))
    assert not orthogonal(torch.zeros(1, 16, 16)).any()
    u, s, v = torch.linalg.svd(matrices.double(), full_matrices=False)
    s = s / s.norm(dim=1, keepdim=True)
    for _ in range(5):
        s = 3.4445 * s - 4.7750 * s**3 + 2.0315 * s**5
    torch.testing.assert_close(small.double(), u * s[:, None] @ v, atol=0.03, rtol=0)


def test_a_state_of_another_optimiser_is_refused(tmp_path):
    config = TrainConfig(steps=1, decay_steps=1)
    state = new_state(config, ZOO["factored-s31"], FactoredConvNet(), torch.device("cpu"))
    parameters = [p for g in state.optimiser.param_groups for p in g["params"]]
    for p in parameters:
        p.grad = torch.zeros_like(p)
    state.optimiser.step()
    first = parameters[0]
    state.optimiser.state[first]["exp_avg"] = torch.zeros(1, 2, 3)
    save(state, config, tmp_path / "other.safetensors", {})
    with pytest.raises(CheckpointError, match=r"optimiser is another.*--init"):
        resume(
            new_state(config, ZOO["factored-s31"], FactoredConvNet(), torch.device("cpu")),
            tmp_path / "other.safetensors",
        )


def test_without_orthogonal_steps_it_is_adamw():
    torch.manual_seed(5)
    net = nn.Conv2d(32, 32, 3)
    twin = nn.Parameter(net.weight.detach().clone())
    ours = Muon(net, 1e-2, 0.1, orthogonal=False)
    adamw = torch.optim.AdamW([twin], lr=1e-2, weight_decay=0.1, betas=(0.9, 0.99))
    net.weight.grad = torch.randn_like(net.weight)
    twin.grad = net.weight.grad.clone()
    ours.step()
    adamw.step()
    assert torch.equal(net.weight, twin)
