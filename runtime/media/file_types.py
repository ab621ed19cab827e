"""File types by magic bytes and outermost boxes, read without any decoder."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final, Literal

Kind = Literal["picture", "movie", "sound", "playlist", "page", "lfs", "text", "other"]

_PICTURES = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"BM", b"II*\0", b"MM\0*")
_SOUNDS = (
    b"ID3",
    b"fLaC",
    b"\xff\xfb",
    b"\xff\xf3",
    b"\xff\xf2",
    b"\xff\xf1",
    b"\xff\xf9",
    b"#!AMR",
    b"FORM",
)
_MOVIE_BOXES = frozenset({b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"moof", b"styp", b"pnot"})
_MATROSKA = b"\x1aE\xdf\xa3"
_TS_PACKET_BYTES = 188
_SEARCHED_BYTES = 1 << 20
CLIP_SUFFIXES: Final = frozenset(
    {".mp4", ".mov", ".m4v", ".mkv", ".webm", ".avi", ".ts", ".mts", ".m2ts", ".flv", ".ogv", ".mpg", ".mpeg",
     ".wmv", ".asf", ".3gp", ".gif"}
)  # fmt: skip


def looks_like(file: Path) -> Kind:
    """Type of a regular file, from its first bytes; never from its name."""
    with file.open("rb") as f:
        head = f.read(4096)
    if head.startswith(_PICTURES) or (head[:4] == b"RIFF" and head[8:12] == b"WEBP"):
        return "picture"
    if head[4:8] in _MOVIE_BOXES:
        return "picture" if head[8:12] in (b"avif", b"heic", b"mif1") else "movie"
    if head.startswith(_SOUNDS) or (head[:4] == b"RIFF" and head[8:12] == b"WAVE"):
        return "sound"
    return _text_kind(head)


def _text_kind(head: bytes) -> Kind:
    if b"\0" in head:
        return "other"
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith(b"version https://git-lfs"):
        return "lfs"
    if (
        start.startswith((b"#extm3u", b"ffconcat", b"file ", b"[playlist]", b"<smil"))
        or b"<mpd" in start[:600]
    ):
        return "playlist"
    if start.startswith((b"<!doctype html", b"<html", b"<?xml")):
        return "page"
    try:
        head[: len(head) - 4].decode("utf-8")
    except UnicodeDecodeError:
        return "other"
    return "text"


def codec_code(file: Path) -> str:
    """The container's code of a movie's picture codec; empty when it is not found."""
    with file.open("rb") as f:
        data = f.read(_SEARCHED_BYTES)
        f.seek(max(0, file.stat().st_size - _SEARCHED_BYTES))
        data += f.read()
    found = re.search(rb"vmhd.{0,400}?stsd.{12}([ -~]{4})|(V_[A-Z0-9/_]+)", data, re.DOTALL)
    return (found[1] or found[2]).decode("ascii").strip() if found else ""


def movie_without_index(file: Path) -> bool:
    """True when an MP4 or MOV has neither `moov` nor `moof`: its recorder was stopped by force."""
    with file.open("rb") as f:
        kinds = [kind for kind, _ in _boxes(f)]
    return b"moov" not in kinds and b"moof" not in kinds


def ends_early(file: Path) -> bool:
    """True when the container states a length greater than the file's.

    Tells a copy that broke off from a short clip, without counting frames.
    """
    size = file.stat().st_size
    with file.open("rb") as f:
        head = f.read(_TS_PACKET_BYTES + 1)
        f.seek(0)
        if head[:4] == b"RIFF":
            return _riff_end(f, size) > size
        if head[:4] == _MATROSKA:
            return _matroska_end(f) > size
        if head[:1] == b"\x47" and head[_TS_PACKET_BYTES:] in (b"", b"\x47"):
            return size % _TS_PACKET_BYTES != 0
        if head[4:8] in _MOVIE_BOXES:
            return max((end for _, end in _boxes(f)), default=0) > size
    return False


def _boxes(f: BinaryIO, most: int = 100_000) -> Iterator[tuple[bytes, int]]:
    """(kind, end) of every outermost box of an ISO file; stops at the first impossible size."""
    at, size = 0, f.seek(0, os.SEEK_END)
    for _ in range(most):
        if at >= size:  # what a box states may be further than a system can seek
            return
        f.seek(at)
        head = f.read(16)
        if len(head) < 8:
            return
        length = int.from_bytes(head[:4], "big")
        if length == 1 and len(head) == 16:
            length = int.from_bytes(head[8:16], "big")
        if length == 0:  # "to the end of the file"
            yield head[4:8], 0
            return
        if length < 8:
            return
        yield head[4:8], at + length
        at += length


def _riff_end(f: BinaryIO, size: int) -> int:
    """Stated end of the last RIFF chunk of an AVI, bytes; long AVIs are several chunks in a row."""
    at = 0
    while at < size:
        f.seek(at)
        head = f.read(8)
        if head[:4] != b"RIFF" or len(head) < 8:
            break
        length = int.from_bytes(head[4:8], "little")
        if length == 0:  # never filled in: a recorder that was stopped; nothing is known
            return 0
        at += 8 + length + length % 2
    return at - at % 2 if at == size + 1 else at


def _matroska_end(f: BinaryIO) -> int:
    """Stated end of the Matroska Segment, bytes; 0 when its size is unknown, as in live recordings."""
    f.seek(4)
    length = _vint(f)
    if length is None or length >= 1 << 32:  # a head of a few bytes
        return 0
    f.seek(length, os.SEEK_CUR)
    if f.read(4) != b"\x18\x53\x80\x67":
        return 0
    length = _vint(f)
    return 0 if length is None else f.tell() + length


def _vint(f: BinaryIO) -> int | None:
    """An EBML length; None when unknown (all bits set) or malformed."""
    first = f.read(1)
    if not first or first[0] == 0:
        return None
    extra = 8 - first[0].bit_length()
    rest = f.read(extra)
    value = int.from_bytes(bytes([first[0] & (0xFF >> (extra + 1))]) + rest, "big")
    return None if len(rest) < extra or value == (1 << 7 * (extra + 1)) - 1 else value
