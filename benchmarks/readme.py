"""Writes the figures of README.md: `python -m benchmarks.readme`. They are never typed by hand."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Final

from app.commands.bench import Timing, measure, plain_graph
from benchmarks.pipeline import make_plain_graph
from runtime.system import paths
from runtime.system.files import write_atomic

README: Final = Path(__file__).resolve().parent.parent / "README.md"
BEGIN: Final = "<!-- figures: written by `python -m benchmarks.readme` -->"
END: Final = "<!-- end of figures -->"
STEPS: Final = {
    "decode": "decode",
    "preprocess": "resize, letterbox",
    "network": "network",
    "labels": "labels at full size",
    "paint": "paint",
    "all": "**all**",
}


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


def main() -> int:
    """Measure, and write the page.

    Returns:
        Exit code 0.
    """
    if not plain_graph().is_file() and importlib.util.find_spec("torch") is not None:
        make_plain_graph()
    figures = section(measure(paths.sample_clip(), "factored-s31", "cpu"))
    page = replaced(README.read_text(encoding="utf-8"), figures)
    write_atomic(README, page.encode(), mode=0o644)
    print(figures)  # noqa: T201 the command's output
    return 0


if __name__ == "__main__":
    sys.exit(main())
