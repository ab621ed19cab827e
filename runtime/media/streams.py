"""Streams: live pictures that FFmpeg reads, of a network camera or of the screen."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Final

from av.container import InputContainer
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from runtime.frames import Frame
from runtime.media.opening import DEFAULT_LIMITS, OPEN_S, READ_S, stream_refusal, video_stream
from runtime.media.upright import Upright
from runtime.system.errors import FinalRefusal, Refusal
from runtime.system.latest import Latest

BAD_PACKETS: Final = 200  #: in a row: what comes is no video
LATE_S: Final = 0.25  #: a picture later than this restarts the clock
_AS_THEY_COME: Final = frozenset({"rtsp", "mpjpeg", "mjpeg", "x11grab"})  #: formats of what happens now


class LiveStream:
    """One open stream; connected from the constructor to `close`.

    A thread of its own reads it, because looking up a host, connecting and reading may each block for long.
    Only the newest picture is kept.
    """

    def __init__(
        self,
        name: str,
        opener: Callable[[], InputContainer],
        *,
        open_s: float = OPEN_S,
        read_s: float = READ_S,
    ) -> None:
        """Begin to connect.

        Args:
            name: for people.
            opener: connects; called in the thread.
            open_s: patience until it is open; it may still need `read_s` for its first picture.
            read_s: patience between two pictures.
        """
        self.name = name
        self.rate = 25.0  #: frames per second as the stream says, once it has said so
        self.bad = 0  #: packets that could not be decoded
        self._open_s, self._read_s = open_s, read_s
        self._newest: Latest[Frame] = Latest()
        self._stop = threading.Event()
        self._failure: Refusal | None = None
        self._upright: Upright | None = None
        self._thread = threading.Thread(target=self._run, args=(opener,), name="stream", daemon=True)
        self._thread.start()

    @property
    def notices(self) -> tuple[str, ...]:
        """Sentences for the viewer."""
        return tuple(self._upright.notices) if self._upright is not None else ()

    def frames(self) -> Iterator[Frame]:
        """The newest frame, each at most once, until `close`.

        Raises:
            Refusal: the connection was lost, or nothing came for too long.
            FinalRefusal: it has ended, or it does not let this user in.
        """
        patience_s = self._open_s + self._read_s
        while not self._stop.is_set():
            frame = self._newest.take(patience_s)
            if frame is not None:
                patience_s = self._read_s
                yield frame
            elif not self._stop.is_set():
                raise self._failure or self._silent()

    def _silent(self) -> Refusal:
        return Refusal(self.name, f"it gave nothing for {self._read_s:g} s", "Check that it sends")

    def _run(self, opener: Callable[[], InputContainer]) -> None:
        try:
            with opener() as container:
                self._read(container)
        except Refusal as e:
            self._failure = e
        except Exception as e:  # noqa: BLE001 - whatever FFmpeg raises means that the stream is lost
            self._failure = stream_refusal(self.name, e, self._read_s)
        finally:
            self._newest.close()

    def _read(self, container: InputContainer) -> None:
        stream = video_stream(container, self.name)
        stream.codec_context.options = {"max_pixels": str(DEFAULT_LIMITS.max_pixels)}
        stream.thread_type = "SLICE"  # frame threads hold back as many frames as there are cores
        self.rate = min(120.0, max(1.0, float(stream.average_rate or stream.guessed_rate or self.rate)))
        format_, length = container.format.name, container.size
        paced = format_ not in _AS_THEY_COME and (format_ == "hls" or length > 0)
        began_s, ahead_s = time.monotonic(), 0.0  # a frame's time plus `ahead_s` is when it is due
        for index, raw in enumerate(self._decoded(container, stream)):
            DEFAULT_LIMITS.check(self.name, raw.width, raw.height)
            if self._upright is None:
                aspect = float(stream.sample_aspect_ratio or 1)
                photos = stream.codec_context.name == "mjpeg"
                self._upright = Upright(raw, aspect, photos=photos)
            if paced and raw.time is not None:
                wait_s = raw.time + ahead_s - time.monotonic()
                if index == 0 or not -LATE_S < wait_s < self._read_s:
                    ahead_s, wait_s = time.monotonic() - raw.time, 0.0
                if wait_s > 0 and self._stop.wait(wait_s):
                    return
            image, now_s = self._upright.convert(raw), time.monotonic()
            self._newest.put(Frame(image, index, now_s - began_s, now_s))
        if self._stop.is_set():
            return
        if container.duration or (paced and format_ != "hls"):
            raise FinalRefusal(self.name, "it has ended", "Open it again, or download it to step through it")
        raise Refusal(self.name, "the connection ended", "Check that it still sends")

    def _decoded(self, container: InputContainer, stream: VideoStream) -> Iterator[VideoFrame]:
        """Every picture that can be decoded, until the stream ends or is closed."""
        failures = 0
        for packet in container.demux(stream):
            if self._stop.is_set():
                return
            try:
                frames = _frames(packet, stream)
            except EOFError:
                continue
            except Exception as e:
                self.bad += 1
                failures += 1
                if failures >= BAD_PACKETS:
                    raise Refusal(self.name, "no picture in it can be decoded", "Check the link") from e
                continue
            failures = 0 if frames else failures
            yield from frames

    def close(self, deadline_s: float = 1.0) -> bool:
        """Disconnect; idempotent.

        Returns:
            Whether it was let go in time; if not, the thread ends with its time-out.
        """
        self._stop.set()
        self._newest.close()
        self._thread.join(deadline_s)
        return not self._thread.is_alive()


def _frames(packet: Packet[VideoStream], stream: VideoStream) -> list[VideoFrame]:
    return list(stream.codec_context.decode(packet if packet.size else None))
