"""Reading variables of MATLAB 5 files (version 7 and older, without -v7.3), with bounds checked.

scipy 1.17 takes lengths and types from the file on trust: a few changed bytes in a file without compression
crash the interpreter. Data sets are downloaded, so this one trusts nothing: every element must lie inside
the one that holds it, and what a file unpacks to is limited.
"""

from __future__ import annotations

import math
import struct
import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: Numbers of any shape; cells and structs as arrays of objects, a struct being a dict; text of one row as
#: str; None for what is not data: functions, objects, sparse and complex matrices.
Value = NDArray[Any] | str | None
Shape = tuple[int, ...]

HEADER_BYTES = 128
MAX_BYTES = 1 << 29  # unpacked; MPII's annotations, the largest of these sets, take a tenth of it
MAX_DEPTH = 16
EMPTY = np.zeros((0, 0))  # one for all: an empty matrix takes eight bytes of a file
EMPTY.flags.writeable = False
MATRIX, COMPRESSED = 14, 15  # kinds of elements
CELL, STRUCT, CHAR, FIRST_NUMBER, LAST_NUMBER = 1, 2, 4, 6, 15  # classes of matrices
COMPLEX = 0x0800
NUMBERS = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8"}
WHOLE = NUMBERS.keys() - {7, 9}
DTYPES = {(order, kind): np.dtype(order + code) for order in "<>" for kind, code in NUMBERS.items()}
TEXTS = {1: "latin-1", 2: "latin-1", 4: "utf-16", 16: "utf-8", 17: "utf-16", 18: "utf-32"}


class MatlabError(ValueError):
    """Not a MATLAB 5 file, or a broken one."""


@dataclass(slots=True)  # not frozen: MPII's file has millions of them
class Element:
    """Bytes start..end of a buffer, and what they are."""

    data: bytes
    order: str  #: < or >
    kind: int
    start: int
    end: int
    depth: int = 0

    def first(self) -> Element:
        """The first element inside."""
        return self._at(self.start)

    def next(self, inside: Element) -> Element:
        """The element after one that lies inside."""
        return self._at(inside.end + (-inside.end) % 8)

    def _at(self, at: int) -> Element:
        if at + 8 > self.end:
            raise MatlabError("an element is missing")
        kind, size = struct.unpack_from(self.order + "II", self.data, at)
        start = at + 8
        if kind >> 16:
            kind, size, start = kind & 0xFFFF, kind >> 16, at + 4
            if size > 4:
                raise MatlabError("an element does not fit its tag")
        if start + size > self.end:
            raise MatlabError("an element is longer than what holds it")
        return Element(self.data, self.order, kind, start, start + size, self.depth)

    def numbers(self) -> NDArray[Any]:
        """The numbers of an element."""
        dtype = DTYPES.get((self.order, self.kind))
        if dtype is None:
            raise MatlabError(f"numbers of the unknown kind {self.kind}")
        if (self.end - self.start) % dtype.itemsize:
            raise MatlabError("a number is cut short")
        n = (self.end - self.start) // dtype.itemsize
        return np.frombuffer(self.data, dtype, n, self.start)

    def text(self) -> str:
        """The text of an element."""
        code = TEXTS.get(self.kind)
        if code is None:
            raise MatlabError(f"text of the unknown kind {self.kind}")
        if code in ("utf-16", "utf-32"):
            code += "-le" if self.order == "<" else "-be"
        return self.data[self.start : self.end].decode(code)


def read_variable(data: bytes, name: str) -> Value:
    """A variable of a file by name.

    Raises:
        MatlabError: the file is broken, of another version, or has no such variable.
    """
    order = {b"IM": "<", b"MI": ">"}.get(data[126:HEADER_BYTES])
    if order is None:
        raise MatlabError("it has no header of MATLAB 5")
    if struct.unpack_from(order + "H", data, 124)[0] != 0x0100:
        raise MatlabError("it is of MATLAB 7.3; save it in MATLAB with -v7")
    rest, left = data[HEADER_BYTES:], MAX_BYTES
    try:
        while rest:
            element = Element(rest, order, 0, 0, len(rest)).first()
            rest = rest[element.end :]
            if element.kind == COMPRESSED:
                element = _unpacked(element, left)
                left -= len(element.data)
            if element.kind == MATRIX and _header(element)[2] == name:
                return _matrix(element)
    except (struct.error, zlib.error, ValueError, OverflowError, MemoryError) as e:
        raise MatlabError(str(e)) from e
    raise MatlabError(f"it has no variable `{name}`")


