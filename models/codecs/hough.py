"""Hough voting: cells of a disk vote for the place of its joint by their short-range offsets (§3.1.1)."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from models.codecs.codec import FloatMap, Placement

LEAST_VOTE = 0.02  # probability below which a cell does not vote
CELL_PX = 4.0  # side of a Hough cell, network px: finer ones cost more and place no better
BLUR = 0.8  # standard deviation, Hough cells, before peaks are sought: those of noisy votes stay single
BLUR_REACH = 4  # Hough cells; no blurred vote gets so far

Points = NDArray[np.float32]


@dataclass(frozen=True)
class HoughMaps:
    """Densities of votes.

    Attributes:
        padded: (joints, rows, columns) 1/px² of the votes of one whole disk, with a margin of zeros.
        step: network pixels per Hough cell.
        margin: cells on each side, more than `BLUR_REACH`.
    """

    padded: FloatMap
    step: float
    margin: int

    @classmethod
    def of(cls, density: FloatMap, step: float, radius_px: float) -> HoughMaps:
        """Maps without a margin."""
        margin = margin_cells(radius_px, step)
        return cls(np.pad(density, ((0, 0), (margin, margin), (margin, margin))), step, margin)

    @property
    def density(self) -> FloatMap:
        """(joints, rows, columns) without the margin."""
        inside = slice(self.margin, -self.margin)
        return self.padded[:, inside, inside]

    def cells(self, points: Points) -> Points:
        """(..., 2) network px → Hough cells."""
        return np.asarray((points - (self.step - 1) / 2) / self.step, np.float32)


def margin_cells(radius_px: float, step: float = CELL_PX) -> int:
    """A disk round a place at the border lies inside the margin."""
    return max(BLUR_REACH, int(np.ceil(radius_px / step))) + 1


def vote(disks: FloatMap, short: FloatMap, placement: Placement, radius_px: float) -> HoughMaps:
    """Hough maps of disk probabilities (joints, h, w) and short-range offsets (2·joints, h, w), px.

    Votes that fall outside the picture are dropped. Every cell stands for stride² pixels, so densities do not
    depend on the grid.
    """
    width, height = placement.content
    step, margin = CELL_PX, margin_cells(radius_px)
    columns, rows = round(width / step), round(height / step)
    across, down = columns + 2 * margin, rows + 2 * margin
    k, v, u = np.nonzero(disks >= LEAST_VOTE)
    weights = disks[k, v, u] * np.float32(placement.stride**2 / (np.pi * radius_px**2) / step**2)
    first = np.float32(placement.grid.to_pixel(0, placement.stride) - (step - 1) / 2)
    cells = np.arange(max(disks.shape[1:]), dtype=np.float32) * placement.stride + first
    x, y = (cells[u] + short[2 * k, v, u]) / step, (cells[v] + short[2 * k + 1, v, u]) / step
    near = (x > -1) & (y > -1) & (x < columns) & (y < rows)
    k, x, y, weights = k[near], x[near], y[near], weights[near]
    left, top = np.floor(x), np.floor(y)
    dx, dy, i, j = x - left, y - top, left.astype(np.intp), top.astype(np.intp)
    corner = (k * down + j + margin) * across + i + margin
    index = np.concatenate((corner, corner + 1, corner + across, corner + across + 1))
    before, after = weights * (1 - dx), weights * dx
    shares = np.concatenate((before * (1 - dy), after * (1 - dy), before * dy, after * dy))
    flat = np.bincount(index, shares, minlength=len(disks) * down * across)
    padded = np.zeros((len(disks), down, across), np.float32)
    inside = np.s_[:, margin : margin + rows, margin : margin + columns]
    padded[inside] = flat.reshape(padded.shape)[inside]
    return HoughMaps(padded, step, margin)


def local_maxima(maps: HoughMaps, least: float, limit: int) -> tuple[NDArray[np.intp], Points, FloatMap]:
    """Joints (n,), places (n, 2) in network px and densities (n,) of the peaks above `least`, highest first.

    At most `limit` of each joint; a parabola through a peak and its neighbours places it between cells.
    """
    joints, down, across = maps.padded.shape
    one = maps.padded.reshape(joints * down, across)  # margins keep one joint's votes from another's
    blurred = cv2.GaussianBlur(one, (0, 0), BLUR, borderType=cv2.BORDER_CONSTANT)
    flat = np.asarray(blurred, np.float32).ravel()
    peaks = np.flatnonzero(flat > least)  # none in the margins: votes inside are nearer to the border
    for shift in (1, -1, across, -across, across + 1, across - 1, 1 - across, -across - 1):
        peaks = peaks[flat[peaks] >= flat[peaks + shift]]
    peaks = peaks[np.argsort(-flat[peaks], kind="stable")]
    joint, v, u = np.unravel_index(peaks, (joints, down, across))
    rank = np.zeros(len(peaks), np.intp)
    for k in range(joints):
        of_joint = joint == k
        rank[of_joint] = np.arange(of_joint.sum())
    kept = rank < limit
    peaks, joint, v, u = peaks[kept], joint[kept], v[kept], u[kept]
    cells = np.stack((u + _vertex(flat, peaks, 1), v + _vertex(flat, peaks, across)), axis=1) - maps.margin
    places = cells * maps.step + (maps.step - 1) / 2
    return np.asarray(joint, np.intp), places.astype(np.float32), np.asarray(flat[peaks], np.float32)


def _vertex(flat: FloatMap, peaks: NDArray[np.intp], step: int) -> FloatMap:
    """Offsets (n,) within ±½ of the vertex along an axis."""
    here, before, after = flat[peaks], flat[peaks - step], flat[peaks + step]
    bend = 2 * here - before - after
    return np.asarray(np.divide(after - before, 2 * bend, out=np.zeros_like(bend), where=bend > 0))
