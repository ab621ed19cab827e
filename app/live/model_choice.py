"""Model choice: the model, device and size that an engine is loaded from, and the function that loads it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from runtime.engine.engine import Engine
from runtime.engine.letterbox import NetworkSize


@dataclass(frozen=True)
class ModelChoice:
    """Model, device and size that an engine is loaded from."""

    model: str
    device: str = "auto"
    size: int = 0  #: longer side, px; 0: what the model was tuned for


class EngineLoader(Protocol):
    """Function that loads an engine; tests give a slow or a broken one."""

    def __call__(self, bundle: str, *, device: str, threads: int, size: NetworkSize | None) -> Engine:
        """Load, verify and run once; raises Refusal."""
