"""Fail the n-th call into the operating system, as SQLite's tests do (row D02 of the fault list)."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

CALLS = ("open", "fchmod", "write", "fsync", "replace", "close")


class Injector:
    """Counts the calls of `CALLS` in `os`; call number `fail_at` raises `error`, once."""

    def __init__(self, fail_at: int, code: int) -> None:
        self.calls: list[str] = []
        self.failed_in = ""
        self._fail_at = fail_at
        self._code = code

    def wrap(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            self.calls.append(name)
            if len(self.calls) == self._fail_at:
                self.failed_in = name
                if name == "close":
                    real(*args)  # the descriptor is gone even when close reports an error
                raise OSError(self._code, os.strerror(self._code))
            return real(*args, **kwargs)

        return call


@contextmanager
def failing_call(fail_at: int, code: int) -> Iterator[Injector]:
    injector = Injector(fail_at, code)
    real = {name: getattr(os, name) for name in CALLS}
    try:
        for name in CALLS:
            setattr(os, name, injector.wrap(name, real[name]))
        yield injector
    finally:
        for name in CALLS:
            setattr(os, name, real[name])
