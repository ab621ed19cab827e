"""Rows A03, A04, A11 to A16: a clip as it is meant to be seen, whatever happened to its file."""

from __future__ import annotations

import contextlib
import gc
import os
import random
import struct
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from av.video.frame import VideoFrame

from runtime.media import clips as module
from runtime.media.clips import Clip
from runtime.system.errors import Refusal
from tests.drawn_media import draw_clip, draw_photos, index_of, picture

KINDS = {
    "mp4": ("clip.mp4", {}),
    "mkv, open groups": ("clip.mkv", {"options": {"x264-params": "open-gop=1:bframes=3"}}),
    "ts": ("clip.ts", {}),
    "avi, mpeg4": ("clip.avi", {"codec": "mpeg4"}),
    "avi, h264 out of order": ("clip.avi", {}),
    "webm": ("clip.webm", {"codec": "libvpx", "options": {"auto-alt-ref": "1", "lag-in-frames": "8"}}),
    "mpeg-ps": ("clip.mpg", {"codec": "mpeg2video", "options": {"bf": "2"}}),
}


@pytest.mark.parametrize("kind", KINDS)
def test_seeking_gives_what_playing_gives(tmp_path: Path, kind: str) -> None:
    name, how = KINDS[kind]
    path = draw_clip(tmp_path / name, 40, **how)
    with Clip(path) as clip:
        played = [(f.index, f.pts_s, f.image.tobytes()) for f in clip.frames()]
        assert [i for i, _, _ in played] == list(range(40))
        assert all(a < b for (_, a, _), (_, b, _) in pairwise(played))
        assert clip.frames_expected == 40
        order = list(range(40))
        random.Random(1).shuffle(order)
        for index in order[:12]:
            clip.seek(index)
            frame = next(clip.frames())
            assert (frame.index, frame.pts_s, frame.image.tobytes()) == played[index]
        assert [f.index for f in clip.frames(37)] == [37, 38, 39]
        assert [f.index for f in clip.frames(37, jump=False)] == [37, 38, 39]
        assert list(clip.frames(400)) == []
        assert len(list(clip.frames())) == 40


def test_pictures_are_the_right_ones(tmp_path: Path) -> None:
    with Clip(draw_clip(tmp_path / "clip.mp4", 30)) as clip:
        assert [index_of(f.image) for f in clip.frames()] == list(range(30))
        assert clip.size == (96, 64)
        assert clip.rate == pytest.approx(25)
        assert clip.duration_s == pytest.approx(1.2)
        assert clip.notices == []
        assert clip.complete


def test_a_newer_iteration_ends_the_older(tmp_path: Path) -> None:
    with Clip(draw_clip(tmp_path / "clip.mp4", 20)) as clip:
        old = clip.frames()
        next(old)
        clip.seek(9)
        assert next(old, None) is None
        assert next(clip.frames()).index == 9


