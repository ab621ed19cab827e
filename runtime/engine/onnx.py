"""The one place that imports onnxruntime, so that the environment is right before it is loaded.

Without `ORT_DISABLE_TELEMETRY` the Linux build resolves and calls a remote host, and writes a queue into the
home directory; switching telemetry off after the import does not stop it (measured with 1.31).
"""

from __future__ import annotations

import contextlib
import ctypes
import os

os.environ["ORT_DISABLE_TELEMETRY"] = "1"

import cv2
import onnxruntime as ort
from onnxruntime.capi import onnxruntime_pybind11_state as _state

# One thread budget for the process: ONNX Runtime gets the threads, and OpenCV's pool does not fight with it.
cv2.setNumThreads(1)
ort.set_default_logger_severity(3)  # what goes wrong comes back as an exception, in our words


def _keep_freed_memory() -> None:
    """Let the C library reuse the pages of freed pictures instead of returning them to the system.

    By default every array above 128 kB is mapped anew and its pages fault in again: four 512x288 float planes
    took 1.0 ms to make, and take 0.15 so.
    """
    with contextlib.suppress(OSError, AttributeError):  # only glibc has it, and only it needs it
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(M_MMAP_THRESHOLD, 32 << 20)
        mallopt(M_TRIM_THRESHOLD, 128 << 20)


M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # of malloc.h
_keep_freed_memory()

#: Everything onnxruntime raises when a model cannot be built or run. ValueError: a missing or misnamed input.
RUNTIME_ERRORS: tuple[type[Exception], ...] = (
    _state.EPFail,
    _state.EngineError,
    _state.Fail,
    _state.InvalidArgument,
    _state.InvalidGraph,
    _state.InvalidProtobuf,
    _state.ModelLoaded,
    _state.NoModel,
    _state.NoSuchFile,
    _state.NotFound,
    _state.NotImplemented,
    _state.RuntimeException,
    RuntimeError,
    ValueError,
    MemoryError,
)

__all__ = ["RUNTIME_ERRORS", "ort"]
