"""Ctrl-C and termination signals as a question that a long run asks between two steps."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType


class Stop:
    """Asked for by Ctrl-C or a termination signal; the second time the program ends at once.

    Attributes:
        exit_code: of a program that such a signal ended, by convention 128 + its number; 0 before.
    """

    def __init__(self) -> None:
        self._event = threading.Event()
        self.exit_code = 0

    def __bool__(self) -> bool:
        return self._event.is_set()

    def ask(self, number: int, _frame: FrameType | None = None) -> None:
        """Stop after the step at hand."""
        if self._event.is_set():
            words = f"stopped at once ({signal.Signals(number).name}); what is written stays"
            with suppress(OSError):
                os.write(2, f"\nxfactor: {words}\n".encode())
            os._exit(128 + number)
        self.exit_code = 128 + number
        self._event.set()
        with suppress(OSError):
            os.write(2, b"\nxfactor: stopping after the frame or step at hand; once more: at once\n")

    @contextmanager
    def on_signals(self) -> Iterator[Stop]:
        """Listen to signals while it lasts; outside the main thread there is nothing to listen to."""
        if threading.current_thread() is not threading.main_thread():
            yield self
            return
        names = [n for n in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, n)]
        numbers = [n for n in names if signal.getsignal(getattr(signal, n)) != signal.SIG_IGN]  # nohup
        before = {n: signal.signal(getattr(signal, n), self.ask) for n in numbers}
        try:
            yield self
        finally:
            for name, handler in before.items():
                signal.signal(getattr(signal, name), handler)
