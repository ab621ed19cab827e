"""Decode to paint on one core: at most 0.30 of a naive pipeline, and under 3 ms beside the network.

`python -m benchmarks.pipeline [CLIP] [--readme]`; the latter writes README's figures. The naive pipeline runs
the network as the paper has it (PReLU, nothing rewritten); with torch installed that graph is made once and
kept, else the shipped graph stands in. The output says which.
"""

from __future__ import annotations

import argparse
import importlib.util
import logging
import sys
import warnings
from pathlib import Path
from typing import Final

from app.commands.bench import Timing, measure, plain_graph, show
from runtime.system import paths
from runtime.system.errors import Refusal
from runtime.system.files import write_atomic

README: Final = Path(__file__).resolve().parent.parent / "README.md"
BEGIN: Final = "<!-- figures: written by `python -m benchmarks.pipeline --readme` -->"
END: Final = "<!-- end of figures -->"
STEPS: Final = {
    "decode": "decode",
    "preprocess": "resize, letterbox",
    "network": "network",
    "labels": "labels at full size",
    "paint": "paint",
    "all": "**all**",
}
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


def section(timing: Timing) -> str:
    """The figures as Markdown."""
    rows = [
        f"| {text} | {timing.ours[step]:.1f} | {timing.naive[step]:.1f} |" for step, text in STEPS.items()
    ]
    naive = "float64 normalisation, full-size logits, argmax and blending in numpy"
    return "\n".join((
        f"One frame of the sample clip ({timing.clip}, network {timing.network}), milliseconds,",
        f"median of {timing.frames}, on {timing.machine}; {timing.provider}.",
        f"*Naive*: {naive};",
        f"{timing.naive_graph}.",
        "",
        "| step | xfactor | naive |",
        "|---|--:|--:|",
        *rows,
        "",
        f"That is {1000 / timing.ours['all']:.0f} frames a second on one core, {timing.ratio:.2f} of the "
        "naive pipeline's time. On your machine: `xfactor bench`. Accuracy on real photos: the model's card.",
    ))  # fmt: skip


def replaced(page: str, figures: str) -> str:
    """The page with new figures between the marks.

    Raises:
        ValueError: the marks are not in the page.
    """
    before, found, rest = page.partition(BEGIN)
    _, ended, after = rest.partition(END)
    if not found or not ended:
        raise ValueError(f"{README.name} has lost its marks: {BEGIN} … {END}")
    return f"{before}{BEGIN}\n{figures}\n{END}{after}"


def verdict(timing: Timing) -> list[str]:
    """Bounds that are exceeded, in words."""
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
    parser.add_argument("--readme", action="store_true", help="write README's figures, of the sample clip")
    given = parser.parse_args(arguments)
    clip: Path | None = paths.sample_clip() if given.readme else given.clip
    if not plain_graph().is_file() and importlib.util.find_spec("torch") is not None:
        make_plain_graph()
    try:
        timing = measure(clip, "factored-s31", "cpu")
    except Refusal as e:
        parser.error(str(e))
    if given.readme:
        page = replaced(README.read_text(encoding="utf-8"), section(timing))
        write_atomic(README, page.encode(), mode=0o644)
    show(timing)
    faults = verdict(timing)
    for fault in faults:
        print(f"FAIL: {fault}")  # noqa: T201 - the benchmark's output
    return int(bool(faults))


if __name__ == "__main__":
    sys.exit(main())
