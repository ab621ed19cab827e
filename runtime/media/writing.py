"""VideoWriter: the only place of the program that writes a video."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Final

import av
import numpy as np
from av.container import OutputContainer
from av.video.reformatter import ColorRange, Colorspace, VideoReformatter
from av.video.stream import VideoStream
from numpy.typing import NDArray

from runtime.media.sound import SoundTrack
from runtime.system.disk import CannotWriteError, cannot_write

TIME_BASE: Final = Fraction(1, 90_000)  #: seconds; fine enough for every frame rate in use
#: Index fragments are written as the file grows, and a plain index at the end: it plays after a crash at any
#: moment, and in every player after a normal close.
_CRASH_SAFE: Final = {"movflags": "hybrid_fragmented", "frag_duration": "1000000", "flush_packets": "1"}
_MUXERS: Final = {".mp4": "mp4", ".mov": "mov", ".webm": "webm"}


class VideoWriter:
    """Writes pictures with their times; what is written plays even if the program is killed.

    The suffix chooses the kind: `.mp4` is H.264, without transparency; `.mov` is ProRes 4444 and `.webm` VP9,
    both with. Pictures of odd size are padded by repeating the last row or column: H.264 needs even ones.

    Raises:
        CannotWriteError: the file cannot be made, or the disk fills up later; what exists then still plays.
    """

    def __init__(
        self,
        path: str | Path,
        size: tuple[int, int],
        rate: float = 25.0,
        *,
        alpha: bool = False,
        sound: SoundTrack | None = None,
    ) -> None:
        """Open the file.

        Args:
            path: Where to; an existing file is replaced.
            size: (width, height) of every picture, px.
            rate: Usual frames per second; sets the distance of key frames, not the times.
            alpha: Pictures are (h, w, 4) RGBA; needs `.mov` or `.webm`.
            sound: Copied along in step with the pictures; closed with the writer.
        """
        self.path = Path(path)
        self.size = size
        self.frames = 0
        self._alpha = alpha
        self._step = max(1, round(1 / max(rate, 0.1) / TIME_BASE))
        self._last = -1
        self._sound = sound
        self._reformatter = VideoReformatter()
        self._padded = (size[0] + size[0] % 2, size[1] + size[1] % 2)
        self._closed = False
        codec, pixel_format, options = _recipe(self.path.suffix.lower(), rate, alpha=alpha)
        self._pixel_format = pixel_format
        try:
            self.path.write_bytes(b"")  # FFmpeg opens it with the first frame, which is late to hear "no"
            self._container: OutputContainer = av.open(
                f"file:{self.path.absolute()}",
                "w",
                format=_MUXERS[
                    self.path.suffix.lower()
                ],  # "overlay.part.mp4" and names without meaning alike
                options={} if self.path.suffix.lower() == ".webm" else _CRASH_SAFE,
            )
            self._stream = self._add_stream(codec, rate, options)
            if sound is not None:
                sound.attach(self._container)
        except OSError as e:
            raise self._disk(e) from e

    def _add_stream(self, codec: str, rate: float, options: dict[str, str]) -> VideoStream:
        stream = self._container.add_stream(
            codec, rate=Fraction(rate).limit_denominator(1001), options=options
        )
        assert isinstance(stream, VideoStream)
        stream.width, stream.height = self._padded
        stream.pix_fmt = self._pixel_format
        stream.time_base = TIME_BASE
        context = stream.codec_context
        context.time_base = TIME_BASE
        context.gop_size = max(1, round(rate))  # a key frame a second: what a crash can cost
        context.colorspace = context.color_primaries = context.color_trc = Colorspace.ITU709
        context.color_range = ColorRange.MPEG
        return stream

    def write(self, image: NDArray[np.uint8], pts_s: float) -> None:
        """Append a picture.

        Args:
            image: (h, w, 3) RGB, or (h, w, 4) RGBA with `alpha`, of the writer's size.
            pts_s: When it is shown. Times that stand still or run backwards are moved to just after the last.
        """
        height, width = image.shape[:2]
        if (width, height) != self.size or image.shape[2] != 3 + self._alpha:
            raise ValueError(f"{self.path.name}: expected {self.size}, got {image.shape}")
        frame = self._frame(image)
        frame.pts = self._last = max(self._last + 1, round(max(0.0, pts_s) / TIME_BASE))
        frame.time_base = TIME_BASE  # a reformatted frame keeps its old one, and the muxer then stops
        frame.duration = self._step
        try:
            for packet in self._stream.encode(frame):
                self._container.mux(packet)
            if self._sound is not None:
                self._sound.copy_until(float(self._last * TIME_BASE))
        except OSError as e:
            raise self._disk(e) from e
        self.frames += 1

    def _frame(self, image: NDArray[np.uint8]) -> av.VideoFrame:
        extra_w, extra_h = self._padded[0] - self.size[0], self._padded[1] - self.size[1]
        if extra_w or extra_h:
            image = np.pad(image, ((0, extra_h), (0, extra_w), (0, 0)), mode="edge")
        frame = av.VideoFrame.from_ndarray(
            np.ascontiguousarray(image), format="rgba" if self._alpha else "rgb24"
        )
        return self._reformatter.reformat(
            frame,
            format=self._pixel_format,
            dst_colorspace=Colorspace.ITU709,
            dst_color_range=ColorRange.MPEG,
            threads=1,
        )

    def close(self) -> None:
        """Write what the encoder still holds, and the index; idempotent."""
        if self._closed:
            return
        self._closed = True
        try:
            # Nothing was begun without a frame; ending it then crashes FFmpeg 8.1.
            for packet in self._stream.encode(None) if self.frames else ():
                self._container.mux(packet)
            if self._sound is not None and self.frames:
                self._sound.copy_until(float((self._last + self._step) * TIME_BASE))
        except OSError as e:
            raise self._disk(e) from e
        finally:
            self._close_files()

    def _close_files(self) -> None:
        if self._sound is not None:
            self._sound.close()
        try:
            self._container.close()
        except OSError as e:
            raise self._disk(e) from e

    def _disk(self, error: OSError) -> CannotWriteError:
        saved = f"the first {self.frames} frames are saved and play" if self.frames else ""
        return cannot_write(self.path, error, saved)

    def __enter__(self) -> VideoWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _recipe(suffix: str, rate: float, *, alpha: bool) -> tuple[str, str, dict[str, str]]:
    """Codec, pixel format and options by file suffix."""
    if suffix == ".mp4" and not alpha:
        # No B frames: they would delay the first picture, and with it every picture against the sound.
        return "libx264", "yuv420p", {"preset": "veryfast", "crf": "20", "bf": "0"}
    if suffix == ".mov" and alpha:
        return "prores_ks", "yuva444p10le", {"profile": "4444", "vendor": "apl0"}
    if suffix == ".webm" and alpha:
        fast = {"deadline": "realtime", "cpu-used": "6", "auto-alt-ref": "0", "crf": "24", "b": "0"}
        return "libvpx-vp9", "yuva420p", fast
    raise ValueError(f"no way to write {suffix} {'with' if alpha else 'without'} transparency at {rate} fps")
