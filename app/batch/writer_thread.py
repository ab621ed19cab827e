"""A thread that writes results while the network runs on the next frame."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import Final, Generic, TypeVar

T = TypeVar("T")

_DEPTH: Final = 4  # values; more would only hold memory
_MOST_BYTES: Final = 256_000_000  # of waiting pictures
_POLL_S: Final = 0.5  # how often a full queue checks that the writer is still there


class WriterThread(Generic[T]):
    """A bounded queue before a function that a thread of its own calls for each value, in order.

    An error of the function is raised to whoever gives the next value, or closes.

    Args:
        work: Is called for each value.
        value_bytes: Memory of one; of large ones fewer wait.
    """

    def __init__(self, work: Callable[[T], None], value_bytes: int = 1) -> None:
        self._work = work
        self._queue: queue.Queue[T | None] = queue.Queue(max(1, min(_DEPTH, _MOST_BYTES // value_bytes)))
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="writer", daemon=True)
        self._thread.start()

    def put(self, value: T) -> None:
        """Hand over a value; waits while the thread is far behind."""
        self._put(value)
        self._check()

    def close(self) -> None:
        """Wait until everything is done."""
        self._put(None)
        self._thread.join()
        self._check()

    def _put(self, value: T | None) -> None:
        while self._thread.is_alive():
            try:
                return self._queue.put(value, timeout=_POLL_S)
            except queue.Full:
                continue
        return None

    def _check(self) -> None:
        if self._error is not None:
            error, self._error = self._error, None
            raise error

    def _run(self) -> None:
        try:
            while (value := self._queue.get()) is not None:
                self._work(value)
        except BaseException as e:  # noqa: BLE001 - it is raised again in the thread that cares
            self._error = e
