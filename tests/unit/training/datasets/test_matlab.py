"""The reader of MATLAB files against scipy's, and against files that lie."""

from __future__ import annotations

import io
import re
import struct
import zlib
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


def element(kind: int, body: bytes, order: str = "<") -> bytes:
    return struct.pack(order + "II", kind, len(body)) + body + b"\0" * (-len(body) % 8)


def numbered(kind: int, code: str, *values: float, order: str = "<") -> bytes:
    return element(kind, struct.pack(f"{order}{len(values)}{code}", *values), order)


def file_of(*variables: bytes, order: str = "<") -> bytes:
    return (
        b" " * 124
        + struct.pack(order + "H2s", 0x0100, b"IM"[:: 1 if order == "<" else -1])
        + b"".join(variables)
    )


def matrix(flags: int, sides: tuple[int, ...], *inside: bytes, name: bytes = b"s", order: str = "<") -> bytes:
    """A variable whose elements are given."""
    head = numbered(6, "I", flags, 0, order=order) + numbered(5, "i", *sides, order=order)
    return element(14, head + element(1, name, order) + b"".join(inside), order)


def test_the_other_byte_order() -> None:
    data = file_of(matrix(6, (2, 2), numbered(9, "d", 1, 2, 3, 4, order=">"), order=">"), order=">")
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


def test_all_variables_together_unpack_to_so_much_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    assert matlab.MAX_BYTES == 512 * 2**20
    unpacked = [
        matrix(6, (1, n), numbered(9, "d", *[0.0] * n), name=name) for n, name in ((9, b"o"), (1, b"s"))
    ]
    data = file_of(*(struct.pack("<II", 15, len(z)) + z for z in map(zlib.compress, unpacked)))
    monkeypatch.setattr(matlab, "MAX_BYTES", sum(map(len, unpacked)))
    assert read_variable(data, "s").tolist() == [[0]]  # type: ignore[union-attr]
    for less in (sum(map(len, unpacked)) - 1, len(unpacked[0]), len(unpacked[0]) - 1):
        monkeypatch.setattr(matlab, "MAX_BYTES", less)
        with pytest.raises(MatlabError, match="is cut short, or unpacks to more than 512 MiB"):
            read_variable(data, "s")


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
    assert read_variable(nested(17), "s") is not None
    for depth in (18, 5000):
        with pytest.raises(MatlabError, match="nested too deeply"):
            read_variable(nested(depth), "s")


def test_cells_that_cannot_be_there() -> None:
    data = bytearray(written(made.cells(["a", "b"])))
    at = bytes(data).rindex(struct.pack("<ii", 1, 2), 0, len(data) - 60)
    data[at : at + 8] = struct.pack("<ii", 30_000, 30_000)
    with pytest.raises(MatlabError, match="do not fit"):
        read_variable(bytes(data), "s")


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize(
    ("kind", "code"),
    [(1, "latin-1"), (2, "latin-1"), (4, "utf-16"), (16, "utf-8"), (17, "utf-16"), (18, "utf-32")],
)
def test_characters_of_each_kind(kind: int, code: str, order: str) -> None:
    """One row is text as it is, several are told column by column."""
    code += ("-le" if order == "<" else "-be") if "utf-" in code and code != "utf-8" else ""
    text = element(kind, "añb".encode(code), order)
    assert read_variable(file_of(matrix(4, (1, 3), text, order=order), order=order), "s") == "añb"
    rows = read_variable(file_of(matrix(4, (3, 1), text, order=order), order=order), "s")
    assert np.asarray(rows).tolist() == ["a", "ñ", "b"]


def raw(flags: bytes, sides: bytes) -> bytes:
    return element(14, flags + sides + element(1, b"s") + numbered(9, "d", 1))


def fields_of(width: bytes, names: bytes, sides: tuple[int, ...] = (1, 1)) -> bytes:
    return matrix(2, sides, width, element(1, names), name=b"s")


FLAGS, SIDES, ONE = numbered(6, "I", 6, 0), numbered(5, "i", 1, 1), numbered(5, "i", 1)
NO_SHAPE, NO_FIELDS = "a matrix has no shape", "the names of its fields are broken"
BROKEN = [
    (matrix(6, (1, 1), struct.pack("<HH4s", 9, 5, b"")), "an element does not fit its tag"),
    (matrix(6, (1, 1), struct.pack("<HH4s", 9, 4, b"")), "a number is cut short"),
    (matrix(6, (1, 1)), "an element is missing"),
    (matrix(6, (1, 1), struct.pack("<II", 9, 8)), "an element is longer than what holds it"),
    (matrix(6, (1, 1), element(8, b"12345678")), "numbers of the unknown kind 8"),
    (matrix(4, (1, 1), element(9, b"12345678")), "text of the unknown kind 9"),
    (matrix(4, (2, 2), element(16, b"abc")), "3 characters for the shape (2, 2)"),
    (matrix(6, (1, 3), numbered(9, "d", 1, 2)), "2 values for the shape (1, 3)"),
    (matrix(1, (1, 1), numbered(9, "d", 1)), "a matrix is expected"),
    # of 48 bytes, six elements may lie in them, or of 56 seven; of fields in 80 bytes ten
    (matrix(1, (1, 6)), "an element is missing"),
    (matrix(1, (1, 7)), "7 elements are told, which do not fit"),
    (matrix(1, (2, 4), element(14, b"")), "8 elements are told, which do not fit"),
    (fields_of(numbered(5, "i", 2), b"a\0b\0", (1, 5)), "an element is missing"),
    (fields_of(numbered(5, "i", 2), b"a\0b\0", (2, 3)), "12 elements are told, which do not fit"),
    (raw(numbered(6, "I"), SIDES), NO_SHAPE),
    (raw(FLAGS, numbered(9, "d", 1, 1)), NO_SHAPE),
    (raw(FLAGS, numbered(5, "i", 1)), NO_SHAPE),
    (raw(FLAGS, numbered(5, "i", -1, -1)), NO_SHAPE),
    (fields_of(numbered(5, "i", 0), b"a"), NO_FIELDS),
    (fields_of(numbered(5, "i", 1, 1), b"a"), NO_FIELDS),
    (fields_of(numbered(5, "i", 2), b"abc"), NO_FIELDS),
]  # fmt: skip


@pytest.mark.parametrize(("variable", "words"), BROKEN, ids=[words for _, words in BROKEN])
def test_each_way_of_lying_is_named(variable: bytes, words: str) -> None:
    with pytest.raises(MatlabError, match=f"^{re.escape(words)}$"):
        read_variable(file_of(variable), "s")


def test_structs_of_short_names_and_of_none() -> None:
    one = element(14, b"")
    found = read_variable(file_of(matrix(2, (1, 1), ONE, element(1, b"ab"), one, one)), "s")
    assert [list(row) for row in np.ravel(found)] == [["a", "b"]]  # type: ignore[arg-type]
    assert np.shape(read_variable(file_of(matrix(2, (1, 1), ONE, element(1, b""))), "s")) == (0, 0)
    short = struct.pack("<HH4s", 2, 4, bytes((1, 2, 3, 4)))
    assert np.asarray(read_variable(file_of(matrix(9, (2, 2), short)), "s")).tolist() == [[1, 3], [2, 4]]


@pytest.mark.parametrize("kind", [3, 5, 16, 17])
def test_objects_sparse_matrices_and_functions_are_no_data(kind: int) -> None:
    assert read_variable(file_of(matrix(kind, (1, 1), numbered(9, "d", 1))), "s") is None


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
