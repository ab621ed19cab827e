"""Thumbnails of a clip: small pictures at even distances, found by key frames and not proved exact."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from runtime.media.decoding import Decoder
from runtime.media.upright import Upright

WALK: Final = 30  # frames decoded past a key frame at most: one that is a little early will do


def thumbnails(
    path: Path, length_s: float, count: int, height_px: int
) -> Iterator[tuple[int, NDArray[np.uint8]]]:
    """Place (0 to count - 1) and picture (height, w, 3) RGB, upright, the middle of each stretch of a clip.

    Places of which no picture can be decoded are left out, all of them in a format that cannot seek.

    Raises:
        Refusal: the file is no clip.
    """
    with Decoder(path) as decoder:
        first = next(decoder.frames(), None)
        if first is None:
            return
        stream = decoder.stream
        upright = Upright(
            first, float(stream.sample_aspect_ratio or 1), photos=stream.codec_context.name == "mjpeg"
        )
        for place in range(count):
            aim = (first.pts or 0) + round((place + 0.5) / count * length_s / decoder.time_base)
            try:
                decoder.seek(aim)
            except Exception:  # noqa: BLE001 - see `Decoder`
                return
            frame = None
            for walked, frame in enumerate(decoder.frames()):
                if frame.pts is None or frame.pts >= aim or walked == WALK:
                    break
            if frame is not None:
                image = upright.convert(frame)
                width = max(1, round(image.shape[1] * height_px / image.shape[0]))
                yield place, np.asarray(cv2.resize(image, (width, height_px), interpolation=cv2.INTER_AREA))
