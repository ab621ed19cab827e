"""Just enough protobuf to look into an ONNX file without loading its weights or any ONNX library.

Weights are skipped by seeking, so the description of a 500 MB file is read in a millisecond.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

MAX_TEXT_BYTES = 1 << 17
MAX_TEXTS_BYTES = 8 << 20  # of one file, read again or not
MAX_NUMBERS = 1 << 19  # of one file, two a field, walked again or not; a real graph has some 10 000


class MalformedError(ValueError):
    """The bytes are not protobuf."""


@dataclass(frozen=True)
class Field:
    """One field of a message: a number, or a span of the file."""

    number: int
    value: int  #: of a number; 0 for a span
    start: int  #: of a span, bytes from the beginning of the file
    length: int  #: of a span, bytes; −1 for a number

    @property
    def is_span(self) -> bool:
        """True for the wire type of messages, texts and bytes."""
        return self.length >= 0


class Reader:
    """Walks the messages of one file, for as long as a real model may take."""

    def __init__(self, file: BinaryIO, numbers: int = MAX_NUMBERS) -> None:
        self._file = file
        self.size = file.seek(0, io.SEEK_END)
        self._numbers_left, self._bytes_left = numbers, MAX_TEXTS_BYTES

    def whole(self) -> Field:
        """The file as one message."""
        return Field(0, 0, 0, self.size)

    def fields(self, message: Field) -> Iterator[Field]:
        """The fields of a message, in the order written.

        Raises:
            MalformedError: when the bytes cannot be protobuf, or are more than a model's.
        """
        position, end = message.start, message.start + message.length
        while position < end:
            key, position = self._varint(position, end)
            number, wire = key >> 3, key & 7
            if number == 0:
                raise MalformedError("a field has the number 0")
            if wire == 0:
                value, position = self._varint(position, end)
                yield Field(number, value, 0, -1)
                continue
            if wire == 2:
                length, position = self._varint(position, end)
                yield Field(number, 0, position, self._fits(length, position, end))
            elif wire in (1, 5):
                length = self._fits(8 if wire == 1 else 4, position, end)
            else:
                raise MalformedError(f"a field has the unknown type {wire}")
            position += length

    def text(self, span: Field) -> str:
        """A span as UTF-8, undecodable bytes replaced.

        Raises:
            MalformedError: when it is no span or longer than descriptions may be, alone or in all.
        """
        self._bytes_left -= span.length
        if not 0 <= span.length <= MAX_TEXT_BYTES or self._bytes_left < 0:
            raise MalformedError("a text is missing or too long")
        self._file.seek(span.start)
        return self._file.read(span.length).decode("utf-8", "replace")

    def integers(self, field: Field) -> list[int]:
        """A repeated integer, packed or not, as signed 64-bit numbers."""
        values = [field.value]
        if field.is_span:
            values, position, end = [], field.start, field.start + field.length
            while position < end:
                value, position = self._varint(position, end)
                values.append(value)
        return [v - (1 << 64) if v >> 63 else v for v in values]

    def _varint(self, position: int, end: int) -> tuple[int, int]:
        self._numbers_left -= 1
        if self._numbers_left < 0:
            raise MalformedError("it has more fields than a model")
        self._file.seek(position)
        value = 0
        for i, byte in enumerate(self._file.read(min(10, end - position))):
            value |= (byte & 0x7F) << (7 * i)
            if byte < 0x80:
                return value & ((1 << 64) - 1), position + i + 1
        raise MalformedError("a number does not end")

    @staticmethod
    def _fits(length: int, position: int, end: int) -> int:
        if length > end - position:
            raise MalformedError("a field is longer than the file")
        return length
