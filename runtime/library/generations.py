"""History: earlier generations of a factor, so that personalising again can be taken back.

The file `<name>.factor.onnx` in the library is the generation in use; replacing it is one atomic step, so at
any moment it is a whole factor, the old one or the new. Earlier ones lie beside it, newest last.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from runtime.engine.sessions import read_model
from runtime.library import models
from runtime.library.models import FACTOR_SUFFIX, FactorFile
from runtime.system import paths
from runtime.system.disk import cannot_write
from runtime.system.errors import Refusal
from runtime.system.files import make_private_dir, write_atomic

FOLDER: Final = "history"
KEPT: Final = 8  #: earlier generations of a name; older ones go


@dataclass(frozen=True)
class Generation:
    """An earlier factor of a name."""

    number: int
    file: FactorFile


def put(path: Path, trunk: bytes, name: str) -> FactorFile:
    """Put a factor into the library after its trial; one of the same name becomes an earlier generation.

    Raises:
        Refusal: the file is refused, the name is unusable, or it cannot be written. Nothing has changed then.
    """
    _folder(name)  # refuses what is no name
    if name not in {f.name for f in models.list_factors()}:
        try:
            return models.add_factor(path, trunk, name)
        except OSError as e:
            raise cannot_write(_current(name), e) from e
    data = models.load_factor(models.open_factor(path), trunk)
    return _replace(name, data)


def generations(name: str) -> list[Generation]:
    """Earlier generations of a name, the newest first; those that cannot be read are left out."""
    found = []
    for path in reversed(_files(name)):
        try:
            found.append(Generation(_number(path), models.open_factor(path)))
        except Refusal:
            continue
    return found


def roll_back(name: str, number: int | None = None) -> FactorFile:
    """Use an earlier generation again, the newest if none is named; the one in use becomes an earlier one.

    Raises:
        Refusal: there is none.
    """
    earlier = generations(name)
    wanted = next((g for g in earlier if number in {None, g.number}), None)
    if wanted is None:
        known = ", ".join(str(g.number) for g in earlier)
        remedy = f"choose one of: {known}" if known else "personalise again to make one"
        raise Refusal(f"factor {name[:80]!r}", "there is no such earlier generation", remedy)
    data = read_model(wanted.file.path)
    put_back = _replace(name, data)
    wanted.file.path.unlink(missing_ok=True)
    return put_back


def rename(name: str, new: str) -> None:
    """Let the generations of a name follow it to its new one."""
    old = _folder(name)
    if old.is_dir():
        shutil.rmtree(_folder(new), ignore_errors=True)
        old.rename(_folder(new))


def forget(name: str) -> None:
    """Delete all earlier generations.

    Raises:
        Refusal: something of them is still there.
    """
    try:
        shutil.rmtree(_folder(name))
    except FileNotFoundError:
        return
    except OSError as e:
        raise Refusal(
            f"earlier generations of {name}", f"they cannot be deleted ({e.strerror})", "Delete them by hand"
        ) from e


def _replace(name: str, data: bytes) -> FactorFile:
    """Keep the generation in use, then put another in its place."""
    current = _current(name)
    folder = _folder(name)
    files = _files(name)
    kept = folder / f"{_number(files[-1]) + 1 if files else 1:06d}{FACTOR_SUFFIX}"
    try:
        if current.exists():
            make_private_dir(folder)
            write_atomic(kept, read_model(current))
        write_atomic(current, data)
        for old in _files(name)[:-KEPT]:
            old.unlink(missing_ok=True)
    except OSError as e:
        raise cannot_write(current, e) from e
    return models.open_factor(current)


def _current(name: str) -> Path:
    return paths.user_factors_dir() / f"{name}{FACTOR_SUFFIX}"


def _folder(name: str) -> Path:
    if not models.NAME.fullmatch(name):
        raise Refusal(f"factor {name[:80]!r}", "it cannot be a file name", "use letters, digits, - and _")
    return paths.user_factors_dir() / FOLDER / name


def _files(name: str) -> list[Path]:
    """Earlier generations, the oldest first."""
    return sorted(_folder(name).glob(f"*{FACTOR_SUFFIX}"))


def _number(path: Path) -> int:
    digits = path.name.removesuffix(FACTOR_SUFFIX)
    return int(digits) if digits.isdecimal() else 0
