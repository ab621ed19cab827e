"""`python -m synthetic.clip [--out FILE] [--size WxH] [--labels DIR]`: render the sample clip."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from av.video.reformatter import ColorRange, Colorspace
from av.video.stream import VideoStream
from numpy.typing import NDArray

from synthetic.clip.motion import DURATION_S, RATE
from synthetic.clip.stage import Stage

CLIP = Path(__file__).resolve().parents[2] / "assets" / "clips" / "sample.mp4"
QUALITY = "23"  # x264's constant rate factor


def frames(stage: Stage, labels: Path | None) -> Iterator[NDArray[np.uint8]]:
    """Every picture in turn; their labels go to a folder of PNG files where one is given."""
    count = round(DURATION_S * RATE)
    for number in range(count):
        image, parts = stage.frame(number)
        if labels is not None:
            cv2.imwrite(str(labels / f"{number:06d}.png"), parts)
        print(f"\r{number + 1}/{count}", end="", file=sys.stderr, flush=True)
        yield image


def encode(pictures: Iterator[NDArray[np.uint8]], out: Path, size: tuple[int, int]) -> None:
    """Write an H.264 clip that every player reads, with its index in front."""
    out.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(out), "w", format="mp4", options={"movflags": "faststart"}) as container:
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


def main(arguments: list[str] | None = None) -> int:
    """Render.

    Returns:
        Exit code 0.
    """
    parser = argparse.ArgumentParser(prog="python -m synthetic.clip", description="Render the sample clip.")
    parser.add_argument("--out", type=Path, default=CLIP)
    parser.add_argument("--size", default="1280x720", help="width and height, even")
    parser.add_argument("--samples", type=int, default=32, help="rays per pixel of the room")
    parser.add_argument("--labels", type=Path, help="also write the S31 labels of every frame here")
    given = parser.parse_args(arguments)
    width, height = (int(v) for v in given.size.split("x"))
    if given.labels is not None:
        given.labels.mkdir(parents=True, exist_ok=True)
    encode(frames(Stage((width, height), given.samples), given.labels), given.out, (width, height))
    print(f"\n{given.out}: {given.out.stat().st_size / 1e6:.2f} MB", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
