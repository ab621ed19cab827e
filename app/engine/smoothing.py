"""Calm labels over time (written next)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from app.engine.silhouettes import Request


class Smoother:
    """Placeholder while the engine is brought up."""

    def look(self, request: Request, engine_id: int) -> None:
        """See the frame."""

    def person(self, person: NDArray[np.float32]) -> NDArray[np.float32]:
        """Nothing yet."""
        return person

    def parts(self, parts: NDArray[np.float32]) -> NDArray[np.float32]:
        """Nothing yet."""
        return parts

    def reset(self) -> None:
        """Nothing."""
