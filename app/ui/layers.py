"""Layers: a result under a style, as two images that Qt draws one over the other; for screen and file alike.

The lower image is the picture; the upper one has the resolution of the parsing and is scaled by QPainter
as it is drawn (0.7 ms at 720p where blending in numpy takes 10-14).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final, cast

import cv2
import numpy as np
from numpy.typing import NDArray
from PyQt6.QtCore import QPointF, QRectF, Qt
from PyQt6.QtGui import QColor, QImage, QPainter, QPen

from app.ui.palettes import colours, tints
from app.ui.skeleton import DrawnSkeleton, posed
from app.ui.style import BackdropKind, DisplayStyle, ViewMode, visible
from models.centroids import pose_of_parts
from models.results import Parsing
from runtime.frames import FrameResult

DIM = 0.55  # how dark the room gets where only the person matters
MATTE_LOW, MATTE_HIGH = 0.3, 0.7  # P(person) from transparent to solid: the edge of a cut-out
BACKDROP_WIDTH = 640  # px; a picture behind a cut-out needs no more
CHECK = 16  # px of a transparency check
WARM, COOL, MIDDLE = QColor(255, 170, 64), QColor(84, 176, 255), QColor(240, 240, 240)

Alpha = NDArray[np.float32]  # 0..1

#: (256, 3) RGB by confidence. A column of values: OpenCV 5 takes a flat array for a row.
_VIRIDIS = np.asarray(
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
    before: Layers | None = None  #: left of the split line, instead of the picture


def layers(parsed: FrameResult, style: DisplayStyle) -> Layers:
    """Prepare a frame and its result for painting."""
    made = _layers(parsed, style)
    if style.split and parsed.before is not None:
        made = replace(made, before=_layers(replace(parsed, result=parsed.before), style))
    return _mirrored(made) if style.mirror else made


def _layers(parsed: FrameResult, style: DisplayStyle) -> Layers:
    picture = picture_image(parsed.frame.image)
    size = parsed.frame.size
    parsing = parsed.parsing
    if style.bare or style.view is ViewMode.PICTURE:
        return Layers(size, picture, picture, None)
    people = parsed.result.people if parsed.result is not None else ()
    poses = tuple(posed(p.pose) for p in people if p.pose is not None)
    if parsing is None:  # joints are all there is to see
        return Layers(size, picture, None if style.view.hides_picture else picture, None, poses)
    bones = (poses or (posed(pose_of_parts(parsing)),)) if style.view is ViewMode.SKELETON else ()
    lower = None if style.view in {ViewMode.PARTS, ViewMode.SILHOUETTE} else picture
    painter = VIEWS.get(style.view)
    return Layers(size, picture, lower, painter(parsing, parsed, style) if painter else None, bones)


def paint(painter: QPainter, area: QRectF, layer: Layers, style: DisplayStyle) -> None:
    """Draw into `area`; left of a split line the untouched picture, or what another engine made of it."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
    if not style.split:
        _paint_layers(painter, area, layer)
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
            _paint_layers(painter, area, layer.before)
        painter.restore()
        painter.setClipRect(after)
        _paint_layers(painter, area, layer)
    painter.restore()


def _mirrored(layer: Layers) -> Layers:
    """Left and right changed, exactly: a mirrored QPainter would be off by a pixel."""

    def flip(image: QImage | None) -> QImage | None:
        return image.mirrored(horizontal=True, vertical=False) if image is not None else None

    bones = tuple(_turned(s, layer.size[0]) for s in layer.skeletons)
    picture = layer.picture.mirrored(horizontal=True, vertical=False)
    lower = None if layer.lower is None else picture
    before = _mirrored(layer.before) if layer.before is not None else None
    return Layers(layer.size, picture, lower, flip(layer.upper), bones, before)


def _turned(bones: DrawnSkeleton, width: int) -> DrawnSkeleton:
    return replace(bones, joints={name: (width - 1 - x, y) for name, (x, y) in bones.joints.items()})


def rendered(parsed: FrameResult, style: DisplayStyle) -> NDArray[np.uint8]:
    """(h, w, 3) RGB at the picture's size: what is seen, for a snapshot or a recording. Any thread."""
    width, height = parsed.frame.size
    image = QImage(width, height, QImage.Format.Format_RGB32)
    painter = QPainter(image)
    area = QRectF(0, 0, width, height)
    paint(painter, area, layers(parsed, style), style)
    if style.split:
        x = width * style.split_at
        painter.setPen(QPen(Qt.GlobalColor.white, max(1.0, width / 640)))
        painter.drawLine(QPointF(x, 0), QPointF(x, height))
    painter.end()
    bits = image.constBits()
    assert bits is not None
    bits.setsize(image.sizeInBytes())
    bgra = np.frombuffer(cast("bytes", bits), np.uint8).reshape(height, width, 4)
    return np.asarray(cv2.cvtColor(bgra, cv2.COLOR_BGRA2RGB), np.uint8)


def picture_image(image: NDArray[np.uint8]) -> QImage:
    """An (h, w, 3) RGB array as the format that Qt draws fastest."""
    height, width = image.shape[:2]
    bgra = cv2.cvtColor(image, cv2.COLOR_RGB2BGRA)
    return QImage(cast("bytes", bgra.data), width, height, 4 * width, QImage.Format.Format_RGB32)


