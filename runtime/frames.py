"""Frame and result as they cross threads: frozen, with read-only arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.results import Parsing, Result


@dataclass(frozen=True)
class Frame:
    """One decoded picture, upright, as it is shown.

    Raises:
        ValueError: when the picture is not (height, width, 3) uint8, or has no pixels.
    """

    image: NDArray[np.uint8]  #: (height, width, 3) RGB, read-only
    index: int  #: counts decoded frames of the source from 0
    pts_s: float  #: presentation time, seconds from the start of the source
    captured_s: (
        float  #: `time.monotonic()` when the frame left the source; the age on screen counts from here
    )

    source: int = 0  #: number of the capture that it comes from, 0 without one

    def __post_init__(self) -> None:
        if self.image.dtype != np.uint8 or self.image.ndim != 3 or self.image.shape[2] != 3:
            raise ValueError(f"Frame: expected (h, w, 3) uint8, got {self.image.shape} {self.image.dtype}")
        if not self.image.size:
            raise ValueError(f"Frame: a picture without pixels, {self.size[0]}x{self.size[1]}")
        self.image.flags.writeable = False

    @property
    def size(self) -> tuple[int, int]:
        """(width, height), px."""
        return self.image.shape[1], self.image.shape[0]


@dataclass(frozen=True)
class Beside:
    """Answer of the engine that is compared with the one in use, to the same frame."""

    result: Result | None  #: None when there is none; then its caption says why
    captions: tuple[str, str] = ("before", "after")  #: of this engine, and of the one in use
    slower: str = ""  #: name of the model that decides the frame rate


@dataclass(frozen=True)
class FrameResult:
    """A frame and what the engine said of exactly that frame."""

    frame: Frame
    result: Result | None  #: None when there is none for this frame; then `notice` says why
    engine_id: int  #: which engine made it; changes once per swap
    infer_ms: float
    notice: str = ""  #: words for a banner, empty when all is well
    beside: Beside | None = None  #: another engine's answer, while two are compared
    fine: bool = False  #: labels were decided at the picture's size

    @property
    def parsing(self) -> Parsing | None:
        """The body parts, if there are any."""
        return self.result.parsing if self.result is not None else None
