"""Raw frames of one clip, past every damaged packet."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Final, cast

import av
from av.packet import Packet
from av.video.stream import VideoStream

from runtime.media.opening import DEFAULT_LIMITS, Limits, open_media, video_stream
from runtime.system.errors import Refusal, printable

_GIVE_UP_AFTER: Final = 200  # failures in a row without one good packet: the rest of the file is noise


class Decoder:
    """Frames in the order they are shown, from the start or from a key frame.

    FFmpeg is the outer world: whatever it raises means one bad packet, never the end of the program.

    A packet or frame that is met twice because of seeking is counted once.
    """

    def __init__(self, path: str | Path, limits: Limits = DEFAULT_LIMITS) -> None:
        self._path = Path(path)
        self._limits = limits
        self._bad: set[int] = set()
        self._damaged: set[int] = set()
        self._open()

    def _open(self) -> None:
        self._container = open_media(self._path, self._limits)
        self.stream = video_stream(self._container, printable(self._path.name))
        self.stream.thread_type = "SLICE"  # frame threads hold back as many frames as there are cores
        self.stream.codec_context.options = {"max_pixels": str(self._limits.max_pixels)}

    @property
    def bad(self) -> int:
        """Packets that could not be decoded."""
        return len(self._bad)

    @property
    def damaged(self) -> int:
        """Frames the decoder mended by guessing."""
        return len(self._damaged)

    @property
    def time_base(self) -> Fraction:
        """Seconds per unit of a frame's pts."""
        return self.stream.time_base or Fraction(1, 1000)

    @property
    def format(self) -> str:
        """FFmpeg's name of the container format."""
        return self._container.format.name

    @property
    def container_start_s(self) -> float | None:
        """Start of the file's own clock, seconds; None when the file does not state it."""
        start = cast("int | None", self._container.start_time)  # PyAV's types forget the None
        return None if start is None else start / av.time_base

    @property
    def container_duration_s(self) -> float:
        """Length the container claims, seconds; 0 when it does not."""
        return (self._container.duration or 0) / av.time_base

    def rewind(self) -> None:
        """Start again at the first frame, exactly as at first; counters start again too."""
        self.close()
        self._bad.clear()
        self._damaged.clear()
        self._open()

    def seek(self, pts: int) -> None:
        """Go to the key frame at or before `pts`, in units of `time_base`; not exact in every format."""
        self._container.seek(pts, stream=self.stream, backward=True)

    def frames(self) -> Iterator[av.VideoFrame]:
        """Every frame that can be decoded from here on.

        Raises:
            Refusal: when the disk or device fails, which is not the file's fault.
        """
        for packet in self._packets():
            try:
                decoded = self.stream.codec_context.decode(packet)
            except EOFError:
                continue
            except Exception:  # noqa: BLE001 - see the class
                self._bad.add(-1 if packet is None else packet.pos or packet.pts or 0)
                continue
            for frame in decoded:
                self._limits.check(printable(self._path.name), frame.width, frame.height)
                if frame.is_corrupt:
                    self._damaged.add(frame.pts or 0)
                yield frame

    def stamps(self) -> Iterator[int | None]:
        """The presentation time of every packet that shows something, in file order, without decoding."""
        for packet in self._packets():
            if packet is not None and not packet.is_discard and packet.size > 0:
                yield packet.pts

    def whole_packets(self) -> int:
        """Number of packets up to the first that lacks bytes; without decoding."""
        count = 0
        for packet in self._packets():
            if packet is None or packet.is_corrupt:
                break
            count += packet.size > 0 and not packet.is_discard
        return count

    def _packets(self) -> Iterator[Packet[VideoStream] | None]:
        """Packets of the stream, then None, which asks the decoder for what it still holds."""
        failures = 0
        while failures < _GIVE_UP_AFTER:
            try:
                for packet in self._container.demux(self.stream):
                    if packet.dts is None and packet.size == 0:
                        break  # PyAV's own end mark
                    failures = 0
                    yield packet
                break
            except EOFError:
                break
            except OSError as e:
                if e.errno in (errno.EIO, errno.ENODEV, errno.ESTALE, errno.ENXIO):
                    name = printable(self._path.name)
                    raise Refusal(name, f"the disk stopped answering ({e.strerror})", "Check the disk") from e
                failures += 1
            except Exception:  # noqa: BLE001 - see the class
                failures += 1
        yield None

    def close(self) -> None:
        """Free the decoder and its threads; PyAV leaks both otherwise. Idempotent."""
        self._container.close()

    def __enter__(self) -> Decoder:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
