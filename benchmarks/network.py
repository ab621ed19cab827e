"""The network alone on one core: the shipped bundle beside the plain graphs and a whole ENet, in one run.

`python -m benchmarks.network [--json] [--rounds N] [--fresh]`. Times are medians of CPU time, taken in turn.
The peers have random weights, which cost the same as trained ones; their graphs are made once and kept in the
per-user data directory. They are made for one size (ENet cannot be traced for all), so the ratios are those
of our bundle when the runtime is told the size too; ENet gives bare logits, ours probabilities and labels.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from app.commands.bench import one_core, processor
from export.graphs import OPSET, to_onnx
from export.parity import pictures
from models.enet import ENet
from models.factored import STRIDE, FactoredConvNet, channels_first, normalise, probabilities_and_labels
from models.families import ZOO, Activation
from models.outputs import SharedFeatures
from models.spec import IMAGE, StageSpec
from runtime.engine.onnx import ort
from runtime.system import paths

SIZES = ((512, 512), (288, 512))  # height, width
ROUNDS = 20
WARM_UP = 3
OURS, ANY_SIZE = "shipped bundle, size told at load", "shipped bundle, any size"
PLAIN_RELU, PLAIN_PRELU = "plain graph, ReLU", "plain graph, PReLU"
ENET, NATIVE_ENET = "whole ENet, as exported", "whole ENet, native MaxUnpool"
MOST_OF_PLAIN = 0.55
MOST_OF_ENET = 1 / 3
HALVES: dict[str, Any] = {"kernel_shape": [2, 2], "strides": [2, 2]}
Run = Callable[[NDArray[np.uint8]], object]


@dataclass(frozen=True)
class Timing:
    """Medians, milliseconds a frame, by picture size (WxH) and network."""

    machine: str
    runtime: str
    rounds: int
    ms: dict[str, dict[str, float]]

    def over(self, peer: str) -> dict[str, float]:
        """Our time over a peer's, by picture size."""
        return {size: t[OURS] / t[peer] for size, t in self.ms.items()}

    def faults(self) -> list[str]:
        """What is slower than promised, in words."""
        return [
            f"{size}: {ratio:.2f} of {peer}, more than {most:.2f}"
            for peer, most in ((PLAIN_PRELU, MOST_OF_PLAIN), (ENET, MOST_OF_ENET))
            for size, ratio in self.over(peer).items()
            if ratio > most
        ]


def measure(bundle: Path | None = None, *, rounds: int = ROUNDS, fresh: bool = False) -> Timing:
    """Time every network in turn at every size, on one core.

    Args:
        bundle: a bundle of a factored network (default: the shipped one).
        rounds: frames for each, of which the median is taken.
        fresh: make the peers' graphs again.
    """
    folder = bundle or paths.models_dir() / "factored-s31"
    ms: dict[str, dict[str, float]] = {}
    with one_core():
        for height, width in SIZES:
            runs = {
                OURS: bundle_run(folder, fixed=(height, width)),
                ANY_SIZE: bundle_run(folder),
                **{name: _peer_run(name, (height, width), fresh=fresh) for name in PEERS},
            }
            ms[f"{width}x{height}"] = _interleaved(runs, pictures(1, height, width, seed=0), rounds)
    return Timing(f"{processor()}, one core", f"ONNX Runtime {ort.__version__}", rounds, ms)


def bundle_run(folder: Path, *, fixed: tuple[int, int] | None = None) -> Run:
    """Trunk, factor and head of a bundle; `fixed` is a (height, width) told to the runtime at load."""
    trunk, factor, head = (
        _session((folder / f"{stage}.onnx").read_bytes(), fixed) for stage in ("trunk", "factor", "head")
    )

    def run(image: NDArray[np.uint8]) -> object:
        (features,) = trunk.run(None, {"image": image})
        (person,) = factor.run(None, {"features": features})
        return head.run(None, {"features": features, "person": person})

    return run


def _interleaved(runs: dict[str, Run], image: NDArray[np.uint8], rounds: int) -> dict[str, float]:
    """Median CPU milliseconds of each, in turn, so that a slow minute is slow for all."""
    times: dict[str, list[float]] = {name: [] for name in runs}
    for i in range(WARM_UP + rounds):
        for name, run in runs.items():
            start = time.process_time()
            run(image)
            if i >= WARM_UP:
                times[name].append(1000 * (time.process_time() - start))
    return {name: median(t) for name, t in times.items()}


