"""Latest: the one-place mailbox between two live stages, and the only lock the live path owns."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Latest(Generic[T]):
    """Holds the newest value; an unread older one is overwritten and counted.

    A queue between a fast camera and a slow model grows without bound or adds delay; one place does neither.

    Attributes:
        dropped: values overwritten before anybody took them.
    """

    def __init__(self, on_filled: Callable[[], None] | None = None) -> None:
        """`on_filled` runs in the producer's thread, only when the place goes from empty to full."""
        self._condition = threading.Condition()
        self._value: T | None = None
        self._closed = self._woken = False
        self._on_filled = on_filled
        self.dropped = 0

    def put(self, value: T) -> None:
        """Replace whatever waits; never blocks on the consumer; ignored after `close`."""
        with self._condition:
            if self._closed:
                return
            was_empty = self._value is None
            self.dropped += not was_empty
            self._value = value
            self._condition.notify()
        if was_empty and self._on_filled is not None:
            self._on_filled()

    def take(self, timeout_s: float | None = None) -> T | None:
        """The waiting value; None when the timeout passed, after `wake` or `close`. 0 does not wait."""
        with self._condition:
            if timeout_s != 0:
                self._condition.wait_for(
                    lambda: self._value is not None or self._closed or self._woken, timeout_s
                )
            self._woken = False
            value, self._value = self._value, None
            return value

    def wake(self) -> None:
        """Let the consumer go on without a value: there is something else for it to do."""
        with self._condition:
            self._woken = True
            self._condition.notify()

    def close(self) -> None:
        """Wake every waiter with None and refuse new values; idempotent."""
        with self._condition:
            self._closed = True
            self._value = None
            self._condition.notify_all()

    @property
    def closed(self) -> bool:
        """True once `close` was called."""
        with self._condition:
            return self._closed
