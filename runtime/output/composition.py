"""Composition of a result under a style: picture, colours, bones and numbers, for screen and file alike.

The window scales the colours as Qt draws them (0.7 ms at 720p); `composed` does it at the picture's size.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from models.centroids import pose_of_parts
from models.consistency import consistency
from models.results import Parsing, Result
from runtime.output.backdrop import BackdropKind
from runtime.output.instances import (
    OPACITY,
    Instance,
    blend,
    draw_tag,
    instances,
    parts_of,
    tinted,
)
from runtime.output.palettes import colours, tints
from runtime.output.skeleton import DrawnSkeleton, draw_skeletons, posed
from runtime.output.style import DisplayStyle, ViewMode, visible

DIM = 0.55  # how dark the room gets where only the person matters
WITH_JOINTS = {ViewMode.OVERLAY, ViewMode.PARTS}  # views of parts over which joints may be painted
UNSURE = 128  # of 255: a confidence below this is hatched
CONTOUR = np.uint32(0xC0000000)
HATCH_PX, HATCH = 9, np.uint32(0xE6E6E6E6)  # one line in three, white
MATTE_LOW, MATTE_HIGH = 0.3, 0.7  # P(person) from transparent to solid: the edge of a cut-out

Alpha = NDArray[np.float32]  # 0..1
Image = NDArray[np.uint8]
Colours = NDArray[np.uint32]  # (h, w) ARGB, premultiplied

#: (256, 3) RGB by confidence. A column of values: OpenCV 5 takes a flat array for a row.
VIRIDIS = np.asarray(
    cv2.applyColorMap(np.arange(256, dtype=np.uint8)[:, None], cv2.COLORMAP_VIRIDIS)[:, 0, ::-1], np.uint8
)


@dataclass(frozen=True, eq=False)
class Composition:
    """All that is painted of a result, from the bottom up."""

    picture: bool  #: seen, or black
    upper: Colours | None = None  #: of any size, scaled to the picture's
    skeletons: tuple[DrawnSkeleton, ...] = ()
    people: tuple[Instance, ...] = ()  #: whose numbers are painted
    in_parts: float | None = None  #: share of the joints that lie in their parts; None where none was judged


def composition(image: Image, result: Result | None, style: DisplayStyle) -> Composition:
    """Everything to paint of a picture (h, w, 3) and its result; the split line is not looked at."""
    if style.bare or style.view is ViewMode.PICTURE or result is None:
        return Composition(style.bare or not style.view.hides_picture)
    picture = not style.view.hides_picture
    shown = shown_people(result, style)
    masks = result.parsing is None and any(i.person.mask is not None for i in shown)
    if style.view is ViewMode.INSTANCES or (masks and style.view is not ViewMode.SKELETON):
        tint = tinted(shown, min(1.0, style.opacity * OPACITY / DisplayStyle().opacity), style.person)
        upper = tint.view(np.uint32)[..., 0] if tint is not None else None
        bones, in_parts = _skeletons(result, shown[::-1], by_person=True)
        return Composition(picture, upper, bones, tuple(shown), in_parts)
    bones, in_parts = _skeletons(result, shown, by_person=False)
    marked = () if style.alone else tuple(i for i in shown if style.person == i.number > 0)
    if result.parsing is None:  # joints are all there is to see
        return Composition(picture, None, bones, marked)
    parsing, alone = result.parsing, bool(style.alone and style.person)
    hidden = [i for i in instances(result.people) if not style.shows_person(i.number)]
    if alone or hidden:
        parsing = parts_of(parsing, shown, hidden, alone=alone)
    if style.view is ViewMode.SKELETON and not result.people:
        bones = (posed(pose_of_parts(parsing)),)
    elif not (style.view is ViewMode.SKELETON or (style.joints and style.view in WITH_JOINTS)):
        bones, in_parts = (), None
    painter = VIEWS.get(style.view)
    painted = painter(parsing, image, style) if painter else None
    under = style.view not in {ViewMode.PARTS, ViewMode.SILHOUETTE}  # a backdrop hides the room by itself
    return Composition(under, painted, bones, marked, in_parts)


def composed(image: Image, result: Result, style: DisplayStyle) -> Image:
    """The picture (h, w, 3) as the window shows it; left of a split line as it came. Never mirrored."""
    made, (height, width) = composition(image, result, style), image.shape[:2]
    out: Image = image.copy() if made.picture else np.zeros_like(image)
    if made.upper is not None:
        blend(out, np.ascontiguousarray(made.upper).view(np.uint8).reshape(*made.upper.shape, 4))
    draw_skeletons(out, made.skeletons)
    for instance in reversed(made.people):
        draw_tag(out, instance, boxed=style.boxes)
    if style.split:
        at = round(width * style.split_at)
        out[:, :at] = image[:, :at]
        cv2.line(out, (at, 0), (at, height), (255, 255, 255), max(1, width // 640))
    return out


def shown_people(result: Result, style: DisplayStyle) -> list[Instance]:
    """The people whom the style does not hide."""
    found = instances(result.people, colour_blind=style.colour_blind)
    return [i for i in found if style.shows_person(i.number)]


def _skeletons(
    result: Result, people: Sequence[Instance], *, by_person: bool
) -> tuple[tuple[DrawnSkeleton, ...], float | None]:
    """Everybody's joints, and the share of them that lie in their parts."""
    posing = [(i, i.person.pose) for i in people if i.person.pose is not None]
    found = consistency(result.parsing, [pose for _, pose in posing]) if result.parsing is not None else None
    outside: Sequence[NDArray[np.bool_] | None] = list(found.outside) if found else [None] * len(posing)
    bones = (
        posed(pose, i.colour, i.person.box[3], apart) if by_person else posed(pose, outside=apart)
        for (i, pose), apart in zip(posing, outside, strict=True)
    )
    return tuple(bones), found.share if found is not None else None


