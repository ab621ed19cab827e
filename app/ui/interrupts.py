"""Interrupts: Ctrl-C, SIGTERM and SIGHUP end the program in order; the second one ends it at once."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Callable
from types import FrameType
from typing import Final

from PyQt6 import sip
from PyQt6.QtCore import QObject, QSocketNotifier

SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupts(QObject):
    """Brings signals into the event loop.

    Python runs a handler only when it next executes its own code, in an idle window seconds later; the
    wake-up socket makes that moment now.
    """

    def __init__(self, on_first: Callable[[], None], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._on_first = on_first
        self._count = 0
        self._inner, outer = socket.socketpair()
        self._outer = outer
        for end in (self._inner, self._outer):
            end.settimeout(0)
        self._before_fd = signal.set_wakeup_fd(self._outer.fileno(), warn_on_full_buffer=False)
        self._before = {number: signal.signal(number, self._handle) for number in SIGNALS}
        self._notifier = QSocketNotifier(sip.voidptr(self._inner.fileno()), QSocketNotifier.Type.Read, self)
        self._notifier.activated.connect(self._on_wake)

    def restore(self) -> None:
        """Give the handlers back (tests; a program simply ends)."""
        self._notifier.setEnabled(False)
        signal.set_wakeup_fd(self._before_fd)
        for number, handler in self._before.items():
            signal.signal(number, handler)
        for end in (self._inner, self._outer):
            end.close()

    def _handle(self, number: int, frame: FrameType | None) -> None:
        del frame
        self._count += 1
        if self._count > 1:
            os._exit(128 + number)  # the user has waited long enough

    def _on_wake(self) -> None:
        while True:
            try:
                if not self._inner.recv(64):
                    return
            except BlockingIOError:
                break
        if self._count == 1:
            self._on_first()