def _unpacked(element: Element, limit: int) -> Element:
    unpacker = zlib.decompressobj()
    data = unpacker.decompress(element.data[element.start : element.end], limit + 1)  # 0 were no limit
    if not unpacker.eof or len(data) > limit:
        raise MatlabError("a compressed variable is cut short, or unpacks to more than 512 MiB")
    return Element(data, element.order, 0, 0, len(data)).first()


def _header(matrix: Element) -> tuple[int, Shape, str, Element]:
    """Flags, shape and name of a matrix, and the element that holds the name."""
    flags = matrix.first()
    shape = matrix.next(flags)
    name = matrix.next(shape)
    words, sides = flags.numbers(), tuple(shape.numbers().tolist())
    if shape.kind not in WHOLE or not len(words) or len(sides) < 2 or min(sides) < 0:
        raise MatlabError("a matrix has no shape")
    return int(words[0]), sides, name.text() if name.end > name.start else "", name


def _matrix(matrix: Element) -> Value:
    if matrix.kind != MATRIX:
        raise MatlabError("a matrix is expected")
    if matrix.start == matrix.end:
        return EMPTY
    if matrix.depth > MAX_DEPTH:
        raise MatlabError("it is nested too deeply")
    flags, shape, _, last = _header(matrix)
    kind = flags & 0xFF
    inner = Element(matrix.data, matrix.order, MATRIX, matrix.start, matrix.end, matrix.depth + 1)
    if kind == CELL:
        return _cells(inner, last, shape)
    if kind == STRUCT:
        return _structs(inner, last, shape)
    if flags & COMPLEX or not (kind == CHAR or FIRST_NUMBER <= kind <= LAST_NUMBER):
        return None
    if kind == CHAR:
        return _characters(matrix, last, shape)
    return _shaped(matrix.next(last).numbers(), shape)


def _shaped(values: NDArray[Any], shape: Shape) -> NDArray[Any]:
    if len(values) != math.prod(shape):
        raise MatlabError(f"{len(values)} values for the shape {shape}")
    return values.reshape(shape, order="F")


def _characters(matrix: Element, last: Element, shape: Shape) -> Value:
    if math.prod(shape) == 0:  # then the text itself may be absent
        return ""
    text = matrix.next(last).text()
    if shape[0] == 1:
        return text
    if len(text) != math.prod(shape):
        raise MatlabError(f"{len(text)} characters for the shape {shape}")
    return np.array([text[i :: shape[0]] for i in range(shape[0])], dtype=object)


def _room(matrix: Element, n: int) -> int:
    """The number itself, when that many elements can lie in the matrix: each takes eight bytes or more."""
    if n * 8 > matrix.end - matrix.start:
        raise MatlabError(f"{n} elements are told, which do not fit")
    return n


def _cells(matrix: Element, last: Element, shape: Shape) -> Value:
    n = _room(matrix, math.prod(shape))
    out = np.empty(n, dtype=object)
    for i in range(n):
        last = matrix.next(last)
        out[i] = _matrix(last)
    return _shaped(out, shape)


def _structs(matrix: Element, last: Element, shape: Shape) -> Value:
    width_element = matrix.next(last)
    last = matrix.next(width_element)
    width = width_element.numbers()
    joined = matrix.data[last.start : last.end]
    if len(width) != 1 or width[0] < 1 or len(joined) % int(width[0]):
        raise MatlabError("the names of its fields are broken")
    step = int(width[0])
    rows = (joined[i : i + step] for i in range(0, len(joined), step))
    fields = [row.split(b"\0", 1)[0].decode("latin-1") for row in rows]
    n = math.prod(shape) if fields else 0
    _room(matrix, n * len(fields))
    out = np.empty(n, dtype=object)
    for i in range(n):
        record: dict[str, Value] = {}
        for field in fields:
            last = matrix.next(last)
            record[field] = _matrix(last)
        out[i] = record
    return _shaped(out, shape) if fields else np.empty((0, 0), dtype=object)