def _session(data: bytes, fixed: tuple[int, int] | None = None) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    if fixed:
        height, width = fixed
        axes = {"batch": 1, "height": height, "width": width}
        for axis, value in (axes | {"rows": height // STRIDE, "columns": width // STRIDE}).items():
            options.add_free_dimension_override_by_name(axis, value)
    return ort.InferenceSession(data, options, providers=["CPUExecutionProvider"])


class PlainNetwork(nn.Module):
    """The three stages as one graph, nothing rewritten."""

    def __init__(self, act: Activation) -> None:
        super().__init__()
        self.network = FactoredConvNet(act=act)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """(b, h, w, 3) uint8 → probabilities (b, 32, h/8, w/8) and labels (b, h/8, w/8)."""
        return probabilities_and_labels(self.network(normalise(channels_first(image)))[1])


class Logits(nn.Module):
    """A network that leaves softmax and argmax to its caller."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, image: Tensor) -> Tensor:
        """(b, h, w, 3) uint8 → (b, classes, h, w)."""
        logits: Tensor = self.network(normalise(channels_first(image)))
        return logits


class NativeMaxPool(nn.Module):
    """ONNX's own max-pool, whose indices its MaxUnpool understands."""

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """(b, c, h, w) → (b, c, h/2, w/2) and indices."""
        b, c, h, w = x.shape
        halved = (b, c, h // 2, w // 2)
        return tuple(
            torch.onnx.ops.symbolic_multi_out(
                "MaxPool",
                (x,),
                HALVES,
                dtypes=(torch.float32, torch.int64),
                shapes=(halved, halved),
                version=OPSET,
            )
        )


class NativeMaxUnpool(nn.Module):
    """ONNX's own max-unpool, where the exporter writes ScatterND."""

    def forward(self, x: Tensor, indices: Tensor) -> Tensor:
        """(b, c, h, w) → (b, c, 2h, 2w)."""
        b, c, h, w = x.shape
        return torch.onnx.ops.symbolic(
            "MaxUnpool",
            (x, indices),
            HALVES,
            dtype=torch.float32,
            shape=(b, c, 2 * h, 2 * w),
            version=OPSET,
        )


def native_enet() -> ENet:
    """The same ENet in the operators that suit it best."""
    net = ENet()
    net.down1.pool, net.down2.pool = NativeMaxPool(), NativeMaxPool()
    net.up1.unpool, net.up2.unpool = NativeMaxUnpool(), NativeMaxUnpool()
    return net


PEERS: dict[str, Callable[[], nn.Module]] = {
    PLAIN_RELU: lambda: PlainNetwork("relu"),
    PLAIN_PRELU: lambda: PlainNetwork("prelu"),
    ENET: lambda: Logits(ENet()),
    NATIVE_ENET: lambda: Logits(native_enet()),
}


def _peer_run(name: str, size: tuple[int, int], *, fresh: bool) -> Run:
    slug = "-".join(name.replace(",", "").lower().split())
    path = paths.user_data_dir() / "bench" / f"{slug}-{size[1]}x{size[0]}.onnx"
    if fresh or not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        torch.manual_seed(0)
        peer = PEERS[name]().eval()
        logits = StageSpec("network", (IMAGE,), (SharedFeatures(count=32, stride=1),))
        stages = (logits,) if isinstance(peer, Logits) else ZOO["baseline"].stages
        path.write_bytes(to_onnx(peer, stages, "network", fixed=size).SerializeToString())
    session = _session(path.read_bytes())
    return lambda image: session.run(None, {"image": image})


def _table(timing: Timing) -> str:
    sizes = list(timing.ms)
    lines = [f"{timing.machine}; {timing.runtime}; median CPU ms of {timing.rounds} frames", ""]
    lines.append(f"{'':36}" + "".join(f"{size:>12}{'ours is':>9}" for size in sizes))
    for name in timing.ms[sizes[0]]:
        ratios = timing.over(name)
        lines.append(f"{name:36}" + "".join(f"{timing.ms[s][name]:12.1f}{ratios[s]:8.2f}x" for s in sizes))
    return "\n".join(lines)


def main(argv: list[str] | None = None) -> int:
    """Measure, print, judge."""
    p = argparse.ArgumentParser(prog="python -m benchmarks.network", description=__doc__)
    p.add_argument("--json", action="store_true")
    p.add_argument("--rounds", type=int, default=ROUNDS)
    p.add_argument("--bundle", type=Path, help="a bundle of a factored network (default: the shipped one)")
    p.add_argument("--fresh", action="store_true", help="make the peers' graphs again")
    a = p.parse_args(argv)
    timing = measure(a.bundle, rounds=a.rounds, fresh=a.fresh)
    faults = timing.faults()
    if a.json:
        values = {
            **asdict(timing),
            "over_plain_prelu": timing.over(PLAIN_PRELU),
            "over_enet": timing.over(ENET),
        }
        print(json.dumps(values | {"faults": faults}, indent=1))  # noqa: T201 - the benchmark's output
    else:
        print("\n".join((_table(timing), *(f"FAIL: {f}" for f in faults))))  # noqa: T201 - as above
    return int(bool(faults))


if __name__ == "__main__":
    sys.exit(main())
