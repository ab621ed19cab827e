"""Hough voting: cells of a disk vote for the place of its joint by their short-range offsets (§3.1.1)."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from models.codecs.codec import FloatMap, Placement
from models.grid import Grid

LEAST_VOTE = 0.02  # probability below which a cell does not vote
CELL_PX = 4.0  # side of a Hough cell, network px: finer ones cost more and place no better
BLUR = 0.8  # standard deviation, Hough cells, before peaks are sought: those of noisy votes stay single

Points = NDArray[np.float32]


@dataclass(frozen=True)
class HoughMaps:
    """Densities of votes.

    Attributes:
        density: (joints, rows, columns); 1/px² of the votes of one whole disk.
        step: network pixels per Hough cell.
    """

    density: FloatMap
    step: float

    def cells(self, points: Points) -> Points:
        """(..., 2) network px → Hough cells."""
        return np.asarray((points - (self.step - 1) / 2) / self.step, np.float32)


def vote(disks: FloatMap, short: FloatMap, placement: Placement, radius_px: float) -> HoughMaps:
    """Hough maps of disk probabilities (joints, h, w) and short-range offsets (2·joints, h, w), px.

    Votes that fall outside the picture are dropped. Every cell stands for stride² pixels, so densities do not
    depend on the grid.
    """
    width, height = placement.content
    step = CELL_PX
    columns, rows = round(width / step), round(height / step)
    joints = len(disks)
    k, v, u = np.nonzero(disks >= LEAST_VOTE)
    weights = disks[k, v, u] * (placement.stride**2 / (np.pi * radius_px**2) / step**2)
    pixels = placement.grid.to_pixel(np.stack((u, v), axis=1), placement.stride)
    x = (pixels[:, 0] + short[2 * k, v, u] - (step - 1) / 2) / step
    y = (pixels[:, 1] + short[2 * k + 1, v, u] - (step - 1) / 2) / step
    left, top = np.floor(x), np.floor(y)
    flat = np.zeros(joints * rows * columns)
    for dx in (0, 1):
        for dy in (0, 1):
            i, j = (left + dx).astype(np.intp), (top + dy).astype(np.intp)
            share = (1 - np.abs(x - i)) * (1 - np.abs(y - j)) * weights
            inside = (i >= 0) & (j >= 0) & (i < columns) & (j < rows)
            index = (k * rows + j) * columns + i
            flat += np.bincount(index[inside], share[inside], minlength=flat.size)
    density = flat.reshape(joints, rows, columns).astype(np.float32)
    return HoughMaps(density, step)


def local_maxima(maps: HoughMaps, least: float, limit: int) -> tuple[NDArray[np.intp], Points, FloatMap]:
    """Joints (n,), places (n, 2) in network px and densities (n,) of the peaks above `least`, highest first.

    At most `limit` of each joint; a parabola through a peak and its neighbours places it between cells.
    """
    joints, places, heights = [], [], []
    kernel = np.ones((3, 3), np.uint8)
    for k, votes in enumerate(maps.density):
        if votes.max(initial=0) <= least:
            continue
        plane = cv2.GaussianBlur(votes, (0, 0), BLUR, borderType=cv2.BORDER_CONSTANT)
        v, u = np.nonzero((plane >= cv2.dilate(plane, kernel)) & (plane > least))
        order = np.argsort(-plane[v, u], kind="stable")[:limit]
        v, u = v[order], u[order]
        joints.append(np.full(len(u), k))
        places.append(np.stack((u + _vertex(plane, v, u, 1), v + _vertex(plane, v, u, 0)), axis=1))
        heights.append(plane[v, u])
    if not joints:
        return np.empty(0, np.intp), np.empty((0, 2), np.float32), np.empty(0, np.float32)
    height = np.concatenate(heights)
    order = np.argsort(-height, kind="stable")
    place = Grid.CENTRE.to_pixel(np.concatenate(places), 1) * maps.step + (maps.step - 1) / 2
    return np.concatenate(joints)[order], place[order].astype(np.float32), height[order]


def _vertex(plane: FloatMap, v: NDArray[np.intp], u: NDArray[np.intp], axis: int) -> FloatMap:
    """Offsets (n,) within ±½ of the vertex along an axis."""
    padded = np.pad(plane, 1)
    dv, du = (0, 1) if axis else (1, 0)
    here, before = plane[v, u], padded[v + 1 - dv, u + 1 - du]
    after = padded[v + 1 + dv, u + 1 + du]
    bend = 2 * here - before - after
    offset = np.divide(after - before, 2 * bend, out=np.zeros_like(bend), where=bend > 0)
    return np.asarray(offset.clip(-0.5, 0.5), np.float32)
