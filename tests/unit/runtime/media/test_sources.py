"""What a word on the command line stands for."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from runtime.media import cameras
from runtime.media.sources import classify
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


def test_only_https_links() -> None:
    assert classify("https://youtu.be/dQw4w9WgXcQ?t=1").kind == "link"
    for link in ("http://a.b/c", "file:///etc/passwd", "rtsp://cam/1", "data:video/mp4;base64,AA",
                 "javascript:1", "ftp://a/b", "https://a b", "https://" + "a" * 3000):  # fmt: skip
        with pytest.raises(Refusal):
            classify(link)


@pytest.mark.parametrize("word", ["", "  ", "nothing-here.mp4", "--exec=x", "a\0b"])
def test_nothing_of_all_this_is_refused(word: str) -> None:
    with pytest.raises(Refusal):
        classify(word)
