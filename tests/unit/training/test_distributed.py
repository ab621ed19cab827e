"""Two processes under torchrun train one network."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
import sys, torch
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
print(rank, world, *(r.flatten().tolist() for r in rows))
distributed.stop()
"""


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
    ]
    environment = {**os.environ, "PYTHONPATH": str(root), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, timeout=110, env=environment, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    lines = sorted(line for line in done.stdout.splitlines() if line[:2] in ("0 ", "1 "))
    rows = [
        [numbers(part) for part in line.split(" ", 2)[2].replace("] [", "]|[").split("|")] for line in lines
    ]
    (mean0, own0, weights0), (mean1, own1, weights1) = rows
    assert weights0 == weights1
    assert mean0 == mean1
    assert own0 != own1
    assert mean0 == pytest.approx([(a + b) / 2 for a, b in zip(own0, own1, strict=True)], rel=1e-5)


def numbers(text: str) -> list[float]:
    return [float(v) for v in text.strip("[]").split(",")]
