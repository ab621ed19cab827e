"""The sound of a clip, copied into a video made from it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from av.audio.stream import AudioStream
from av.codec import Codec
from av.container import InputContainer, OutputContainer
from av.packet import Packet

from runtime.media.opening import open_media

#: By container: the codecs it may carry as they are, and the one that others are encoded anew as.
_CODECS: Final = {
    "mp4": (frozenset({"aac", "mp3", "ac3", "eac3", "alac", "opus", "flac"}), "aac"),
    "mov": (frozenset({"aac", "mp3", "ac3", "eac3", "alac"}), "aac"),
    "webm": (frozenset({"opus", "vorbis"}), "libopus"),
}


class SoundTrack:
    """The first sound track of a clip; packets are handed over in step with the pictures.

    Sound is an extra: whatever is wrong with it ends the sound, never the video, and is said in `notice`.

    Attributes:
        notice: words for the user, empty when all is well.
    """

    def __init__(self, clip: str | Path, start_s: float) -> None:
        """`start_s` is the clip's own time that became 0 in the pictures' times."""
        self.notice = ""
        self._input: InputContainer | None = open_media(clip)
        self._start_s = start_s
        self._source = next(iter(self._input.streams.audio), None)
        self._output: OutputContainer | None = None
        self._target: AudioStream | None = None
        self._encode = False
        self._packets: Iterator[Packet[AudioStream]] = iter(())
        self._waiting: Packet[AudioStream] | None = None
        self._last_dts: int | None = None

    @property
    def present(self) -> bool:
        """True when the clip has sound."""
        return self._source is not None

    def attach(self, output: OutputContainer) -> None:
        """Add the track to a file that is about to be written."""
        if self._source is None or self._input is None:
            return
        codec = self._source.codec_context
        try:
            copied, encoder = _CODECS[output.format.name]
            self._encode = codec.name not in copied
            if self._encode:
                rates = Codec(encoder, "w").audio_rates or [codec.sample_rate]
                rate = min(rates, key=lambda r: abs(r - codec.sample_rate))
                track = output.add_stream(encoder, rate=rate)
                assert isinstance(track, AudioStream)
                self._target = track
                self._target.layout = "stereo" if codec.channels > 1 else "mono"
            else:
                self._target = output.add_stream_from_template(self._source)
        except Exception as e:  # noqa: BLE001 - see the class
            self._drop(e)
            return
        self._output = output
        self._packets = self._input.demux(self._source)

    def copy_until(self, time_s: float) -> None:
        """Hand over what sounds before `time_s` of the pictures."""
        while self._target is not None:
            try:
                packet = self._waiting or next(self._packets, None)
                self._waiting = None
                if packet is None:
                    self._finish()
                elif self._seconds(packet) >= time_s:
                    self._waiting = packet
                    return
                else:
                    self._mux(packet)
            except OSError:
                raise  # the disk, not the sound
            except Exception as e:  # noqa: BLE001 - see the class
                self._drop(e)

    def _seconds(self, packet: Packet[AudioStream]) -> float:
        if packet.pts is None:
            return -1.0
        return float(packet.pts * packet.time_base) - self._start_s

    def _mux(self, packet: Packet[AudioStream]) -> None:
        assert self._output is not None
        assert self._target is not None
        if packet.dts is None:
            return
        if self._encode:
            for frame in packet.decode():
                if frame.pts is not None and frame.time_base:
                    frame.pts -= round(self._start_s / frame.time_base)
                self._put(self._target.encode(frame))
            return
        shift = round(self._start_s / packet.time_base)
        packet.pts = None if packet.pts is None else packet.pts - shift
        packet.dts = packet.dts - shift
        if self._last_dts is not None and packet.dts <= self._last_dts:
            return  # a repeated or backward stamp would stop the muxer
        self._last_dts = packet.dts
        packet.stream = self._target
        self._put([packet])

    def _put(self, packets: Iterable[Packet[AudioStream]]) -> None:
        """Write what begins at 0 or later: for an earlier packet the muxer would delay the pictures."""
        assert self._output is not None
        for packet in packets:
            if min(packet.pts or 0, packet.dts or 0) >= 0:
                self._output.mux(packet)

    def _finish(self) -> None:
        if self._encode and self._target is not None and self._output is not None:
            self._put(self._target.encode(None))
        self._target = None

    def _drop(self, error: Exception) -> None:
        self._target = None
        self.notice = f"the sound was left out ({type(error).__name__})"

    def close(self) -> None:
        """Free the reader; idempotent."""
        if self._input is not None:
            self._input.close()
            self._input = None
            self._target = None
