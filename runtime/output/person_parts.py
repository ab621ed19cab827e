"""Parts of each person: instance parsing from body parts and instance masks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from models.codecs.greedy_poses import box_sizes
from models.results import Parsing, PersonResult
from runtime.output.scaling import full_labels, resized


def owners(people: Sequence[PersonResult], size: tuple[int, int]) -> NDArray[np.uint16]:
    """(h, w) the person of each place of the masks, counted from 1 in the order given; 0 where nobody is.

    A place in several masks is whose joint is nearest in person sizes, as in PersonLab's embedding (§3.2);
    people without joints own what nobody else does.

    Args:
        people: of one picture; masks may overlap, or be missing.
        size: (width, height) of the displayed picture, px.
    """
    shape = next((p.mask.shape for p in people if p.mask is not None), (1, 1))
    whose, count = np.zeros(shape, np.uint16), np.zeros(shape, np.uint16)
    masks = [
        np.zeros(shape, np.uint8)
        if p.mask is None
        else resized(p.mask, (shape[1], shape[0]), cv2.INTER_NEAREST_EXACT)
        for p in people
    ]
    for i, mask in enumerate(masks, start=1):
        count += mask
        whose[(mask > 0) & (whose == 0)] = i
    rows, columns = np.nonzero(count > 1)
    places = np.stack((columns + 0.5, rows + 0.5), axis=1) * (size[0] / shape[1], size[1] / shape[0])
    nearest = np.full(len(rows), np.inf)
    for i, (person, mask) in enumerate(zip(people, masks, strict=True), start=1):
        inside = mask[rows, columns] > 0
        if person.pose is None or not inside.any() or not (known := person.pose.scores > 0).any():
            continue
        away = places[inside, None] - person.pose.points[known]
        distance = np.sqrt((away**2).sum(axis=-1).min(axis=1)) / box_sizes(person.pose.points[None])[0]
        closer = np.flatnonzero(inside)[distance < nearest[inside]]
        nearest[inside] = np.minimum(nearest[inside], distance)
        whose[rows[closer], columns[closer]] = i
    return whose


def part_areas(parsing: Parsing, people: Sequence[PersonResult]) -> list[dict[str, int]]:
    """For each person the areas of the parts that are theirs, px of the displayed picture.

    Where people have numbers, those without are doubles or not sure to exist: no part is theirs.
    """
    names, (width, height) = parsing.part_set.names, parsing.size
    tracked = any(p.track_id for p in people)
    owning = [replace(p, mask=None) if tracked and not p.track_id else p for p in people]
    whose = owners(owning, parsing.size)
    whole = np.asarray(cv2.resize(whose, (width, height), interpolation=cv2.INTER_NEAREST_EXACT), np.uint16)
    x, y, w, h = cv2.boundingRect((whole > 0).astype(np.uint8))
    labels = full_labels(parsing)[y : y + h, x : x + w].astype(np.intp)
    each = np.bincount(
        (labels + whole[y : y + h, x : x + w] * np.intp(len(names) + 1)).ravel(),
        minlength=(len(people) + 1) * (len(names) + 1),
    ).reshape(-1, len(names) + 1)
    return [{n: int(a) for n, a in zip(names, row[1:], strict=True) if a} for row in each[1:]]
