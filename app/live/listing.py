"""Listing of the models and factors on disk, read beside the window."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from runtime.library.factors import FactorFile, user_factors
from runtime.library.models import Bundle, list_models
from runtime.system.jobs import BackgroundJob, BackgroundJobs


@dataclass(frozen=True)
class ListedFactor:
    """A factor of the library."""

    file: FactorFile
    thumbnail: Path | None
    earlier: int  #: generations that can be gone back to


Found = tuple[tuple[Bundle, ...], tuple[ListedFactor, ...], tuple[tuple[str, str], ...]]


class Listing:
    """Models and factors as the last look found them; looking takes as long as the disk does.

    Attributes:
        models: shipped ones first.
        factors: by name.
        unreadable: name and reason of the library's other files.
        listeners: called in the thread of the window after each look.
    """

    def __init__(self, jobs: BackgroundJobs) -> None:
        self.models: tuple[Bundle, ...] = ()
        self.factors: tuple[ListedFactor, ...] = ()
        self.unreadable: tuple[tuple[str, str], ...] = ()
        self.listeners: list[Callable[[], None]] = []
        self._jobs = jobs
        self._looks = self._seen = 0

    def refresh(self) -> None:
        """Look again; what is known stays until then, and nobody is called when it stays as it is."""
        self._looks = look = self._looks + 1
        self._jobs.start("Listing models", _look, lambda f: self._on_found(look, f), quiet=True, beside=True)

    def _on_found(self, look: int, found: Found) -> None:
        if look < self._seen or found == (self.models, self.factors, self.unreadable):
            return
        self._seen, (self.models, self.factors, self.unreadable) = look, found
        for listener in self.listeners:
            listener()


def _look(_: BackgroundJob) -> Found:
    library = user_factors()
    factors = [
        ListedFactor(f, library.thumbnail(f.name), len(library.generations(f.name)))
        for f in library.factors()
    ]
    unreadable = tuple((r.what, r.reason) for r in library.unreadable())
    return tuple(list_models()), tuple(factors), unreadable
