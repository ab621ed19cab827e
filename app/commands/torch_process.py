"""Commands that need torch: each runs as a process of its own."""

from __future__ import annotations

import importlib.util
import subprocess
import sys

from runtime.system.errors import Refusal
from runtime.system.installation import install_extra
from runtime.system.processes import environment

NEEDED = {
    "export": ("torch", "onnxscript"),
    "personalize.transfer": ("torch",),
    "personalize.worker": ("torch", "safetensors"),
    "training": ("torch",),
    "training.evaluate": ("torch",),
    "synthetic": ("numba", "anny", "torch"),
}


COMMANDS = {"personalize.worker": "personalize", "synthetic": "synth", "training": "train",
            "training.evaluate": "eval"}  # fmt: skip
HELP_ALONE = {"synthetic"}  # modules that explain themselves without what they need to run


def refuse_without(module: str) -> None:
    """Say what a module's process lacks.

    Raises:
        Refusal: a package it needs is not installed.
    """
    absent = [p for p in NEEDED[module] if importlib.util.find_spec(p) is None]
    if absent:
        reason = f"it needs {' and '.join(absent)}, which this installation does not have"
        command = COMMANDS.get(module, module.rpartition(".")[2])
        extra = "personalize" if command == "personalize" else "train"
        raise Refusal(f"xfactor {command}", reason, f"Install it with: {install_extra(extra)}")


def run_module(module: str, arguments: list[str]) -> int:
    """`python -m module arguments…`, with this program's streams.

    Returns:
        Its exit code; 128 + n when signal n ended it.

    Raises:
        Refusal: a package it needs is not installed.
    """
    if module not in HELP_ALONE or not {"-h", "--help"} & set(arguments):
        refuse_without(module)
    command = [sys.executable, "-m", "app.commands.entry", module, *arguments]
    process = subprocess.Popen(command, env=environment())
    try:
        while True:
            try:
                code = process.wait()
            except KeyboardInterrupt:
                continue  # the child got the Ctrl-C as well, and saves what it has
            return code if code >= 0 else 128 - code
    finally:
        process.terminate()  # when this one is ended alone
