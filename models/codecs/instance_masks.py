"""Instance masks: cells whose long-range offsets embed them near a person's joints (PersonLab §3.2, §3.3)."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from models.codecs.codec import FloatMap, Placement
from models.codecs.decoding import Decoding
from models.codecs.greedy_poses import Poses
from models.codecs.guided_filter import cells_around
from models.codecs.vector_fields import Fields, complex_places, sample
from models.grid import Grid

PERSON = 0.5  # probability of a cell that belongs to somebody
UNSURE = 0.2  # beneath it no cell is embedded
NEAR = 0.25  # distance in the embedding, person sizes
MARGIN = 0.1  # of votes by which somebody else may be ahead
CELL_PX = 2  # network pixels per pixel of a mask
Box = tuple[slice, slice]


def memberships(
    person: FloatMap, disks: FloatMap, fields: Fields, poses: Poses, decoding: Decoding
) -> FloatMap:
    """(people, h, w) 0..1, ½ at the border of being a person's.

    Joints count by the disk probability at their place; nothing belongs to a person with none at all.
    By `votes` the share of the joints no further than `NEAR` person sizes from where a cell's vectors lead,
    refined by the long-range vectors themselves or not: those lead astray where somebody covers a joint, and
    a half of the joints may err. By `distance` 1 − D / 2·`NEAR` of Eq. 6.
    """
    out = np.zeros((len(poses.points), *person.shape[-2:]), np.float32)
    v, u = np.nonzero(person[0] >= UNSURE)
    placement, votes = fields.placement, decoding.masks == "votes"
    at = complex_places(placement.grid.to_pixel(np.stack((u, v), axis=1), placement.stride))
    ways = {0, fields.steps} if votes else {fields.steps}
    embedded = [at + fields.long_at(at, own) for own in ways]  # (joints, cells)
    points, reach = complex_places(poses.points), NEAR * poses.sizes
    weights = sample(disks, poses.points, placement)
    for j, total in enumerate(weights.sum(axis=1)):
        if total <= 0:
            continue
        square = np.min([_square(e - points[j][:, None]) for e in embedded], axis=0)
        if votes:
            out[j, v, u] = weights[j] @ (square <= reach[j] ** 2) / total
        else:
            out[j, v, u] = (1 - weights[j] @ np.sqrt(square) / (2 * total * reach[j])).clip(min=0)
    return out


def _square(vectors: NDArray[np.complex64]) -> FloatMap:
    return np.asarray(vectors.real**2 + vectors.imag**2, np.float32)


def instance_masks(
    person: FloatMap, belongs: FloatMap, placement: Placement, decoding: Decoding
) -> NDArray[np.uint8]:
    """(people, h, w) 0 or 1 over the picture, `CELL_PX` network pixels to one: interpolated, then decided."""
    columns, rows = placement.content[0] // CELL_PX, placement.content[1] // CELL_PX
    there, most = np.zeros((rows, columns), bool), np.full((rows, columns), 0.5, np.float32)
    whole = slice(0, person.shape[1]), slice(0, person.shape[2])
    there[_place(whole, placement)] = _enlarged(person[0], placement, whole) >= PERSON
    boxes = [_box(b > 0) for b in belongs]
    shares = [_enlarged(b, placement, box) for b, box in zip(belongs, boxes, strict=True)]
    places = [_place(box, placement) for box in boxes]
    if decoding.masks == "votes":
        for share, place in zip(shares, places, strict=True):
            np.maximum(most[place], share - MARGIN, out=most[place])
    out = np.zeros((len(belongs), *there.shape), np.uint8)
    for mask, share, place in zip(out, shares, places, strict=True):
        mask[place] = (share >= most[place]) & there[place]
    return out


def _box(belongs: NDArray[np.bool_]) -> Box:
    """Rows and columns of cells around somebody's; the first cell where there are none."""
    rows, columns = cells_around(belongs)
    return (rows, columns) if rows.stop else (slice(0, 1), slice(0, 1))


def _place(box: Box, placement: Placement) -> Box:
    """The mask's pixels under a box of cells."""
    each = placement.stride // CELL_PX
    before = each // 2 if placement.grid is Grid.CORNER else 0
    sides = placement.content[1] // CELL_PX, placement.content[0] // CELL_PX
    rows, columns = (
        slice(max(0, b.start * each - before), min(side, b.stop * each - before))
        for b, side in zip(box, sides, strict=True)
    )
    return rows, columns


def _enlarged(cells: FloatMap, placement: Placement, box: Box) -> FloatMap:
    """A map between its cells, at the mask's pixels under a box."""
    each = placement.stride // CELL_PX
    before = each // 2 if placement.grid is Grid.CORNER else 0
    part = np.ascontiguousarray(cells[box])
    large = cv2.resize(part, (part.shape[1] * each, part.shape[0] * each), interpolation=cv2.INTER_LINEAR)
    rows, columns = (
        slice(p.start + before - b.start * each, p.stop + before - b.start * each)
        for p, b in zip(_place(box, placement), box, strict=True)
    )
    return np.asarray(large[rows, columns], np.float32)
