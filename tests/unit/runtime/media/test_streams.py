"""Streams over real connections on this machine: time-outs, rubbish, play lists, passwords.

There is no RTSP server here: of RTSP only refusals and time-outs are tried, on a port that answers like one.
"""

from __future__ import annotations

import base64
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from runtime.media import streams
from runtime.media.opening import open_stream
from runtime.media.stream_links import check_stream
from runtime.media.streams import LiveStream
from runtime.system.errors import FinalRefusal, Refusal
from tests.drawn_media import draw_clip, index_of
from tests.stream_server import RtspPort, StreamServer


@pytest.fixture
def server() -> Iterator[StreamServer]:
    made = StreamServer()
    yield made
    made.stop()


@pytest.fixture
def opened() -> Iterator[Callable[..., LiveStream]]:
    """Open streams; each is closed and its thread gone at the end."""
    made: list[LiveStream] = []

    def open_(text: str, open_s: float = 10.0, read_s: float = 5.0) -> LiveStream:
        link = check_stream(text)
        opener = lambda: open_stream(link, timeouts_s=(open_s, read_s))  # noqa: E731
        made.append(LiveStream(link.public, opener, open_s=open_s, read_s=read_s))
        return made[-1]

    yield open_
    for stream in made:
        assert stream.close(5)


def refusal(stream: LiveStream) -> Refusal:
    with pytest.raises(Refusal) as refused:
        for _ in stream.frames():
            pass
    return refused.value


def some(stream: LiveStream, count: int) -> list[int]:
    return [f.index for f, _ in zip(stream.frames(), range(count), strict=False)]


def test_pictures_of_a_network_camera_come_and_the_newest_wins(server, opened) -> None:
    stream = opened(server.link("/cam"))
    first = next(stream.frames())
    assert first.size == (96, 64)
    assert index_of(first.image) == first.index  # 0, unless the machine was busy
    ends_s = time.monotonic() + 20
    while stream._newest.dropped < 5 and time.monotonic() < ends_s:  # nobody takes any
        time.sleep(0.02)
    assert next(stream.frames()).index >= first.index + 5


@pytest.mark.parametrize("name", ["clip.ts", "clip.mp4"])
def test_a_file_on_a_web_server_plays_at_its_pace_and_ends(server, opened, tmp_path: Path, name: str) -> None:
    server.files[f"/{name}"] = draw_clip(tmp_path / name, 12).read_bytes()
    stream = opened(server.link(f"/{name}"))
    began_s = time.monotonic()
    next(stream.frames())
    ended = refusal(stream)
    assert isinstance(ended, FinalRefusal)
    assert "it has ended" in str(ended)
    assert 0.3 < time.monotonic() - began_s < 15


def test_hls_plays(server, opened, tmp_path: Path) -> None:
    server.files["/a/0.ts"] = draw_clip(tmp_path / "0.ts", 12).read_bytes()
    server.files["/a/list.m3u8"] = PLAYLIST.format("0.ts").encode()
    assert some(opened(server.link("/a/list.m3u8")), 3)
    assert server.asked == ["/a/list.m3u8", "/a/0.ts"]


PLAYLIST = "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n{}\n#EXT-X-ENDLIST\n"


@pytest.mark.parametrize(
    "segment",
    ["file://{file}", "{file}", "data:video/mp2t;base64,R0dH", "concat:{file}|{file}",
     "subfile,,start,0,end,9,,:{file}", "crypto:file://{file}", "list.m3u8", "/dev/zero"],
)  # fmt: skip
def test_a06_a_play_list_reaches_no_file_of_this_machine(
    server, opened, tmp_path: Path, segment: str
) -> None:
    clip = draw_clip(tmp_path / "secret.ts", 12)
    server.files["/list.m3u8"] = PLAYLIST.format(segment.format(file=clip)).encode()
    began_s = time.monotonic()
    assert "no video" in str(refusal(opened(server.link("/list.m3u8"))))
    assert time.monotonic() - began_s < 10
    assert set(server.asked) <= {
        "/list.m3u8",
        str(clip),
        "/dev/zero",
    }  # paths of the server, not of this disk


