"""The sound of a clip, copied into a video made from it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Final, cast

from av.audio.stream import AudioStream
from av.codec import Codec
from av.container import InputContainer, OutputContainer
from av.packet import Packet

from runtime.media.opening import open_media
from runtime.media.video_file import new_video

#: By container: the codecs it may carry as they are, and the one that others are encoded anew as.
_CODECS: Final = {
    "mp4": (frozenset({"aac", "mp3", "ac3", "eac3", "alac", "opus", "flac"}), "aac"),
    "mov": (frozenset({"aac", "mp3", "ac3", "eac3", "alac"}), "aac"),
    "webm": (frozenset({"opus", "vorbis"}), "libopus"),
}
#: Every packet is checked and written at once, as the real muxer does a second later.
_TRIAL: Final = {"movflags": "hybrid_fragmented+frag_every_frame"}
#: FFmpeg's MP4 writer stops the whole process at a step of 2^31 ticks of a track.
_LONGEST_STEP: Final = 7 << 28


class SoundTrack:
    """The first sound track of a clip; packets are handed over in step with the pictures.

    Sound is an extra: whatever is wrong with it ends the sound, never the video, and is said in `notice`.
    What the muxer refuses, it would refuse when pictures are written, or with the index: so every packet is
    written to a trial first, a file without pictures whose bytes go nowhere.

    Attributes:
        notice: words for the user, empty when all is well.
    """

    def __init__(self, clip: str | Path, start_s: float) -> None:
        """`start_s` is the clip's own time that became 0 in the pictures' times."""
        self.notice = ""
        self._path = clip
        self._input: InputContainer | None = open_media(clip)
        self._start_s = start_s
        self._skip = (math.inf, 0.0)  # from when on, and how long, seconds of the pictures
        self._source = next(iter(self._input.streams.audio), None)
        self._target: AudioStream | None = None
        self._trial: AudioStream | None = None
        self._encoder = ""
        self._packets: Iterator[Packet[AudioStream]] = iter(())
        self._waiting: Packet[AudioStream] | None = None
        self._last_dts: int | None = None

    def attach(self, output: OutputContainer) -> None:
        """Add the track to a file that is about to be written."""
        if self._source is None or self._input is None:
            return
        try:
            copied, encoder = _CODECS[output.format.name]
            self._encoder = "" if self._source.codec_context.name in copied else encoder
            self._try_first_packets(self._source, output.format.name)
            self._trial = self._new_trial(self._source, output.format.name)
            template = self._trial if self._encoder else self._source
            self._target = output.add_stream_from_template(template)
            self._packets = self._input.demux(self._source)
        except Exception as e:  # noqa: BLE001 - see the class
            self.notice = f"the sound was left out: it cannot be copied ({_words(e)})"

    def _new_trial(self, source: AudioStream, kind: str) -> AudioStream:
        if not source.sample_rate:
            raise ValueError("no sample rate")
        file = new_video(None, kind, {} if kind == "webm" else _TRIAL)
        if not self._encoder:
            return file.add_stream_from_template(source)
        codec = source.codec_context
        rates = Codec(self._encoder, "w").audio_rates or [codec.sample_rate]
        rate = min(rates, key=lambda r: abs(r - codec.sample_rate))
        layout = "stereo" if codec.channels > 1 else "mono"
        track = cast("AudioStream", file.add_stream(self._encoder, rate=rate, layout=layout))
        file.start_encoding()
        return track

    def _try_first_packets(self, source: AudioStream, kind: str) -> None:
        """Write the head of a file like the one to come, which the muxer makes from the first packets."""
        if self._encoder:
            return
        track = self._new_trial(source, kind)
        with open_media(self._path) as clip:
            for second, packet in enumerate(islice(clip.demux(clip.streams.audio[0]), 3)):
                if packet.dts is not None:
                    packet.pts = packet.dts = round(second / packet.time_base)
                    _mux(packet, track)
        cast("OutputContainer", track.container).close()

    def shorter(self, ticks: int, time_base: Fraction) -> int:
        """So many ticks of a time base, or fewer when the sound's own clock cannot span them."""
        if self._target is None:
            return ticks
        return min(ticks, int(ticks / self._target.sample_rate / time_base))

    def skip(self, time_s: float, length_s: float) -> None:
        """Leave out some time of the pictures, from a second after `time_s` on; they pause there."""
        self._skip = (time_s + 1, length_s)

    def copy_until(self, time_s: float) -> None:
        """Hand over what sounds before `time_s` of the pictures."""
        while self._target is not None:
            try:
                packet = self._waiting or next(self._packets, None)
                self._waiting = None
                if packet is None:
                    self._finish()
                elif (at_s := self._seconds(packet)) >= time_s:
                    self._waiting = packet
                    return
                elif at_s < self._skip[0]:
                    self._write(packet)
            except Exception as e:  # noqa: BLE001 - see the class
                self.end(e)

    def _seconds(self, packet: Packet[AudioStream]) -> float:
        if packet.pts is None:
            return -1.0
        at_s = float(packet.pts * packet.time_base) - self._start_s
        if at_s >= sum(self._skip):
            self._start_s += self._skip[1]
            at_s -= self._skip[1]
            self._skip = (math.inf, 0.0)
        return at_s

    def _write(self, packet: Packet[AudioStream]) -> None:
        if packet.dts is None:
            return
        if self._encoder and self._trial is not None:
            for frame in packet.decode():
                if frame.pts is not None and frame.time_base:
                    frame.pts -= round(self._start_s / frame.time_base)
                self._put(self._trial.encode(frame))
            return
        shift = round(self._start_s / packet.time_base)
        packet.pts = None if packet.pts is None else packet.pts - shift
        packet.dts = packet.dts - shift
        self._put([packet])

    def _put(self, packets: Iterable[Packet[AudioStream]]) -> None:
        """Write what begins at 0 or later: for an earlier packet the muxer would delay the pictures."""
        for packet in packets:
            dts, last = packet.dts, self._last_dts
            if dts is None or min(packet.pts or 0, dts) < 0 or (last is not None and dts <= last):
                continue  # a repeated or backward stamp would stop the muxer
            step_s = 0.0 if last is None else float((dts - last) * packet.time_base)
            if (
                self._target is None
                or self._trial is None
                or step_s * self._target.sample_rate > _LONGEST_STEP
            ):
                raise ValueError(f"a pause of {step_s / 3600:.1f} hours")
            self._last_dts = dts
            _mux(packet, self._trial)
            _mux(packet, self._target)

    def _finish(self) -> None:
        if self._encoder and self._trial is not None:
            self._put(self._trial.encode(None))
        self._target = None

    def end(self, error: Exception) -> bool:
        """Leave the rest out because of an error; False when it cannot be the sound's."""
        self._target = None
        if self._source is None or self.notice:
            return False
        self.notice = f"the sound was left out after an error in it ({_words(error)})"
        return True

    def close(self) -> None:
        """Free the reader; idempotent."""
        if self._input is not None:
            self._input.close()
        self._input = self._target = self._trial = None


def _mux(packet: Packet[AudioStream], track: AudioStream) -> None:
    packet.stream = track
    cast("OutputContainer", track.container).mux(packet)


def _words(error: Exception) -> str:
    """An error's own words, without number and path; its name where it has none."""
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
