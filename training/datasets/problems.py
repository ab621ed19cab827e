"""Files that cannot be used: each named once, left out or refused, and counted at the end."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TypeVar

from training.datasets.files import shown
from training.photos import DataError

T = TypeVar("T")
log = logging.getLogger(__name__)


class Problems:
    """The record of a loader's omissions; with `strict` the first one stops the reading."""

    def __init__(self, *, strict: bool = False) -> None:
        self.strict = strict
        self._said: set[tuple[str, str]] = set()
        self._notes: set[tuple[str, str]] = set()

    @property
    def count(self) -> int:
        """The number of different omissions."""
        return len(self._said)

    def add(self, what: object, reason: object) -> None:
        """Name a thing that is left out.

        Raises:
            DataError: when nothing may be left out.
        """
        said = (shown(what), str(reason))
        if self.strict:
            raise DataError(f"{said[0]}: {said[1]}. Repair or remove it, or read without --strict.")
        if said not in self._said:  # train and trainval name the same files
            self._said.add(said)
            log.warning("%s: %s; left out", *said)

    def attempt(self, what: object, make: Callable[[], T]) -> T | None:
        """The result of `make`; None when it is a ValueError, which is then named as the reason."""
        try:
            return make()
        except ValueError as e:
            self.add(what, e)
            return None

    def note(self, what: object, text: str) -> None:
        """Say once what a reader should know and what is no fault of the data."""
        said = (shown(what), text)
        if said not in self._notes:
            self._notes.add(said)
            log.info("%s: %s", *said)
