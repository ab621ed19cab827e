"""Clip: the frames of a video file, upright and in order, with exact seeking."""

from __future__ import annotations

import time
from bisect import bisect_left
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Final

import av

from runtime.frames import Frame
from runtime.media.clock import Clock
from runtime.media.decoding import Decoder
from runtime.media.file_types import ends_early
from runtime.media.opening import DEFAULT_LIMITS, Limits
from runtime.media.upright import Upright
from runtime.system.errors import Refusal, printable

_DEFAULT_RATE: Final = 25.0
_UNSIZED: Final = ("mpegts", "mpeg")  # they do not say how long they are; a torn last frame tells
_COUNTED_BYTES: Final = 32 << 20  # the packets of a file this small are counted when it has no count
_LONGEST_S: Final = 1e9  # a tag that says more lies
_BACK_OFF_FRAMES: Final = (0, 60, 300)  # how much earlier to try when a key frame turns out to lie too late


class Clip:
    """A video file.

    Frame indices count decoded frames from 0; a seek to an index gives the very frame that playing from the
    start would give. Times come from the file (variable frame rates stay as they are) and always rise.
    One thread at a time may use a clip.

    Raises:
        Refusal: on opening, when the file is no clip or holds no picture.
    """

    def __init__(self, path: str | Path, limits: Limits = DEFAULT_LIMITS) -> None:
        self.path = Path(path)
        self.name = printable(self.path.name)
        self._decoder = Decoder(path, limits)
        try:
            first = self._first_frame()
            stream = self._decoder.stream
            aspect, codec = float(stream.sample_aspect_ratio or 1), stream.codec_context.name
            self._upright = Upright(first, aspect, photos=codec == "mjpeg")
            limits.check(self.name, *self._upright.size)
            self.rate = float(stream.average_rate or stream.guessed_rate or _DEFAULT_RATE)
            self.start_s = self._first_time(first)
            self._clock = Clock(1 / self.rate)
            self._cut = ends_early(self.path)
            self.codec = codec
            self._decoder.rewind()
        except BaseException:
            self._decoder.close()
            raise
        self._raw = self._decoder.frames()
        self._next = 0  # index of the frame that `_raw` gives next
        self._sought = 0
        self._iteration = 0  # a newer call of `seek` or `frames` ends the older iteration
        self._table: list[int] | None = None  # raw pts by index; only once scanned
        self._table_failed = False
        self._bytes = self.path.stat().st_size
        self._counted: int | None = None
        self._played_s = self._longest_step_s = 0.0
        self._ended_at: int | None = None
        self._last_damaged = False
        self._ranked = self._rank_times()

    def _first_frame(self) -> av.VideoFrame:
        first = next(self._decoder.frames(), None)
        if first is None:
            raise Refusal(self.name, "no picture in it can be decoded", "Copy or record it again")
        return first

    def _rank_times(self) -> list[int] | None:
        """Times by index for an AVI with frames stored out of order: it has no presentation times of its own.

        What FFmpeg makes up for them may run backwards; put in order, they are right.
        """
        if not (self._decoder.format == "avi" and self._decoder.stream.codec_context.has_b_frames):
            return None
        self._table_failed = True
        return _scan(self.path)

    def _first_time(self, first: av.VideoFrame) -> float:
        """The file's own zero, so that pictures stay in step with its sound; never after a picture."""
        own = float(first.pts * self._decoder.time_base) if first.pts is not None else 0.0
        start = self._decoder.container_start_s
        return own if start is None else min(own, start)

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) as displayed: rotation and pixel shape applied."""
        return self._upright.size

    @property
    def frames_expected(self) -> int:
        """Number of frames to expect: exact once the clip was played or scanned, else as the file claims."""
        if self._ended_at is not None:
            return self._ended_at
        if self._table is not None:
            return len(self._table)
        return max(1, min(self._frames_claimed, self._bytes))

    @property
    def _frames_claimed(self) -> int:
        """As many as the container counts, or as there are; in a large file without a count, by its rate."""
        counted = self._decoder.stream.frames
        if counted > 0 and self._decoder.format.startswith("mov"):
            return counted
        if self._counted is None and self._bytes <= _COUNTED_BYTES:
            with Decoder(self.path) as decoder:
                self._counted = decoder.whole_packets()
        return self._counted or max(counted, round(self._claimed_s * self.rate))

    @property
    def _claimed_s(self) -> float:
        stream = self._decoder.stream
        if stream.duration and stream.time_base:
            return float(stream.duration * stream.time_base)
        tag = stream.metadata.get("DURATION", "")  # Matroska writes hh:mm:ss.fffffffff, from 0 on
        try:
            hours, minutes, seconds = tag.split(":")
            length_s = int(hours) * 3600 + int(minutes) * 60 + float(seconds)
        except ValueError:
            length_s = 0.0
        if not 0 < length_s < _LONGEST_S:
            length_s = self._decoder.container_duration_s
        start_s = self._decoder.container_start_s or 0.0
        absolute = self._decoder.format.startswith(("matroska", "flv")) and 0 < start_s < length_s
        return length_s - start_s if absolute else length_s

    @property
    def duration_s(self) -> float:
        """Length, seconds, as the file claims it; never negative."""
        claimed = self._claimed_s
        return claimed if claimed > 0 else self.frames_expected / self.rate

    @property
    def complete(self) -> bool:
        """True while no frame was missing in what was played so far."""
        return not (self._decoder.bad or self._early)

    @property
    def _early(self) -> bool:
        """True when the file breaks off: by its structure, or long before the time it claims to end."""
        if self._ended_at is None:
            return False
        claimed_s, cut = self._claimed_s, self._last_damaged and self._decoder.format in _UNSIZED
        return (
            self._cut or cut or claimed_s - self._played_s > max(1.0, 0.1 * claimed_s, self._longest_step_s)
        )

    @property
    def notices(self) -> list[str]:
        """Sentences for the viewer; more of them may come while the clip plays."""
        notices = list(self._upright.notices)
        bad, damaged = self._decoder.bad, self._decoder.damaged
        if self._early:
            notices.append(self._early_text())
        elif bad:
            notices.append(f"{bad} damaged frame{'s' * (bad > 1)} skipped")
        if damaged:
            notices.append(f"{damaged} damaged frame{'s' * (damaged > 1)} shown as far as decoded")
        return notices

    def _early_text(self) -> str:
        played, claimed = self._ended_at or 0, self._decoder.stream.frames
        if claimed <= 0 and self._played_s > 0:
            claimed = round(played * self._claimed_s / self._played_s)
        of = f"{played} of ~{claimed} frames" if claimed > played else f"{played} frames could be read"
        return f"file ends early: {of}"

    def seek(self, index: int) -> None:
        """Make `index` the frame that `frames` starts at when it is called without a start.

        Raises:
            IndexError: when `index` is negative. Past the end is no error: then there is no frame.
        """
        if index < 0:
            raise IndexError(f"{self.name}: there is no frame {index}")
        self._sought = index
        self._iteration += 1

    def frames(
        self, start: int | None = None, *, jump: bool = True, on_decoded: Callable[[], None] | None = None
    ) -> Iterator[Frame]:
        """Frames from `start` to the end.

        Args:
            start: Index of the first frame; without it, where `seek` pointed since the last call, else 0.
            jump: Go there by key frame. Without it everything before is decoded, which is slower, and right
                even for a file with damaged frames before `start`.
            on_decoded: Called for every frame, also for those before `start`.
        """
        if start is not None:
            self.seek(start)
        first, self._sought = self._sought, 0
        self._iteration += 1
        mine = self._iteration
        self._go_to(first, jump=jump)
        last_s = None
        for raw in self._raw:
            index, pts_s = self._next, self._clock.tick(self._time(raw))
            shown_s = float((raw.duration or 0) * self._decoder.time_base)
            self._played_s = max(self._played_s, pts_s + (shown_s or 1 / self.rate))
            self._longest_step_s = max(self._longest_step_s, 0.0 if last_s is None else pts_s - last_s)
            last_s = pts_s
            self._last_damaged = raw.is_corrupt
            self._next += 1
            if on_decoded is not None:
                on_decoded()
            if index >= first:
                yield Frame(self._upright.convert(raw), index, pts_s, time.monotonic())
            if self._iteration != mine:
                return
        self._ended_at = self._next

    def _time(self, raw: av.VideoFrame) -> float | None:
        pts = raw.pts
        if self._ranked is not None:
            pts = self._ranked[self._next] if self._next < len(self._ranked) else None
        return None if pts is None else float(pts * self._decoder.time_base) - self.start_s

    def _go_to(self, index: int, *, jump: bool) -> None:
        """Bring the decoder to `index` or shortly before it."""
        if index == self._next:
            return
        near = self._next < index <= self._next + self.rate
        if jump and not near and index > 1 and self._jump(index):
            return
        if index < self._next:
            self._rewind()

    def _rewind(self) -> None:
        self._decoder.rewind()
        self._raw = self._decoder.frames()
        self._clock.restart(None)
        self._next = 0

    def _jump(self, index: int) -> bool:
        """Seek by key frame, then prove by time stamps that the decoder stands where it should."""
        table = self._scanned()
        if table is None or index >= len(table):
            return False
        for back in _BACK_OFF_FRAMES:
            aim = max(0, index - back)
            if self._land(table, aim, index):
                return True
            if aim == 0:
                break
        self._rewind()
        return False

    def _land(self, table: list[int], aim: int, index: int) -> bool:
        try:
            self._decoder.seek(table[aim])
        except Exception:  # noqa: BLE001 - a format that cannot seek; playing from the start still can
            return False
        self._raw = self._decoder.frames()
        first = next(self._raw, None)
        if first is None or not first.key_frame or first.pts is None or first.pts > table[index]:
            return False
        at = _position(table, first.pts)
        if at is None:
            return False
        return self._walk(table, at, index, first)

    def _walk(self, table: list[int], at: int, index: int, first: av.VideoFrame) -> bool:
        """Decode from the key frame to just before `index`; every frame must be the one the table names."""
        held = first
        while at < index:
            following = next(self._raw, None)
            if following is None or following.pts != table[at + 1]:
                return False
            held, at = following, at + 1
        raw = self._raw
        self._raw = _chain(held, raw)
        self._next = index
        previous = table[index - 1] * self._decoder.time_base
        self._clock.restart(float(previous) - self.start_s)
        return True

    def _scanned(self) -> list[int] | None:
        """Presentation times by index, from one pass over the packets; None when they cannot be trusted."""
        if self._table is None and not self._table_failed:
            self._table = _scan(self.path)
            self._table_failed = self._table is None
        return self._table

    def close(self) -> None:
        """Free the decoder; idempotent."""
        self._decoder.close()

    def __enter__(self) -> Clip:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _chain(first: av.VideoFrame, rest: Iterator[av.VideoFrame]) -> Iterator[av.VideoFrame]:
    yield first
    yield from rest


def _position(table: list[int], pts: int) -> int | None:
    at = bisect_left(table, pts)
    return at if at < len(table) and table[at] == pts else None


def _scan(path: Path) -> list[int] | None:
    """Sorted presentation times of all packets; None when one has none, or two have the same."""
    with Decoder(path) as decoder:
        stamps = list(decoder.stamps())
    times = sorted(t for t in stamps if t is not None)
    if len(times) < len(stamps):
        return None
    strictly = all(a < b for a, b in pairwise(times))
    return times if strictly and times else None