def test_a06_a_play_list_that_names_itself_ends_by_time(server, opened) -> None:
    server.files["/self.m3u8"] = b"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nself.m3u8\n"
    began_s = time.monotonic()
    assert refusal(opened(server.link("/self.m3u8"), open_s=1.0))
    assert time.monotonic() - began_s < 10


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"<html>hello</html>", "no video"),
        (b"ffconcat version 1.0\nfile '/etc/hostname'\n", "no video"),
        (bytes(range(256)) * 400, "no video"),
        (b"", "no video"),
    ],
)
def test_rubbish_is_refused_in_words(server, opened, body: bytes, words: str) -> None:
    server.files["/x"] = body
    assert words in str(refusal(opened(server.link("/x"))))


def test_nobody_there_no_such_path_and_silence_have_words_of_their_own(server, opened) -> None:
    assert "knows no such stream (404)" in str(refusal(opened(server.link("/absent"))))
    began_s = time.monotonic()
    assert "gave nothing for 1 s" in str(refusal(opened(server.link("/silent"), open_s=1.0)))
    assert time.monotonic() - began_s < 10
    gone = StreamServer()
    gone.stop()
    assert "cannot be reached" in str(refusal(opened(gone.link("/cam"))))


def test_a_stream_that_falls_silent_is_noticed_and_one_that_is_cut_too(server, opened) -> None:
    stream = opened(server.link("/cam"), read_s=2.0)
    some(stream, 3)
    server.silent = True
    began_s = time.monotonic()
    assert "gave nothing for 2 s" in str(refusal(stream))
    assert time.monotonic() - began_s < 10
    other = StreamServer()
    stream = opened(other.link("/cam"), read_s=5.0)
    some(stream, 3)
    other.stop()
    lost = refusal(stream)
    assert not isinstance(lost, FinalRefusal)


def test_f_a_password_stands_in_no_text(server, opened, caplog: pytest.LogCaptureFixture) -> None:
    server.password = base64.b64encode(b"ann:s3cret").decode()
    good = opened(server.link("/locked?key=t0ken", "ann:s3cret@"))
    assert some(good, 2)
    refused = refusal(opened(server.link("/locked?key=t0ken", "ann:wr0ng@")))
    assert isinstance(refused, FinalRefusal)  # asked again and again, some cameras lock the account
    missing = refusal(opened(server.link("/none?key=t0ken", "ann:wr0ng@")))
    for error in (refused, missing):
        text = "".join(traceback.format_exception(error)) + repr(error) + caplog.text
        assert not [w for w in ("s3cret", "wr0ng", "ann:", "t0ken") if w in text]
    assert good.name == server.link("/locked")


def test_rtsp_refusals_and_silence(opened) -> None:
    for reply, words in (
        (b"RTSP/1.0 404 Not Found\r\nCSeq: 1\r\n\r\n", "404"),
        (b"RTSP/1.0 401 Unauthorized\r\nCSeq: 1\r\n\r\n", "user or password"),
        (b"HTTP/1.1 200 OK\r\n\r\nhello", "rtsp://127.0.0.1"),
        (b"", "gave nothing for 1 s"),
    ):
        port = RtspPort(reply)
        began_s = time.monotonic()
        error = refusal(opened(f"rtsp://ann:s3cret@127.0.0.1:{port.port}/cam", open_s=1.0))
        assert words in str(error)
        assert "s3cret" not in str(error)
        assert time.monotonic() - began_s < 10
        assert all(b"TEARDOWN" in r or b"OPTIONS" in r for r in port.requests)
        port.stop()


def test_bytes_that_decode_to_nothing_are_given_up(server, opened, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise UnicodeDecodeError("utf-8", b"x", 0, 1, "what damaged media make PyAV raise")

    monkeypatch.setattr(streams, "BAD_PACKETS", 5)
    monkeypatch.setattr(streams, "_frames", fail)
    stream = opened(server.link("/cam"))
    assert "can be decoded" in str(refusal(stream))
    assert stream.bad == 5
