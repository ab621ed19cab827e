"""Metadata of a model file, read without running or trusting it."""

from __future__ import annotations

import io
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any, BinaryIO

from models.spec import METADATA_KEY, ModelSpec, SpecError
from runtime.model_files.protobuf import MalformedError, Reader
from runtime.system.errors import Refusal

METADATA_PROPS = 14  # field numbers of onnx.proto
KEY, VALUE = 1, 2
GRAPH = 7
LONGEST_NAME = 120
MAX_NUMBERS = 1 << 13  # beside the graph, which is passed over; read in ten milliseconds

#: How files begin that people take for models.
_CONVERT = "convert a checkpoint with `xfactor export`"
_IMPOSTORS = (
    (b"version https://git-lfs", "it is a git-lfs pointer, not the model itself", "run `git lfs pull`"),
    (b"PK\x03\x04", "it is a zip archive or a PyTorch checkpoint", _CONVERT),
    *((bytes((0x80, n)), "it is a Python pickle, which is never opened", _CONVERT) for n in range(2, 6)),
    (b"<", "it is a web page", "download the file itself"),
    (b"\x89HDF", "it is an HDF5 file", "give an .onnx file"),
)


class UndescribedError(Refusal):
    """A sound ONNX file of another program."""


def is_foreign(path: Path) -> bool:
    """True of a sound ONNX file that does not describe itself."""
    try:
        describe_file(path)
    except UndescribedError:
        return True
    except Refusal:
        pass
    return False


def describe(name: str, data: bytes) -> ModelSpec:
    """The description inside the bytes of a model file.

    Raises:
        Refusal: not an ONNX file, or one that does not describe itself.
    """
    return _describe(name, io.BytesIO(data))


def describe_file(path: Path) -> ModelSpec:
    """The description inside a model file; the weights are not read.

    Raises:
        Refusal: as `describe`, or the file cannot be read.
    """
    try:
        if not path.is_file():
            reason = "it is not a regular file" if os.path.lexists(path) else "it is not there"
            raise Refusal(f"model file {path.name}", reason, f"check {path}")
        with path.open("rb") as file:
            return _describe(path.name, file)
    except OSError as e:
        raise Refusal(
            f"model file {path.name}", f"it cannot be read ({e.strerror})", f"check the permissions of {path}"
        ) from e


def _describe(name: str, file: BinaryIO) -> ModelSpec:
    what = f"model file {name}"
    reader = Reader(file, MAX_NUMBERS)
    refuse_impostor(what, file, reader.size)
    try:
        text = _description(reader)
    except MalformedError as e:
        raise Refusal(what, f"it is not an ONNX file, or it is cut off ({e})", "fetch the file again") from e
    if text is None:
        remedy = "use a model made by `xfactor export`, or X factor > Another network for its silhouette"
        raise UndescribedError(what, "it carries no xfactor description", remedy)
    try:
        spec = ModelSpec.from_json(text)
        _check_texts(asdict(spec))
    except SpecError as e:
        raise Refusal(what, str(e), "export it again with this version of xfactor") from e
    return spec


def _check_texts(description: dict[str, Any]) -> None:
    """Refuse what would steer a terminal, hide letters or fill a window: texts are shown as they are."""
    letters = len(description["name"])
    if letters > LONGEST_NAME:  # it stands in titles, in the status bar and in messages
        raise SpecError(f"its name has {letters} letters, and may have {LONGEST_NAME}")
    pending: list[Any] = [description]
    while pending:
        value = pending.pop()
        if isinstance(value, dict):
            pending += [*value, *value.values()]
        elif isinstance(value, list | tuple):
            pending += value
        elif isinstance(value, str) and not value.replace("\n", "").isprintable():
            raise SpecError(f"the model description holds control characters ({value!a:.60})")


def refuse_impostor(what: str, file: BinaryIO, size: int) -> None:
    """Say what a file is that is not a model.

    Raises:
        Refusal: empty, or begins like something else.
    """
    if size == 0:
        raise Refusal(what, "it is empty", "fetch the file again")
    file.seek(0)
    beginning = file.read(64).lstrip()
    for signature, reason, remedy in _IMPOSTORS:
        if beginning.startswith(signature):
            raise Refusal(what, reason, remedy)


def _description(reader: Reader) -> str | None:
    text, graphs = None, 0
    for field in reader.fields(reader.whole()):
        graphs += field.number == GRAPH
        if field.number == METADATA_PROPS and field.is_span:
            entry = {f.number: f for f in reader.fields(field)}
            if KEY in entry and VALUE in entry and reader.text(entry[KEY]) == METADATA_KEY:
                text = reader.text(entry[VALUE])
    if graphs != 1:
        raise MalformedError("there is no graph in it" if not graphs else "there are several graphs in it")
    return text
