"""The factor library: a folder of personalised factors, with earlier generations and thumbnails.

`NAME.factor.onnx` is the generation in use; replacing it is one atomic step, so at any moment it is a whole
factor, the old one or the new. `history/NAME/000001.factor.onnx` and so on are earlier ones, `faces/NAME.png`
is a picture of the person.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from models.spec import ModelSpec
from runtime.engine.sessions import read_model, sha256
from runtime.library.factor_folder import FactorFolder
from runtime.library.models import FACTOR_SUFFIX, NAME
from runtime.model_files.admission import admit
from runtime.model_files.metadata import describe_file
from runtime.system import paths
from runtime.system.disk import cannot_write
from runtime.system.errors import Refusal, printable
from runtime.system.files import make_private_dir, refused, write_atomic

KEPT: Final = 8  #: earlier generations of a name; older ones go
DEFAULT_NAME: Final = "person"


@dataclass(frozen=True)
class FactorFile:
    """A factor on disk, described but not loaded."""

    path: Path
    spec: ModelSpec

    @classmethod
    def open(cls, path: Path) -> FactorFile:
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
        return cls(path, spec)

    @property
    def name(self) -> str:
        """The file's name without the suffix."""
        return self.path.name.removesuffix(FACTOR_SUFFIX).removesuffix(".onnx")

    @property
    def trunk_sha256(self) -> str:
        """The trunk it was made for; empty when the file does not say."""
        return self.spec.card.base_trunk_sha256 if self.spec.card else self.spec.siblings.get("trunk", "")

    def load(self, trunk: bytes) -> bytes:
        """Verified bytes of the factor for this trunk.

        Raises:
            Refusal: it was made for another trunk, or it failed its trial in a child process.
        """
        if self.trunk_sha256 != sha256(trunk):
            raise Refusal(
                f"factor {self.name}",
                f"it was made for another trunk ({self.trunk_sha256[:12] or 'not named'}…)",
                "choose the model it was made for, or personalise again with the model in use",
            )
        data = read_model(self.path)
        admit(f"factor {self.name}", {"trunk": trunk, "factor": data})
        return data


@dataclass(frozen=True)
class Generation:
    """An earlier factor of a name."""

    number: int
    file: FactorFile


def user_factors() -> FactorLibrary:
    """This user's library."""
    return FactorLibrary(paths.user_factors_dir())


def usable_name(text: str) -> str:
    """A name for the library made of any text."""
    cleaned = re.sub(r"[^\w .+-]", " ", text).strip(" .+-")
    return re.sub(r"\s+", " ", cleaned)[:60].strip() or DEFAULT_NAME


