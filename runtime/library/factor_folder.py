"""FactorFolder: the folder of a factor library, changed by one at a time and put in order before.

What a killed program left behind is removed, or finished, by the next one that changes something.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from runtime.library.models import FACTOR_SUFFIX, NAME
from runtime.system.disk import cannot_write
from runtime.system.errors import Refusal
from runtime.system.files import entries, make_private_dir, read_regular, sweep_temporaries, write_atomic
from runtime.system.locks import exclusive

GENERATIONS: Final = "history"  #: folder of earlier generations, one folder a name
THUMBNAILS: Final = "faces"
RENAMING: Final = ".renaming"  #: note with the old and the new name, for as long as not all has moved
PATIENCE_S: Final = 2.0  #: with another window or command that changes the library


class FactorFolder:
    """Places of factors and of what belongs to them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def files(self) -> list[Path]:
        """Every file that is called a factor, by name.

        Raises:
            Refusal: the folder cannot be read.
        """
        return [p for p in entries(self.folder) if p.name.endswith(FACTOR_SUFFIX)]

    def belongings(self, name: str) -> tuple[Path, Path, Path]:
        """A factor's file, folder of earlier generations and thumbnail, whether they exist or not."""
        factor, thumbnail = f"{name}{FACTOR_SUFFIX}", f"{name}.png"
        return self.folder / factor, self.folder / GENERATIONS / name, self.folder / THUMBNAILS / thumbnail

    @contextmanager
    def changing(self, saved: str = "") -> Iterator[None]:
        """Have the folder for oneself, in order.

        Args:
            saved: words about what is not lost when the disk does not allow it.

        Raises:
            Refusal: the disk does not allow it, or somebody else has the folder.
        """
        try:
            make_private_dir(self.folder)
            with exclusive(self.folder, patience_s=PATIENCE_S):
                for folder in (self.folder, self.folder / THUMBNAILS, *(self.folder / GENERATIONS).glob("*")):
                    sweep_temporaries(folder, older_than_s=0)
                self._finish_renaming()
                yield
        except BlockingIOError as e:
            reason = "another window or command is changing it"
            raise Refusal("factor library", reason, "Try again in a moment") from e
        except OSError as e:
            raise cannot_write(self.folder, e, saved) from e

    def note_renaming(self, old: str, new: str) -> None:
        """Have a factor and its belongings moved when the folder is changed next."""
        write_atomic(self.folder / RENAMING, f"{old}\n{new}".encode())

    def clear(self, name: str) -> None:
        """Delete a factor and its belongings, the factor last: until then it can be tried again."""
        factor, history, thumbnail = self.belongings(name)
        if NAME.fullmatch(name):  # else it has none, and `..` would lead elsewhere
            if os.path.lexists(history):
                shutil.rmtree(history)
            thumbnail.unlink(missing_ok=True)
        factor.unlink()

    def _finish_renaming(self) -> None:
        note = self.folder / RENAMING
        try:
            names = read_regular(note, 1 << 10).decode("utf-8", "replace").split("\n")
        except FileNotFoundError:
            return
        if len(names) == 2 and all(NAME.fullmatch(n) for n in names):
            for source, target in zip(*map(self.belongings, names), strict=True):
                if os.path.lexists(source):  # else it was moved before
                    if target.is_dir():
                        shutil.rmtree(target)  # of a factor that is gone: the new name was free
                    source.replace(target)
        note.unlink()
