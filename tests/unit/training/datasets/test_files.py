"""Files that lie: none is run, none is waited for, each is named."""

from __future__ import annotations

import os
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from tests.unit.training.datasets import made
from training.datasets import files
from training.datasets.files import (
    BrokenError,
    existing,
    field_cells,
    field_number,
    field_numbers,
    field_text,
    first_existing,
    inside,
    numbers,
    picture_size,
    read_array,
    read_json,
    read_labels,
    read_lines,
    read_mat,
    read_rgb,
    read_stored,
    shown,
    structs,
)
from training.datasets.problems import Problems
from training.photos import DataError


@pytest.mark.parametrize(
    "name",
    ["../x.png", "a/../../x", "", "/", "C:\\x.png", "..\\..\\x", "a\0b", "a\x1b[2Jb", "a\nb"],
)
def test_a_name_that_leaves_the_folder_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(BrokenError):
        inside(tmp_path, name)


@given(st.text(max_size=30))
def test_a_name_stays_below_the_folder_or_is_refused(name: str) -> None:
    root = Path("/data")
    try:
        path = inside(root, name)
    except BrokenError:
        return
    assert Path(os.path.normpath(path)).is_relative_to(root)


def test_a_leading_slash_means_the_folder(tmp_path: Path) -> None:
    assert inside(tmp_path, "/31/500/a.png") == tmp_path / "31" / "500" / "a.png"


def test_messages_are_fit_for_a_terminal() -> None:
    assert "\x1b" not in shown("\x1b]0;owned\x07")
    assert shown("a" * 300) == "a" * 300
    assert shown("a" * 301) == "a" * 299 + "…"
    assert shown("é\n") == "\\xe9\\n"
    assert shown(5) == "5"


