"""Some of the rendered sample clip, small: a person for the real network, at a hundredth of the time."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from runtime.media.clips import Clip
from runtime.media.writing import VideoWriter
from runtime.system import paths

SIZE = (160, 90)
FIRST = 40


def person_frames(count: int = 16, size: tuple[int, int] = SIZE, first: int = FIRST) -> list[np.ndarray]:
    """Frames (h, w, 3) RGB in which a person walks about."""
    frames = []
    with Clip(paths.sample_clip()) as clip:
        for frame in clip.frames(first):
            if len(frames) == count:
                break
            frames.append(np.ascontiguousarray(cv2.resize(frame.image, size, interpolation=cv2.INTER_AREA)))
    return frames


def write_clip(path: Path, frames: Sequence[np.ndarray], rate: int = 25) -> Path:
    """The frames as a clip."""
    height, width = frames[0].shape[:2]
    writer = VideoWriter(path, (width, height), rate)
    for index, frame in enumerate(frames):
        writer.write(frame, index / rate)
    writer.close()
    return path
