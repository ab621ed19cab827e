"""A take as files: an H.264 clip, and beside it labels and joints of every frame."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.video.reformatter import ColorRange, Colorspace
from av.video.stream import VideoStream
from numpy.typing import NDArray

from runtime.output.growing_file import unfinished
from runtime.system.errors import Refusal
from runtime.system.files import move_in
from synthetic.arrays import keep_arrays
from synthetic.bodies import FloatArray
from synthetic.footage.motion import RATE
from synthetic.footage.takes import SIZE, LabelledFrame, Production, Take

QUALITY = "23"  # x264's constant rate factor


@dataclass(frozen=True)
class Footage:
    """A rendered take.

    Attributes:
        clip: the file.
        labels: (frames, height, width) S31 ids, 0 background.
        joints: (frames, 17, 3) COCO joints: column, row, and 0 outside, 1 hidden, 2 seen.
    """

    clip: Path
    labels: NDArray[np.uint8]
    joints: FloatArray


def render_take(take: Take, folder: Path, size: tuple[int, int] = SIZE) -> Footage:
    """Draw a take at (width, height), or read it when the folder holds it already.

    Raises:
        Refusal: the folder holds another take of that name.
    """
    clip, truth = folder / f"{take.name}.mp4", folder / f"{take.name}.npz"
    if not (clip.exists() and truth.exists()):
        production = Production(take, size)
        drawn: list[LabelledFrame] = []

        def pictures() -> Iterator[NDArray[np.uint8]]:
            for number in range(production.frames):
                drawn.append(production.frame(number))
                yield drawn[-1].image

        encode(pictures(), clip, size)
        arrays = {
            "labels": np.stack([f.labels for f in drawn]),
            "joints": np.stack([f.joints for f in drawn]),
        }
        keep_arrays(truth, {**arrays, "take": np.asarray(take.digest)})
    with np.load(truth) as stored:
        if str(stored.get("take", take.digest)) != take.digest:  # an earlier version kept none
            raise Refusal(
                str(clip), "the take was described otherwise when it was drawn", "Give another folder"
            )
        return Footage(clip, stored["labels"], stored["joints"])


def encode(pictures: Iterator[NDArray[np.uint8]], out: Path, size: tuple[int, int]) -> None:
    """Write an H.264 clip that every player reads, with its index in front; whole or absent."""
    out.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(unfinished(out)), "w", format="mp4", options={"movflags": "faststart"}) as container:
        stream = container.add_stream("libx264", rate=RATE)
        assert isinstance(stream, VideoStream)
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        stream.options = {"crf": QUALITY, "preset": "slow", "tune": "film"}
        stream.codec_context.gop_size = 2 * RATE
        context = stream.codec_context  # without these marks a player guesses the colours
        context.colorspace = context.color_primaries = context.color_trc = Colorspace.ITU709
        context.color_range = ColorRange.MPEG
        hd = {"dst_colorspace": Colorspace.ITU709, "dst_color_range": ColorRange.MPEG}
        for number, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format="yuv420p", **hd)
            frame.pts, frame.time_base = number, Fraction(1, RATE)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    move_in(unfinished(out), out)