def test_missing_and_special_files_are_told_apart(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")  # opening it would wait for ever
    with pytest.raises(BrokenError, match="is missing"):
        existing(tmp_path / "nothing.png")
    for name in ("fifo", "."):
        with pytest.raises(BrokenError, match="not a plain file"):
            read_rgb(tmp_path / name)
    with pytest.raises(BrokenError, match="cannot be looked up"):
        existing(tmp_path / ("n" * 5000))
    there = made.text(tmp_path / "there.txt", "a")
    assert first_existing(tmp_path / "nothing", there, tmp_path / "fifo") == there
    with pytest.raises(BrokenError, match="nothing is missing"):
        first_existing(tmp_path / "nothing", tmp_path / "fifo")


def _png_of(width: int, height: int) -> bytes:
    """A PNG whose header promises more than any memory holds."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b""))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("size", [(9000, 9000), (12_000, 9000), (100_000, 100_000)])
def test_a_picture_too_large_is_refused_before_it_is_decoded(size: tuple[int, int], tmp_path: Path) -> None:
    (tmp_path / "bomb.png").write_bytes(_png_of(*size))
    with pytest.raises(BrokenError, match=r"bomb\.png"):
        read_rgb(tmp_path / "bomb.png")


def test_a_picture_has_64_million_pixels_at_most(tmp_path: Path) -> None:
    (tmp_path / "whole.png").write_bytes(_png_of(8000, 8000))
    assert picture_size(tmp_path / "whole.png") == (8000, 8000)
    (tmp_path / "more.png").write_bytes(_png_of(8001, 8000))
    with pytest.raises(BrokenError, match="8001x8000 pixels are too many"):
        picture_size(tmp_path / "more.png")


def test_text_larger_than_the_limit_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert files.MAX_TEXT_BYTES == 2 * 1024**3
    monkeypatch.setattr(files, "MAX_TEXT_BYTES", 4)
    assert read_json(made.text(tmp_path / "a.json", "[5]")) == [5]
    made.text(tmp_path / "b.json", "[50]")
    made.mat(tmp_path / "b.mat", s=np.zeros(3))
    for read in (lambda: read_json(tmp_path / "b.json"), lambda: read_mat(tmp_path / "b.mat", "s")):
        with pytest.raises(BrokenError, match="larger than 2 GiB"):
            read()
    monkeypatch.setattr(files, "MAX_TEXT_BYTES", (tmp_path / "b.mat").stat().st_size)
    assert np.shape(read_mat(tmp_path / "b.mat", "s")) == (1, 3)


def test_fields_of_structs_are_numbers_text_or_nothing() -> None:
    rows = np.empty((1, 2), object)
    rows[0, 0], rows[0, 1] = {"a": 1}, "no struct"
    assert structs(rows) == [{"a": 1}]
    for nothing in (None, "text", np.zeros((2, 2)), [{"a": 1}]):
        assert structs(nothing) == []
        assert field_cells({"c": nothing}, "c") == []  # type: ignore[dict-item]
    assert field_cells({"c": rows}, "c") == [{"a": 1}, "no struct"]
    assert field_cells({}, "c") == []
    record = {"x": np.array([[2.5, 3]]), "digits": "12", "empty": "", "none": None, "name": "anna",
              "nan": np.array([[np.nan]]), "cells": rows}  # fmt: skip
    assert field_numbers(record, "x").tolist() == [[2.5, 3]]
    assert field_numbers(record, "digits").tolist() == 12
    assert field_number(record, "x") == 2.5
    assert field_number(record, "digits") == 12
    for absent in ("empty", "none", "nothing"):
        assert field_numbers(record, absent).shape == (0,)
        assert field_number(record, absent) is None
    assert field_number(record, "nan") is None
    for other in ("name", "cells"):
        with pytest.raises(BrokenError, match=f"^field {other} does not hold numbers$"):
            field_numbers(record, other)
    assert [field_text(record, n) for n in ("name", "x", "nothing")] == ["anna", "", ""]


def test_broken_pictures_are_named(tmp_path: Path) -> None:
    whole = made.picture(tmp_path / "whole.jpg").read_bytes()
    for name, data in (("cut.jpg", whole[: len(whole) // 2]), ("empty.png", b""), ("text.png", b"hello")):
        (tmp_path / name).write_bytes(data)
        with pytest.raises(BrokenError, match=name):
            read_rgb(tmp_path / name)


def test_a_camera_rotation_is_not_applied(tmp_path: Path) -> None:
    tags = Image.Exif()
    tags[0x0112] = 6  # lying on its side
    Image.new("RGB", (20, 10)).save(tmp_path / "a.jpg", exif=tags)
    assert read_rgb(tmp_path / "a.jpg").shape == (10, 20, 3)


def test_labels_keep_their_numbers_however_they_are_stored(tmp_path: Path) -> None:
    labels = np.array([[0, 3], [6, 255]], dtype=np.uint8)
    made.stored(tmp_path / "grey.png", labels)
    made.stored(tmp_path / "equal.png", np.repeat(labels[..., None], 3, axis=2))
    made.palette(tmp_path / "palette.png", labels)
    for name in ("grey.png", "equal.png", "palette.png"):
        assert read_labels(tmp_path / name, 7).tolist() == labels.tolist(), name


def test_strange_labels_are_refused(tmp_path: Path) -> None:
    made.stored(tmp_path / "high.png", np.array([[0, 7]], dtype=np.uint8))
    with pytest.raises(BrokenError, match="label 7; 6 is the highest"):
        read_labels(tmp_path / "high.png", 7)
    assert read_labels(tmp_path / "high.png", 8).tolist() == [[0, 7]]
    made.stored(tmp_path / "last.png", np.array([[254, 255]], dtype=np.uint8))
    with pytest.raises(BrokenError, match="label 254; 20 is the highest"):
        read_labels(tmp_path / "last.png", 21)
    Image.fromarray(np.array([[True, False]])).save(tmp_path / "bits.png")
    stored = read_stored(tmp_path / "bits.png")
    assert (stored.dtype, stored.tolist()) == (np.uint8, [[1, 0]])
    for channel in (1, 2):
        one = np.array([[[3, 3, 3]]], dtype=np.uint8)
        one[..., channel] = 4
        made.stored(tmp_path / "nearly.png", one)
        with pytest.raises(BrokenError, match="colour picture"):
            read_labels(tmp_path / "nearly.png", 7)
    made.stored(tmp_path / "seen_through.png", np.array([[[3, 3, 3, 200]]], dtype=np.uint8))
    assert read_labels(tmp_path / "seen_through.png", 7).tolist() == [[3]]
    made.stored(tmp_path / "colour.png", np.array([[[1, 2, 3]]], dtype=np.uint8))
    with pytest.raises(BrokenError, match="colour picture"):
        read_labels(tmp_path / "colour.png", 7)
    Image.fromarray(np.array([[0, 700]], dtype=np.uint16)).save(tmp_path / "deep.png")
    with pytest.raises(BrokenError, match="8 bits"):
        read_labels(tmp_path / "deep.png", 7)


class Trap:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, ("/tmp/xfactor-trap-has-run",)


def test_arrays_of_objects_are_never_unpickled(tmp_path: Path) -> None:
    np.save(tmp_path / "trap.npy", np.array([Trap()], dtype=object))
    (tmp_path / "bare.npy").write_bytes((tmp_path / "trap.npy").read_bytes()[128:])
    for name in ("trap.npy", "bare.npy"):
        with pytest.raises(BrokenError, match="not a plain array"):
            read_array(tmp_path / name, (2, 14))
    assert not Path("/tmp/xfactor-trap-has-run").exists()


def test_an_array_that_lies_about_its_size(tmp_path: Path) -> None:
    header = np.lib.format.header_data_from_array_1_0(np.zeros((2, 14)))
    with (tmp_path / "large.npy").open("wb") as f:
        np.lib.format.write_array_header_1_0(f, header | {"shape": (10**9, 10**6)})
    with pytest.raises(BrokenError):
        read_array(tmp_path / "large.npy", (2, 14))
    np.save(tmp_path / "other.npy", np.zeros((3, 14)))
    np.savez(tmp_path / "several.npz", a=np.zeros((2, 14)))
    for name in ("other.npy", "several.npz"):
        with pytest.raises(BrokenError, match=rf"{name} is not an array of shape \(2, 14\)$"):
            read_array(tmp_path / name, (2, 14))


def test_json_and_text_that_are_not(tmp_path: Path) -> None:
    (tmp_path / "deep.json").write_text("[" * 200_000)
    (tmp_path / "half.json").write_text('{"a": ')
    (tmp_path / "binary.json").write_bytes(b"\xff\xfe\x00")
    for name in ("deep.json", "half.json", "binary.json", "none.json"):
        with pytest.raises(BrokenError, match=name):
            read_json(tmp_path / name)


def test_lines_are_numbered_as_an_editor_does(tmp_path: Path) -> None:
    (tmp_path / "l.txt").write_bytes(b"\xef\xbb\xbfa\r\n\r\n  b \r\n")
    assert list(read_lines(tmp_path / "l.txt")) == [("l.txt line 1", "a"), ("l.txt line 3", "b")]


def test_numbers_say_what_they_are_not() -> None:
    for value in ("a", None, [[1], [1, 2]], [{}], [1, 10**400]):
        with pytest.raises(BrokenError):
            numbers(value, 2)  # type: ignore[arg-type]
    with pytest.raises(BrokenError, match=r"^numbers of shape \(2,\) are expected, not \(3,\)$"):
        numbers([1, 2, 3], 2)
    assert numbers([[1, np.nan]]).shape == (1, 2)


def test_mat_files_of_other_kinds(tmp_path: Path) -> None:
    made.mat(tmp_path / "a.mat", other=np.zeros(3))
    with pytest.raises(BrokenError, match="no variable `joints`"):
        read_mat(tmp_path / "a.mat", "joints")
    modern = b"MATLAB 7.3 MAT-file, HDF5".ljust(124, b" ") + b"\x00\x02IM"
    (tmp_path / "modern.mat").write_bytes(modern)
    with pytest.raises(BrokenError, match="save it in MATLAB with -v7"):
        read_mat(tmp_path / "modern.mat", "joints")


def test_each_problem_is_counted_once() -> None:
    problems = Problems()
    for _ in range(3):
        problems.add("a.png", "missing")
    problems.add("a.png", "broken")
    assert problems.count == 2
    with pytest.raises(DataError, match=r"a\.png: missing.*without --strict"):
        Problems(strict=True).add("a.png", "missing")
