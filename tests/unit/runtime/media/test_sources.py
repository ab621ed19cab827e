"""What a word on the command line stands for."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from runtime.media import cameras
from runtime.media.sources import Addresses, classify
from runtime.system.errors import Refusal
from tests.drawn_media import draw_clip


def test_files_by_content_not_by_name(tmp_path: Path) -> None:
    draw_clip(tmp_path / "clip.mp4", 2).rename(tmp_path / "clip.png")
    Image.new("RGB", (4, 4)).save(tmp_path / "picture.jpg")
    (tmp_path / "picture.jpg").rename(tmp_path / "picture.mp4")
    assert classify(str(tmp_path / "clip.png")).kind == "clip"
    assert classify(str(tmp_path / "picture.mp4")).kind == "image"
    assert classify(str(tmp_path)).kind == "folder"


def test_cameras_are_named_without_being_opened(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(cameras.cv2, "VideoCapture", lambda *_: pytest.fail("a camera was opened"))
    monkeypatch.setattr("runtime.media.sources.list_cameras", lambda: [cameras.CameraInfo(2, "Desk Cam")])
    monkeypatch.chdir(tmp_path)
    for word in ("2", "/dev/video2", "desk cam"):
        source = classify(word)
        assert (source.kind, source.name) == ("camera", "Desk Cam")
    Path("7").write_bytes(b"x" * 10)
    assert classify("7").kind == "clip"  # a file of that name is meant


def test_links_and_streams() -> None:
    assert classify("https://youtu.be/dQw4w9WgXcQ?t=1").kind == "link"
    for link in (
        "http://a.b/c",
        "https://a.b/c.m3u8",
        "rtsp://cam/1",
        "rtsps://cam:322/1",
        "http://[::1]:8080/",
    ):
        source = classify(link)
        assert (source.kind, source.name, source.link, source.live) == ("stream", link, link, True)
    for link in ("file:///etc/passwd", "rtsp://", "rtsp:///x", "http://a:b:c/", "https://youtubе.com/x",
                 "http://h/a|b", "rtp://239.0.0.1:5004", "udp://@:5000", "concat:http://a/b",
                 "data:video/mp4;base64,AA",
                 "javascript:1", "ftp://a/b", "https://a b", "https://" + "a" * 3000):  # fmt: skip
        with pytest.raises(Refusal):
            classify(link)


@pytest.mark.parametrize(
    ("link", "public"),
    [
        ("rtsp://ann:s3cret@cam:554/live?key=t0ken#x", "rtsp://cam:554/live"),
        ("rtsp://cam/user=ann&password=s3cret&channel=1/0.sdp", "rtsp://cam/.../0.sdp"),
        ("http://s3cret@cam", "http://cam"),
        ("http://cam/token-s3cret/1.m3u8", "http://cam/.../1.m3u8"),
    ],
)
def test_what_is_shown_of_a_stream_has_no_password(link: str, public: str) -> None:
    known = Addresses()
    source = known.classify(link)
    assert (source.name, source.address, source.link) == (public, public, link)
    assert "s3cret" not in repr(source) + str(source)
    assert known.classify(public).link == link  # in this run it opens again
    assert Addresses().classify(public).link == public  # in the next, only what may be kept is known


@pytest.mark.parametrize(
    "link", ["rtsp://ann:s3c/ret@cam/", "rtsp://ann:1#s3cret@cam/", "rtsp://ann:1/s3cret@c"]
)
def test_a_password_that_breaks_the_link_is_refused_and_not_shown(link: str) -> None:
    with pytest.raises(Refusal) as refused:
        classify(link)
    assert "ret" not in str(refused.value)


def test_cameras_are_known_by_name_and_asked_for_their_mode(monkeypatch: pytest.MonkeyPatch) -> None:
    plugged = [cameras.CameraInfo(2, "Desk Cam"), cameras.CameraInfo(4, "Desk Cam (2)")]
    for module in ("sources", "cameras"):
        monkeypatch.setattr(f"runtime.media.{module}.list_cameras", lambda: plugged)
    known = Addresses()
    known.modes = {"Desk Cam (2)": cameras.CameraMode.parse("640x480@15")}
    source = known.classify("4")
    assert source.address == "camera:Desk Cam (2)"
    assert source.camera.mode == cameras.CameraMode((640, 480), 15)
    plugged[1] = cameras.CameraInfo(7, "Desk Cam (2)")  # plugged in at another port
    assert source.camera.found_again() == cameras.CameraInfo(7, "Desk Cam (2)", source.camera.mode)
    assert known.classify(source.address).camera.index == 7
    plugged.clear()
    with pytest.raises(Refusal, match="not connected"):
        known.classify(source.address)
    assert classify("9").address == "camera:camera 9"
    assert classify("camera:camera 9").camera.index == 9


def test_a_part_of_the_screen_is_there_on_x11_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.delenv("XDG_SESSION_TYPE", raising=False)
    source = classify("screen:640x480+1920+0")
    assert (source.kind, source.area, source.address) == (
        "screen",
        (1920, 0, 640, 480),
        "screen:640x480+1920+0",
    )
    monkeypatch.setenv("XDG_SESSION_TYPE", "wayland")
    with pytest.raises(Refusal, match="Wayland"):
        classify("screen:640x480+0+0")
    monkeypatch.delenv("XDG_SESSION_TYPE")
    monkeypatch.delenv("DISPLAY")
    with pytest.raises(Refusal, match="X11"):
        classify("screen:640x480+0+0")


@pytest.mark.parametrize("word", ["", "  ", "nothing-here.mp4", "--exec=x", "a\0b"])
def test_nothing_of_all_this_is_refused(word: str) -> None:
    with pytest.raises(Refusal):
        classify(word)
