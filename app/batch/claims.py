"""Claims on result files: what a run wrote, by size and SHA-256. Every other file belongs to the user."""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Container, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

from PIL import Image

from runtime.output.growing_file import unfinished
from runtime.output.products import PRODUCTS, whole
from runtime.system.disk import cannot_write

_DIGITS: Final = 20  # of the SHA-256 of a frame's picture: 80 bits, for ten thousand frames are 200 kB
_FRAME: Final = re.compile(r"\d{6,}\.png")
#: Nothing: the name alone, of a file that was about to be written. A file: size and SHA-256. The pictures of
#: frames, under their folder's name: first and every, and the first digits of the SHA-256 of each.
_CLAIM: Final = re.compile(r"|\d{1,15}:[0-9a-f]{64}|\d{1,9}\+[1-9]\d{0,8}:(?:[0-9a-f]{20})*")

Claims = dict[str, str]  #: by name below the folder of the results


def claims_from_json(raw: object, names: Container[str]) -> Claims:
    """Claims of a manifest on some names; others are a newer version's, or lead out of the folder.

    Raises:
        ValueError: they are none.
    """
    if not isinstance(raw, dict) or not all(isinstance(c, str) and _CLAIM.fullmatch(c) for c in raw.values()):
        raise ValueError("claims on files are none")
    return {name: claim for name, claim in raw.items() if name in names}


def names_alone(
    kind: str, output: str, save: Iterable[str] = tuple(PRODUCTS), suffixes: Iterable[str] = ("mov", "webm")
) -> Claims:
    """Claims on the names of an input's results, which are about to be written."""
    names: list[str] = []
    for product in (PRODUCTS[s] for s in save):
        if kind == "clip" and product.clip:
            videos = {product.clip.name.format(alpha=s) for s in suffixes}
            names += [*videos, *(str(unfinished(Path(v))) for v in videos)]
        if kind == "clip" and product.picture and product.picture.of_frames:
            names.append(product.picture.folder)
        if kind == "image" and product.picture:
            names.append(f"{product.picture.folder}/{output}{product.picture.suffix}")
    return dict.fromkeys(names, "")


def merged(one: Claims, other: Claims) -> Claims:
    """Claims of two runs; where both have one, the name."""
    return one | {n: "" if one.get(n, c) != c else c for n, c in other.items()}


def claim_on(data: bytes) -> str:
    """The claim on a file of these bytes."""
    return f"{len(data)}:{hashlib.sha256(data).hexdigest()}"


def claim_on_file(path: Path) -> str:
    """The claim on a file as it is; empty when it is no regular file, or cannot be read."""
    try:
        if not stat.S_ISREG(path.lstat().st_mode):
            return ""
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            return f"{file.tell()}:{digest}"
    except OSError:
        return ""


def claim_on_frames(claims: Iterable[str], first: int, every: int) -> str:
    """The claim on the pictures of frames, from the claims on each."""
    return f"{first}+{every}:" + "".join(c.partition(":")[2][:_DIGITS] for c in claims)


def _claim_of(claims: Mapping[str, str], name: str) -> str | None:
    """The claim on one file, of a frame only the digits that are kept."""
    folder, _, picture = name.partition("/")
    frames = claims.get(folder) if _FRAME.fullmatch(picture) else None
    if not frames:
        return claims.get(name, frames)
    colon = frames.index(":")
    first, every = map(int, frames[:colon].split("+"))
    place, other = divmod(int(picture[: -len(".png")]) - first, every)
    start = colon + 1 + place * _DIGITS
    found = frames[start : start + _DIGITS] if place >= 0 and not other else ""
    return f":{found}" if found else None


def holding(claims: Mapping[str, str], folder: Path, name: str) -> str:
    """The whole claim on a file that is the one claimed; empty for any other."""
    claim = _claim_of(claims, name)
    actual = claim_on_file(folder / name) if claim is not None else ""
    size, _, digest = (claim or "").partition(":")
    real_size, _, real = actual.partition(":")
    return actual if size in ("", real_size) and real.startswith(digest) else ""


class OwnFiles:
    """The files of one input that earlier runs wrote.

    Args:
        folder: Of the results.
        counting: Claims on results that count.
        replaced: Claims on results of another recipe or source, which are made again.
    """

    def __init__(self, folder: Path, counting: Claims, replaced: Claims) -> None:
        self.folder, self._counting, self._replaced = folder, counting, replaced

    def counted(self, name: str, *, by_name: bool = True) -> str:
        """The claim on a result that is there as it was written; empty when it has to be made.

        Args:
            name: Below the folder.
            by_name: Count a whole file, too, of which only the name is claimed.
        """
        claim = _claim_of(self._counting, name)
        if claim is None or (not claim and not by_name):
            return ""
        if not claim and (not whole(self.folder / name) or holding(self._replaced, self.folder, name)):
            return ""
        return holding(self._counting, self.folder, name)

    def in_the_way(self, names: Iterable[str], *, resume: bool) -> str:
        """The first of some names that lies there and is not this program's; empty when there is none.

        What a power cut leaves of a claimed file is the program's still. A whole PNG with another content was
        edited; of other files only a run that makes damaged ones again, `resume`, may think so.
        """
        for name in names:
            path = self.folder / name
            known = [
                holding(c, self.folder, name)
                for c in (self._counting, self._replaced)
                if path.suffix and _claim_of(c, name) is not None
            ]
            again = _damaged if path.suffix == ".png" or not resume else Path.is_file
            if not (any(known) or (known and claim_on_file(path) and again(path))):
                return name
        return ""

    def settled(self, claims: Claims) -> Claims:
        """Claims on what is there of some results, a name alone only on a folder."""
        found = {name: claim or claim_on_file(self.folder / name) for name, claim in claims.items()}
        return {name: claim for name, claim in found.items() if claim or (self.folder / name).is_dir()}

    def remove_replaced(self, made: Mapping[str, str]) -> None:
        """Remove the results that were replaced by none of the same name, unless somebody edited them.

        Raises:
            CannotWriteError: one cannot be removed.
        """
        try:
            for name in there(self.folder, self._replaced):
                if _claim_of(made, name) is None and holding(self._replaced, self.folder, name):
                    (self.folder / name).unlink()
        except OSError as e:
            raise cannot_write(self.folder / "results", e) from e


def there(folder: Path, names: Iterable[str]) -> Iterator[str]:
    """The names of claims, of those given, that something lies at; for a folder of frames its pictures."""
    for name in names:
        path = folder / name
        if path.suffix or not path.is_dir():
            in_file = path.parent.exists() and not path.parent.is_dir()
            yield from [name] * (in_file or os.path.lexists(path))
        else:
            yield from sorted(f"{name}/{p.name}" for p in path.iterdir() if _FRAME.fullmatch(p.name))


def _damaged(path: Path) -> bool:
    """True for an empty file, and for a PNG that cannot be read."""
    if path.suffix != ".png":
        return path.stat().st_size == 0
    try:
        with Image.open(path, formats=("PNG",)) as image:
            image.verify()
    except Exception:  # noqa: BLE001 - Pillow raises many kinds for damaged data
        return True
    return False
