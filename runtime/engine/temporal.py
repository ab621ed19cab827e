"""Calm results over time: probabilities are averaged where the picture stands still, before the decision.

Where the picture changed, the new frame counts alone, so nothing lags behind a movement. A cell keeps its
label until another wins by a margin.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from runtime.engine.letterbox import Letterbox
from runtime.engine.resize import average
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
    """What is compared with the next frame."""

    engine_id: int
    letterbox: Letterbox
    pts_s: float
    small: NDArray[np.uint8]


class Smoother:
    """Remembers the last frame's picture, probabilities and labels; owned by one thread.

    It starts anew by itself after a cut, a jump in time, another picture size or another engine.

    Attributes:
        resets: how often it started anew.
    """

    def __init__(self, memory_s: float = MEMORY_S, margin: float = MARGIN) -> None:
        self._memory_s = memory_s
        self._margin = margin
        self.resets = 0
        self._seen: _Seen | None = None
        self._person: Map | None = None
        self._parts: Map | None = None
        self._labels: NDArray[np.intp] | None = None
        self._stillness: Map = np.zeros((0, 0), np.float32)
        self._keep = 0.0

    def reset(self) -> None:
        """Forget everything: the source changed, or the user seeked."""
        self._seen = None
        self._forget()

    def look(self, request: Request, engine_id: int) -> None:
        """See the next frame; call it before `person` and `parts`."""
        across, down = request.letterbox.cells
        small = average(request.picture, (across * SAMPLES_PER_CELL, down * SAMPLES_PER_CELL))
        before, self._seen = (
            self._seen,
            _Seen(engine_id, request.letterbox, request.frame.pts_s, small),
        )
        if before is None or (before.engine_id, before.letterbox) != (engine_id, request.letterbox):
            self._forget()
            return
        elapsed_s = request.frame.pts_s - before.pts_s
        change = _change(before.small, small)
        if not 0 < elapsed_s <= GAP_S or float(change.mean()) > CUT:
            self._forget()
            return
        stillness = np.exp(-np.square(_to_cells(change, (across, down)) / np.float32(STILL)))
        grid = np.zeros(request.letterbox.grid[::-1], np.float32)
        grid[:down, :across] = stillness
        self._stillness = grid
        self._keep = math.exp(-elapsed_s / self._memory_s)

    def person(self, person: Map) -> Map:
        """P(person) of the whole grid, averaged with what was before where the picture stands still."""
        before = self._person
        if before is not None and before.shape == person.shape:
            person = person + (before - person) * (self._stillness * np.float32(self._keep))
        self._person = person
        return person

    def parts(self, parts: Map) -> Map:
        """Probabilities (classes, gh, gw) of the picture's cells, averaged, with a bonus for the last label.

        The bonus is a pseudo-observation of the last label: probabilities still sum to 1.
        """
        still = self._stillness[: parts.shape[1], : parts.shape[2]]
        before, label = self._parts, self._labels
        if before is None or label is None or before.shape != parts.shape:
            self._parts, self._labels = parts, parts.argmax(axis=0)
            return parts
        parts = parts + (before - parts) * (still * np.float32(self._keep))
        self._parts = parts
        bonus = still * np.float32(self._margin)
        decided = parts / (1 + bonus)
        rows, columns = np.arange(label.shape[0])[:, None], np.arange(label.shape[1])
        decided[label, rows, columns] += bonus / (1 + bonus)
        self._labels = decided.argmax(axis=0)
        return decided

    def _forget(self) -> None:
        self.resets += 1
        self._person = self._parts = self._labels = None
        self._stillness = np.zeros((0, 0), np.float32)
        self._keep = 0.0


def _change(before: NDArray[np.uint8], now: NDArray[np.uint8]) -> Map:
    """(2·gh, 2·gw) largest change of a colour, grey levels."""
    return np.asarray(cv2.absdiff(before, now).max(axis=2), np.float32)


def _to_cells(change: Map, cells: tuple[int, int]) -> Map:
    """The largest change in and around each cell: what moves into a cell has been beside it."""
    return average(np.asarray(cv2.dilate(change, np.ones((5, 5), np.uint8)), np.float32), cells)
