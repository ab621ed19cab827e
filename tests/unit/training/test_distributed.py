"""Two processes under torchrun train one network."""

from __future__ import annotations

import json
import multiprocessing
import os
import socket
import subprocess
import sys
from multiprocessing.connection import Connection
from pathlib import Path

import pytest
import torch
from torch import distributed as dist

from training import distributed

SCRIPT = """
import json, sys, torch
from models.factored import FactoredConvNet
from training import distributed
rank, world = distributed.start()
torch.manual_seed(rank)                      # different starts and different gradients
net = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.Linear(2, 1))
distributed.same_start(net)
net[0].requires_grad_(False)                 # a frozen part has no gradient to average
net(torch.full((1, 3), float(rank + 1))).sum().backward()
own = net[1].weight.grad.clone()
distributed.average_gradients(net.parameters())
rows = net[1].weight.grad, own, net[1].weight
with open(f"{sys.argv[1]}/{rank}.json", "w") as f:   # two processes printing would mix their lines
    json.dump([r.flatten().tolist() for r in rows], f)
distributed.stop()
"""


@pytest.mark.parametrize("held", [None, "1"])
def test_alone_nothing_is_joined_sent_or_left(monkeypatch: pytest.MonkeyPatch, held: str | None) -> None:
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    if held:
        monkeypatch.setenv("WORLD_SIZE", held)
    assert distributed.start() == (0, 1)
    assert not dist.is_initialized()
    net = torch.nn.Linear(2, 1)
    net(torch.ones(1, 2)).sum().backward()
    distributed.same_start(net)
    distributed.average_gradients(net.parameters())
    assert net.weight.grad is not None
    assert net.weight.grad.tolist() == [[1, 1]]
    distributed.stop()


def test_a_group_of_one_process_keeps_its_gradients_and_is_left(tmp_path: Path) -> None:
    dist.init_process_group("gloo", store=dist.FileStore(str(tmp_path / "store"), 1), rank=0, world_size=1)
    try:
        net = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.Linear(2, 1))
        net[0].requires_grad_(False)
        net(torch.ones(1, 2)).sum().backward()
        own = [p.grad.clone() for p in net[1].parameters() if p.grad is not None]
        distributed.same_start(net)
        distributed.average_gradients(net.parameters())
        assert [torch.equal(p.grad, g) for p, g in zip(net[1].parameters(), own, strict=True)] == [True] * 2
    finally:
        distributed.stop()
    assert not dist.is_initialized()


def as_rank(
    rank: int, to: Connection | None = None
) -> tuple[tuple[int, int], list[float], list[list[float]]]:
    """Join as one of two, start with weights of its own and a gradient of 1, 2 or, of rank 1, 3, 6."""
    os.environ["RANK"] = str(rank)
    joined = distributed.start()
    net = torch.nn.Sequential(torch.nn.Linear(2, 1), torch.nn.Linear(1, 1), torch.nn.BatchNorm1d(1))
    for p in net.parameters():
        torch.nn.init.constant_(p, 5 + rank)
    net[2].running_mean.fill_(rank)
    distributed.same_start(net)
    for p, value in ((net[0].weight, 1.0), (net[1].weight, 2.0)):
        p.grad = torch.full_like(p, value * (1 + 2 * rank))
    distributed.average_gradients(net.parameters())
    distributed.stop()
    grads = [[] if p.grad is None else p.grad.flatten().tolist() for p in net.parameters()]
    made = joined, [t.flatten()[0].item() for t in (*net.parameters(), net[2].running_mean)], grads
    if to is not None:
        to.send(made)
    return made


@pytest.mark.skipif(sys.platform != "linux", reason="another process begins as a copy of this one")
def test_two_processes_begin_alike_and_learn_from_the_mean(monkeypatch: pytest.MonkeyPatch) -> None:
    """The other one is a copy of this; parameters without gradient have none afterwards."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    for name, value in (
        ("WORLD_SIZE", "2"),
        ("MASTER_ADDR", "127.0.0.1"),
        ("MASTER_PORT", str(port)),
        ("RANK", "0"),
    ):
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    here, there = multiprocessing.Pipe()
    other = multiprocessing.get_context("fork").Process(target=as_rank, args=(1, there))
    other.start()
    try:
        first = as_rank(0)
        assert here.poll(30)
        second = here.recv()
    finally:
        other.join(5)
        other.kill()
    assert [first[0], second[0]] == [(0, 2), (1, 2)]
    assert first[1] == second[1] == [5.0] * 6 + [0.0]
    assert first[2] == second[2] == [[2.0, 2.0], [], [4.0], [], [], []]
    assert not dist.is_initialized()


@pytest.mark.slow
def test_every_process_holds_the_mean_gradient(tmp_path: Path) -> None:
    script = tmp_path / "two.py"
    script.write_text(SCRIPT)
    root = Path(__file__).resolve().parents[3]
    command = [
        sys.executable,
        "-m",
        "torch.distributed.run",
        "--standalone",
        "--nproc-per-node",
        "2",
        str(script),
        str(tmp_path),
    ]
    environment = {**os.environ, "PYTHONPATH": str(root), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, timeout=110, env=environment, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    rows = [json.loads((tmp_path / f"{rank}.json").read_text()) for rank in range(2)]
    (mean0, own0, weights0), (mean1, own1, weights1) = rows
    assert weights0 == weights1
    assert mean0 == mean1
    assert own0 != own1
    assert mean0 == pytest.approx([(a + b) / 2 for a, b in zip(own0, own1, strict=True)], rel=1e-5)
