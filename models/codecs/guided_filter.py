"""A guided filter (He et al. 2013) that moves the edges of coarse maps onto those of the colour picture.

Near each cell, P(person) is fitted as a linear function of colour, and the fit is evaluated at every pixel.
Statistics are taken on three samples per cell: only a weighted sum of planes happens at full resolution.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from models.codecs.codec import FloatMap, PictureContext
from models.resize import average, resize

Bytes = NDArray[np.uint8]

SAMPLES_PER_CELL = 3
RADIUS = 3  # samples: the fit sees a cell each way
SURE = np.float32(1e-4)  # from an end of 0..1: log-odds beyond are held there
EPSILON = np.float32(1e-4)  # of squared colour 0..1: flatter surroundings than this guide nothing
#: FloatMaps are refined within two cells of those with at least this probability; elsewhere they are 0.
FAR_FROM_BODY = 0.02


def refine_near(maps: Sequence[FloatMap], context: PictureContext) -> list[FloatMap]:
    """`refine` at the context's size, done only where somebody may be: most of a picture is background."""
    down, across = maps[0].shape
    picture, size = context.picture, context.size
    if size == context.placement.content:
        guide = picture
    else:
        image = context.image
        guide = image if context.placement.picture == size else average(image, size)
    rows, columns = cells_around(np.max(maps, axis=0) > FAR_FROM_BODY)
    if size[0] % across or size[1] % down:
        rows, columns = slice(0, down), slice(0, across)  # a cell is no whole number of pixels: no exact crop
    whole = [np.zeros((size[1], size[0]), np.float32) for _ in maps]
    if rows.stop > rows.start:
        seen = picture[
            pixels_under(rows, down, picture.shape[0]), pixels_under(columns, across, picture.shape[1])
        ]
        place = pixels_under(rows, down, size[1]), pixels_under(columns, across, size[0])
        cropped = [np.ascontiguousarray(m[rows, columns]) for m in maps]
        for target, part in zip(whole, refine(cropped, seen, guide[place]), strict=True):
            target[place] = part
    return whole


def cells_around(marked: NDArray[np.bool_]) -> tuple[slice, slice]:
    """Rows and columns around what is marked, two cells more on each side; empty when nothing is."""
    if not marked.any():
        return slice(0, 0), slice(0, 0)
    spans = (np.flatnonzero(marked.any(axis=axis)) for axis in (1, 0))
    rows, columns = (
        slice(max(0, int(s[0]) - 2), min(n, int(s[-1]) + 3)) for s, n in zip(spans, marked.shape, strict=True)
    )
    return rows, columns


def pixels_under(cells: slice, count: int, pixels: int) -> slice:
    """Pixels under some of `count` cells across `pixels`; exact for all, and for cells of whole pixels."""
    return slice(cells.start * pixels // count, cells.stop * pixels // count)


def refine(maps: Sequence[FloatMap], picture: Bytes, guide: Bytes) -> list[FloatMap]:
    """Move the edges of coarse maps onto the edges of a picture.

    Args:
        maps: each (gh, gw), 0..1.
        picture: (h, w, 3) RGB, from which the fit is made.
        guide: (oh, ow, 3), the same picture at the result's size.

    Returns:
        For each map, (oh, ow) in 0..1.
    """
    grid = maps[0].shape[1] * SAMPLES_PER_CELL, maps[0].shape[0] * SAMPLES_PER_CELL
    colours = _planes(average(picture, grid))
    fit = _Fit(colours)
    size = guide.shape[1], guide.shape[0]
    planes = _planes(guide)
    refined = []
    for coarse in maps:
        *slopes, offset = (resize(c, size) for c in fit.to(between(coarse, grid)))
        for slope, plane in zip(slopes, planes, strict=True):
            offset += np.multiply(slope, plane, out=slope)
        refined.append(np.clip(offset, 0, 1, out=offset))
    return refined


def between(probability: FloatMap, size: tuple[int, int]) -> FloatMap:
    """Probabilities at (width, height), bilinear in log-odds: training interpolates logits."""
    held = np.clip(probability, SURE, 1 - SURE)
    finer: FloatMap = 1 / (1 + np.exp(-resize(np.log(held / (1 - held)), size)))
    return finer


class _Fit:
    """Local linear regression on colour; the covariance of the colours is inverted once for all maps."""

    def __init__(self, colours: list[FloatMap]) -> None:
        r, g, b = colours
        self._colours = colours
        self._means = [_blur(c) for c in colours]
        mr, mg, mb = self._means
        rr, gg, bb = (
            _blur(c * c) - m * m + np.float32(EPSILON) for c, m in zip(colours, self._means, strict=True)
        )
        rg, rb, gb = _blur(r * g) - mr * mg, _blur(r * b) - mr * mb, _blur(g * b) - mg * mb
        # The symmetric 3x3 inverse, by cofactors.
        c00, c01, c02 = gg * bb - gb * gb, gb * rb - rg * bb, rg * gb - gg * rb
        c11, c12, c22 = rr * bb - rb * rb, rb * rg - rr * gb, rr * gg - rg * rg
        self._scale = 1 / (rr * c00 + rg * c01 + rb * c02)
        self._inverse = (c00, c01, c02), (c01, c11, c12), (c02, c12, c22)

    def to(self, values: FloatMap) -> list[FloatMap]:
        """Slopes on red, green, blue and the offset, averaged over the fits that see a sample."""
        mean = _blur(values)
        x, y, z = (_blur(c * values) - m * mean for c, m in zip(self._colours, self._means, strict=True))
        slopes = [(i * x + j * y + k * z) * self._scale for i, j, k in self._inverse]
        offset = mean - sum(s * m for s, m in zip(slopes, self._means, strict=True))
        return [_blur(c) for c in (*slopes, offset)]


def _planes(picture: Bytes) -> list[FloatMap]:
    """(h, w, 3) bytes → three planes of 0..1."""
    return [np.multiply(p, np.float32(1 / 255), dtype=np.float32) for p in cv2.split(picture)]


def _blur(values: FloatMap) -> FloatMap:
    side = 2 * RADIUS + 1
    return np.asarray(cv2.blur(values, (side, side)), np.float32)
