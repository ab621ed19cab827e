"""Layers: a composition as two images that Qt draws one over the other; for screen, snapshot and recording.

The lower image is the picture; the upper one has the resolution of the parsing and is scaled by QPainter
as it is drawn (0.7 ms at 720p where blending in numpy takes 10-14).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray
from PyQt6.QtCore import QPointF, QRectF, Qt
from PyQt6.QtGui import QImage, QPainter, QPen, QTransform

from app.ui.instances import paint_people, paint_skeleton
from models.labels import PartSet
from runtime.frames import FrameResult
from runtime.output.backdrop import GREEN_SCREEN
from runtime.output.composition import Colours, composition
from runtime.output.instances import Instance
from runtime.output.skeleton import DrawnSkeleton
from runtime.output.style import DisplayStyle

SURE, PERSON, UNDECIDED = 255, 0x6E21614D, 0x5A563A0D  # of a mask; ARGB, premultiplied


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
    made, picture = composition(parsed.frame.image, parsed.result, style), picture_image(parsed.frame.image)
    upper = _argb(made.upper) if made.upper is not None else None
    lower = picture if made.picture else None
    return Layers(parsed.frame.size, picture, lower, upper, made.skeletons, made.people, made.in_parts)


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
        paint_skeleton(bones, painter, to_area, layer.size)
    paint_people(painter, to_area, QRectF(0, 0, *layer.size), layer.people, style)


def mask_image(mask: NDArray[np.uint8]) -> QImage:
    """(h, w) with 0 background, 255 person and in between undecided, as an image to lay over its frame."""
    undecided = np.where(mask == SURE, PERSON, np.where(mask > 0, UNDECIDED, 0))
    return _argb(undecided.astype(np.uint32)).copy()


def _argb(values: Colours) -> QImage:
    height, width = values.shape
    data = np.ascontiguousarray(values)
    return QImage(
        cast("bytes", data.data), width, height, 4 * width, QImage.Format.Format_ARGB32_Premultiplied
    )
