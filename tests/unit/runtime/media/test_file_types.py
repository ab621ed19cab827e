"""What the outermost bytes of a file say, also of files that lie."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.media.clips import Clip
from runtime.media.file_types import ends_early, looks_like, movie_without_index
from tests.drawn_media import draw_clip

STARTS = [
    b"",
    b"RIFF",
    b"\x1aE\xdf\xa3",
    b"\x47",
    b"\0\0\0\x14ftypisom",
    b"\0\0\0\1mdat\xff\xff\xff\xff\xff\xff\xff\xf0",
]


@given(st.sampled_from(STARTS), st.binary(max_size=400))
def test_no_file_is_too_strange(tmp_path_factory: pytest.TempPathFactory, start: bytes, rest: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "strange.mp4"
    path.write_bytes(start + rest)
    assert isinstance(looks_like(path), str)
    assert isinstance(ends_early(path), bool)
    assert isinstance(movie_without_index(path), bool)


@pytest.mark.parametrize("name", ["a.mp4", "a.mov", "a.mkv", "a.webm", "a.ts", "a.avi"])
def test_every_lost_end_is_noticed(tmp_path: Path, name: str) -> None:
    codec = {"a.webm": "libvpx", "a.avi": "mpeg4"}.get(name, "libx264")
    path = draw_clip(tmp_path / name, 12, codec=codec)
    assert looks_like(path) in ("movie", "other")
    assert not ends_early(path)
    data = path.read_bytes()
    for lost in (1, 100, len(data) // 3 | 1):
        path.write_bytes(data[:-lost])
        assert ends_early(path)


@pytest.mark.parametrize("length", [1 << 44, 1 << 55, (1 << 64) - 16])
def test_a_box_longer_than_any_disk_is_a_lost_end(tmp_path: Path, length: int) -> None:
    path = draw_clip(tmp_path / "a.mp4", 12)
    with path.open("ab") as file:
        file.write(b"\0\0\0\1free" + length.to_bytes(8, "big") + bytes(16))
    assert ends_early(path)
    assert not movie_without_index(path)
    with Clip(path) as clip:
        assert len(list(clip.frames())) == 12


def test_a_matroska_head_longer_than_any_disk(tmp_path: Path) -> None:
    path = tmp_path / "a.mkv"
    path.write_bytes(b"\x1aE\xdf\xa3\x01\xf0" + bytes(64))
    assert not ends_early(path)


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"\x89PNG\r\n\x1a\n", "picture"),
        (b"RIFF\0\0\0\0WEBP", "picture"),
        (b"RIFF\0\0\0\0WAVE", "sound"),
        (b"fLaC", "sound"),
        (b"#EXTM3U\n", "playlist"),
        (b"ffconcat version 1.0\n", "playlist"),
        (b"<?xml version='1.0'?><MPD></MPD>", "playlist"),
        (b"\xef\xbb\xbf<!doctype html>", "page"),
        (b"hello", "text"),
        (b"\0\1\2\3", "other"),
    ],
)
def test_kinds_by_their_first_bytes(tmp_path: Path, head: bytes, kind: str) -> None:
    path = tmp_path / "f"
    path.write_bytes(head)
    assert looks_like(path) == kind
