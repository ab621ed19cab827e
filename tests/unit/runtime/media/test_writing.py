"""Videos we write: in step with the sound, of any size, playable after a crash or on a full disk."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from runtime.media.clips import Clip
from runtime.media.sound import SoundTrack
from runtime.media.writing import VideoWriter
from runtime.system.errors import Refusal
from tests.drawn_media import draw_clip, draw_with_opus, draw_with_pause, index_of, picture


def test_what_is_written_is_what_is_read(tmp_path: Path) -> None:
    times = np.cumsum(np.random.default_rng(2).uniform(0.005, 0.08, 30))
    with VideoWriter(tmp_path / "out.mp4", (96, 64)) as writer:
        for index, at in enumerate(times):
            writer.write(picture(index), at)
    with Clip(tmp_path / "out.mp4") as clip:
        frames = list(clip.frames())
        assert clip.complete
    assert [index_of(f.image) for f in frames] == list(range(30))
    assert np.diff([f.pts_s for f in frames]) == pytest.approx(np.diff(times), abs=2e-5)
    assert np.abs(frames[9].image.astype(int) - picture(9)).mean() < 12


@pytest.mark.parametrize("size", [(1, 1), (2, 2), (321, 241), (1, 400), (400, 1)])
def test_a16_odd_sizes_are_padded_to_even(tmp_path: Path, size: tuple[int, int]) -> None:
    with VideoWriter(tmp_path / "out.mp4", size) as writer:
        for index in range(3):
            writer.write(picture(index, size), index / 25)
    with Clip(tmp_path / "out.mp4") as clip:
        assert clip.size == (size[0] + size[0] % 2, size[1] + size[1] % 2)
        assert len(list(clip.frames())) == 3


def test_a14_times_that_stand_still_or_run_backwards(tmp_path: Path) -> None:
    with VideoWriter(tmp_path / "out.mp4", (96, 64)) as writer:
        for index, at in enumerate((0.0, 0.0, -5.0, 0.04, 0.02, 0.08)):
            writer.write(picture(index), at)
    with Clip(tmp_path / "out.mp4") as clip:
        times = [f.pts_s for f in clip.frames()]
    assert len(times) == 6
    assert times == sorted(times)


def test_c11_a_frame_that_keeps_a_foreign_clock_gets_the_clock_of_the_file(tmp_path: Path) -> None:
    class Foreign(VideoWriter):
        def _frame(self, image: NDArray[np.uint8]) -> av.VideoFrame:
            frame = super()._frame(image)
            frame.pts, frame.time_base = 10**9, Fraction(1, 1000)
            return frame

    with Foreign(tmp_path / "out.mp4", (96, 64)) as writer:
        for index in range(5):
            writer.write(picture(index), index / 25)
    with Clip(tmp_path / "out.mp4") as clip:
        assert [f.pts_s for f in clip.frames()] == pytest.approx([n / 25 for n in range(5)], abs=2e-5)


def test_a_picture_of_another_size_is_an_error_not_a_dropped_frame(tmp_path: Path) -> None:
    with VideoWriter(tmp_path / "out.mp4", (96, 64)) as writer, pytest.raises(ValueError):
        writer.write(picture(0, (64, 64)), 0.0)


@pytest.mark.parametrize("name", ["clip.mp4", "clip.mkv"])
def test_sound_is_kept_and_in_step(tmp_path: Path, name: str) -> None:
    source = draw_clip(tmp_path / name, 50, sound=True)
    with Clip(source) as clip:
        with VideoWriter(
            tmp_path / "out.mp4", clip.size, clip.rate, sound=SoundTrack(source, clip.start_s)
        ) as writer:
            for frame in clip.frames():
                writer.write(frame.image, frame.pts_s)
        length = clip.duration_s
    with av.open(str(tmp_path / "out.mp4")) as out:
        video, sound = out.streams.video[0], out.streams.audio[0]
        firsts = [
            float(next(p for p in out.demux(s) if p.pts is not None).pts * s.time_base) for s in (sound,)
        ]
        assert firsts[0] == pytest.approx(0, abs=0.03)
        assert float(video.duration * video.time_base) == pytest.approx(2.0, abs=0.041)
        assert float(sound.duration * sound.time_base) == pytest.approx(min(length, 2.0), abs=0.06)
        assert video.start_time == 0


def times_and_click(path: Path) -> tuple[list[float], float]:
    """When pictures are shown from the first on, and when the loudest sound is, from there, seconds."""
    with av.open(str(path)) as file:
        shown = sorted(float(f.pts * f.time_base) for f in file.decode(video=0))
    with av.open(str(path)) as file:
        heard = list(file.decode(audio=0))
    loudest = max(heard, key=lambda f: np.abs(f.to_ndarray()).max())
    at = np.abs(loudest.to_ndarray()).max(axis=0).argmax() / loudest.sample_rate
    return [t - shown[0] for t in shown], float(loudest.pts * loudest.time_base) + float(at) - shown[0]


@pytest.mark.parametrize("name", ["clip.mp4", "clip.mkv"])
def test_sound_that_begins_before_the_pictures_does_not_delay_them(tmp_path: Path, name: str) -> None:
    source = draw_clip(tmp_path / name, 50, sound=True, click_s=1.2)
    with av.open(str(source)) as file:
        first = next(p for p in file.demux(audio=0) if p.pts is not None)
        with Clip(source) as clip:
            assert float(first.pts * first.time_base) < clip.start_s  # what the encoder of AAC puts in front
    with Clip(source) as clip:
        sound = SoundTrack(source, clip.start_s)
        with VideoWriter(tmp_path / "out.mp4", clip.size, clip.rate, sound=sound) as writer:
            for frame in clip.frames():
                writer.write(frame.image, frame.pts_s)
    was, is_now = times_and_click(source), times_and_click(tmp_path / "out.mp4")
    assert was[1] == pytest.approx(1.2, abs=0.002)
    assert is_now[0] == pytest.approx(was[0], abs=0.001)
    assert is_now[1] == pytest.approx(was[1], abs=0.001)


@pytest.mark.parametrize(
    ("name", "codec", "rate"),
    [
        ("clip.avi", "adpcm_ms", 44_100),
        *(("clip.mov", "pcm_s16le", r) for r in (192_000, 176_400, 100_000, 11_024, 6_000, 5_512)),
    ],
)
def test_sound_mp4_cannot_carry_is_encoded_anew(tmp_path: Path, name: str, codec: str, rate: int) -> None:
    source = tmp_path / name
    with av.open(str(source), "w") as file:
        stream = file.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
        track = file.add_stream(codec, rate=rate, layout="mono")
        samples = 0
        for index in range(25):
            frame = av.VideoFrame.from_ndarray(picture(index), format="rgb24")
            file.mux(stream.encode(frame))
            count = (index + 1) * rate // 25 - samples
            beep = av.AudioFrame.from_ndarray(np.zeros((1, count), np.int16), format="s16", layout="mono")
            beep.sample_rate, beep.pts = rate, samples
            samples += count
            file.mux(track.encode(beep))
        file.mux(stream.encode(None))
        file.mux(track.encode(None))
    sound = SoundTrack(source, 0.0)
    with VideoWriter(tmp_path / "out.mp4", (96, 64), sound=sound) as writer:
        for index in range(25):
            writer.write(picture(index), index / 25)
    assert sound.notice == ""
    with av.open(str(tmp_path / "out.mp4")) as out:
        assert out.streams.audio[0].codec_context.name == "aac"
        track = out.streams.audio[0]
        assert float(track.duration * track.time_base) == pytest.approx(1.0, abs=0.15)


@pytest.mark.parametrize("suffix", [".mp4", ".webm"])
def test_sound_the_muxer_refuses_ends_the_sound_never_the_video(tmp_path: Path, suffix: str) -> None:
    """Opus without its head, which FFmpeg misses when the file is finished: too late for the pictures."""
    source = draw_with_opus(tmp_path / "clip.webm")
    data = source.read_bytes()
    head = data.index(b"OpusHead")
    source.write_bytes(data[: head - 2] + bytes([data[head - 2] ^ 1]) + data[head - 1 :])
    alpha = suffix == ".webm"
    with Clip(source) as clip:
        writer = VideoWriter(
            tmp_path / f"out{suffix}", clip.size, sound=SoundTrack(source, clip.start_s), alpha=alpha
        )
        for frame in clip.frames():
            image = np.dstack([frame.image, frame.image[..., :1]]) if alpha else frame.image
            writer.write(image, frame.pts_s)
        writer.close()
    assert ("the sound was left out" in writer.notice) == (suffix == ".mp4")
    with Clip(writer.path) as clip:
        assert len(list(clip.frames())) == 12
        assert clip.complete


PAUSES = """
import json, sys
import av
from pathlib import Path
from runtime.media.clips import Clip
from runtime.media.sound import SoundTrack
from runtime.media.writing import VideoWriter
source, target = Path(sys.argv[1]), Path(sys.argv[2])
for with_sound in (False, True):
    with Clip(source) as clip:
        sound = SoundTrack(source, clip.start_s) if with_sound else None
        writer = VideoWriter(target, clip.size, clip.rate, sound=sound, length_s=clip.duration_s)
        for frame in clip.frames():
            writer.write(frame.image, frame.pts_s)
        writer.close()
    with av.open(str(target)) as out:
        stamps = [float(p.pts * p.time_base) for p in out.demux(video=0) if p.pts is not None]
    with av.open(str(target)) as out:
        packets = out.demux(audio=0) if sound else ()
        heard = [float(p.pts * p.time_base) for p in packets if p.pts is not None] or [0]
    print(json.dumps([stamps[10], heard[-1], writer.notice]), flush=True)
