"""Standard output that takes no more: what follows goes nowhere, and the end of the command says so."""

from __future__ import annotations

import errno
import os

_losses: list[OSError] = []


def give_up(reason: OSError | None = None) -> None:
    """Let further output go nowhere, also what Python flushes at its end.

    Args:
        reason: is remembered, unless a reader left (EPIPE), who has read enough.
    """
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.close(null)
    if reason is not None and reason.errno != errno.EPIPE:
        _losses.append(reason)


def loss() -> OSError | None:
    """Why something that was to be printed is lost; None when nothing is."""
    return _losses[0] if _losses else None
