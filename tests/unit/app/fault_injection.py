"""Fail the n-th call into the operating system, as SQLite's tests do (row D02 of the fault list)."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

CALLS = ("open", "fchmod", "write", "fsync", "replace", "close")
FOLDER_CALLS = (*CALLS, "mkdir", "rename", "rmdir", "unlink")
DIE = -1  # for an error's number: the process dies there


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


class Died(BaseException):
    """The process is gone; nothing it would have tidied up is."""


class Death(Injector):
    """From call number `fail_at` on nothing reaches the operating system any more."""

    def wrap(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            self.calls.append(name)
            if len(self.calls) >= self._fail_at:
                self.failed_in = self.failed_in or name
                if name == "close":
                    real(*args)  # the system does, when a process ends
                raise Died
            return real(*args, **kwargs)

        return call


@contextmanager
def dying_call(fail_at: int) -> Iterator[Injector]:
    """Everything from a call on, removal of files too, raises `Died`."""
    yield from _injected(Death(fail_at, 0), (*CALLS, "unlink"))


@contextmanager
def failing_call(fail_at: int, code: int, calls: tuple[str, ...] = CALLS) -> Iterator[Injector]:
    yield from _injected(Death(fail_at, 0) if code == DIE else Injector(fail_at, code), calls)


def _injected(injector: Injector, calls: tuple[str, ...]) -> Iterator[Injector]:
    real = {name: getattr(os, name) for name in calls}
    try:
        for name in calls:
            setattr(os, name, injector.wrap(name, real[name]))
        yield injector
    finally:
        for name in calls:
            setattr(os, name, real[name])
