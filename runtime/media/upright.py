"""A decoded frame as it is meant to be seen: right colours, right shape, right way up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, cast

import av
import cv2
import numpy as np
from av.sidedata.sidedata import SideDataContainer
from av.sidedata.sidedata import Type as SideDataType
from av.video.reformatter import ColorTrc, VideoReformatter
from numpy.typing import NDArray

_UNSPECIFIED: Final = 2  # AVCOL_SPC_UNSPECIFIED
_BT709: Final = 1
_BT601: Final = 5
_HD_HEIGHT: Final = 720  # players take untagged pictures of this height for BT.709
_HDR: Final = (ColorTrc.SMPTE2084, ColorTrc.ARIB_STD_B67)


def _unnamed(kind: type[SideDataType], number: int) -> SideDataType:
    """A kind of side data that FFmpeg has and PyAV 18.1 has no name for, as EXIF: no reason to read none."""
    member: Any = object.__new__(kind)
    member._name_, member._value_ = f"UNNAMED_{number}", number
    return cast("SideDataType", member)


setattr(SideDataType, "_missing_", classmethod(_unnamed))  # noqa: B010 - mypy: a method is no attribute


@dataclass(frozen=True)
class Orientation:
    """One of the eight ways a camera can be held, as a transposition followed by flips."""

    transpose: bool = False
    flip_x: bool = False
    flip_y: bool = False

    @classmethod
    def of(cls, frame: av.VideoFrame) -> Orientation:
        """From the display matrix that travels with a frame; upright when there is none."""
        try:  # not `frame.side_data`: it and its frame would hold each other until Python looks for cycles
            side = cast("Any", SideDataContainer)(frame)[SideDataType.DISPLAYMATRIX]
        except KeyError:
            return cls()
        matrix = np.frombuffer(bytes(side), dtype=np.int32)
        return cls.from_matrix(matrix) if matrix.size == 9 else cls()

    @classmethod
    def from_matrix(cls, matrix: NDArray[np.int32]) -> Orientation:
        """From FFmpeg's numbers a b u c d v x y w: x' = a·x + c·y, y' = b·x + d·y; nearest quarter turn."""
        a, b, _, c, d = (int(v) for v in matrix[:5])
        if abs(a) + abs(d) >= abs(b) + abs(c):
            return cls(transpose=False, flip_x=a < 0, flip_y=d < 0)
        return cls(transpose=True, flip_x=c < 0, flip_y=b < 0)

    def apply(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Turn a picture (h, w, 3) upright; the same array when nothing is to be done."""
        out = cv2.transpose(image) if self.transpose else image
        if self.flip_x or self.flip_y:
            out = cv2.flip(out, -1 if self.flip_x and self.flip_y else int(self.flip_x))
        return np.asarray(out, dtype=np.uint8)

    def size(self, width: int, height: int) -> tuple[int, int]:
        """(width, height) after `apply`."""
        return (height, width) if self.transpose else (width, height)


class Upright:
    """Converts the frames of one stream; keeps the scaler between frames.

    Attributes:
        size: (width, height) of every picture it returns, set by the first frame.
        notices: what a viewer should know about the stream, in words.
    """

    def __init__(self, first: av.VideoFrame, pixel_aspect: float, *, photos: bool = False) -> None:
        """`pixel_aspect` is the width of a pixel over its height; of `photos` each has an orientation."""
        self._reformatter = VideoReformatter()
        self._photos = photos
        self._orientation = Orientation.of(first)
        aspect = pixel_aspect if 1 / 16 <= pixel_aspect <= 16 else 1.0
        self._coded = (first.width, first.height)
        self._scaled = (max(1, round(first.width * aspect)), first.height)
        self.size = self._orientation.size(*self._scaled)
        self.notices = _notices(first)
        self._sizes_differ = False

    def convert(self, frame: av.VideoFrame) -> NDArray[np.uint8]:
        """The picture (h, w, 3) RGB of exactly `size`."""
        coded = (frame.width, frame.height)
        width, height = self._scaled if coded == self._coded else coded
        rgb = self._reformatter.reformat(
            frame, width=width, height=height, format="rgb24", src_colorspace=_colours(frame), threads=1
        ).to_ndarray()
        orientation = Orientation.of(frame) if self._photos else self._orientation
        image = orientation.apply(np.asarray(rgb, dtype=np.uint8))
        if (image.shape[1], image.shape[0]) != self.size:
            image = self._fit(image)
        return image

    def _fit(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Letterbox a frame whose size changed mid-stream: every output of a clip has one size."""
        if not self._sizes_differ:
            self._sizes_differ = True
            self.notices.append(
                "the picture size changes within the clip: later frames are fitted to the first"
            )
        width, height = self.size
        scale = min(width / image.shape[1], height / image.shape[0])
        w, h = max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale))
        out = np.zeros((height, width, 3), dtype=np.uint8)
        y, x = (height - h) // 2, (width - w) // 2
        out[y : y + h, x : x + w] = cv2.resize(image, (w, h), interpolation=cv2.INTER_AREA)
        return out


def _colours(frame: av.VideoFrame) -> int:
    if frame.colorspace != _UNSPECIFIED:
        return int(frame.colorspace)
    return _BT709 if frame.height >= _HD_HEIGHT else _BT601


def _notices(frame: av.VideoFrame) -> list[str]:
    notices = []
    if frame.color_trc in _HDR:
        notices.append("HDR video: shown without tone mapping, so it looks pale")
    if frame.interlaced_frame:
        notices.append("interlaced video: shown without deinterlacing")
    if any(c.is_alpha for c in frame.format.components):
        notices.append("the clip's own transparency is ignored")
    return notices