def _parts(parsing: Parsing, style: DisplayStyle, opacity: float) -> Colours:
    alpha = visible(parsing.part_set, style).astype(np.float32) * opacity
    table = tints(colours(parsing.part_set, colour_blind=style.colour_blind), alpha)
    painted = table[parsing.labels]
    if style.contours:
        wide = cv2.morphologyEx(parsing.labels, cv2.MORPH_GRADIENT, np.ones((2, 2), np.uint8)) > 0
        painted = np.where(wide & (painted > 0), CONTOUR, painted)
    return np.asarray(painted, np.uint32)


def _confidence(parsing: Parsing, style: DisplayStyle) -> Colours:
    """Sure is yellow, unsure is violet and hatched, what is nobody's is dimmed."""
    opaque = tints(VIRIDIS, np.full(256, 0.9, np.float32))
    dim = np.uint32(round(DIM * 255) << 24)
    down, across = np.ogrid[: parsing.labels.shape[0], : parsing.labels.shape[1]]
    hatched = ((down + across) % HATCH_PX < HATCH_PX // 3) & (parsing.confidence < UNSURE)
    inside = np.where(hatched, HATCH, opaque[parsing.confidence])
    return np.asarray(np.where(visible(parsing.part_set, style)[parsing.labels], inside, dim), np.uint32)


def _backdrop(parsing: Parsing, image: Image, style: DisplayStyle) -> Colours:
    """The backdrop, opaque where there is nobody: drawn over the picture it leaves the person."""
    behind = style.behind
    shown = visible(parsing.part_set, style) if style.solo or style.hidden else None
    person = parsing.person.astype(np.float32) / 255
    matte: Alpha = np.clip((person - MATTE_LOW) / (MATTE_HIGH - MATTE_LOW), 0, 1).astype(np.float32)
    if shown is not None:
        matte *= shown[parsing.labels]
    if behind.kind is BackdropKind.COLOUR:
        return tints(np.full((1, 1, 3), behind.colour, np.uint8), 1 - matte)
    room = behind.picture(image)
    size = (room.shape[1], room.shape[0])
    matte = np.asarray(cv2.resize(matte, size, interpolation=cv2.INTER_LINEAR), np.float32)
    return tints(room, 1 - matte)


#: Colours of each view of a parsing; the skeleton is drawn as lines, and the picture alone has none.
VIEWS: Final[dict[ViewMode, Callable[[Parsing, Image, DisplayStyle], Colours]]] = {
    ViewMode.OVERLAY: lambda parsing, _, style: _parts(parsing, style, style.opacity),
    ViewMode.PARTS: lambda parsing, _, style: _parts(parsing, style, 1.0),
    ViewMode.SILHOUETTE: lambda parsing, *_: np.asarray(
        parsing.person.astype(np.uint32) * np.uint32(0x01010101), np.uint32
    ),
    ViewMode.CUT_OUT: _backdrop,
    ViewMode.CONFIDENCE: lambda parsing, _, style: _confidence(parsing, style),
}