"""


@pytest.mark.parametrize("name", ["pause.mkv", "pause.ts"])
@pytest.mark.parametrize("hours", [7, 23])
def test_a_pause_of_hours_keeps_its_length_or_is_said(tmp_path: Path, name: str, hours: int) -> None:
    """FFmpeg's MP4 writer ends the process at 2^31 ticks: 6 h 38 min of the usual ones, 12 h of sound."""
    source = draw_with_pause(tmp_path / name, hours * 3600)
    done = subprocess.run(
        [sys.executable, "-c", PAUSES, str(source), str(tmp_path / "out.mp4")],
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    silent, sounding = (json.loads(line) for line in done.stdout.splitlines())
    kept = {7: (7, 7), 23: (18.64, 9.32)}[hours]  # hours: without sound, with it
    for (resumed_s, heard_s, notice), length in zip((silent, sounding), kept, strict=True):
        assert resumed_s == pytest.approx(0.36 + length * 3600, rel=1e-3)
        assert ("shortened" in notice) == (length != hours)
        assert heard_s in (0, pytest.approx(resumed_s + 0.4, abs=1))


@pytest.mark.parametrize(("name", "decoder"), [("cut.mov", "prores"), ("cut.webm", "libvpx-vp9")])
def test_transparency_survives(tmp_path: Path, name: str, decoder: str) -> None:
    rgba = np.full((64, 96, 4), 200, np.uint8)
    rgba[..., 3] = 255
    rgba[:, :48, 3] = 0
    with VideoWriter(tmp_path / name, (96, 64), alpha=True) as writer:
        for index in range(3):
            writer.write(rgba, index / 25)
    with av.open(str(tmp_path / name)) as file:
        context = av.CodecContext.create(decoder, "r")
        context.extradata = file.streams.video[0].codec_context.extradata
        if decoder == "prores":
            context = file.streams.video[0].codec_context
        frames = [f for p in file.demux(file.streams.video[0]) for f in context.decode(p if p.size else None)]
    assert len(frames) == 3
    alpha = frames[0].to_ndarray(format="rgba")[..., 3]
    assert alpha[:, :40].max() <= 8
    assert alpha[:, 56:].min() >= 247


FILL = """
import resource, signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (120_000, 120_000))
import numpy as np
from runtime.system.errors import Refusal
from runtime.media.writing import VideoWriter
rng = np.random.default_rng(0)
try:
    with VideoWriter(sys.argv[1], (160, 96), 25) as writer:
        for i in range(2000):
            writer.write(rng.integers(0, 255, (96, 160, 3), dtype=np.uint8), i / 25)
except Refusal as e:
    print(e)
    sys.exit(7)
"""


@pytest.mark.slow
def test_c03_a_full_disk_is_said_and_what_exists_plays(tmp_path: Path) -> None:
    out = tmp_path / "out.mp4"
    done = subprocess.run([sys.executable, "-c", FILL, str(out)], check=False, capture_output=True, text=True)
    assert done.returncode == 7, done.stderr
    assert "out.mp4" in done.stdout
    assert "saved and play" in done.stdout
    with Clip(out) as clip:
        assert len(list(clip.frames())) >= 5


ENDLESS = """
import sys
from runtime.media.writing import VideoWriter
from tests.drawn_media import picture
writer = VideoWriter(sys.argv[1], (96, 64), 25)
for i in range(100000):
    writer.write(picture(i % 256), i / 25)
    print(i, flush=True)
"""


@pytest.mark.slow
@pytest.mark.parametrize("after", [60, 131])
def test_c01_a_killed_recording_plays_and_loses_two_seconds_at_most(tmp_path: Path, after: int) -> None:
    out = tmp_path / "out.mp4"
    with subprocess.Popen(
        [sys.executable, "-c", ENDLESS, str(out)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if int(line) >= after:
                os.kill(process.pid, signal.SIGKILL)
                break
        last = [int(n) for n in process.stdout.read().split() if n.isdigit()]
    written = (last or [after])[-1] + 1
    with Clip(out) as clip:
        frames = list(clip.frames())
    assert [index_of(f.image) for f in frames] == [i % 256 for i in range(len(frames))]
    assert frames[0].pts_s == 0
    assert written - len(frames) <= 50


def test_a_folder_that_is_gone_is_said(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match=r"out\.mp4"):
        VideoWriter(tmp_path / "absent" / "out.mp4", (96, 64))


def test_a_video_without_a_frame_harms_nobody(tmp_path: Path) -> None:
    for name in ("out.mp4", "cut.mov", "cut.webm"):
        VideoWriter(tmp_path / name, (96, 64), alpha=not name.endswith("mp4")).close()


def test_closing_twice_is_no_error(tmp_path: Path) -> None:
    writer = VideoWriter(tmp_path / "out.mp4", (96, 64))
    writer.write(picture(0), 0.0)
    writer.close()
    writer.close()