def _paint_layers(painter: QPainter, area: QRectF, layer: Layers) -> None:
    if layer.lower is None:
        painter.fillRect(area, Qt.GlobalColor.black)
    else:
        painter.drawImage(area, layer.lower)
    if layer.upper is not None:
        painter.drawImage(area, layer.upper)
    for bones in layer.skeletons:
        _paint_skeleton(painter, area, layer.size, bones)


def _paint_skeleton(painter: QPainter, area: QRectF, size: tuple[int, int], bones: DrawnSkeleton) -> None:
    scale = area.width() / size[0]
    width = max(2.0, area.height() / 180)
    colour = {"r": WARM, "l": COOL, "": MIDDLE}
    at = {
        name: QPointF(area.left() + x * scale, area.top() + y * area.height() / size[1])
        for name, (x, y) in bones.joints.items()
    }
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    for shade, pen in ((True, width * 1.9), (False, width)):  # a dark rim keeps bones visible on any picture
        for a, b in bones.bones:
            ink = QColor(0, 0, 0, 150) if shade else colour[bones.bone_side(a, b)]
            painter.setPen(QPen(ink, pen, cap=Qt.PenCapStyle.RoundCap))
            painter.drawLine(at[a], at[b])
    painter.setPen(QPen(QColor(0, 0, 0, 150), width * 0.5))
    for name, point in at.items():
        painter.setBrush(colour[bones.side(name)])
        painter.drawEllipse(point, width * 1.05, width * 1.05)


def _parts(parsing: Parsing, style: DisplayStyle, opacity: float) -> QImage:
    alpha = visible(parsing.part_set, style).astype(np.float32) * opacity
    table = tints(colours(parsing.part_set, colour_blind=style.colour_blind), alpha)
    return _argb(table[parsing.labels])


def _confidence(parsing: Parsing, style: DisplayStyle) -> QImage:
    """Sure is yellow, unsure is violet, what is nobody's is dimmed."""
    opaque = tints(_VIRIDIS, np.full(256, 0.9, np.float32))
    dim = np.uint32(round(DIM * 255) << 24)
    return _argb(np.where(visible(parsing.part_set, style)[parsing.labels], opaque[parsing.confidence], dim))


def _backdrop(parsing: Parsing, parsed: FrameResult, style: DisplayStyle) -> QImage:
    """The backdrop, opaque where there is nobody: drawn over the picture it leaves the person."""
    behind = style.behind
    shown = visible(parsing.part_set, style) if style.solo or style.hidden else None
    person = parsing.person.astype(np.float32) / 255
    matte: Alpha = np.clip((person - MATTE_LOW) / (MATTE_HIGH - MATTE_LOW), 0, 1).astype(np.float32)
    if shown is not None:
        matte *= shown[parsing.labels]
    if behind.kind is BackdropKind.COLOUR:
        return _argb(_premultiplied(np.full((1, 1, 3), behind.colour, np.uint8), 1 - matte))
    width, height = _backdrop_size(parsed.frame.size)
    matte = np.asarray(cv2.resize(matte, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)
    if behind.kind is BackdropKind.BLUR:
        small = cv2.resize(parsed.frame.image, (width // 4, height // 4), interpolation=cv2.INTER_AREA)
        image = np.asarray(cv2.resize(cv2.GaussianBlur(small, (0, 0), 6), (width, height)), np.uint8)
    elif behind.kind is BackdropKind.IMAGE and behind.image is not None:
        image = cover(behind.image, (width, height))
    else:
        image = _checks(width, height)
    return _argb(_premultiplied(image, 1 - matte))


def _backdrop_size(size: tuple[int, int]) -> tuple[int, int]:
    scale = min(1.0, BACKDROP_WIDTH / size[0])
    return max(8, round(size[0] * scale)), max(8, round(size[1] * scale))


def _checks(width: int, height: int) -> NDArray[np.uint8]:
    y, x = np.mgrid[:height, :width] // CHECK
    grey: NDArray[np.uint8] = np.where((x + y) % 2, 102, 153).astype(np.uint8)
    return np.repeat(grey[:, :, None], 3, axis=2)


def cover(image: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """`image` scaled to fill (width, height), its overhang cut evenly."""
    width, height = size
    scale = max(width / image.shape[1], height / image.shape[0])
    scaled = cv2.resize(
        image,
        (max(width, round(image.shape[1] * scale)), max(height, round(image.shape[0] * scale))),
        interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR,
    )
    y, x = (scaled.shape[0] - height) // 2, (scaled.shape[1] - width) // 2
    return np.asarray(scaled[y : y + height, x : x + width], np.uint8)


def _premultiplied(rgb: NDArray[np.uint8], alpha: Alpha) -> NDArray[np.uint32]:
    opaque = np.rint(alpha * 255).astype(np.uint32)
    channels = np.rint(rgb.astype(np.float32) * alpha[:, :, None]).astype(np.uint32)
    out: NDArray[np.uint32] = opaque << 24 | channels[..., 0] << 16 | channels[..., 1] << 8 | channels[..., 2]
    return out


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
