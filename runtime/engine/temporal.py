"""Temporal smoothing: probabilities are averaged where the picture stands still, before the decision.

Where the picture changed, the new frame counts alone, so nothing lags behind a movement. A cell keeps its
label until another wins by a margin.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from models.resize import average, resize
from runtime.engine.letterbox import Letterbox
from runtime.engine.source import Request

Map = NDArray[np.float32]

MEMORY_S = 0.4  # time constant of the average in still places; longer and a fading mistake is seen to linger
STILL = 8.0  # grey levels between two frames: what a webcam's noise leaves after averaging 4x4 pixels
MARGIN = 0.12  # of probability, by which a new label must win where nothing moves
GAP_S = 0.5  # frames further apart than this have nothing to do with each other
CUT = 40.0  # grey levels of mean change: another scene
SAMPLES_PER_CELL = 2


@dataclass(frozen=True)
class _Seen:
    """Engine, geometry and small picture of the frame before, compared with the next one."""

    engine_id: int
    letterbox: Letterbox
    pts_s: float
    small: NDArray[np.uint8]


@dataclass(frozen=True)
class _Averages:
    """Maps of the last frame by name, and the last labels by name."""

    maps: dict[str, Map] = field(default_factory=dict)
    labels: dict[str, NDArray[np.intp]] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Step:
    """The averages of one frame; frames are averaged in the order of their steps."""

    _averages: _Averages
    _stillness: Map  #: (down, across) of the cells, 1 where nothing moved
    _keep: float  #: weight of the past in still places
    _margin: float

    def average(self, name: str, maps: Map) -> Map:
        """Maps (…, h, w) averaged with those of the frame before where the picture is still.

        They lie on the picture's cells, or on the whole grid with its padding right and below.
        """
        before = self._averages.maps.get(name)
        if before is not None and before.shape == maps.shape:
            maps = maps + (before - maps) * (self._still(maps) * np.float32(self._keep))
        self._averages.maps[name] = maps
        return maps

    def decide(self, name: str, parts: Map) -> Map:
        """Probabilities (classes, h, w) of the picture's cells, averaged, with a bonus for the last label.

        The bonus is a pseudo-observation of the last label: probabilities still sum to 1.
        """
        label = self._averages.labels.get(name)
        parts = self.average(name, parts)
        if label is None or label.shape != parts.shape[1:]:
            self._averages.labels[name] = parts.argmax(axis=0)
            return parts
        bonus = self._still(parts) * np.float32(self._margin)
        decided = parts / (1 + bonus)
        rows, columns = np.arange(label.shape[0])[:, None], np.arange(label.shape[1])
        decided[label, rows, columns] += bonus / (1 + bonus)
        self._averages.labels[name] = decided.argmax(axis=0)
        return decided

    def _still(self, maps: Map) -> Map:
        """Stillness on the grid of some maps; padding beyond the picture's cells is not still."""
        (down, across), (height, width) = self._stillness.shape, maps.shape[-2:]
        if (down, across) == (height, width):
            return self._stillness
        if maps.ndim > 2:  # an output with a finer or coarser grid
            return resize(self._stillness, (width, height))
        still = np.zeros((height, width), np.float32)
        still[:down, :across] = self._stillness
        return still


class Smoother:
    """Averages the maps of a video over time; owned by one thread.

    It starts anew by itself after a cut, a jump in time, another picture size or another engine.
    """

    def __init__(self, memory_s: float = MEMORY_S, margin: float = MARGIN) -> None:
        self._memory_s = memory_s
        self._margin = margin
        self._seen: _Seen | None = None
        self._averages = _Averages()

    def reset(self) -> None:
        """Forget everything: the source changed, or the user seeked."""
        self._seen = None
        self._averages = _Averages()

    def step(self, request: Request, engine_id: int) -> Step:
        """The averages of the next frame."""
        across, down = request.letterbox.cells
        small = average(request.picture, (across * SAMPLES_PER_CELL, down * SAMPLES_PER_CELL))
        before, self._seen = (
            self._seen,
            _Seen(engine_id, request.letterbox, request.frame.pts_s, small),
        )
        if before is None or (before.engine_id, before.letterbox) != (engine_id, request.letterbox):
            return self._anew(across, down)
        elapsed_s = request.frame.pts_s - before.pts_s
        change = _change(before.small, small)
        if not 0 < elapsed_s <= GAP_S or float(change.mean()) > CUT:
            return self._anew(across, down)
        stillness = np.exp(-np.square(_to_cells(change, (across, down)) / np.float32(STILL)))
        return Step(self._averages, stillness, math.exp(-elapsed_s / self._memory_s), self._margin)

    def _anew(self, across: int, down: int) -> Step:
        """Nothing came before; steps of earlier frames that are not done keep the memory they had."""
        self._averages = _Averages()
        return Step(self._averages, np.zeros((down, across), np.float32), 0.0, self._margin)


def _change(before: NDArray[np.uint8], now: NDArray[np.uint8]) -> Map:
    """(2·gh, 2·gw) largest change of a colour, grey levels."""
    return np.asarray(cv2.absdiff(before, now).max(axis=2), np.float32)


def _to_cells(change: Map, cells: tuple[int, int]) -> Map:
    """The largest change in and around each cell: what moves into a cell has been beside it."""
    return average(np.asarray(cv2.dilate(change, np.ones((5, 5), np.uint8)), np.float32), cells)
