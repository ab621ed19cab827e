"""Instances: every person's mask tinted in a colour of their own, its outline, and a tag with the number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from models.results import Parsing, PersonResult, Pose
from runtime.output.palettes import person_colour, person_numbers
from runtime.output.scaling import resized
from runtime.tracking import tracker

OPACITY = 0.45  # of a tint: the person beneath is still seen
SURE, POSSIBLE = 0.2, 0.05  # scores of a joint: drawn whole, drawn faint, left out
FAINT = 0.55
FINER = 3  # the outline's grid, times the mask's
SHIFT = 4  # fractional bits of drawn coordinates
FONT, AA = cv2.FONT_HERSHEY_SIMPLEX, cv2.LINE_AA
INK_RGB = (16, 16, 16)  # of a number on a person's colour, all of which are light

Colour = tuple[int, int, int]
Picture = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Instance:
    """A person with number and colour."""

    person: PersonResult
    number: int
    colour: Colour


def instances(people: Sequence[PersonResult], *, colour_blind: bool = False) -> list[Instance]:
    """The people to show, in order: those with a number; where nobody has one, whoever would get one at once.

    Others are doubles, or not sure to exist; without masks everybody is shown.
    """
    tracked = any(p.track_id for p in people)
    seen = [p for p in people if p.mask is None or (p.track_id if tracked else p.score >= tracker.SURE)]
    return [
        Instance(person, number, person_colour(number, colour_blind=colour_blind))
        for person, number in zip(seen, person_numbers(seen), strict=True)
    ]


def people_at(shown: Sequence[Instance], x: float, y: float, size: tuple[int, int]) -> list[int]:
    """Numbers of the people at a point in displayed px: by mask, the surest first; else by box."""
    hits, areas = [], {}
    for i in (i for i in shown if i.number):
        (left, top, width, height), mask = i.person.box, i.person.mask
        if left <= x < left + width and top <= y < top + height:
            areas[i.number] = width * height
        if mask is not None and 0 <= x < size[0] and 0 <= y < size[1]:
            row, column = int(y * mask.shape[0] / size[1]), int(x * mask.shape[1] / size[0])
            hits += [i.number] * int(mask[row, column])
    return hits or sorted(areas, key=areas.__getitem__)


def parts_of(
    parsing: Parsing, shown: Sequence[Instance], hidden: Sequence[Instance], *, alone: bool
) -> Parsing:
    """The body parts without those of hidden people; `alone` only those in the masks of who is shown."""
    height, width = parsing.labels.shape
    theirs, others = np.zeros((2, height, width), np.uint8)
    for people, union in ((shown, theirs), (hidden, others)):
        for mask in (i.person.mask for i in people if i.person.mask is not None):
            np.maximum(union, resized(mask, (width, height), cv2.INTER_NEAREST), out=union)
    kept = theirs if alone else np.asarray(theirs | (others ^ 1), np.uint8)
    maps = (parsing.labels, parsing.person, parsing.confidence)
    return Parsing(parsing.part_set, parsing.size, *(m * kept for m in maps))


def tinted(shown: Sequence[Instance], opacity: float, chosen: int = 0) -> Picture | None:
    """(h, w, 4) BGRA, premultiplied, of tints and outlines, finer than the masks; None where nobody has one.

    Where masks overlap the colours are mixed by the people's scores, and no more of the picture is covered.

    Args:
        shown: the people, the surest first.
        opacity: of a tint, 0 to 1; outlines are solid.
        chosen: number of the person whose outline has a white rim, or 0.
    """
    masked = [(i, i.person.mask) for i in shown if i.person.mask is not None]
    if not masked:
        return None
    height, width = masked[0][1].shape
    sums, weights = np.zeros((height, width, 4), np.float32), np.full((height, width, 1), 1e-9, np.float32)
    for instance, mask in masked:
        scaled = resized(mask, (width, height), cv2.INTER_NEAREST)
        x, y, w, h = cv2.boundingRect(scaled)
        weight = scaled[y : y + h, x : x + w, None] * np.float32(instance.person.score**2 + 1e-3)
        sums[y : y + h, x : x + w] += weight * np.array((*instance.colour[::-1], 255), np.float32)
        weights[y : y + h, x : x + w] += weight
    tint = np.rint(sums * (opacity / weights)).astype(np.uint8)
    out = np.asarray(cv2.resize(tint, None, fx=FINER, fy=FINER, interpolation=cv2.INTER_LINEAR), np.uint8)
    for instance, mask in reversed(masked):
        lines = [
            np.rint((line - 0.5) * (1 << SHIFT)).astype(np.int32) for line in outlines(mask, out.shape[1::-1])
        ]
        colour = (*instance.colour[::-1], 255)
        rim = ((255,) * 4, 5) if chosen == instance.number > 0 else ((0, 0, 0, 150), 3)
        for ink, thick in (rim, (colour, 1 + rim[1] // 5)):
            cv2.polylines(out, lines, isClosed=True, color=ink, thickness=thick, lineType=AA, shift=SHIFT)
    return out


def outlines(mask: NDArray[np.uint8], size: tuple[int, int]) -> list[NDArray[np.float32]]:
    """Closed lines (n, 2) x, y around a mask, as smooth as its resolution allows.

    Args:
        mask: (h, w) 0 or 1.
        size: (width, height) of the picture that they are for, px.
    """
    x, y, w, h = cv2.boundingRect(mask)
    if not w:
        return []
    edge = 2  # cells around it, so that the filter sees the outside; beyond the picture it goes on
    bordered = cv2.copyMakeBorder(mask, edge, edge, edge, edge, cv2.BORDER_REPLICATE)
    cut = cv2.blur(bordered[y : y + h + 2 * edge, x : x + w + 2 * edge] * np.uint8(255), (3, 3))
    fine = cv2.resize(cut, None, fx=FINER, fy=FINER, interpolation=cv2.INTER_LINEAR)
    found, _ = cv2.findContours((fine > 127).astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_TC89_L1)
    scale = np.array(size, np.float32) / mask.shape[::-1]
    lines = [(c[:, 0].astype(np.float32) + 0.5) / FINER - edge + (x, y) for c in found if len(c) > 2]
    return [np.asarray((line * scale).clip(0, size), np.float32) for line in lines]


def draw_instances(out: Picture, people: Sequence[PersonResult]) -> None:
    """Tints, outlines, joints and numbers of everybody, drawn into a picture (h, w, 3)."""
    height, width = out.shape[:2]
    shown = instances(people)
    tint = tinted(shown, OPACITY)
    if tint is not None:
        blend(out, tint)
    for instance in reversed(shown):
        if instance.person.pose is not None:
            thick = max(1, round(max(height, width) / 500))
            draw_pose(out, instance.person.pose, instance.colour, thick)
    for instance in reversed(shown):  # the surest on top
        draw_tag(out, instance)


def blend(out: Picture, small: NDArray[np.uint8]) -> None:
    """Lay premultiplied BGRA (…, …, 4), scaled to its size, over a picture (h, w, 3) RGB."""
    bgra = cv2.resize(small, (out.shape[1], out.shape[0]), interpolation=cv2.INTER_LINEAR)
    left = cv2.merge([255 - bgra[..., 3]] * 3)
    cv2.add(cv2.multiply(out, left, scale=1 / 255), cv2.cvtColor(bgra, cv2.COLOR_BGRA2RGB), dst=out)


def draw_pose(out: Picture, pose: Pose, colour: Colour, width: int, least: float = POSSIBLE) -> None:
    """Bones of which both joints were found, and the found joints, drawn into a picture."""
    points = [(round(x), round(y)) for x, y in pose.points.tolist()]
    for a, b in pose.joint_set.bones:
        if min(pose.scores[a], pose.scores[b]) > least:
            cv2.line(out, points[a], points[b], colour, width, AA)
    for point, score in zip(points, pose.scores, strict=True):
        if score > least:
            cv2.circle(out, point, 2 * width, colour, cv2.FILLED, AA)


def draw_tag(out: Picture, instance: Instance, *, boxed: bool = False) -> None:
    """The number, over the person's head or as near as the picture allows; their box, where asked for."""
    if boxed:
        box = np.rint(instance.person.box).astype(int)
        for ink, thick in ((INK_RGB, 4), (instance.colour, 2)):
            cv2.rectangle(out, box.tolist(), ink, thick)
    if not instance.number:
        return
    text, scale = str(instance.number), max(0.4, max(out.shape[:2]) / 1800)
    (w, h), _ = cv2.getTextSize(text, FONT, scale, 1)
    pad = max(3, h // 3)
    x, y, width, _ = instance.person.box
    left = int(min(max(0.0, x + width / 2 - w / 2 - pad), out.shape[1] - w - 2 * pad))
    top = int(min(max(0.0, y - h - 2 * pad - 2), out.shape[0] - h - 2 * pad))
    cv2.rectangle(out, (left, top), (left + w + 2 * pad, top + h + 2 * pad), instance.colour, cv2.FILLED)
    cv2.putText(out, text, (left + pad, top + pad + h), FONT, scale, INK_RGB, max(1, round(2 * scale)), AA)