@pytest.mark.parametrize("name", ["clip.mkv", "clip.ts", "clip.avi"])
def test_a03_a_file_that_breaks_off(tmp_path: Path, name: str) -> None:
    data = draw_clip(tmp_path / name, 60, codec="mpeg4" if name.endswith("avi") else "libx264").read_bytes()
    path = tmp_path / f"cut-{name}"
    path.write_bytes(data[: len(data) * 7 // 10 // 188 * 188 + 100])
    with Clip(path) as clip:
        frames = len(list(clip.frames()))
        assert 5 < frames < 58
        assert not clip.complete
        (early,) = (n for n in clip.notices if "file ends early" in n)
        assert str(frames) in early
        if name != "clip.ts":  # a stream does not say how long it was to be
            assert early == f"file ends early: {frames} of ~60 frames"


def test_a03_a_fast_start_mp4_that_breaks_off(tmp_path: Path) -> None:
    path = draw_clip(tmp_path / "clip.mp4", 60, muxer={"movflags": "faststart"})
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    with Clip(path) as clip:
        frames = len(list(clip.frames()))
        assert 0 < frames < 60
        assert f"file ends early: {frames} of ~60 frames" in clip.notices


def test_a_whole_file_never_ends_early(tmp_path: Path) -> None:
    for name, how in KINDS.values():
        with Clip(draw_clip(tmp_path / name, 10, **how)) as clip:
            assert len(list(clip.frames())) == 10
            assert clip.notices == []


TIMES_MS = {
    "a pause": [*range(0, 800, 40), *range(1_800_000, 1_800_800, 40)],
    "a start of its own": list(range(3_600_000, 3_602_400, 40)),
    "slides": list(range(0, 360_000, 30_000)),
    "a varying rate": [n * n * 7 for n in range(60)],
}
CONTAINERS = {"a.mkv": {}, "a.ts": {}, "a.flv": {}, "a.mp4": {}, "a.webm": {"codec": "libvpx"}}


@pytest.mark.parametrize("times", TIMES_MS)
@pytest.mark.parametrize("name", CONTAINERS)
def test_a13_odd_times_are_no_lost_end(tmp_path: Path, name: str, times: str) -> None:
    stamps = TIMES_MS[times]
    path = draw_clip(tmp_path / name, len(stamps), times_ms=stamps, **CONTAINERS[name])
    with Clip(path) as clip:
        assert clip.frames_expected == len(stamps)
        assert len(list(clip.frames())) == len(stamps)
        assert clip.notices == []
        assert clip.complete
        assert clip.duration_s == pytest.approx((stamps[-1] - stamps[0]) / 1000, rel=0.2, abs=2)


@pytest.mark.parametrize("times", ["a start of its own", "a varying rate", "slides"])
@pytest.mark.parametrize("name", ["a.mkv", "a.flv", "a.ts"])
def test_a03_odd_times_do_not_hide_a_lost_end(tmp_path: Path, name: str, times: str) -> None:
    stamps = TIMES_MS[times]
    whole = draw_clip(tmp_path / name, len(stamps), times_ms=stamps, options={"bf": "0"}).read_bytes()
    path = tmp_path / f"cut-{name}"
    path.write_bytes(whole[: len(whole) * 6 // 10 // 188 * 188 + 100])
    with Clip(path) as clip:
        frames = len(list(clip.frames()))
        assert 0 < frames < len(stamps)
        assert not clip.complete


@pytest.mark.parametrize("name", ["a.mkv", "a.mp4", "a.webm"])
def test_a03_an_end_that_was_never_copied_is_lost(tmp_path: Path, name: str) -> None:
    """A copy that broke off into a file of the whole size: zeros to the end."""
    how = CONTAINERS[name] | ({"muxer": {"movflags": "faststart"}} if name == "a.mp4" else {})
    path = draw_clip(tmp_path / name, 120, **how)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2] + bytes(len(data) - len(data) // 2))
    with Clip(path) as clip:
        assert 0 < len(list(clip.frames())) < 120
        assert not clip.complete


@pytest.mark.parametrize("name", ["a.mkv", "a.ts", "a.mp4"])
@pytest.mark.parametrize("left", [0.5, 0.0, None])
def test_a08_a_file_that_shrinks_or_goes_while_it_plays(
    tmp_path: Path, name: str, left: float | None
) -> None:
    path = draw_clip(tmp_path / name, 60, (320, 240), options={"crf": "1", "preset": "ultrafast"})
    with Clip(path) as clip:
        frames = clip.frames()
        for _ in range(3):
            next(frames)
        path.unlink() if left is None else os.truncate(path, int(path.stat().st_size * left))
        played = 3 + sum(1 for _ in frames)
        assert (played == 60) == (left is None)
        assert clip.complete == (left is None)
        clip.seek(50)
        with contextlib.suppress(Refusal):  # to go back, it is opened again
            assert [f.index for f in clip.frames()][:1] in ([], [50])


@pytest.mark.parametrize("kind", ["webm", "mpeg-ps", "mp4"])
def test_a04_damaged_packets_are_skipped_and_counted(tmp_path: Path, kind: str) -> None:
    name, how = KINDS[kind]
    path = draw_clip(tmp_path / name, 60, **how)
    data = bytearray(path.read_bytes())
    rng = random.Random(3)
    for _ in range(40):
        data[rng.randrange(len(data) // 5, len(data) * 4 // 5)] ^= 1 << rng.randrange(8)
    path.write_bytes(data)
    with Clip(path) as clip:
        frames = [f.index for f in clip.frames()]
        assert frames == list(range(len(frames)))
        bad = clip._decoder.bad
        assert len(frames) + bad >= 55
        assert clip.complete == (bad == 0)
        assert not bad or f"{bad} damaged frame" in clip.notices[0]


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_a11_held_any_way_it_stands_upright(tmp_path: Path, degrees: int, mirrored: bool) -> None:
    path = draw_clip(
        tmp_path / "phone.mp4", 2, (64, 48), pixels="yuv444p", turn=(degrees, mirrored), options={"crf": "1"}
    )
    wanted = np.rot90(picture(0, (64, 48)), degrees // 90)
    wanted = wanted[:, ::-1] if mirrored else wanted
    with Clip(path) as clip:
        image = next(clip.frames()).image
        assert clip.size == (wanted.shape[1], wanted.shape[0])
    assert np.abs(image.astype(int) - wanted).mean() < 4


@pytest.mark.parametrize("name", ["lapse.avi", "lapse.mkv", "lapse.mov"])
def test_photos_with_exif_stand_upright_in_a_clip(tmp_path: Path, name: str) -> None:
    path = draw_photos(tmp_path / name, [6, 6, 3, 5])
    with Clip(path) as clip:
        frames = list(clip.frames())
        assert clip.size == (64, 96)
    turned = [np.rot90(picture(i), k) for i, k in ((0, -1), (1, -1))]
    for frame, wanted in zip(frames, [*turned, None, picture(3).transpose(1, 0, 2)], strict=True):
        assert frame.size == (64, 96)  # the third, upside down, is fitted into the shape of the first
        assert wanted is None or np.abs(frame.image.astype(int) - wanted).mean() < 6


def test_a12_pixels_that_are_not_square(tmp_path: Path) -> None:
    with Clip(draw_clip(tmp_path / "wide.mp4", 2, (64, 48), aspect=Fraction(2, 1))) as clip:
        assert clip.size == (128, 48)
        assert next(clip.frames()).image.shape == (48, 128, 3)


def test_a12_interlaced_pictures_are_said(tmp_path: Path) -> None:
    how = {"flags": "+ilme+ildct", "field_order": "tt", "top": "1"}
    with Clip(draw_clip(tmp_path / "old.mpg", 4, (96, 64), codec="mpeg2video", options=how)) as clip:
        assert len(list(clip.frames())) == 4
        assert clip.notices == ["interlaced video: shown without deinterlacing"]


@pytest.mark.parametrize(
    ("name", "how", "within"),
    [
        ("ten.mkv", {"pixels": "yuv420p10le"}, 12),
        ("full.mkv", {"pixels": "yuvj420p"}, 12),
        ("dense.mkv", {"pixels": "yuv444p"}, 6),
        ("rgb.mkv", {"codec": "libx264rgb", "pixels": "rgb24"}, 4),
        ("grey.mkv", {"codec": "ffv1", "pixels": "gray"}, 2),
        ("deep.mkv", {"codec": "ffv1", "pixels": "yuv444p16le"}, 2),
    ],
)
def test_a18_every_kind_of_pixels_has_its_colours(
    tmp_path: Path, name: str, how: dict[str, str], within: int
) -> None:
    options = {"crf": "4"} if how.get("codec", "libx264").startswith("libx264") else {}
    with Clip(draw_clip(tmp_path / name, 2, options=options, **how)) as clip:
        image = next(clip.frames()).image.astype(float)
    wanted = picture(0).astype(float)
    if how["pixels"] == "gray":
        wanted = np.repeat((wanted @ [0.299, 0.587, 0.114])[..., None], 3, axis=2)
    assert np.abs(image - wanted).mean() < within
    assert np.abs((image - wanted).mean(axis=(0, 1))).max() < 2.5  # no cast, no pale range


def test_a18_high_dynamic_range_is_said(tmp_path: Path) -> None:
    how = {"x264-params": "transfer=smpte2084:colorprim=bt2020:colormatrix=bt2020nc"}
    with Clip(draw_clip(tmp_path / "hdr.mkv", 2, pixels="yuv420p10le", options=how)) as clip:
        assert [n for n in clip.notices if "HDR" in n]


@pytest.mark.parametrize("frames", [1, 2])
def test_a19_clips_of_a_moment(tmp_path: Path, frames: int) -> None:
    times = [0, 1][:frames]
    with Clip(draw_clip(tmp_path / "short.mkv", frames, times_ms=times)) as clip:
        assert clip.frames_expected == frames
        assert len(list(clip.frames())) == frames
        assert clip.notices == []


def test_a19_a_thousand_pictures_a_second(tmp_path: Path) -> None:
    with Clip(draw_clip(tmp_path / "fast.mp4", 50, times_ms=list(range(50)))) as clip:
        assert clip.rate > 500  # the last picture stands longer
        assert [f.pts_s for f in clip.frames()] == pytest.approx(np.arange(50) / 1000, abs=1e-4)


@pytest.mark.parametrize(
    ("length_s", "tag"), [(-5.0, b"-1:00:00.48"), (1e15, b"00:00:1e308"), (float("nan"), b"00:00:00nan")]
)
def test_a19_a_length_that_lies(
    tmp_path: Path, length_s: float, tag: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_COUNTED_BYTES", 0)  # as for a large file
    path = draw_clip(tmp_path / "a.mkv", 12)
    data = path.read_bytes()
    at = data.index(b"\x44\x89\x88") + 3  # Duration, ms
    data = data[:at] + struct.pack(">d", length_s * 1000) + data[at + 8 :]
    path.write_bytes(data.replace(b"00:00:00.48", tag))
    with Clip(path) as clip:
        assert 0 < clip.frames_expected <= path.stat().st_size
        assert 0 < clip.duration_s < float("inf")
        assert len(list(clip.frames())) == 12


def test_a19_a_count_that_lies(tmp_path: Path) -> None:
    path = draw_clip(tmp_path / "a.avi", 12, codec="mpeg4")
    data = path.read_bytes()
    at = data.index(b"avih") + 8 + 16
    path.write_bytes(data[:at] + b"\xff\xff\xff\x7f" + data[at + 4 :])
    with Clip(path) as clip:
        assert clip.frames_expected == 12
        assert len(list(clip.frames())) == 12


def test_a13_variable_frame_rate_is_kept(tmp_path: Path) -> None:
    times = np.cumsum(np.random.default_rng(1).integers(5, 80, 30)).tolist()
    with Clip(draw_clip(tmp_path / "vfr.mp4", 30, times_ms=times)) as clip:
        got = [f.pts_s for f in clip.frames()]
    assert len(got) == 30
    assert np.diff(got) == pytest.approx(np.diff(times) / 1000, abs=1e-3)


@pytest.mark.parametrize("size", [(1, 1), (2, 2), (321, 241), (1, 300), (300, 1)])
def test_a16_odd_sizes(tmp_path: Path, size: tuple[int, int]) -> None:
    path = draw_clip(tmp_path / "odd.mov", 2, size, codec="png", pixels="rgb24")
    with Clip(path) as clip:
        frames = list(clip.frames())
    assert [f.size for f in frames] == [size, size]
    assert np.array_equal(frames[1].image, picture(1, size))


def test_frames_are_read_only_and_closing_twice_is_no_error(tmp_path: Path) -> None:
    clip = Clip(draw_clip(tmp_path / "clip.mp4", 2))
    frame = next(clip.frames())
    with pytest.raises(ValueError):
        frame.image[0, 0, 0] = 1
    clip.close()
    clip.close()


def test_a_frame_of_photos_is_gone_when_it_was_shown(tmp_path: Path) -> None:
    """Frames of 8192 x 8192 px are 100 MB each: none may wait until Python looks for cycles."""
    path = draw_photos(tmp_path / "lapse.avi", [6] * 12)
    with Clip(path) as clip:
        gc.disable()
        try:
            frames = clip.frames()
            counted = [sum(type(o) is VideoFrame for o in gc.get_objects()) for _ in frames]
        finally:
            gc.enable()
    assert max(counted) <= counted[0] + 2
