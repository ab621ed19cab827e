"""Which hardware runs the network, proved by running something on it.

`get_available_providers()` lists CUDA on machines without any GPU, and a session that asked for CUDA is
silently made on the CPU; so a provider counts here only after a session on it has run.
"""

from __future__ import annotations

import base64
import functools
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Final

import numpy as np

from runtime.engine.onnx import RUNTIME_ERRORS, ort
from runtime.system.errors import Refusal, plain

DEVICES = ("auto", "cpu", "cuda")
_RUNTIME_PREFIX = re.compile(r"^\[ONNXRuntimeError\] : \d+ : \w+ : ")


class Provider(StrEnum):
    """An execution provider by the name ONNX Runtime gives it."""

    CPU = "CPUExecutionProvider"
    CUDA = "CUDAExecutionProvider"

    @property
    def label(self) -> str:
        """Words for the status bar."""
        return self.name


#: y = relu(x) over (1, n), opset 13, written by hand so that the proof needs no file and no onnx package.
_PROBE = base64.b64decode(
    "CAg6QQoMCgF4EgF5IgRSZWx1EgVwcm9iZVoUCgF4Eg8KDQgBEgkKAggBCgMSAW5iFAoBeRIPCg0IARIJCgIIAQoDEgFuQgQKABAN"
)


CPU_BUILD: Final = "the installed onnxruntime is the CPU build"


def choose(device: str) -> Provider:
    """The provider to build sessions on.

    Args:
        device: `auto` (CUDA if it really runs, else the CPU), `cpu` or `cuda` (strict).

    Raises:
        Refusal: for an unknown device, or `cuda` where CUDA does not run.
    """
    if device not in DEVICES:
        raise Refusal(f"device {device!r}", "there is no such device", f"use one of {', '.join(DEVICES)}")
    if device == "cpu":
        return Provider.CPU
    reason = why_not_cuda()
    if not reason:
        return Provider.CUDA
    if device == "cuda":
        raise Refusal(
            "device cuda",
            reason,
            "install the `gpu` extra (onnxruntime-gpu, CUDA 13, cuDNN 9) and a driver, or choose the CPU",
        )
    return Provider.CPU


@functools.cache
def why_not_cuda() -> str:
    """Why CUDA cannot be used, in words; empty when a session has really run on it."""
    return CPU_BUILD if is_cpu_build() else _run_on_cuda()


def is_cpu_build() -> bool:
    """True when the installed runtime knows no CUDA at all; asked without running anything."""
    return not (Path(ort.__file__).parent / "capi" / "libonnxruntime_providers_cuda.so").exists()


def _run_on_cuda() -> str:
    options = ort.SessionOptions()
    options.log_severity_level = 4  # its complaints about missing libraries go to stderr otherwise
    # Anything that would quietly land on the CPU becomes an error.
    options.add_session_config_entry("session.disable_cpu_ep_fallback", "1")
    try:
        with quiet():
            session = ort.InferenceSession(_PROBE, options, providers=[Provider.CUDA.value])
            session.run(None, {"x": np.ones((1, 4), np.float32)})
    except RUNTIME_ERRORS as e:
        return f"a test run on it failed ({first_line(e)})"
    if session.get_providers()[0] != Provider.CUDA.value:
        return "its libraries or its driver could not be loaded"
    return ""


@contextmanager
def quiet() -> Iterator[None]:
    """Keep onnxruntime's warnings about fallbacks out of the terminal; the fallback itself is checked."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module="onnxruntime")
        yield


def first_line(error: BaseException, limit: int = 160) -> str:
    """An exception's first line, short enough for a banner."""
    text = _RUNTIME_PREFIX.sub("", str(error).strip()).splitlines()
    return plain(text[0] if text else type(error).__name__)[:limit]
