"""The reader of MATLAB files against scipy's, and against files that lie."""

from __future__ import annotations

import io
import struct
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from scipy.io import loadmat, savemat
from scipy.io.matlab import mat_struct

from tests.unit.training.datasets import made
from training.datasets import matlab
from training.datasets.matlab import MatlabError, read_variable

NUMBERS = ("f8", "f4", "i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "?")
leaves = st.one_of(
    st.sampled_from(NUMBERS).flatmap(
        lambda t: arrays(t, array_shapes(min_dims=2, max_dims=3, min_side=0, max_side=3))
    ),
    st.text(st.characters(min_codepoint=32, max_codepoint=0xFF), max_size=9),
    st.floats(allow_nan=False),
)
fields = st.text("abcdefgh_", min_size=1, max_size=12).filter(lambda n: not n.startswith("_"))
values = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map(made.cells),
        st.dictionaries(fields, inner, min_size=1, max_size=3),
        st.tuples(inner, inner).map(
            lambda v: made.struct_row([{"x": v[0], "yy": v[1]}, {"x": v[1], "yy": v[0]}])
        ),
    ),
    max_leaves=8,
)


def written(value: Any, *, compress: bool = False) -> bytes:
    file = io.BytesIO()
    savemat(file, {"other": np.arange(3.0), "s": value}, do_compression=compress)
    return file.getvalue()


def same(ours: Any, theirs: Any) -> None:
    """`theirs` as scipy gives it, unsqueezed."""
    if isinstance(theirs, mat_struct):
        assert list(ours) == theirs._fieldnames
        for name in ours:
            same(ours[name], getattr(theirs, name))
    elif theirs.dtype.kind == "U":
        assert isinstance(ours, str)
        assert ours.rstrip(" ") == "".join(theirs.ravel().tolist()).rstrip(" ")
    elif theirs.dtype == object:
        assert ours.shape == theirs.shape
        for a, b in zip(ours.ravel(order="F"), theirs.ravel(order="F"), strict=True):
            same(a, b)
    else:
        assert ours.shape == theirs.shape
        assert np.array_equal(np.asarray(ours, theirs.dtype), theirs, equal_nan=theirs.dtype.kind == "f")


@given(values, st.booleans())
def test_it_reads_what_scipy_reads(value: Any, compress: bool) -> None:
    data = written(value, compress=compress)
    theirs = loadmat(io.BytesIO(data), struct_as_record=False)["s"]
    same(read_variable(data, "s"), theirs)


def big_endian(rows: int, columns: int, numbers: list[float]) -> bytes:
    """A file of an old workstation, with one matrix of doubles."""

    def element(kind: int, body: bytes) -> bytes:
        return struct.pack(">II", kind, len(body)) + body + b"\0" * (-len(body) % 8)

    body = element(6, struct.pack(">II", 6, 0)) + element(5, struct.pack(">ii", rows, columns))
    body += struct.pack(">HH", 1, 1) + b"s\0\0\0" + element(9, struct.pack(f">{len(numbers)}d", *numbers))
    return b"MATLAB 5.0 MAT-file".ljust(124) + struct.pack(">H", 0x0100) + b"MI" + element(14, body)


def test_the_other_byte_order() -> None:
    data = big_endian(2, 2, [1, 2, 3, 4])
    assert np.asarray(read_variable(data, "s")).tolist() == [[1, 3], [2, 4]]
    assert loadmat(io.BytesIO(data))["s"].tolist() == [[1, 3], [2, 4]]


def test_rows_of_text_and_what_is_no_data() -> None:
    rows = read_variable(written(np.array(["ab", "cd"])), "s")
    assert np.asarray(rows).tolist() == ["ab", "cd"]
    assert read_variable(written(np.array([[1 + 2j]])), "s") is None


@settings(max_examples=400)
@given(data=st.data(), compress=st.booleans())
def test_a_damaged_file_is_refused_in_words_or_read(data: st.DataObject, compress: bool) -> None:
    value = made.struct_row([{"x": np.arange(6.0).reshape(2, 3), "name": "video", "c": made.cells(["a", 1])}])
    raw = bytearray(written(value, compress=compress))
    for _ in range(data.draw(st.integers(1, 4))):
        raw[data.draw(st.integers(124, len(raw) - 1))] = data.draw(st.integers(0, 255))
    try:
        read_variable(bytes(raw[: data.draw(st.integers(0, len(raw)))]), "s")
    except MatlabError as e:
        assert str(e)  # noqa: PT017 - both ways are right


@settings(max_examples=300)
@given(st.binary(max_size=200))
def test_noise_behind_a_header(noise: bytes) -> None:
    with pytest.raises(MatlabError):
        read_variable(b" " * 124 + b"\0\1IM" + noise, "s")


def test_a_bomb_is_refused_before_it_unpacks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matlab, "MAX_BYTES", 1 << 16)
    with pytest.raises(MatlabError, match="unpacks to more than"):
        read_variable(written(np.zeros((300, 300)), compress=True), "s")


def nested(depth: int) -> bytes:
    """A cell in a cell in a cell."""
    shape = struct.pack("<IIII", 6, 8, 1, 0) + struct.pack("<IIii", 5, 8, 1, 1)
    inner = struct.pack("<II", 14, 0)
    for level in range(depth):
        name = struct.pack("<HH", 1, 1) + b"s\0\0\0" if level == depth - 1 else struct.pack("<II", 1, 0)
        body = shape + name + inner
        inner = struct.pack("<II", 14, len(body)) + body
    return b" " * 124 + b"\0\1IM" + inner


def test_nesting_ends() -> None:
    assert read_variable(nested(5), "s") is not None
    with pytest.raises(MatlabError, match="nested too deeply"):
        read_variable(nested(5000), "s")


def test_cells_that_cannot_be_there() -> None:
    data = bytearray(written(made.cells(["a", "b"])))
    at = bytes(data).rindex(struct.pack("<ii", 1, 2), 0, len(data) - 60)
    data[at : at + 8] = struct.pack("<ii", 30_000, 30_000)
    with pytest.raises(MatlabError, match="do not fit"):
        read_variable(bytes(data), "s")


def test_versions_and_variables() -> None:
    data = written(1.0)
    with pytest.raises(MatlabError, match="no variable `t`"):
        read_variable(data, "t")
    with pytest.raises(MatlabError, match="save it in MATLAB with -v7"):
        read_variable(b" " * 124 + b"\0\2IM", "s")
    for other in (b"", b"hello", data[:100], b"\x89HDF" * 100):
        with pytest.raises(MatlabError, match="no header of MATLAB 5"):
            read_variable(other, "s")
    packed = bytearray(written(np.arange(50.0), compress=True))
    packed[-3] ^= 255  # of the checksum
    with pytest.raises(MatlabError):
        read_variable(bytes(packed), "s")
