"""The overlay: parts, people and joints painted over the picture.

Everything that can be done on the small map is done there; full size sees one resize and one blend.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from models.labels import PartSet
from models.results import Parsing, Result
from runtime.output.growing_file import Paint
from runtime.output.instances import draw_instances, draw_pose, instances
from runtime.output.palettes import seen_palette
from runtime.system.errors import Refusal

DEFAULT_OPACITY = 0.6
_JPEG_QUALITY = 92
_BONE_RGB = (255, 235, 60)


def overlay(
    image: NDArray[np.uint8], parsing: Parsing, opacity: float = DEFAULT_OPACITY
) -> NDArray[np.uint8]:
    """The picture with its parts in colour; the background stays as it is.

    Args:
        image: (h, w, 3) RGB of the parsing's displayed size; not changed.
        parsing: Of that picture.
        opacity: 0 the picture alone, 1 the colours alone.
    """
    out = image.copy()
    left, top, across, down = cv2.boundingRect(parsing.labels)
    if opacity <= 0 or across == 0:
        return out
    (width, height), (rows, columns) = parsing.size, parsing.labels.shape
    labels = parsing.labels[top : top + down, left : left + across]
    x, y = _edges(left, across, width / columns), _edges(top, down, height / rows)
    size = (x.stop - x.start, y.stop - y.start)
    colours = cv2.resize(_coloured(labels, parsing.part_set), size, interpolation=cv2.INTER_LINEAR)
    mask = cv2.resize(labels, size, interpolation=cv2.INTER_NEAREST_EXACT)
    blended = cv2.addWeighted(out[y, x], 1 - opacity, colours, opacity, 0)
    cv2.copyTo(blended, mask, out[y, x])
    return out


def painted(image: NDArray[np.uint8], result: Result) -> NDArray[np.uint8]:
    """The picture (h, w, 3) with everything that was found in it: parts, people, joints and bones."""
    out = image.copy() if result.parsing is None else overlay(image, result.parsing)
    if result.parsing is None and any(p.mask is not None for p in result.people):
        draw_instances(out, result.people)
        return out
    width = max(1, round(max(out.shape[:2]) / 250))
    for person in (i.person for i in instances(result.people)):
        if person.pose is not None:
            draw_pose(out, person.pose, _BONE_RGB, width, least=0.0)
    return out


def overlay_jpeg(image: NDArray[np.uint8], result: Result, paint: Paint = painted) -> bytes:
    """A painted picture as a JPEG.

    Raises:
        Refusal: the picture is too large for one.
    """
    options = [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY]
    ok, data = cv2.imencode(".jpg", cv2.cvtColor(paint(image, result), cv2.COLOR_RGB2BGR), options)
    if not ok:
        size = f"{image.shape[1]} x {image.shape[0]}"
        raise Refusal("overlay", f"a picture of {size} is no JPEG", "Leave it out")
    return data.tobytes()


def _edges(first: int, count: int, scale: float) -> slice:
    """The pixels of the picture under `count` cells from `first` on; at least one."""
    start, stop = round(first * scale), round((first + count) * scale)
    return slice(start, stop) if stop > start else slice(max(0, stop - 1), max(1, stop))


def _coloured(labels: NDArray[np.uint8], part_set: PartSet) -> NDArray[np.uint8]:
    """Colours (h, w, 3) whose background cells took a neighbour's colour: edges do not fade to black."""
    filled = cv2.dilate(labels, np.ones((3, 3), np.uint8))
    cv2.copyTo(labels, labels, filled)
    # A look-up by OpenCV's colour map is ten times as fast as by a numpy index.
    return np.asarray(cv2.applyColorMap(filled, seen_palette(part_set)[:, None, :]), dtype=np.uint8)
