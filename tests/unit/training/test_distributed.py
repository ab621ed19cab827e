"""Two processes under torchrun train one network."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

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
