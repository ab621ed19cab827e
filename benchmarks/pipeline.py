"""Decode to paint on one core: at most 0.30 of a naive pipeline, and under 3 ms beside the network.

`python -m benchmarks.pipeline [CLIP]`. The naive pipeline runs the network as the paper has it (PReLU,
nothing rewritten); with torch installed that graph is made once and kept, else the shipped graph stands in.
The output says which.
"""

from __future__ import annotations

import argparse
import importlib.util
import logging
import sys
import warnings
from pathlib import Path

from app.commands.bench import Timing, measure, plain_graph, show
from runtime.system.errors import Refusal

MOST_OF_NAIVE = 0.30
MOST_BESIDE_MS = 3.0


def make_plain_graph() -> None:
    """Export the paper's graph with random weights, which cost the same as trained ones."""
    import torch  # noqa: PLC0415 - only where it is installed

    from models.factored import FactoredConvNet  # noqa: PLC0415

    path = plain_graph()
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(0)
    logging.getLogger("torch.onnx._internal.exporter._registration").setLevel(logging.ERROR)  # torchvision
    network = FactoredConvNet(act="prelu").eval()
    height, width = torch.export.Dim.AUTO, torch.export.Dim.AUTO
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # deprecations inside the exporter
        torch.onnx.export(
            network,
            (torch.zeros(1, 3, 288, 512),),
            str(path),
            dynamo=True,
            input_names=["image"],
            output_names=["factor", "parts"],
            dynamic_shapes=({2: height, 3: width},),
            verbose=False,
            external_data=False,
        )


def verdict(timing: Timing) -> list[str]:
    """What is not as it should be, in words."""
    faults = []
    if timing.ratio > MOST_OF_NAIVE:
        faults.append(f"ours is {timing.ratio:.2f} of the naive pipeline, more than {MOST_OF_NAIVE:.2f}")
    if timing.beside_ms > MOST_BESIDE_MS:
        faults.append(f"{timing.beside_ms:.2f} ms beside decode and network, more than {MOST_BESIDE_MS:.1f}")
    return faults


def main(arguments: list[str] | None = None) -> int:
    """Measure, print, judge."""
    parser = argparse.ArgumentParser(description="Decode to paint, beside a naive pipeline in the same run.")
    parser.add_argument("clip", type=Path, nargs="?", help="a clip (one is drawn when left out)")
    clip: Path | None = parser.parse_args(arguments).clip
    if not plain_graph().is_file() and importlib.util.find_spec("torch") is not None:
        make_plain_graph()
    try:
        timing = measure(clip, "factored-s31", "cpu")
    except Refusal as e:
        parser.error(str(e))
    show(timing)
    faults = verdict(timing)
    for fault in faults:
        print(f"FAIL: {fault}")  # noqa: T201 - the benchmark's output
    return int(bool(faults))


if __name__ == "__main__":
    sys.exit(main())
