"""Small clips drawn for tests; every frame carries its index as a row of black and white squares."""

from __future__ import annotations

from fractions import Fraction
from io import BytesIO
from pathlib import Path

import av
import numpy as np
from PIL import Image

BITS = 8
SQUARE_PX = 8


def picture(index: int, size: tuple[int, int] = (96, 64)) -> np.ndarray:
    """A textured picture (h, w, 3) with `index` written into its first rows."""
    width, height = size
    rng = np.random.default_rng(7)
    cells = rng.integers(40, 215, (-(-height // 8), -(-width // 8), 3), dtype=np.uint8)
    image = cells.repeat(8, 0).repeat(8, 1)[:height, :width]
    image = np.roll(image, 3 * index, axis=1).copy()
    for bit in range(BITS):
        image[:SQUARE_PX, bit * SQUARE_PX : (bit + 1) * SQUARE_PX] = 255 if index >> bit & 1 else 0
    return image


def index_of(image: np.ndarray) -> int:
    """The index written into a picture."""
    return sum(1 << b for b in range(BITS) if image[2:6, b * SQUARE_PX + 2 : b * SQUARE_PX + 6].mean() > 128)


def draw_clip(
    path: Path,
    frames: int = 24,
    size: tuple[int, int] = (96, 64),
    *,
    codec: str = "libx264",
    pixels: str = "yuv420p",
    times_ms: list[int] | None = None,
    options: dict[str, str] | None = None,
    sound: bool = False,
    click_s: float = -1.0,
    turn: tuple[int, bool] | None = None,
    aspect: Fraction | None = None,
    muxer: dict[str, str] | None = None,
) -> Path:
    """Write a clip of `picture`s at 25 fps, or at the given times; its sound is silence with a click."""
    with av.open(str(path), "w", options=muxer or {}) as file:
        stream = file.add_stream(codec, rate=25, options={"g": "8", **(options or {})})
        stream.width, stream.height = size
        stream.pix_fmt = pixels
        unit = Fraction(1, 1000) if times_ms else Fraction(1, 25)
        stream.codec_context.time_base = unit
        if aspect:
            stream.codec_context.sample_aspect_ratio = aspect
        if turn:
            stream.set_display_rotation(turn[0], hflip=turn[1])
        track = file.add_stream("aac", rate=48_000, layout="mono") if sound else None
        for index in range(frames):
            frame = av.VideoFrame.from_ndarray(picture(index, size), format="rgb24")
            frame.pts = times_ms[index] if times_ms else index
            frame.time_base = unit
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
        if track is not None:
            for n in range(frames * 1920 // 1024 + 1):
                click = (np.arange(n * 1024, (n + 1) * 1024) == round(click_s * 48_000)).astype(np.float32)
                beep = av.AudioFrame.from_ndarray(click[None], format="fltp", layout="mono")
                beep.sample_rate, beep.pts, beep.time_base = 48_000, n * 1024, Fraction(1, 48_000)
                file.mux(track.encode(beep))
            file.mux(track.encode(None))
    return path


def draw_song(path: Path) -> Path:
    """An .m4a with a cover picture and no video."""
    with av.open(str(path), "w", format="mp4") as file:
        track = file.add_stream("aac", rate=48_000, layout="mono")
        cover = file.add_stream("mjpeg", rate=1)
        cover.width, cover.height, cover.pix_fmt = 96, 64, "yuvj420p"
        cover.disposition = av.stream.Disposition.attached_pic
        file.mux(cover.encode(av.VideoFrame.from_ndarray(picture(0), format="rgb24")))
        file.mux(cover.encode(None))
        for n in range(4):
            beep = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
            beep.sample_rate, beep.pts, beep.time_base = 48_000, n * 1024, Fraction(1, 48_000)
            file.mux(track.encode(beep))
        file.mux(track.encode(None))
    return path


def draw_photos(path: Path, orientations: list[int], size: tuple[int, int] = (96, 64)) -> Path:
    """JPEG photos with EXIF put unchanged into a Motion-JPEG clip, as programs for time lapses do."""
    with av.open(str(path), "w") as file:
        stream = file.add_stream("mjpeg", rate=25)
        stream.width, stream.height, stream.pix_fmt = *size, "yuvj444p"
        for index, orientation in enumerate(orientations):
            exif, jpeg = Image.Exif(), BytesIO()
            exif[0x0112] = orientation
            Image.fromarray(picture(index, size)).save(jpeg, "JPEG", quality=95, subsampling=0, exif=exif)
            packet = av.Packet(jpeg.getvalue())
            packet.stream, packet.time_base = stream, Fraction(1, 25)
            packet.pts = packet.dts = index
            packet.is_keyframe = True
            file.mux(packet)
    return path


def draw_with_opus(path: Path, frames: int = 12) -> Path:
    """A WebM of `picture`s with Opus."""
    with av.open(str(path), "w") as file:
        stream = file.add_stream("libvpx", rate=25)
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
        track = file.add_stream("libopus", rate=48_000, layout="mono")
        for index in range(frames):
            file.mux(stream.encode(av.VideoFrame.from_ndarray(picture(index), format="rgb24")))
            file.mux(track.encode(_silence(index * 1920, 1920, "s16")))
        file.mux(stream.encode(None))
        file.mux(track.encode(None))
    return path


def draw_with_pause(path: Path, pause_s: int) -> Path:
    """Ten pictures with sound, a pause of both, ten more: as a motion-triggered recorder makes."""
    with av.open(str(path), "w") as file:
        stream = file.add_stream("libx264", rate=25, options={"bf": "0"})
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
        stream.codec_context.time_base = Fraction(1, 1000)
        track = file.add_stream("aac", rate=48_000, layout="mono")
        for part in range(2):
            for index in range(10):
                frame = av.VideoFrame.from_ndarray(picture(part * 10 + index), format="rgb24")
                frame.pts, frame.time_base = part * pause_s * 1000 + index * 40, Fraction(1, 1000)
                file.mux(stream.encode(frame))
            for n in range(19):
                file.mux(track.encode(_silence((part * pause_s * 48_000) + n * 1024, 1024, "fltp")))
        file.mux(stream.encode(None))
        file.mux(track.encode(None))
    return path


def _silence(at: int, samples: int, kind: str) -> av.AudioFrame:
    data = np.zeros((1, samples), np.float32 if kind == "fltp" else np.int16)
    frame = av.AudioFrame.from_ndarray(data, format=kind, layout="mono")
    frame.sample_rate, frame.pts, frame.time_base = 48_000, at, Fraction(1, 48_000)
    return frame
