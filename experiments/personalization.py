"""Experiment 6: personalisation. It runs the worker and the engine, which training must not import."""

from __future__ import annotations

import argparse
import subprocess
import sys


def run(a: argparse.Namespace) -> None:
    """Run `python -m experiments.personalization_run` with the same folders; it writes the page.

    Raises:
        OSError: it failed; its own words stand above.
    """
    given = ["--out", str(a.out), "--data", str(a.data)]
    given += ["--clips", str(a.limit)] if a.limit is not None else []
    done = subprocess.run([sys.executable, "-m", "experiments.personalization_run", *given], check=False)
    if done.returncode:
        raise OSError(f"experiment 6 ended with exit code {done.returncode}")
