"""Body parts: labels and silhouette at the resolution of a picture, from probabilities on a grid of cells.

The silhouette's edges follow the picture (`guided_filter`). Inside it the part with the largest interpolated
probability wins.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from models.codecs.codec import FloatMap, PictureContext
from models.codecs.guided_filter import Bytes, pixels_under, refine_near
from models.outputs import PartProbabilities, PersonProbability
from models.resize import resize
from models.results import Parsing, Result

BODY_THRESHOLD = 0.5
#: A source's own mask decides the edge unless the head sees clearly less of a person than this.
DENIED = 0.25
#: Nobody is labelled where P(person) is below this: what a factor leaves out, the head may still see.
OUTSIDE = 0.1
#: Part borders are interpolated beside cells that are a person with at least this probability.
NEAR_BODY = 0.1


class PartCodec:
    """A label, a silhouette and a confidence for each pixel."""

    needs: tuple[str, ...] = ()

    def decode(
        self, output: PartProbabilities, maps: Mapping[str, FloatMap], context: PictureContext
    ) -> Result:
        """The parsing; the silhouette is the map of P(person), or of the body where there is none."""
        parts = maps[output.name]
        person = maps.get(PersonProbability.type)
        decision = decide(1 - parts[0] if person is None else person[0], parts, context)
        size = context.placement.picture
        return Result(Parsing(output.part_set, size, decision.labels, decision.person, decision.confidence))


@dataclass(frozen=True)
class PartDecision:
    """Hard labels and soft silhouette of one picture; all (h, w)."""

    labels: Bytes
    person: Bytes  #: 255·P(person)
    confidence: Bytes  #: 255·probability of the label


def decide(person: FloatMap, parts: FloatMap, context: PictureContext) -> PartDecision:
    """Labels and silhouette over the displayed picture.

    Args:
        person: (gh, gw) P(person) of the cells that the picture covers.
        parts: (classes, gh, gw) probabilities of the same cells, background first.
        context: the picture, for its edges, and the source's own mask where it has a finer one than the grid.
    """
    size = context.size
    body = 1 - parts[0]
    if context.mask is None:
        silhouette, inside = refine_near((person, body), context)
        inside = inside * (silhouette >= OUTSIDE)
    else:
        silhouette = resize(context.mask, size).astype(np.float32) / np.float32(255)
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
    return PartDecision(labels, to_bytes(silhouette), to_bytes(sure))


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
    place = pixels_under(rows, cells[0], is_body.shape[0]), pixels_under(columns, cells[1], is_body.shape[1])
    return rows, columns, place


def part_labels(parts: FloatMap, size: tuple[int, int]) -> Bytes:
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
    padded: FloatMap, winners: Bytes, rows: NDArray[np.intp], columns: NDArray[np.intp], zoom: int
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


def to_bytes(probability: FloatMap) -> Bytes:
    """round(255·p)."""
    return np.asarray(cv2.convertScaleAbs(probability, alpha=255.0), np.uint8)
