"""A silhouette source that says the same everywhere, or nothing."""

from __future__ import annotations

import numpy as np

from runtime.engine.source import Request, Silhouette


class Fixed:
    """A source that says the same everywhere, or nothing."""

    name = "fixed"
    sessions = ()

    def __init__(self, value: float | None) -> None:
        self.value = value

    def person(self, request: Request) -> Silhouette:
        if self.value is None:
            return Silhouette(None, notice="nothing came")
        return Silhouette(np.full(request.letterbox.grid[::-1], self.value, np.float32))

    def reset(self) -> None: ...
