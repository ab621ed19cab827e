"""Models and factors on disk: the shipped ones, the user's own, and what may be loaded into this process."""

from __future__ import annotations

import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path

from models.spec import ModelSpec
from runtime.engine.sessions import read_model, sha256
from runtime.model_files.admission import SUMS, admit, read_sums
from runtime.model_files.metadata import describe, describe_file
from runtime.system import paths
from runtime.system.errors import Refusal
from runtime.system.files import make_private_dir, write_atomic

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
    def bytes_on_disk(self) -> int:
        """Of all stages."""
        return sum(f.stat().st_size for f in self.files.values())


@dataclass(frozen=True)
class FactorFile:
    """A factor on disk, described but not loaded."""

    path: Path
    spec: ModelSpec

    @property
    def name(self) -> str:
        """The file's name without the suffix."""
        return self.path.name.removesuffix(FACTOR_SUFFIX).removesuffix(".onnx")

    @property
    def trunk_sha256(self) -> str:
        """The trunk it was made for; empty when it does not say."""
        return self.spec.card.base_trunk_sha256 if self.spec.card else self.spec.siblings.get("trunk", "")


def list_models() -> list[Bundle]:
    """Every model of the program and of the user that describes itself; shipped ones first."""
    found = []
    for folder in (paths.models_dir(), paths.user_models_dir()):
        for path in sorted(folder.iterdir()) if folder.is_dir() else ():
            try:
                found.append(_open(path))
            except Refusal:
                continue  # `find_model` says why when it is asked for
    return found


def find_model(name: str | Path) -> Bundle:
    """A model by name, or by the path of its folder or .onnx file.

    Raises:
        Refusal: there is none, or it does not describe itself.
    """
    for folder in (paths.models_dir(), paths.user_models_dir()):
        if NAME.fullmatch(str(name)) and (folder / name).is_dir():
            return _open(folder / name)
    path = Path(name)
    if path.exists():
        return _open(path)
    known = ", ".join(m.name for m in list_models()) or "none is installed"
    raise Refusal(f"model {str(name)[:80]!r}", "there is no such model or folder", f"choose one of: {known}")


def _open(path: Path) -> Bundle:
    if path.is_file():
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


def list_factors() -> list[FactorFile]:
    """Every factor of the user's library that describes itself."""
    found = []
    folder = paths.user_factors_dir()
    for path in sorted(folder.glob(f"*{FACTOR_SUFFIX}")) if folder.is_dir() else ():
        try:
            found.append(open_factor(path))
        except Refusal:
            continue  # `find_factor` says why when it is asked for
    return found


def find_factor(name: str | Path) -> FactorFile:
    """A factor by its name in the user's library, or by path.

    Raises:
        Refusal: there is none, or it does not describe itself.
    """
    shelved = paths.user_factors_dir() / f"{name}{FACTOR_SUFFIX}"
    if NAME.fullmatch(str(name)) and shelved.exists():
        return open_factor(shelved)
    path = Path(name)
    if path.exists():
        return open_factor(path)
    raise Refusal(f"factor {str(name)[:80]!r}", "there is no such factor or file", _known_factors())


def open_factor(path: Path) -> FactorFile:
    """Describe a factor file.

    Raises:
        Refusal: it is not a factor.
    """
    spec = describe_file(path)
    if spec.stage != spec.factor_stage:
        raise Refusal(
            f"factor {path.name}",
            f"it is the {spec.stage} stage of a model",
            "give a .factor.onnx file made for this model",
        )
    return FactorFile(path, spec)


def load_factor(factor: FactorFile, trunk: bytes) -> bytes:
    """The verified bytes of a factor for this trunk.

    Raises:
        Refusal: it was made for another trunk, or it failed its trial in a child process.
    """
    if factor.trunk_sha256 != sha256(trunk):
        raise Refusal(
            f"factor {factor.name}",
            f"it was made for another trunk ({factor.trunk_sha256[:12] or 'not named'}…, {factor.spec.name})",
            "choose the model it was made for, or personalise again with the model in use",
        )
    data = read_model(factor.path)
    admit(f"factor {factor.name}", {"trunk": trunk, "factor": data})
    return data


def add_factor(path: Path, trunk: bytes, name: str | None = None) -> FactorFile:
    """Copy a factor into the user's library after its trial.

    Raises:
        Refusal: the file is refused, or the name is taken or unusable.
    """
    factor = open_factor(path)
    target = _free_place(name or factor.name)
    data = load_factor(factor, trunk)
    make_private_dir(target.parent)
    write_atomic(target, data)
    return open_factor(target)


def rename_factor(name: str, new: str) -> FactorFile:
    """Give a factor of the user's library another name.

    Raises:
        Refusal: there is none, or the new name is taken or unusable.
    """
    factor = find_factor(name)
    if factor.path.parent != paths.user_factors_dir():
        raise Refusal(f"factor {name[:80]!r}", "it is not in the library", _known_factors())
    target = _free_place(new)
    try:
        factor.path.rename(target)
    except OSError as e:
        raise Refusal(
            f"factor {name}", f"it cannot be renamed ({e.strerror})", f"check {target.parent}"
        ) from e
    return open_factor(target)


def _free_place(name: str) -> Path:
    """Where a factor of this name would lie in the user's library."""
    if not NAME.fullmatch(name):
        raise Refusal(
            f"factor name {name[:80]!r}", "it cannot be a file name", "use letters, digits, - and _"
        )
    target = paths.user_factors_dir() / f"{name}{FACTOR_SUFFIX}"
    if target.exists():
        raise Refusal(
            f"factor {name}",
            "the library already has one of this name",
            "remove it first, or give another name",
        )
    return target


def remove_factor(name: str) -> None:
    """Delete a factor from the user's library.

    Raises:
        Refusal: the library has none of this name.
    """
    target = paths.user_factors_dir() / f"{name}{FACTOR_SUFFIX}"
    if not NAME.fullmatch(name) or not target.exists():
        raise Refusal(f"factor {name[:80]!r}", "it is not in the library", _known_factors())
    target.unlink()


def _known_factors() -> str:
    names = ", ".join(f.name for f in list_factors())
    return f"choose one of: {names}" if names else "your library of factors is empty"
