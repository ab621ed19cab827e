"""Layers: a result under a style, as two images that Qt draws one over the other; for screen and file alike.

The lower image is the picture; the upper one has the resolution of the parsing and is scaled by QPainter
as it is drawn (0.7 ms at 720p where blending in numpy takes 10-14).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final, cast

import cv2
import numpy as np
from numpy.typing import NDArray
from PyQt6.QtCore import QPointF, QRectF, Qt
from PyQt6.QtGui import QImage, QPainter, QPen, QTransform

from app.ui.instances import paint_people, shown_people
from app.ui.skeleton import DrawnSkeleton, posed
from app.ui.style import DisplayStyle, ViewMode, visible
from models.centroids import pose_of_parts
from models.consistency import consistency
from models.labels import PartSet
from models.results import Parsing, Result
from runtime.frames import FrameResult
from runtime.output.backdrop import GREEN_SCREEN, BackdropKind
from runtime.output.instances import OPACITY, Instance, instances, parts_of, tinted
from runtime.output.palettes import colours, tints

DIM = 0.55  # how dark the room gets where only the person matters
WITH_JOINTS = {ViewMode.OVERLAY, ViewMode.PARTS}  # views of parts over which joints may be painted
UNSURE = 128  # of 255: a confidence below this is hatched
CONTOUR = np.uint32(0xC0000000)
HATCH_PX, HATCH = 9, np.uint32(0xE6E6E6E6)  # one line in three, white
MATTE_LOW, MATTE_HIGH = 0.3, 0.7  # P(person) from transparent to solid: the edge of a cut-out

SURE, PERSON, UNDECIDED = 255, 0x6E21614D, 0x5A563A0D  # of a mask; ARGB, premultiplied

Alpha = NDArray[np.float32]  # 0..1

#: (256, 3) RGB by confidence. A column of values: OpenCV 5 takes a flat array for a row.
VIRIDIS = np.asarray(
    cv2.applyColorMap(np.arange(256, dtype=np.uint8)[:, None], cv2.COLORMAP_VIRIDIS)[:, 0, ::-1], np.uint8
)


@dataclass(frozen=True)
class Layers:
    """Images of one frame, ready to be drawn; `QImage`s over arrays keep those alive."""

    size: tuple[int, int]  #: (width, height) of the picture, px
    picture: QImage  #: as it came
    lower: QImage | None  #: None where the picture must not be seen
    upper: QImage | None
    skeletons: tuple[DrawnSkeleton, ...] = ()
    people: tuple[Instance, ...] = ()  #: whose numbers are painted
    in_parts: float | None = None  #: share of the joints that lie in their parts; None where none was judged
    before: Layers | None = None  #: left of the split line, instead of the picture


def layers(parsed: FrameResult, style: DisplayStyle) -> Layers:
    """Prepare a frame and its result for painting."""
    made = _layers(parsed, style)
    if style.split and parsed.beside is not None:
        other = replace(parsed, result=parsed.beside.result)
        before = style if _parts_of(other) in {None, _parts_of(parsed)} else style.of_other_parts()
        made = replace(made, before=_layers(other, before))
    return _mirrored(made) if style.mirror else made


def _parts_of(parsed: FrameResult) -> PartSet | None:
    return parsed.parsing.part_set if parsed.parsing is not None else None


def _layers(parsed: FrameResult, style: DisplayStyle) -> Layers:
    picture = picture_image(parsed.frame.image)
    size = parsed.frame.size
    result = parsed.result
    if style.bare or style.view is ViewMode.PICTURE or result is None:
        seen = None if style.view.hides_picture and not style.bare else picture
        return Layers(size, picture, seen, None)
    lower = None if style.view.hides_picture else picture
    shown = shown_people(result, style)
    masks = result.parsing is None and any(i.person.mask is not None for i in shown)
    if style.view is ViewMode.INSTANCES or (masks and style.view is not ViewMode.SKELETON):
        tint = tinted(shown, min(1.0, style.opacity * OPACITY / DisplayStyle().opacity), style.person)
        upper = _argb(tint.view(np.uint32)[..., 0]) if tint is not None else None
        bones, in_parts = _skeletons(result, shown[::-1], by_person=True)
        return Layers(size, picture, lower, upper, bones, tuple(shown), in_parts)
    bones, in_parts = _skeletons(result, shown, by_person=False)
    marked = () if style.alone else tuple(i for i in shown if style.person == i.number > 0)
    if result.parsing is None:  # joints are all there is to see
        return Layers(size, picture, lower, None, bones, marked)
    parsing, alone = result.parsing, bool(style.alone and style.person)
    hidden = [i for i in instances(result.people) if not style.shows_person(i.number)]
    if alone or hidden:
        parsing = parts_of(parsing, shown, hidden, alone=alone)
    if style.view is ViewMode.SKELETON and not result.people:
        bones = (posed(pose_of_parts(parsing)),)
    elif not (style.view is ViewMode.SKELETON or (style.joints and style.view in WITH_JOINTS)):
        bones, in_parts = (), None
    lower = None if style.view in {ViewMode.PARTS, ViewMode.SILHOUETTE} else picture
    painter = VIEWS.get(style.view)
    upper = painter(parsing, parsed, style) if painter else None
    return Layers(size, picture, lower, upper, bones, marked, in_parts)


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


def paint(painter: QPainter, area: QRectF, layer: Layers, style: DisplayStyle, *, cut: bool = False) -> None:
    """Draw into `area`; left of a split line the untouched picture, or what another engine made of it.

    Args:
        painter: of a device, with transparency where `cut` is asked for.
        area: of the device.
        layer: what is drawn.
        style: of which it was prepared.
        cut: the upper image takes away what it covers.
    """
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
    if not style.split:
        _paint_layers(painter, area, layer, style, cut=cut)
    else:
        at = area.left() + area.width() * style.split_at
        before, after = QRectF(area), QRectF(area)
        before.setRight(at)
        after.setLeft(at)
        painter.save()
        painter.setClipRect(before)
        if layer.before is None:
            painter.drawImage(area, layer.picture)
        else:
            _paint_layers(painter, area, layer.before, style, cut=cut)
        painter.restore()
        painter.setClipRect(after)
        _paint_layers(painter, area, layer, style, cut=cut)
    painter.restore()


def _mirrored(layer: Layers) -> Layers:
    """Images with left and right changed, exactly: a mirrored QPainter would be off by a pixel."""

    def flip(image: QImage | None) -> QImage | None:
        return image.mirrored(horizontal=True, vertical=False) if image is not None else None

    picture = layer.picture.mirrored(horizontal=True, vertical=False)
    lower = None if layer.lower is None else picture
    before = _mirrored(layer.before) if layer.before is not None else None
    return replace(layer, picture=picture, lower=lower, upper=flip(layer.upper), before=before)


def rendered_image(parsed: FrameResult, style: DisplayStyle) -> QImage:
    """The picture as it is seen, at its own size; transparent where the style is. Any thread."""
    (width, height), cut = parsed.frame.size, style.transparent
    formats = QImage.Format
    image = QImage(width, height, formats.Format_ARGB32_Premultiplied if cut else formats.Format_RGB32)
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    area = QRectF(0, 0, width, height)
    drawn = replace(style, behind=GREEN_SCREEN) if cut else style  # one colour is as fine as the silhouette
    paint(painter, area, layers(parsed, drawn), style, cut=cut)
    if style.split:
        x = width * style.split_at
        painter.setPen(QPen(Qt.GlobalColor.white, max(1.0, width / 640)))
        painter.drawLine(QPointF(x, 0), QPointF(x, height))
    painter.end()
    return image


def rendered(parsed: FrameResult, style: DisplayStyle) -> NDArray[np.uint8]:
    """`rendered_image` as (h, w, 3) RGB; where the style is transparent (h, w, 4) RGBA, straight alpha."""
    image = rendered_image(parsed, style)
    if style.transparent:
        image = image.convertToFormat(QImage.Format.Format_ARGB32)
    bits = image.constBits()
    assert bits is not None
    bits.setsize(image.sizeInBytes())
    bgra = np.frombuffer(cast("bytes", bits), np.uint8).reshape(image.height(), image.width(), 4)
    code = cv2.COLOR_BGRA2RGBA if style.transparent else cv2.COLOR_BGRA2RGB
    return np.asarray(cv2.cvtColor(bgra, code), np.uint8)


def picture_image(image: NDArray[np.uint8]) -> QImage:
    """An (h, w, 3) RGB array as the format that Qt draws fastest."""
    height, width = image.shape[:2]
    bgra = cv2.cvtColor(image, cv2.COLOR_RGB2BGRA)
    return QImage(cast("bytes", bgra.data), width, height, 4 * width, QImage.Format.Format_RGB32)


def _paint_layers(painter: QPainter, area: QRectF, layer: Layers, style: DisplayStyle, *, cut: bool) -> None:
    if layer.lower is not None:
        painter.drawImage(area, layer.lower)
    elif not cut:
        painter.fillRect(area, Qt.GlobalColor.black)
    if layer.upper is not None:
        modes = QPainter.CompositionMode
        painter.setCompositionMode(
            modes.CompositionMode_DestinationOut if cut else modes.CompositionMode_SourceOver
        )
        painter.drawImage(area, layer.upper)
        painter.setCompositionMode(modes.CompositionMode_SourceOver)
    across, down = area.width() / layer.size[0], area.height() / layer.size[1]
    to_area = QTransform(across, 0, 0, down, area.left(), area.top())
    if style.mirror:
        to_area = QTransform(-across, 0, 0, down, area.right(), area.top())
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    for bones in layer.skeletons:
        bones.paint(painter, to_area, layer.size)
    paint_people(painter, to_area, QRectF(0, 0, *layer.size), layer.people, style)


def _parts(parsing: Parsing, style: DisplayStyle, opacity: float) -> QImage:
    alpha = visible(parsing.part_set, style).astype(np.float32) * opacity
    table = tints(colours(parsing.part_set, colour_blind=style.colour_blind), alpha)
    painted = table[parsing.labels]
    if style.contours:
        wide = cv2.morphologyEx(parsing.labels, cv2.MORPH_GRADIENT, np.ones((2, 2), np.uint8)) > 0
        painted = np.where(wide & (painted > 0), CONTOUR, painted)
    return _argb(painted)


def _confidence(parsing: Parsing, style: DisplayStyle) -> QImage:
    """Sure is yellow, unsure is violet and hatched, what is nobody's is dimmed."""
    opaque = tints(VIRIDIS, np.full(256, 0.9, np.float32))
    dim = np.uint32(round(DIM * 255) << 24)
    down, across = np.ogrid[: parsing.labels.shape[0], : parsing.labels.shape[1]]
    hatched = ((down + across) % HATCH_PX < HATCH_PX // 3) & (parsing.confidence < UNSURE)
    inside = np.where(hatched, HATCH, opaque[parsing.confidence])
    return _argb(np.where(visible(parsing.part_set, style)[parsing.labels], inside, dim))


def _backdrop(parsing: Parsing, parsed: FrameResult, style: DisplayStyle) -> QImage:
    """The backdrop, opaque where there is nobody: drawn over the picture it leaves the person."""
    behind = style.behind
    shown = visible(parsing.part_set, style) if style.solo or style.hidden else None
    person = parsing.person.astype(np.float32) / 255
    matte: Alpha = np.clip((person - MATTE_LOW) / (MATTE_HIGH - MATTE_LOW), 0, 1).astype(np.float32)
    if shown is not None:
        matte *= shown[parsing.labels]
    if behind.kind is BackdropKind.COLOUR:
        return _argb(tints(np.full((1, 1, 3), behind.colour, np.uint8), 1 - matte))
    image = behind.picture(parsed.frame.image)
    size = (image.shape[1], image.shape[0])
    matte = np.asarray(cv2.resize(matte, size, interpolation=cv2.INTER_LINEAR), np.float32)
    return _argb(tints(image, 1 - matte))


def mask_image(mask: NDArray[np.uint8]) -> QImage:
    """(h, w) with 0 background, 255 person and in between undecided, as an image to lay over its frame."""
    undecided = np.where(mask == SURE, PERSON, np.where(mask > 0, UNDECIDED, 0))
    return _argb(undecided.astype(np.uint32)).copy()


def _argb(values: NDArray[np.uint32]) -> QImage:
    height, width = values.shape
    data = np.ascontiguousarray(values)
    return QImage(
        cast("bytes", data.data), width, height, 4 * width, QImage.Format.Format_ARGB32_Premultiplied
    )


#: Upper image of each view of a parsing; the skeleton is drawn as lines, and the picture alone has none.
VIEWS: Final[dict[ViewMode, Callable[[Parsing, FrameResult, DisplayStyle], QImage]]] = {
    ViewMode.OVERLAY: lambda parsing, _, style: _parts(parsing, style, style.opacity),
    ViewMode.PARTS: lambda parsing, _, style: _parts(parsing, style, 1.0),
    ViewMode.SILHOUETTE: lambda parsing, *_: _argb(parsing.person.astype(np.uint32) * np.uint32(0x01010101)),
    ViewMode.CUT_OUT: _backdrop,
    ViewMode.CONFIDENCE: lambda parsing, _, style: _confidence(parsing, style),
}
