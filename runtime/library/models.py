"""Models on disk: the shipped ones, the user's own, and what may be loaded into this process."""

from __future__ import annotations

import os
import re
import shutil
import stat
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from models.spec import ModelSpec
from runtime.engine.sessions import read_model, sha256
from runtime.model_files.admission import SUMS, admit, read_sums
from runtime.model_files.metadata import describe, describe_file
from runtime.system import paths
from runtime.system.disk import cannot_write
from runtime.system.errors import Refusal
from runtime.system.files import (
    TEMPORARY_PREFIX,
    entries,
    make_private_dir,
    read_regular,
    refused,
    write_folder,
)
from runtime.system.locks import exclusive

CARD = "CARD.md"
MAX_CARD_BYTES = 1 << 18
PATIENCE_S = 10.0  # with another command that adds a model
FACTOR_SUFFIX = ".factor.onnx"
NAME = re.compile(r"[\w][\w .+-]{0,63}", re.UNICODE)


@dataclass(frozen=True)
class Bundle:
    """A model on disk, described but not loaded.

    Attributes:
        notices: what a careful user should know before using it.
    """

    path: Path
    spec: ModelSpec
    shipped: bool  #: lies in the program's own assets
    notices: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """As it is chosen: the folder's name for models in a library."""
        return self.path.stem if self.path.is_file() else self.path.name

    @property
    def files(self) -> dict[str, Path]:
        """Stage → file."""
        if self.path.is_file():
            return {self.spec.stage: self.path}
        return {stage: self.path / f"{stage}.onnx" for stage in self.spec.stage_names}

    @property
    def card(self) -> str:
        """The text of its CARD.md; empty without one that can be read."""
        try:
            return read_regular(self.path / CARD, MAX_CARD_BYTES, follow=False).decode("utf-8", "replace")
        except OSError:
            return ""

    @property
    def bytes_on_disk(self) -> int:
        """Of all stages."""
        return sum(f.stat().st_size for f in self.files.values())


def list_models() -> list[Bundle]:
    """Every model of the program and of the user that describes itself; shipped ones first."""
    found = []
    for folder in (paths.models_dir(), paths.user_models_dir()):
        with suppress(Refusal):  # a folder that nobody may read: the commands say so
            for path in entries(folder):
                with suppress(Refusal):  # `find_model` says why when it is asked for
                    found.append(_open(path))
    return found


def find_model(name: str | Path) -> Bundle:
    """A model by name, or by the path of its folder or .onnx file.

    Raises:
        Refusal: there is none, or it does not describe itself.
    """
    shown = f"model {str(name)[:80]!r}"
    with refused(shown):
        for folder in (paths.models_dir(), paths.user_models_dir()):
            if NAME.fullmatch(str(name)) and (folder / name).is_dir():
                return _open(folder / name)
        path = Path(name)
        if path.exists():
            return _open(path)
    known = ", ".join(m.name for m in list_models()) or "none is installed"
    raise Refusal(shown, "there is no such model or folder", f"choose one of: {known}")


def _open(path: Path) -> Bundle:
    if not path.is_dir():
        spec = describe_file(path)
        if len(spec.stages) > 1:
            raise Refusal(
                f"model file {path.name}",
                f"it is the {spec.stage} stage of {spec.name}, not a whole model",
                "give the folder it lies in, or add it as a factor",
            )
        return Bundle(path, spec, shipped=False, notices=_notices(path))
    spec, first = _first_stage(path)
    bundle = Bundle(path, spec, shipped=path.parent == paths.models_dir(), notices=_notices(path, first))
    for stage, file in bundle.files.items():
        if not file.exists():
            raise Refusal(
                f"model {path.name}", f"its {stage} stage is missing", f"put {file.name} into {path}"
            )
    return bundle


def _first_stage(folder: Path) -> tuple[ModelSpec, Path]:
    """The description and the file of a model's first stage, which any of its files names."""
    files = [f for f in sorted(folder.glob("*.onnx")) if not f.name.endswith(FACTOR_SUFFIX)]
    if not files:
        raise Refusal(
            f"model folder {folder.name}",
            "it holds no .onnx file",
            "give a folder written by `xfactor export`",
        )
    spec = describe_file(files[0])
    first = folder / f"{spec.stage_names[0]}.onnx"
    if first not in files:
        raise Refusal(
            f"model {folder.name}", f"its {first.stem} stage is missing", f"put {first.name} into {folder}"
        )
    return (spec if first == files[0] else describe_file(first)), first


def _notices(*files: Path) -> tuple[str, ...]:
    notices = []
    for file in files:
        info = file.stat()
        if info.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            notices.append(f"{file.name} can be changed by other users of this machine")
        if hasattr(os, "getuid") and info.st_uid not in (0, os.getuid()):
            notices.append(f"{file.name} belongs to another user")
    return tuple(notices)


def load_bundle(bundle: Bundle) -> dict[str, bytes]:
    """The verified bytes of every stage, ready for sessions.

    Raises:
        Refusal: a file is not the one its SHA256SUMS names, stages do not belong together, or an unknown
            model failed its trial in a child process. Nothing is deleted or fetched again.
    """
    data = {stage: read_model(file) for stage, file in bundle.files.items()}
    check_sums(bundle.path / SUMS, {bundle.files[s].name: d for s, d in data.items()})
    for stage, content in data.items():
        spec = describe(f"{stage}.onnx", content)
        if (spec.stage, spec.stage_names) != (stage, bundle.spec.stage_names):
            raise Refusal(
                f"model file {stage}.onnx",
                f"it describes itself as the {spec.stage} of a model with {', '.join(spec.stage_names)}",
                f"export {bundle.name} again",
            )
        for other, expected in spec.siblings.items():
            if other in data and other != stage and sha256(data[other]) != expected:
                raise Refusal(
                    f"model {bundle.name}",
                    f"{stage}.onnx belongs to another {other}.onnx (expected {expected[:12]}…)",
                    "keep the files of one export together",
                )
    admit(bundle.name, data)
    return data


def put_model(target: Path, files: Mapping[str, bytes]) -> None:
    """Make a model folder of these files, whole or not at all.

    Raises:
        Refusal: the disk does not allow it.
    """
    try:
        with exclusive(make_private_dir(target.parent), patience_s=PATIENCE_S):
            for left in target.parent.glob(f"{TEMPORARY_PREFIX}*"):
                shutil.rmtree(left, ignore_errors=True)  # of a program that was killed
            write_folder(target, files)
    except OSError as e:
        raise cannot_write(target, e) from e


def check_sums(sums: Path, files: dict[str, bytes]) -> None:
    """Compare with the SHA256SUMS beside the files, when there is one.

    Raises:
        Refusal: with the expected and the actual hash.
    """
    expected = read_sums(sums)
    for name, content in files.items():
        actual = sha256(content)
        if name in expected and expected[name] != actual:
            raise Refusal(
                f"model file {name}",
                f"its SHA-256 is {actual[:16]}…, {SUMS} says {expected[name][:16]}…",
                "fetch the file again, or export the model again",
            )
