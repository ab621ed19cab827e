"""From the network's grid of 8-pixel cells to edges that follow the person.

The silhouette is refined by a guided filter (He et al. 2013) on the colour picture: near each cell, P(person)
is fitted as a linear function of colour, and the fit is evaluated at every pixel. The statistics are taken on
two samples per cell, so only a weighted sum of three planes happens at full resolution. Inside the silhouette
the part with the largest interpolated probability wins. `benchmarks/edges.py` shows what that brings.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from runtime.engine.letterbox import Letterbox
from runtime.engine.resize import average, resize
from runtime.engine.source import Request

Map = NDArray[np.float32]
Bytes = NDArray[np.uint8]

SAMPLES_PER_CELL = 2
RADIUS = 3  # samples: the fit sees one and a half cells each way, as far as the grid may be off
EPSILON = np.float32(1e-4)  # of squared colour 0..1: flatter surroundings than this guide nothing
BODY_THRESHOLD = 0.5
#: A source's own mask decides the edge unless the head sees clearly less of a person than this.
DENIED = 0.25
#: Part borders are interpolated beside cells that are a person with at least this probability,
NEAR_BODY = 0.1
#: and the silhouette is refined within two cells of those with this one; elsewhere it is 0.
FAR_FROM_BODY = 0.02


@dataclass(frozen=True)
class Detail:
    """At which resolution labels are decided."""

    name: str
    of_picture: bool  #: at the displayed picture's size, else at the network's
    longest: int  #: px, no result is larger

    def size(self, letterbox: Letterbox) -> tuple[int, int]:
        """(width, height) of the result, px."""
        width, height = letterbox.picture if self.of_picture else letterbox.content
        scale = min(1.0, self.longest / max(width, height))
        return max(1, round(width * scale)), max(1, round(height * scale))


LIVE = Detail("live", of_picture=False, longest=768)
FULL = Detail("full", of_picture=True, longest=1920)


@dataclass(frozen=True)
class Decision:
    """Hard labels and soft silhouette of one picture; all (h, w)."""

    labels: Bytes
    person: Bytes  #: 255·P(person)
    confidence: Bytes  #: 255·probability of the label


def decide(person: Map, parts: Map, request: Request, fine: Bytes | None, detail: Detail) -> Decision:
    """Labels and silhouette over the displayed picture.

    Args:
        person: (gh, gw) P(person) of the cells that the picture covers.
        parts: (classes, gh, gw) probabilities of the same cells, background first.
        request: the frame, for its edges.
        fine: the source's own mask, where it has a finer one than the grid.
        detail: which resolution.
    """
    size = detail.size(request.letterbox)
    body = 1 - parts[0]
    if fine is None:
        silhouette, inside = refine_near((person, body), request, size)
    else:
        silhouette = resize(fine, size).astype(np.float32) / np.float32(255)
        inside = silhouette * (resize(body, size) >= DENIED)
    is_body = inside >= BODY_THRESHOLD
    labels = np.zeros(is_body.shape, np.uint8)
    sure = 1 - inside
    rows, columns, place = _around(is_body, parts.shape[1:])
    if place is not None:  # parts compete only around people
        here = is_body[place]
        near = np.ascontiguousarray(parts[:, rows, columns])
        extent = here.shape[1], here.shape[0]
        labels[place] = part_labels(near, extent) * here.view(np.uint8)
        np.copyto(sure[place], resize(near[1:].max(axis=0), extent), where=here)
    return Decision(labels, to_bytes(silhouette), to_bytes(sure))


def _around(
    is_body: NDArray[np.bool_], cells: tuple[int, ...]
) -> tuple[slice, slice, tuple[slice, slice] | None]:
    """Rows and columns of cells under a mask and one more each side, and their pixels; None when empty."""
    left, top, width, height = cv2.boundingRect(is_body.view(np.uint8))
    if not width:
        return slice(0), slice(0), None
    spans = []
    for first, length, count, pixels in zip((top, left), (height, width), cells, is_body.shape, strict=True):
        size = pixels // count
        whole = bool(pixels % count)  # a cell is no whole number of pixels: no exact crop
        start, stop = (0, count) if whole else (first // size - 1, (first + length - 1) // size + 2)
        spans.append(slice(max(0, start), min(count, stop)))
    rows, columns = spans
    place = _pixels(rows, cells[0], is_body.shape[0]), _pixels(columns, cells[1], is_body.shape[1])
    return rows, columns, place


def refine_near(maps: Sequence[Map], request: Request, size: tuple[int, int]) -> list[Map]:
    """`refine` at (width, height), done only where somebody may be: most of a picture is background."""
    down, across = maps[0].shape
    picture = request.picture
    if size == request.letterbox.content:
        guide = picture
    else:
        image = request.frame.image
        guide = image if request.frame.size == size else average(image, size)
    rows, columns = _box(np.max(maps, axis=0) > FAR_FROM_BODY)
    if size[0] % across or size[1] % down:
        rows, columns = slice(0, down), slice(0, across)  # a cell is no whole number of pixels: no exact crop
    whole = [np.zeros((size[1], size[0]), np.float32) for _ in maps]
    if rows.stop > rows.start:
        seen = picture[_pixels(rows, down, picture.shape[0]), _pixels(columns, across, picture.shape[1])]
        place = _pixels(rows, down, size[1]), _pixels(columns, across, size[0])
        cropped = [np.ascontiguousarray(m[rows, columns]) for m in maps]
        for target, part in zip(whole, refine(cropped, seen, guide[place]), strict=True):
            target[place] = part
    return whole


def _box(marked: NDArray[np.bool_]) -> tuple[slice, slice]:
    """Rows and columns around what is marked, two cells more on each side; empty when nothing is."""
    if not marked.any():
        return slice(0, 0), slice(0, 0)
    spans = (np.flatnonzero(marked.any(axis=axis)) for axis in (1, 0))
    rows, columns = (
        slice(max(0, int(s[0]) - 2), min(n, int(s[-1]) + 3)) for s, n in zip(spans, marked.shape, strict=True)
    )
    return rows, columns


def _pixels(cells: slice, count: int, pixels: int) -> slice:
    """What lies under some of `count` cells across `pixels`; exact for all and for cells of whole pixels."""
    return slice(cells.start * pixels // count, cells.stop * pixels // count)


def refine(maps: Sequence[Map], picture: Bytes, guide: Bytes) -> list[Map]:
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
        *slopes, offset = (resize(c, size) for c in fit.to(resize(coarse, grid)))
        for slope, plane in zip(slopes, planes, strict=True):
            offset += np.multiply(slope, plane, out=slope)
        refined.append(np.clip(offset, 0, 1, out=offset))
    return refined


class _Fit:
    """Local linear regression on colour; the covariance of the colours is inverted once for all maps."""

    def __init__(self, colours: list[Map]) -> None:
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

    def to(self, values: Map) -> list[Map]:
        """Slopes on red, green, blue and the offset, averaged over the fits that see a sample."""
        mean = _blur(values)
        x, y, z = (_blur(c * values) - m * mean for c, m in zip(self._colours, self._means, strict=True))
        slopes = [(i * x + j * y + k * z) * self._scale for i, j, k in self._inverse]
        offset = mean - sum(s * m for s, m in zip(slopes, self._means, strict=True))
        return [_blur(c) for c in (*slopes, offset)]


def part_labels(parts: Map, size: tuple[int, int]) -> Bytes:
    """The part (never background) with the largest bilinearly interpolated probability, at (width, height).

    Between four cells, only the parts that win in one of them compete: a few hundred places instead of every
    part at every pixel.
    """
    _, down, across = parts.shape
    zoom = max(4, 2 * math.ceil(max(size[0] / across, size[1] / down) / 2))  # even, px per cell
    padded = np.pad(parts, ((0, 0), (1, 1), (1, 1)), mode="edge")
    winners = padded[1:].argmax(axis=0).astype(np.uint8) + np.uint8(1)
    near = 1 - padded[0] >= NEAR_BODY
    corners = [(slice(i, down + 1 + i), slice(j, across + 1 + j)) for i in (0, 1) for j in (0, 1)]
    first = winners[corners[0]]
    mixed = np.zeros(first.shape, bool)
    close = np.zeros(first.shape, bool)
    for corner in corners:
        mixed |= winners[corner] != first
        close |= near[corner]
    whole = cv2.resize(first, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_NEAREST)
    rows, columns = np.nonzero(mixed & close)
    blocks = np.asarray(whole, np.uint8).reshape(down + 1, zoom, across + 1, zoom)
    blocks[rows, :, columns, :] = _compete(padded, winners, rows, columns, zoom)
    half = zoom // 2
    labels = np.asarray(whole, np.uint8)[half : half + down * zoom, half : half + across * zoom]
    if labels.shape == (size[1], size[0]):
        return labels
    return np.asarray(cv2.resize(labels, size, interpolation=cv2.INTER_NEAREST), np.uint8)


def _compete(
    padded: Map, winners: Bytes, rows: NDArray[np.intp], columns: NDArray[np.intp], zoom: int
) -> Bytes:
    """(n, zoom, zoom) labels between the cells (row, column) … (row + 1, column + 1) of n places."""
    across = (np.arange(zoom, dtype=np.float32) + np.float32(0.5)) / np.float32(zoom)
    weights = np.stack([np.outer(v, h).ravel() for v in (1 - across, across) for h in (1 - across, across)])
    cells = [(rows + i, columns + j) for i in (0, 1) for j in (0, 1)]
    best = label = None
    for candidate in (winners[cell] for cell in cells):
        corners = np.stack([padded[candidate, *cell] for cell in cells], axis=1)
        value = corners @ weights
        if best is None or label is None:
            best, label = value, np.repeat(candidate[:, None], zoom * zoom, axis=1)
            continue
        wins = value > best
        np.copyto(best, value, where=wins)
        np.copyto(label, candidate[:, None], where=wins)
    assert label is not None
    return label.reshape(-1, zoom, zoom)


def to_bytes(probability: Map) -> Bytes:
    """round(255·p)."""
    return np.asarray(cv2.convertScaleAbs(probability, alpha=255.0), np.uint8)


def _planes(picture: Bytes) -> list[Map]:
    """(h, w, 3) bytes → three planes of 0..1."""
    return [np.multiply(p, np.float32(1 / 255), dtype=np.float32) for p in cv2.split(picture)]


def _blur(values: Map) -> Map:
    side = 2 * RADIUS + 1
    return np.asarray(cv2.blur(values, (side, side)), np.float32)
