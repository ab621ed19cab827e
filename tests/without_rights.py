"""Processes without root's right to pass over permissions, for tests; not a test itself."""

from __future__ import annotations

import ctypes
import os

DROP_CAPABILITY = 24  # of prctl
DAC_OVERRIDE, DAC_READ_SEARCH = 1, 2


def give_up_rights() -> None:
    """Run between fork and exec: what is executed meets permissions as any user does."""
    if os.geteuid() == 0:
        for right in (DAC_OVERRIDE, DAC_READ_SEARCH):
            ctypes.CDLL(None).prctl(DROP_CAPABILITY, right, 0, 0, 0)
