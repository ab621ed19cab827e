"""Temporal smoothing: probabilities are averaged along the motion of the picture, before the decision.

The maps of the frame before are moved by the optical flow (DIS: Kroeger et al. 2016) and averaged with the
new ones. Each cell counts by the network's confidence there. Where the flow does not explain the new picture,
because something was hidden or moved too fast, the new frame counts alone, so nothing lags behind. A cell
keeps its label until another wins by a margin.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cached_property
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from models.resize import Scalar, average, resize
from runtime.engine.letterbox import Letterbox
from runtime.engine.region import Rectangle, RegionOfInterest
from runtime.engine.source import Request

Map = NDArray[np.float32]

MEMORY_S = 0.8  # time constant of the average; longer and a fading mistake is seen to linger
STILL_MEMORY_S = 0.4  # the same for a source from outside
STILL = 8.0  # grey levels between two frames: what a webcam's noise leaves after averaging 4x4 pixels
EXPLAINED = 1.0  # of the variance around: how far a frame may be from the one before moved by the flow
UNLIKE = 24.0  # grey levels: more is another thing, such as an arm before a wall, which has variance too
SPEED = 0.8  # cells a frame at which the past counts half: what the flow misses of a motion adds up
PATCH_STRIDE = 6  # samples between the flow's patches
DESCENT_STEPS = 8  # of each patch; with 12 a square is followed no closer
MARGIN = 0.3  # of probability, by which a new label must win where the flow is certain
STILL_MARGIN = 0.12  # the same for a source from outside, where nothing moves
LEAST_CONFIDENCE = 0.05  # of a cell whose probability is even: it still counts
TINY = np.finfo(np.float32).tiny
GAP_S = 0.5  # frames further apart than this have nothing to do with each other
CUT = 40.0  # grey levels of mean change: another scene
SAMPLES_PER_CELL = 2
LEAST_SIDE = 48  # samples; OpenCV's flow crashes on pictures smaller than its patches


@dataclass(frozen=True)
class _Seen:
    """Engine, geometry and small picture of the frame before, compared with the next one."""

    engine_id: int
    letterbox: Letterbox
    pts_s: float
    small: NDArray[np.uint8]


@dataclass(frozen=True)
class _Motion:
    """Motion of the picture on the cells (h, w)."""

    flow: Map  #: (h, w, 2) to where a cell was in the frame before, cells to the right and down
    trust: Map  #: 1 where that is certain

    def on(self, maps: Map) -> _Motion:
        """The motion on the grid of some maps."""
        if maps.shape[-2:] == self.trust.shape:
            return self
        per_cell = (1.0, 1.0)
        if maps.ndim > 2:
            per_cell = (maps.shape[-1] / self.trust.shape[1], maps.shape[-2] / self.trust.shape[0])
        flow = [_on(np.ascontiguousarray(self.flow[..., i]), maps) * np.float32(per_cell[i]) for i in (0, 1)]
        return _Motion(np.stack(flow, axis=2), _on(self.trust, maps))

    def moved(self, maps: Map) -> Map:
        """Maps (…, h, w) of the frame before, brought to where their cells are now."""
        planes = np.ascontiguousarray(maps.reshape(-1, *maps.shape[-2:]).transpose(1, 2, 0))
        moved = _sampled(planes, self.flow).reshape(planes.shape)
        return np.ascontiguousarray(moved.transpose(2, 0, 1)).reshape(maps.shape)


@dataclass(frozen=True, eq=False)
class _Pair:
    """Samples (2·gh, 2·gw) of the frame before and of this one."""

    before: NDArray[np.uint8]
    now: NDArray[np.uint8]
    cells: tuple[int, int]  #: (width, height)
    flow: cv2.DISOpticalFlow  #: between samples
    known: Rectangle | None = None  #: cells of the frame before that were looked at, None for all

    @cached_property
    def change(self) -> Map:
        """Largest change of a colour at each sample, grey levels."""
        return _change(self.before, self.now)

    @cached_property
    def stillness(self) -> Map:
        """1 for cells where nothing moved, nor beside them: what moves into a cell has been beside it."""
        still: Map = np.exp(-np.square(self._around(self.change, 5) / np.float32(STILL)))
        return self._remembered(still)

    @cached_property
    def motion(self) -> _Motion:
        """Flow back to the frame before, trusted where it explains the colours, and less the faster it is."""
        then, now = (
            np.asarray(cv2.cvtColor(p, cv2.COLOR_RGB2GRAY), np.uint8) for p in (self.before, self.now)
        )
        back = self._flow_back(then, now)
        unlike = self._around(np.square(_change(_sampled(self.before, back), self.now)), 3)
        back /= np.float32(SAMPLES_PER_CELL)
        likely = STILL**2 + np.minimum(self._around(_variance(now), 3) * np.float32(EXPLAINED), UNLIKE**2)
        speed = self._around(np.maximum(*cv2.split(np.abs(back))), 5)
        trust: Map = np.exp(-unlike / likely) / (1 + speed / np.float32(SPEED))
        return _Motion(average(back, self.cells), self._remembered(trust))

    def _remembered(self, weights: Map) -> Map:
        """Weights of the past, 0 where it was not looked at."""
        return weights if self.known is None else self.known.pasted(self.known.crop(weights), self.cells)

    def _flow_back(self, then: NDArray[np.uint8], now: NDArray[np.uint8]) -> Map:
        """(h, w, 2): the way from each sample to its place in the frame before."""
        (height, width), edges = now.shape, [max(0, LEAST_SIDE - side) for side in now.shape]
        a, b = (cv2.copyMakeBorder(p, 0, edges[0], 0, edges[1], cv2.BORDER_REPLICATE) for p in (now, then))
        flow = self.flow.calc(a, b, np.zeros((*a.shape, 2), np.float32))
        return np.ascontiguousarray(np.asarray(flow, np.float32)[:height, :width])

    def _around(self, samples: Map, side: int) -> Map:
        """The largest of side x side neighbours, averaged over each cell."""
        largest = cv2.dilate(samples, np.ones((side, side), np.uint8))
        return average(np.asarray(largest, np.float32), self.cells)


@dataclass(frozen=True)
class _Averages:
    """By name: maps of the last frame, how much they count, and the last labels as one map each."""

    maps: dict[str, Map] = field(default_factory=dict)
    evidence: dict[str, Map] = field(default_factory=dict)
    labels: dict[str, Map] = field(default_factory=dict)
    steps: dict[str, int] = field(default_factory=dict)  # number of the step that they are of


@dataclass(frozen=True, eq=False)
class Step:
    """The averages of one frame; frames are averaged in the order of their steps."""

    _averages: _Averages
    _pair: _Pair | None  #: None when nothing came before
    _keep: float  #: weight of the past in still places
    _number: int  #: of this step
    _follows: bool = True  #: the past is moved with the picture

    def average(self, name: str, maps: Map) -> Map:
        """Maps (…, h, w) averaged with those of the frame before where the picture is still.

        They lie on the picture's cells, or on the whole grid with its padding right and below.
        """
        before = self._before(self._averages.maps, name)
        if before is not None and before.shape == maps.shape and self._pair is not None:
            maps = maps + (before - maps) * (_on(self._pair.stillness, maps) * np.float32(self._keep))
        self._averages.maps[name], self._averages.steps[name] = maps, self._number
        return maps

    def _before(self, kept: dict[str, Map], name: str) -> Map | None:
        """Maps of the step before; None where it ended without a result, for the motion is since then."""
        return kept.get(name) if self._averages.steps.get(name) == self._number - 1 else None

    def follow(self, name: str, maps: Map, confidence: Map) -> Map:
        """Maps (…, h, w) averaged with those of the frame before along the picture's motion.

        Args:
            name: of the output.
            maps: as for `average`.
            confidence: (h, w) 0..1, how much each cell counts.
        """
        if not self._follows:
            return self.average(name, maps)
        evidence = np.maximum(confidence, np.float32(LEAST_CONFIDENCE))
        before, past = (self._before(kept, name) for kept in (self._averages.maps, self._averages.evidence))
        if before is not None and past is not None and before.shape == maps.shape and self._pair is not None:
            motion = self._pair.motion.on(maps)
            past = motion.moved(past) * (motion.trust * np.float32(self._keep))
            both = past + evidence
            maps = maps + (motion.moved(before) - maps) * (past / both)
            evidence = both
        self._averages.maps[name], self._averages.evidence[name] = maps, evidence
        self._averages.steps[name] = self._number
        return maps

    def decide(self, name: str, parts: Map) -> Map:
        """Probabilities (classes, h, w) of the picture's cells, averaged, with a bonus for the last label.

        The bonus is a pseudo-observation of the last label: probabilities still sum to 1.
        """
        label = self._before(self._averages.labels, name)
        decided = parts = self.follow(name, parts, np.square(parts.max(axis=0)))
        if label is not None and label.shape == parts.shape and self._pair is not None:
            if self._follows:
                motion = self._pair.motion.on(parts)
                label, bonus = motion.moved(label), motion.trust * np.float32(MARGIN)
            else:
                bonus = _on(self._pair.stillness, parts) * np.float32(STILL_MARGIN)
            body = 1 - parts[0]
            inside = parts[1:] + label[1:] * (bonus * body)
            decided = np.concatenate((parts[:1], inside * (body / np.maximum(inside.sum(axis=0), TINY))))
        classes = np.arange(len(parts))[:, None, None]
        self._averages.labels[name] = (decided.argmax(axis=0) == classes).astype(np.float32)
        return decided


class Smoother:
    """Averages the maps of a video over time; owned by one thread.

    Attributes:
        region: where people were, for views that are of regions.

    It starts anew by itself after a cut, a jump in time, another picture size or another engine.
    """

    def __init__(self, memory_s: float = MEMORY_S) -> None:
        self._memory_s = memory_s
        self._flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST)
        self._flow.setFinestScale(0)  # whole samples
        self._flow.setPatchStride(PATCH_STRIDE)
        self._flow.setGradientDescentIterations(DESCENT_STEPS)
        self._seen: _Seen | None = None
        self._averages = _Averages()
        self._steps = 0
        self.region = RegionOfInterest()

    def reset(self) -> None:
        """Forget everything: the source changed, or the user seeked."""
        self._seen = None
        self._averages = _Averages()
        self.region.reset()

    def step(self, request: Request, engine_id: int, *, follows: bool = True) -> Step:
        """The averages of the next frame.

        Args:
            request: the frame.
            engine_id: of the engine whose maps they are.
            follows: the past is moved with the picture; else it counts where the picture stands still, as for
                a silhouette from outside, which may change for reasons that no picture shows.
        """
        self._steps += 1
        across, down = cells = request.letterbox.cells
        small = average(request.picture, (across * SAMPLES_PER_CELL, down * SAMPLES_PER_CELL))
        before, self._seen = (
            self._seen,
            _Seen(engine_id, request.letterbox, request.frame.pts_s, small),
        )
        if before is None or (before.engine_id, before.letterbox) != (engine_id, request.letterbox):
            return self._anew(follows=follows)
        elapsed_s = request.frame.pts_s - before.pts_s
        pair = _Pair(before.small, small, cells, self._flow, self.region.known)
        if not 0 < elapsed_s <= GAP_S or float(pair.change.mean()) > CUT:
            return self._anew(follows=follows)
        memory_s = self._memory_s if follows else STILL_MEMORY_S
        return Step(self._averages, pair, math.exp(-elapsed_s / memory_s), self._steps, follows)

    def _anew(self, *, follows: bool) -> Step:
        """Nothing came before; steps of earlier frames that are not done keep the memory they had."""
        self._averages = _Averages()
        return Step(self._averages, None, 0.0, self._steps, follows)


def _change(before: NDArray[np.uint8], now: NDArray[np.uint8]) -> Map:
    """(2·gh, 2·gw) largest change of a colour, grey levels."""
    red, green, blue = cv2.split(cv2.absdiff(before, now))
    return np.asarray(cv2.max(cv2.max(red, green), blue), np.float32)


def _on(weights: Map, maps: Map) -> Map:
    """Weights of the picture's cells on the grid of some maps; padding beyond them has none."""
    (down, across), (height, width) = weights.shape, maps.shape[-2:]
    if (down, across) == (height, width):
        return weights
    if maps.ndim > 2:  # an output with a finer or coarser grid
        return resize(weights, (width, height))
    padded = np.zeros((height, width), np.float32)
    padded[:down, :across] = weights
    return padded


def _sampled(values: NDArray[Scalar], flow: Map) -> NDArray[Scalar]:
    """Values (h, w, …) at the places where a flow (h, w, 2) leads, bilinear; edges are repeated."""
    columns = flow[..., 0] + np.arange(flow.shape[1], dtype=np.float32)
    rows = flow[..., 1] + np.arange(flow.shape[0], dtype=np.float32)[:, None]
    sampled = cv2.remap(values, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return cast("NDArray[Scalar]", sampled)


def _variance(grey: NDArray[np.uint8]) -> Map:
    """Of the grey levels around each sample."""
    levels = np.asarray(grey, np.float32)
    mean, squares = (np.asarray(cv2.blur(v, (5, 5)), np.float32) for v in (levels, levels * levels))
    return np.maximum(squares - mean * mean, 0)