class FactorLibrary:
    """A folder of factors. Every method that changes it raises `Refusal` when the disk does not allow it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._places = FactorFolder(folder)

    # -- looking up

    def factors(self) -> list[FactorFile]:
        """Every factor that describes itself, by name.

        Raises:
            Refusal: the folder cannot be read.
        """
        return list(_readable(self._places.files()))

    def unreadable(self) -> list[Refusal]:
        """Why each of the other files is no factor; they can be removed like one."""
        refusals = []
        for path in self._places.files():
            try:
                FactorFile.open(path)
            except Refusal as e:
                name = printable(path.name.removesuffix(FACTOR_SUFFIX))
                refusals.append(Refusal(name, e.reason, f"remove it: xfactor factors remove {name}"))
        return refusals

    def path(self, name: str) -> Path:
        """Place of a name's file, whether it exists or not."""
        return self._places.belongings(name)[0]

    def find(self, name: str | Path) -> FactorFile:
        """A factor by its name in the library, or by path.

        Raises:
            Refusal: there is none, or it does not describe itself.
        """
        shown = f"factor {str(name)[:80]!r}"
        with refused(shown):
            if NAME.fullmatch(str(name)) and self.path(str(name)).exists():
                return FactorFile.open(self.path(str(name)))
            if Path(name).exists():
                return FactorFile.open(Path(name))
        raise Refusal(shown, "there is no such factor or file", self._choice())

    def existing(self, name: str) -> Path:
        """Place of a name's file; a name that steers a terminal is also known as it is shown.

        Raises:
            Refusal: there is none.
        """
        shown = f"factor {name[:80]!r}"
        with refused(shown):
            if NAME.fullmatch(name) and os.path.lexists(self.path(name)):
                return self.path(name)
        for path in self._places.files():
            if name in {stem := path.name.removesuffix(FACTOR_SUFFIX), printable(stem)}:
                return path
        raise Refusal(shown, "it is not in the library", self._choice())

    def free_name(self, text: str) -> str:
        """A usable name made of `text`, with a number when the library has one of it already."""
        name, number = usable_name(text), 2
        candidate = name
        while self.path(candidate).exists():
            candidate, number = f"{name} {number}", number + 1
        return candidate

    def thumbnail(self, name: str) -> Path | None:
        """A name's thumbnail, when it has one."""
        path = self._places.belongings(name)[2]
        return path if path.is_file() else None

    def generations(self, name: str) -> list[Generation]:
        """Earlier generations of a name, the newest first; those that cannot be read are left out."""
        return [Generation(_number(f.path), f) for f in _readable(reversed(self._earlier(name)))]

    # -- changing

    def add(self, path: Path, trunk: bytes, name: str = "") -> FactorFile:
        """Copy a factor into the library after its trial.

        Raises:
            Refusal: the file is refused, or the name is taken or unusable.
        """
        factor = FactorFile.open(path)
        data, target = factor.load(trunk), self._free_place(name or factor.name)
        with self._places.changing():
            write_atomic(self._free_place(name or factor.name), data)
        return FactorFile.open(target)

    def put(self, path: Path, trunk: bytes, name: str) -> FactorFile:
        """Copy a factor into the library after its trial; one of the same name becomes an earlier generation.

        Raises:
            Refusal: the file is refused, or the name is unusable. Nothing has changed then.
        """
        self._place(name)
        data = FactorFile.open(path).load(trunk)
        with self._places.changing():
            return self._replace(name, data)

    def roll_back(self, name: str, number: int | None = None) -> FactorFile:
        """Use an earlier generation again, the newest by default; the one in use becomes an earlier one.

        Raises:
            Refusal: there is none.
        """
        earlier = self.generations(name)
        wanted = next((g for g in earlier if number in {None, g.number}), None)
        if wanted is None:
            if not earlier:
                self.existing(name)
            known = ", ".join(str(g.number) for g in earlier)
            remedy = f"choose one of: {known}" if known else "personalise again to make one"
            raise Refusal(f"factor {name[:80]!r}", "there is no such earlier generation", remedy)
        data = read_model(wanted.file.path)
        with self._places.changing():
            restored = self._replace(name, data)
            with suppress(OSError):
                wanted.file.path.unlink()
        return restored

    def rename(self, name: str, new: str) -> FactorFile:
        """Give a factor another name, with its generations and its thumbnail: all of it, or later the rest.

        Raises:
            Refusal: there is none, or the new name is taken or unusable.
        """
        self._place(name)
        self.existing(name)
        with self._places.changing():
            self._free_place(new)
            self._places.note_renaming(name, new)
        with self._places.changing("it has its new name as soon as the disk allows it"):
            return FactorFile.open(self.path(new))

    def set_thumbnail(self, name: str, picture: NDArray[np.uint8]) -> None:
        """Give a factor its thumbnail, (h, w, 3) RGB."""
        data = cv2.imencode(".png", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))[1].tobytes()
        with self._places.changing():
            path = self._places.belongings(name)[2]
            write_atomic(make_private_dir(path.parent) / path.name, data)

    def export(self, name: str, target: Path) -> Path:
        """Copy a factor out of the library; the suffix is added when it is missing."""
        if not target.name.endswith(FACTOR_SUFFIX):
            target = target.with_name(target.name.removesuffix(".onnx") + FACTOR_SUFFIX)
        data = read_model(self.find(name).path)
        try:
            write_atomic(target, data)
        except OSError as e:
            raise cannot_write(target, e) from e
        return target

    def remove(self, name: str) -> None:
        """Delete a factor with its generations and its thumbnail.

        Raises:
            Refusal: there is none of this name, or something of it could not be deleted.
        """
        path = self.existing(name)
        with self._places.changing():
            try:
                self._places.clear(path.name.removesuffix(FACTOR_SUFFIX))
            except OSError as e:
                reason = f"it cannot be deleted ({e.strerror})"
                raise Refusal(f"factor {name}", reason, f"Delete it by hand in {self.folder}") from e

    # -- files

    def _replace(self, name: str, data: bytes) -> FactorFile:
        """Keep the generation in use, then put another in its place."""
        current, files = self.path(name), self._earlier(name)
        kept = self._history(name) / f"{_number(files[-1]) + 1 if files else 1:06d}{FACTOR_SUFFIX}"
        if current.exists():
            make_private_dir(kept.parent)
            write_atomic(kept, read_model(current))
        write_atomic(current, data)
        for old in self._earlier(name)[:-KEPT]:
            old.unlink(missing_ok=True)
        return FactorFile.open(current)

    def _history(self, name: str) -> Path:
        self._place(name)
        return self._places.belongings(name)[1]

    def _earlier(self, name: str) -> list[Path]:
        """Files of earlier generations, the oldest first."""
        return sorted(self._history(name).glob(f"*{FACTOR_SUFFIX}"))

    def _place(self, name: str) -> Path:
        if not NAME.fullmatch(name):
            what = f"factor name {name[:80]!r}"
            raise Refusal(what, "it cannot be a file name", "use letters, digits, - and _")
        return self.path(name)

    def _free_place(self, name: str) -> Path:
        target = self._place(name)
        if os.path.lexists(target):
            remedy = "remove it first, or give another name"
            raise Refusal(f"factor {name}", "the library already has one of this name", remedy)
        return target

    def _choice(self) -> str:
        names = ", ".join(printable(f.name) for f in self.factors())
        return f"choose one of: {names}" if names else "your library of factors is empty"


def _readable(files: Iterable[Path]) -> Iterator[FactorFile]:
    for path in files:
        with suppress(Refusal):  # `FactorLibrary.find` says why when it is asked for
            yield FactorFile.open(path)


def _number(path: Path) -> int:
    digits = path.name.removesuffix(FACTOR_SUFFIX)
    return int(digits) if digits.isdecimal() else 0


def is_factor(path: Path) -> bool:
    """True of a file that stands in the X factor's place."""
    with suppress(Refusal):
        return bool(FactorFile.open(path))
    return False
