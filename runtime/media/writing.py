"""VideoWriter: pictures with their times in, a video out."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Final

import av
import numpy as np
from av.packet import Packet
from av.video.frame import PictureType
from av.video.reformatter import ColorRange, Colorspace, VideoReformatter
from av.video.stream import VideoStream
from numpy.typing import NDArray

from runtime.media.sound import SoundTrack
from runtime.media.video_file import VideoFile, frames_that_play, new_video
from runtime.system.disk import CannotWriteError, cannot_write

TIME_BASE: Final = Fraction(1, 90_000)  #: seconds; fine enough for every frame rate in use
_LONG_S: Final = 4 * 3600.0  # a longer video gets coarser times, which let its pauses be longer
_LONG_TIME_BASE: Final = Fraction(1, 24_000)
#: FFmpeg's MP4 writer stops the whole process at a step of 2^31 ticks of a track.
_LONGEST_STEP: Final = 3 << 29
#: Index fragments are written as the file grows, and a plain index at the end: it plays after a crash at any
#: moment, and in every player after a normal close. A live picture is in the file when the next one comes.
_CRASH_SAFE: Final = {"movflags": "hybrid_fragmented", "frag_duration": "1000000", "flush_packets": "1"}
_LIVE: Final = {"movflags": "hybrid_fragmented+frag_every_frame", "flush_packets": "1"}
_CRASH_SAFE_WEBM: Final = {"cluster_time_limit": "1000", "flush_packets": "1"}
#: Options of x264 that let every picture out as soon as it is in; the same quality in a fifth more bytes.
_AT_ONCE: Final = {"tune": "zerolatency", "forced-idr": "1", "crf": "23"}
_HUGE_PIXELS: Final = 1 << 24
#: Options of x264 that hold one picture in place of a dozen; of 8192 x 8192 px a dozen are gigabytes.
_FEW_PICTURES: Final = {"tune": "zerolatency", "threads": "1"}
_MUXERS: Final = {".mp4": "mp4", ".mov": "mov", ".webm": "webm"}


class VideoWriter:
    """Writes pictures with their times; what is written plays even if the program is killed.

    The suffix chooses the kind: `.mp4` is H.264, without transparency; `.mov` is ProRes 4444 and `.webm` VP9,
    both with. Pictures of odd size are padded by repeating the last row or column: H.264 needs even ones.

    Attributes:
        notice: words for the user, empty when all is well.

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
        length_s: float = 0.0,
        live: bool = False,
    ) -> None:
        """Open the file.

        Args:
            path: Where to; an existing file is replaced.
            size: (width, height) of every picture, px.
            rate: Usual frames per second; sets the distance of key frames, not the times.
            alpha: Pictures are (h, w, 4) RGBA; needs `.mov` or `.webm`.
            sound: Copied along in step with the pictures; closed with the writer.
            length_s: How long the video is expected to be, seconds.
            live: Pictures come at a rate of their own, and few of them may be lost in a crash: the encoder
                holds none back, and there is a key frame in every second whatever the rate.
        """
        self.path = Path(path)
        self.size = size
        self.frames = 0
        self.notice = ""
        self._alpha = alpha
        self._live = live
        self._time_base = TIME_BASE if length_s < _LONG_S else _LONG_TIME_BASE
        self._step = max(1, round(1 / max(rate, 0.1) / self._time_base))
        self._last = -1
        self._last_key = 0
        self._cut_s = 0.0  # left out of pauses so far
        self._sound = sound
        self._reformatter = VideoReformatter()
        self._padded = (size[0] + size[0] % 2, size[1] + size[1] % 2)
        self._closed = False
        self._broken = False  # after a failure nothing may be encoded or written: FFmpeg crashes
        codec, pixel_format, options = _recipe(self.path.suffix.lower(), rate, alpha=alpha)
        self._pixel_format = pixel_format
        try:
            self._file = VideoFile(self.path, synced=live)
        except OSError as e:
            raise cannot_write(self.path, e) from e
        muxer = _MUXERS[self.path.suffix.lower()]
        kept = _CRASH_SAFE_WEBM if muxer == "webm" else _LIVE if live else _CRASH_SAFE
        self._container = new_video(self._file, muxer, kept)
        if size[0] * size[1] > _HUGE_PIXELS and codec == "libx264":
            options |= _FEW_PICTURES
        self._stream = self._add_stream(codec, rate, options | (_AT_ONCE if live and not alpha else {}))
        if sound is not None:
            sound.attach(self._container)

    def _add_stream(self, codec: str, rate: float, options: dict[str, str]) -> VideoStream:
        stream = self._container.add_stream(
            codec, rate=Fraction(rate).limit_denominator(1001), options=options
        )
        assert isinstance(stream, VideoStream)
        stream.width, stream.height = self._padded
        stream.pix_fmt = self._pixel_format
        stream.time_base = self._time_base
        context = stream.codec_context
        context.time_base = self._time_base
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
        frame.pts = self._last = self._due(pts_s)
        frame.time_base = self._time_base  # a reformatted frame keeps its old one; the muxer then stops
        frame.duration = self._step
        if self._live and (not self.frames or (self._last - self._last_key) * self._time_base >= 1):
            frame.pict_type, self._last_key = PictureType.I, self._last
        self._put(frame, self._last)
        self.frames += 1

    def _due(self, pts_s: float) -> int:
        """The stamp of the next picture: after the last one, and no further from it than a file can say."""
        due = max(self._last + 1, round((max(0.0, pts_s) - self._cut_s) / self._time_base))
        longest = self._sound.shorter(_LONGEST_STEP, self._time_base) if self._sound else _LONGEST_STEP
        over = due - max(0, self._last) - longest
        if over <= 0 or self.path.suffix.lower() == ".webm":
            return due
        cut_s = float(over * self._time_base)
        self._cut_s += cut_s
        if self._sound is not None:
            self._sound.skip(float(max(0, self._last) * self._time_base), cut_s)
        self.notice = f"a pause of hours was shortened in the video, by {self._cut_s / 3600:.1f} hours"
        return due - over

    def _put(self, frame: av.VideoFrame | None, until: int) -> None:
        """Encode and write a frame, or what the encoder still holds, and the sound up to a stamp.

        Raises:
            CannotWriteError: the disk failed; the file is closed.
        """
        try:
            for packet in self._stream.encode(frame):
                self._mux(packet)
            if self._sound is not None:
                self._sound.copy_until(float(until * self._time_base))
        except BaseException:
            self._broken = True
            if self._file.error is None:
                raise
        if self._file.error is not None:
            self._broken = True
            raise self._disk(self._file.error) from self._file.error

    def _mux(self, packet: Packet[VideoStream]) -> None:
        try:
            self._container.mux(packet)
        except Exception as e:  # may be a packet of sound that was waiting; this one waits now
            if self._file.error is not None or self._sound is None or not self._sound.end(e):
                raise

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
            if self.frames and not self._broken:
                self._put(None, self._last + self._step)
        finally:
            self._close_files()

    def _close_files(self) -> None:
        known = self._file.error is not None
        try:
            self._container.close()
        except Exception as e:  # packets of sound that still waited: the index was written all the same
            if not (self._file.error or (self._sound is not None and self._sound.end(e))):
                raise
        finally:
            self._file.close()
            if self._sound is not None:
                self._sound.close()
                self.notice = "; ".join(n for n in (self.notice, self._sound.notice) if n)
        if self._file.error is not None and not known:
            raise self._disk(self._file.error) from self._file.error

    def _disk(self, error: OSError) -> CannotWriteError:
        frames = frames_that_play(self.path)
        saved = f"the first {frames} frames are saved and play" if frames > 1 else ""
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
