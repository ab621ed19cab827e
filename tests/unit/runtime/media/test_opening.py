"""Rows A01, A02, A06, A07, A09, A10, A15, A17: what is no clip is refused in words, at once."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import av
import numpy as np
import pytest
from av.stream import Disposition

from runtime.media.clips import Clip
from runtime.media.opening import Limits, open_media
from runtime.system.errors import Refusal, printable
from tests.drawn_media import draw_clip, draw_song, index_of, picture
from tests.without_rights import give_up_rights


def refused(path: Path) -> str:
    """The refusal's text, which must name the file and come within a second of this thread's work."""
    started, worked = time.monotonic(), time.thread_time()
    with pytest.raises(Refusal) as caught:
        Clip(path)
    assert time.thread_time() - worked < 1.0
    assert time.monotonic() - started < 10  # nothing was waited for
    assert printable(path.name) in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty"),
        (np.random.default_rng(0).bytes(20_000), "not a video"),
        (b"Dear diary, today nothing moved.\n" * 30, "it is text"),
        (b"<!DOCTYPE html><html><body>404</body></html>", "web page"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n", "git lfs pull"),
    ],
    ids=["empty", "random", "text", "page", "lfs"],
)
def test_a01_what_is_no_video(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes(content)
    text = refused(path)
    assert ("not a video" in text) == bool(content)  # nothing at all is no kind of file
    assert said in text


def test_a02_a_recording_that_was_cut_off(tmp_path: Path) -> None:
    data = draw_clip(tmp_path / "whole.mp4").read_bytes()
    path = tmp_path / "killed.mp4"
    path.write_bytes(data[: data.find(b"moov") - 4])
    assert "recording was cut off" in refused(path)


LOOPS = {
    "self.m3u8": "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nself.m3u8\n",
    "web.m3u8": "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nhttp://127.0.0.1:9/x.ts\n",
    "other.ffconcat": "ffconcat version 1.0\nfile /etc/hostname\n",
    "concat.mp4": "ffconcat version 1.0\nfile whole.mp4\n",
}


@pytest.mark.parametrize("name", LOOPS)
def test_a06_play_lists_are_not_followed(tmp_path: Path, name: str) -> None:
    draw_clip(tmp_path / "whole.mp4", 3)
    path = tmp_path / name
    path.write_text(LOOPS[name])
    assert "play list" in refused(path)


@pytest.mark.parametrize(
    "name", ["concat:a.mp4|b.mp4", "subfile,,start,0,end,9,,:whole.mp4", "lavfi:testsrc"]
)
def test_a06_a_protocol_in_a_name_is_only_a_name(tmp_path: Path, name: str) -> None:
    draw_clip(tmp_path / "whole.mp4", 3).rename(tmp_path / name.replace("/", "_"))
    with Clip(tmp_path / name) as clip:
        assert len(list(clip.frames())) == 3
    with pytest.raises(Refusal, match="no such file"):
        open_media(f"{tmp_path}/missing/{name}")


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace to watch the system calls")
def test_a06_nothing_else_is_opened_and_nobody_is_called(tmp_path: Path) -> None:
    for name, text in LOOPS.items():
        (tmp_path / name).write_text(text)
    draw_clip(tmp_path / "whole.mp4", 3)
    code = (
        "import sys\nfrom runtime.media.opening import open_media\n"
        "from runtime.system.errors import Refusal\n"
        "for p in sys.argv[1:]:\n try: open_media(p)\n except Refusal: pass\n"
    )
    log = tmp_path / "calls.txt"
    watched = ["strace", "-f", "-qq", "-e", "trace=openat,open,connect,socket", "-o", str(log)]
    files = [str(tmp_path / n) for n in LOOPS]
    run = [*watched, sys.executable, "-c", code, *files]
    done = subprocess.run(run, check=False, capture_output=True)
    if done.returncode and b"ptrace" in done.stderr:
        pytest.skip("strace may not watch processes here")
    assert done.returncode == 0, done.stderr.decode()
    calls = log.read_text()
    assert "self.m3u8" in calls  # the trace saw what was given
    assert "/etc/hostname" not in calls
    assert "whole.mp4" not in calls
    assert "AF_INET" not in calls


def test_a07_only_regular_files(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.mp4")
    assert "not a regular file" in refused(tmp_path / "pipe.mp4")
    (tmp_path / "folder.mp4").mkdir()
    assert "is a folder" in refused(tmp_path / "folder.mp4")
    (tmp_path / "dangling.mp4").symlink_to(tmp_path / "gone.mp4")
    assert "link to a file that is gone" in refused(tmp_path / "dangling.mp4")
    (tmp_path / "zero.mp4").symlink_to("/dev/zero")
    assert "not a regular file" in refused(tmp_path / "zero.mp4")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "socket.mp4"))
        assert "not a regular file" in refused(tmp_path / "socket.mp4")
    assert "no such file" in refused(tmp_path / "absent.mp4")


def test_a08_no_permission(tmp_path: Path, repository: Path) -> None:
    path = draw_clip(tmp_path / "secret.mp4", 2)
    path.chmod(0)
    program = "import sys; from runtime.media.clips import Clip; Clip(sys.argv[1])"
    done = subprocess.run(
        [sys.executable, "-c", program, str(path)], cwd=repository, capture_output=True, text=True,
        check=False, preexec_fn=give_up_rights,
    )  # fmt: skip
    last = done.stderr.splitlines()[-1]
    assert "Refusal" in last
    assert "secret.mp4" in last
    assert "may not read" in last


def test_a09_sound_without_pictures(tmp_path: Path) -> None:
    assert "no video track" in refused(draw_song(tmp_path / "song.m4a"))
    (tmp_path / "song.mp3").write_bytes(b"ID3\x03\0\0\0\0\0\x0a" + bytes(4000))
    assert "no video track" in refused(tmp_path / "song.mp3")


def test_a17_too_large_is_refused_before_decoding(tmp_path: Path) -> None:
    path = draw_clip(tmp_path / "large.mkv", 2, (256, 128))
    with pytest.raises(Refusal, match="256 x 128"):
        Clip(path, Limits(max_side_px=200))
    with pytest.raises(Refusal, match="over the limit"):
        Clip(path, Limits(max_pixels=256 * 128 - 1))
    with Clip(path, Limits(max_side_px=256, max_pixels=256 * 128)) as clip:
        assert clip.size == (256, 128)


def test_a17_a_header_that_claims_too_much(tmp_path: Path) -> None:
    path = draw_clip(tmp_path / "bomb.mkv", 2, (300, 260), codec="ffv1", pixels="bgr0")
    data = path.read_bytes()
    width, height = b"\xb0\x82\x01\x2c", b"\xba\x82\x01\x04"  # PixelWidth and PixelHeight of Matroska
    assert data.count(width) == data.count(height) == 1
    path.write_bytes(data.replace(width, b"\xb0\x82\x23\x28"))
    assert "9000 x 260, over the limit" in refused(path)
    path.write_bytes(data.replace(width, b"\xb0\x82\xff\xff").replace(height, b"\xba\x82\xff\xff"))
    assert "over every limit" in refused(path)


def test_a_name_is_printed_harmlessly() -> None:
    assert printable("a\nb\x1b[31m.mp4") == "a?b?[31m.mp4"
    assert len(printable("x" * 300)) <= 120


@pytest.mark.parametrize(
    ("name", "code", "other", "words"),
    [
        ("a.mp4", b"avc1", b"zzz1", "video codec zzz1 is not known"),
        ("a.mp4", b"avc1", b"encv", "encrypted"),
        ("a.mkv", b"V_MPEG4/ISO/AVC", b"V_UNKNOWN/X/AVC", "video codec V_UNKNOWN/X/AVC is not known"),
    ],
)
def test_a22_a_codec_that_is_not_known_is_named(
    tmp_path: Path, name: str, code: bytes, other: bytes, words: str
) -> None:
    path = draw_clip(tmp_path / name, 2)
    path.write_bytes(path.read_bytes().replace(code, other))
    with pytest.raises(Refusal, match=words):
        open_media(path)


@pytest.mark.parametrize("name", ["two.mkv", "two.ts", "two.mp4"])
def test_a10_of_several_tracks_the_default_one_is_shown(tmp_path: Path, name: str) -> None:
    with av.open(str(tmp_path / name), "w") as file:
        tracks = [file.add_stream("libx264", rate=25) for _ in range(2)]
        for track, width in zip(tracks, (96, 64), strict=True):
            track.width, track.height, track.pix_fmt = width, 64, "yuv420p"
        tracks[1].disposition = Disposition.default
        tracks[0].disposition = Disposition(0)
        for index in range(6):
            for track, width in zip(tracks, (96, 64), strict=True):
                frame = av.VideoFrame.from_ndarray(picture(index, (width, 64)), format="rgb24")
                file.mux(track.encode(frame))
        for track in tracks:
            file.mux(track.encode())
    with Clip(tmp_path / name) as clip:
        frames = list(clip.frames())
        assert clip.size == ((96, 64) if name.endswith(".ts") else (64, 64))  # TS knows no default: the first
    assert [index_of(f.image) for f in frames] == list(range(6))


def test_a15_a_clip_that_changes_its_size_keeps_its_first_and_says_so(tmp_path: Path) -> None:
    parts = draw_clip(tmp_path / "wide.ts", 12), draw_clip(tmp_path / "high.ts", 12, (64, 96))
    (tmp_path / "both.ts").write_bytes(b"".join(p.read_bytes() for p in parts))
    with Clip(tmp_path / "both.ts") as clip:
        frames = list(clip.frames())
        assert len(frames) == 24
        assert {f.image.shape for f in frames} == {(64, 96, 3)}
        assert [n for n in clip.notices if "size changes" in n]
    assert frames[-1].image[:, :20].max() == 0  # fitted, not stretched


def test_j06_the_ffmpeg_that_reads_files_is_that_of_version_8_1_or_newer() -> None:
    """FFmpeg comes inside PyAV; an older one has faults in its decoders that are known and mended."""
    assert av.library_versions["libavcodec"] >= (62, 28, 102)
    assert av.library_versions["libavformat"] >= (62, 12, 102)
